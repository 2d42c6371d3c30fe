"""Counts and sums in half precision.

In float16 a count overflows at 65,520, also a Python number that is converted, and a running sum of ones stops at
2,048.  So functions that count or add many elements use single precision; the engine casts gradients back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import cast

Array = Any


def wide(g: Array) -> Array:
    """``g`` in at least single precision.

    >>> wide(np.ones(1, np.float16)).dtype, wide(np.ones(1)).dtype
    (dtype('float32'), dtype('float64'))
    """
    return cast(g, np.float32) if g.dtype.char == "e" else g


def over_count(g: Array, count: Any) -> Array:
    """``g`` divided by a number of elements, a Python number or an array that broadcasts, in at least single precision.

    >>> over_count(np.ones(1, np.float16), 100_000).tolist()
    [9.999999747378752e-06]
    """
    g = wide(g)
    if not isinstance(count, int | float):
        count = cast(count, g.dtype)
    return g / count
