"""Dead code: what no output, no guard and no write needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..program import Program


def live(program: Program) -> Program:
    """The program without the instructions whose results nobody uses.

    A check has none.  A write is kept: it may be into what an input or a view of it shares.
    """
    needed = program.results
    kept = []
    for instruction in reversed(program.instructions):
        made = set(instruction.results)
        function: Any = instruction.function
        checks = instruction.result is None or bool(getattr(function, "checks", None))  # those of a region of numbers
        if checks or instruction.writes or not needed.isdisjoint(made):
            needed.update(instruction.operands)
            kept.append(instruction)
    reads = [slot for slot in program.reads if slot.value in needed]
    return program.with_instructions(kept[::-1], reads=reads)
