"""Functions of NumPy's that another library lacks, as the simpler ones of which the table knows that they are made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..primitive import Composite, registry
from .instruction import Guard, Instruction, Value, mapped, values_in
from .recorded import Recorded
from .recording import Recording, being_recorded

if TYPE_CHECKING:
    from .program import Program

Array = Any


def expanded(program: Program) -> Program:
    """The program with what the table's composite functions are made of in the place of their calls.

    Where that would depend on values, which are not known here, the call stays as it is.
    """
    same: dict[Value, Value] = {}
    constants = dict(program.constants)

    def latest(value: Value) -> Value:
        while value in same:
            value = same[value]
        return value

    kept: list[Instruction] = []
    waiting = list(reversed(program.instructions))
    while waiting:
        instruction = waiting.pop().map(latest)
        parts = _parts(instruction, constants, same)
        if parts is None:
            kept.append(instruction)
        else:
            waiting += reversed(parts)
    if len(kept) == len(program.instructions) and not same:
        return program
    changed = program.with_instructions(kept, latest)
    changed.constants |= {value: array for value, array in constants.items() if value not in changed.constants}
    return changed


def _parts(
    instruction: Instruction, constants: dict[Value, Array], same: dict[Value, Value]
) -> list[Instruction] | None:
    """The calls of which a call is made; None if it is not made of others, or if that depends on values."""
    entry = registry.get(instruction.function) if not isinstance(instruction.function, Guard) else None
    if type(entry) is not Composite or instruction.writes:
        return None
    recording = Recording()
    back: dict[Value, Value] = {}

    def stand_in(value: Value) -> Any:
        if value in constants:
            return constants[value]
        recorded = recording.new(_example(value))
        back[recorded.value] = value
        return recorded

    try:
        with being_recorded(), np.errstate(all="ignore"):
            returned = entry.call(*mapped(stand_in, instruction.args), **mapped(stand_in, instruction.kwargs))
    except Exception:  # of whatever kind: the call stays what it is
        return None
    recording.closed = True
    made = _recorded_in(returned)
    wanted = list(values_in(instruction.result))
    if len(made) != len(wanted) or any(m.form != w.form for m, w in zip(made, wanted, strict=True)):
        return None
    parts = [part for part in recording.instructions if not _is_of_form(part)]
    if any(isinstance(part.function, Guard) or part.function is instruction.function for part in parts):
        return None
    same.update({w: back.get(m, m) for m, w in zip(made, wanted, strict=True)})
    constants |= recording.copied_constants()
    return [replace(p.map(lambda v: back.get(v, v)), line=instruction.line, phase=instruction.phase) for p in parts]


def _is_of_form(instruction: Instruction) -> bool:
    return isinstance(instruction.function, Guard) and instruction.function.read == "form"


def _recorded_in(returned: Any) -> list[Value]:
    if type(returned) is Recorded:
        return [returned.value]
    if isinstance(returned, tuple | list):
        return [value for part in returned for value in _recorded_in(part)]
    return []


def _example(value: Value) -> Any:
    """Something of this shape and dtype: different numbers, whole ones 0."""
    if value.kind is np.ndarray:
        array = np.zeros(value.shape, value.dtype)
        if value.dtype.kind in "fc":
            array[...] = np.linspace(0.3, 0.7, array.size).reshape(value.shape)
        return array
    kind: Any = value.kind
    return kind(0.5 if value.dtype.kind in "fc" else 0)
