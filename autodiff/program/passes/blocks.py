"""Blocks: calls that work element by element, made for a few rows of large arrays after the other.

What the calls pass on then stays in the processor's cache, and takes little room.  Each element is computed as before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..instruction import Instruction, Value
from .memory import owners_of, written_in

if TYPE_CHECKING:
    from ..program import Program

CHUNK = 32768
"""Elements that are computed at once: a few arrays of so many fit into the cache, and calls are worth making."""
LEAST = 8 * CHUNK
"""Elements of an array that is worth it."""
LONGEST = 64
"""Calls of a block."""
_NONE: frozenset[frozenset[Value]] = frozenset()


class Block(NamedTuple):
    """Calls ``start`` to ``stop``, which are made for ``step`` of the ``rows`` at once."""

    start: int
    stop: int
    rows: int
    step: int
    apart: frozenset[frozenset[Value]]
    """Given arrays that must not share memory: one of them is written."""


def is_elementwise(instruction: Instruction) -> bool:
    """Whether the call writes each element by itself, into room or in place, and there are many, row after row."""
    function, written = instruction.function, instruction.writes
    if not isinstance(function, np.ufunc) or function.nout != 1 or function.signature is not None or instruction.kwargs:
        return False
    made = target(instruction)
    fits = len(instruction.args) == function.nin + len(written)
    if not fits or len(written) > 1 or (instruction.result is not None) == bool(written) or made is None:
        return False
    if written and instruction.args[-1] is not written[0]:
        return False
    size = math.prod(made.shape)
    row = size // made.shape[0] if size else 0
    return size >= LEAST and 0 < row <= CHUNK and made.in_order


def target(instruction: Instruction) -> Any:
    """The value that a call makes or writes, if it is one array with axes."""
    made = instruction.writes[0] if instruction.writes else instruction.result
    return made if type(made) is Value and made.kind is np.ndarray and made.shape else None


def is_sliced(value: Value, shape: tuple[int, ...]) -> bool:
    """Whether an operand has as many rows as the result, and is taken row by row."""
    return len(value.shape) == len(shape) and value.shape[0] == shape[0]


def blocks_of(program: Program) -> list[Block]:
    """The blocks of a program, of two calls at least."""
    instructions = program.instructions
    look = _Look(program)
    found: list[Block] = []
    start, apart = 0, _NONE
    for stop in range(len(instructions) + 1):
        longer = look.longer(start, stop) if stop < len(instructions) else None
        if longer is not None:
            apart = longer
            continue
        if stop - start > 1:
            shape = target(instructions[start]).shape
            found.append(Block(start, stop, shape[0], max(1, CHUNK * shape[0] // math.prod(shape)), apart))
        start = stop
        if stop < len(instructions):
            longer = look.longer(start, stop)
            start, apart = (stop + 1, _NONE) if longer is None else (stop, longer)
    return found


class _Look:
    """Which calls of a program can be made together."""

    def __init__(self, program: Program) -> None:
        self._calls = instructions = program.instructions
        self._owners = owners_of(instructions)
        self._inputs = set(program.inputs)
        self._outside = set(program.given_values)
        self._written = written_in(instructions, self._owners)

    def _of(self, value: Value) -> set[Value]:
        return self._owners.get(value, {value})

    def longer(self, start: int, last: int) -> frozenset[frozenset[Value]] | None:
        """Which given arrays must not share memory for a block of these calls; None if they are no block."""
        call, first = self._calls[last], self._calls[start]
        if not is_elementwise(call) or last - start >= LONGEST or call.result in self._written:
            return None
        if target(first).shape != target(call).shape or first.errors != call.errors:
            return None
        calls = self._calls[start : last + 1]
        arrays = {v for c in calls for v in (*c.operands, *c.results) if v.kind is np.ndarray}
        pairs = set()
        for one in {value for c in calls for value in c.writes}:
            for other in arrays - {one}:
                mine, theirs = self._of(one), self._of(other)
                if not mine.isdisjoint(theirs):
                    return None
                mine, theirs = mine & self._outside, theirs & self._outside
                if mine and theirs and not self._inputs.isdisjoint(mine | theirs):
                    return None
                pairs |= {frozenset((a, b)) for a in mine for b in theirs}
        return frozenset(pairs)
