"""Checks for NaN that need not look at each element: the size of its factors bounds a product.

A gradient that is NaN is a case for the engine, so a program checks each.  For a matrix product of which both factors
have a finite norm, it is enough to look at these, which are often much smaller: no element, and no part of its sum,
exceeds the product of the norms.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Attribute, Guard, Instruction, Value
from .memory import owners_of, written_in

if TYPE_CHECKING:
    from ..program import Program

_LIMITS = {"f": 1e37, "d": 1e307}
"""Squares of norms; far enough from the largest number that rounding does not matter."""


class Bounded:
    """A check that an array has no NaN: by squares of the norms of what it was made of, else by its own elements."""

    __slots__ = ("guard", "limit")
    __name__ = "bounded"

    def __init__(self, guard: Guard, limit: float) -> None:
        self.guard, self.limit = guard, limit

    def __call__(self, array: Any, *squares: Any) -> None:
        if not sum(squares) < self.limit:
            self.guard(np.vdot(array, array))


def bounded(program: Program) -> Program:
    """The program with checks of factors where these are smaller."""
    made = {value: i for i in program.instructions for value in i.results}
    written = written_in(program.instructions, owners_of(program.instructions))
    sources = {}
    for instruction in program.instructions:
        array = _squared(instruction, made)
        found = [] if array is None else _sources(array, made)
        if found and written.isdisjoint({array, *found}):
            sources[id(instruction)] = array, found
    looked_at = {v for array, found in sources.values() if _pays(array, found) for v in found}
    norms: dict[Value, Value] = {}
    kept: list[Instruction] = []
    for instruction in program.instructions:
        array, found = sources.get(id(instruction), (None, []))
        if not found or not looked_at.issuperset(found):
            kept.append(instruction)
            continue
        for source in found:
            if source not in norms:
                norms[source] = Value((), source.dtype, source.dtype.type)
                square = made[instruction.args[0]]
                kept.append(replace(square, args=(source, source), result=norms[source]))
        guard: Any = instruction.function
        check = Bounded(guard, _LIMITS[array.dtype.char])
        kept.append(replace(instruction, function=check, args=(array, *[norms[source] for source in found])))
    return program.with_instructions(kept)


def _squared(instruction: Instruction, made: dict[Value, Instruction]) -> Any:
    """The array that a check for NaN is of: it looks at the array's product with itself."""
    guard: Any = instruction.function
    square = made.get(instruction.args[0]) if isinstance(guard, Guard) and guard.read == "NaN" else None
    if square is None or guard.expected or square.function is not np.vdot or square.args[0] is not square.args[1]:
        return None
    array = square.args[0]
    return array if type(array) is Value and array.dtype.char in _LIMITS and array.dtype.isnative else None


def _sources(array: Value, made: dict[Value, Instruction]) -> list[Value]:
    """The factors of a product, what a sum is of; nothing for any other array."""
    call = made.get(array)
    if call is None or call.kwargs or call.function not in (np.matmul, np.add.reduce):
        return []
    operands = call.args if call.function is np.matmul else call.args[:1]
    found = []
    for operand in operands:
        call = made.get(operand) if type(operand) is Value else None
        turned = call is not None and type(call.function) is Attribute and call.function.__name__ == "T"
        found.append(call.args[0] if call is not None and turned else operand)
    # a look at all elements of an array in order copies nothing
    fits = all(type(v) is Value and v.kind is np.ndarray and v.dtype == array.dtype and v.in_order for v in found)
    return found if fits and (len(found) == 1 or len(array.shape) == 2) else []


def _pays(array: Value, sources: list[Value]) -> bool:
    """Whether there are fewer elements to look at."""
    return sum(math.prod(source.shape) for source in sources) < math.prod(array.shape)
