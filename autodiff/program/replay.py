"""Running a program: as one function of Python, or call by call where it is long."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .instruction import Instruction, Value, mapped

if TYPE_CHECKING:
    from .program import Program

Array = Any
_AS_IT_IS = contextlib.nullcontext()
LONG = 5000
"""Instructions; a longer program is not made one function: Python's compiler takes its time, and room."""


class Replay:
    """A program, ready to be run: ``replay(inputs)`` is the list of its outputs."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._places: dict[Value, int] = {}
        self._constants = [(self._place(v), a) for v, a in program.constants.items()]
        self._inputs = [self._place(v) for v in program.inputs]
        self._steps = [self._step(i) for i in program.instructions]
        self._outputs = [(self._place(o), None) if type(o) is Value else (None, o) for o in program.outputs]

    def _place(self, value: Value) -> int:
        return self._places.setdefault(value, len(self._places))

    def _step(self, instruction: Instruction) -> tuple[Any, ...]:
        args = mapped(lambda v: _Place(self._place(v)), instruction.args)
        kwargs = mapped(lambda v: _Place(self._place(v)), instruction.kwargs)
        result = mapped(lambda v: _Place(self._place(v)), instruction.result)
        return instruction.function, args, kwargs, result, instruction.quiet

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs."""
        known: list[Any] = [None] * len(self._places)
        for place, array in self._constants:
            known[place] = array
        for place, array in zip(self._inputs, inputs, strict=True):
            known[place] = array

        def get(place: _Place) -> Any:
            return known[place.number]

        for function, args, kwargs, result, quiet in self._steps:
            with np.errstate(all="ignore") if quiet else _AS_IT_IS:
                made = function(*mapped(get, args, _Place), **mapped(get, kwargs, _Place))
            _put(known, result, made)
        found = [known[place] if place is not None else constant for place, constant in self._outputs]
        mine = {id(array) for _, array in self._constants}
        return [a.copy() if id(a) in mine else a for a in found]


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
