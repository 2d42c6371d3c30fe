"""The picture of a program: its arguments, its state, its calls in sections, and the memory in which results lie."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...program.backends import NUMPY
from ...program.c.views import is_view, viewed, whole
from ...program.instruction import UPDATE, Guard, Instruction, Value, mapped
from ...program.listing import left_names
from ...program.naming import Names, short_names
from ...program.passes.plain import written_by_hand
from ...program.program import Program
from ...program.source import RESERVED, Text
from ...program.statements import shown_text
from ..picture.model import INPUT, OPERATION, VARIABLE, Box, Group, Picture, amount
from .tracer import brief
from .traversal import counted, dtype_text, place_leaves

LONG = 20_000
"""Of a program of more calls it is not asked how it would be written by hand, nor where its results lie."""
MANY = 30
"""So many arguments, or arrays and numbers of the state, are drawn one by one."""
CROWD = 100
"""Of a program of more calls, those of one line of the user's are drawn as a group."""
_OPERATORS = {
    "mul": "multiply", "sub": "subtract", "truediv": "divide", "pow": "power", "neg": "negative", "gt": "greater",
    "lt": "less", "ge": "greater_equal", "le": "less_equal", "eq": "equal", "ne": "not_equal",
}  # fmt: skip
"""NumPy's names of Python's operators."""
SHORT, NAMELESS = 18, "·"
_OURS = re.compile(r"^(np|autodiff[\w.]*)\.(?=\w+\()")
"""What stands before the name of a function that is NumPy's, or does what one of NumPy's does."""


def of_program(program: Program, *, constants: bool = False) -> Picture:
    """The picture of a program, as its text has it; with ``constants``, its constant arrays as boxes."""
    return _Drawn(program, constants).picture()


