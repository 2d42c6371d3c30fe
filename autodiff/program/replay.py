"""Running a program: as one function of Python, or call by call where it is long."""

from __future__ import annotations

import contextlib
import functools
import linecache
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import writes
from .errstate import keywords
from .instruction import OPERATORS, Attribute, Guard, Instruction, Method, PathError, Value, mapped, same
from .lowering import ONLY_BY_NAME
from .naming import Names
from .passes.buffers import Plan, planned
from .passes.memory import owners_of
from .slot import Slot
from .source import PREFIX, RESERVED, Text, Writer, literal, targets

if TYPE_CHECKING:
    from .program import Program

Array = Any
_AS_IT_IS = contextlib.nullcontext()
LONG = 5000
"""Instructions; a longer program is not made one function: Python's compiler takes its time, and room."""


class Replay:
    """A program, ready to be run: ``replay(inputs, state)`` is the list of its outputs."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._instructions = list(program.instructions)
        self._constants = {id(array) for array in program.constants.values()}
        self._reads = [(slot, slot.places[0].read) for slot in program.reads]
        self._seen: list[Any] = [object()] * len(self._reads)
        values = (*program.inputs, *[slot.value for slot in program.reads])
        self._strides = [value.strides if value.kind is np.ndarray else None for value in values]

        self._early = self._written_early()

    def _written_early(self) -> list[int]:
        """Which of the given values are written before the last call that may fail: a check, or what is no ufunc."""
        failing = [n for n, i in enumerate(self._instructions) if not _never_fails(i.function)]
        early = self._instructions[: failing[-1]] if failing else []
        owners = owners_of(early)
        written = {owner for i in early for value in i.writes for owner in owners.get(value, {value})}
        values = (*self.program.inputs, *[slot.value for slot in self.program.reads])
        return [n for n, value in enumerate(values) if value in written]

    @functools.cached_property
    def _function(self) -> _Function:
        return _Function(self.program, self._instructions)

    @functools.cached_property
    def _steps(self) -> _Steps:
        return _Steps(self.program, self._instructions)

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs; what the program leaves in the places that it writes is put there."""
        given = [*inputs, *self._state()]
        # how arrays lie in memory decides how those lie that are made of them, which buffers would change
        alike = all(s is None or a.strides == s for a, s in zip(given, self._strides, strict=True))
        run: Any = self._function if alike and len(self._instructions) <= LONG else self._steps
        before = [_copied(given[n]) for n in self._early]
        try:
            outputs, left, written = run(given)
        except BaseException:
            for n, copy in zip(self._early, before, strict=True):
                _put_back(given[n], copy)
            raise
        own = {id(a): a.copy() for a in left if id(a) in self._constants}
        for slot, value in zip(self.program.writes, left, strict=True):
            value = own.get(id(value), value)
            for place in slot.places:
                place.write(value)
        for array in written:
            if type(array) is np.ndarray:
                writes.note(array)
        return [a.copy() if id(a) in self._constants else a for a in outputs]

    def _state(self) -> list[Any]:
        """What is in the places that the program reads; PathError if a number that decided something has changed."""
        found = []
        for i, (slot, read) in enumerate(self._reads):
            now = read()
            if now is not self._seen[i] or len(slot.places) > 1:
                self._check(slot, now)
                self._seen[i] = now
            found.append(now)
        for slot in self.program.checks:
            now = slot.places[0].read()
            if now is not slot.initial and not same(now, slot.initial):
                raise PathError(Guard(slot.places[0].path, slot.initial, None), now)
        return found

    def _check(self, slot: Slot, now: Any) -> None:
        """Raise ValueError unless what is in a slot is what the program was captured for."""
        name, value = self.program.name, slot.value
        if slot.initial is None and any(place.read() is not now for place in slot.places[1:]):
            paths = " and ".join(place.path for place in slot.places)
            raise ValueError(f"{name}: {paths} were one array when the program was captured; capture it again")
        if value.kind is not np.random.Generator and Value.like(now).form != value.form:
            raise ValueError(
                f"{name}: {slot.places[0].path} is now a {type(now).__name__} of shape {np.shape(now)}; the program "
                f"was captured for shape {value.shape}, {value.dtype}: capture it again"
            )


