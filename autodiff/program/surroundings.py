"""The surroundings of a function: what it sees besides its arguments and is not followed from run to run.

A number in a closure, a global, an attribute, the layers of a model, the entries of a list of options: a program holds
these as they were.  Before it is run again, they are compared with what is there now.
"""

from __future__ import annotations

import operator
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .instruction import same
from .reach import Reach

_SCALARS = (int, float, complex, str, bytes, type(None), np.generic)
MANY = 1000
"""Entries of a container; of one with more, the number of its entries is compared, and not each of them."""


class _Watched(NamedTuple):
    """What must be in a container."""

    path: str
    look: Callable[[Any], tuple[Any, ...]]
    container: Any
    expected: tuple[Any, ...]
    length: int | None

    def changed(self) -> bool:
        """Whether something else is there now."""
        if self.length is not None and len(self.container) != self.length:
            return True
        try:
            now = self.look(self.container)
        except (LookupError, ValueError, AttributeError):
            return True
        return not all(map(operator.is_, now, self.expected)) and not all(map(_alike, now, self.expected))


class Surroundings:
    """What a function saw when it was recorded."""

    def __init__(self, reach: Reach) -> None:
        self._watched = []
        for path, container, contents, live, whole in reach.kept:
            keys = [key for key in contents if key not in live] if len(contents) <= MANY else []
            length = len(container) if whole and isinstance(container, dict | list | deque) else None
            if keys or length is not None:
                expected = tuple(contents[key] for key in keys)
                self._watched.append(_Watched(path, _looking(container, keys), container, expected, length))

    def changed(self) -> str | None:
        """The path of the first container that is another one now; None if all is as it was."""
        for watched in self._watched:
            if watched.changed():
                return watched.path or "the function"
        return None


def _looking(container: Any, keys: list[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """How to look into a container: at all keys in one call."""
    if not keys:
        return lambda _: ()
    if not isinstance(container, dict | list | deque):
        return lambda cell: (cell.cell_contents,)
    return operator.itemgetter(*keys, keys[-1])  # of one key it would give no tuple


def _alike(now: Any, then: Any) -> bool:
    """Whether a program may go on with another object: with an equal number or text, or a tuple of such."""
    if type(now) is type(then) is tuple and len(now) == len(then):
        return all(map(_alike, now, then))
    return now is then or (isinstance(then, _SCALARS) and same(now, then))


class Snapshot:
    """A copy of all that a function can change, to be put back if the call is to be made again."""

    def __init__(self, reach: Reach, arrays: list[Any]) -> None:
        self._kept = reach.kept
        self._values = [(place, place.read()) for place in reach.places]
        held = [*arrays, *[value for _, value in self._values]]
        self._arrays = [(array, array.copy()) for array in held if type(array) is np.ndarray]
        self._streams = [(g, g.bit_generator.state) for g in held if isinstance(g, np.random.Generator)]
        self._hidden = [(set_state, get_state()) for get_state, set_state in _hidden_streams()]

    def restore(self) -> None:
        """Put everything back."""
        for _, container, contents, _, whole in self._kept:
            if isinstance(container, dict):
                if whole:
                    for key in [key for key in container if key not in contents]:
                        del container[key]
                container.update(contents)
            elif isinstance(container, list | deque):
                container.clear()
                container.extend(contents.values())
            else:
                container.cell_contents = contents[next(iter(contents))]
        for place, value in self._values:
            place.write(value)
        for array, copy in self._arrays:
            if array.flags.writeable:
                array[...] = copy
        for generator, state in self._streams:
            generator.bit_generator.state = state
        for set_state, state in self._hidden:
            set_state(state)


def _hidden_streams() -> list[tuple[Callable[[], Any], Callable[[Any], None]]]:
    """How to read and to set the streams of random numbers that belong to modules."""
    found: list[tuple[Callable[[], Any], Callable[[Any], None]]] = [(np.random.get_state, np.random.set_state)]
    library = sys.modules.get("random")
    if library is not None:
        found.append((library.getstate, library.setstate))
    return found
