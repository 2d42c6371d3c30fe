"""Calls as statements to be run: the functions themselves are at hand, and results lie in their buffers."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from .errstate import keywords
from .instruction import OPERATORS, Attribute, Guard, Instruction, Method, Value, mapped, values_in
from .lowering import ONLY_BY_NAME, Mean
from .naming import Names
from .passes.blocks import Block, is_sliced, target
from .passes.bounded import Bounded
from .passes.buffers import Plan
from .source import PREFIX, RESERVED, Text, Writer, literal, targets

_UMATH: Any = sys.modules.get("numpy._core.umath")
STATE = getattr(_UMATH, "_extobj_contextvar", None)
_STATE_OF = getattr(_UMATH, "_make_extobj", None)
"""What ``np.errstate`` sets, and to what: itself it takes seven times as long."""

_FAILS = {
    ("NaN", False): "if {0} != {0}: ",
    ("bool", True): "if not {0}: ",
    ("bool", False): "if {0}: ",
}
"""When a guard need not be called; by what it reads, and what it expects."""

_ARITHMETIC = frozenset({np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.greater, np.less,
                         np.greater_equal, np.less_equal, np.equal, np.not_equal})  # fmt: skip
"""Ufuncs of which it is known that a number of Python's takes the dtype of the array beside it."""


