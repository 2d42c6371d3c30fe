"""Gradients at kinks: a right one is a generalized gradient.

Along each direction it lies between the slopes that the function has along this direction at points around x.

Source: F. H. Clarke, "Optimization and Nonsmooth Analysis", 1983.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..thresholds import AROUND, AWAY, BESIDE, EPSILON, POINTS, SAME
from .comparison import Comparison

Array = Any


class Around(NamedTuple):
    """The range of the slopes along a direction at points around x."""

    low: float
    high: float
    error: float  # what rounding may have made of that

    def holds(self, analytic: float) -> bool:
        """Whether an analytic slope lies in the range; a second derivative widens it over that distance."""
        allowed = self.error + 4 * AWAY * max(abs(self.low), abs(self.high))
        return self.low - allowed <= analytic <= self.high + allowed and self.high - self.low > 2 * allowed


def jumps(comparison: Comparison, members: Array) -> Array:
    """Which of ``members`` have a gradient that differs between x and the points on both sides of it."""
    problem = comparison.problem
    # beside the element itself: a gradient that changes with a small one need not jump
    shift = BESIDE * comparison.direction(members, relative=True)
    seen = [comparison.safe[members]]
    for x in (problem.x - shift, problem.x + shift):
        seen.append(comparison.gradient_at(x)[members])
    with np.errstate(all="ignore"):
        return ~(np.ptp(seen, axis=0) <= SAME * np.max(np.abs(seen), axis=0))


def around(comparison: Comparison, u: Array) -> Around | None:
    """The slopes along ``u`` around x, if an operation is at a kink there."""
    if not jumps(comparison, np.flatnonzero(u)).any():
        return None
    problem, weights = comparison.problem, comparison.weights
    everything = np.flatnonzero(comparison.finite)
    seen = []
    for n in range(POINTS):
        shift = AWAY * comparison.direction(everything)
        if n % 2:  # the elements in question stay between those that go up, half of them or any number, and down
            up = len(everything) // 2 if n % 4 == 1 else comparison.rng.integers(len(everything) + 1)
            signs = np.where(comparison.rng.permutation(problem.size) < up, 1.0, -1.0)
            shift = np.where(u != 0, shift / 256, np.abs(shift) * signs)
        x = problem.x + shift
        change = comparison.values(x + AROUND * u) - comparison.values(x - AROUND * u)
        seen.append(float(weights @ change) / (2.0 * AROUND))
    size = float(np.linalg.norm(weights * comparison.base)) + comparison.inner
    return Around(min(seen), max(seen), 8.0 * EPSILON * size / AROUND)
