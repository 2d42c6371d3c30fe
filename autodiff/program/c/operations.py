"""What a call is in C: an expression of elements, a reduction, a product of matrices, a look at elements, a check."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..instruction import Guard, Instruction, Method, Value
from ..lowering import Mean
from . import elements
from .checks import NoNaN
from .elements import BOOL, FLOATS, TYPES
from .views import is_plain_index, is_view

Operand = Any
"""A value of the program, or a number."""


@dataclass(slots=True, eq=False)
class Each:
    """``result[i] = text(operands[i])``, the operands cast to ``loops``; written into ``into`` if that is given."""

    result: Value
    text: str
    loops: tuple[Any, ...]
    operands: tuple[Operand, ...]
    made: Any
    """The dtype of the expression."""
    into: Value | None = None
    slow: bool = False
    instruction: Instruction | None = None


@dataclass(slots=True, eq=False)
class Fold:
    """A reduction of an operand, or of the product of two, over axes: ``how`` is sum, prod, max, min, any, all, nan."""

    result: Value
    how: str
    operands: tuple[Operand, ...]
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    loop: Any
    instruction: Instruction | None = None


@dataclass(slots=True, eq=False)
class Pick:
    """``result[i] = array[indices[0][i], indices[1][i], ...]`` for as many indices as the array has first axes."""

    result: Value
    array: Value
    indices: tuple[Value, ...]
    instruction: Instruction | None = None


@dataclass(slots=True, eq=False)
class Product:
    """A product of two matrices."""

    result: Value
    left: Value
    right: Value
    instruction: Instruction | None = None


@dataclass(slots=True, eq=False)
class View:
    """The same elements under other indices."""

    result: Value
    base: Value
    instruction: Instruction | None = None


@dataclass(slots=True, eq=False)
class Check:
    """A guard: the function returns at once if ``bad``, an expression of the operand, is true."""

    operand: Value
    guard: Guard
    bad: str
    instruction: Instruction | None = None
    result: None = None


Operation = Each | Fold | Pick | Product | View | Check


def operations(instruction: Instruction) -> list[Operation]:
    """A call as operations, in order; none if C has no words for it."""
    if "raise" in instruction.errors or "call" in instruction.errors:
        return []
    values = [*instruction.operands, *instruction.results, *instruction.writes]
    if any(v.dtype not in TYPES or not _is_known(v) for v in values):
        return []
    found = _translated(instruction)
    for operation in found:
        operation.instruction = operation.instruction or instruction
    return found


def _is_known(value: Value) -> bool:
    native = getattr(value.dtype, "isnative", True)
    return bool(native) and (value.kind in (np.ndarray, float, int, bool) or issubclass(value.kind, np.generic))


def _translated(instruction: Instruction) -> list[Operation]:
    function: Any = instruction.function
    if isinstance(function, Guard):
        return _check(instruction)
    if isinstance(function, NoNaN):
        return _no_nan(instruction, function.guard)
    if instruction.writes and function in _INPLACE:
        return _ufunc(instruction, _INPLACE[function])
    if instruction.writes and function is operator.setitem:
        return _filled_view(instruction)
    if type(instruction.result) is not Value and not (isinstance(function, np.ufunc) and instruction.writes):
        return []
    if is_view(instruction):
        return [View(instruction.result, instruction.args[0])]
    if function is operator.getitem:
        return _pick(instruction)
    if function in elements.OPERATORS and not is_of_numbers(instruction):
        function = elements.OPERATORS[function]
        return _ufunc(instruction, function)
    if isinstance(function, np.ufunc):
        return _product(instruction) if function is np.matmul else _ufunc(instruction, function)
    try:
        special = _SPECIAL.get(function)
    except TypeError:
        return []
    if special is None and type(function) is Method:
        special = _METHODS.get(function.__name__)
    if special is None and type(function) is Mean:
        special = _mean
    return special(instruction) if special else []


def is_of_numbers(instruction: Instruction) -> bool:
    """Whether Python computes it, with its own numbers."""
    result = instruction.result
    return type(result) is Value and result.kind in (int, float, bool, complex) and all(
        v.kind in (int, float, bool, complex) for v in instruction.operands
    )  # fmt: skip


def _check(instruction: Instruction) -> list[Operation]:
    guard: Any = instruction.function
    value = instruction.args[0]
    if type(value) is not Value or value.shape != () or guard.read not in ("bool", "NaN"):
        return []
    return [Check(value, guard, "{0} != {0}" if guard.read == "NaN" else "!{0}" if guard.expected else "{0}")]


def _no_nan(instruction: Instruction, guard: Guard) -> list[Operation]:
    x = instruction.args[0]
    found = Value((), BOOL, np.ndarray)
    return [Fold(found, "nan", (x,), x.shape, tuple(range(len(x.shape))), x.dtype), Check(found, guard, "{0}")]


# -- element by element ------------------------------------------------------------------------------------------


def _dtype_of(operand: Operand) -> Any:
    """What NumPy's promotion sees: a dtype, or the type of a Python number."""
    if type(operand) is not Value:
        return type(operand) if type(operand) in (int, float) else getattr(operand, "dtype", BOOL)
    return operand.kind if operand.kind in (int, float) else operand.dtype


