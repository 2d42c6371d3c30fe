"""The calls of numbers in a program, as plain lists of integers: a program may have a million of them.

Each number is a *cell*: what is given, a constant, or the result of a call.  Calls that compute the same of the same
cells are one.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errstate import SILENT
from ..instruction import Guard, Instruction, Value
from ..passes.memory import owners_of
from .operations import KINDS, SAME, Operation, Same, kind_of, operation

if TYPE_CHECKING:
    from ..program import Program

READS = frozenset({"NaN", "bool", "float", "item", "int", "value"})
"""What a check may read of a number."""


class Listing:
    """A program's calls of numbers.

    ``codes``, ``errors``, ``first`` and ``second`` have an entry for each cell: its operation, what NumPy does about
    errors there, and the cells of its operands, -1 for none; ``third`` are the few others.  A cell with code -1 is
    given, or a constant.  ``rows`` is the program in its order: a cell that is computed, a check, or any other
    instruction.  ``checks`` are the guards of numbers, each with its cell.
    """

    def __init__(self, program: Program) -> None:
        self.operations: list[Operation] = []
        self.states: list[str] = []
        """What ``errors`` are, by number."""
        self.codes: list[int] = []
        self.errors: list[int] = []
        self.first: list[int] = []
        self.second: list[int] = []
        self.third: dict[int, int] = {}
        self.kinds: list[tuple[Any, ...]] = []
        """The types of the arguments, and of the result, by code: calls that differ in them alone are of two codes."""
        self.constants: dict[int, Any] = {}
        self.given: dict[int, Value] = {}
        self.cells: dict[Value, int] = {}
        self.checks: list[tuple[Guard, int, Value]] = []
        self.rows: list[Any] = []
        self.calls = 0
        """How many calls of numbers there were, before the same ones were made one."""
        self._known: list[dict[tuple[int, ...], int]] = []
        self._codes: dict[Any, Any] = {}
        self._usual: dict[Any, int] = {}
        self._numbers: dict[Any, int] = {}
        self._written = _written(program.instructions)
        self._read(program.instructions)
        self.table = np.array([self.codes, self.errors, self.first, self.second], int)
        """The same lists, as the rows of one array."""

    def operands(self, cell: int) -> tuple[int, ...]:
        """The cells that a call takes."""
        second, third = self.second[cell], self.third.get(cell)
        if third is not None:
            return self.first[cell], second, third
        return (self.first[cell], second) if second >= 0 else (self.first[cell],) if self.codes[cell] >= 0 else ()

    def _read(self, instructions: Iterable[Instruction]) -> None:
        """All instructions; the usual ones, of two numbers, without detours, for they may be a million."""
        cells, known, usual = self.cells, self._known, self._usual
        codes, errors, first, second, rows = self.codes, self.errors, self.first, self.second, self.rows
        cell, add = cells.get, self._add
        text, state = "", self._state("")
        for instruction in instructions:
            args, result = instruction.args, instruction.result
            if len(args) == 2 and type(result) is Value and not instruction.kwargs and not instruction.writes:
                a, b = args
                if type(a) is Value:
                    one, left = a.kind, cell(a)
                else:
                    one, left = type(a), None
                if type(b) is Value:
                    two, right = b.kind, cell(b)
                else:
                    two, right = type(b), None
                code = usual.get((instruction.function, one, two, result.kind))
                if code is not None:
                    if left is None or right is None:
                        left, right = self.cell(a), self.cell(b)
                    if instruction.errors is not text:
                        text, state = instruction.errors, self._state(instruction.errors)
                    new = len(codes)
                    same = known[code].setdefault((left, right), new)
                    if same != new and errors[same] != state and text != SILENT:
                        same = known[code][left, right] = new
                    if same == new:
                        codes.append(code)
                        errors.append(state)
                        first.append(left)
                        second.append(right)
                        rows.append(new)
                    cells[result] = same
                    self.calls += 1
                    continue
            add(instruction)

    def _add(self, instruction: Instruction) -> None:
        """One more instruction of any kind."""
        result, args = instruction.result, instruction.args
        if type(result) is not Value or instruction.kwargs or instruction.writes or type(args) is not tuple:
            if type(instruction.function) is Guard and self._is_check(instruction):
                self.checks.append((instruction.function, self.cell(args[0]), args[0]))
                self.rows.append(self.checks[-1])
            else:
                self.rows.append(instruction)
            return
        if instruction.function is operator.getitem and type(args[1]) is tuple and not args[1]:
            args = args[:1]
        kinds = tuple([a.kind if type(a) is Value and a.kind in KINDS else kind_of(a) for a in args])
        made = result.kind if result.kind in KINDS else kind_of(result)
        key = (instruction.function, kinds, made)
        code = self._codes.get(key, False)
        if code is False:
            code = self._codes[key] = self._code(instruction.function, kinds, made)
            if type(code) is int and len(kinds) == 2 and all(kind in KINDS for kind in (*kinds, made)):
                self._usual[instruction.function, *kinds, made] = code
        if code is None or (self._written and self._is_written(args)):
            self.rows.append(instruction)
        elif code is SAME:
            self.cells[result] = self.cell(args[0])
        else:
            self._call(code, tuple(map(self.cell, args)), instruction.errors, result)

    def _call(self, code: int, operands: tuple[int, ...], errors: str, result: Value) -> None:
        """One call, or the cell of the same one before."""
        self.calls += 1
        state = self._state(errors)
        known = self._known[code].get(operands)
        if known is not None and (errors == SILENT or self.errors[known] == state):
            self.cells[result] = known
            return
        cell = self.cells[result] = self._known[code][operands] = len(self.codes)
        self.codes.append(code)
        self.errors.append(state)
        self.first.append(operands[0])
        self.second.append(operands[1] if len(operands) > 1 else -1)
        if len(operands) > 2:
            self.third[cell] = operands[2]
        self.rows.append(cell)

    def _state(self, errors: str) -> int:
        if errors not in self.states:
            self.states.append(errors)
        return self.states.index(errors)

    def _code(self, function: Any, kinds: tuple[Any, ...], made: Any) -> Any:
        """The number of an operation; None if the call is not for a tape."""
        found = None if made is None or None in kinds or not kinds else operation(function, kinds, made)
        if found is None or isinstance(found, Same):
            return found
        self.operations.append(found)
        self.kinds.append((*kinds, made))
        self._known.append({})
        return len(self.operations) - 1

    def _is_check(self, instruction: Instruction) -> bool:
        value: Any = instruction.args[0]
        guard: Any = instruction.function
        if type(value) is not Value or value.kind not in KINDS or guard.read not in READS:
            return False
        cell = self.cells.get(value)
        return cell is not None and self.codes[cell] >= 0

    def _is_written(self, args: Any) -> bool:
        return any(type(a) is Value and a in self._written for a in args)

    def cell(self, argument: Any) -> int:
        """The cell of an argument."""
        if type(argument) is Value:
            found = self.cells.get(argument)
            if found is None:
                found = self.cells[argument] = self._new()
                self.given[found] = argument
            return found
        kind = type(argument)
        key = (kind, argument, argument == 0 and math.copysign(1.0, argument))
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self._new()
            self.constants[found] = argument
        return found

    def _new(self) -> int:
        self.codes.append(-1)
        self.errors.append(-1)
        self.first.append(-1)
        self.second.append(-1)
        return len(self.codes) - 1


def _written(instructions: Any) -> set[Value]:
    """The arrays that the program writes into, and those that share memory with them."""
    if not any(i.writes for i in instructions):
        return set()
    owners = owners_of(instructions)
    written = {owner for i in instructions for value in i.writes for owner in owners.get(value, {value})}
    return written | {value for value, mine in owners.items() if not written.isdisjoint(mine)}
