"""A gradient at a point, the function along lines through it, and the results so far.

One direction without a component near zero tests all elements at once.  A fault of 1 % in one of 100,000 elements
changes the directional derivative by far more than the error of the numeric slope.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from ..problem import Problem
from ..rounding.first_order import Rounding, rounding_inside
from ..thresholds import EPSILON, OWN_ROUNDINGS, QUICK, SEVERAL
from ..vectors import norm, norms, powers
from .complex_step import slope_along
from .extrapolation import Estimate
from .finding import Finding
from .line import Line

Array = Any


class Comparison:
    """A gradient at a point, and the function around it."""

    def __init__(
        self,
        problem: Problem,
        base: Array,
        pull: Any,
        rng: np.random.Generator,
        tolerance: float | None,
        outputs: Array | None = None,
    ) -> None:
        """``outputs`` selects the outputs to examine; None for all."""
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
        self.own_rounding = OWN_ROUNDINGS * EPSILON * norm(self.weights * self.base)  # of outputs that a rule has kept
        self.findings: list[Finding] = []
        self.kinks: list[Finding] = []
        self.notes: list[str] = []

    @property
    def size(self) -> float:
        """The size of the numbers that take part."""
        return max(self.inner, norm(self.weights * self.base))

    def part(self, outputs: Array) -> Comparison:
        """The same comparison of some of the outputs."""
        return Comparison(self.problem, self.base, self.pull, self.rng, self.tolerance, outputs)

    def values(self, x: Array) -> Array:
        """F(x): NaN outside of the domain, and 0 in outputs that are not examined."""
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

        line = Line(move, self.weights, base, self.inner)
        line.reach = float(np.max(np.abs(u), initial=0.0))
        suspected = self.problem.narrow is not None or self.problem.given_gradient is not None
        if suspected and self.inside is not None and self.inside.narrow:
            line.know(self.inside.size)
        return line

    @cached_property
    def inside(self) -> Rounding | None:
        """The error of the weighted sum of the values by rounding inside of the function, if it is known."""
        return rounding_inside(self.problem, self.weights)

    def along(self, u: Array) -> float:
        """The analytic slope along ``u``.  It is summed pairwise, because equal terms round to the same side."""
        return float(np.sum(self.safe * u))

    def own_error(self, u: Array) -> float:
        """The rounding error of the analytic slope."""
        return OWN_ROUNDINGS * EPSILON * float(np.abs(self.safe) @ np.abs(u))

    def finding(self, line: Line, u: Array, found: Estimate, own: float) -> Finding:
        """The finding of an estimate; ``own`` is the rounding error of the analytic slope."""
        return Finding(u, self.along(u), found, SEVERAL * found.bound + own, line)

    def at(self, x: Array) -> Comparison:
        """The same comparison at another point."""
        problem = copy(self.problem)
        problem.x = x
        _, pull = problem.pullback(x)
        return Comparison(problem, problem.value(x), pull, self.rng, self.tolerance, self.outputs)

    def gradient_at(self, x: Array) -> Array:
        """The gradient at another point, in the elements where it is finite at this one."""
        _, pull = self.problem.pullback(x)
        return np.where(self.finite, pull(self.weights), 0.0)

    def slope_at(self, shift: Array, u: Array) -> float:
        """The analytic slope along ``u`` at x + shift."""
        return float(self.gradient_at(self.problem.x + shift) @ u)

    def complex_slope(self, u: Array) -> float | None:
        """The slope along ``u`` by the complex step, or None if the function does not take complex numbers."""
        return slope_along(self.problem, self.weights, u)
