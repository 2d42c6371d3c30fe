"""The verdict on a comparison, and the report of it.

Outputs that are too small beside the others to be seen in a sum with them are judged again by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .comparison import Comparison
from .complexplane import COMPLEX_STEP
from .explanation import explanation
from .finding import RESOLVED, Finding
from .line import norm
from .problem import Input
from .purity import LEFT_BEHIND, is_left_behind
from .report import Report
from .search import QUIET, separate_kinks, sweep, together
from .slopes import scrutinise
from .uncertainty import vanishing

Array = Any

MOST_PARTS = 4
TOGETHER = 1e-6
"""How much smaller than the largest of them the outputs may be that are looked at together."""


def judge(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict in double precision."""
    report = _judge_part(comparison, facts)
    if report.verdict == "wrong":
        return report
    unheard = 0
    for part in _quiet_parts(comparison):
        found = _judge_part(part, facts)
        if found.verdict == "wrong" or (
            report.correct and not found.correct and _holds_an_array(part, comparison.loudness)
        ):
            return found
        if not report.correct:
            continue  # a fault is all that would be news
        if found.correct:
            kinks = list(dict.fromkeys([*report.kinks, *found.kinks]))
            resolution = max(report.resolution or 0.0, found.resolution or 0.0) or None
            report = replace(report, kinks=kinks, resolution=resolution)
        else:
            unheard += int(np.count_nonzero(part.weights))
    if unheard:
        note = f"{_several(unheard, 'output')} too small beside the others to be resolved"
        report = replace(report, notes=[*report.notes, note])
    return replace(report, evaluations=comparison.problem.evaluations)


def _judge_part(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict on the weighted sum of the outputs, here and beside x."""
    report = _judge_sum(comparison, facts)
    if report.correct and comparison.findings and is_left_behind(comparison, comparison.findings[0]):
        return replace(report, verdict="inconclusive", reason=LEFT_BEHIND)
    return report


def _holds_an_array(part: Comparison, loudness: Array) -> bool:
    """Whether all that moves in one of the arrays that f returned is among these outputs."""
    moves, mine = loudness > 0.0, part.weights != 0.0
    start = 0
    for size in part.problem.output_sizes:
        cut = slice(start, start + size)
        if moves[cut].any() and mine[cut][moves[cut]].all():
            return True
        start += size
    return False


def _quiet_parts(comparison: Comparison) -> Iterator[Comparison]:
    """The outputs in whose slopes a fault of 1 % would not have been seen, the larger ones first."""
    left = ~comparison.heard
    if left.all():  # the sum is as uncertain as most of them
        left = comparison.loudness < QUIET * np.max(comparison.loudness, initial=0.0)
    for n in range(MOST_PARTS):
        if not left.any():
            return
        top = float(np.max(comparison.loudness[left]))
        members = left & (comparison.loudness >= TOGETHER * top) if n < MOST_PARTS - 1 else left
        part = comparison.part(members)
        if top or part.gradient.any():  # of outputs that stand still, a gradient of zero is right
            yield part
        left &= ~members


def _judge_sum(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict on the weighted sum of the outputs."""
    problem = comparison.problem
    if not problem.size or not comparison.base.size:
        return Report("correct", notes=["nothing to compare: the arguments or the outputs are empty"], **facts)
    members = np.flatnonzero(comparison.finite)
    if len(members) < problem.size:
        report = _judge_not_finite(comparison, facts)
        if report is not None:
            return report
    fault = sweep(comparison, members) if len(members) else None
    if fault is not None and fault.found.kink is not None:
        members, at_kinks = separate_kinks(comparison, members)
        for kink in comparison.kinks:
            if kink.wrong:
                return _wrong(comparison, kink, facts)
        fault = together(comparison, at_kinks)
        if fault is not None:
            return _wrong_together(comparison, fault, facts)
        comparison.resolution[:] = np.inf
        comparison.findings = [x for x in comparison.findings if x.found.kink is None]
        fault = sweep(comparison, members) if len(members) else None
        if fault is not None and fault.found.kink is not None:
            return _inconclusive(comparison, fault, "kinks lie too close together to be told apart", facts)
    if fault is not None and fault.found.reason:
        return _inconclusive(comparison, fault, fault.found.reason, facts)
    if fault is not None and not fault.single:
        reason = (
            "the slopes along a direction disagree with the gradient, but no single element does by more than its error"
        )
        return _inconclusive(comparison, fault, reason, facts)
    if fault is not None:
        return _wrong(comparison, fault, facts)
    return _correct(comparison, members, facts)


def _judge_not_finite(comparison: Comparison, facts: dict[str, Any]) -> Report | None:
    """Gradients that are NaN or infinite: wrong where the function has a slope."""
    for flat in np.flatnonzero(~comparison.finite)[:4]:
        u = comparison.direction(np.array([flat]))
        line = comparison.line(u)
        finding = Finding(u, 0.0, scrutinise(line), 0.0, line)
        if finding.found.reason:
            value = comparison.gradient[flat]
            reason = f"the gradient is {value} and the function has no finite slope there ({finding.found.reason})"
            return _inconclusive(comparison, finding, reason, facts, int(flat))
        bad = finding._replace(analytic=float("nan"))
        return _wrong(comparison, bad, facts)
    return None


def _steps(finding: Finding) -> list[tuple[float, float, float, float]]:
    return [(row.step, row.left, row.right, row.central) for row in finding.line.table]


def _counts(comparison: Comparison) -> dict[str, Any]:
    return {
        "evaluations": comparison.problem.evaluations,
        "directions": len(comparison.findings),
        "notes": comparison.notes,
        "kinks": [_kink_text(comparison, k) for k in comparison.kinks if k.found.kink is not None],
    }


def _place(comparison: Comparison, flat: int) -> dict[str, Any]:
    place = comparison.problem.input_of(flat)
    return {"argument": place.name_of(flat), "index": place.index_of(flat)}


def _method(finding: Finding) -> str:
    if finding.found.kink is not None:
        return "one-sided slopes"
    return "the complex step" if finding.found.step == COMPLEX_STEP else "central differences, extrapolated"


def _per_unit(comparison: Comparison, finding: Finding) -> tuple[int, float, str]:
    """The element, its component, and the output that the values belong to (divided by that output's weight)."""
    flat = int(np.flatnonzero(finding.direction)[0])
    unit = float(finding.direction[flat])
    count = int(np.count_nonzero(comparison.weights))
    if comparison.base.size == 1:
        return flat, unit, ""
    changed = np.flatnonzero(finding.line.sensitive())
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


def _plain(value: float, size: float) -> str:
    """Six digits, and no trace of rounding errors around zero."""
    return f"{float(f'{value:.6g}') if abs(value) > 1e-9 * size else 0.0:g}"


def _wrong(comparison: Comparison, finding: Finding, facts: dict[str, Any]) -> Report:
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
        bound=abs(finding.found.bound / unit), method=_method(finding), output=output, steps=_steps_of(finding, unit),
        **_place(comparison, flat), **_counts(comparison), **facts,
    )  # fmt: skip


