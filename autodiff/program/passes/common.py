"""Common subexpressions: the same call of the same operands is made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errstate import SILENT
from ..instruction import Guard, Instruction, Value, values_in
from .memory import owners_of, written_in

if TYPE_CHECKING:
    from ..program import Program


_GIVEN = "the memory of what is given"


def shared(program: Program) -> Program:
    """The program with every call made once.

    What is written in place is an array of its own; and after a write, nothing is made use of that was computed before
    it from an array in the same memory.  Arrays that are given may lie in the same memory.
    """
    given = {v for v in program.given_values if v.kind is np.ndarray}
    owners = owners_of(program.instructions)
    written = written_in(program.instructions, owners)
    known: dict[Any, Any] = {}
    readers: dict[Any, list[Any]] = {}  # by the array in whose memory an operand may lie
    same: dict[Value, Value] = {}

    def first(value: Value) -> Value:
        return same.get(value, value)

    def memories(value: Value) -> set[Any]:
        return {_GIVEN if owner in given else owner for owner in owners.get(value, {value})}

    is_written = any(instruction.writes for instruction in program.instructions)

    kept: list[Instruction] = []
    for instruction in program.instructions:
        now = instruction.map(first)
        key = _key(now)
        if now.writes:
            for value in instruction.writes:
                for owner in memories(value):
                    for reader in readers.pop(owner, ()):
                        known.pop(reader, None)
        elif key is not None and all(written.isdisjoint(owners[result]) for result in now.results):
            before, errors = known.get(key, (None, ""))
            if key in known and now.errors in (SILENT, errors):  # of what NumPy had to say nothing is lost
                same.update(zip(values_in(now.result), values_in(before), strict=True))
                continue
            known[key] = now.result, now.errors
            for operand in instruction.operands if is_written else ():
                for owner in memories(operand):
                    readers.setdefault(owner, []).append(key)
        kept.append(now)
    return program.with_instructions(kept, first)


def _key(instruction: Instruction) -> Any:
    """What two calls have in common that compute the same; None for one that is not compared."""
    if instruction.result is None and not isinstance(instruction.function, Guard):
        return None
    key = (instruction.function, _frozen(instruction.args), _frozen(instruction.kwargs))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _frozen(structure: Any) -> Any:
    """The structure with its types, as something that can be a key; numbers by their bits: 0.0 is not -0.0, nor 0."""
    kind = type(structure)
    if kind is Value:
        return structure  # nothing else is equal to it
    if kind is tuple or kind is list:
        return kind, tuple([_frozen(part) for part in structure])
    if kind is dict:
        return kind, tuple((name, _frozen(part)) for name, part in structure.items())
    if kind is slice:
        return kind, tuple(map(_frozen, (structure.start, structure.stop, structure.step)))
    if kind is float or kind is complex or isinstance(structure, np.generic):
        return kind, repr(structure)
    return kind, structure
