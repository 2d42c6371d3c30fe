"""The calls of numbers in a program, as plain lists of integers: a program may have a million of them.

Each number is a *cell*: what is given, a constant, or the result of a call.  Calls that compute the same of the same
cells are one.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

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

    ``codes``, ``errors`` and ``operands`` have an entry for each cell; a cell with code -1 is given, or a constant.
    ``rows`` is the program in its order: a cell that is computed, or any other instruction.  ``checks`` are the guards
    of numbers, each with its cell.
    """

    def __init__(self, program: Program) -> None:
        self.operations: list[Operation] = []
        self.states: list[str] = []
        """What ``errors`` are, by number."""
        self.codes: list[int] = []
        self.errors: list[int] = []
        self.operands: list[tuple[int, ...]] = []
        self.kinds: list[tuple[Any, ...]] = []
        """The types of the arguments, by code: calls that differ in them alone are of two codes."""
        self.constants: dict[int, Any] = {}
        self.given: dict[int, Value] = {}
        self.cells: dict[Value, int] = {}
        self.checks: list[tuple[Guard, int, Value]] = []
        self.rows: list[Any] = []
        self.calls = 0
        """How many calls of numbers there were, before the same ones were made one."""
        self._known: dict[Any, int] = {}
        self._codes: dict[Any, Any] = {}
        self._numbers: dict[Any, int] = {}
        self._written = _written(program.instructions)
        for instruction in program.instructions:
            self._add(instruction)

    def _add(self, instruction: Instruction) -> None:
        """One more instruction."""
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
        if code is None or (self._written and self._is_written(args)):
            self.rows.append(instruction)
        elif code is SAME:
            self.cells[result] = self.cell(args[0])
        else:
            cell = self.cells.get
            operands = tuple([c if type(a) is Value and (c := cell(a)) is not None else self.cell(a) for a in args])
            self._call(code, operands, instruction, result)

    def _call(self, code: int, operands: tuple[int, ...], instruction: Instruction, result: Value) -> None:
        """One call, or the cell of the same one before."""
        self.calls += 1
        errors = instruction.errors
        known = self._known.get((code, operands))
        if known is not None and (errors == SILENT or self.states[self.errors[known]] == errors):
            self.cells[result] = known
            return
        number = self._state(errors)
        cell = self.cells[result] = self._known[code, operands] = len(self.codes)
        self.codes.append(code)
        self.errors.append(number)
        self.operands.append(operands)
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
        self.operands.append(())
        return len(self.codes) - 1


def _written(instructions: Any) -> set[Value]:
    """The arrays that the program writes into, and those that share memory with them."""
    if not any(i.writes for i in instructions):
        return set()
    owners = owners_of(instructions)
    written = {owner for i in instructions for value in i.writes for owner in owners.get(value, {value})}
    return written | {value for value, mine in owners.items() if not written.isdisjoint(mine)}
