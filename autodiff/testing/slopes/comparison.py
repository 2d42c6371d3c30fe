"""Does a gradient agree with the slopes of its function along a direction?

One direction with no component near zero sees every element at once: a fault of 1 % in one element of 100,000 moves the
directional derivative by far more than the error of the slope.  Which directions are looked at, and what is done about
a difference, is the matter of :mod:`autodiff.testing.slopes.search`.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from ..problem import Problem
from ..rounding.first_order import Rounding, rounding_inside
from ..rounding.uncertainty import held, scatter
from .artifacts import HIDDEN, STAIRS, doubt, hidden, stands_on_stairs
from .complex_step import slope_along
from .confirmation import confirmed, sharpened
from .extrapolation import FINEST, QUICK, Estimate, kink_interval, look, scrutinise
from .finding import EPSILON, RESOLVED, SEVERAL, Finding, powers
from .generalized import Around, jumps, slopes_around
from .line import Line, norm, norms
from .quadrature import UNSETTLED, accounts

Array = Any

WHOLE = 2.0**22
"""Numbers of this size are whole in float32, whatever they count."""
FINE = 30
"""The step, as k in t = 2^-k, at which the slope of the first look must still be there."""
LARGER = (2, 4)
"""Steps that are measured as well where larger ones may tell more than fine ones, as k in t = 2^-k."""
BETWEEN = 0.75
"""The steps of a second look, as a part of those of the first."""


class Comparison:
    """A gradient at a point, and every way of looking at it along a direction."""

    def __init__(
        self,
        problem: Problem,
        base: Array,
        pull: Any,
        rng: np.random.Generator,
        tolerance: float | None,
        outputs: Array | None = None,
    ) -> None:
        """``outputs`` are those to look at, if not all."""
        self.problem, self.pull, self.rng = problem, pull, rng
        self.tolerance = tolerance or 0.0
        # eleven bits: enough that sums of them do not cancel by chance, and the same number in every precision
        self.weights = (
            np.ones(1) if base.size == 1 else self._signs(base.size) * rng.integers(1229, 2048, base.size) / 2048.0
        )
        self.outputs = outputs
        self.base = base
        if outputs is not None:
            self.weights, self.base = np.where(outputs, self.weights, 0.0), np.where(outputs, base, 0.0)
        self.heard = self.weights == 0.0  # outputs in whose slopes a fault of 1 % would have been seen
        self.loudness = np.zeros(base.size)  # how much each output moved along the first direction
        self.gradient = pull(self.weights)
        self.finite = np.isfinite(self.gradient)
        self.safe = np.where(self.finite, self.gradient, 0.0)
        # whether the complex step is legitimate; None: not known yet
        self.analytic_function: bool | None = None if problem.real else False
        self.steps: tuple[int, ...] = QUICK  # what to begin with: where the last slope was found
        self.resolution = np.full(problem.size, np.inf)
        self.scales = self._scales()
        self.inner = norm(self.safe * problem.x) + float(np.max(np.abs(problem.x), initial=0.0))
        self.own_rounding = 4 * EPSILON * norm(self.weights * self.base)  # of outputs that a rule has kept
        self.epsilon = self._precision()
        self._around: tuple[Array, Around | None] | None = None  # the last direction that was looked around
        self.findings: list[Finding] = []
        self.kinks: list[Finding] = []
        self.notes: list[str] = []

    @property
    def size(self) -> float:
        """The size of the numbers at work."""
        return max(self.inner, norm(self.weights * self.base))

    def part(self, outputs: Array) -> Comparison:
        """The same comparison of some of the outputs."""
        return Comparison(self.problem, self.base, self.pull, self.rng, self.tolerance, outputs)

    def values(self, x: Array) -> Array:
        """F(x): NaN beyond the domain, and 0 in the outputs that are not looked at."""
        values = self.problem.value_or_nan(x, self.base)
        return values if self.outputs is None else np.where(self.outputs, values, 0.0)

    def _signs(self, count: int) -> Array:
        return 2.0 * self.rng.integers(0, 2, count) - 1.0

    def _scales(self) -> Array:
        """For each element the power of two above the largest magnitude of its array (1 for an array of zeros)."""
        scales = np.ones(self.problem.size)
        for place in self.problem.inputs:
            top = float(np.max(np.abs(self.problem.x[place.start : place.stop]), initial=0.0))
            scales[place.start : place.stop] = powers(top) if top else 1.0
        return scales

    def _precision(self) -> float:
        """The precision in which the function computes: one that casts to float32 returns float32 numbers alone."""
        if not _is_narrow(self.base, np.float32) or (self.inside is not None and not self.inside.narrow):
            return EPSILON
        seen = [self.base]
        while len(seen) < 6 and sum(v.size for v in seen[1:]) < 8:  # few values may be narrow by chance
            nearby = self.problem.x + self.scales * self.rng.uniform(0.5, 1.0, self.problem.size) * 2.0**-10
            values = self.values(nearby)
            # a value that does not change was given as it is: it says nothing of how the function computes
            seen.append(values[np.isfinite(values) & (values != np.rint(values)) & (values != self.base)])
        together = np.concatenate(seen[1:])
        if not together.size:  # it did not move, or only by whole numbers: its values at x must tell
            together = self.base[(self.base != np.rint(self.base)) | (np.abs(self.base) >= WHOLE)]
        for kind in (np.float16, np.float32):
            if together.size and _is_narrow(together, kind):
                return float(np.finfo(kind).eps)
        return EPSILON

    # -- one direction ---------------------------------------------------------------------------------------

    def direction(self, members: Array, relative: bool = False, scales: Array = None) -> Array:
        """A random direction in the elements ``members``, no component of which is near zero beside its scale.

        The scale is that of the element's array, or the size of the element itself (``relative``), or as given.
        """
        scales = self.scales[members] if scales is None else scales
        if relative:
            sizes = np.abs(self.problem.x[members])
            scales = np.where(sizes > 0, powers(np.where(sizes > 0, sizes, 1.0)), scales)
        u = np.zeros(self.problem.size)
        u[members] = scales * self._signs(len(members)) * self.rng.integers(640, 1025, len(members)) / 1024.0
        return u

    def line(self, u: Array) -> Line:
        """The function along ``u``."""
        x, slopes, base = self.problem.x, self.safe, self.base

        def move(steps: Array) -> tuple[Array, Array]:
            shifts = steps[:, None] * u
            moved = x + shifts
            values = np.empty((len(steps), base.size))
            for row, point in zip(values, moved, strict=True):
                row[:] = self.values(point)
            return values, norms(slopes * ((moved - x) - shifts))

        line = Line(move, self.weights, base, self.epsilon, self.inner)
        line.reach = float(np.max(np.abs(u), initial=0.0))
        suspected = self.problem.narrow is not None or self.problem.given_gradient is not None
        if suspected and self.inside is not None and self.inside.narrow:
            line.know(self.inside.size)
        return line

    @cached_property
    def inside(self) -> Rounding | None:
        """How far rounding inside of the function moves the weighted sum of its values, if it is known."""
        return rounding_inside(self.problem, self.weights)

    def along(self, u: Array) -> float:
        """What the gradient says of the slope along ``u``; summed pairwise, for equal terms round to the same side."""
        return float(np.sum(self.safe * u))

    def own_error(self, u: Array) -> float:
        """How far rounding may have moved the analytic value itself."""
        return 4 * EPSILON * float(np.abs(self.safe) @ np.abs(u))

    def examine(self, u: Array, thorough: bool = False) -> Finding:
        """Compare along one direction.  A kink or a difference is looked at again over all decades of the step, unless
        the complex step confirms the difference; if ``thorough``, the rounding of the gradient itself must allow it."""
        finding = self._examined(u, thorough)
        return self._generalized(finding) if finding.wrong else finding

    def _examined(self, u: Array, thorough: bool) -> Finding:
        line = self.line(u)
        terms = np.abs(self.safe * u)
        own = self.own_error(u) + self.tolerance * norm(terms)
        some = terms[terms > 0]
        wanted = 0.1 * RESOLVED / SEVERAL * float(np.median(some)) if some.size else 0.0
        finding = self.finding(line, u, look(line, wanted, QUICK if thorough else self.steps), own)
        bent = kink_interval(line.table) is not None or not (thorough or self._goes_on(finding))
        if finding.wrong and not bent:
            sure = confirmed(self, finding, own, thorough)
            if sure is not None:
                return sure
        if bent or not finding.settled:
            finding = self._scrutinised(line, u, own)
            if finding.wrong and finding.found.kink is None:
                return self._doubted(finding, own)
            if finding.settled and self._may_be_stairs(finding):
                return finding._replace(found=finding.found._replace(reason=STAIRS))
        if not finding.settled:
            return finding
        self._remember(finding)
        return sharpened(self, finding, own)

    def _scrutinised(self, line: Line, u: Array, own: float) -> Finding:
        """The finding after a sweep over all decades of the step, with what is known of rounding inside of f."""
        finding = self.finding(line, u, scrutinise(line), own)
        if line.inside or (finding.settled and all(row.moved for row in line.table)) or self.inside is None:
            return finding
        line.know(self.inside.size)
        return self.finding(line, u, scrutinise(line), own)

    def _may_be_stairs(self, finding: Finding) -> bool:
        """Whether larger steps show another slope, and fine ones may be lost in rounding that nobody sees.

        Of a function whose operations are all declared to be constant, as floor is, a slope of 0 is believed.
        """
        if self.inside is not None and not self.inside.size:
            return False
        # a slope that only steps beyond the size of x show is that of larger steps already
        return finding.found.step <= 1.0 and self._on_stairs(finding)

    def _on_stairs(self, finding: Finding, analytic: float | None = None) -> bool:
        finding.line.measure(LARGER)
        return stands_on_stairs(finding.line.table, self.size, finding.found, analytic)

    def _goes_on(self, finding: Finding) -> bool:
        """Whether the slope of the first steps is there at a fine one as well: that of a staircase is not."""
        if not finding.settled or finding.found.step == np.inf:
            return True
        line, found = finding.line, finding.found
        line.measure((FINE,))
        row = next((row for row in line.table if row.step == 2.0**-FINE), None)
        if row is None:
            return True
        allowed = 64 * row.noise + 2 * found.bound + 1e-3 * norm(self.safe * finding.direction)
        return abs(row.central - found.value) <= allowed

    def finding(self, line: Line, u: Array, found: Estimate, own: float) -> Finding:
        """What an estimate says of the gradient; ``own`` is how far rounding may have moved that itself."""
        return Finding(u, self.along(u), found, SEVERAL * found.bound + own, line)

    def _doubted(self, finding: Finding, own: float) -> Finding:
        """A difference, after a look at whether the gradient itself may be that uncertain."""
        u, found, line = finding.direction, finding.found, finding.line
        reason = self.doubt(finding)
        if reason:
            return finding._replace(found=found._replace(reason=reason))
        if accounts(line.table, finding.error, finding.analytic, lambda t: self._slope_at(t * u, u)):
            return finding._replace(found=found._replace(reason=UNSETTLED))
        general = self._generalized(finding)
        if not general.wrong:
            return general
        found = self._seen_again(u, found)
        own += SEVERAL * scatter(self, u, finding.error) + held(self, line, u, found.step)
        finding = self.finding(line, u, found, own)
        if finding.wrong and hidden(line.table, found, finding.analytic):
            return finding._replace(found=found._replace(reason=HIDDEN))
        return (confirmed(self, finding, own, False) or finding) if finding.wrong else sharpened(self, finding, own)

    def doubt(self, finding: Finding) -> str:
        """Why the table of steps says nothing against the gradient; empty if it does."""
        finer = self.line(finding.direction)
        finer.measure(FINEST)
        if self._on_stairs(finding, finding.analytic):
            return STAIRS
        terms = norm(self.safe * finding.direction)
        return doubt(finding.line.table, finer.table, finding.found, finding.analytic, terms)

    def _generalized(self, finding: Finding) -> Finding:
        """A difference, after a look at whether x is at a kink where the slopes around it allow for the gradient."""
        interval = self.around(finding.direction)
        if interval is None or not interval.holds(finding.analytic):
            return finding
        kink = min(interval.low, finding.analytic), max(interval.high, finding.analytic)
        return finding._replace(found=finding.found._replace(bound=interval.error, kink=kink))

    def around(self, u: Array) -> Around | None:
        """The slopes along ``u`` around x, if an operation is at a kink there."""
        if self._around is None or self._around[0] is not u:
            self._around = u, slopes_around(self, u) if jumps(self, np.flatnonzero(u)).any() else None
        return self._around[1]

    def _seen_again(self, u: Array, found: Estimate) -> Estimate:
        """The slope with an error that covers what other steps say: that two orders agreed may have been luck."""
        other = scrutinise(self.line(BETWEEN * u))
        if other.reason:
            return found._replace(reason=other.reason)
        apart = abs(found.value - other.value / BETWEEN) - other.bound / BETWEEN
        return found._replace(bound=max(found.bound, apart))

    def at(self, x: Array) -> Comparison:
        """The same comparison at another point."""
        problem = copy(self.problem)
        problem.x = x
        _, pull = problem.pullback(x)
        return Comparison(problem, problem.value(x), pull, self.rng, self.tolerance, self.outputs)

    def _slope_at(self, shift: Array, u: Array) -> float:
        """What the gradient at x + shift says of the slope along ``u``."""
        _, pull = self.problem.pullback(self.problem.x + shift)
        return float(np.where(self.finite, pull(self.weights), 0.0) @ u)

    def _remember(self, finding: Finding) -> None:
        """Begin the next line with the steps at which this slope was found, if they are not those of the first look."""
        last = -int(np.log2(finding.found.step)) if np.isfinite(finding.found.step) else QUICK[-1]
        if not QUICK[0] < last <= QUICK[-1]:
            self.steps = tuple(range(last - 6, last + 1, 2))

    def complex_slope(self, u: Array) -> float | None:
        """The slope along ``u`` by the complex step, or None if the function does not take complex numbers."""
        return slope_along(self.problem, self.weights, u)


def _is_narrow(values: Array, kind: Any) -> bool:
    """Whether numbers of this precision can hold all of these values."""
    return np.array_equal(values.astype(kind), values)
