"""A function off the real line: the complex step, and Cauchy's integral around a point.

Source: W. Squire, G. Trapp, "Using complex variables to estimate derivatives of real functions", 1998.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning

from ..problem import Problem
from ..thresholds import COMPLEX_STEP

Array = Any

_filtering = threading.RLock()
"""Warning filters belong to the process: two threads that change them at once would leave them changed."""


def value_at(problem: Problem, x: Array, size: int) -> Array | None:
    """The values at a complex point, or None if the function does not take complex numbers.

    Any exception means that it does not.  So does NumPy's warning that an imaginary part is dropped, and another number
    of values than ``size``: outputs that are complex at real points count twice there.
    """
    with _filtering, warnings.catch_warnings():
        warnings.simplefilter("error", ComplexWarning)
        try:
            values = problem.value(x)
        except Exception:
            return None
    return values if values.size == size else None


def slope_along(problem: Problem, weights: Array, u: Array) -> float | None:
    """The slope along ``u`` by the complex step, or None if the function does not take complex numbers.

    It is im F(x + i t u) / t: nothing is subtracted, so no digit is lost.
    """
    values = value_at(problem, problem.x + 1j * COMPLEX_STEP * u, weights.size)
    if values is None or values.dtype.kind != "c" or not np.isfinite(values).all():
        return None
    return float(np.sum(weights * np.imag(values))) / COMPLEX_STEP


def around(problem: Problem, weights: Array, base: Array, u: Array, radius: float) -> tuple[complex, float] | None:
    """The derivative by Cauchy's integral over a circle, and the negative power beside it: none if f is analytic."""
    roots = np.exp(2j * np.pi * np.arange(16) / 16)
    values = [value_at(problem, problem.x + radius * root * u, weights.size) for root in roots]
    sums = np.array([np.nan if v is None else np.sum(weights * (v - base)) for v in values])
    if not np.isfinite(sums).all():
        return None
    return complex(np.mean(sums / roots)) / radius, float(abs(np.mean(sums * roots))) / radius
