"""Additions and assignments at positions without writing, for arrays that cannot be written into.

ndarrays are written into (see :mod:`.indexing`), which is faster.  Any other array is only known to implement NumPy's
protocols.  For these, the adjoint of a slice is a border of zeros, and the adjoint of a gather is another gather:
values are sorted by position, summed over runs of equal positions by repeated doubling, and looked up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import as_array, cast, is_foreign, owned
from . import accumulation
from .accumulation import parts_of
from .precision import wide

Array = Any
Index = Any


def place_of(index: Index, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of ``x[index]`` for an x of this shape, found without an array of that size."""
    if any(is_foreign(p) and p.dtype.kind == "b" for p in parts_of(index)):
        raise TypeError("a mask that is not NumPy's own decides the shape; choose with np.where(mask, x, 0)")
    known = tuple(np.zeros(np.shape(p), int) if is_foreign(p) else p for p in parts_of(index))
    place: tuple[int, ...] = np.broadcast_to(np.zeros(()), shape)[known].shape  # position 0 is always there, or none
    return place


def spread_to(values: Array, place: tuple[int, ...]) -> Array:
    """Values broadcast as in an assignment, which ignores leading axes of length 1."""
    extra = np.ndim(values) - len(place)
    return np.broadcast_to(np.reshape(values, np.shape(values)[extra:]) if extra > 0 else values, place)


def is_basic(index: Index) -> bool:
    """Whether the index names no element twice: integers, slices, None and Ellipsis."""
    return all(map(accumulation.is_basic, parts_of(index)))


def names_foreign(index: Index) -> bool:
    """Whether a part of the index is an array that is not NumPy's own."""
    return any(map(is_foreign, parts_of(index)))


# -- slices ------------------------------------------------------------------------------------------------------


def _axes(index: Index, rank: int) -> list[Any]:
    """One integer or slice for each axis."""
    parts = [p for p in parts_of(index) if p is not None]
    at = next((i for i, p in enumerate(parts) if p is Ellipsis), len(parts))
    rest = parts[at + 1 :]
    return [*parts[:at], *[slice(None)] * (rank - at - len(rest)), *rest]


