"""Indexing, and its adjoint: adding at positions.

``getitem`` and ``scatter_add`` are each other's adjoint.  So each is the rule of the other, and both differentiate to
any order.  An index that names an element twice adds twice, in the order of the index.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.lib.stride_tricks import sliding_window_view

from ..arrays import as_array, is_foreign
from ..cotangents import Scattered, into, unbroadcast
from ..examples import Examples, every, is_one
from ..primitive import example, sample
from ..registering import composite, primitive
from ..structural import blank, is_tracking, settled
from ..tensor import Tensor
from .accumulation import add_at, is_basic, names_once, parts_of
from .placing import added, names_foreign, picked

Array = Any


def _add_into(index: Any, total: Array, values: Array, blank: bool) -> None:
    """Add values at an index, in place; there are zeros if the array is ``blank``."""
    if not names_once(index, total.shape, values):
        add_at(total, index, values)
    elif blank:
        total[index] = values
    elif type(total) is np.ndarray:
        total[index] += values
    else:  # what is noted is one sum and one assignment
        total[index] = total[index] + values


def _scattered(g: Array, a_shape: tuple[int, ...], index: Any) -> Any:
    """The cotangent, to be added at the index; of the index's own kind if that notes what is computed.

    Of many examples only elements that are named once are added so, and none while masks are kept.
    """
    if isinstance(g, Examples) and g.many:
        written = isinstance(every(g), np.ndarray) and all(map(is_basic, parts_of(index)))
        if is_tracking() or not written:
            return _to_places(g, a_shape, index)
    else:
        noting = next((part for part in (g, *parts_of(index)) if is_one(part)), g)
        g = g if noting is g or is_one(g) else noting.beside(g)
    return Scattered(functools.partial(_add_into, index), g, a_shape)


@into(_scattered)
def _to_places(g: Array, a_shape: tuple[int, ...], index: Any) -> Array:
    return scatter_add(g, index, a_shape)


@primitive(
    _to_places, method="__getitem__",
    examples=[
        example(sample(3, 4), 1), example(sample(3, 4), (slice(None), slice(1, None, 2))),
        example(sample(3, 4), (Ellipsis, None, -1)), example(sample(3, 4), np.array([0, 2, 2])),
        example(sample(3, 4), (np.array([0, 0]), np.array([1, 1]))), example(sample(3), np.array([True, False, True])),
        example(sample(3, 4), (slice(None), [3, 0])), example(sample(3, 4), slice(0, 0)), example(sample(), ()),
        example(sample(2, 3, 4), (0, slice(None), np.array([1, 1]))),
    ],
)  # fmt: skip
def getitem(a: Array, index: Any) -> Array:
    """``a[index]`` for any of NumPy's indices."""
    return a[index] if isinstance(a, np.ndarray) or not is_foreign(a) else picked(a, index)


