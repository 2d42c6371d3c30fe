"""Tracing: a block of a function that is being recorded, with what is held by the names in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .errstate import keywords
from .instruction import Instruction, Value, mapped
from .passes.memory import owners_of, written_in
from .recorded import Recorded
from .recording import Recording


class _Tracing(Recording):
    """A recording that remembers what is held by the names that are used."""

    held: dict[Value, Any]

    def note(self, function: Any, args: Any, kwargs: Any = None, writes: Any = ()) -> Any:
        return self._remembered(super().note(function, args, kwargs, writes))

    def _remembered(self, made: Any) -> Any:
        if type(made) is Recorded:
            self.held[made.value] = made.held
        elif isinstance(made, tuple | list):
            for part in made:
                self._remembered(part)
        return made

    def _named(self, argument: Any) -> Any:
        named = super()._named(argument)
        if type(argument) is Recorded:
            self.held[named] = argument.held
        elif isinstance(argument, np.ndarray):
            self.held[named] = self.constant_of(named)
        return named

    def number(self, function: Any, held: Any, named: Any, frame: Any) -> Any:
        self.held |= {v: h for v, h in zip(named, held, strict=True) if type(v) is Value}
        return self._remembered(super().number(function, held, named, frame))

    def draw(self, method: Any, generator: Any, args: Any, kwargs: Any) -> Any:
        self.held[generator.value] = generator.held
        return self._remembered(super().draw(method, generator, args, kwargs))

    def decided(self, array: Recorded, read: str) -> Any:
        self.held[array.value] = array.held
        return super().decided(array, read)


class Traced:
    """What was recorded in a block: the calls, and what was held by the names in them."""

    def __init__(self, recording: Any) -> None:
        self.recording: Any = recording
        self.held: dict[Value, Any] = {}

    def __enter__(self) -> Traced:
        self.start = len(self.recording.instructions)
        self.recording.held, self.recording.__class__ = self.held, _Tracing
        return self

    def __exit__(self, *error: Any) -> None:
        self.recording.__class__ = Recording
        del self.recording.held
        self.steps: list[Instruction] = self.recording.instructions[self.start :]
        self.made = {value for i in self.steps for value in i.results}

    def cut(self) -> None:
        """Take the calls out of the program."""
        del self.recording.instructions[self.start :]

    def free(self, given: set[Value], outputs: Sequence[Value]) -> list[Value]:
        """The values that come from outside."""
        used = dict.fromkeys([v for i in self.steps for v in (*i.operands, *i.writes)] + list(outputs))
        return [value for value in used if value not in self.made and value not in given]

    def keeps_to_itself(self) -> bool:
        """Whether nothing is written but what is made here, and generators."""
        written = written_in(self.steps, owners_of(self.steps))
        return all(v.kind is np.random.Generator or v in self.made for v in written)

    @property
    def generators(self) -> tuple[Value, ...]:
        """The generators that are drawn from."""
        return tuple(dict.fromkeys(v for i in self.steps for v in i.writes if v.kind is np.random.Generator))


def compute(steps: Sequence[Instruction], known: dict[Value, Any]) -> None:
    """Make the calls, on what is held."""
    for i in steps:
        with np.errstate(**keywords(i.errors)):
            args, kwargs = (mapped(known.__getitem__, part) for part in (i.args, i.kwargs))
            made = i.function(*args, **kwargs)
        _put(known, i.result, made)


def _put(known: dict[Value, Any], result: Any, made: Any) -> None:
    if type(result) is Value:
        known[result] = made
    elif isinstance(result, tuple | list):
        for one, value in zip(result, made, strict=True):
            _put(known, one, value)


def does_the_same(before: list[Instruction], steps: list[Instruction], recording: Recording) -> bool:
    """Whether a step makes the calls of the step before: no number and no array of Python's differs in them."""
    if len(before) < len(steps):
        return False
    return all(
        one.function == two.function
        and one.errors == two.errors
        and _agree((one.args, one.kwargs), (two.args, two.kwargs), recording)
        for one, two in zip(before[len(before) - len(steps) :], steps, strict=True)
    )


def _agree(one: Any, two: Any, recording: Recording) -> bool:
    """Whether two arguments are the same but for which values of the program they are."""
    if type(one) is Value and type(two) is Value:
        first, second = recording.constant_of(one), recording.constant_of(two)
        if first is None or second is None:
            return first is second
        return bool(first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes())
    if type(one) is not type(two):
        return False
    if isinstance(one, tuple | list):
        return len(one) == len(two) and all(_agree(a, b, recording) for a, b in zip(one, two, strict=True))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_agree(one[key], two[key], recording) for key in one)
    if isinstance(one, slice):
        return _agree((one.start, one.stop, one.step), (two.start, two.stop, two.step), recording)
    return one is two or bool(one == two and repr(one) == repr(two)) or bool(one != one and two != two)
