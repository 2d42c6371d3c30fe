"""NumPy functions written with differentiable ones.  There is no rule in this file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..primitive import exactly, example, sample
from ..registering import composite
from .elementwise import limit

Array = Any

_ABSENT: Any = object()


@composite(
    np.clip, method="clip",
    examples=[example(sample(2, 3), -1.0, 1.0), example(sample(3), None, 1.0), example(sample(3), -1.0, None)],
    kinks=[example(exactly([-1.0, 1.0, 0.5]), -1.0, 1.0)],
)  # fmt: skip
def clip(a: Array, a_min: Any = _ABSENT, a_max: Any = _ABSENT, *, min: Any = None, max: Any = None) -> Array:  # noqa: A002
    """Limit the values to an interval; derivative 0 at and beyond its ends."""
    if (a_min is _ABSENT) != (a_max is _ABSENT):
        raise TypeError("clip: give both a_min and a_max, None for no bound; or one of min= and max=")
    if a_min is not _ABSENT and (min is not None or max is not None):
        raise ValueError("clip: min and max are other names for a_min and a_max; give one pair")
    low, high = (min, max) if a_min is _ABSENT else (a_min, a_max)
    return limit(a, -np.inf if low is None else low, np.inf if high is None else high)


@composite(np.split, examples=[example(sample(4, 2), 2), example(sample(5), [1, 3]), example(sample(2, 6), 3, axis=1)])
def split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Parts of equal length, or the parts between given positions."""
    length = np.shape(ary)[axis]
    if isinstance(indices_or_sections, int) and length % indices_or_sections:
        raise ValueError(
            f"split: an axis of length {length} has no {indices_or_sections} equal parts; use np.array_split"
        )
    return np.array_split(ary, indices_or_sections, axis=axis)


@composite(np.array_split, examples=[example(sample(5), 2), example(sample(5), [2])])
def array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """As split, with parts that may differ in length by one."""
    length = np.shape(ary)[axis]
    if isinstance(indices_or_sections, int):
        if indices_or_sections < 1:
            raise ValueError(f"array_split: {indices_or_sections} parts; there must be at least one")
        parts, longer = divmod(length, indices_or_sections)
        sizes = [parts + 1] * longer + [parts] * (indices_or_sections - longer)
        bounds = [0, *np.cumsum(sizes).tolist()]
    else:
        bounds = [0, *[int(i) for i in indices_or_sections], length]
    before = (slice(None),) * (axis % np.ndim(ary))
    return [ary[(*before, slice(start, stop))] for start, stop in pairwise(bounds)]


@composite(np.vstack, examples=[example([sample(2), sample(2)])])
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Rows on top of each other."""
    rows = [np.reshape(t, (1, -1)) if np.ndim(t) < 2 else t for t in tup]
    return np.concatenate(rows, axis=0, dtype=dtype, casting=casting)


@composite(np.hstack, examples=[example([sample(2), sample(3)]), example([sample(2, 1), sample(2, 2)])])
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Columns beside each other."""
    arrays = [np.reshape(t, (1,)) if np.ndim(t) == 0 else t for t in tup]
    return np.concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1, dtype=dtype, casting=casting)
