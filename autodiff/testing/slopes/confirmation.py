"""Confirmation by the complex step, which has 14 digits of the slope of an analytic function, and of no other.

It counts where the real steps agree with it.  A difference that it alone shows must pass a test of analyticity.
"""

from __future__ import annotations

from typing import Any

from ..thresholds import CIRCLE, COMPLEX_STEP, EPSILON, SEVERAL, SHARPER, THREE_DIGITS
from ..vectors import norm
from .comparison import Comparison
from .complex_step import around
from .extrapolation import Estimate
from .finding import Finding
from .line import Line
from .uncertainty import scatter

Array = Any


def agrees(comparison: Comparison, u: Array) -> Finding | None:
    """The finding of the complex step alone, if f is known to be analytic and they agree; None otherwise."""
    if not comparison.analytic_function:
        return None
    sharp = _by_complex_step(comparison, comparison.line(u), u, comparison.own_error(u))
    if sharp is None:
        return None
    sharp = sharp._replace(limit=sharp.limit + comparison.tolerance * norm(comparison.safe * u))
    return None if sharp.wrong else sharp


def sharpened(comparison: Comparison, finding: Finding, own: float, thorough: bool = False) -> Finding:
    """The finding by the complex step, if the real steps agree with it and it decides; otherwise the same finding.

    ``own`` is the rounding error of the analytic slope; if ``thorough``, a difference must also exceed its scatter.
    """
    if comparison.analytic_function is False:
        return finding
    sharp = _by_complex_step(comparison, finding.line, finding.direction, own, SEVERAL * finding.found.bound)
    if sharp is None:
        comparison.analytic_function = False
        return finding
    slope, found = sharp.found.value, finding.found
    agree = abs(slope - found.value) <= SEVERAL * found.bound + sharp.found.bound
    if finding.wrong:
        if not agree or finding.error < SHARPER * finding.limit:
            return finding
        more = SEVERAL * SEVERAL * scatter(comparison, finding.direction, finding.error) if thorough else 0.0
        return sharp if sharp.error > SHARPER * (sharp.limit + more) else finding
    if not agree or found.bound > THREE_DIGITS * max(norm(comparison.safe * finding.direction), abs(slope)):
        comparison.analytic_function = False
        return finding
    if sharp.wrong:
        return sharp if _is_fault(comparison, sharp, sharp.found.bound) else finding
    comparison.analytic_function = True
    return sharp if sharp.found.bound < found.bound else finding


def _by_complex_step(
    comparison: Comparison, line: Line, u: Array, own: float, borne_out: float = 0.0
) -> Finding | None:
    """The finding of the complex step; None if f does not take complex numbers."""
    slope = comparison.complex_slope(u)
    if slope is None:
        return None
    own += comparison.own_rounding  # an output that a rule has kept was rounded, which is no fault of the rule
    return Finding(u, comparison.along(u), Estimate(slope, own, COMPLEX_STEP), SEVERAL * own, line, borne_out)


def _is_fault(comparison: Comparison, finding: Finding, own: float) -> bool:
    """Whether a difference that the complex step alone shows is a fault.

    The function must be analytic around x (no negative powers on a circle), its derivative by Cauchy's integral must
    agree, and rounding must not explain the difference.
    """
    u = finding.direction
    circle = around(comparison.problem, comparison.weights, comparison.base, u, CIRCLE)
    if circle is None:
        return False
    derivative, negative = circle
    noise = EPSILON * norm(comparison.weights * comparison.base) / CIRCLE
    explained = own + noise + negative + abs(derivative - finding.found.value) + scatter(comparison, u, finding.error)
    return bool(finding.error > SEVERAL * 2 * explained)
