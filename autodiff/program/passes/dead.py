"""Dead code: what no output, no guard and no write needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..instruction import Guard, Value

if TYPE_CHECKING:
    from ..program import Program


def live(program: Program) -> Program:
    """The program without the instructions whose results nobody uses.

    A write is kept: it may be into what an input or a view of it shares.
    """
    needed = {output for output in program.outputs if type(output) is Value}
    kept = []
    for instruction in reversed(program.instructions):
        made = set(instruction.results)
        if isinstance(instruction.function, Guard) or instruction.writes or not needed.isdisjoint(made):
            needed.update(instruction.operands)
            kept.append(instruction)
    return program.with_instructions(kept[::-1], program.outputs)