def _ufunc(instruction: Instruction, function: np.ufunc) -> list[Operation]:
    """A ufunc of one or two arguments, into an array if one is given."""
    args, kwargs = list(instruction.args), dict(instruction.kwargs)
    out = kwargs.pop("out", None)
    into = (out[0] if type(out) is tuple and len(out) == 1 else out) if out is not None else None
    if len(args) == function.nin + 1:
        *args, into = args
    elif instruction.function in _INPLACE:
        into = args[0]
    if function.nout != 1 or kwargs or len(args) != function.nin or not all(map(_is_operand, args)):
        return []
    result = instruction.result
    if into is not None and (type(into) is not Value or into.kind is not np.ndarray):
        return []
    if (into is None) != (not instruction.writes) or (into is not None and result not in (None, into)):
        return []
    target = result if into is None else into
    try:
        *loops, made = function.resolve_dtypes((*[_dtype_of(a) for a in args], None))
    except TypeError:
        return []
    loop = loops[0]
    if any(other != loop for other in loops) or loop not in TYPES or made not in TYPES:
        return []
    if loop.kind != "f" and not all(_is_whole(a, loop) for a in args):
        return []
    text = elements.template(function, loop)
    slow = function in elements.SLOW
    if function in (np.power, np.float_power) and loop.kind == "f":
        is_root = function is np.power and (instruction.function is np.power or target.kind is np.ndarray)
        if args[1] == 0.5 and not is_root:
            return []  # it is inf at -inf, where compilers make a root of pow
        products = elements.power(args[1])
        if products is not None:
            text, args, slow = products.format("{0}", f="f" if loop == FLOATS[0] else ""), args[:1], False
    if text is None or (into is not None and into.dtype != made and into.dtype.kind != "f"):
        return []
    return [Each(target, text, (loop,) * len(args), tuple(args), made, into, slow)]


def _is_whole(operand: Operand, loop: Any) -> bool:
    """Whether C has an operand as one of the loop's whole numbers.

    A number that is given comes as a double; one that is written may be beyond the dtype, where NumPy compares still.
    """
    if type(operand) is Value:
        return operand.kind not in (int, float, bool)
    return bool(loop == BOOL or np.iinfo(loop).min <= operand <= np.iinfo(loop).max)


_INPLACE: dict[Any, np.ufunc] = {
    operator.iadd: np.add, operator.isub: np.subtract, operator.imul: np.multiply, operator.itruediv: np.divide,
}  # fmt: skip


def _filled_view(instruction: Instruction) -> list[Operation]:
    """``x[index] = value``: the value, written into a view of x."""
    x, index, value = instruction.args
    parts = index if type(index) is tuple else (index,)
    if type(x) is not Value or x.kind is not np.ndarray or not _is_operand(value) or not is_plain_index(parts):
        return []
    part = np.broadcast_to(np.empty((), x.dtype), x.shape)[index]
    view = Value(part.shape, x.dtype, np.ndarray, "", _dense(part.shape, x.dtype))
    look = Instruction(operator.getitem, (x, index), result=view)
    loop = value.dtype if type(value) is Value and value.kind not in (int, float, bool) else x.dtype
    if x.dtype.kind != "f" and (loop.kind == "f" or not _is_whole(value, x.dtype)):
        return []
    shape = np.broadcast_shapes(part.shape, value.shape if type(value) is Value else ())
    if shape != part.shape:
        return []
    return [View(view, x, look), Each(view, "{0}", (loop,), (value,), loop, view)]


def _is_operand(operand: Any) -> bool:
    return type(operand) is Value or type(operand) in (int, float, bool) or isinstance(operand, np.number | np.bool_)


def _where(instruction: Instruction) -> list[Operation]:
    result, args = instruction.result, instruction.args
    if len(args) != 3 or instruction.kwargs or not all(map(_is_operand, args)) or result.dtype not in TYPES:
        return []
    condition, *choices = args
    if type(condition) is not Value:
        return []
    truth = Value(condition.shape, BOOL, condition.kind, "", _dense(condition.shape, BOOL))
    test: list[Operation] = []
    if condition.dtype != BOOL:
        test = [Each(truth, "{0} != 0", (condition.dtype,), (condition,), BOOL)]
        condition = truth
    return [
        *test,
        Each(result, "{0} ? {1} : {2}", (BOOL, result.dtype, result.dtype), (condition, *choices), result.dtype),
    ]