def _copied(held: Any) -> Any:
    """What a program may change, as it is now: an array's elements, a generator's state."""
    return held.bit_generator.state if isinstance(held, np.random.Generator) else held.copy()


def _put_back(held: Any, copy: Any) -> None:
    if isinstance(held, np.random.Generator):
        held.bit_generator.state = copy
    else:
        held[...] = copy


_SAFE_METHODS = frozenset({"item", "reshape", "swapaxes", "copy", "ravel", "transpose", "view"})


def _never_fails(function: Any) -> bool:
    """Whether a call that was made once goes well with other elements, too: nothing of it depends on them."""
    if type(function) is Method:
        return function.__name__ in _SAFE_METHODS
    return isinstance(function, np.ufunc) or type(function) is Attribute or function in _SAFE


_SAFE = frozenset({np.asarray, np.float64, np.empty_like, np.zeros_like, np.ones_like, *OPERATORS})


class _Function:
    """The program as one function, whose intermediate arrays lie in buffers that are used again and again.

    Each run has buffers of its own, so that threads do not share them.
    """

    def __init__(self, program: Program, instructions: list[Instruction]) -> None:
        plan = planned(program, instructions)
        writer = _Lowering(plan)
        inputs = [writer.target(v).text for v in (*program.inputs, *[slot.value for slot in program.reads])]
        writer.known |= {writer.target(v).text: array for v, array in program.constants.items()}
        buffers = [f"b{buffer.number}" for buffer in plan.buffers]
        body = list(writer.body(instructions))
        outputs = [literal(writer.text(o)) if type(o) is Value else writer.bound(o) for o in program.outputs]
        left = [writer.named[s.value] if type(s.value) is Value else writer.bound(s.value) for s in program.writes]
        written = dict.fromkeys(writer.named[v] for i in instructions for v in i.writes)
        lines = [
            "def run(inputs, buffers):",
            *[f"    {', '.join(inputs)}, = inputs"] * bool(inputs),
            *[f"    {', '.join(buffers)}, = buffers"] * bool(buffers),
            *[f"    {line}" for line in body],
            f"    return [{', '.join(outputs)}], [{', '.join(left)}], [{', '.join(written)}]",
        ]  # fmt: skip
        self.text = "\n".join(lines) + "\n"
        name = f"<program {program.name} {id(self):x}>"
        linecache.cache[name] = len(self.text), None, self.text.splitlines(keepends=True), name
        exec(compile(self.text, name, "exec"), writer.known)
        self._function = writer.known["run"]
        self._buffers = plan.buffers
        self._idle: list[list[Array]] = []

    def __call__(self, inputs: list[Array]) -> Any:
        try:
            buffers = self._idle.pop()
        except IndexError:
            buffers = [buffer.made() for buffer in self._buffers]
        result = self._function(inputs, buffers)
        self._idle.append(buffers)
        return result


_FAILS = {
    ("NaN", False): "if {0} != {0}: ",
    ("bool", True): "if not {0}: ",
    ("bool", False): "if {0}: ",
}
"""When a guard need not be called; by what it reads, and what it expects."""


