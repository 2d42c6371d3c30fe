"""What a call of numbers computes, for many numbers at once: the same bits as one by one.

All numbers lie on a tape of doubles, which holds single precision, truth values and small integers exactly.  An
operation in single precision rounds its operands and its result.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..instruction import Method, Value
from ..lowering import ONLY_BY_NAME
from .agreement import EXACT, NEUTRAL, in_order, ufunc_of

KINDS: dict[type, str] = {float: "d", np.float64: "d", np.float32: "f", bool: "?", np.bool_: "?"}
"""The types of numbers on a tape."""
_STRONG = frozenset({np.float64, np.float32, np.bool_})
_LARGEST = 2**53
_SAME = frozenset({np.asarray, np.float64, np.positive, operator.pos, operator.getitem})
_ITEM = Method("item")
_LOGICAL = {operator.and_: np.logical_and, operator.or_: np.logical_or, operator.xor: np.logical_xor,
            operator.invert: np.logical_not}  # fmt: skip
_ARITHMETIC = frozenset({np.add, np.subtract, np.multiply, np.divide, np.negative, np.absolute})


class Operation(NamedTuple):
    """How one kind of call is made for many numbers: ``run(operands, out)``."""

    name: str
    ufunc: np.ufunc | None
    """The ufunc, in double precision; None if it is something else."""
    run: Callable[..., None]
    function: Callable[..., Any]
    """The function of numbers."""
    running: bool = False
    """Whether a row of such calls, each on the result of the one before, may be made by one call of ``reduce``."""
    power: bool = False
    """Whether it is a power of doubles, which NumPy computes one by one."""


class Same:
    """A call that hands its number on."""


SAME = Same()


def kind_of(argument: Any) -> Any:
    """What decides how a call is made: the type of an argument; None if it is not for a tape."""
    if type(argument) is not Value:
        kind = type(argument)
        return kind if kind in KINDS or (kind is int and abs(argument) <= _LARGEST) else None
    if argument.kind is np.ndarray:
        return (np.ndarray, argument.dtype.char) if argument.shape == () and argument.dtype.char in "df" else None
    return argument.kind if argument.kind in KINDS else None


def operation(function: Any, kinds: tuple[Any, ...], result: Any) -> Operation | Same | None:
    """How calls of a function of numbers of these kinds are made; None for what is not for a tape."""
    if len(kinds) == 1 and (function in _SAME or function == _ITEM):
        return SAME if _char(kinds[0]) == _char(result) else None
    char = _precision(kinds)
    if function is np.where and len(kinds) == 3:
        return _where(kinds, result)
    if function is operator.pow and result is float:  # which may be an error, or complex
        return Operation("pow", None, _OneByOne(function, kinds), function)
    ufunc = _ufunc_of(function, kinds, result)
    if ufunc is not None and ufunc.nin == len(kinds):
        return _vectorised(function, ufunc, char, kinds, result)
    numbers = function is operator.pow or isinstance(function, np.ufunc)
    if numbers and len(kinds) <= 2 and _char(result) == char and _of_one_type(function):
        power = function in (operator.pow, np.power) and char == "d"
        return Operation(function.__name__, None, _OneByOne(function, kinds), function, power=power)
    return None


def _of_one_type(function: Any) -> bool:
    """Whether a function makes of doubles a double, whatever they are."""
    return not isinstance(function, np.ufunc) or (
        function.signature is None and function.nout == 1 and "d" * function.nin + "->d" in function.types
    )


def _char(kind: Any) -> str:
    return kind[1] if type(kind) is tuple else "d" if kind is int else KINDS[kind]


def _precision(kinds: tuple[Any, ...]) -> str:
    """In which precision NumPy computes: numbers of Python's take that of the others."""
    strong = {_char(kind) for kind in kinds if type(kind) is tuple or kind in _STRONG}
    return "f" if "f" in strong and "d" not in strong else "d"


def _ufunc_of(function: Any, kinds: tuple[Any, ...], result: Any) -> np.ufunc | None:
    """The ufunc for arrays of doubles; None if it would not give the same bits."""
    logical = _LOGICAL.get(function)
    if logical is not None:
        return logical if {_char(k) for k in kinds} == {"?"} == {_char(result)} and int not in kinds else None
    return ufunc_of(function)


def _vectorised(function: Any, ufunc: np.ufunc, char: str, kinds: tuple[Any, ...], result: Any) -> Operation | None:
    made = _char(result)
    if ufunc in _ARITHMETIC and made != char:  # of truth values
        return None
    if made not in (char, "?"):
        return None
    name = getattr(ufunc, "__name__", "")
    if char == "f":
        if ufunc not in EXACT.values():
            return Operation(name, None, _OneByOne(function, kinds), function)
        return Operation(f"{name} of floats", None, _Single(ufunc), function)
    if result is float and ufunc is np.divide:
        return Operation("division", None, _divided, function)
    if ufunc is np.divide and all(kind in (float, int, bool) for kind in kinds):
        return None
    run: Any = _ByName(ufunc) if ufunc in ONLY_BY_NAME else ufunc
    return Operation(name, ufunc, run, function, ufunc in NEUTRAL and in_order(ufunc))


def _where(kinds: tuple[Any, ...], result: Any) -> Operation | None:
    condition, *sides = kinds
    if _char(condition) != "?" or condition is int or _char(result) != _precision(tuple(sides)):
        return None
    if _char(result) == "f" and any(side in (float, int) for side in sides):
        return None  # would be rounded
    return Operation("where", None, _selected, np.where)


def _selected(condition: Any, a: Any, b: Any, out: Any) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=condition != 0.0)


def _divided(a: Any, b: Any, out: Any) -> None:
    """Numbers of Python's divided; an error if Python raises one."""
    if not b.all():
        raise ZeroDivisionError("float division by zero")
    np.divide(a, b, out)


class _ByName:
    """A ufunc that takes ``out`` by its name alone."""

    __slots__ = ("ufunc",)

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc = ufunc

    def __call__(self, *args: Any) -> None:
        self.ufunc(*args[:-1], out=args[-1])


class _Single:
    """A ufunc that computes in single precision."""

    __slots__ = ("ufunc",)

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc = ufunc

    def __call__(self, *args: Any) -> None:
        *operands, out = args
        np.copyto(out, self.ufunc(*[a.astype(np.float32) for a in operands]))


class _OneByOne:
    """A function whose arrays are computed otherwise than its numbers: called for one after the other."""

    __slots__ = ("function", "restored")

    def __init__(self, function: Any, kinds: tuple[Any, ...]) -> None:
        self.function = function
        self.restored = [restoring(kind) for kind in kinds]

    def __call__(self, *args: Any) -> None:
        *operands, out = args
        columns = [restored(a) for restored, a in zip(self.restored, operands, strict=True)]
        out[:] = list(map(self.function, *columns))


def restoring(kind: Any) -> Callable[[Any], list[Any]]:
    """A function from doubles to the numbers of a kind that they stand for."""
    return _RESTORING[kind if type(kind) is not tuple else kind[1]]


_RESTORING: dict[Any, Callable[[Any], list[Any]]] = {
    np.float64: list,
    float: lambda a: a.tolist(),
    int: lambda a: list(map(int, a.tolist())),
    bool: lambda a: (a != 0.0).tolist(),
    np.bool_: lambda a: list(a != 0.0),
    np.float32: lambda a: list(a.astype(np.float32)),
    "d": lambda a: [np.array(x) for x in a],
    "f": lambda a: [np.array(x) for x in a.astype(np.float32)],
}
