"""The verdict on a comparison, and the report of it.

Outputs that are too small beside the others in a sum are judged again separately.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..problem import Input
from ..slopes.comparison import Comparison
from ..slopes.extrapolation import scrutinise
from ..slopes.finding import Finding
from ..slopes.search import separate_kinks, sweep, together
from ..slopes.stale import STALE, is_stale
from ..slopes.uncertainty import vanishing
from ..thresholds import MOST_PARTS, QUIET, RESOLVED, SMALL_FAULT, TOGETHER
from ..vectors import norm
from .report import Report
from .reporting import counts, inconclusive, method, several, steps_of, wrong, wrong_together

Array = Any

UNDECIDED = "noise floor: the gradient is zero, and the slope is not clearly so; subtract a constant, or rescale"
SCATTERED = "the slopes along a direction disagree with the gradient, but no single element does by more than its error"
UNATTRIBUTED = "the sum of all outputs disagrees by what small ones contribute, and by themselves they do not"


def judge(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict in double precision."""
    report = _judge_part(comparison, facts)
    if report.verdict == "wrong":
        return _attributed(comparison, report, facts)
    if not report.correct and report.reason != SCATTERED:
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
            resolved = min(report.resolved, found.resolved)
            report = replace(report, kinks=kinks, resolution=resolution, resolved=resolved)
        else:
            unheard += int(np.count_nonzero(part.weights))
    if unheard:
        note = f"{several(unheard, 'output')} too small beside the others to be resolved"
        report = replace(report, notes=[*report.notes, note])
    return replace(report, evaluations=comparison.problem.evaluations)


def _attributed(comparison: Comparison, report: Report, facts: dict[str, Any]) -> Report:
    """A fault that is tiny in the sum of all outputs belongs to small ones, or to what large ones hide of them."""
    loud = comparison.loudness >= QUIET * np.max(comparison.loudness, initial=0.0)
    tiny = report.error is not None and report.error <= SMALL_FAULT * abs(report.analytic or 0.0)
    if not tiny or loud.all():
        return report
    for members in (~loud, loud):
        found = _judge_part(comparison.part(members), facts)
        if found.verdict == "wrong":
            return found
    return replace(report, verdict="inconclusive", reason=UNATTRIBUTED)


def _judge_part(comparison: Comparison, facts: dict[str, Any]) -> Report:
    """The verdict on the weighted sum of the outputs, here and beside x."""
    report = _judge_sum(comparison, facts)
    if report.correct and comparison.findings and is_stale(comparison, comparison.findings[0]):
        return replace(report, verdict="inconclusive", reason=STALE)
    return report


def _holds_an_array(part: Comparison, loudness: Array) -> bool:
    """Whether all changing elements of one of the returned arrays are among these outputs."""
    moves, mine = loudness > 0.0, part.weights != 0.0
    start = 0
    for size in part.problem.output_sizes:
        cut = slice(start, start + size)
        if moves[cut].any() and mine[cut][moves[cut]].all():
            return True
        start += size
    return False


def _quiet_parts(comparison: Comparison) -> Iterator[Comparison]:
    """The outputs for which a fault of 1 % would not have been found, the larger ones first."""
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
                return wrong(comparison, kink, facts)
        fault = together(comparison, at_kinks)
        if fault is not None:
            return wrong_together(comparison, fault, facts)
        comparison.resolution[:] = np.inf
        comparison.findings = [x for x in comparison.findings if x.found.kink is None]
        fault = sweep(comparison, members) if len(members) else None
        if fault is not None and fault.found.kink is not None:
            return inconclusive(comparison, fault, "kinks lie too close together to be told apart", facts)
    if fault is not None and fault.found.reason:
        return inconclusive(comparison, fault, fault.found.reason, facts)
    if fault is not None and not fault.single:
        return inconclusive(comparison, fault, SCATTERED, facts)
    if fault is not None:
        return wrong(comparison, fault, facts)
    return _correct(comparison, members, facts)


def _judge_not_finite(comparison: Comparison, facts: dict[str, Any]) -> Report | None:
    """Gradients that are NaN or infinite: wrong if the function has a slope there."""
    for flat in np.flatnonzero(~comparison.finite)[:4]:
        u = comparison.direction(np.array([flat]))
        line = comparison.line(u)
        finding = Finding(u, 0.0, scrutinise(line), 0.0, line)
        if finding.found.reason:
            value = comparison.gradient[flat]
            reason = f"the gradient is {value} and the function has no finite slope there ({finding.found.reason})"
            return inconclusive(comparison, finding, reason, facts, int(flat))
        bad = finding._replace(analytic=float("nan"))
        return wrong(comparison, bad, facts)
    return None


def _unresolved(comparison: Comparison, place: Input, members: Array) -> tuple[float, str]:
    """The smallest fault that would be found in every element that matters; or the reason why it is unknown."""
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
            comparison.notes.append(f"{several(count, 'element', place.path)} zero up to the rounding of the gradient")
    small = int(open_ones.sum())
    if norm(weight[open_ones]) > RESOLVED * total:
        return 0.0, (
            f"noise floor: in {small} of {len(mine)} elements of {place.path} a fault of 1 % would hide in the "
            f"rounding of f (it would show from a factor of {1 + float(np.min(resolution)):.2g} on); "
            "subtract a constant, or rescale"
        )
    if small:
        comparison.notes.append(f"{several(small, 'element', place.path)} too small beside the rest to be resolved")
    return float(np.max(resolution[seen], initial=0.0)), ""


def _correct(comparison: Comparison, members: Array, facts: dict[str, Any]) -> Report:
    """Correct, if every element that matters was resolved."""
    worst = 0.0
    for finding in comparison.findings if not comparison.safe.any() else ():
        found = finding.found
        largest = max((max(abs(row.left), abs(row.right)) for row in finding.line.table), default=0.0)
        if found.kink is None and abs(found.value) > max(found.bound, RESOLVED * largest) and found.bound > 0:
            return inconclusive(comparison, finding, UNDECIDED, facts)
    for place in comparison.problem.inputs:
        resolution, reason = _unresolved(comparison, place, members)
        if reason:
            return inconclusive(comparison, comparison.findings[0], reason, facts)
        worst = max(worst, resolution)
    shown = max(comparison.findings, key=lambda x: x.error / (x.limit + 1e-300), default=None)
    numbers: dict[str, Any] = {}
    if shown is not None and (worst or not comparison.safe.any()):  # nothing is relative to a rounding error
        size = norm(comparison.safe * shown.direction) or 1.0
        numbers = {"error": shown.error / size, "bound": shown.found.bound / size, "method": method(shown)}
    steps = steps_of(shown) if shown is not None else []
    seen: dict[str, Any] = {
        "resolution": worst or None,
        "resolved": _resolved(comparison, members),
        "elements": comparison.problem.size,
    }
    return Report("correct", steps=steps, **seen, **numbers, **counts(comparison), **facts)


def _resolved(comparison: Comparison, members: Array) -> int:
    """The number of elements in which a fault of 1 % would have been found, or any fault if the gradient is zero.

    Besides ``members``, these are elements that were taken for kinks, which are near.
    """
    near = [np.flatnonzero(kink.direction) for kink in comparison.kinks if kink.found.kink is None]
    looked_at = np.unique(np.concatenate([members, *near])).astype(int)
    is_clear = (comparison.resolution[looked_at] <= RESOLVED) | (comparison.safe[looked_at] == 0)
    return int(np.count_nonzero(is_clear)) if not comparison.tolerance else len(looked_at)
