"""The text of a report: the place, the numbers per unit of the argument, the steps, the kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..slopes.comparison import Comparison
from ..slopes.finding import Finding
from ..thresholds import COMPLEX_STEP
from .diagnosis import explanation
from .report import Report

Array = Any


def steps_of(finding: Finding, size: float = 0.0, unit: float = 0.0) -> list[tuple[float, float, float, float]]:
    """The table of steps along a direction: step, slopes to the left, to the right, central.

    A step is the change of the element of this ``size`` (default: the largest); slopes are per ``unit`` of it.
    """
    size = size or _unit(finding)
    unit = unit or size
    sides = [(r.right, r.left) if unit < 0 else (r.left, r.right) for r in finding.line.table]
    rows = zip(finding.line.table, sides, strict=True)
    return [(row.step * size, a / unit, b / unit, row.central / unit) for row, (a, b) in rows]


def _unit(finding: Finding) -> float:
    return float(np.max(np.abs(finding.direction), initial=0.0)) or 1.0


def counts(comparison: Comparison) -> dict[str, Any]:
    """The cost, and notes."""
    return {
        "evaluations": comparison.problem.evaluations,
        "directions": len(comparison.findings),
        "notes": comparison.notes,
        "kinks": [_kink_text(comparison, k) for k in comparison.kinks if k.found.kink is not None],
    }


def _place(comparison: Comparison, flat: int) -> dict[str, Any]:
    place = comparison.problem.input_of(flat)
    return {"argument": place.name_of(flat), "index": place.index_of(flat)}


def method(finding: Finding) -> str:
    """The method that found the numeric slope."""
    if finding.found.kink is not None:
        return "one-sided slopes"
    return "the complex step" if finding.found.step == COMPLEX_STEP else "central differences, extrapolated"


def _per_unit(comparison: Comparison, finding: Finding) -> tuple[int, float, str]:
    """The element, its component, and the output of the values (divided by the weight of that output)."""
    flat = int(np.flatnonzero(finding.direction)[0])
    unit = float(finding.direction[flat])
    count = int(np.count_nonzero(comparison.weights))
    if comparison.base.size == 1:
        return flat, unit, ""
    changed = np.flatnonzero(finding.line.sensitive)
    if len(changed) == 1:
        return flat, unit * float(comparison.weights[changed[0]]), f"output element {int(changed[0])}"
    return flat, unit, f"a random combination of {count} outputs"


def _kink_text(comparison: Comparison, finding: Finding) -> str:
    flat, unit, _ = _per_unit(comparison, finding)
    place = comparison.problem.input_of(flat)
    assert finding.found.kink is not None
    low, high = sorted(end / unit for end in finding.found.kink)
    index = str(list(place.index_of(flat))) if place.shape else ""
    size = max(abs(low), abs(high))
    value = _plain(finding.analytic / unit, size)
    return f"{place.name_of(flat)}{index}: {value} in [{_plain(low, size)}, {_plain(high, size)}]"


def several(count: int, what: str, path: str = "") -> str:
    """The beginning of a sentence: "1 element of x is", "2 outputs are"."""
    return f"{count} {what}{'s' * (count != 1)}{f' of {path}' if path else ''} {'is' if count == 1 else 'are'}"


def _plain(value: float, size: float) -> str:
    """Six digits, and no trace of rounding errors around zero."""
    return f"{float(f'{value:.6g}') if abs(value) > 1e-9 * size else 0.0:g}"


def wrong(comparison: Comparison, finding: Finding, facts: dict[str, Any]) -> Report:
    """The report of a single element whose gradient is wrong."""
    flat, unit, output = _per_unit(comparison, finding)
    analytic = float(comparison.gradient[flat]) * float(finding.direction[flat]) / unit
    numeric = finding.found.value / unit
    reason = explanation(comparison, finding, flat, analytic, numeric)
    if finding.found.kink is not None:
        low, high = sorted(end / unit for end in finding.found.kink)
        size = max(abs(low), abs(high))
        reason = f"the value is outside of the slopes at this kink, [{_plain(low, size)}, {_plain(high, size)}]"
    return Report(
        "wrong", reason, analytic=analytic, numeric=numeric, error=abs(finding.error / unit),
        bound=abs(finding.found.bound / unit), method=method(finding), output=output,
        steps=steps_of(finding, abs(float(finding.direction[flat])), unit),
        **_place(comparison, flat), **counts(comparison), **facts,
    )  # fmt: skip


def wrong_together(comparison: Comparison, finding: Finding, facts: dict[str, Any]) -> Report:
    """The report of elements at a kink that are wrong together."""
    unit = _unit(finding)
    numeric = finding.found.value / unit
    low, high = (end / unit for end in finding.found.kink or (finding.found.value, finding.found.value))
    slopes = f"{numeric:.6g}" if low == high else f"between {low:.6g} and {high:.6g}"
    count = int(np.count_nonzero(finding.direction))
    reason = f"at a kink of {count} elements that move together, the slope is {slopes}; the gradient says otherwise"
    return Report(
        "wrong", reason, analytic=finding.analytic / unit, numeric=numeric, error=finding.error / unit,
        bound=finding.found.bound / unit, method=method(finding), output="the sum of these elements' slopes",
        steps=steps_of(finding), **_place(comparison, int(np.flatnonzero(finding.direction)[0])),
        **counts(comparison), **facts,
    )  # fmt: skip


def inconclusive(
    comparison: Comparison, finding: Finding, reason: str, facts: dict[str, Any], flat: int | None = None
) -> Report:
    """The report of an inconclusive check, with the reason; ``flat`` is the element in question, if there is one."""
    place = {} if flat is None else _place(comparison, flat)
    return Report("inconclusive", reason, steps=steps_of(finding), **place, **counts(comparison), **facts)
