"""More functions that move, cut and join elements, written with those of ``shape``.

There is no rule in this file.  Functions that write into their argument are refused; the message says what to write
instead.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..arrays import as_array, owned
from ..primitive import example, refuse, sample
from ..registering import composite
from .indexing import scatter_add

Array = Any


def _several(results: list[Array]) -> Any:
    return results[0] if len(results) == 1 else tuple(results)


# -- more axes ---------------------------------------------------------------------------------------------------


@composite(np.atleast_1d, examples=[example(sample()), example(sample(2)), example(sample(), sample(2, 2))])
def atleast_1d(*arys: Array) -> Any:
    """With at least one axis."""
    return _several([a if np.ndim(a) else np.reshape(a, (1,)) for a in map(as_array, arys)])


@composite(np.atleast_2d, examples=[example(sample()), example(sample(3)), example(sample(2), sample(2, 2))])
def atleast_2d(*arys: Array) -> Any:
    """With at least two axes."""
    return _several([a if np.ndim(a) > 1 else np.reshape(a, (1, -1)) for a in map(as_array, arys)])


def _cube(a: Array) -> Array:
    shape = np.shape(a)
    return a if len(shape) > 2 else a[..., None] if len(shape) == 2 else np.reshape(a, (1, -1, 1))


@composite(np.atleast_3d, examples=[example(sample()), example(sample(3)), example(sample(2), sample(2, 2))])
def atleast_3d(*arys: Array) -> Any:
    """With at least three axes."""
    return _several([_cube(a) for a in map(as_array, arys)])


@composite(np.broadcast_arrays, examples=[example(sample(3), sample(2, 1)), example(sample(), sample(2))])
def broadcast_arrays(*args: Array) -> Any:
    """Each array repeated to their common shape."""
    arrays = [as_array(a) for a in args]
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    return tuple(np.broadcast_to(a, shape) for a in arrays)


@composite(
    np.meshgrid,
    examples=[
        example(sample(2), sample(3)),
        example(sample(2), sample(3), indexing="ij"),
        example(sample(2), sample(3), sparse=True),
        example(sample(2), sample(3), sample(2)),
        example(sample(3)),
    ],
)
def meshgrid(*xi: Array, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """The coordinates of a grid with these axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is {indexing!r}; use 'xy' or 'ij'")
    rank = len(xi)
    places = [1, 0, *range(2, rank)] if indexing == "xy" and rank > 1 else list(range(rank))
    columns = [
        np.reshape(as_array(x), (1,) * place + (-1,) + (1,) * (rank - 1 - place))
        for x, place in zip(xi, places, strict=True)
    ]
    return tuple(columns) if sparse else np.broadcast_arrays(*columns)


@composite(np.rollaxis, examples=[example(sample(2, 3, 4), 2), example(sample(2, 3, 4), 0, 2)])
def rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    """An axis moved to before another."""
    rank = np.ndim(a)
    axis, start = normalize_axis_index(axis, rank), start + rank if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


@composite(np.matrix_transpose, examples=[example(sample(2, 3)), example(sample(2, 2, 3))])
def matrix_transpose(x: Array, /) -> Array:
    """The last two axes swapped."""
    return np.swapaxes(x, -1, -2)


# -- turning -----------------------------------------------------------------------------------------------------


@composite(np.fliplr, examples=[example(sample(2, 3))])
def fliplr(m: Array) -> Array:
    """Columns in reverse order."""
    return np.flip(m, 1)


@composite(np.flipud, examples=[example(sample(2, 3)), example(sample(3))])
def flipud(m: Array) -> Array:
    """Rows in reverse order."""
    return np.flip(m, 0)


@composite(np.rot90, examples=[example(sample(2, 3), k) for k in range(4)] + [example(sample(2, 2, 3), 1, axes=(1, 2))])
def rot90(m: Array, k: int = 1, axes: Any = (0, 1)) -> Array:
    """A quarter turn, ``k`` times, from the first axis towards the second."""
    k = operator.index(k)
    first, second = normalize_axis_tuple(axes, np.ndim(m))  # NumPy's flip would take one axis for two
    if k % 2 == 0:
        return np.positive(m) if k % 4 == 0 else np.flip(m, (first, second))
    return (
        np.swapaxes(np.flip(m, second), first, second) if k % 4 == 1 else np.flip(np.swapaxes(m, first, second), second)
    )


# -- cutting and joining -----------------------------------------------------------------------------------------


@composite(np.hsplit, examples=[example(sample(2, 4), 2), example(sample(5), [2])])
def hsplit(ary: Array, indices_or_sections: Any) -> Any:
    """Parts along the second axis, of a vector along the first."""
    return np.split(ary, indices_or_sections, axis=0 if np.ndim(ary) == 1 else 1)


