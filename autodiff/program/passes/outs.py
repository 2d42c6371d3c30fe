"""Results that were written into room made for them, as values: ``np.multiply(a, b, out=room)`` is ``room = a * b``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Instruction, Value, values_in

if TYPE_CHECKING:
    from ..program import Program


def unwritten(program: Program) -> Program:
    """The program without ``out=`` where that is room made for it, and nothing else lies there."""
    rooms = _rooms(program)
    if not rooms:
        return program
    now: dict[Value, Value] = {}

    def latest(value: Value) -> Value:
        return now.get(value, value)

    kept: list[Instruction] = []
    for instruction in program.instructions:
        out = _out(instruction)
        if instruction.result in rooms:
            continue
        changed = replace(
            instruction, kwargs={k: v for k, v in instruction.kwargs.items() if k != "out" or out not in rooms}
        )
        changed = changed.map(latest)
        if out in rooms:
            made = now[out] = Value(out.shape, out.dtype, out.kind, "", out.strides)
            changed = replace(changed, result=made, writes=())
        kept.append(changed)
    return program.with_instructions(kept, latest)


def _rooms(program: Program) -> set[Value]:
    """The values that are made by ``np.empty_like``, are read after they are written, and have no view."""
    rooms: set[Value] = set()
    written: set[Value] = set()
    if not any("out" in instruction.kwargs for instruction in program.instructions):
        return rooms
    for instruction in program.instructions:
        if instruction.function is np.empty_like and type(instruction.result) is Value:
            rooms.add(instruction.result)
            continue
        out = _out(instruction)
        others = [value for name, value in instruction.kwargs.items() if name != "out"]
        for value in values_in((*instruction.args, *others)):
            if value in rooms and (value not in written or not isinstance(instruction.function, np.ufunc)):
                rooms.discard(value)
        if out is None:
            rooms -= set(instruction.writes)
        else:
            written.add(out)
    return rooms


def _out(instruction: Instruction) -> Any:
    """The value that a ufunc writes all of, of the dtype that it would make by itself; None if it does not."""
    given = instruction.kwargs.get("out")
    if type(given) is not tuple or len(given) != 1 or not isinstance(instruction.function, np.ufunc):
        return None
    out = given[0]
    operands = [a for a in instruction.args if type(a) is Value]
    same = all(a.kind is not np.ndarray or (a.shape == out.shape and a.dtype == out.dtype) for a in operands)
    plain = all(a.kind in (np.ndarray, float, int) for a in operands)
    arrays = any(a.kind is np.ndarray for a in operands)
    return out if same and plain and arrays and set(instruction.kwargs) == {"out"} else None
