"""Points of the plane in two classes that no straight line separates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import Rng, draw, generator


def moons(
    n: int = 200, *, noise: float = 0.15, rng: Rng = None, dtype: Any = np.float64
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two half circles of radius 1 that overlap: points of shape (n, 2), labels of shape (n,).

    Class 0 is the upper half circle around (0, 0), class 1 the lower one around (1, 1/2); their angles are uniform,
    and every coordinate has normal noise of standard deviation ``noise``.  Labels are int64, the first half of them 0
    (one less than the other half if n is odd): shuffle or stratify before you split.

    Raises ValueError for a negative ``n`` or ``noise``.

    >>> from nn import datasets
    >>> points, labels = datasets.moons(6, noise=0.0, rng=0)
    >>> points.shape, labels.tolist()
    ((6, 2), [0, 0, 0, 1, 1, 1])
    """
    if n < 0 or not noise >= 0:
        raise ValueError(f"moons: n is {n}, noise is {noise}; neither may be negative")
    rng = generator(rng)
    labels = np.repeat([0, 1], [n // 2, n - n // 2])
    angle = np.pi * draw(rng, "random", n, np.float64)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(labels[:, None] == 0, upper, lower) + noise * draw(rng, "standard_normal", (n, 2), np.float64)
    return points.astype(dtype), labels
