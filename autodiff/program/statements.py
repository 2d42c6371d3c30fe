"""Calls as statements: what is used once, and has no name of the user's, stands where it is used.

No call is moved over a write that it might see.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .instruction import Guard, Instruction, Value, mapped, values_in
from .naming import Names
from .passes.memory import is_fresh, owners_of, written_in
from .source import AUGMENTED, Text, Writer, expression, guard_text, literal, targets

if TYPE_CHECKING:
    from .program import Program

LONG, DEEP = 84, 7
"""Characters of an expression, and calls in it: a longer one is more than one statement."""
Statement = tuple[Instruction, str]


class _Waiting(NamedTuple):
    """A call that has not been written yet: its text, how many calls are in it, and the values that it reads."""

    instruction: Instruction
    text: Text
    calls: int
    reads: frozenset[Value]


class Statements(Writer):
    """Writes the statements of a program."""

    def __init__(self, program: Program, names: Names, wanted: dict[Value, str]) -> None:
        super().__init__({}, names)
        self.wanted = wanted
        self._owners = owners_of(program.instructions)
        self._made = {value for i in program.instructions if is_fresh(i) for value in i.results}
        self._once = _used_once(program, wanted, self._owners)
        self._waiting: dict[Value, _Waiting] = {}

    def target(self, value: Value, wanted: str = "") -> Text:
        return super().target(value, wanted or self.wanted.get(value, ""))

    def text(self, value: Value) -> Text:
        waiting = self._waiting.get(value)
        return super().text(value) if waiting is None else waiting.text

    def statements(self, instructions: list[Instruction]) -> Iterator[Statement]:
        """The statements, each with the call that it is of; what is left waiting is a part of the result."""
        for instruction in instructions:
            if instruction.writes:
                yield from self._before_write(instruction)
            yield from self._shortened(instruction)
            result = instruction.result
            if type(result) is Value and result in self._once:
                operands = list(instruction.operands)
                inside = [self._waiting.pop(v) for v in operands if v in self._waiting]
                text = self._expression(instruction, {w.instruction.result: w.text for w in inside})
                reads = frozenset(operands).difference(w.instruction.result for w in inside)
                calls = 1 + sum(w.calls for w in inside)
                self._waiting[result] = _Waiting(instruction, text, calls, reads.union(*[w.reads for w in inside]))
                continue
            yield instruction, self._statement(instruction)
            for value in instruction.operands:
                self._waiting.pop(value, None)

    def finish(self, kept: set[Value]) -> Iterator[Statement]:
        """The statements of what is still waiting and is no part of the result."""
        for value in [v for v in self._waiting if v not in kept]:
            yield self._written(value)

    def _expression(self, instruction: Instruction, inside: dict[Value, Text] | None = None) -> Text:
        def text(value: Value) -> Text:
            return (inside or {}).get(value) or self.text(value)

        return expression(instruction.function, mapped(text, instruction.args), mapped(text, instruction.kwargs))

    def _statement(self, instruction: Instruction) -> str:
        loop = getattr(instruction.function, "text", None)
        if loop is not None:  # it is a statement of many lines
            return loop(instruction, self)  # type: ignore[no-any-return]
        args, kwargs = mapped(self.text, instruction.args), mapped(self.text, instruction.kwargs)
        text = self._call(instruction, args, kwargs)
        if instruction.result is None:
            return text
        made = mapped(self.target, instruction.result)
        return f"{made.text if type(made) is Text else targets(made)} = {text}"

    def _call(self, instruction: Instruction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        return call_text(instruction, args, kwargs)

    def _written(self, value: Value) -> Statement:
        """The statement of a call that waits."""
        waiting = self._waiting.pop(value)
        return waiting.instruction, f"{self.target(value).text} = {waiting.text.text}"

    def _shortened(self, instruction: Instruction) -> Iterator[Statement]:
        """The statements of operands that would make a call too long."""
        operands = [v for v in dict.fromkeys(instruction.operands) if v in self._waiting]
        while operands:
            calls = 1 + sum(self._waiting[v].calls for v in operands)
            length = sum(len(self._waiting[v].text.text) for v in operands)
            if calls <= DEEP and length + 12 <= LONG:
                return
            longest = max(operands, key=lambda v: len(self._waiting[v].text.text))
            operands.remove(longest)
            yield self._written(longest)

    def _before_write(self, instruction: Instruction) -> Iterator[Statement]:
        """The statements of calls that wait and might see a write."""
        written = {
            owner
            for value in instruction.writes
            if value.kind is not np.random.Generator
            for owner in self._owners.get(value, {value})
        }
        operands = set(instruction.operands)
        if not written:
            return
        for value, waiting in list(self._waiting.items()):
            if value not in operands and any(self._may_see(read, written) for read in waiting.reads):
                yield self._written(value)

    def _may_see(self, read: Value, written: set[Value]) -> bool:
        """Whether an array may lie in memory that is written; those from outside may all be one."""
        if read.kind is not np.ndarray:
            return False
        owners = self._owners.get(read, {read})
        return not owners.isdisjoint(written) or not owners <= self._made


def call_text(instruction: Instruction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """A call with these texts in the place of its operands, without what takes the result."""
    function = instruction.function
    if isinstance(function, Guard):
        return f"assert {guard_text(function, args[0])}"
    if function is operator.setitem:
        return f"{expression(operator.getitem, args[:2], {}).text} = {literal(args[2])}"
    if function in AUGMENTED:
        return f"{literal(args[0])} {AUGMENTED[function]} {literal(args[1])}"
    return expression(function, args, kwargs).text


def shown_text(instruction: Instruction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The same for a reader alone: a function that no text can name is there, too."""
    try:
        return call_text(instruction, args, kwargs)
    except ValueError:
        operands = ", ".join(part.text for part in args if type(part) is Text)
        return f"{getattr(instruction.function, '__name__', 'call')}({operands})"


def _used_once(program: Program, wanted: dict[Value, str], owners: dict[Value, set[Value]]) -> set[Value]:
    """The results without a name that are used once, by a call of the same line, and never written."""
    uses: Counter[Value] = Counter()
    users: dict[Value, Instruction] = {}
    for instruction in program.instructions:
        for value in instruction.operands:
            uses[value] += 1
            users[value] = instruction
    ends = Counter(values_in([*program.outputs, *[slot.value for slot in program.writes]]))
    uses.update(ends)
    written = written_in(program.instructions, owners)
    found = set()
    last = program.instructions[-1].phase if program.instructions else ""
    late = max((n for n, i in enumerate(program.instructions) if i.writes), default=-1)
    for position, instruction in enumerate(program.instructions):
        result = instruction.result
        if type(result) is not Value or result.name or result in wanted or uses[result] != 1 or result in written:
            continue
        user = users.get(result)
        if instruction.writes:
            continue
        if user is None:  # a part of the result
            if position > late and not instruction.errors and instruction.phase == last:
                found.add(result)
        elif _context(user) == _context(instruction) and not hasattr(user.function, "text"):
            found.add(result)
    return found


def _context(instruction: Instruction) -> Any:
    return instruction.phase, instruction.errors, instruction.line
