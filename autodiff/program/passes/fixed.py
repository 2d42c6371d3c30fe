"""Numbers that do nothing but decide: they are compared with what they were, and their guards are not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..instruction import Guard, Value

if TYPE_CHECKING:
    from ..program import Program


def fixed(program: Program) -> Program:
    """The program without the guards of numbers that have no other use: an option of a layer, a switch."""
    deciding = {slot.value for slot in program.reads if slot.initial is not None} - _used(program)
    computed: set[Value] = set()  # from such numbers alone
    kept = []
    for instruction in program.instructions:
        if all(value in deciding or value in computed for value in instruction.operands):
            computed.update(instruction.results)
            if isinstance(instruction.function, Guard) and any(instruction.operands):
                continue
        kept.append(instruction)
    checks = [slot for slot in program.reads if slot.value in deciding]
    return program.with_instructions(kept, checks=[*program.checks, *checks])


def _used(program: Program) -> set[Value]:
    """The values that something depends on which is left when the program ends."""
    used = set(program.results)
    for instruction in reversed(program.instructions):
        if instruction.writes or not used.isdisjoint(instruction.results):
            used.update(instruction.operands)
    return used
