"""A value of a program that lives outside of it, between runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from .instruction import Guard, PathError, same
from .places import Place


class Slot(NamedTuple):
    """A value of a program and the places of it: several, where one array goes by several names."""

    value: Any
    """A :class:`.Value`; or, of what is left in a place, something that is the same in each run."""
    places: list[Place]
    initial: Any = None
    """What a number was when the program was captured."""

    def check(self) -> None:
        """Raise PathError if something else is in the place now: it decided something."""
        place, now = self.places[0], self.places[0].read()
        if now is not self.initial and not same(now, self.initial):
            raise PathError(Guard(place.path, self.initial, None), now)
