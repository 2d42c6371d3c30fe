"""A program as one writes it by hand: without calls that give their operand back, defaults, and arrays of one number.

Each of these changes leaves every bit of every result as it is.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Attribute, Instruction, Method, Value, mapped
from .dead import live
from .memory import is_fresh, owners_of, written_in

if TYPE_CHECKING:
    from ..program import Program

_AS_OPERATORS: dict[Any, Any] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.matmul: operator.matmul, np.negative: operator.neg, np.greater: operator.gt, np.less: operator.lt,
    np.greater_equal: operator.ge, np.less_equal: operator.le, np.equal: operator.eq, np.not_equal: operator.ne,
}  # fmt: skip
"""Ufuncs that an operator of arrays calls; ``np.power`` is none: ``x ** 2`` is ``np.square``."""
_IN_PLACE: dict[Any, Any] = {
    np.add: operator.iadd, np.subtract: operator.isub, np.multiply: operator.imul, np.divide: operator.itruediv,
}  # fmt: skip
_REDUCTIONS: dict[Any, Any] = {
    np.add.reduce: np.sum, np.maximum.reduce: np.max, np.minimum.reduce: np.min, np.multiply.reduce: np.prod,
}  # fmt: skip
_REDUCING = frozenset({np.sum, np.mean, np.max, np.min, np.prod, np.any, np.all, np.std, np.var})
_DEFAULTS: dict[Any, dict[str, Any]] = {
    **{function: {"axis": None, "dtype": None, "keepdims": False} for function in _REDUCING},
    np.einsum: {"optimize": False},
}
"""What is done where nothing is said."""
_LIKE: dict[Any, Any] = {np.zeros_like: np.zeros, np.ones_like: np.ones}
_OPERATORS = frozenset(_AS_OPERATORS.values())
_SCALED = (operator.add, operator.sub, operator.mul, operator.truediv)


def plain(program: Program) -> Program:
    """The program with each call as one would write it."""
    return live(_Plain(program).program())


class _Plain:
    def __init__(self, program: Program) -> None:
        self._old = program
        self._written = written_in(program.instructions, owners_of(program.instructions))
        self._kept = program.results
        self._fresh = {v for i in program.instructions if is_fresh(i) for v in i.results}
        self._numbers = {
            value: float(str(array.flat[0])) for value, array in program.constants.items() if _is_uniform(array)
        }
        self._same: dict[Value, Any] = {}
        self._single: dict[Value, float] = {}
        self._renamed: dict[Value, Value] = {}

    def program(self) -> Program:
        """The new program."""
        kept = []
        for old in self._old.instructions:
            now = old if self._same.keys().isdisjoint(old.operands) else old.map(self._first)
            now = written_by_hand(self._of_numbers(now))
            if self._is_known(now):
                continue
            operand = given_back(now)
            if operand is not None and self._may_stand_for(operand, now.result):
                self._same[now.result] = operand
                if now.result.name and not operand.name and operand in self._fresh:
                    name = now.result.name
                    self._renamed[operand] = Value(operand.shape, operand.dtype, operand.kind, name, operand.strides)
            else:
                kept.append(now)
        if self._renamed:
            kept = [replace(i.map(self._named), result=mapped(self._named, i.result)) for i in kept]
        return self._old.with_instructions(kept, lambda value: self._named(self._first(value)))

    def _named(self, value: Any) -> Any:
        return self._renamed.get(value, value)

    def _is_known(self, instruction: Instruction) -> bool:
        """Whether it makes a number of Python's of an array of one zero or one, as a gradient that is zero is made."""
        function, args, result = instruction.function, instruction.args, instruction.result
        if type(result) is not Value or result.dtype != np.float64 or result.shape or instruction.writes:
            return False
        one = self._single.get(args[0]) if args and type(args[0]) is Value else None
        if function in (np.zeros, np.ones) and args == ((),) and result not in self._written:
            self._single[result] = float(function is np.ones)
        elif function is operator.getitem and args[1] == () and one is not None:
            self._single[result] = one
        elif function == Method("item") and len(args) == 1 and one is not None:
            self._same[result] = one
            return True
        return False

    def _first(self, value: Value) -> Any:
        return self._same.get(value, value)

    def _may_stand_for(self, operand: Value, result: Value) -> bool:
        """Whether nobody sees a difference between two arrays of the same elements."""
        if operand in self._written or result in self._written:
            return False
        return result not in self._kept or (operand in self._fresh and operand not in self._kept)

    def _of_numbers(self, instruction: Instruction) -> Instruction:
        """A number in the place of an array full of it, where the other operand has the shape and dtype of the result.

        Not in a power: ``x ** 2`` is another loop than ``x ** array``.
        """
        if len(instruction.args) != 2 or instruction.kwargs or instruction.writes:
            return instruction
        if _AS_OPERATORS.get(instruction.function, instruction.function) not in _SCALED:
            return instruction
        args, result = list(instruction.args), instruction.result
        for one, other in ((0, 1), (1, 0)):
            number, array = self._numbers.get(args[one]) if type(args[one]) is Value else None, args[other]
            if (
                number is not None
                and type(array) is Value
                and array.kind is np.ndarray
                and (array.shape, array.strides) == (result.shape, result.strides)
                and array.dtype == args[one].dtype == result.dtype
            ):
                args[one] = number
                return replace(instruction, args=tuple(args))
        return instruction


