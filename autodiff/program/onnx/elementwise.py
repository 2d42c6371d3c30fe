"""Functions of elements."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..exporting import LackingError
from ..ufuncs import loop_of
from .builder import Builder, Tensor
from .table import Call, is_plain, tensor

Nodes = Callable[..., Tensor]

_ONE: dict[Any, str] = {
    np.exp: "Exp", np.log: "Log", np.sqrt: "Sqrt", np.tanh: "Tanh", np.sin: "Sin", np.cos: "Cos", np.tan: "Tan",
    np.arcsin: "Asin", np.arccos: "Acos", np.arctan: "Atan", np.sinh: "Sinh", np.cosh: "Cosh", np.arcsinh: "Asinh",
    np.arccosh: "Acosh", np.arctanh: "Atanh", np.absolute: "Abs", np.fabs: "Abs", np.negative: "Neg",
    np.floor: "Floor", np.ceil: "Ceil", np.rint: "Round", np.reciprocal: "Reciprocal", np.isnan: "IsNaN",
    np.isinf: "IsInf", np.logical_not: "Not", np.add: "Add", np.subtract: "Sub", np.multiply: "Mul", np.equal: "Equal",
    np.less: "Less", np.greater: "Greater", np.less_equal: "LessOrEqual", np.greater_equal: "GreaterOrEqual",
    np.logical_and: "And", np.logical_or: "Or", np.logical_xor: "Xor", np.matmul: "MatMul",
}  # fmt: skip
"""Functions that are one node."""
_OF_BOOLEANS = {np.bitwise_and: "And", np.bitwise_or: "Or", np.bitwise_xor: "Xor", np.invert: "Not"}
_OF_INTEGERS = {np.bitwise_and: "BitwiseAnd", np.bitwise_or: "BitwiseOr", np.bitwise_xor: "BitwiseXor",
                np.invert: "BitwiseNot"}  # fmt: skip
_SAME = (np.positive, np.conjugate)
_COMPARISONS = (np.less, np.greater, np.less_equal, np.greater_equal)
_TRUTHS = (np.logical_and, np.logical_or, np.logical_xor, np.logical_not)
_SCALED = {np.degrees: 180 / math.pi, np.rad2deg: 180 / math.pi, np.radians: math.pi / 180, np.deg2rad: math.pi / 180}


def of_ufunc(call: Call, ufunc: np.ufunc, args: tuple[Any, ...], kinds: tuple[Any, ...], kwargs: Any) -> Tensor:
    """A ufunc, with its operands in the dtypes of NumPy's loop."""
    b = call.b
    options = {name: value for name, value in kwargs.items() if name not in ("casting", "dtype")}
    if not is_plain(options) or len(args) > ufunc.nin:
        raise LackingError(f"an option that is not exported ({', '.join(options)})")
    loop = loop_of(ufunc, kinds, kwargs.get("dtype"))
    operands = [tensor(b, a, bool if ufunc in _TRUTHS else dtype) for a, dtype in zip(args, loop, strict=False)]
    made = loop[-1]
    first = operands[0]
    if ufunc in _SAME:
        return b.op("Identity", first)
    if ufunc in _OF_BOOLEANS:
        return b.op((_OF_BOOLEANS if first.dtype == bool else _OF_INTEGERS)[ufunc], *operands)
    if first.dtype == bool and ufunc in (*_COMPARISONS, np.add, np.multiply, np.maximum, np.minimum):
        kind = {np.add: "Or", np.maximum: "Or", np.multiply: "And", np.minimum: "And"}.get(ufunc)
        if kind:
            return b.op(kind, *operands)
        operands = [b.cast(o, np.int32) for o in operands]
    if ufunc in _ONE:
        return b.op(_ONE[ufunc], *operands, dtype=made)
    if ufunc in _SCALED:
        return b.op("Mul", first, b.constant(_SCALED[ufunc], made))
    found = _COMPOSED.get(ufunc) or (_SCIPY.get(ufunc.__name__) if getattr(np, ufunc.__name__, None) is None else None)
    if found is None:
        raise LackingError("ONNX has no such function; write it with functions that it has (add, exp, where, ...)")
    return found(b, *operands)


# -- several nodes ----------------------------------------------------------------------------------------------------


