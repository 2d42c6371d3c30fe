"""Numbers that do nothing but decide: they are compared with what they were, and their guards are not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..instruction import Guard, Value

if TYPE_CHECKING:
    from ..program import Program


def fixed(program: Program) -> Program:
    """The program without the guards of numbers that have no other use: an option of a layer, a switch."""
    numbers = {slot.value for slot in program.reads if slot.initial is not None}
    sources: dict[Value, set[Value]] = {}
    for instruction in program.instructions:
        mine = set().union(*[sources.get(value, {value}) for value in instruction.operands])
        sources.update(dict.fromkeys(instruction.results, mine))
    used = set(program.results)
    for instruction in reversed(program.instructions):
        if instruction.writes or not used.isdisjoint(instruction.results):
            used.update(instruction.operands)
    deciding = numbers - used
    kept = [
        instruction
        for instruction in program.instructions
        if not (
            isinstance(instruction.function, Guard)
            and sources.get(instruction.args[0], {instruction.args[0]}) <= deciding
        )
    ]
    checks = {slot.value for slot in program.reads} & deciding
    return program.with_instructions(kept, checks=[*program.checks, *[s for s in program.reads if s.value in checks]])
