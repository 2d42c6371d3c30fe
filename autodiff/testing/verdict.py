"""Does a gradient agree with the slopes of its function?  Directions, coverage, kinks, and the guilty element.

One direction with no component near zero sees every element at once: a fault of 1 % in one element of 100,000 moves the
directional derivative by far more than the error of the slope.  Elements that are too small beside the others for
that are gathered and looked at in directions of their own, largest first, until all that matter are resolved.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .precision import noisy_gradient
from .problem import Problem
from .slopes import AGREE, Estimate, Line, Row, complex_slope, kink_interval, look, norm, scrutinise

Array = Any

RESOLVED = 0.01
"""A fault of this relative size must be visible in every element that matters."""
SEVERAL = 5.0
"""Wrong is what misses its numerical value by more than this many times the estimated error."""
MOST_BLOCKS = 16
MOST_KINKS = 24
EPSILON = 2.0**-52
COMPLEX_STEP = 2.0**-80


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


def powers(values: Array) -> Array:
    """The power of two above each magnitude: steps that are sums of few bits are taken without rounding."""
    return np.exp2(np.ceil(np.log2(values)))


TOO_NEAR = "the function jumps or bends so near to x that only the finest steps stay clear of it"


def contradicted(finest: list[Row], value: float, analytic: float) -> bool:
    """Whether the finest rows are for the gradient and against the slope that the coarser ones gave."""
    return all(abs(row.central - analytic) <= AGREE * row.noise < abs(row.central - value) / 2 for row in finest)


class Comparison:
    """A gradient at a point, and every way of looking at it."""

    def __init__(
        self, problem: Problem, base: Array, pull: Any, rng: np.random.Generator, tolerance: float | None
    ) -> None:
        self.problem, self.base, self.pull, self.rng = problem, base, pull, rng
        self.tolerance = tolerance or 0.0
        signs = rng.choice([-1.0, 1.0], base.size)
        # eleven bits: enough that sums of them do not cancel by chance, and the same number in every precision
        self.weights = np.ones(1) if base.size == 1 else signs * rng.integers(1229, 2048, base.size) / 2048.0
        self.gradient = pull(self.weights)
        self.finite = np.isfinite(self.gradient)
        self.safe = np.where(self.finite, self.gradient, 0.0)
        # whether the complex step is legitimate; None: not known yet
        self.analytic_function: bool | None = None if problem.real else False
        self.resolution = np.full(problem.size, np.inf)
        self.scales = self._scales()
        self.epsilon = self._precision()
        self.findings: list[Finding] = []
        self.kinks: list[Finding] = []
        self.kinked = np.zeros(problem.size, dtype=bool)
        self.notes: list[str] = []

    def _scales(self) -> Array:
        """For each element the power of two above the largest magnitude of its array (1 for an array of zeros)."""
        scales = np.ones(self.problem.size)
        for place in self.problem.inputs:
            top = float(np.max(np.abs(self.problem.x[place.start : place.stop]), initial=0.0))
            scales[place.start : place.stop] = powers(top) if top else 1.0
        return scales

    def _precision(self) -> float:
        """The precision in which the function computes: one that casts to float32 returns float32 numbers alone."""
        seen = [np.zeros(0)]
        while len(seen) < 5 and sum(v.size for v in seen) < 8:  # few values may be narrow by chance
            nearby = self.problem.x + self.scales * self.rng.uniform(0.5, 1.0, self.problem.size) * 2.0**-10
            values = self.problem.value_or_nan(nearby, self.base)
            with np.errstate(all="ignore"):
                seen.append(values[np.isfinite(values) & (values != np.rint(values))])
        together = np.concatenate(seen)
        with np.errstate(all="ignore"):
            for kind in (np.float16, np.float32):
                if together.size and np.array_equal(together.astype(kind), together):
                    return float(np.finfo(kind).eps)
        return EPSILON

    # -- one direction ---------------------------------------------------------------------------------------

    def direction(self, members: Array, relative: bool = False) -> Array:
        """A random direction in the elements ``members``, no component of which is near zero beside its scale."""
        scales = self.scales[members]
        if relative:
            sizes = np.abs(self.problem.x[members])
            scales = np.where(sizes > 0, powers(np.where(sizes > 0, sizes, 1.0)), scales)
        signs = self.rng.choice([-1.0, 1.0], len(members))
        u = np.zeros(self.problem.size)
        u[members] = scales * signs * self.rng.integers(640, 1025, len(members)) / 1024.0
        return u

    def line(self, u: Array) -> Line:
        """The function along ``u``."""
        x, slopes = self.problem.x, self.safe

        def move(t: float) -> tuple[Array, float]:
            moved = x + t * u
            lost = (moved - x) - t * u
            return self.problem.value_or_nan(moved, self.base), norm(slopes * lost)

        return Line(move, self.weights, self.base, self.epsilon, norm(slopes * x) + float(np.max(np.abs(x))))

    def _own_error(self, u: Array) -> float:
        """How far rounding may have moved the analytic value itself."""
        return 4 * EPSILON * float(np.sum(np.abs(self.safe * u)))

    def examine(self, u: Array, thorough: bool = False) -> Finding:
        """Compare along one direction; a difference or a kink is looked at again over all decades of the step."""
        line = self.line(u)
        terms = np.abs(self.safe * u)
        analytic = float(np.sum(self.safe * u))
        own = self._own_error(u) + self.tolerance * norm(terms)
        some = terms[terms > 0]
        wanted = 0.1 * RESOLVED / SEVERAL * float(np.median(some)) if some.size else 0.0
        found = look(line, wanted)
        finding = Finding(u, analytic, found, SEVERAL * found.bound + own, line)
        if thorough or found.reason or finding.wrong or kink_interval(line.table) is not None:
            found = scrutinise(line)
            finding = Finding(u, analytic, found, SEVERAL * found.bound + own, line)
            if finding.wrong and found.kink is None and contradicted(line.table[-3:], found.value, analytic):
                return finding._replace(found=found._replace(reason=TOO_NEAR))
            if finding.wrong and found.kink is None:  # may the analytic value be that uncertain?
                own += SEVERAL * self._scatter(u)
                finding = finding._replace(limit=SEVERAL * found.bound + own)
        if found.kink is None and not found.reason and not finding.wrong:
            finding = self._sharpened(finding, own)
        return finding

    def _scatter(self, u: Array) -> float:
        """How much the analytic value changes with rounding: when the arguments change by a rounding error."""
        seen = [0.0]
        for _ in range(3):
            nearby = self.problem.x * (1 + EPSILON * self.rng.choice([-2.0, -1.0, 1.0, 2.0], self.problem.size))
            _, pull = self.problem.pullback(nearby)
            value = float(np.sum(np.where(self.finite, pull(self.weights), 0.0) * u))
            seen.append(abs(value - float(np.sum(self.safe * u))))
        if self.problem.given_gradient is None:  # and when every operation, forward and backward, rounds differently
            for _ in range(3):
                moved = noisy_gradient(self.problem, self.weights, EPSILON, self.rng)
                seen.append(abs(float(np.sum((np.where(self.finite, moved, 0.0) - self.safe) * u))))
        return max(s if np.isfinite(s) else 0.0 for s in seen)

    # -- the complex step ------------------------------------------------------------------------------------

    def _complex(self, u: Array) -> Array | None:
        try:
            values = self.problem.value(self.problem.x + 1j * COMPLEX_STEP * u)
        except Exception:  # whatever a function says about complex numbers, it means no
            return None
        return values if values.dtype.kind == "c" and np.isfinite(values).all() else None

    def _sharpened(self, finding: Finding, own: float) -> Finding:
        """The finding with the complex step's slope, if the real steps bear it out."""
        if self.analytic_function is False:
            return finding
        # a saved output was rounded: that much the analytic value may be wrong without being wrong
        own += 4 * EPSILON * norm(self.weights * self.base)
        values = self._complex(finding.direction)
        if values is None:
            self.analytic_function = False
            return finding
        slope = complex_slope(values, self.weights, COMPLEX_STEP)
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
        u, radius, points = finding.direction, 2.0**-3, 16
        roots = np.exp(2j * np.pi * np.arange(points) / points)
        try:
            values = [self.problem.value(self.problem.x + radius * root * u) for root in roots]
        except Exception:
            return False
        around = np.array([np.sum(self.weights * (v - self.base)) for v in values])
        if not np.isfinite(around).all():
            return False
        derivative = complex(np.mean(around / roots)) / radius
        negative = abs(np.mean(around * roots)) / radius
        noise = self.epsilon * norm(self.weights * self.base) / radius
        explained = own + noise + negative + abs(derivative - finding.found.value) + self._scatter(u)
        return bool(finding.error > SEVERAL * 2 * explained)

    # -- all elements ----------------------------------------------------------------------------------------

    def note_resolution(self, finding: Finding) -> None:
        """Remember, for each element, the smallest relative fault that would have been seen."""
        if finding.found.reason or finding.found.kink is not None:
            return
        weight = np.abs(self.safe * finding.direction)
        with np.errstate(all="ignore"):
            seen = np.where(weight > 0, finding.limit / np.where(weight > 0, weight, 1.0), np.inf)
        self.resolution = np.minimum(self.resolution, seen)

    def unresolved(self, members: Array) -> Array:
        """Those of ``members`` in which a fault of 1 % would not have been seen, largest first."""
        open_ones = members[(self.resolution[members] > RESOLVED) & (self.safe[members] != 0)]
        sizes = np.abs(self.safe[open_ones] * self.scales[open_ones])
        return open_ones[np.argsort(-sizes, kind="stable")]

    def sweep(self, members: Array) -> Finding | None:
        """Look at all ``members`` in a few directions, then at those that were too small to see; the first fault."""
        for relative in (False, True, False):
            finding = self.examine(self.direction(members, relative))
            self.findings.append(finding)
            self.note_resolution(finding)
            if finding.wrong or finding.found.reason or finding.found.kink is not None:
                return finding
        tried = np.zeros(self.problem.size, dtype=bool)
        for n in range(MOST_BLOCKS):
            left = self.unresolved(members)
            left = left[~tried[left]]
            if not left.size:
                break
            sizes = np.abs(self.safe[left] * self.scales[left])
            block = left[sizes >= sizes[0] * 1e-3]
            tried[block] = True
            finding = self.examine(self.direction(block, relative=n % 2 == 1))
            self.note_resolution(finding)
            if finding.wrong or finding.found.kink is not None:
                self.findings.append(finding)
                return finding
        return None

    def separate_kinks(self, members: Array) -> Array:
        """Find the elements at a kink by halving, and return the others."""
        waiting, smooth, unknown = [members], [], []
        budget = self.problem.evaluations + 800
        singles: list[Array] = []
        while waiting:
            block = waiting.pop()
            if self.problem.evaluations > budget or len(singles) >= MOST_KINKS:
                unknown.append(block)
            elif not self._has_kink(block):
                smooth.append(block)
            elif len(block) == 1:
                singles.append(block)
            else:
                middle = len(block) // 2
                waiting += [block[middle:], block[:middle]]
        for single in singles:
            self.kinks.append(self.examine(self.direction(single), thorough=True))
            self.kinked[single] = True
        if unknown:
            rest = np.concatenate(unknown)
            self.kinked[rest] = True
            chosen = self.rng.permutation(rest)[:8]
            self.kinks += [self.examine(self.direction(chosen[i : i + 1]), thorough=True) for i in range(len(chosen))]
            self.notes.append(
                f"{len(singles)} kinks were looked at; of the {len(rest)} elements after them, a sample of 8"
            )
        return np.sort(np.concatenate(smooth)) if smooth else np.zeros(0, dtype=int)

    def _has_kink(self, block: Array) -> bool:
        line = self.line(self.direction(block))
        for k in (16, 20, 24):
            line.row(k)
        return kink_interval(line.table) is not None

    # -- the guilty element ----------------------------------------------------------------------------------

    def locate(self, finding: Finding) -> Finding | None:
        """Halve the direction until one element is left that is wrong by itself; None if none is."""
        members = np.flatnonzero(finding.direction)
        groups = [members[(members >= p.start) & (members < p.stop)] for p in self.problem.inputs]
        groups = [group for group in groups if group.size]
        measure = self._badness_sharp if finding.found.step == COMPLEX_STEP else self._badness
        if len(groups) > 1:
            judged = [(measure(group), i) for i, group in enumerate(groups)]
            members = groups[max(judged)[1]]
        while len(members) > 1:
            middle = len(members) // 2
            left, right = members[:middle], members[middle:]
            badness = measure(left)
            members = left if badness > 1 and (badness > 100 or badness >= measure(right)) else right
        single = self.examine(self.direction(members), thorough=True)
        return single if single.wrong else None

    def _badness(self, members: Array) -> float:
        """The error along a direction in units of what would be allowed."""
        u = self.direction(members)
        line = self.line(u)
        found = look(line, 0.0)
        if found.reason:
            return 0.0
        analytic = float(np.sum(self.safe * u))
        return abs(found.value - analytic) / (SEVERAL * found.bound + self._own_error(u) + 1e-300)

    def _badness_sharp(self, members: Array) -> float:
        """As :meth:`_badness`, by the complex step."""
        u = self.direction(members)
        values = self._complex(u)
        if values is None:
            return 0.0
        slope = complex_slope(values, self.weights, COMPLEX_STEP)
        return abs(slope - float(np.sum(self.safe * u))) / (SEVERAL * self._own_error(u) + 1e-300)