def _cast(instruction: Instruction) -> list[Operation]:
    """``x.astype(dtype)``, ``np.float64(x)``, a copy, a number as an array."""
    x, result = instruction.args[0], instruction.result
    if type(x) is not Value or x.shape != result.shape or (x.dtype.kind == "f" and result.dtype.kind in "iu"):
        return []  # NaN is no whole number, and who knows what it becomes
    return [Each(result, "{0}", (x.dtype,), (x,), x.dtype)]


def _filled(value: str) -> Callable[[Instruction], list[Operation]]:
    def change(instruction: Instruction) -> list[Operation]:
        dtype = instruction.result.dtype
        return [Each(instruction.result, elements.number(float(value), dtype), (), (), dtype)]

    return change


def _clip(instruction: Instruction) -> list[Operation]:
    x, low, high = (*instruction.args, None, None)[:3]
    result = instruction.result
    if len(instruction.args) != 3 or instruction.kwargs or not all(map(_is_operand, (x, low, high))):
        return []
    if result.dtype.kind != "f":
        return []
    t = "f32" if result.dtype == FLOATS[0] else "f64"
    text = f"minimum_{t}(maximum_{t}({{0}}, {{1}}), {{2}})"
    return [Each(result, text, (result.dtype,) * 3, (x, low, high), result.dtype)]


# -- reductions --------------------------------------------------------------------------------------------------

_HOW: dict[Any, str] = {
    np.add.reduce: "sum", np.multiply.reduce: "prod", np.maximum.reduce: "max", np.minimum.reduce: "min",
    np.logical_or.reduce: "any", np.logical_and.reduce: "all",
}  # fmt: skip


def _axes(axis: Any, ndim: int) -> tuple[int, ...] | None:
    if axis is None:
        return tuple(range(ndim))
    axis = axis if type(axis) is tuple else (axis,)
    if not all(type(a) is int for a in axis):
        return None
    return tuple(sorted(a % ndim for a in axis)) if ndim else ()


def _reduce(instruction: Instruction) -> list[Operation]:
    """``np.add.reduce(x, axis, dtype, None, keepdims)``."""
    how = _HOW[instruction.function]
    x, axis, dtype, out, _ = (*instruction.args, 0, None, None, False)[:5] if len(instruction.args) == 1 else (
        *instruction.args, None, None, False)[:5]  # fmt: skip
    given = dict(instruction.kwargs)
    axis, dtype, out = given.pop("axis", axis), given.pop("dtype", dtype), given.pop("out", out)
    given.pop("keepdims", None)
    if given or out is not None or dtype is not None or instruction.writes or type(x) is not Value:
        return []
    axes = _axes(axis, len(x.shape))
    if axes is None or (how in ("max", "min") and 0 in x.shape):
        return []
    return _fold(instruction.result, how, (x,), x.shape, axes)


def _fold(result: Value, how: str, operands: Any, shape: Any, axes: Any) -> list[Operation]:
    dtype = operands[0].dtype
    if dtype.kind == "f" and result.dtype != (BOOL if how in ("any", "all") else dtype):
        return []
    if dtype.kind != "f" and how not in ("any", "all"):
        if how in ("max", "min") and dtype == BOOL:
            how = {"max": "any", "min": "all"}[how]
        elif result.dtype.kind not in "iu":
            return []
    loop = dtype if how in ("any", "all") else result.dtype
    return [Fold(result, how, tuple(operands), tuple(shape), tuple(axes), loop)]


def _mean(instruction: Instruction) -> list[Operation]:
    x, *rest = instruction.args
    given = dict(zip(("axis", "dtype", "out", "keepdims"), rest, strict=False)) | instruction.kwargs
    axes = _axes(given.pop("axis", None), len(x.shape)) if type(x) is Value else None
    given.pop("keepdims", None)
    result = instruction.result
    if axes is None or any(v is not None for v in given.values()) or x.dtype not in FLOATS or result.dtype != x.dtype:
        return []
    count = math.prod(x.shape[a] for a in axes)
    return _averaged(result, x, axes, count)


def _averaged(result: Value, x: Value, axes: tuple[int, ...], count: float) -> list[Operation]:
    total = Value(result.shape, x.dtype, np.ndarray, "", _dense(result.shape, x.dtype))
    return [
        *_fold(total, "sum", (x,), x.shape, axes),
        Each(result, "{0} / {1}", (x.dtype,) * 2, (total, float(count)), x.dtype),
    ]


