"""Checks for NaN in C: a look at each element, where NumPy looks at the sum of squares, or at the size of factors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Guard, Instruction, Value
from ..passes import live
from ..passes.bounded import Bounded
from .elements import FLOATS

if TYPE_CHECKING:
    from ..program import Program


class NoNaN:
    """A check that an array has no NaN."""

    __slots__ = ("guard",)
    __name__ = "no_nan"

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def __call__(self, array: Any) -> None:
        self.guard(np.vdot(array, array))


def looked_at(program: Program) -> Program:
    """The program whose checks for NaN are of the arrays themselves."""
    made = {value: i for i in program.instructions for value in i.results}
    return live(program.with_instructions([_looked_at(i, made) for i in program.instructions]))


def _looked_at(instruction: Instruction, made: dict[Value, Instruction]) -> Instruction:
    function: Any = instruction.function
    if isinstance(function, Bounded):
        return replace(instruction, function=NoNaN(function.guard), args=instruction.args[:1])
    square = made.get(instruction.args[0]) if isinstance(function, Guard) and function.read == "NaN" else None
    if square is None or function.expected or square.function is not np.vdot or square.args[0] is not square.args[1]:
        return instruction
    array = square.args[0]
    if type(array) is not Value or array.dtype not in FLOATS:
        return instruction
    return replace(instruction, function=NoNaN(function), args=(array,))
