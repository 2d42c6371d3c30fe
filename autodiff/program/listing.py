"""A program as the text of a NumPy function that a person would want to read.

Values have the names of the user's variables; what is used once stands where it is used; sections, and the user's line
above what it became.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tree import flatten, places
from .constants import array_text
from .instruction import UPDATE, Instruction, Value
from .naming import Names, short_names
from .source import RESERVED, literal, module_of
from .statements import Statements

if TYPE_CHECKING:
    from .program import Program

WIDE = 110
"""A line of more characters is broken, where it is one of ours."""
MANY = 40
"""Of more arrays than this, the others are counted."""


def text_of(program: Program) -> str:
    """A program as the text of a module with one function in it."""
    return _Listing(program).text()


class _Listing:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = Names(RESERVED | {program.name})
        self.out = Statements(program, self.names, left_names(program))

    def text(self) -> str:
        """The whole text."""
        program, out = self.program, self.out
        nested = {
            i: self.names.fresh(name)
            for i, (argument, name) in enumerate(zip(program.arguments, self._parameters(), strict=True))
            if type(argument) is not Value
        }
        for value in program.inputs:
            out.target(value)
        head = [nested.get(i) or out.named[argument] for i, argument in enumerate(program.arguments)]
        paths = [slot.places[0].path for slot in program.reads]
        state = [
            out.target(slot.value, name).text for slot, name in zip(program.reads, short_names(paths), strict=True)
        ]
        above, below = self._constants()
        body = [line for name, a in zip(head, program.arguments, strict=True) for line in _unpacked(name, a, out.named)]
        body += [*above, *self._sections(), *self._returned()]
        comment = _described(program, out.named, state, paths)
        spaces = any("SimpleNamespace(" in line for line in body[-1:])
        modules = {"numpy as np", *filter(None, map(module_of, _functions(program.instructions)))}
        lines = [
            *["import base64"] * any("base64." in line for line in (*above, *below)),
            *["from types import SimpleNamespace"] * spaces,
            "",
            *[f"import {module}" for module in sorted(modules)],
            "",
            "",
            *_broken(f"def {program.name}(", [*head, *["*"] * bool(state), *state], "):"),
            *[f"    {line}".rstrip() for line in (*comment, *body)],
            *["", "", *below] * bool(below),
        ]
        return "\n".join(lines).lstrip("\n") + "\n"

    def _parameters(self) -> list[str]:
        """The names of the arguments; keywords are the last one."""
        found = list(self.program.parameters[: len(self.program.arguments)])
        return found + ["keywords"] * (len(self.program.arguments) - len(found))

    def _constants(self) -> tuple[list[str], list[str]]:
        """The statements that make constants: short ones at the top of the function, long ones below it."""
        used = self.program.results
        for instruction in self.program.instructions:
            used.update(instruction.operands)
        above: list[str] = []
        below: list[str] = []
        for value, array in self.program.constants.items():
            if value in used:
                line = f"{self.out.target(value, value.name or 'c').text} = {array_text(array)}"
                (above if len(line) <= WIDE else below).append(line)
        return above, below

    def _sections(self) -> Iterator[str]:
        """The statements, in sections, under a comment with the user's line where that changes."""
        line = None
        instructions = list(self.program.instructions)
        phases, updates = {i.phase for i in instructions}, self.program.updates
        statements = [*self.out.statements(instructions), *self.out.finish(self.program.results)]
        for phase, section in groupby(statements, key=lambda s: s[0].phase):
            inside = list(section)
            if len(phases) > 1:
                yield f"# -- {phase if phase != UPDATE or updates else 'result'} --"
            for errors, block in groupby(inside, key=lambda s: s[0].errors):
                indent = "    " if errors else ""
                if errors:
                    yield f"with np.errstate({errors}):"
                for instruction, statement in block:
                    if instruction.line != line and instruction.line is not None and phase != UPDATE:
                        line = instruction.line
                        said = linecache.getline(line.file, line.number).strip()
                        if said and said != statement:
                            yield f"{indent}# {said if len(said) <= WIDE else said[: WIDE - 1] + '…'}"
                    yield from (indent + part for part in statement.split("\n"))

    def _returned(self) -> list[str]:
        """The last statement: the result, and what is left in places, by path."""
        program, out = self.program, self.out
        parts = program.nested([out.text(o) if type(o) is Value else o for o in program.outputs])
        if not program.writes:
            several = isinstance(parts, tuple) and len(parts) > 1
            return [f"return {', '.join(map(literal, parts)) if several else literal(parts)}"]
        result = literal(parts)
        left = [
            f"{slot.places[0].path!r}: {literal(out.text(slot.value) if type(slot.value) is Value else slot.value)}"
            for slot in program.writes
        ]
        line = f"return {result}, {{{', '.join(left)}}}"
        if len(line) <= WIDE:
            return [line]
        return [f"return {result}, {{", *[f"    {part}," for part in left], "}"]


