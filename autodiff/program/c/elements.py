"""Elements in C: the types of NumPy's dtypes, numbers as one writes them, and what a ufunc computes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

TYPES: dict[Any, str] = {
    np.dtype(np.float32): "float", np.dtype(np.float64): "double", np.dtype(np.bool_): "uint8_t",
    np.dtype(np.int8): "int8_t", np.dtype(np.int16): "int16_t", np.dtype(np.int32): "int32_t",
    np.dtype(np.int64): "int64_t", np.dtype(np.uint8): "uint8_t", np.dtype(np.uint16): "uint16_t",
    np.dtype(np.uint32): "uint32_t", np.dtype(np.uint64): "uint64_t",
}  # fmt: skip
"""The dtypes that C has; others stay with NumPy."""
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
BOOL = np.dtype(np.bool_)


def local_type(dtype: Any) -> str:
    """The type of a variable: a truth value is an int, as C's comparisons give it."""
    return "int" if dtype == BOOL else TYPES[dtype]


def unsigned(dtype: Any) -> str:
    """The type in which sums of whole numbers are made, not smaller than an int."""
    return "uint64_t" if dtype.itemsize == 8 else "uint32_t"


def number(value: Any, dtype: Any) -> str:
    """A number as C reads it, to the last bit."""
    if dtype.kind != "f":
        text = str(int(bool(value) if dtype == BOOL else value))
        if dtype == np.dtype(np.int64) and int(value) == np.iinfo(np.int64).min:
            return "INT64_MIN"
        return f"{text}ull" if dtype == np.dtype(np.uint64) else text if abs(int(value)) < 2**31 else f"{text}ll"
    with np.errstate(over="ignore"):
        value = dtype.type(value)
    if value != value:
        return "NAN"
    if np.isinf(value):
        return "-INFINITY" if value < 0 else "INFINITY"
    mantissa, _, exponent = str(np.format_float_scientific(value, unique=True, trim="0")).partition("e")
    short = str(np.format_float_positional(value, unique=True, trim="0"))
    text = short if len(short) < 12 else f"{mantissa}e{int(exponent)}"
    return f"{text}f" if dtype == FLOATS[0] else text


def cast(text: str, have: Any, want: Any) -> str:
    """An expression of one dtype as another one."""
    if have == want:
        return text
    if want == BOOL:
        return f"({text} != 0)"
    return f"({TYPES[want]}){text}"


Template = str | Callable[[Any], str | None]
"""An expression of ``{0}`` and ``{1}``; ``{t}`` is ``f32`` or ``f64``, ``{f}`` the ending of C's own functions."""

_OWN = ("exp", "expm1", "log", "log1p", "tanh", "logaddexp", "logaddexp2", "maximum", "minimum", "fmax", "fmin", "sign",
        "heaviside", "remainder")  # fmt: skip
_LIBRARY = {
    "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh",
    "cosh": "cosh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "exp2": "exp2", "log2": "log2",
    "log10": "log10", "cbrt": "cbrt", "hypot": "hypot", "arctan2": "atan2", "fmod": "fmod", "power": "pow",
    "float_power": "pow", "nextafter": "nextafter",
}  # fmt: skip
_CHEAP = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint", "fabs": "fabs",
          "absolute": "fabs", "copysign": "copysign"}  # fmt: skip