def _from_places(g: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """The elements at the index, summed over the axes along which values were broadcast to it."""
    found = getitem(g, index)
    extra = max(len(shape) - len(found.shape), 0)  # an assignment leaves out leading axes of length 1
    if found.shape != shape[extra:]:
        found = unbroadcast(found, shape[extra:])
    return np.reshape(found, shape) if extra else found


@primitive(
    lambda g, index, values_shape: _from_places(g, index, values_shape),
    examples=[example(sample(3), np.array([0, 2, 2]), (4,)), example(sample(2), slice(0, 4, 2), (4,)),
              example(sample(1), np.array([[0, 2], [2, 1]]), (4,)), example(sample(1), (Ellipsis, -1), (4,)),
              example(sample(2), np.array([[0, 2], [2, 1]]), (4,))],
)  # fmt: skip
def scatter_add(values: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with ``values`` added at ``index``; an element named twice gets both.

    >>> scatter_add(np.array([1.0, 2.0]), np.array([0, 0]), (2,)).tolist()
    [3.0, 0.0]
    """
    if is_foreign(values):
        return added(values, index, shape)
    total = blank(np.zeros_like(values, shape=shape, order="C"))
    if names_once(index, shape, values):
        total[index] = values
    elif names_foreign(index):
        return added(values, index, shape)
    else:
        add_at(total, index, values)
    return settled(total)


@primitive(
    lambda g, a_shape, indices, axis, mode: _put_back(g, a_shape, indices, axis, mode),
    implements=np.take, method="take",
    examples=[example(sample(3, 4), [2, 0, 2], axis=1), example(sample(3, 4), 5), example(sample(3, 4), 1, axis=0),
              example(sample(4), [[5, -1]], mode="wrap"), example(sample(4), [9, -9], mode="clip")],
)  # fmt: skip
def take(a: Array, indices: Any, axis: int | None = None, mode: str = "raise") -> Array:
    """Elements at positions: cotangents are added back there."""
    if not is_foreign(a):
        return np.take(a, indices, axis=axis, mode=mode)  # type: ignore[call-overload]
    rows, axis = (np.reshape(a, (-1,)), 0) if axis is None else (a, normalize_axis_index(axis, np.ndim(a)))
    return picked(rows, (slice(None),) * axis + (_within(indices, rows.shape[axis], mode),))


def _within(places: Any, length: int, mode: str) -> Any:
    """Positions wrapped or clipped to ``length`` as ``mode`` says; other libraries may not know the modes."""
    places = as_array(places)
    return places % length if mode == "wrap" else np.clip(places, 0, length - 1) if mode == "clip" else places


def _put_back(g: Array, shape: tuple[int, ...], indices: Any, axis: int | None, mode: str) -> Array:
    if 0 in shape:  # there NumPy takes any position
        return np.zeros_like(g, shape=shape)
    axis = axis if shape else None  # NumPy takes axis 0 of a single number
    length = int(np.prod(shape, dtype=int)) if axis is None else shape[axis]
    places = _within(indices, length, mode)
    if axis is None:
        return np.reshape(scatter_add(g, (places,), (length,)), shape)
    return scatter_add(g, (slice(None),) * (axis % len(shape)) + (places,), shape)


def _along(indices: Any, axis: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The advanced index that picks ``indices`` along one axis and each position of the others, which broadcast."""
    rank = len(shape)
    grid = [np.arange(n).reshape((-1,) + (1,) * (rank - 1 - i)) for i, n in enumerate(shape)]
    grid[axis] = indices
    return tuple(grid)


def _with_numpys_default(function: Any) -> Any:
    """The function, without a default for ``axis`` where NumPy's has none: before NumPy 2.3."""
    if tuple(map(int, np.__version__.split(".")[:2])) < (2, 3):
        function.__defaults__ = None
    return function


@composite(
    np.take_along_axis,
    examples=[example(sample(2, 3), np.array([[0], [2]]), 1), example(sample(2, 3), np.array([[1, 0, 1]]), axis=0),
              example(sample(2, 3), np.array([5, 0]), axis=None),
              example(sample(2, 1), np.array([[1, 0, 1]]), axis=0)],
)  # fmt: skip
@_with_numpys_default
def take_along_axis(arr: Array, indices: Any, axis: int | None = -1) -> Array:
    """Elements at positions along one axis: cotangents are added back there."""
    indices = indices.data if isinstance(indices, Tensor) else as_array(indices)
    if axis is None:
        return np.ravel(arr)[indices]
    rank = np.ndim(arr)
    if indices.ndim != rank:
        raise ValueError(f"take_along_axis: indices have {indices.ndim} axes, the array {rank}; they must agree")
    return arr[_along(indices, normalize_axis_index(axis, rank), np.shape(arr))]


def _windows(shape: tuple[int, ...], window_shape: Any, axis: Any) -> Any:
    """For each element of each window, its position in the flat array."""
    size = int(np.prod(shape, dtype=int))
    return sliding_window_view(np.arange(size).reshape(shape), window_shape, axis)


@primitive(
    lambda g, x_shape, window_shape, axis: np.reshape(
        scatter_add(g, (_windows(x_shape, window_shape, axis),), (int(np.prod(x_shape, dtype=int)),)), x_shape
    ),
    implements=sliding_window_view,
    name="sliding_window_view",
    examples=[example(sample(5), 3), example(sample(3, 4), (2, 2)), example(sample(3, 4), 2, axis=0),
              example(sample(2, 5), (2, 3), axis=(1, 1))],
)  # fmt: skip
def windows(x: Array, window_shape: Any, axis: Any = None) -> Array:
    """All windows of a shape, in new last axes: the cotangent of an element is the sum of those of its windows."""
    return sliding_window_view(x, window_shape, axis)
