"""Indexing of all examples at once: the index that means the given index in each example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import Tensor
from .array import Batched, BatchingError, Level, RaggedError, aligned, innermost, is_of, refused, spread

Array = Any


def get(array: Batched, index: Any) -> Array:
    """``array[index]`` in each example."""
    level = innermost([array, index])
    assert level is not None
    full, arrange, _ = batched_index(index, array.shape, level)
    return Batched(arrange(spread(array, level)[full]), level)


def put(array: Batched, index: Any, value: Any) -> None:
    """``array[index] = value`` in each example."""
    level = array.level
    if innermost([array, index, value]) is not level:
        raise refused("writing an inner example into an outer array", "build the result with np.where or np.stack")
    full, arrange, back = batched_index(index, array.shape, level)
    if type(value) in (int, float):  # a plain 0 stays one: it says that what was there is left out
        array.held[full] = value
        return
    slot = arrange(shaped(array.held)[full]).shape
    new = aligned(value, level, len(slot) - 1)
    extra = np.ndim(new) - len(slot)
    if extra > 0:  # an assignment leaves out leading axes of length 1
        first = 1 if is_of(value, level) else 0
        new = np.squeeze(new, axis=tuple(range(first, first + extra)))
    array.held[full] = back(np.broadcast_to(new, slot))


def shaped(held: Array) -> Array:
    """An array of the same shape without memory, to find the shape of an indexing result."""
    return np.broadcast_to(np.False_, held.shape) if type(held) is np.ndarray else held


def _same(array: Array) -> Array:
    return array


Mover = Callable[[Array], Array]


def batched_index(index: Any, shape: tuple[int, ...], level: Level) -> tuple[Any, Mover, Mover]:
    """The index into all examples that means ``index`` in each.

    Also returns a function that moves the axis of examples to the front of the result, and the inverse function.
    """
    parts = list(index) if type(index) is tuple else [index]
    parts = [_listed(p) if type(p) is list and not any(type(x) is Batched for x in p) else p for p in parts]
    if any(type(p) is list for p in parts):
        raise BatchingError("vmap: an index that is a list of examples' numbers; make it one array with np.stack")
    if any(type(p) is Tensor for p in parts):
        parts = [p._value if type(p) is Tensor else p for p in parts]
    if any(is_of(p, level) for p in parts):
        return _gathering(parts, shape, level)
    arrays = [i for i, p in enumerate(parts) if _is_array(p)]
    if not arrays:
        return (slice(None), *parts), _same, _same
    # among arrays, plain numbers count as arrays: x[0, :, [1, 2]] puts the arrays' axes first
    places = [i for i, p in enumerate(parts) if _is_array(p) or isinstance(p, int | np.integer)]
    if places[-1] - places[0] == len(places) - 1:
        return (slice(None), *parts), _same, _same
    first = len(np.broadcast_shapes(*[s for i in places for s in _index_shapes(parts[i])]))
    return (
        (slice(None), *parts),
        lambda result: np.moveaxis(result, first, 0),
        lambda result: np.moveaxis(result, 0, first),
    )


def _listed(part: list[Any]) -> Array:
    """A list in an index, as NumPy reads it: an empty list selects no element."""
    return np.asarray(part) if part else np.zeros(0, np.intp)


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray | Batched | bool | np.bool_)


def _is_mask(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype.kind == "b"


def _index_shapes(part: Any) -> list[tuple[int, ...]]:
    if _is_mask(part):
        return [(int(np.count_nonzero(part)),)]
    return [np.shape(part)]


def _gathering(parts: list[Any], shape: tuple[int, ...], level: Level) -> tuple[Any, Mover, Mover]:
    """An index that differs between examples: each example reads from its own row."""
    is_apart = not _adjoin(parts)
    parts = _expanded(parts, len(shape))
    places = [i for i, p in enumerate(parts) if p is not None and not isinstance(p, slice)]
    ndim = max(np.ndim(parts[i]) for i in places)
    rows = np.arange(level.size).reshape((-1,) + (1,) * ndim)
    full = (rows, *[p if p is None or isinstance(p, slice) else aligned(p, level, ndim) for p in parts])
    before = places[0]
    if before == 0 or is_apart:
        return full, _same, _same  # the arrays' axes come first, in one example too
    source, target = tuple(range(1, 1 + ndim)), tuple(range(1 + before, 1 + before + ndim))
    return (
        full,
        lambda result: np.moveaxis(result, source, target),
        lambda result: np.moveaxis(result, target, source),
    )


def _adjoin(parts: list[Any]) -> bool:
    """Whether the arrays and integers of an index are adjacent; an Ellipsis separates them, even for no axes."""
    places = [i for i, p in enumerate(parts) if p is not None and p is not Ellipsis and not isinstance(p, slice)]
    return places[-1] - places[0] == len(places) - 1


def _expanded(parts: list[Any], ndim: int) -> list[Any]:
    """The parts of an index without an Ellipsis; masks are replaced by the positions of their true elements."""
    plain: list[Any] = []
    for part in parts:
        if _is_mask(part):
            if type(part) is Batched:
                raise RaggedError(
                    "vmap: x[mask] with a mask that differs between examples has results of different lengths; "
                    "use np.where(mask, x, 0)"
                )
            plain.extend(np.nonzero(part))
        else:
            plain.append(part)
    used = sum(part is not None and part is not Ellipsis for part in plain)
    if used > ndim:
        raise IndexError(f"getitem: {used} indices for an array of {ndim} axes")
    if not any(part is Ellipsis for part in plain):
        return plain
    place = next(i for i, part in enumerate(plain) if part is Ellipsis)
    return [*plain[:place], *(slice(None),) * (ndim - used), *plain[place + 1 :]]