class _Drawn:
    def __init__(self, program: Program, constants: bool) -> None:
        self.shows_constants = constants
        self.short = len(program.instructions) <= LONG
        self.fused = self.short and program.backend != NUMPY
        self.program = program.fused() if self.fused else program.readable() if self.short else program
        self.plan = program.plan() if self.short and not self.fused else None
        self._checked = {
            v for i in self._every() if isinstance(i.function, Guard) for v in i.operands if _is_of_nan(i.function)
        }
        self.boxes: list[Box] = []
        self.groups = [Group("root", "")]
        self.at: dict[Value, int] = {}
        """The box in which each value is, as it is now."""
        self.outside: set[int] = set()
        self._read_at: dict[Value, int] = {}
        self._last: tuple[Any, int, int] = (None, 0, 0)
        self.unseen = 0
        self._names = Names(RESERVED)

    def _every(self) -> Iterator[Instruction]:
        """Every call, also those that are made at once."""
        for instruction in self.program.instructions:
            yield from getattr(instruction.function, "instructions", (instruction,))

    def picture(self) -> Picture:
        """The whole picture."""
        program = self.program
        self._leaves = {slot.value: slot.places[0].path for slot in program.reads}
        self._short: dict[Value, str] = dict(zip(self._leaves, short_names(list(self._leaves.values())), strict=True))
        for value in program.inputs:
            self._name(value)
        self._short |= {value: self._names.fresh(name) for value, name in left_names(program).items()}
        for value in program.inputs:
            self.outside.add(self._leaf(value, self._name(value), INPUT))
        self._calls()
        picture = Picture(self.boxes, self.groups, title=program.name)
        self._ends(picture)
        place_leaves(picture, self.outside)
        self._put_leaves_away()
        picture.arrange()
        picture.facts += self._facts(picture)
        return picture

    def _calls(self) -> None:
        """A box for each call, in its section; calls that C makes at once are a frame, in whatever section they are."""
        program = self.program
        several = len({i.phase for i in program.instructions}) > 1 and not self.fused
        phase, group = "", 0
        for instruction in program.instructions:
            if several and instruction.phase != phase:
                phase = instruction.phase
                group = self._group("pass", phase if phase != UPDATE or program.updates else "result", 0)
            around = self._line(instruction, group) if len(program.instructions) > CROWD else group
            inside = getattr(instruction.function, "instructions", None)
            if inside is None:
                self._call(instruction, around)
                continue
            name = getattr(instruction.function, "__name__", "fused")
            frame = self._group("pass", f"{name}, one call", around)
            for one in inside:
                self._call(written_by_hand(one), frame)

    def _put_leaves_away(self) -> None:
        """Put the arguments, and what the program reads, into one group each, if it is more than one wants to see."""
        state = [i for value, i in self._read_at.items() if value in self._leaves]
        for name, places in (("arguments", sorted(self.outside)), ("state", state)):
            if len(places) > MANY:
                group = self._group("module", name, 0)
                for i in places:
                    self.boxes[i].group = group

    def _group(self, kind: str, name: str, parent: int) -> int:
        self.groups.append(Group(kind, name, "", parent))
        return len(self.groups) - 1

    def _line(self, instruction: Instruction, section: int) -> int:
        """The group of the calls of one line that follow each other."""
        line = instruction.line
        if line is None:
            return section
        if (line, section) != self._last[:2]:
            text = linecache.getline(line.file, line.number).strip() or f"line {line.number}"
            self._last = line, section, self._group("function", text[:60], section)
        return self._last[2]

    def _is_check(self, instruction: Instruction) -> bool:
        """Whether a call is a part of a check that no gradient is NaN; these are counted, and not drawn."""
        if _is_of_nan(instruction.function):
            self.unseen += 1
            return True
        return instruction.function is np.vdot and not self._checked.isdisjoint(instruction.results)

    def _leaf(self, value: Value, name: str, kind: str) -> int:
        """A box for what the program does not compute."""
        box = Box(kind, "", value.shape, _dtype(value), name=name)
        self.boxes.append(box)
        self.at[value] = self._read_at[value] = len(self.boxes) - 1
        return self.at[value]

    def _place(self, value: Value, group: int) -> int:
        """The box of an operand; what is read outside of the program gets one where it is met first."""
        if value not in self.at:
            kind = VARIABLE if value in self._leaves and value.kind is np.ndarray else INPUT
            box = self.boxes[self._leaf(value, self._name(value) or "constant", kind)]
            box.group, box.message = group, self._leaves.get(value, "")
        return self.at[value]

    def _call(self, instruction: Instruction, group: int) -> None:
        """A box for a call."""
        if self._is_check(instruction):
            return
        function, result = instruction.function, instruction.result
        shown = [v for v in instruction.operands if not self._is_small(v)]
        parents = [self._place(value, group) for value in shown]
        results = list(instruction.results)
        seen = results or [v for v in instruction.writes if v.kind is np.ndarray][:1]
        shape: Any = seen[0].shape if len(seen) == 1 else tuple(v.shape for v in seen) if seen else None
        name = getattr(function, "__name__", "call")
        box = Box(OPERATION, _OPERATORS.get(name, name), shape, " ".join(map(_dtype, seen)))
        box.parents, box.arguments, box.group = parents, [self._written(value) for value in shown], group
        args, kwargs = mapped(self._dotted, instruction.args), mapped(self._dotted, instruction.kwargs)
        box.label, box.whole = _OURS.sub("", shown_text(instruction, args, kwargs)), True
        box.name = self._name(result) if type(result) is Value else ", ".join(filter(None, map(self._name, results)))
        if instruction.line is not None:
            box.line = f"{instruction.line.file}:{instruction.line.number}"
        box.message = self._memory(instruction)
        self.boxes.append(box)
        for value in (*results, *instruction.writes):
            self.at[value] = len(self.boxes) - 1

    def _is_small(self, value: Value) -> bool:
        """Whether a constant is shown in the calls that use it."""
        constants = self.program.constants
        return value in constants and not (self.shows_constants and np.ndim(constants[value]))

    def _dotted(self, value: Value) -> Text:
        """An operand in a label: a constant, or a dot."""
        return Text(brief(self.program.constants[value])) if self._is_small(value) else Text(NAMELESS)

    def _name(self, value: Value) -> str:
        """The name of a value, as in the text of the program; empty for one that has none."""
        if value not in self._short and value.name:
            self._short[value] = self._names.fresh(value.name)
        return self._short.get(value, "")

    def _written(self, value: Value) -> str:
        """A short name, or a dot for what an arrow tells."""
        name = self._name(value)
        return name if 0 < len(name) <= SHORT else NAMELESS

    def _memory(self, instruction: Instruction) -> str:
        """Where a result lies: in a buffer, in what another value lies in, in an array of its own."""
        if instruction.writes:
            names = [self._named(value) for value in instruction.writes]
            return f"written into {', '.join(names)}"
        result = instruction.result
        if self.plan is None or type(result) is not Value or result.kind is not np.ndarray:
            return ""
        buffer = self.plan.of.get(result)
        if buffer is not None:
            over = [v for v in instruction.operands if self.plan.of.get(v) is buffer]
            return f"buffer {buffer.number}" + (", over its operand" if over else "")
        return "a view" if _is_view(instruction) else ""

    def _named(self, value: Value) -> str:
        return self._leaves.get(value) or self._name(value) or "its operand"

    def _ends(self, picture: Picture) -> None:
        """Mark what is returned, and what is left in places."""
        outputs = [o for o in self.program.outputs if type(o) is Value]
        for k, value in enumerate(outputs):
            box = self.boxes[self._place(value, 0)]
            box.name = box.name or ("output" if len(outputs) == 1 else f"output {k}")
        picture.outputs = list(dict.fromkeys(self.at[value] for value in outputs))
        for slot in self.program.writes:
            if type(slot.value) is Value:
                box = self.boxes[self._place(slot.value, 0)]
                path = slot.places[0].path
                box.name = box.name or path
                box.message = "; ".join(filter(None, [box.message, f"left in {path}"]))

    def _facts(self, picture: Picture) -> list[str]:
        """Totals: calls, state, checks, and memory."""
        program = self.program
        counts = [counted(picture.operations, "call"), counted(len(program.inputs), "argument")]
        facts = [", ".join([*counts, f"longest path {picture.depth:,}"])]
        if program.reads:
            read, left = len(program.reads), len(program.writes)
            facts.append(f"reads {read:,} arrays and numbers where they are, and leaves {left:,}")
        if self.unseen:
            facts.append(f"not drawn: {counted(self.unseen, 'check')} that a gradient is not NaN")
        if self.plan is not None:
            size = sum(b.nbytes for b in self.plan.buffers)
            facts.append(f"{counted(len(self.plan.buffers), 'buffer')} of {amount(size)} for intermediate arrays")
        return facts


def _dtype(value: Value) -> str:
    return "generator" if value.kind is np.random.Generator else dtype_text(value.dtype)


def _is_of_nan(function: Any) -> bool:
    guard = function if isinstance(function, Guard) else getattr(function, "guard", None)  # or what looks in its place
    return isinstance(guard, Guard) and guard.read == "NaN"


def _is_view(instruction: Instruction) -> bool:
    """Whether the result surely lies in the memory of the operand."""
    place = whole(instruction.args[0]) if is_view(instruction) else None
    return place is not None and viewed(instruction, place) is not None
