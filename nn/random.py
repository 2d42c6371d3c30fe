"""Random numbers: every draw of a model is a call of :func:`draw`, with its generator.

``rng`` is a ``numpy.random.Generator``, or an integer seed for a new one.  The same seed gives the same numbers, bit
for bit; without ``rng`` they are new each time.  Results that are computed from them are the same to the bit on one
machine with one number of threads for matrix products, because another number of threads adds in another order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
Rng = np.random.Generator | int | None


def generator(rng: Rng = None) -> np.random.Generator:
    """The generator itself, or a new one from a seed.

    >>> rng = np.random.default_rng(0)
    >>> generator(rng) is rng
    True
    """
    if isinstance(rng, int | np.integer) and rng < 0:
        raise ValueError(f"rng: the seed is {rng}; it must be 0 or more")
    if rng is None or isinstance(rng, int | np.integer | np.random.Generator):
        return np.random.default_rng(rng)
    raise TypeError(
        f"rng: expected a numpy.random.Generator or a seed, got {type(rng).__name__}; write np.random.default_rng(0)"
    )


def draw(rng: np.random.Generator, distribution: str, shape: Any, dtype: Any = np.float32) -> Array:
    """Numbers of one of the two basic distributions, from which all others are computed.

    ``"random"``: uniform in [0, 1); ``"standard_normal"``: mean 0, variance 1. float32 numbers are drawn directly,
    other dtypes are rounded from float64.
    """
    method = getattr(rng, distribution)
    dtype = np.dtype(dtype)
    if dtype in (np.float32, np.float64):
        return method(shape, dtype=dtype)
    return method(shape).astype(dtype)
