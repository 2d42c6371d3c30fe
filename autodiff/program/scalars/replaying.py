"""Running a program whose calls of numbers are made group by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...collector import rarely
from ..backends import NUMPY
from ..passes import direct
from ..replay import LONG, Replay
from .levelling import Levelled, levelled

if TYPE_CHECKING:
    from ..program import Program


def replay_of(program: Program, backend: str = NUMPY) -> Replay | LevelReplay:
    """A program, ready to be run in the way that is the fastest for it."""
    with rarely():
        found = levelled(program, LONG)
        return Replay(direct(program), backend) if found is None else LevelReplay(found, backend)


class LevelReplay:
    """A program with regions, ready to be run; numbers in places of one kind are read, and written, at once."""

    calls_in_c = 0

    def __init__(self, found: Levelled, backend: str = NUMPY) -> None:
        for region in found.regions:
            region.compile(backend)
        self._given, self._left = found.given, found.left
        for _, left in found.left:
            left.readers = [family for family in found.given if family.are_left_by(left)]
        self._replay = Replay(direct(found.program), backend)
        self.program = self._replay.program
        self._own = len(found.program.outputs) - len({number for number, _ in found.left})

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs; what the program leaves in the places that it writes is put there."""
        given = []
        for family in self._given:
            now = family.read()
            if type(now) is list:
                for slot, number in zip(family.slots, now, strict=True):
                    self._replay.check_slot(slot, number)
            given.append(now)
        outputs = self._replay([*inputs, *given])
        for number, left in self._left:
            left.write(outputs[self._own + number])
        return outputs[: self._own]

    def exactly(self, inputs: Sequence[Any]) -> list[Any]:
        """The outputs to the last bit."""
        return self(inputs)
