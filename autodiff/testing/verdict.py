"""Does a gradient agree with the slopes of its function along a direction?

One direction with no component near zero sees every element at once: a fault of 1 % in one element of 100,000 moves the
directional derivative by far more than the error of the slope.  Which directions are looked at, and what is done about
a difference, is the matter of :mod:`autodiff.testing.search`.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from .accounting import UNSETTLED, accounts
from .complexplane import COMPLEX_STEP, around, slope_along
from .doubts import HIDDEN, doubt, hidden
from .nearby import Around, jumps, slopes_around
from .precision import noisy_gradient
from .problem import Problem
from .rounding import size_inside
from .slopes import (
    AGREE,
    FINEST,
    QUICK,
    Estimate,
    Line,
    kink_interval,
    look,
    norm,
    norms,
    scrutinise,
)

Array = Any

RESOLVED = 0.01
"""A fault of this relative size must be visible in every element that matters."""
SEVERAL = 5.0
"""Wrong is what misses its numerical value by more than this many times the estimated error."""
EPSILON = 2.0**-52
WHOLE = 2.0**22
"""Numbers of this size are whole in float32, whatever they count."""
BETWEEN = 0.75
"""The steps of a second look, as a part of those of the first."""


class Finding(NamedTuple):
    """One direction: what the gradient says, what the function does."""

    direction: Array
    analytic: float
    found: Estimate
    limit: float  # the largest difference that is no fault
    line: Line

    @property
    def error(self) -> float:
        """How far the analytic value is from the numerical one, or from the interval at a kink."""
        if self.found.kink is None:
            return abs(self.analytic - self.found.value)
        low, high = self.found.kink
        return max(low - self.analytic, self.analytic - high, 0.0)

    @property
    def wrong(self) -> bool:
        """Whether they differ by more than the errors of both explain."""
        return not self.found.reason and not self.error <= self.limit

    @property
    def single(self) -> bool:
        """Whether this is about one element."""
        return int(np.count_nonzero(self.direction)) == 1

    @property
    def settled(self) -> bool:
        """Whether there is nothing to look into: no difference, no kink, and a slope that can be trusted."""
        return not (self.wrong or self.found.reason or self.found.kink is not None)


def powers(values: Array) -> Array:
    """The power of two above each magnitude: steps that are sums of few bits are taken without rounding."""
    return np.exp2(np.ceil(np.log2(values)))


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
        self.own_rounding = 4 * EPSILON * norm(self.weights * base)  # of outputs that a rule has kept
        self.epsilon = self._precision()
        self._around: tuple[Array, Around | None] | None = None  # the last direction that was looked around
        self.findings: list[Finding] = []
        self.kinks: list[Finding] = []
        self.notes: list[str] = []

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
        if not _is_narrow(self.base, np.float32):
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

        return Line(move, self.weights, base, self.epsilon, self.inner)

    def along(self, u: Array) -> float:
        """What the gradient says of the slope along ``u``."""
        return float(self.safe @ u)

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
        bent = kink_interval(line.table) is not None
        if finding.wrong and not bent:
            confirmed = self._confirmed(finding, own, thorough)
            if confirmed is not None:
                return confirmed
        if bent or not finding.settled:
            finding = self.finding(line, u, scrutinise(line), own)
            if finding.wrong and finding.found.kink is None:
                return self._doubted(finding, own)
        if not finding.settled:
            return finding
        self._remember(finding)
        return self._sharpened(finding, own)

    def finding(self, line: Line, u: Array, found: Estimate, own: float) -> Finding:
        """What an estimate says of the gradient; ``own`` is how far rounding may have moved that itself."""
        return Finding(u, self.along(u), found, SEVERAL * found.bound + own, line)

    def _doubted(self, finding: Finding, own: float) -> Finding:
        """A difference, after a look at whether the gradient itself may be that uncertain."""
        u, found, line = finding.direction, finding.found, finding.line
        if not all(row.moved for row in line.table) and not line.inside:
            line.know(size_inside(self.problem, self.weights))
            finding = self.finding(line, u, scrutinise(line), own)
            if not finding.wrong:
                return finding
            found = finding.found
        reason = self.doubt(finding)
        if reason:
            return finding._replace(found=found._replace(reason=reason))
        if accounts(line.table, finding.error, finding.analytic, lambda t: self._slope_at(t * u, u)):
            return finding._replace(found=found._replace(reason=UNSETTLED))
        general = self._generalized(finding)
        if not general.wrong:
            return general
        found = self._seen_again(u, found)
        own += SEVERAL * self._scatter(u, finding.error) + self._held(line, u, found.step)
        finding = self.finding(line, u, found, own)
        if finding.wrong and hidden(line.table, found, finding.analytic):
            return finding._replace(found=found._replace(reason=HIDDEN))
        return (self._confirmed(finding, own, False) or finding) if finding.wrong else self._sharpened(finding, own)

    def doubt(self, finding: Finding) -> str:
        """Why the table of steps says nothing against the gradient; empty if it does."""
        finer = self.line(finding.direction)
        finer.measure(FINEST)
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

    def _confirmed(self, finding: Finding, own: float, thorough: bool) -> Finding | None:
        """The difference as the complex step sees it, if that gives the slope of the real ones; None if it does not."""
        u, found = finding.direction, finding.found
        if self.analytic_function is False or finding.error < 20 * finding.limit:
            return None
        slope = self.complex_slope(u)
        if slope is None or abs(slope - found.value) > SEVERAL * found.bound + own:
            return None
        own = max(own, self.own_error(u) + self.own_rounding)
        if thorough:
            own += SEVERAL * self._scatter(u, finding.error) + self._held(finding.line, u, found.step)
        sharp = self.finding(finding.line, u, Estimate(slope, own, COMPLEX_STEP), own)
        return sharp if sharp.error > 20 * sharp.limit else None

    def _remember(self, finding: Finding) -> None:
        """Begin the next line with the steps at which this slope was found, if they are not those of the first look."""
        last = -int(np.log2(finding.found.step)) if np.isfinite(finding.found.step) else QUICK[-1]
        if not QUICK[0] < last <= QUICK[-1]:
            self.steps = tuple(range(last - 6, last + 1, 2))

    def _moved(self, samples: int) -> Iterator[Array]:
        """How much the gradient changes with rounding, again and again: when the arguments change by a rounding error,
        and when the result of every operation, forward and backward, does."""
        for _ in range(samples):
            nearby = self.problem.x * (1 + EPSILON * self.rng.choice([-2.0, -1.0, 1.0, 2.0], self.problem.size))
            _, pull = self.problem.pullback(nearby)
            yield np.where(self.finite, pull(self.weights), 0.0) - self.safe
            if self.problem.given_gradient is None:
                moved = noisy_gradient(self.problem, self.weights, EPSILON, self.rng)
                yield np.where(self.finite, moved, 0.0) - self.safe

    def _scatter(self, u: Array, error: float) -> float:
        """How much the analytic value along ``u`` changes with rounding.

        A small ``error`` needs many samples: that none of a few shows it may be luck.
        """
        samples = 3 if error > 1e-3 * float(np.abs(self.safe) @ np.abs(u)) else 16
        seen = [abs(float(change @ u)) for change in self._moved(samples)]
        return max(s if np.isfinite(s) else 0.0 for s in seen)

    def vanishing(self) -> Array:
        """Which elements of the gradient are zero up to its own rounding, and are seen to be.

        Such a number is the rest of terms that cancelled, and has no digit of its own: what must be visible is not 1 %
        of it but 1 % of the terms, whose size shows in their rounding.
        """
        changes = list(self._moved(8))
        rounding = np.max([np.where(np.isfinite(change), np.abs(change), 0.0) for change in changes], axis=0)
        size = np.abs(self.safe)
        with np.errstate(all="ignore"):
            visible = self.resolution * size <= RESOLVED * rounding / EPSILON
        return (size <= SEVERAL * rounding) & visible

    def _held(self, line: Line, u: Array, step: float) -> float:
        """What the gradient says of outputs that stood still, as far as their own rounding may have held them."""
        moved = line.sensitive(step)
        if moved.all() or not moved.any():
            return 0.0
        weights = np.where(moved, 0.0, self.weights)
        said = abs(float(np.where(self.finite, self.pull(weights), 0.0) @ u))
        return min(said, AGREE * self.epsilon * norm(weights * self.base) / step)

    # -- the complex step ------------------------------------------------------------------------------------

    def complex_slope(self, u: Array) -> float | None:
        """The slope along ``u`` by the complex step, or None if the function does not take complex numbers."""
        return slope_along(self.problem, self.weights, u)

    def agrees(self, u: Array) -> Finding | None:
        """The finding of the complex step alone, if it is known to be legitimate and agrees; None to look closer."""
        if not self.analytic_function:
            return None
        slope = self.complex_slope(u)
        if slope is None:
            return None
        own = self.own_error(u) + self.own_rounding
        limit = SEVERAL * own + self.tolerance * norm(self.safe * u)
        finding = Finding(u, self.along(u), Estimate(slope, own, COMPLEX_STEP), limit, self.line(u))
        return None if finding.wrong else finding

    def _sharpened(self, finding: Finding, own: float) -> Finding:
        """The finding with the complex step's slope, if the real steps bear it out."""
        if self.analytic_function is False:
            return finding
        own += self.own_rounding  # a saved output was rounded: the analytic value may be that wrong without being wrong
        slope = self.complex_slope(finding.direction)
        if slope is None:
            self.analytic_function = False
            return finding
        found = finding.found
        size = norm(self.safe * finding.direction)
        if abs(slope - found.value) > SEVERAL * found.bound + own or found.bound > 1e-3 * max(size, abs(slope)):
            self.analytic_function = False
            return finding
        sharp = Estimate(slope, own, COMPLEX_STEP)
        better = Finding(finding.direction, finding.analytic, sharp, SEVERAL * own, finding.line)
        if better.wrong:
            return better if self._is_fault(better, own) else finding
        self.analytic_function = True
        return better if own < found.bound else finding

    def _is_fault(self, finding: Finding, own: float) -> bool:
        """Whether a difference that only the complex step sees is real: the function is analytic around x (no negative
        powers on a circle), its derivative by Cauchy's integral agrees, and rounding does not explain it."""
        u, radius = finding.direction, 2.0**-3
        circle = around(self.problem, self.weights, self.base, u, radius)
        if circle is None:
            return False
        derivative, negative = circle
        noise = self.epsilon * norm(self.weights * self.base) / radius
        explained = own + noise + negative + abs(derivative - finding.found.value) + self._scatter(u, finding.error)
        return bool(finding.error > SEVERAL * 2 * explained)


def _is_narrow(values: Array, kind: Any) -> bool:
    """Whether numbers of this precision can hold all of these values."""
    return np.array_equal(values.astype(kind), values)
