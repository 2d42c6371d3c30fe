"""The rounding error of the gradient itself, measured before a difference is called a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..rounding.monte_carlo import noisy_gradient
from ..thresholds import EPSILON, RESOLVED, SEVERAL, THREE_DIGITS
from .comparison import Comparison

Array = Any


def moved(comparison: Comparison, samples: int) -> Iterator[Array]:
    """Samples of the change of the gradient by rounding.

    In turn, the arguments change by a rounding error, and the result of each operation, forward and backward, does.
    """
    problem, rng = comparison.problem, comparison.rng
    for _ in range(samples):
        beside = problem.x * (1 + EPSILON * rng.choice([-2.0, -1.0, 1.0, 2.0], problem.size))
        yield comparison.gradient_at(beside) - comparison.safe
        if problem.given_gradient is None:
            noisy = noisy_gradient(problem, comparison.weights, EPSILON, rng)
            yield np.where(comparison.finite, noisy, 0.0) - comparison.safe


def scatter(comparison: Comparison, u: Array, error: float) -> float:
    """The largest change of the analytic slope along ``u`` by rounding, in a few samples.

    A small ``error`` takes more samples: a few may miss it by chance.
    """
    samples = 3 if error > THREE_DIGITS * float(np.abs(comparison.safe) @ np.abs(u)) else 16
    seen = [abs(float(change @ u)) for change in moved(comparison, samples)]
    return max(s if np.isfinite(s) else 0.0 for s in seen)


def vanishing(comparison: Comparison) -> Array:
    """Which elements of the gradient are zero up to rounding, and are known well enough to say so.

    Such an element is what is left of terms that cancel, and has no correct digit.  So a fault of 1 % of the terms must
    be detectable, and not of 1 % of the element.  The rounding shows the size of the terms.
    """
    changes = list(moved(comparison, 8))
    rounding = np.max([np.where(np.isfinite(change), np.abs(change), 0.0) for change in changes], axis=0)
    size = np.abs(comparison.safe)
    with np.errstate(all="ignore"):
        visible = comparison.resolution * size <= RESOLVED * rounding / EPSILON
    return (size <= SEVERAL * rounding) & visible
