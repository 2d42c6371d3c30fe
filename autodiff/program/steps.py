"""A program call by call, for one that is long, or whose arrays lie otherwise in memory than at the capture."""

from __future__ import annotations

import contextlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .errstate import keywords
from .instruction import Instruction, Value, mapped

if TYPE_CHECKING:
    from .program import Program

Array = Any
_AS_IT_IS = contextlib.nullcontext()


class Steps:
    """What the calls make of the given values: the outputs, what is left in the places, and what was written."""

    def __init__(self, program: Program) -> None:
        instructions = program.instructions
        self._places: dict[Value, int] = {}
        self._constants = [(self._place(v), a) for v, a in program.constants.items()]
        self._inputs = [self._place(v) for v in program.given_values]
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
