"""Sums, means, extremes, and what runs along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exporting import LackingError
from .builder import Tensor, elements
from .elementwise import maximum, minimum, where
from .shapes import sliced
from .table import Call, emits, is_plain, rank, tensor

_KINDS: dict[Any, str] = {
    np.sum: "ReduceSum", np.mean: "ReduceMean", np.max: "ReduceMax", np.min: "ReduceMin", np.prod: "ReduceProd",
}  # fmt: skip


def axes_of(t: Tensor, axis: Any) -> list[int]:
    """The axes, counted from the first."""
    given = range(rank(t)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [int(a) % max(rank(t), 1) for a in given]


def reduced(call: Call, kind: str, t: Tensor, axis: Any, keepdims: Any) -> Tensor:
    """A reduction along axes."""
    axes = axes_of(t, axis)
    keep = int(keepdims is True)
    return call.b.op(kind, t, call.b.ints(*axes), keepdims=keep, noop_with_empty_axes=1) if rank(t) else t


@emits(np.sum, np.mean, np.prod)
def _sum(
    call: Call, a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False,
    initial: Any = np._NoValue, where: Any = np._NoValue,
) -> Tensor:  # fmt: skip
    b, t = call.b, tensor(call.b, a, call.dtype)
    neutral = 1 if call.function is np.prod else 0
    if call.function is np.mean:
        _refuse(where=where)
    else:
        t = _masked(call, t, where, neutral)
    found = reduced(call, _KINDS[call.function], t, axis, keepdims)
    if initial is np._NoValue or initial is None:
        return found
    return b.op("Mul" if neutral else "Add", found, tensor(b, initial, t.dtype))


def _masked(call: Call, t: Tensor, mask: Any, neutral: int) -> Tensor:
    """The elements that count, and for the others what does not."""
    if mask is np._NoValue or mask is True:
        return t
    return _where(call, tensor(call.b, mask, bool), t, call.b.constant(neutral, t.dtype))._replace(shape=t.shape)


@emits(np.max, np.min)
def _max(
    call: Call, a: Any, axis: Any = None, out: None = None, keepdims: Any = False, initial: Any = np._NoValue,
    where: Any = np._NoValue,
) -> Tensor:  # fmt: skip
    """The largest; NaN if one is NaN, which ONNX leaves open."""
    _refuse(where=where)
    initial = None if initial is np._NoValue else initial
    b, t = call.b, tensor(call.b, a)
    if t.dtype == bool:
        return _any(call, a, axis, out, keepdims)
    found = reduced(call, _KINDS[call.function], t, axis, keepdims)
    if t.dtype.kind != "f":
        if initial is None:
            return found
        return b.op(_KINDS[call.function][-3:], found, tensor(b, initial, t.dtype))
    if initial is not None and 0 in call.operand().shape:
        return b.expand(tensor(b, initial, t.dtype), call.dims)
    one = b.cast(b.op("IsNaN", t, dtype=np.dtype(bool), shape=t.shape), np.int32)
    some = b.cast(reduced(call, "ReduceMax", one, axis, keepdims), bool)
    found = _where(call, some, b.constant(np.nan, t.dtype), found)
    if initial is None:
        return found
    return (maximum if call.function is np.max else minimum)(b, found, tensor(b, initial, t.dtype))


def _where(call: Call, condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return where(call.b, condition, one, other)


@emits(np.any, np.all)
def _any(
    call: Call, a: Any, axis: Any = None, out: None = None, keepdims: Any = False, *, where: Any = np._NoValue
) -> Tensor:
    b = call.b
    kind = "ReduceMin" if call.function in (np.all, np.min) else "ReduceMax"
    t = b.cast(_masked(call, tensor(b, a, bool), where, int(kind == "ReduceMin")), np.int32)
    if call.operand().shape and 0 in call.operand().shape:
        return b.expand(b.constant(kind == "ReduceMin"), call.dims)
    return b.cast(reduced(call, kind, t, axis, keepdims), bool)


@emits(np.nansum, np.nanmean)
def _nansum(
    call: Call, a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False,
    initial: Any = np._NoValue, where: Any = np._NoValue,
) -> Tensor:  # fmt: skip
    _refuse(initial=initial, where=where)
    b, t = call.b, tensor(call.b, a, call.dtype)
    there = b.op("Not", b.op("IsNaN", t, dtype=np.dtype(bool)), shape=t.shape)
    found = reduced(call, "ReduceSum", _masked(call, t, there, 0), axis, keepdims)
    if call.function is np.nansum:
        return found
    return b.op("Div", found, reduced(call, "ReduceSum", b.cast(there, t.dtype), axis, keepdims))


@emits(np.nanmax, np.nanmin)
def _nanmax(
    call: Call, a: Any, axis: Any = None, out: None = None, keepdims: Any = False, initial: Any = np._NoValue,
    where: Any = np._NoValue,
) -> Tensor:  # fmt: skip
    """NaN only if all are."""
    _refuse(initial=initial, where=where)
    b, t = call.b, tensor(call.b, a)
    sign, kind = (-1, "ReduceMax") if call.function is np.nanmax else (1, "ReduceMin")
    missing = b.op("IsNaN", t, dtype=np.dtype(bool), shape=t.shape)
    rest = _where(call, missing, b.constant(sign * np.inf, t.dtype), t)._replace(shape=t.shape)
    every = b.cast(reduced(call, "ReduceMin", b.cast(missing, np.int32), axis, keepdims), bool)
    return _where(call, every, b.constant(np.nan, t.dtype), reduced(call, kind, rest, axis, keepdims))


@emits(np.var, np.std)
def _var(
    call: Call, a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: Any = False,
    **options: Any,
) -> Tensor:  # fmt: skip
    if not is_plain(options):
        raise LackingError(f"an option that is not exported ({', '.join(options)})")
    b, t = call.b, tensor(call.b, a, call.dtype)
    off = b.op("Sub", t, reduced(call, "ReduceMean", t, axis, True), shape=t.shape)
    found = reduced(call, "ReduceMean", b.op("Mul", off, off, shape=t.shape), axis, keepdims)
    if ddof:
        call.fixed()
        assert t.shape is not None
        count = elements([t.shape[n] for n in axes_of(t, axis)])
        found = b.op("Mul", found, b.constant(count / (count - ddof), t.dtype))
    return b.op("Sqrt", found) if call.function is np.std else found


@emits(np.linalg.norm)
def _norm(call: Call, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Tensor:  # noqa: A002
    t = tensor(call.b, x, call.dtype)
    axes = axes_of(t, axis)
    matrix = len(axes) == 2 and (axis is not None or ord is not None)
    if matrix and ord not in (None, "fro"):
        raise LackingError(f"ord={ord!r} of matrices is not exported")
    return _power_norm(call, t, 2 if ord is None or matrix else ord, axis, keepdims)


@emits(np.linalg.vector_norm)
def _vector_norm(call: Call, x: Any, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Tensor:  # noqa: A002
    return _power_norm(call, tensor(call.b, x, call.dtype), ord, axis, keepdims)


def _power_norm(call: Call, t: Tensor, power: Any, axis: Any, keepdims: Any) -> Tensor:
    """The root of the sum of the powers of the absolute values."""
    b = call.b
    if power in (1, 2):
        return reduced(call, f"ReduceL{int(power)}", t, axis, keepdims)
    size = b.op("Abs", t, shape=t.shape)
    if power in (np.inf, -np.inf):
        return reduced(call, "ReduceMax" if power > 0 else "ReduceMin", size, axis, keepdims)
    if not isinstance(power, int | float) or power == 0:
        raise LackingError(f"ord={power!r} is not exported")
    powers = b.op("Pow", size, b.constant(power, t.dtype), shape=t.shape)
    return b.op("Pow", reduced(call, "ReduceSum", powers, axis, keepdims), b.constant(1 / power, t.dtype))


@emits(np.argmax, np.argmin)
def _argmax(call: Call, a: Any, axis: Any = None, out: None = None, *, keepdims: Any = False) -> Tensor:
    b, t = call.b, tensor(call.b, a)
    t = b.cast(t, np.int32) if t.dtype == bool else t
    kind = "ArgMax" if call.function is np.argmax else "ArgMin"
    t, along = (b.flat(t)._replace(shape=(1,)), 0) if axis is None else (t, int(axis))
    found = b.op(kind, t, dtype=np.dtype(np.int64), axis=along, keepdims=1)
    if t.dtype.kind == "f":  # the first NaN, if there is one, which ONNX leaves open
        missing = b.cast(b.op("IsNaN", t, dtype=np.dtype(bool), shape=t.shape), np.int32)
        some = b.cast(reduced(call, "ReduceMax", missing, along, True), bool)
        first = b.op("ArgMax", missing, dtype=np.dtype(np.int64), axis=along, keepdims=1)
        found = _where(call, some, first, found)
    return b.reshape(found, call.dims)


@emits(np.count_nonzero)
def _count(call: Call, a: Any, axis: Any = None, *, keepdims: Any = False) -> Tensor:
    b = call.b
    return reduced(call, "ReduceSum", b.cast(tensor(b, a, bool), np.int64), axis, keepdims)


@emits(np.cumsum)
def _cumsum(call: Call, a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Tensor:
    b, t = call.b, tensor(call.b, a, call.dtype)
    t = b.flat(t) if axis is None else t
    return b.op("CumSum", t, b.constant(np.int64(0 if axis is None else axis)))


@emits(np.ptp)
def _ptp(call: Call, a: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Tensor:
    t = tensor(call.b, a)
    return call.b.op("Sub", *[reduced(call, kind, t, axis, keepdims) for kind in ("ReduceMax", "ReduceMin")])


def _sorted(call: Call, t: Tensor, axis: Any) -> list[Tensor]:
    b = call.b
    if axis is None:
        t, axis = b.reshape(t, (elements(t.shape or ()),)), 0
    call.fixed()
    assert t.shape is not None
    keys = t
    if t.dtype.kind == "f":  # NaN comes last
        missing = b.op("IsNaN", t, dtype=np.dtype(bool))
        keys = _where(call, missing, b.constant(np.inf, t.dtype), t)
    _, places = b.ops("TopK", 2, keys, b.ints(t.shape[axis]), axis=int(axis), largest=0, sorted=1)
    places = places._replace(dtype=np.dtype(np.int64))
    return [b.op("GatherElements", t, places, axis=int(axis)), places]


@emits(np.sort)
def _sort(call: Call, a: Any, axis: Any = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Tensor:
    return _sorted(call, tensor(call.b, a), axis)[0]


@emits(np.argsort)
def _argsort(call: Call, a: Any, axis: Any = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Tensor:
    return _sorted(call, tensor(call.b, a), axis)[1]


@emits(np.digitize)
def _digitize(call: Call, x: Any, bins: Any, right: bool = False) -> Tensor:
    """Bins that rise; how many edges are below."""
    return _searchsorted(call, bins, x, "left" if right else "right")


@emits(np.diff)
def _diff(call: Call, a: Any, n: int = 1, axis: int = -1, **options: Any) -> Tensor:
    if options.get("prepend", np._NoValue) is not np._NoValue or options.get("append", np._NoValue) is not np._NoValue:
        raise LackingError("prepend= and append= are not exported; join arrays with np.concatenate")
    b, t = call.b, tensor(call.b, a)
    for _ in range(n):
        axis = axis % rank(t)
        later = sliced(call, t, {axis: slice(1, None)})
        t = b.op("Sub", later, sliced(call, t, {axis: slice(None, -1)}), shape=later.shape)
    return t


@emits(np.searchsorted)
def _searchsorted(call: Call, a: Any, v: Any, side: str = "left", sorter: None = None) -> Tensor:
    """How many are smaller."""
    if sorter is not None:
        raise LackingError("sorter= is not exported; sort the array first")
    b = call.b
    dtype = np.result_type(*[o.dtype for o in call.instruction.operands])
    edges, wanted = tensor(b, a, dtype), b.op("Unsqueeze", tensor(b, v, dtype), b.ints(-1))
    kind = "Less" if side == "left" else "LessOrEqual"
    smaller = b.cast(b.op(kind, edges, wanted, dtype=np.dtype(bool)), np.int64)
    return b.op("ReduceSum", smaller, b.ints(-1), keepdims=0)


def _refuse(**options: Any) -> None:
    for name, value in options.items():
        if value is not np._NoValue and value is not True:
            raise LackingError(f"{name}= is not exported; write np.where(...) before")
