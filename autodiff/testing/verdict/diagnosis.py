"""The probable kind of fault of a wrong gradient, in words."""

from __future__ import annotations

import numpy as np

from ..slopes.comparison import Comparison
from ..slopes.finding import Finding
from ..tracing.replay import leaves_the_graph


def explanation(comparison: Comparison, finding: Finding, flat: int, analytic: float, numeric: float) -> str:
    """The probable kind of fault."""
    if not np.isfinite(analytic):
        return "the gradient is not finite where the function has a finite slope"
    if _right_nearby(comparison, finding):
        return "the gradient is right on both sides of x, which sits on a kink of an operation inside a smooth function"
    if not comparison.gradient.any():
        whose = "whole gradient" if comparison.outputs is None else "gradient of some outputs"
        return (
            f"detached: the {whose} is zero but the values change with the arguments; look for .data, .item(), "
            "stop_gradient, no_grad, or a rule that says None"
        )
    place = comparison.problem.input_of(flat)
    if not comparison.gradient[place.start : place.stop].any():
        return (
            f"detached: the gradient of {place.path} is zero but the values change with it; look for .data, .item(), "
            "stop_gradient, or a rule that says None"
        )
    if leaves_the_graph(comparison.problem, finding.direction):
        return (
            "detached: part of what f computes from its arguments is not in the graph; look for .data, .item(), "
            "stop_gradient, no_grad, or a rule that says None"
        )
    return _ratio_text(analytic, numeric)


def _ratio_text(analytic: float, numeric: float) -> str:
    if not numeric:
        return "the function does not change with this element"
    ratio = analytic / numeric
    if abs(ratio + 1) < 1e-6:
        return "the sign is wrong"
    if analytic == 0:
        return "a term is missing: the gradient is zero here"
    if abs(ratio - 1) < 1e-4:
        return f"analytic / numeric = 1 {'-' if ratio < 1 else '+'} {abs(ratio - 1):.2g}"
    return f"analytic / numeric = {ratio:.6g}"


def _right_nearby(comparison: Comparison, finding: Finding) -> bool:
    for side in (-1.0, 1.0):
        slope = comparison.slope_at(side * 2.0**-20 * finding.direction, finding.direction)
        if not abs(slope - finding.found.value) <= 1e-3 * abs(finding.found.value - finding.analytic):
            return False
    return True