def _functions(instructions: Sequence[Instruction]) -> Iterator[Any]:
    """The functions that are called, in the steps of loops too."""
    for instruction in instructions:
        body: Any = getattr(instruction.function, "body", None)
        if body is None:
            yield instruction.function
        else:
            yield from _functions(body.instructions)


def _broken(start: str, parts: list[str], end: str) -> list[str]:
    """A list in brackets, on as many lines as it needs."""
    whole = start + ", ".join(parts) + end
    if len(whole) <= WIDE:
        return [whole]
    lines, now = [start], "   "
    for part in parts:
        if len(now) + len(part) + 2 > WIDE:
            lines.append(now)
            now = "   "
        now += f" {part},"
    return [*lines, now, end]


def left_names(program: Program) -> dict[Value, str]:
    """Names for what is left in places: a gradient, and what is new there."""
    paths = [slot.places[0].path for slot in program.writes]
    names = short_names([path.removesuffix(".grad") for path in paths])
    found = {}
    for slot, path, name in zip(program.writes, paths, names, strict=True):
        if type(slot.value) is Value and not slot.value.name:
            found[slot.value] = f"{'d' if path.endswith('.grad') else 'new'}_{name}"
    return found


def _described(program: Program, named: dict[Value, str], state: list[str], paths: list[str]) -> list[str]:
    """A docstring with shapes and dtypes, and where the state is kept."""
    lines = [f"{named[value]}: {_form(value)}" for value in program.inputs]
    for slot, name, path in list(zip(program.reads, state, paths, strict=True))[:MANY]:
        lines.append(f"{name}: {_form(slot.value)}, {path.rpartition('__wrapped__.')[2]}")
    if len(program.reads) > MANY:
        lines.append(f"and {len(program.reads) - MANY:,} more")
    if not lines:
        return []
    lines = [line.replace("\\", "\\\\").replace('"', "'") for line in lines]
    one = "; ".join(lines)
    if not program.reads and len(one) + 6 <= WIDE:
        return [f'"""{one}"""']
    return [f'"""{lines[0]}', *lines[1:], '"""']


def _form(value: Value) -> str:
    if value.kind is np.random.Generator:
        return "generator"
    if value.kind is not np.ndarray:
        return value.kind.__name__
    return f"{value.dtype}{list(value.shape)}"


def _unpacked(name: str, argument: Any, named: dict[Value, str]) -> list[str]:
    """The statements that take a nested argument apart."""
    if type(argument) is Value:
        return []
    lines = []
    for leaf, place in zip(flatten(argument)[0], places(argument), strict=True):
        if type(leaf) is Value:
            if "<" in place:
                raise ValueError(
                    f"source: the argument {name} is a {type(argument).__name__}, which a text cannot take apart; pass "
                    "its arrays, in tuples, lists and dictionaries"
                )
            lines.append(f"{named[leaf]} = {name}{place}")
    return lines
