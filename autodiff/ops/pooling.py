"""The largest element of each window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..primitive import exactly, example, sample
from ..registering import primitive
from ..structural import is_tracking
from .precision import over_count
from .reduction import shared
from .unfolding import Grid, Sizes, can_write, fold, gathered, grid, unfold

Array = Any


def _parts(x: Array, where: Grid) -> Iterator[tuple[Sizes, Array]]:
    """For each position in a window, the elements that it has in all windows."""
    whole = (slice(None),) * (x.ndim - where.axes)
    for tap, elements in where.taps(where.places(x.shape[x.ndim - where.axes :])):
        yield tap, x[(*whole, *elements)]


def _to_largest(g: Array, x: Array, y: Array, kernel: Any, stride: Any, dilation: Any) -> Array:
    """``g`` for the largest element of each window; elements that tie share it equally."""
    where = grid("max_pool", x.shape, kernel, stride, 0, dilation)
    before = x.ndim - where.axes
    if is_tracking() or not all(can_write(a) for a in (g, x, y)):
        axes = tuple(range(before, before + where.axes))
        windows = unfold(x, kernel, stride, 0, dilation)
        return fold(shared(g, windows, y, axes), x.shape[before:], kernel, stride, 0, dilation)
    wins = {tap: part == y for tap, part in _parts(x, where)}
    count = sum(won.astype(np.int32) for won in wins.values())
    share = g * over_count(np.ones_like(count, dtype=x.dtype), count)
    return gathered(lambda tap: wins[tap] * share, where, x.shape, before)


@primitive(
    lambda g, x, y, kernel, stride, dilation: _to_largest(g, x, y, kernel, stride, dilation),
    examples=[
        example(sample(2, 4, 6), (2, 3), (2, 3)), example(sample(7), 3, 2), example(sample(2, 3, 4), (2, 2)),
        example(sample(7), 2, 1, 3), example(sample(0, 4), 2, 2), example(sample(5), 1, 2),
    ],
    kinks=[example(exactly([1.25, 1.25, 0.5, 1.25]), 2, 2), example(exactly([0.5, 0.5, 0.5]), 2, 1)],
    errors=[example(sample(3), 4), example(sample(3), 2, 0)],
    analytic=False,
)  # fmt: skip
def max_pool(x: Array, kernel: Any, stride: Any = 1, dilation: Any = 1) -> Array:
    """The largest element of each window over the last axes: x (..., *sizes) becomes (..., *places).

    Elements that tie share the derivative equally, as in ``np.max``.  An axis has (size - dilation (kernel - 1) - 1) //
    stride + 1 places.  A primitive because it takes half the time of the composition, and keeps no windows.

    >>> import numpy as np
    >>> from autodiff import max_pool
    >>> max_pool(np.array([1.0, 3.0, 2.0, 0.0]), 2, 2).tolist()
    [3.0, 2.0]
    """
    if x.dtype.kind == "c":
        raise TypeError("max_pool: needs real numbers, which have a largest")
    largest: Any = None
    for _, part in _parts(x, grid("max_pool", x.shape, kernel, stride, 0, dilation)):
        largest = part if largest is None else np.maximum(largest, part)
    return np.positive(largest) if largest is part else largest
