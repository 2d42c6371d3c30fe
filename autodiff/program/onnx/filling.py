"""Functions of elements that are no ufuncs, and arrays of one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..exporting import LackingError
from .builder import Tensor
from .elementwise import is_zero, maximum, minimum, truncated, where
from .table import Call, emits, tensor


@emits(np.where)
def _where(call: Call, condition: Any, *sides: Any) -> Tensor:
    if len(sides) != 2:
        raise LackingError("the positions of what is True are not exported; write np.where(condition, x, y)")
    one, other = (tensor(call.b, side, call.dtype) for side in sides)
    return where(call.b, tensor(call.b, condition, bool), one, other)


@emits(np.clip)
def _clip(call: Call, a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:  # noqa: A002
    low, high = a_min if min is None else min, a_max if max is None else max
    found: Tensor = tensor(call.b, a, call.dtype)
    for bound, within in ((low, maximum), (high, minimum)):
        if bound is not None and bound is not np._NoValue:
            found = within(call.b, found, tensor(call.b, bound, call.dtype))
    return found


@emits(np.round, np.around)
def _round(call: Call, a: Any, decimals: int = 0, out: None = None) -> Tensor:
    b, x = call.b, tensor(call.b, a, call.dtype)
    if x.dtype.kind != "f":
        if decimals < 0:
            raise LackingError("whole numbers are not rounded to tens; write x // 10 * 10")
        return x
    scale = b.constant(10.0 ** abs(decimals), x.dtype)
    there, back = ("Mul", "Div") if decimals >= 0 else ("Div", "Mul")
    return b.op("Round", x) if decimals == 0 else b.op(back, b.op("Round", b.op(there, x, scale)), scale)


@emits(np.nan_to_num)
def _nan_to_num(
    call: Call, x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Tensor:
    b, t = call.b, tensor(call.b, x, call.dtype)
    if t.dtype.kind != "f":
        return t
    limits = np.finfo(t.dtype)
    found = where(b, b.op("IsNaN", t, dtype=np.dtype(bool)), b.constant(nan, t.dtype), t)
    for number, limit, given in ((np.inf, limits.max, posinf), (-np.inf, limits.min, neginf)):
        is_there = b.op("Equal", t, b.constant(number, t.dtype), dtype=np.dtype(bool))
        found = where(b, is_there, b.constant(limit if given is None else given, t.dtype), found)
    return found


@emits(np.sinc)
def _sinc(call: Call, x: Any) -> Tensor:
    b = call.b
    turned = b.op("Mul", tensor(b, x, call.dtype), b.constant(math.pi, call.dtype))
    zero = is_zero(b, turned)
    safe = where(b, zero, b.constant(1, call.dtype), turned)
    return where(b, zero, b.constant(1, call.dtype), b.op("Div", b.op("Sin", safe), safe))


@emits(np.isposinf, np.isneginf)
def _is_infinite(call: Call, x: Any, out: None = None) -> Tensor:
    number = np.inf if call.instruction.function is np.isposinf else -np.inf
    t = tensor(call.b, x)
    return call.b.op("Equal", t, call.b.constant(number, t.dtype), dtype=np.dtype(bool))


@emits(np.isreal, np.iscomplex)
def _is_real(call: Call, x: Any) -> Tensor:
    return call.b.expand(call.b.constant(call.instruction.function is np.isreal), call.dims)


@emits(np.real, np.fix)
def _as_it_is(call: Call, x: Any) -> Tensor:
    t = tensor(call.b, x, call.dtype)
    return truncated(call.b, t) if call.instruction.function is np.fix else t


@emits(np.imag, np.zeros_like, np.empty_like, np.ones_like)
def _filled(call: Call, x: Any, *args: Any, **kwargs: Any) -> Tensor:
    number = 1 if call.instruction.function is np.ones_like else 0
    return call.b.expand(call.b.constant(number, call.dtype), call.dims)


@emits(np.full_like)
def _full_like(call: Call, a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Tensor:
    return call.b.expand(tensor(call.b, fill_value, call.dtype), call.dims)


@emits(np.asarray, np.asanyarray, np.array, np.ascontiguousarray, np.asfortranarray, np.astype, np.copy, np.float16,
       np.float32, np.float64, np.int32, np.int64, np.bool)  # fmt: skip
def _same(call: Call, x: Any, *args: Any, **kwargs: Any) -> Tensor:
    return tensor(call.b, x, call.dtype)
