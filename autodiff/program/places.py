"""Places: slots of objects, which a function reads and writes between calls, and the containers that they are in."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from types import CellType
from typing import Any, NamedTuple

import numpy as np

from ..graph import Node
from ..tensor import Tensor
from .instruction import EMPTY

Read = Callable[[], Any]
Write = Callable[[Any], None]

ELEMENTS = "elements"
"""The key of all that is in a set."""


class Place(NamedTuple):
    """One slot: how one would write it, and the ways to read it and to write it."""

    path: str
    read: Read
    write: Write

    @property
    def name(self) -> str:
        """The last word of the path that says something."""
        words = [word for word in self.path.replace("]", "").replace("[", ".").split(".") if not word.isdigit()]
        return words[-1].strip("'\"_") if words else "t"

    @property
    def now(self) -> Any:
        """What is in the place; ``EMPTY`` if the place is gone."""
        try:
            return self.read()
        except (LookupError, AttributeError, TypeError, ValueError):
            return EMPTY

    @property
    def left(self) -> Any:
        """What is in the place, as it is compared: a variable may keep one number as a number, or as an array of it."""
        now = self.now
        holder = self.read.args[0] if isinstance(self.read, functools.partial) and self.read.args else None
        return now[()] if type(holder) is Tensor and type(now) is np.ndarray and not now.ndim else now

    @property
    def node(self) -> Node | None:
        """The variable, if this is the place of its gradient."""
        holder = self.read.args[0] if isinstance(self.read, functools.partial) and self.read.args else None
        return holder if isinstance(holder, Node) else None


class Kept(NamedTuple):
    """A container that a function reaches: a dictionary, a list, a set, the cell of a closure, a class, an object."""

    path: str
    container: Any
    contents: dict[Any, Any]
    """What was in it, by key, position, or name."""
    live: frozenset[Any]
    """The keys of places, whose contents may change."""
    whole: bool
    """Whether these are all contents: of a module, they are those that the function names."""


class Stream(str):
    """The state of a generator of the old kind."""

    __slots__ = ()


class Reach(NamedTuple):
    """What is behind a function."""

    places: list[Place]
    kept: list[Kept]
    plain: dict[str, Any]
    """Numbers and texts, and the states of generators of the old kind, by their paths."""
    computed: list[tuple[str, Tensor]]
    """Tensors that are no variables, and their paths."""
    old: list[Any]
    """Generators of the old kind."""
    caches: list[Any]
    """Functions that keep their results."""


def look(container: Any, key: Any) -> Any:
    """What is in a container; a LookupError, ValueError or AttributeError if nothing is there."""
    if isinstance(container, dict | list | deque):
        return container[key]
    if isinstance(container, CellType):
        return container.cell_contents
    if isinstance(container, set):
        return frozenset(container)
    return vars(container)[key] if isinstance(container, type) else getattr(container, key)


def put(container: Any, key: Any, value: Any) -> None:
    """Put something into a container."""
    if isinstance(container, dict | list | deque):
        container[key] = value
    elif isinstance(container, CellType):
        container.cell_contents = value
    elif isinstance(container, set):
        container.clear()
        container.update(value)
    elif isinstance(container, type):
        setattr(container, key, value)
    else:
        object.__setattr__(container, key, value)
