"""A value of a program that lives outside of it, between runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from .places import Place


class Slot(NamedTuple):
    """A value of a program and the places of it: several, where one array goes by several names."""

    value: Any
    """A :class:`.Value`; or, of what is left in a place, something that is the same in each run."""
    places: list[Place]
    initial: Any = None
    """What a number was when the program was captured."""
