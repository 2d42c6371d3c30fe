"""The choice of directions: all elements at once, those that are too small for that, kinks, the wrong element.

Elements that are too small beside the others to be resolved in a direction of all have directions of their own, largest
first, until all that matter are resolved.  The wrong element is found by halving.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..thresholds import (
    ATTEMPTS,
    CLEAR,
    COMPLEX_STEP,
    EPSILON,
    MOST_BLOCKS,
    MOST_KINKS,
    NEAR,
    QUICK,
    QUIET,
    RESOLVED,
    SEVERAL,
    THREE_DIGITS,
    TINY,
)
from ..vectors import powers
from .comparison import Comparison
from .confirmation import agrees
from .examination import artifact, examine
from .extrapolation import estimate, kink_interval, look, scrutinise
from .finding import Finding
from .generalized import around, jumps

Array = Any


def note_resolution(comparison: Comparison, finding: Finding) -> None:
    """Note for each element the smallest relative fault that this direction would have shown; and the outputs heard."""
    slopes = finding.line.slopes
    if slopes is not None:
        loudness = np.abs(comparison.weights * slopes)
        if not comparison.loudness.any():
            comparison.loudness = loudness
        if finding.settled or (finding.single and not finding.wrong and not finding.found.reason):
            # the complex step may be as silent about an output as its rule; and some that are wrong may cancel others
            hidden = max(CLEAR * finding.limit, CLEAR * finding.borne_out, RESOLVED * QUIET * np.max(loudness))
            comparison.heard |= RESOLVED * loudness > hidden
    if finding.found.reason or finding.found.kink is not None:
        return
    weight = np.abs(comparison.safe * finding.direction)
    seen = np.where(weight > 0, finding.limit / np.where(weight > 0, weight, 1.0), np.inf)
    np.minimum(comparison.resolution, seen, out=comparison.resolution)


def unresolved(comparison: Comparison, members: Array) -> Array:
    """Those of ``members`` in which a fault of 1 % would not have shown, largest first."""
    open_ones = members[(comparison.resolution[members] > RESOLVED) & (comparison.safe[members] != 0)]
    sizes = np.abs(comparison.safe[open_ones] * comparison.scales[open_ones])
    return open_ones[np.argsort(-sizes, kind="stable")]


def sweep(comparison: Comparison, members: Array) -> Finding | None:
    """Examine all ``members`` in a few directions, then those that were too small to resolve; the first fault.

    A wrong one is about a single element, or about a direction in which no element is wrong by itself.
    """
    tiny = _has_tiny(comparison, members)
    for relative in (False, True, False):
        u = comparison.direction(members, relative)
        finding = agrees(comparison, u) or _examined(comparison, u)
        if finding.found.reason and tiny and not relative:
            continue  # steps that are small for the array need not be for its smallest elements
        comparison.findings.append(finding)
        note_resolution(comparison, finding)
        if not finding.settled:
            return finding
    still = members[comparison.safe[members] == 0]
    if 0 < len(still) < len(members):
        for relative in (False, True) if _has_tiny(comparison, still) else (False,):
            finding = _of_still(comparison, comparison.direction(still, relative))
            if not finding.settled:
                comparison.findings.append(finding)
                return finding
    tried = np.zeros(comparison.problem.size, dtype=bool)
    for n in range(MOST_BLOCKS):
        left = unresolved(comparison, members)
        left = left[~tried[left]]
        if not left.size:
            break
        sizes = np.abs(comparison.safe[left] * comparison.scales[left])
        block = left[sizes >= sizes[0] * THREE_DIGITS]
        tried[block] = True
        # by real steps: what was not seen before has not borne out the complex step either
        finding = _examined(comparison, comparison.direction(block, relative=n % 2 == 1))
        note_resolution(comparison, finding)
        if finding.wrong or finding.found.kink is not None:
            comparison.findings.append(finding)
            return finding
    return None


def _has_tiny(comparison: Comparison, members: Array) -> bool:
    """Whether some are so small beside their array that its steps are large for them."""
    sizes = np.abs(comparison.problem.x[members])
    return bool(np.any((sizes > 0) & (sizes < TINY * comparison.scales[members])))


def _of_still(comparison: Comparison, u: Array) -> Finding:
    """The finding along a direction of elements whose gradient is zero: a sum with others hides their faults."""
    line = comparison.line(u)
    line.measure(QUICK)
    finding = comparison.finding(line, u, estimate(line.table), 0.0)
    return finding if finding.settled else _examined(comparison, u)


def _examined(comparison: Comparison, u: Array) -> Finding:
    """The finding along a direction; for a difference, that of the wrong element."""
    finding = examine(comparison, u)
    if not finding.wrong or finding.found.kink is not None:
        return finding
    for _ in range(ATTEMPTS):
        single = locate(comparison, finding)
        if single.wrong or finding.single:
            return single
    return examine(comparison, u, thorough=True)


# -- kinks ---------------------------------------------------------------------------------------------------------


def separate_kinks(comparison: Comparison, members: Array) -> tuple[Array, Array]:
    """Find the elements at a kink and look at each; return the others, and all that are at one.

    At most kinks the gradient jumps, which tells them from the other elements at once; for the rest by halving.
    """
    jumping = jumps(comparison, members)
    at_kinks, smooth = _halved(comparison, members[~jumping])
    several = members[jumping]
    if len(several) > MOST_KINKS:
        chosen = several[np.linspace(0, len(several) - 1, MOST_KINKS).astype(int)]
        comparison.notes.append(f"of {len(several)} elements at a kink {MOST_KINKS} were looked at one by one")
    else:
        chosen = several
    for element in (*at_kinks, *chosen):
        finding = examine(comparison, comparison.direction(np.array([element])), thorough=True)
        if finding.settled:
            smooth.append(np.array([element]))
            continue
        near = _near_by(comparison, element)
        comparison.kinks.append(near or finding)
        note_resolution(comparison, comparison.kinks[-1])
    return np.sort(np.concatenate([np.zeros(0, dtype=int), *smooth])), np.union1d(several, at_kinks).astype(int)


def _near_by(comparison: Comparison, element: int) -> Finding | None:
    """The finding by steps of the element's own size, if it is so small that the kink may be beside it."""
    if not 0 < abs(comparison.problem.x[element]) < NEAR * comparison.scales[element]:
        return None
    finding = examine(comparison, comparison.direction(np.array([element]), relative=True), thorough=True)
    return None if finding.found.reason or finding.found.kink is not None else finding