def _like(b: Builder, number: float, t: Tensor) -> Tensor:
    return b.constant(number, t.dtype)


def is_zero(b: Builder, x: Tensor) -> Tensor:
    """Whether elements are 0."""
    return b.op("Equal", x, _like(b, 0, x), dtype=np.dtype(bool))


def _test(b: Builder, kind: str, *inputs: Tensor) -> Tensor:
    return b.op(kind, *inputs, dtype=np.dtype(bool))


def where(b: Builder, condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """One where the condition holds, the other elsewhere."""
    if one.dtype == bool:  # ONNX Runtime has no such node for these
        sides = _test(b, "And", condition, one), _test(b, "And", b.op("Not", condition), other)
        return _test(b, "Or", *sides)
    return b.op("Where", condition, one, other, dtype=one.dtype)


def _divide(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.op("Div", x, y)


def _square(b: Builder, x: Tensor) -> Tensor:
    return b.op("Mul", x, x)


def _power(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.op("Pow", x, y)


def _maximum(kind: str) -> Nodes:
    """NaN wins, which ONNX leaves open."""

    def largest(b: Builder, x: Tensor, y: Tensor) -> Tensor:
        found = b.op(kind, x, y)
        if x.dtype.kind != "f":
            return found
        for t in (y, x):
            if t.name not in b.arrays or np.any(np.isnan(b.arrays[t.name])):
                found = where(b, _test(b, "IsNaN", t), t, found)
        return found

    return largest


maximum, minimum = _maximum("Max"), _maximum("Min")


def _fmax(kind: str) -> Nodes:
    """NaN loses."""

    def largest(b: Builder, x: Tensor, y: Tensor) -> Tensor:
        if x.dtype.kind != "f":
            return b.op(kind, x, y)
        found = where(b, _test(b, "IsNaN", y), x, b.op(kind, x, y))
        return where(b, _test(b, "IsNaN", x), y, found)

    return largest


def _sign(b: Builder, x: Tensor) -> Tensor:
    found = b.op("Sign", x)
    return where(b, _test(b, "IsNaN", x), x, found) if x.dtype.kind == "f" else found


def _signbit(b: Builder, x: Tensor) -> Tensor:
    negative = _test(b, "Less", x, _like(b, 0, x))
    if x.dtype.kind != "f":
        return negative
    of_zero = _test(b, "Less", b.op("Reciprocal", x), _like(b, 0, x))
    return _test(b, "Or", negative, _test(b, "And", is_zero(b, x), of_zero))


def _copysign(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    size = b.op("Abs", x)
    return where(b, _signbit(b, y), b.op("Neg", size), size)


def truncated(b: Builder, x: Tensor) -> Tensor:
    """The whole part."""
    return where(b, _test(b, "Less", x, _like(b, 0, x)), b.op("Ceil", x), b.op("Floor", x))


def _expm1(b: Builder, x: Tensor) -> Tensor:
    """tanh(x / 2) (exp(x) + 1), which keeps its digits near 0."""
    half = b.op("Tanh", b.op("Mul", x, _like(b, 0.5, x)))
    return b.op("Mul", half, b.op("Add", b.op("Exp", x), _like(b, 1, x)))


def log1p(b: Builder, x: Tensor) -> Tensor:
    """log(u) x / (u - 1) of u = 1 + x, which keeps its digits near 0."""
    one = _like(b, 1, x)
    u = b.op("Add", x, one)
    log = b.op("Log", u)
    found = b.op("Mul", log, b.op("Div", x, b.op("Sub", u, one)))
    found = where(b, _test(b, "IsInf", u), log, found)
    return where(b, _test(b, "Equal", u, one), x, found)


def _logaddexp(base: float) -> Nodes:
    def together(b: Builder, x: Tensor, y: Tensor) -> Tensor:
        scale = _like(b, math.log(base), x)
        less = b.op("Neg", b.op("Mul", b.op("Abs", b.op("Sub", x, y)), scale))
        more = b.op("Div", log1p(b, b.op("Exp", less)), scale)
        found = b.op("Add", b.op("Max", x, y), more)
        return where(
            b, _test(b, "Equal", x, y), b.op("Add", x, b.constant(math.log(2) / math.log(base), x.dtype)), found
        )

    return together


def _scaled_log(base: float) -> Nodes:
    return lambda b, x: b.op("Div", b.op("Log", x), _like(b, math.log(base), x))


def _cbrt(b: Builder, x: Tensor) -> Tensor:
    return b.op("Mul", b.op("Sign", x), b.op("Pow", b.op("Abs", x), _like(b, 1 / 3, x)))


def _hypot(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """The larger times sqrt(1 + r²), so that no square overflows."""
    x, y = b.op("Abs", x), b.op("Abs", y)
    large = maximum(b, x, y)
    ratio = b.op("Div", b.op("Min", x, y), large)
    root = b.op("Sqrt", b.op("Add", b.op("Mul", ratio, ratio), _like(b, 1, x)))
    found = where(b, is_zero(b, large), large, b.op("Mul", large, root))
    infinite = _test(b, "Or", _test(b, "IsInf", x), _test(b, "IsInf", y))
    return where(b, infinite, _like(b, math.inf, x), found)


def remainder(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """The remainder, with the sign of the divisor."""
    if x.dtype.kind != "f":
        return b.op("Mod", x, y)
    left = b.op("Mod", x, y, fmod=1)
    zero = _like(b, 0, x)
    other = _test(b, "Xor", _test(b, "Less", left, zero), _test(b, "Less", y, zero))
    wrong = _test(b, "And", other, _test(b, "Not", is_zero(b, left)))
    return where(b, wrong, b.op("Add", left, y), left)


def _floor_divide(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    quotient = b.op("Div", b.op("Sub", x, remainder(b, x, y)), y)
    return b.op("Round", quotient) if x.dtype.kind == "f" else quotient


def _isfinite(b: Builder, x: Tensor) -> Tensor:
    if x.dtype.kind != "f":
        return _test(b, "Equal", x, x)
    return _test(b, "Not", _test(b, "Or", _test(b, "IsNaN", x), _test(b, "IsInf", x)))


def _heaviside(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    found = where(b, _test(b, "Less", x, _like(b, 0, x)), _like(b, 0, x), _like(b, 1, x))
    found = where(b, is_zero(b, x), y, found)
    return where(b, _test(b, "IsNaN", x), x, found)


def _vecdot(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.op("ReduceSum", b.op("Mul", x, y), b.ints(-1), keepdims=0)


def _matvec(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.op("Squeeze", b.op("MatMul", x, b.op("Unsqueeze", y, b.ints(-1))), b.ints(-1))


def _vecmat(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    return b.op("Squeeze", b.op("MatMul", b.op("Unsqueeze", x, b.ints(-2)), y), b.ints(-2))


_COMPOSED: dict[Any, Nodes] = {
    np.divide: _divide, np.square: _square, np.power: _power, np.float_power: _power, np.maximum: maximum,
    np.minimum: minimum, np.fmax: _fmax("Max"), np.fmin: _fmax("Min"), np.sign: _sign, np.signbit: _signbit,
    np.copysign: _copysign, np.trunc: truncated, np.expm1: _expm1, np.log1p: log1p, np.logaddexp: _logaddexp(math.e),
    np.logaddexp2: _logaddexp(2.0), np.log2: _scaled_log(2.0), np.log10: _scaled_log(10.0), np.cbrt: _cbrt,
    np.hypot: _hypot, np.remainder: remainder, np.floor_divide: _floor_divide, np.isfinite: _isfinite,
    np.heaviside: _heaviside, np.vecdot: _vecdot, np.matvec: _matvec, np.vecmat: _vecmat,
    np.fmod: lambda b, x, y: b.op("Mod", x, y, fmod=1),
    np.exp2: lambda b, x: b.op("Pow", _like(b, 2, x), x),
    np.not_equal: lambda b, x, y: _test(b, "Not", _test(b, "Equal", x, y)),
}  # fmt: skip
_SCIPY: dict[str, Nodes] = {
    "erf": lambda b, x: b.op("Erf", x),
    "erfc": lambda b, x: b.op("Sub", _like(b, 1, x), b.op("Erf", x)),
    "expit": lambda b, x: b.op("Sigmoid", x),
    "log1p": log1p,
}
