"""``np.add.at``, several times faster: addition at positions that an index may name more than once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import is_foreign

Array = Any

_SMALL = 64
"""So many values are added by NumPy's own loop before we have found out what the index names."""

_SPARSE = 4
"""An array of more than so many times the values is not numbered through for their sake."""

_BY_PLACE = (int, slice, np.integer)
_NUMBERS = (np.generic, bool, int, float, complex)


def is_basic(part: Any) -> bool:
    """Whether a part of an index is basic: an integer, a slice, None or an Ellipsis."""
    return part is None or part is Ellipsis or (isinstance(part, _BY_PLACE) and not isinstance(part, bool))


def is_mask(part: Any) -> bool:
    """Whether a part of an index is a mask."""
    return isinstance(part, bool) or (hasattr(part, "dtype") and part.dtype.kind == "b")


def parts_of(index: Any) -> tuple[Any, ...]:
    """The parts of an index, one for each axis or several."""
    return index if isinstance(index, tuple) else (index,)


def names_once_by_kind(index: Any) -> bool:
    """Whether the types of an index's parts show that it names no element twice."""
    return all(is_basic(p) or is_mask(p) for p in parts_of(index))


def names_once(index: Any, shape: tuple[int, ...], values: Array) -> bool:
    """Whether an index into an array of ``shape`` is known to name no element twice.

    If its parts are ndarrays and there are not few values, this is tested: mark the named elements, count the marks.
    """
    if names_once_by_kind(index):
        return True
    if isinstance(values, np.ndarray) and values.size <= _SMALL:
        return False
    index = _in_arrays(index)
    if index is None:
        return False
    lead = shape[: _reach(index, len(shape))]
    named = np.broadcast_to(False, lead)[index].size
    if math.prod(lead) > _SPARSE * max(named, 1000):
        return False
    marks = np.zeros(lead, bool)
    marks[index] = True
    return bool(np.count_nonzero(marks) == named)


def _is_plain(values: Array) -> bool:
    return type(values) is np.ndarray or isinstance(values, _NUMBERS)


def _in_arrays(index: Any) -> tuple[Any, ...] | None:
    """The index with lists converted to arrays, or None if it contains anything but plain numbers."""
    parts = []
    for part in parts_of(index):
        if isinstance(part, list) and _is_of_numbers(part):
            part = np.asarray(part) if part else np.zeros(0, np.intp)
        elif not (is_basic(part) or isinstance(part, np.ndarray | bool)):
            return None
        parts.append(part)
    return tuple(parts)


def _in_numpys(index: Any) -> tuple[Any, ...]:
    """The index with foreign arrays converted to ndarrays, as NumPy converts them when it indexes an ndarray."""
    return tuple(np.asarray(part) if is_foreign(part) else part for part in parts_of(index))


def _is_of_numbers(values: list[Any]) -> bool:
    return all(isinstance(v, int | np.integer | np.bool_) or (type(v) is list and _is_of_numbers(v)) for v in values)


def _reach(parts: tuple[Any, ...], ndim: int) -> int:
    """How many axes an index uses; the axes after them are taken whole."""
    reach = 0
    for part in parts:
        if part is Ellipsis:
            return ndim
        if part is not None:
            reach += np.ndim(part) if is_mask(part) else 1
    return reach


def add_at(total: Array, index: Any, values: Array) -> None:
    """``total[index] += values``, where an element that is named twice gets both values.

    The sum is equal to the last bit to that of ``np.add.at``: values are added one after the other in the order of the
    index, and each sum is rounded to the dtype of ``total``. float16 is added in single precision, and the sum is
    rounded once.  It is faster, because NumPy has a fast loop for one axis only, so positions in the flat array are
    used.  It also avoids a read beyond the end of the values (NumPy 2.4), which happens if an index of several axes
    into one axis repeats values of one axis.

    >>> total = np.zeros(3)
    >>> add_at(total, np.array([[0, 2], [2, 2]]), np.array([1.0, 10.0]))
    >>> total.tolist()
    [1.0, 0.0, 21.0]
    """
    if total.dtype.char == "e":  # a sum of ones in half precision stays at 2,048
        exact = np.astype(total, np.float32)
        add_at(exact, index, values)
        total[...] = np.astype(exact, total.dtype)
        return
    if type(total) is type(index) is type(values) is np.ndarray and total.ndim == index.ndim == 1:
        np.add.at(total, index, values)  # NumPy's fast loop
        return
    parts = _in_arrays(index) if type(total) is np.ndarray and _is_plain(values) else None
    if parts is None:
        # an array of another kind, or many examples in one: its own affair
        np.add.at(total, _in_numpys(index) if type(total) is np.ndarray else index, values)
        return
    values = np.asarray(values)
    if total.ndim == len(parts) == 1 and np.ndim(parts[0]) and not is_mask(parts[0]):
        place = np.shape(parts[0])
        np.add.at(total, np.ravel(parts[0]), np.ravel(np.broadcast_to(values, place)))
        return
    lead = total.shape[: _reach(parts, total.ndim)]
    size, block = math.prod(lead), math.prod(total.shape[len(lead) :])
    count = max(values.size, *[np.size(part) for part in parts])
    if count <= _SMALL or size > _SPARSE * count or not total.flags.c_contiguous:
        np.add.at(total, parts[0] if len(parts) == 1 else parts, values)
        return
    positions = np.arange(size).reshape(lead)[parts]
    place = (*positions.shape, *total.shape[len(lead) :])
    if block != 1:
        positions = np.add.outer(positions * block, np.arange(block))
    np.add.at(np.reshape(total, -1), np.ravel(positions), np.ravel(np.broadcast_to(values, place)))