def _halved(comparison: Comparison, members: Array) -> tuple[list[int], list[Array]]:
    """The elements at a kink, by halving, and blocks of the others; a kink that was not found stays among these."""
    waiting, smooth = [members] if len(members) else [], []
    budget = comparison.problem.evaluations + 800
    singles: list[int] = []
    while waiting:
        block = waiting.pop()
        if comparison.problem.evaluations > budget or len(singles) >= MOST_KINKS or not _has_kink(comparison, block):
            smooth.append(block)
        elif len(block) == 1:
            singles.append(int(block[0]))
        else:
            middle = len(block) // 2
            waiting += [block[middle:], block[:middle]]
    return singles, smooth


def together(comparison: Comparison, members: Array) -> Finding | None:
    """The finding of equal elements whose gradients are wrong together, though each lies between its own slopes.

    A change of all of them keeps them equal, so along it the slopes around x are known better.
    """
    if len(members) < 2:
        return None
    u = np.zeros(comparison.problem.size)
    u[members] = np.min(comparison.scales[members])
    line = comparison.line(u)
    line.measure(QUICK)
    comparison.heard |= comparison.weights * (0.0 if line.slopes is None else line.slopes) != 0
    # not by examine: which of the elements that tie is taken for the largest is rounding, and no excuse
    finding = comparison.finding(line, u, scrutinise(line), comparison.own_error(u))
    if not finding.wrong or artifact(comparison, finding) or _rounds_away(comparison, finding):
        return None
    interval = around(comparison, u)
    return None if interval is not None and interval.holds(finding.analytic) else finding


def _rounds_away(comparison: Comparison, finding: Finding) -> bool:
    """Whether a rounding of the arguments that keeps equal elements equal changes the gradient as much as it is off."""
    x, u = comparison.problem.x, finding.direction
    seen = [float(comparison.gradient_at(x * (1.0 + n * EPSILON)) @ u) for n in (-2, -1, 1, 2)]
    return any(abs(slope - finding.analytic) > finding.error / SEVERAL for slope in seen)


def _has_kink(comparison: Comparison, block: Array) -> bool:
    line = comparison.line(comparison.direction(block))
    line.measure((16, 20, 24))
    return kink_interval(line.table) is not None


# -- the guilty element --------------------------------------------------------------------------------------------


def locate(comparison: Comparison, finding: Finding) -> Finding:
    """The finding of the element that is most likely wrong by itself."""
    members = np.flatnonzero(finding.direction)
    groups = [members[(members >= p.start) & (members < p.stop)] for p in comparison.problem.inputs]
    groups = [group for group in groups if group.size]
    probe = _Probe(comparison, finding)
    if len(groups) > 1:
        judged = [(probe.badness(group), i) for i, group in enumerate(groups)]
        members = groups[max(judged)[1]]
    while len(members) > 1:
        middle = len(members) // 2
        left, right = members[:middle], members[middle:]
        error, allowed = probe.look_at(left)
        # a single fault is on one side, with about the whole difference
        guilty = error > allowed and (error > finding.error / 4 or error / allowed >= probe.badness(right))
        members = left if guilty else right
    return examine(comparison, probe.direction(members), thorough=True)


class _Probe:
    """Quick estimates for some of the elements, by the method and steps that showed the fault."""

    def __init__(self, comparison: Comparison, finding: Finding) -> None:
        self.comparison = comparison
        sizes = np.abs(finding.direction)
        self.scales = powers(np.where(sizes > 0, sizes, 1.0))
        self.sharp = finding.found.step == COMPLEX_STEP
        self.wanted = finding.error * THREE_DIGITS
        last = QUICK[-1] if self.sharp else -int(np.log2(finding.found.step))
        self.steps = tuple(range(last - 6, last + 1, 2))  # those at which the fault was seen

    def direction(self, members: Array) -> Array:
        """Another direction, in some of the elements, with steps of the same size."""
        return self.comparison.direction(members, scales=self.scales[members])

    def look_at(self, members: Array) -> tuple[float, float]:
        """The difference of the two slopes along a direction, and the allowed one."""
        comparison, u = self.comparison, self.direction(members)
        own = comparison.own_error(u)
        slope = comparison.complex_slope(u) if self.sharp else None
        if slope is not None:
            return abs(slope - comparison.along(u)), SEVERAL * (own + comparison.own_rounding) + 1e-300
        found = look(comparison.line(u), self.wanted, self.steps)
        if found.reason:
            return 0.0, 1.0
        return abs(found.value - comparison.along(u)), SEVERAL * found.bound + own + 1e-300

    def badness(self, members: Array) -> float:
        """The difference divided by the allowed one."""
        error, allowed = self.look_at(members)
        return error / allowed