def _bordered(values: Array, index: Index, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with values at a basic index: zeros are put between the values and around them."""
    ranges = [
        range(n)[p] if isinstance(p, slice) else range(int(p) % n, int(p) % n + 1)
        for p, n in zip(_axes(index, len(shape)), shape, strict=True)
    ]
    if not all(ranges):
        return np.zeros_like(values, shape=shape)
    values = np.reshape(spread_to(values, place_of(index, shape)), [len(r) for r in ranges])
    borders = []
    for axis, (places, n) in enumerate(zip(ranges, shape, strict=True)):
        if places.step < 0:
            values, places = np.flip(values, axis), places[::-1]
        length = len(places)
        if places.step > 1:
            width = [(0, 0)] * (values.ndim + 1)
            width[axis + 1] = (0, places.step - 1)
            values = np.pad(np.expand_dims(values, axis + 1), width)
            joined = [length * places.step if i == axis else m for i, m in enumerate(values.shape) if i != axis + 1]
            length = min(length * places.step, n - places[0])
            values = np.reshape(values, joined)[(slice(None),) * axis + (slice(0, length),)]
        borders.append((places[0], n - places[0] - length))
    return np.pad(values, borders) if any(map(any, borders)) else values


# -- positions ---------------------------------------------------------------------------------------------------


def _is_numbers(part: Any) -> bool:
    dtype = part.dtype if is_foreign(part) else np.asarray(part).dtype
    return bool(dtype.kind in "iu")


def _rows(values: Array, index: Index, shape: tuple[int, ...]) -> tuple[Array, Array, tuple[int, ...]]:
    """Values as rows, the position of each row, and the shape in whose first axis the positions count.

    If the index is one array of positions, they count along the first axis; otherwise they count elements.
    """
    place = place_of(index, shape)
    values = spread_to(values, place)
    parts = parts_of(index)
    if len(parts) == 1 and shape and np.ndim(parts[0]) and _is_numbers(parts[0]):
        places = parts[0] if is_foreign(parts[0]) else np.asarray(parts[0], dtype=int)
        count = math.prod(np.shape(places))
        places = np.reshape(places, (count,))
        return np.reshape(values, (count, *shape[1:])), np.where(places < 0, places + shape[0], places), shape
    total = math.prod(shape)
    numbers = np.reshape(np.arange(total), shape)
    if names_foreign(index):  # counted by the owner of the index
        numbers = np.broadcast_to(np.reshape(sum_of_strides(parts, shape), place), place)
    else:
        numbers = numbers[index]
    count = math.prod(place)
    return np.reshape(values, (count,)), np.reshape(numbers, (count,)), (total,)


def sum_of_strides(parts: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """The position of each named element, if the index has an array of positions for each axis."""
    if len(parts) != len(shape) or any(not hasattr(p, "shape") or p.dtype == bool for p in parts):
        raise TypeError(
            "an index with an array that is not NumPy's own in it has an array of positions for each axis, or is that "
            "one array; give the positions as an ndarray"
        )
    total: Any = 0
    owner = next(filter(is_foreign, parts))
    for places, n in zip((owned(np.asarray(p) if not is_foreign(p) else p, owner) for p in parts), shape, strict=True):
        total = total * n + np.where(places < 0, places + n, places)
    return total


def _sorted(values: Array, places: Array) -> tuple[Array, Array]:
    """Rows in the order of their positions."""
    order = np.argsort(places, kind="stable")
    return values[order], places[order]


def _found(values: Array, places: Array, length: int) -> tuple[Array, Array]:
    """For each number below ``length``: whether it is one of the sorted positions, and its last row."""
    numbers = owned(np.arange(length), places)
    at = np.clip(np.searchsorted(places, numbers, side="right") - 1, 0, None)
    return owned(_column(places[at] == numbers, values), values), values[at]


def _column(a: Array, like: Array) -> Array:
    return np.reshape(a, np.shape(a) + (1,) * (np.ndim(like) - 1))


def running(values: Array, keys: Array, axis: int, longest: int) -> Array:
    """Running sums over runs of equal sorted keys, by repeated doubling: log2(n) additions.

    >>> running(np.ones(4), np.array([0, 0, 1, 1]), 0, 2).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    whole, step = (slice(None),) * (axis % np.ndim(values)), 1
    while step < longest:
        later, earlier = (*whole, slice(step, None)), (*whole, slice(None, -step))
        same = np.where(owned(keys[later] == keys[earlier], values), values[earlier], 0.0)
        values = np.concatenate([values[(*whole, slice(None, step))], values[later] + same], axis=axis)
        step *= 2
    return values


def picked(a: Array, index: Index) -> Array:
    """``a[index]`` in a form that Dask understands: slices, and at most one array, of one axis."""
    parts = tuple(np.asarray(p) if isinstance(p, list) else p for p in parts_of(index))
    if is_basic(index) or names_foreign(index):
        return a[parts]
    *before, last = parts
    if all(isinstance(p, slice) and p == slice(None) for p in before) and last.dtype.kind != "b":
        axis, shape = len(before), np.shape(a)
        found = a[(*before, np.reshape(last, (-1,)))]
        return found if last.ndim == 1 else np.reshape(found, (*shape[:axis], *last.shape, *shape[axis + 1 :]))
    if len(parts) == 1 and last.ndim == 1:
        return a[last]
    numbers = np.reshape(np.arange(math.prod(np.shape(a))), np.shape(a))[index]
    return np.reshape(np.reshape(a, (-1,))[np.reshape(numbers, (-1,))], numbers.shape)


def added(values: Array, index: Index, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with values added at ``index``.

    >>> added(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]), (3,)).tolist()
    [5.0, 0.0, 2.0]
    """
    if is_basic(index):
        return _bordered(values, index, shape)
    rows, places, whole = _rows(values, index, shape)
    if not np.shape(places)[0]:
        return np.zeros_like(values, shape=shape)
    rows, places = _sorted(wide(rows), places)
    longest = np.shape(places)[0] if is_foreign(places) else int(np.max(np.unique_counts(places).counts))
    named, sums = _found(running(rows, _column(places, rows), 0, longest), places, whole[0])
    return np.reshape(cast(np.where(named, sums, 0.0), values.dtype), shape)


def replaced(x: Array, index: Index, values: Array) -> Array:
    """``x`` with values at ``index``; where that names an element twice, the last one.

    >>> replaced(np.zeros(3), np.array([0, 0]), np.array([1.0, 2.0])).tolist()
    [2.0, 0.0, 0.0]
    """
    shape, values = np.shape(x), owned(as_array(values), x)
    if is_basic(index):
        there = _bordered(np.ones(place_of(index, shape), bool), index, shape)
        return np.where(owned(there, x), _bordered(values, index, shape), x)
    rows, places, whole = _rows(values, index, shape)
    if not np.shape(places)[0]:
        return np.positive(x)
    rows, places = _sorted(rows, places)
    named, last = _found(rows, places, whole[0])
    return np.reshape(np.where(named, last, np.reshape(x, whole)), shape)