def _wrong_together(comparison: Comparison, finding: Finding, facts: dict[str, Any]) -> Report:
    low, high = finding.found.kink or (finding.found.value, finding.found.value)
    slopes = f"{finding.found.value:.6g}" if low == high else f"between {low:.6g} and {high:.6g}"
    count = int(np.count_nonzero(finding.direction))
    reason = f"at a kink of {count} elements that move together, the slope is {slopes}; the gradient says otherwise"
    return Report(
        "wrong", reason, analytic=finding.analytic, numeric=finding.found.value, error=finding.error,
        bound=finding.found.bound, method=_method(finding), output="the sum of these elements' slopes",
        steps=_steps(finding), **_place(comparison, int(np.flatnonzero(finding.direction)[0])), **_counts(comparison),
        **facts,
    )  # fmt: skip


def _steps_of(finding: Finding, unit: float) -> list[tuple[float, float, float, float]]:
    size = abs(float(finding.direction[np.flatnonzero(finding.direction)[0]]))
    sides = [(r.right, r.left) if unit < 0 else (r.left, r.right) for r in finding.line.table]
    return [
        (row.step * size, a / unit, b / unit, row.central / unit)
        for row, (a, b) in zip(finding.line.table, sides, strict=True)
    ]


def _inconclusive(
    comparison: Comparison, finding: Finding, reason: str, facts: dict[str, Any], flat: int | None = None
) -> Report:
    place = {} if flat is None else _place(comparison, flat)
    return Report("inconclusive", reason, steps=_steps(finding), **place, **_counts(comparison), **facts)


def _several(count: int, what: str, path: str = "") -> str:
    """The beginning of a sentence: "1 element of x is", "2 outputs are"."""
    return f"{count} {what}{'s' * (count != 1)}{f' of {path}' if path else ''} {'is' if count == 1 else 'are'}"


def _unresolved(comparison: Comparison, place: Input, members: Array) -> tuple[float, str]:
    """The smallest fault that would show in every element of an array that matters; or why that cannot be said."""
    mine = members[(members >= place.start) & (members < place.stop)]
    weight = np.abs(comparison.safe[mine] * comparison.scales[mine])
    total, resolution = norm(weight), comparison.resolution[mine]
    open_ones = (resolution > RESOLVED) & (weight > 0)
    seen = ~open_ones & (weight > 0)
    if comparison.tolerance or not open_ones.any():
        return float(np.max(resolution[seen], initial=0.0)), ""
    if norm(weight[open_ones]) > RESOLVED * total:
        zeros = open_ones & vanishing(comparison)[mine]
        open_ones &= ~zeros
        if zeros.any():
            count = int(zeros.sum())
            comparison.notes.append(f"{_several(count, 'element', place.path)} zero up to the rounding of the gradient")
    small = int(open_ones.sum())
    if norm(weight[open_ones]) > RESOLVED * total:
        return 0.0, (
            f"noise floor: in {small} of {len(mine)} elements of {place.path} a fault of 1 % would hide in the "
            f"rounding of f (it would show from a factor of {1 + float(np.min(resolution)):.2g} on); "
            "subtract a constant, or rescale"
        )
    if small:
        comparison.notes.append(f"{_several(small, 'element', place.path)} too small beside the rest to be resolved")
    return float(np.max(resolution[seen], initial=0.0)), ""


def _correct(comparison: Comparison, members: Array, facts: dict[str, Any]) -> Report:
    """Correct, if every element that carries weight was resolved."""
    worst = 0.0
    for place in comparison.problem.inputs:
        resolution, reason = _unresolved(comparison, place, members)
        if reason:
            return _inconclusive(comparison, comparison.findings[0], reason, facts)
        worst = max(worst, resolution)
    shown = max(comparison.findings, key=lambda x: x.error / (x.limit + 1e-300), default=None)
    numbers: dict[str, Any] = {}
    if shown is not None and (worst or not comparison.safe.any()):  # nothing is relative to a rounding error
        size = norm(comparison.safe * shown.direction) or 1.0
        numbers = {"error": shown.error / size, "bound": shown.found.bound / size, "method": _method(shown)}
    steps = _steps(shown) if shown is not None else []
    return Report("correct", resolution=worst or None, steps=steps, **numbers, **_counts(comparison), **facts)