@composite(np.vsplit, examples=[example(sample(4, 2), 2)])
def vsplit(ary: Array, indices_or_sections: Any) -> Any:
    """Parts along the first axis."""
    if np.ndim(ary) < 2:
        raise ValueError(f"vsplit: needs at least two axes, got shape {np.shape(ary)}; use np.split")
    return np.split(ary, indices_or_sections, axis=0)


@composite(np.dsplit, examples=[example(sample(2, 1, 4), 2)])
def dsplit(ary: Array, indices_or_sections: Any) -> Any:
    """Parts along the third axis."""
    return np.split(ary, indices_or_sections, axis=2)


@composite(np.unstack, examples=[example(sample(2, 3)), example(sample(2, 3), axis=1)])
def unstack(x: Array, /, *, axis: int = 0) -> Any:
    """The slices along an axis."""
    moved = np.moveaxis(x, axis, 0)
    return tuple(moved) if hasattr(moved, "__len__") else tuple(moved[i] for i in range(moved.shape[0]))


@composite(np.column_stack, examples=[example([sample(2), sample(2)]), example([sample(2, 2), sample(2)])])
def column_stack(tup: Any) -> Array:
    """Vectors as columns beside each other."""
    arrays = [as_array(a) for a in tup]
    return np.concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in arrays], axis=1)


@composite(np.dstack, examples=[example([sample(2), sample(2)]), example([sample(2, 2), sample(2, 2, 3)])])
def dstack(tup: Any) -> Array:
    """Arrays along the third axis."""
    return np.concatenate([_cube(as_array(a)) for a in tup], axis=2)


def _block(arrays: Any, depth: int, rank: int) -> Array:
    if isinstance(arrays, list):
        return np.concatenate([_block(a, depth - 1, rank) for a in arrays], axis=-depth)
    arrays = as_array(arrays)
    return np.reshape(arrays, (1,) * (rank - np.ndim(arrays)) + np.shape(arrays))


def _depth(arrays: Any) -> int:
    if isinstance(arrays, list) and not arrays:
        raise ValueError("block: a list is empty")
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _rank(arrays: Any) -> int:
    return max(map(_rank, arrays)) if isinstance(arrays, list) else np.ndim(arrays)


@composite(np.block, examples=[example([sample(2), sample(3)]), example([sample(2, 1), sample(2, 2)])])
def block(arrays: Any) -> Array:
    """An array from nested lists of blocks: the innermost lists are joined along the last axis."""
    depth = _depth(arrays)
    return _block(arrays, depth, max(depth, _rank(arrays)))


@composite(np.append, examples=[example(sample(2), sample(3)), example(sample(2, 2), sample(1, 2), axis=0)])
def append(arr: Array, values: Array, axis: int | None = None) -> Array:
    """Two arrays, one after the other."""
    if axis is None:
        return np.concatenate([np.ravel(as_array(arr)), np.ravel(as_array(values))])
    return np.concatenate([as_array(arr), as_array(values)], axis=axis)


def _positions(shape: tuple[int, ...]) -> Any:
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@composite(np.delete, examples=[
    example(sample(4), 1), example(sample(2, 3), [0, 2], axis=1), example(sample(5), slice(1, 3)),
    example(sample(3), np.array([True, False, True])),
])  # fmt: skip
def delete(arr: Array, obj: Any, axis: int | None = None) -> Array:
    """Without the elements at ``obj``."""
    if axis is None:
        return np.ravel(arr)[np.delete(np.arange(np.size(arr)), obj)]
    return np.take(arr, np.delete(np.arange(np.shape(arr)[axis]), obj), axis=axis)


@composite(np.insert, examples=[
    example(sample(3), 1, sample()), example(sample(3), [0, 2], sample(2)), example(sample(2, 2), 1, sample(2), axis=1),
    example(sample(2, 3), 1, sample(3), axis=0),
    example(sample(4), slice(1, 3), sample(2)),
])  # fmt: skip
def insert(arr: Array, obj: Any, values: Array, axis: int | None = None) -> Array:
    """With ``values`` inserted before the positions ``obj``."""
    arr, values = as_array(arr), as_array(values)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    from_arr = _positions(np.shape(arr))
    from_values = np.size(arr) + _positions(np.shape(values))
    places = np.insert(from_arr, obj, from_values, axis=axis)
    return np.concatenate([np.ravel(arr), np.ravel(values)])[places]


@composite(np.resize, examples=[example(sample(3), (2, 2)), example(sample(2, 2), 7), example(sample(3), (0,))])
def resize(a: Array, new_shape: Any) -> Array:
    """The elements, repeated until the new shape is full."""
    return np.ravel(a)[np.resize(np.arange(np.size(a)), new_shape)]


