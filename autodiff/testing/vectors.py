"""Sizes of vectors of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any


def norm(values: Array) -> float:
    """The Euclidean length, also for numbers whose squares would overflow or vanish."""
    square = float(values @ values)
    if 1e-250 < square < 1e250:
        return math.sqrt(square)
    top = float(np.max(np.abs(values), initial=0.0))
    return top * float(np.sqrt(np.sum((values / top) ** 2))) if 0 < top < np.inf else top


def norms(values: Array) -> Array:
    """The Euclidean length of each row."""
    return np.array([norm(row) for row in values])


def powers(values: Array) -> Array:
    """The power of two above each magnitude: steps of few bits are added without rounding."""
    return np.exp2(np.ceil(np.log2(values)))
