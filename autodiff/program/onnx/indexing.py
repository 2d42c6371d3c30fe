"""Indices, and what is written in place."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..exporting import LackingError
from .builder import Builder, Tensor, elements
from .elementwise import where
from .shapes import sliced
from .table import Call, emits, rank, tensor

Array = Any


def is_array(part: Any) -> bool:
    """Whether a part of an index is an array."""
    return isinstance(part, Tensor | np.ndarray | list)


def parts_of(b: Builder, index: Any, axes: int) -> list[Any]:
    """The index, one part an axis, and None for new ones; constant masks are positions."""
    parts: list[Any] = []
    for part in index if type(index) is tuple else (index,):
        part = b.arrays.get(part.name, part) if isinstance(part, Tensor) else part
        if isinstance(part, Tensor):
            if part.dtype == bool:
                raise LackingError("how many elements a mask chooses depends on values; write np.where(mask, x, other)")
            parts.append(part)
        elif part is None or part is Ellipsis or isinstance(part, slice):
            parts.append(part)
        else:
            array = np.asarray(part)
            if array.dtype == bool and not array.ndim:
                raise LackingError("True and False as an index are not exported; write x[None]")
            parts += np.nonzero(array) if array.dtype == bool else [array if array.ndim else int(array)]
    missing = axes - sum(part is not None and part is not Ellipsis for part in parts)
    at = next((n for n, part in enumerate(parts) if part is Ellipsis), None)
    if at is None:
        return parts + [slice(None)] * missing
    return parts[:at] + [slice(None)] * missing + parts[at + 1 :]


@emits(operator.getitem)
def chosen(call: Call, array: Any, index: Any) -> Tensor:
    """``array[index]``."""
    b, t = call.b, tensor(call.b, array)
    parts = parts_of(b, index, rank(t))
    new = [n for n, part in enumerate(parts) if part is None]
    if new:
        shape = _with_ones(t.shape, new)
        t = b.op("Unsqueeze", t, b.ints(*new), shape=shape)
        parts = [slice(None) if part is None else part for part in parts]
    t = sliced(call, t, {n: p for n, p in enumerate(parts) if isinstance(p, slice) and p != slice(None)})
    at = [n for n, part in enumerate(parts) if is_array(part)]
    if not at:
        for n in reversed([n for n, part in enumerate(parts) if isinstance(part, int)]):
            t = b.op("Gather", t, b.constant(parts[n], np.int64), axis=n)
        return t
    at = [n for n, part in enumerate(parts) if not isinstance(part, slice)]
    if len(at) == 1:
        return b.op("Gather", t, tensor(b, parts[at[0]], np.int64), axis=at[0])
    return _at_points(call, t, parts, at, new)


def _with_ones(shape: tuple[int, ...] | None, new: list[int]) -> tuple[int, ...] | None:
    if shape is None:
        return None
    found = list(shape)
    for n in new:
        found.insert(n, 1)
    return tuple(found)


def _at_points(call: Call, t: Tensor, parts: list[Any], at: list[int], new: list[int]) -> Tensor:
    """Elements at positions along several axes."""
    b = call.b
    arrays = [parts[n] for n in at]
    shapes = [p.shape if isinstance(p, Tensor) else np.shape(p) for p in arrays]
    if all(not isinstance(p, Tensor) for p in arrays):
        points: Any = b.constant(np.stack(np.broadcast_arrays(*arrays), axis=-1), np.int64)
        depth = len(points.shape) - 1
    else:
        together = np.broadcast_shapes(*[s or () for s in shapes])
        each = [tensor(b, p, np.int64) for p in arrays]
        if any(s != together for s in shapes):
            call.fixed()
            each = [b.expand(e, together) for e in each]
        points = b.op("Concat", *[b.op("Unsqueeze", e, b.ints(-1)) for e in each], axis=-1)
        depth = len(together)
    rest = [n for n in range(len(parts)) if n not in at]
    found = b.op("GatherND", b.transpose(t, at + rest), points, dtype=t.dtype)
    if at != list(range(at[0], at[0] + len(at))):
        return found
    first = at[0]  # neighbours: their axes stay where they were
    order = [*range(depth, depth + first), *range(depth), *range(depth + first, depth + len(rest))]
    return b.transpose(found, order)


@emits(np.take)
def _take(call: Call, a: Any, indices: Any, axis: Any = None, out: None = None, mode: str = "raise") -> Tensor:
    b, t, places = call.b, tensor(call.b, a), tensor(call.b, indices, np.int64)
    shape = call.operand().shape
    t = b.flat(t) if axis is None else t
    if mode != "raise":
        call.fixed()
        last = b.constant(elements(shape) if axis is None else shape[axis], np.int64)
        zero, one = b.constant(0, np.int64), b.constant(1, np.int64)
        clipped = mode == "clip"
        places = (
            b.op("Max", b.op("Min", places, b.op("Sub", last, one)), zero) if clipped else b.op("Mod", places, last)
        )
    return b.op("Gather", t, places, axis=0 if axis is None else int(axis))


@emits(np.take_along_axis)
def _take_along_axis(call: Call, arr: Any, indices: Any, axis: Any = -1) -> Tensor:
    b, t, places = call.b, tensor(call.b, arr), tensor(call.b, indices, np.int64)
    if axis is None:
        return b.op("GatherElements", b.flat(t), places, axis=0)
    call.fixed()
    assert t.shape is not None
    assert places.shape is not None
    axis = int(axis) % rank(t)
    shape = list(np.broadcast_shapes(*[(*s[:axis], 1, *s[axis + 1 :]) for s in (t.shape, places.shape)]))
    wide = [[*shape[:axis], s[axis], *shape[axis + 1 :]] for s in (t.shape, places.shape)]
    return b.op("GatherElements", b.expand(t, wide[0]), b.expand(places, wide[1]), axis=axis)


# -- in place ---------------------------------------------------------------------------------------------------------


def put(b: Builder, t: Tensor, index: Any, value: Any) -> Tensor:
    """``t[index] = value``, as a new tensor."""
    value = tensor(b, value, t.dtype)
    parts = index if type(index) is tuple else (index,)
    masks = [p for p in parts if isinstance(p, Tensor) and p.dtype == bool and p.name not in b.arrays]
    if masks:
        if type(index) is tuple or value.shape != ():
            raise LackingError("a mask that depends on values takes one number; write np.where(mask, value, x)")
        mask = masks[0]
        for _ in range(rank(t) - rank(mask)):
            mask = b.op("Unsqueeze", mask, b.ints(-1), shape=(*(mask.shape or ()), 1))
        return where(b, mask, value, t)._replace(shape=t.shape)
    return put_at(b, t, _positions(b, t, index), value, None)


def add_at(b: Builder, t: Tensor, index: Any, value: Any) -> Tensor:
    """``np.add.at(t, index, value)``, as a new tensor."""
    return put_at(b, t, _positions(b, t, index), tensor(b, value, t.dtype), "add")


def _positions(b: Builder, t: Tensor, index: Any) -> Array:
    assert t.shape is not None
    parts = parts_of(b, index, rank(t))
    if any(isinstance(p, Tensor) for p in parts):
        raise LackingError("writing at positions that depend on values is not exported; write np.where(mask, value, x)")
    return np.arange(elements(t.shape)).reshape(t.shape)[tuple(parts)]


def put_at(b: Builder, t: Tensor, positions: Array, value: Tensor, reduction: str | None) -> Tensor:
    """The tensor with values at constant positions, counted in C order; of a place named twice, the last stays."""
    assert t.shape is not None
    if reduction is None and np.array_equal(positions.ravel(), np.arange(elements(t.shape))):
        return b.reshape(b.expand(value, positions.shape), t.shape)
    value = b.flat(b.expand(_without_ones(b, value, positions.ndim), positions.shape))
    flat = positions.ravel()
    if reduction is None and len(np.unique(flat)) < len(flat):
        _, last = np.unique(flat[::-1], return_index=True)
        kept = np.sort(len(flat) - 1 - last)
        value, flat = b.op("Gather", value, b.constant(kept, np.int64), axis=0), flat[kept]
    options: dict[str, Any] = {} if reduction is None else {"reduction": reduction}
    found = b.op("ScatterElements", b.flat(t), b.constant(flat, np.int64), value, axis=0, **options)
    return b.reshape(found, t.shape)


def _without_ones(b: Builder, t: Tensor, axes: int) -> Tensor:
    """Without first axes of length 1, which NumPy leaves away."""
    while t.shape is not None and len(t.shape) > axes:
        t = b.reshape(t, t.shape[1:])
    return t