class Lines(Writer):
    """Writes calls, and knows what they name."""

    def __init__(self, plan: Plan, reserved: set[str]) -> None:
        super().__init__({}, Names(RESERVED | reserved | {f"b{b.number}" for b in plan.buffers}))
        self.plan = plan
        self.known: dict[str, Any] = {"errstate": np.errstate, "asarray": np.asarray}
        self._bound: dict[Any, str] = {}
        self._numbers: dict[Any, str] = {}

    def bound(self, thing: Any) -> str:
        """The name by which an object is at hand."""
        key = thing if isinstance(thing, Method) else id(thing)
        name = self._bound.get(key)
        if name is None:
            name = self._bound[key] = self.names.fresh(f"f_{getattr(thing, '__name__', type(thing).__name__)}")
            self.known[name] = thing
        return name

    def body(self, instructions: Sequence[Instruction], position: int = 0) -> Iterator[str]:
        """The statements, in blocks of what NumPy does about floating-point errors; ``position`` is the first's."""
        starts = {block.start: block for block in self.plan.blocks}
        for errors, group in groupby(instructions, key=lambda i: i.errors):
            calls, first, lines = list(group), position, list[str]()
            while position < first + len(calls):
                block = starts.get(position)
                stop = position + 1 if block is None else block.stop
                now = calls[position - first : stop - first]
                lines += self.lines(now[0]) if block is None else self._by_rows(block, now)
                position = stop
            yield from self._under(errors, lines) if errors else lines

    def _by_rows(self, block: Block, calls: Sequence[Instruction]) -> Iterator[str]:
        """A block: a loop over some rows after the other."""
        cut: dict[str, tuple[str, str]] = {}
        statements = []
        shape = target(calls[0]).shape
        i = self.names.fresh("i")

        def rows(value: Any) -> str:
            """The name of an argument in the loop."""
            if type(value) is not Value or value.kind is not np.ndarray:
                return self.argument(value)
            name = self.named[value]
            if value in self.plan.inside and block.rows % block.step:
                cut.setdefault(name, (self.names.fresh(name), f"{name}[:{block.rows} - {i}]"))
            elif value not in self.plan.inside and is_sliced(value, shape):
                cut.setdefault(name, (self.names.fresh(name), f"{name}[{i}:{i} + {block.step}]"))
            return cut[name][0] if name in cut else name

        for call in calls:
            changed, before = self._with_arrays_of_numbers(call)
            yield from before
            given = [rows(a) for a in changed.args]
            if self._room(changed.result):
                given.append(f"{'out=' * (changed.function in ONLY_BY_NAME)}{rows(changed.result)}")
            statements.append(f"{self.bound(changed.function)}({', '.join(given)})")
        yield f"for {i} in range(0, {block.rows}, {block.step}):"
        yield from (f"    {name} = {of}" for name, of in cut.values())
        yield from (f"    {statement}" for statement in statements)

    def _under(self, errors: str, lines: list[str]) -> Iterator[str]:
        """Statements in a block."""
        state = _state(errors)
        if state is None:
            yield f"with errstate({errors}):"
            yield from (f"    {line}" for line in lines)
            return
        yield f"before = errors.set({self.bound(state)})"
        yield "try:"
        yield from (f"    {line}" for line in lines)
        yield "finally:"
        yield "    errors.reset(before)"

    def lines(self, instruction: Instruction) -> Iterator[str]:
        """One call, and what must be there before it."""
        instruction, before = self._with_arrays_of_numbers(instruction)
        yield from before
        yield self.statement(instruction)

    def statement(self, instruction: Instruction) -> str:
        """One call."""
        function, result = instruction.function, instruction.result
        room = self._room(result)
        if room:
            out = f"out={room}" if function in ONLY_BY_NAME else room
            return f"{self.bound(function)}({', '.join([*map(self.argument, instruction.args), out])})"
        if isinstance(function, Bounded | Guard | Mean | Method) or function in OPERATORS or function in PREFIX:
            text = self._direct(instruction)
        elif function is operator.getitem:
            text = f"{self.argument(instruction.args[0])}[{self.argument(instruction.args[1])}]"
        else:
            given = [self.argument(a) for a in instruction.args]
            given += [f"{name}={self.argument(value)}" for name, value in instruction.kwargs.items()]
            call = getattr(function, "run_in_c", None) or function  # a region's own function, without a layer of Python
            text = f"{self.bound(call)}({', '.join(given)})"
        if result is None:
            return text
        made = mapped(self.target, result)
        return f"{made.text if type(made) is Text else targets(made)} = {text}"

    def _room(self, result: Any) -> str:
        """The name of the array that a result is to be written into, if there is one."""
        if type(result) is not Value:
            return ""
        buffer = self.plan.of.get(result)
        if buffer is not None:
            self.named[result] = f"b{buffer.number}"
        elif result not in self.plan.given:
            return ""
        return self.named[result]

    def _direct(self, instruction: Instruction) -> str:
        """A call that has a form of its own in Python: an operator, a method, an attribute."""
        function: Any = instruction.function
        given = [self.argument(a) for a in instruction.args]
        if isinstance(function, Guard):
            fails = _FAILS.get((function.read, function.expected), "") if function.read in ("NaN", "bool") else ""
            return f"{fails.format(given[0])}{self.bound(function)}({given[0]})"
        if isinstance(function, Mean):
            return f"{self.bound(np.add.reduce)}({given[0]}, None) / {function.count}"
        if isinstance(function, Bounded):
            return f"if not {' + '.join(given[1:])} < {function.limit!r}: {self.bound(function)}({', '.join(given)})"
        if function in OPERATORS:
            return f"({given[0]}) {OPERATORS[function]} ({given[1]})"
        if function in PREFIX:
            return f"{PREFIX[function]}({given[0]})"
        if type(function) is Attribute:
            return f"{given[0]}.{function.__name__}"
        given += [f"{name}={self.argument(value)}" for name, value in instruction.kwargs.items()]
        return f"{given[0]}.{function.__name__}({', '.join(given[1:])})"

    def argument(self, argument: Any) -> str:
        """An argument: values by name, plain numbers as they are, everything else at hand."""
        kind = type(argument)
        if kind is Value:
            return self.named[argument]
        if kind is Text:
            return str(argument.text)
        if kind is str:
            return repr(argument)
        if kind in (int, bool, type(None), float) and argument == argument and abs(argument or 0) != float("inf"):
            return repr(argument)
        if kind in (tuple, list, dict, slice) and any(values_in(argument)):
            return literal(mapped(self.text, _at_hand(argument, self)))
        if kind is list or kind is dict:  # a function might change it
            return literal(_at_hand(argument, self))
        return self.bound(argument)

    # -- numbers ---------------------------------------------------------------------------------------------

    def _with_arrays_of_numbers(self, instruction: Instruction) -> tuple[Instruction, list[str]]:
        """The call with arrays in the place of Python's numbers, which NumPy is slow to convert; how to make them."""
        if instruction.function not in _ARITHMETIC or len(instruction.args) < 2:
            return instruction, []
        dtypes = {a.dtype for a in instruction.args if type(a) is Value and a.kind not in (float, int)}
        dtype = dtypes.pop() if len(dtypes) == 1 else None
        if dtype is None or dtype.char not in "fd" or not dtype.isnative:
            return instruction, []
        before: list[str] = []
        args = [self._as_array(a, dtype, before) for a in instruction.args]
        return (replace(instruction, args=tuple(args)), before) if args != list(instruction.args) else (instruction, [])

    def _as_array(self, argument: Any, dtype: Any, before: list[str]) -> Any:
        """A number as an array of this dtype; anything else as it is."""
        kind = type(argument)
        if kind is Value and argument.kind is float:
            name = self._numbers.get((argument, dtype))
            if name is None:
                name = self._numbers[argument, dtype] = self.names.fresh(self.named[argument])
                before.append(f"{name} = asarray({self.named[argument]}, {self.bound(dtype)})")
            return Text(name)
        if kind not in (float, int) or not abs(argument) < (1e38 if kind is float else 2**24):
            return argument
        key = dtype, math.copysign(1.0, argument), argument
        if key not in self._numbers:
            with np.errstate(all="ignore"):
                self._numbers[key] = self.bound(np.asarray(argument, dtype))
        return Text(self._numbers[key])


def _state(errors: str) -> Any:
    """What ``errors.set`` takes for the arguments of ``np.errstate``; None if a function of Python's may be called."""
    how = keywords(errors)
    known = ("all" in how or len(how) == 4) and {"ignore", "warn", "raise", "print"}.issuperset(how.values())
    if not known or STATE is None or _STATE_OF is None:
        return None
    return _STATE_OF(**how)


def _at_hand(argument: Any, writer: Lines) -> Any:
    """A nested argument whose other objects are named."""
    kind = type(argument)
    if kind in (tuple, list):
        return kind([_at_hand(part, writer) for part in argument])
    if kind is dict:
        return {key: _at_hand(part, writer) for key, part in argument.items()}
    if kind in (Value, slice):
        return argument
    return Text(writer.argument(argument))