OF_FLOATS: dict[Any, str] = {
    **{getattr(np, name): f"{name}_{{t}}({{0}})" for name in _OWN if getattr(np, name).nin == 1},
    **{getattr(np, name): f"{name}_{{t}}({{0}}, {{1}})" for name in _OWN if getattr(np, name).nin == 2},
    **{getattr(np, n): f"{c}{{f}}({{0}})" for n, c in (_LIBRARY | _CHEAP).items() if getattr(np, n).nin == 1},
    **{getattr(np, n): f"{c}{{f}}({{0}}, {{1}})" for n, c in (_LIBRARY | _CHEAP).items() if getattr(np, n).nin == 2},
    np.divide: "{0} / {1}", np.reciprocal: "1 / {0}", np.square: "{0} * {0}",
    np.isnan: "{0} != {0}", np.isinf: "fabs{f}({0}) == INFINITY", np.isfinite: "fabs{f}({0}) < INFINITY",
    np.signbit: "signbit({0}) != 0",
    np.deg2rad: "{0} * {radian}", np.radians: "{0} * {radian}",
    np.rad2deg: "{0} * {degree}", np.degrees: "{0} * {degree}",
}  # fmt: skip
OF_ALL: dict[Any, str] = {
    np.add: "{0} + {1}", np.subtract: "{0} - {1}", np.multiply: "{0} * {1}", np.negative: "-{0}",
    np.positive: "{0}", np.equal: "{0} == {1}", np.not_equal: "{0} != {1}", np.less: "{0} < {1}",
    np.less_equal: "{0} <= {1}", np.greater: "{0} > {1}", np.greater_equal: "{0} >= {1}",
    np.logical_and: "({0} != 0) & ({1} != 0)", np.logical_or: "({0} != 0) | ({1} != 0)",
    np.logical_xor: "({0} != 0) ^ ({1} != 0)", np.logical_not: "{0} == 0",
}  # fmt: skip
OF_WHOLE: dict[Any, str] = {
    np.add: "({c})(({u}){0} + ({u}){1})", np.subtract: "({c})(({u}){0} - ({u}){1})",
    np.multiply: "({c})(({u}){0} * ({u}){1})", np.negative: "({c})(0 - ({u}){0})",
    np.bitwise_and: "{0} & {1}", np.bitwise_or: "{0} | {1}", np.bitwise_xor: "{0} ^ {1}",
    np.maximum: "{0} > {1} ? {0} : {1}", np.minimum: "{0} < {1} ? {0} : {1}",
    np.square: "({c})(({u}){0} * ({u}){0})", np.absolute: "{0} < 0 ? ({c})(0 - ({u}){0}) : {0}",
    np.sign: "({0} > 0) - ({0} < 0)",
}  # fmt: skip
"""Beyond their range they go on at its other end, which C promises of unsigned numbers alone: ``{u}`` is that type."""
OF_TRUTHS: dict[Any, str] = {
    np.invert: "!{0}", np.add: "{0} | {1}", np.multiply: "{0} & {1}", np.maximum: "{0} | {1}",
    np.minimum: "{0} & {1}", np.bitwise_and: "{0} & {1}", np.bitwise_or: "{0} | {1}", np.bitwise_xor: "{0} ^ {1}",
}  # fmt: skip

SLOW = frozenset({getattr(np, name) for name in _LIBRARY} | {np.remainder, np.logaddexp2})
"""What C's library computes one by one; NumPy is faster where the arrays are large."""

OPERATORS: dict[Any, Any] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.divide,
    operator.neg: np.negative, operator.pos: np.positive, operator.abs: np.absolute, operator.pow: np.power,
    operator.eq: np.equal, operator.ne: np.not_equal, operator.lt: np.less, operator.le: np.less_equal,
    operator.gt: np.greater, operator.ge: np.greater_equal, operator.and_: np.bitwise_and, operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor, operator.invert: np.invert, operator.mod: np.remainder,
}  # fmt: skip
"""What an operator of NumPy's scalars computes."""


def template(function: Any, dtype: Any) -> str | None:
    """What a ufunc computes of elements of a dtype, as an expression of ``{0}`` and ``{1}``; None if C has no word."""
    if dtype.kind == "f":
        found = OF_FLOATS.get(function) or OF_ALL.get(function)
    elif dtype == BOOL:
        found = OF_TRUTHS.get(function) or (OF_ALL.get(function) if function is not np.negative else None)
    else:
        found = OF_WHOLE.get(function) or OF_ALL.get(function)
    if found is None:
        return None
    single = dtype == FLOATS[0]
    named = {"t": "f32" if single else "f64", "f": "f" if single else "", "c": TYPES[dtype], "u": unsigned(dtype),
             "radian": number(np.pi / 180, dtype) if dtype.kind == "f" else "",
             "degree": number(180 / np.pi, dtype) if dtype.kind == "f" else ""}  # fmt: skip
    return found.format("{0}", "{1}", **named)


def power(exponent: Any) -> str | None:
    """x to a constant power, where products do; None where C's pow must."""
    if type(exponent) not in (int, float):
        return None
    return {0: "1", 1: "{0}", 2: "{0} * {0}", 3: "{0} * {0} * {0}", 4: "({0} * {0}) * ({0} * {0})", -1: "1 / {0}",
            0.5: "sqrt{f}({0})"}.get(exponent)  # fmt: skip
