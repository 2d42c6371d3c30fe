"""Lowering: calls as the machine likes them, without NumPy's Python in between.  Each computes the same bits.

``np.sum`` ends in ``np.add.reduce``, ``np.swapaxes`` in the method; a ufunc can write its result where it is told to.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .instruction import Attribute, Instruction, Method, Value

_UFUNCS: dict[Any, np.ufunc] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.divide,
    operator.floordiv: np.floor_divide, operator.mod: np.remainder, operator.matmul: np.matmul,
    operator.neg: np.negative, operator.pos: np.positive, operator.abs: np.absolute,
    operator.eq: np.equal, operator.ne: np.not_equal, operator.lt: np.less, operator.le: np.less_equal,
    operator.gt: np.greater, operator.ge: np.greater_equal, operator.and_: np.bitwise_and, operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor, operator.invert: np.invert,
}  # fmt: skip
"""What an operator of arrays calls."""

_REDUCTIONS: dict[Any, Any] = {
    np.sum: np.add.reduce, np.prod: np.multiply.reduce, np.max: np.maximum.reduce, np.min: np.minimum.reduce,
    np.any: np.logical_or.reduce, np.all: np.logical_and.reduce,
}  # fmt: skip


def lowered(instruction: Instruction) -> Instruction:
    """The same call, made more directly where one knows how."""
    change = _CHANGES.get(instruction.function)
    result = instruction.result
    if change is None or type(result) is not Value or instruction.writes:
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
    return replace(instruction, function=_UFUNCS[instruction.function])


def _power(instruction: Instruction) -> Instruction | None:
    """x ** 2 is np.square, which is what NumPy makes of it."""
    x, exponent = instruction.args
    whole = type(exponent) in (int, float) and exponent == 2
    if whole and type(x) is Value and x.kind is np.ndarray and x.dtype.kind in "fc":
        return replace(instruction, function=np.square, args=(x,))
    return None


def _reduction(instruction: Instruction) -> Instruction | None:
    """A sum is ``np.add.reduce``, with its arguments in their places."""
    given = _bound(instruction)
    x = given.pop("a")
    axis, dtype, keepdims = given.pop("axis", None), given.pop("dtype", None), given.pop("keepdims", False)
    if given or type(x) is not Value or x.kind is not np.ndarray or keepdims is np._NoValue:
        return None
    args = (x, axis, dtype, None, True) if keepdims else (x, axis) if dtype is None else (x, axis, dtype)
    return replace(instruction, function=_REDUCTIONS[instruction.function], args=args, kwargs={})


def _bound(instruction: Instruction) -> dict[str, Any]:
    signature = inspect.signature(instruction.function)
    return dict(signature.bind(*instruction.args, **instruction.kwargs).arguments)


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
    **dict.fromkeys(_UFUNCS, _operator),
    **dict.fromkeys(_REDUCTIONS, _reduction),
    operator.pow: _power,
    np.swapaxes: _method("swapaxes", "axis1", "axis2"),
    np.transpose: _transposed,
    np.reshape: _method("reshape", "shape"),
}
