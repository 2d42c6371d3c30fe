"""A long program in a few lines: how much of what there is, and the first calls of each section."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from .instruction import Guard, Instruction, Value
from .naming import Names
from .source import RESERVED, Text
from .statements import Statements, shown_text

if TYPE_CHECKING:
    from .program import Program

LONG = 3000
"""A program of more calls is not printed whole."""
SHOWN, MOST = 8, 6


def summary_of(program: Program) -> str:
    """What is in a program, without its text."""
    writer = _Loose(program.with_instructions([]), Names(RESERVED), {})
    for value in program.given_values:
        writer.target(value)
    counts = [
        f"{len(program.instructions):,} calls", f"{len(program.inputs):,} arguments",
        f"{len(program.reads):,} arrays and numbers of its state", f"{len(program.outputs):,} results",
    ]  # fmt: skip
    lines = [
        f"{program.name}: {', '.join(counts)}",
        "program.source() is the whole text, draw(program) a picture",
    ]
    for phase, section in groupby(program.instructions, key=lambda i: i.phase):
        calls = list(section)
        counted = Counter(getattr(i.function, "__name__", "call") for i in calls if type(i.function) is not Guard)
        often = ", ".join(f"{count:,} {name}" for name, count in counted.most_common(MOST))
        others = len(counted) - MOST
        lines += ["", f"-- {phase}: {len(calls):,} calls: {often}{f', and {others} others' if others > 0 else ''} --"]
        lines += [f"    {text}" for _, text in writer.statements(list(islice(calls, SHOWN)))]
        lines += [f"    ... {len(calls) - SHOWN:,} more"] * (len(calls) > SHOWN)
    return "\n".join(lines) + "\n"


class _Loose(Statements):
    """Names values where they are met: what has made them may not be shown."""

    def text(self, value: Value) -> Text:
        """The name of a value."""
        if value not in self.named:
            self.target(value)
        return super().text(value)

    def _call(self, instruction: Instruction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        return shown_text(instruction, args, kwargs)
