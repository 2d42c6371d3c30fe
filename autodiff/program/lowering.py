"""Lowering: calls as the machine likes them, without NumPy's Python in between.  Each computes the same bits.

``np.sum`` ends in ``np.add.reduce``, ``np.swapaxes`` in the method; a ufunc can write its result where it is told to.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .instruction import Attribute, Instruction, Method, Value

UFUNCS: dict[Any, np.ufunc] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.divide,
    operator.floordiv: np.floor_divide, operator.mod: np.remainder, operator.matmul: np.matmul,
    operator.neg: np.negative, operator.pos: np.positive, operator.abs: np.absolute,
    operator.eq: np.equal, operator.ne: np.not_equal, operator.lt: np.less, operator.le: np.less_equal,
    operator.gt: np.greater, operator.ge: np.greater_equal, operator.and_: np.bitwise_and, operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor, operator.invert: np.invert,
}  # fmt: skip
"""What an operator of arrays calls."""

_AUGMENTED: dict[Any, np.ufunc] = {
    operator.iadd: np.add, operator.isub: np.subtract, operator.imul: np.multiply, operator.itruediv: np.divide,
}  # fmt: skip

_REDUCTIONS: dict[Any, Any] = {
    np.sum: np.add.reduce, np.prod: np.multiply.reduce, np.max: np.maximum.reduce, np.min: np.minimum.reduce,
    np.any: np.logical_or.reduce, np.all: np.logical_and.reduce,
}  # fmt: skip


ONLY_BY_NAME = frozenset({np.maximum, np.minimum})
"""Ufuncs that take ``out`` by its name alone, without a warning."""


def lowered(instruction: Instruction) -> Instruction:
    """The same call, made more directly where one knows how."""
    change = _CHANGES.get(instruction.function)
    if change is None and isinstance(instruction.function, np.ufunc):
        change = _in_place
    if change is None or (type(instruction.result) is not Value and instruction.writes == ()):
        return instruction
    return change(instruction) or instruction


def takes_out(instruction: Instruction) -> bool:
    """Whether the call can write its result into an array that it is given as the next argument."""
    function, result = instruction.function, instruction.result
    return (
        isinstance(function, np.ufunc)
        and function.nout == 1
        and type(result) is Value
        and result.kind is np.ndarray
        and not instruction.kwargs
        and not instruction.writes
        and len(instruction.args) == function.nin
    )


def _operator(instruction: Instruction) -> Instruction | None:
    """An operator of arrays is a ufunc; of numbers it stays what it is."""
    if instruction.result.kind is not np.ndarray or not any(
        type(a) is Value and a.kind is np.ndarray for a in instruction.args
    ):
        return None
    return replace(instruction, function=UFUNCS[instruction.function])


def _in_place(instruction: Instruction) -> Instruction | None:
    """What a ufunc writes into comes after its inputs."""
    out = instruction.kwargs.get("out")
    if type(out) is not tuple or len(instruction.kwargs) != 1 or None in out or instruction.function in ONLY_BY_NAME:
        return None
    return replace(instruction, args=(*instruction.args, *out), kwargs={})


def _augmented(instruction: Instruction) -> Instruction | None:
    """``a -= b`` is a ufunc that writes into its first argument."""
    a, b = instruction.args
    if type(a) is not Value or a.kind is not np.ndarray or instruction.result is not None:
        return None
    return replace(instruction, function=_AUGMENTED[instruction.function], args=(a, b, a))


def _power(instruction: Instruction) -> Instruction | None:
    """x ** 2 is np.square, which is what NumPy makes of it."""
    x, exponent = instruction.args
    whole = type(exponent) in (int, float) and exponent == 2
    if whole and type(x) is Value and x.kind is np.ndarray and x.dtype.kind in "fc":
        return replace(instruction, function=np.square, args=(x,))
    return None


def _reduction(instruction: Instruction) -> Instruction | None:
    """A sum is ``np.add.reduce``, with its arguments in their places."""
    function = _REDUCTIONS.get(instruction.function, instruction.function)
    given = dict(zip(("a", "axis", "dtype", "out", "keepdims"), instruction.args, strict=False)) | instruction.kwargs
    x = given.pop("a", None)
    default = 0 if function is instruction.function else None
    axis, dtype, keepdims = given.pop("axis", default), given.pop("dtype", None), given.pop("keepdims", False)
    if given.get("out") is None:
        given.pop("out", None)
    if given or type(x) is not Value or x.kind is not np.ndarray or type(keepdims) is not bool:
        return None
    axis = len(x.shape) - 1 if axis == -1 else axis
    args = (x, axis, dtype, None, True) if keepdims else (x, axis) if dtype is None else (x, axis, dtype)
    return replace(instruction, function=function, args=args, kwargs={})


def _mean(instruction: Instruction) -> Instruction | None:
    """The mean of all elements is their sum over their number, in single and double precision."""
    x, result = instruction.args[0], instruction.result
    given = {name: value for name, value in instruction.kwargs.items() if value not in (None, False)}
    if (
        len(instruction.args) > 1
        or given
        or type(x) is not Value
        or x.dtype.char not in "fd"
        or result.kind is np.ndarray
    ):
        return None
    return replace(instruction, function=Mean(math.prod(x.shape)), args=(x,), kwargs={})


class Mean:
    """The mean of so many elements, by NumPy's arithmetic and without its Python."""

    __slots__ = ("count",)
    __name__ = "mean"

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, x: Any) -> Any:
        total = np.add.reduce(x, None)
        return total.dtype.type(total / self.count)

    def __eq__(self, other: object) -> bool:
        return type(other) is Mean and other.count == self.count

    def __hash__(self) -> int:
        return hash((Mean, self.count))


def _bound(instruction: Instruction) -> dict[str, Any]:
    signature = inspect.signature(instruction.function)
    return dict(signature.bind(*instruction.args, **instruction.kwargs).arguments)


def _swapped(instruction: Instruction) -> Instruction | None:
    """The two axes of a matrix swapped are its transpose."""
    x, *axes = instruction.args
    if instruction.kwargs or type(x) is not Value or x.kind is not np.ndarray or len(x.shape) != 2:
        return _method("swapaxes", "axis1", "axis2")(instruction)
    if {axis % 2 for axis in axes} != {0, 1}:
        return None
    return replace(instruction, function=Attribute("T"), args=(x,))


def _method(name: str, *parameters: str) -> Callable[[Instruction], Instruction | None]:
    """A function of one array as its method, with these parameters in this order."""

    def change(instruction: Instruction) -> Instruction | None:
        given = _bound(instruction)
        x = given.pop("a")
        if type(x) is not Value or x.kind is not np.ndarray or not given.keys() <= set(parameters):
            return None
        args = [given[p] for p in parameters if p in given]
        if len(args) < len(given):
            return None
        return replace(instruction, function=Method(name), args=(x, *args), kwargs={})

    return change


def _transposed(instruction: Instruction) -> Instruction | None:
    given = _bound(instruction)
    if given.get("axes") is None and type(given["a"]) is Value and given["a"].kind is np.ndarray:
        return replace(instruction, function=Attribute("T"), args=(given["a"],), kwargs={})
    return None


_CHANGES: dict[Any, Callable[[Instruction], Instruction | None]] = {
    **dict.fromkeys(UFUNCS, _operator),
    **dict.fromkeys(_AUGMENTED, _augmented),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    operator.pow: _power,
    **dict.fromkeys(_REDUCTIONS.values(), _reduction),
    np.mean: _mean,
    np.swapaxes: _swapped,
    np.transpose: _transposed,
    np.reshape: _method("reshape", "shape"),
}
