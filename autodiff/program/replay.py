"""Running a program: as one function of Python, or call by call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import writes
from .backends import NUMPY
from .errstate import is_asked_to_act, token
from .exclusion import OccupiedError
from .instruction import Elsewhere, Value
from .recorded import Recorded
from .slot import Slot
from .steps import Steps
from .straight import OTHERWISE, Straight
from .undoing import copied, put_back, written_early

if TYPE_CHECKING:
    from .program import Program

Array = Any
LONG = 5000
"""Instructions; a longer program is not made one function: Python's compiler takes its time, and room."""


class Replay:
    """A program, ready to be run: ``replay(inputs)`` is the list of its outputs.

    What the program leaves in the places that it writes is put there.  Raises PathError if a value that decided
    something is another one now, ValueError if an array in a place does not fit.
    """

    def __init__(self, program: Program, backend: str = NUMPY) -> None:
        self.program = program
        self.fused = program if backend == NUMPY else _in_c(program, backend)
        """The program with regions in C; itself, if there are none."""
        self._early = written_early(program)
        if self.fused is not program:
            self._early = sorted({*self._early, *written_early(self.fused)})

    @property
    def calls_in_c(self) -> int:
        """How many of the calls are made by C."""
        return sum(getattr(i.function, "calls", 0) for i in self.fused.instructions)

    @functools.cached_property
    def _straight(self) -> Straight:
        return Straight(self.fused, self._settle, self._early)

    @functools.cached_property
    def _steps(self) -> Steps:
        return Steps(self.program)

    @functools.cached_property
    def _run(self) -> Any:
        """The function, if there is to be one."""
        if len(self.fused.instructions) > LONG:
            return lambda inputs: OTHERWISE
        return self._straight.run if self.fused is self.program else _watched(self._straight.run)

    def __call__(self, inputs: Sequence[Array]) -> list[Array]:
        try:
            outputs = self._run(inputs)
        except BaseException as error:
            if len(self.fused.instructions) <= LONG and self._straight.finish(error):
                error.finished = True  # type: ignore[attr-defined]
            raise
        return self._step_by_step(inputs) if outputs is OTHERWISE else outputs

    def exactly(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs to the last bit: those that NumPy computes."""
        return self(inputs) if self.fused is self.program else self._step_by_step(inputs)

    def _step_by_step(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs, computed call by call."""
        found = [slot.places[0].read() for slot in self.program.reads]
        self._check(found)
        given = [*inputs, *found]
        before = [copied(given[n]) for n in self._early]
        try:
            outputs, left, written = self._steps(given)
        except BaseException:
            for n, copy in zip(self._early, before, strict=True):
                put_back(given[n], copy)
            raise
        writes.note_all([array for array in written if type(array) is np.ndarray])
        constants = {id(array) for array in self.program.constants.values()}
        for slot, value in zip(self.program.writes, left, strict=True):
            value = value.copy() if id(value) in constants else value
            for place in slot.places:
                place.write(value)
        return [a.copy() if id(a) in constants else a for a in outputs]

    def _settle(self, found: Sequence[Any]) -> None:
        """Look whether the program fits to what is in the places that it reads, and remember that it does."""
        self._check(found)
        self._straight.remember(found)

    def _check(self, found: Sequence[Any]) -> None:
        """Raise PathError if a number that decided something has changed, ValueError if an array does not fit."""
        for slot, now in zip(self.program.reads, found, strict=True):
            self.check_slot(slot, now)
        for slot in self.program.checks:
            slot.check()

    def check_slot(self, slot: Slot, now: Any) -> None:
        """Raise ValueError unless what is in a slot is what the program was captured for."""
        if type(now) is Recorded:
            raise OccupiedError("a recorded array of another thread is there")
        name, value = self.program.name, slot.value
        if slot.initial is None and any(place.read() is not now for place in slot.places[1:]):
            paths = " and ".join(place.path for place in slot.places)
            raise ValueError(f"{name}: {paths} were one array when the program was captured; capture it again")
        if value.kind is not np.random.Generator and Value.like(now).form != value.form:
            raise ValueError(
                f"{name}: {slot.places[0].path} is now a {type(now).__name__} of shape {np.shape(now)}; the program "
                f"was captured for shape {value.shape}, {value.dtype}: capture it again"
            )


def _watched(run: Callable[[Sequence[Array]], Any]) -> Callable[[Sequence[Array]], Any]:
    """The outputs, if what is given lies in memory as C needs it, and nobody waits for NumPy's errors."""
    block: Any = run  # which is no block

    def watched(inputs: Sequence[Array]) -> Any:
        nonlocal block
        now = token()
        if now is not block:
            if is_asked_to_act():
                return OTHERWISE
            block = now
        try:
            return run(inputs)
        except Elsewhere:
            return OTHERWISE

    return watched


def _in_c(program: Program, backend: str) -> Program:
    """The program with regions in C; the compiler is met only where it is wanted."""
    from .c.fuse import fused

    instructions = [
        replace(i, function=i.function.in_backend(backend)) if hasattr(i.function, "in_backend") else i  # a loop
        for i in program.instructions
    ]
    return fused(
        program if instructions == list(program.instructions) else program.with_instructions(instructions), backend
    )