def _variance(root: bool) -> Callable[[Instruction], list[Operation]]:
    def change(instruction: Instruction) -> list[Operation]:
        """The mean of the squares of what is left when the mean is taken away."""
        x, *rest = instruction.args
        given = dict(zip(("axis", "dtype", "out", "ddof", "keepdims"), rest, strict=False)) | instruction.kwargs
        result = instruction.result
        if type(x) is not Value or x.dtype not in FLOATS or result.dtype != x.dtype:
            return []
        axes, ddof = _axes(given.pop("axis", None), len(x.shape)), given.pop("ddof", 0)
        given.pop("keepdims", None)
        ddof = given.pop("correction", ddof)
        if axes is None or any(v is not None for v in given.values()) or type(ddof) not in (int, float):
            return []
        count = math.prod(x.shape[a] for a in axes)
        kept = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
        middle = Value(kept, x.dtype, np.ndarray, "", _dense(kept, x.dtype))
        from_middle = Value(x.shape, x.dtype, np.ndarray, "", _dense(x.shape, x.dtype))
        squares = Value(x.shape, x.dtype, np.ndarray, "", _dense(x.shape, x.dtype))
        variance = Value(result.shape, x.dtype, result.kind, "", result.strides) if root else result
        steps = [
            *_averaged(middle, x, axes, count),
            Each(from_middle, "{0} - {1}", (x.dtype,) * 2, (x, middle), x.dtype),
            Each(squares, "{0} * {0}", (x.dtype,), (from_middle,), x.dtype),
            *_averaged(variance, squares, axes, max(count - ddof, 0)),
        ]
        suffix = "f" if x.dtype == FLOATS[0] else ""
        return steps + [Each(result, f"sqrt{suffix}({{0}})", (x.dtype,), (variance,), x.dtype)] * root

    return change


def _dense(shape: tuple[int, ...], dtype: Any) -> tuple[int, ...]:
    strides, step = [], dtype.itemsize
    for length in reversed(shape):
        strides.append(step)
        step *= max(length, 1)
    return tuple(reversed(strides))


def _vdot(instruction: Instruction) -> list[Operation]:
    a, b = instruction.args
    if instruction.kwargs or type(a) is not Value or type(b) is not Value or a.shape != b.shape or a.dtype != b.dtype:
        return []
    if a.dtype not in FLOATS or (instruction.function is not np.vdot and len(a.shape) != 1):
        return []
    return [Fold(instruction.result, "sum", (a, b), a.shape, tuple(range(len(a.shape))), a.dtype)]


# -- products and indices ----------------------------------------------------------------------------------------


def _product(instruction: Instruction) -> list[Operation]:
    a, b, *others = instruction.args
    result = instruction.result
    if others or instruction.kwargs or instruction.writes or type(a) is not Value or type(b) is not Value:
        return []
    if not (a.dtype == b.dtype == result.dtype) or a.dtype not in FLOATS:
        return []
    if len(a.shape) == len(b.shape) == 1:
        return _vdot(Instruction(np.vdot, (a, b), result=result))
    if len(a.shape) > 2 or len(b.shape) > 2 or not a.shape or not b.shape or 0 in (*a.shape, *b.shape):
        return []
    return [Product(result, a, b)]


def _dot(instruction: Instruction) -> list[Operation]:
    a, b = instruction.args[:2]
    if type(a) is not Value or type(b) is not Value or not a.shape or not b.shape:
        return []
    return _product(instruction)


def _pick(instruction: Instruction) -> list[Operation]:
    array, index = instruction.args
    index = index if type(index) is tuple else (index,)
    if type(array) is not Value or array.kind is not np.ndarray or not index or len(index) > len(array.shape):
        return []
    if not all(type(i) is Value and i.kind is np.ndarray and i.dtype == np.dtype(np.int64) for i in index):
        return []
    return [Pick(instruction.result, array, index)] if instruction.result.kind is np.ndarray else []


_SPECIAL: dict[Any, Callable[[Instruction], list[Operation]]] = {
    np.where: _where, np.asarray: _cast, np.copy: _cast, np.float64: _cast, np.float32: _cast, np.astype: _cast,
    np.clip: _clip, np.zeros_like: _filled("0"), np.ones_like: _filled("1"), np.mean: _mean, np.vdot: _vdot,
    np.dot: _dot, np.var: _variance(False), np.std: _variance(True), **dict.fromkeys(_HOW, _reduce),
}  # fmt: skip
_METHODS: dict[str, Callable[[Instruction], list[Operation]]] = {"astype": _cast, "copy": _cast, "item": _cast}
