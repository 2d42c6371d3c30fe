"""Common subexpressions: the same call of the same operands is made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Guard, Instruction, Value, values_in

if TYPE_CHECKING:
    from ..program import Program


def shared(program: Program) -> Program:
    """The program with every call made once.

    Where something is written in place, what shares its memory is not known well enough: then nothing is changed.
    """
    if any(instruction.writes for instruction in program.instructions):
        return program
    known: dict[Any, Any] = {}
    same: dict[Value, Value] = {}

    def first(value: Value) -> Value:
        return same.get(value, value)

    kept: list[Instruction] = []
    for instruction in program.instructions:
        now = instruction.map(first)
        key = _key(now)
        before = known.get(key) if key is not None else None
        if before is None:
            kept.append(now)
            if key is not None:
                known[key] = now.result
        else:
            same.update(zip(values_in(now.result), values_in(before), strict=True))
    return program.with_instructions(kept, first)


def _key(instruction: Instruction) -> Any:
    """What two calls have in common that compute the same; None for one that is not compared."""
    if isinstance(instruction.function, Guard) or instruction.result is None:
        return None
    key = (instruction.function, _frozen(instruction.args), _frozen(instruction.kwargs), instruction.quiet)
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _frozen(structure: Any) -> Any:
    """The structure with its types, as something that can be a key; numbers by their bits: 0.0 is not -0.0, nor 0."""
    kind = type(structure)
    if kind in (tuple, list):
        return kind, tuple(map(_frozen, structure))
    if kind is dict:
        return kind, tuple((name, _frozen(part)) for name, part in structure.items())
    if kind is slice:
        return kind, tuple(map(_frozen, (structure.start, structure.stop, structure.step)))
    if kind is float or kind is complex or isinstance(structure, np.generic):
        return kind, repr(structure)
    return kind, structure