def _extent(kept: Any, length: int, trim: str) -> slice:
    """The range from the first to the last kept position; an end that is not trimmed is kept."""
    if not kept.size:
        return slice(0, 0)
    return slice(int(np.min(kept)) if "f" in trim else 0, int(np.max(kept)) + 1 if "b" in trim else length)


@composite(np.trim_zeros, examples=[example(sample(3)), example(sample(3, 2)), example(sample(2, 3), axis=1)])
def trim_zeros(filt: Array, trim: str = "fb", axis: Any = None) -> Array:
    """Without the zeros at the ends, along all axes or the given ones."""
    if not (isinstance(trim, str) and trim.lower() in ("f", "b", "fb", "bf")):
        raise ValueError(f"trim_zeros: trim={trim!r}; say 'f' for the front, 'b' for the back, or 'fb'")
    shape = np.shape(filt)
    axes = range(len(shape)) if axis is None else normalize_axis_tuple(axis, len(shape))
    kept = np.nonzero(filt)
    return filt[tuple(_extent(kept[i], n, trim.lower()) if i in axes else slice(None) for i, n in enumerate(shape))]


# -- diagonals and triangles -------------------------------------------------------------------------------------


@composite(np.diagonal, method="diagonal", examples=[
    example(sample(3, 3)), example(sample(2, 3), 1), example(sample(2, 3), -1), example(sample(2, 3, 2), 0, 2, 0),
])  # fmt: skip
def diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements of a diagonal."""
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = np.shape(a)[-2:]
    along = np.arange(max(0, min(rows - max(-offset, 0), columns - max(offset, 0))))
    return a[..., along + max(-offset, 0), along + max(offset, 0)]


@composite(np.linalg.diagonal, examples=[example(sample(3, 3)), example(sample(2, 2, 3), offset=1)])
def linalg_diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """The elements of each matrix's diagonal."""
    return np.diagonal(x, offset, -2, -1)


@composite(
    np.trace,
    method="trace",
    examples=[example(sample(3, 3)), example(sample(2, 3), 1), example(sample(2, 3, 2), 0, 2, 0)],
)
def trace(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The sum of a diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@composite(np.linalg.trace, examples=[example(sample(3, 3)), example(sample(2, 2, 3), offset=1)])
def linalg_trace(x: Array, /, *, offset: int = 0) -> Array:
    """The sum of each matrix's diagonal."""
    return np.trace(x, offset, -2, -1)


def _on_diagonal(v: Array, k: int) -> Array:
    n = np.shape(v)[0]
    along = np.arange(n)
    return scatter_add(v, (along + max(-k, 0), along + max(k, 0)), (n + abs(k),) * 2)


@composite(
    np.diag, examples=[example(sample(3)), example(sample(2), 1), example(sample(2, 3)), example(sample(3, 3), -1)]
)
def diag(v: Array, k: int = 0) -> Array:
    """The diagonal of a matrix, or the matrix with this diagonal."""
    if np.ndim(v) not in (1, 2):
        raise ValueError(f"diag: needs a vector or a matrix, got shape {np.shape(v)}; use np.diagonal for stacks")
    return _on_diagonal(v, k) if np.ndim(v) == 1 else np.diagonal(v, k)


@composite(np.diagflat, examples=[example(sample(2, 2)), example(sample(2), 1)])
def diagflat(v: Array, k: int = 0) -> Array:
    """A matrix with these elements on a diagonal."""
    return _on_diagonal(np.ravel(v), k)


def _below(m: Array, k: int) -> Any:
    """Which elements lie on the k-th diagonal or below it."""
    sizes = np.shape(m)[-2:]  # of a vector, NumPy makes a square
    return np.tri(sizes[0], sizes[-1], k=k, dtype=bool)


@composite(
    np.tril,
    examples=[example(sample(3)), example(sample(3, 3)), example(sample(2, 3), 1), example(sample(2, 2, 3), -1)],
)
def tril(m: Array, k: int = 0) -> Array:
    """The lower triangle, and zeros above it."""
    return np.where(owned(_below(m, k), m), m, 0.0)


@composite(
    np.triu,
    examples=[example(sample(3)), example(sample(3, 3)), example(sample(2, 3), 1), example(sample(2, 2, 3), -1)],
)
def triu(m: Array, k: int = 0) -> Array:
    """The upper triangle, and zeros below it."""
    return np.where(owned(_below(m, k - 1), m), 0.0, m)


for _function, _instead in (
    (np.fill_diagonal, "np.where(np.eye(n, dtype=bool), value, a)"),
    (np.put, "np.where(mask, values, a), or scatter_add(values, index, shape)"),
    (np.put_along_axis, "np.where(np.arange(n) == indices, values, a)"),
    (np.place, "np.where(mask, values, a)"),
    (np.putmask, "np.where(mask, values, a)"),
):
    refuse(_function, f"writes into its argument, which a Tensor does not allow; write a = {_instead}")