class _Lowering(Writer):
    """Writes calls with the functions themselves at hand, and results into their buffers."""

    def __init__(self, plan: Plan) -> None:
        super().__init__({}, Names(RESERVED | {"run", "inputs", "buffers", *[f"b{b.number}" for b in plan.buffers]}))
        self.plan = plan
        self.known: dict[str, Any] = {"errstate": np.errstate}
        self._bound: dict[Any, str] = {}

    def bound(self, thing: Any) -> str:
        """The name by which an object is at hand."""
        key = thing if isinstance(thing, Method) else id(thing)
        name = self._bound.get(key)
        if name is None:
            name = self._bound[key] = self.names.fresh(f"f_{getattr(thing, '__name__', 'constant')}")
            self.known[name] = thing
        return name

    def statement(self, instruction: Instruction) -> str:
        """One call."""
        function, result = instruction.function, instruction.result
        buffer = self.plan.of.get(result) if type(result) is Value else None
        if buffer is not None:
            out = f"out=b{buffer.number}" if function in ONLY_BY_NAME else f"b{buffer.number}"
            call = f"{self.bound(function)}({', '.join(self.argument(a) for a in instruction.args)}, {out})"
            self.named[result] = f"b{buffer.number}"
            return call
        if (
            isinstance(function, Guard)
            or function in OPERATORS
            or function in PREFIX
            or type(function) in (Method, Attribute)
        ):
            text = self.direct(instruction)
        else:
            given = [self.argument(a) for a in instruction.args]
            given += [f"{name}={self.argument(value)}" for name, value in instruction.kwargs.items()]
            text = f"{self.bound(function)}({', '.join(given)})"
        if result is None:
            return text
        made = mapped(self.target, result)
        return f"{made.text if type(made) is Text else targets(made)} = {text}"

    def direct(self, instruction: Instruction) -> str:
        """A call that has a form of its own in Python: an operator, a method, an attribute."""
        function = instruction.function
        given = [self.argument(a) for a in instruction.args]
        if isinstance(function, Guard):
            fails = _FAILS.get((function.read, function.expected), "") if function.read in ("NaN", "bool") else ""
            return f"{fails.format(given[0])}{self.bound(function)}({given[0]})"
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
        if kind in (int, bool, type(None), float) and argument == argument and abs(argument or 0) != float("inf"):
            return repr(argument)
        if kind in (tuple, list, dict, slice):
            return literal(mapped(self.text, _at_hand(argument, self)))
        return self.bound(argument)

    def body(self, instructions: list[Instruction]) -> Any:
        """The statements, in blocks of what NumPy does about floating-point errors."""
        for errors, block in groupby(instructions, key=lambda i: i.errors):
            if errors:
                yield f"with errstate({errors}):"
            for instruction in block:
                yield "    " * bool(errors) + self.statement(instruction)


def _at_hand(argument: Any, writer: _Lowering) -> Any:
    """A nested argument whose other objects are named."""
    kind = type(argument)
    if kind in (tuple, list):
        return kind([_at_hand(part, writer) for part in argument])
    if kind is dict:
        return {key: _at_hand(part, writer) for key, part in argument.items()}
    if kind in (Value, slice):
        return argument
    return Text(writer.argument(argument))


class _Steps:
    """The program call by call, for one that is long."""

    def __init__(self, program: Program, instructions: list[Instruction]) -> None:
        self._places: dict[Value, int] = {}
        self._constants = [(self._place(v), a) for v, a in program.constants.items()]
        self._inputs = [self._place(v) for v in (*program.inputs, *[slot.value for slot in program.reads])]
        self._steps = [self._step(i) for i in instructions]
        self._outputs = [mapped(self._at, o) if type(o) is Value else o for o in program.outputs]
        self._left = [self._at(s.value) if type(s.value) is Value else s.value for s in program.writes]
        self._written = list({self._at(v).number: self._at(v) for i in instructions for v in i.writes}.values())

    def _place(self, value: Value) -> int:
        return self._places.setdefault(value, len(self._places))

    def _at(self, value: Value) -> _Place:
        return _Place(self._place(value))

    def _step(self, instruction: Instruction) -> tuple[Any, ...]:
        args, kwargs, result = (
            mapped(self._at, part) for part in (instruction.args, instruction.kwargs, instruction.result)
        )
        return instruction.function, args, kwargs, result, keywords(instruction.errors)

    def __call__(self, inputs: list[Array]) -> Any:
        known: list[Any] = [None] * len(self._places)
        for place, array in self._constants:
            known[place] = array
        for place, array in zip(self._inputs, inputs, strict=True):
            known[place] = array

        def get(place: _Place) -> Any:
            return known[place.number]

        for errors, block in groupby(self._steps, key=lambda step: step[4]):
            with np.errstate(**errors) if errors else _AS_IT_IS:
                for function, args, kwargs, result, _ in block:
                    made = function(*mapped(get, args, _Place), **mapped(get, kwargs, _Place))
                    _put(known, result, made)
        return tuple(mapped(get, part, _Place) for part in (self._outputs, self._left, self._written))


class _Place:
    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def _put(known: list[Any], result: Any, made: Any) -> None:
    if type(result) is _Place:
        known[result.number] = made
    elif result is not None and isinstance(result, tuple | list):
        for one, value in zip(result, made, strict=True):
            _put(known, one, value)