def _is_uniform(array: Any) -> bool:
    """Whether all elements of an array of several are one finite floating-point number, to the last bit."""
    if array.dtype.kind != "f" or array.dtype.itemsize > 8 or not array.size or not np.isfinite(array.flat[0]):
        return False
    return bool(array.tobytes() == array.ravel()[:1].tobytes() * array.size)


def given_back(instruction: Instruction) -> Value | None:
    """The operand, if the result is just that: a reshape to the shape it has, a power of 1, a product with 1."""
    function, args, result = instruction.function, instruction.args, instruction.result
    if type(result) is not Value or instruction.writes or result.kind not in (np.ndarray, np.float64):
        return None
    x = next((a for a in args if type(a) is Value), None)
    if x is None or x.kind is not result.kind or (x.shape, x.dtype, x.strides) != (
        result.shape, result.dtype, result.strides
    ):  # fmt: skip
        return None
    if function in (np.reshape, np.broadcast_to, np.asarray, np.positive) or function == Method("reshape"):
        return x
    if function is np.moveaxis and len(args) == 3 and args[1] == args[2] and type(args[1]) is int:
        return x
    if function is operator.getitem:
        index = args[1] if type(args[1]) is tuple else (args[1],)
        return x if all(part is Ellipsis or (type(part) is slice and part == slice(None)) for part in index) else None
    if instruction.kwargs or x.dtype.kind != "f":
        return None
    if function in (operator.pow, operator.truediv):
        return x if args[0] is x and _is_one(args[1]) else None
    return x if function is operator.mul and (_is_one(args[0]) or _is_one(args[1])) else None


def _is_one(number: Any) -> bool:
    return type(number) in (int, float) and number == 1


def written_by_hand(instruction: Instruction) -> Instruction:
    """The same call as one writes it."""
    function, args, kwargs = instruction.function, instruction.args, instruction.kwargs
    arrays = [a for a in args if type(a) is Value and a.kind is np.ndarray]
    if function in _AS_OPERATORS and not kwargs and (arrays or _are_doubles(args)):
        function = _AS_OPERATORS[function]
    elif function in _IN_PLACE and set(kwargs) == {"out"} and arrays and kwargs["out"] in (args[:1], *args[:1]):
        return _augmented(instruction)
    elif function in _REDUCTIONS:
        function, args, kwargs = _reduced(function, args, kwargs)
    if function in _DEFAULTS:
        defaults = _DEFAULTS[function]
        kwargs = {k: v for k, v in kwargs.items() if k not in defaults or v is not defaults[k]}
    if function in _REDUCING and len(args) == 2:
        kwargs = {"axis": args[-1], **kwargs}
        args = args[:1]
    if type(kwargs.get("axis")) is tuple and len(kwargs["axis"]) == 1 and function in _REDUCING:
        kwargs = kwargs | {"axis": kwargs["axis"][0]}
    if _is_flipped(function, args, kwargs):
        function, args = Attribute("T"), args[:1]
    if function is np.where or function in _OPERATORS:
        first = args[: function is np.where]  # the condition
        args = (*first, *[_weak(a, args[len(first) :], instruction.result) for a in args[len(first) :]])
    changed = replace(instruction, function=function, args=args, kwargs=kwargs)
    return _made(changed) if function in _LIKE else changed


def _are_doubles(args: tuple[Any, ...]) -> bool:
    """Whether these are numbers, with one of NumPy's doubles among them, and nothing else of NumPy's."""
    kinds = [a.kind if type(a) is Value else type(a) for a in args]
    return np.float64 in kinds and set(kinds) <= {np.float64, float, int}


def _augmented(instruction: Instruction) -> Instruction:
    """``np.add(x, y, out=x)`` as ``x += y``."""
    x = instruction.args[0]
    if type(x) is not Value or x.kind is not np.ndarray or (type(instruction.result) is Value):
        return instruction
    return replace(instruction, function=_IN_PLACE[instruction.function], kwargs={})


def _reduced(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """A reduction by the name that it has: ``np.sum`` is ``np.add.reduce``, over all axes if none is told."""
    x = args[0]
    if type(x) is not Value or x.kind is not np.ndarray or len(args) > 2 or not set(kwargs) <= {"axis", "keepdims"}:
        return function, args, kwargs
    if len(args) == 1 and "axis" not in kwargs and len(x.shape) != 1:
        kwargs = {"axis": 0, **kwargs}
    if len(x.shape) == 1 and kwargs.get("axis", 0) in (0, -1) and len(args) == 1 and not kwargs.get("keepdims"):
        kwargs = {}
    return _REDUCTIONS[function], args, kwargs


def _is_flipped(function: Any, args: Any, kwargs: Any) -> bool:
    """Whether a call is the transposition of a matrix."""
    if kwargs or not args or type(args[0]) is not Value or args[0].kind is not np.ndarray:
        return False
    if function is np.transpose:
        return len(args) == 1 or args[1] is None
    if len(args[0].shape) != 2:
        return False
    return function is np.matrix_transpose or (
        function is np.swapaxes and len(args) == 3 and args[1] % 2 != args[2] % 2
    )


def _weak(argument: Any, args: tuple[Any, ...], result: Any) -> Any:
    """A double without NumPy's clothes, where another operand has that precision anyway."""
    if type(argument) is not np.float64 or type(result) is not Value:
        return argument
    others = [a for a in args if type(a) is Value and a.kind in (np.ndarray, np.float64)]
    weaker = [a for a in args if type(a) is Value and a.dtype != np.float64 and a.dtype.kind not in "biu"]
    return float(argument) if others and not weaker and np.isfinite(argument) else argument


def _made(instruction: Instruction) -> Instruction:
    """``np.zeros_like(x, shape=s)`` as ``np.zeros(s)``."""
    result, kwargs = instruction.result, instruction.kwargs
    if (
        type(result) is not Value
        or result.kind is not np.ndarray
        or len(instruction.args) != 1
        or not set(kwargs) <= {"dtype", "order", "shape", "subok"}
        or not result.in_order
    ):
        return instruction
    shape = result.shape[0] if len(result.shape) == 1 else result.shape
    given = {} if result.dtype == np.float64 else {"dtype": result.dtype}
    return replace(instruction, function=_LIKE[instruction.function], args=(shape,), kwargs=given)
