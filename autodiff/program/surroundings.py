"""The surroundings of a function: what it sees besides its arguments and is not followed from run to run.

A number in a closure, a global, an attribute, the layers of a model, the entries of a list of options: a program holds
these as they were.  Before it is run again, they are compared with what is there now.
"""

from __future__ import annotations

import operator
import sys
from collections import deque
from collections.abc import Callable, Iterator
from types import CellType, MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from .instruction import same
from .places import Reach, look, put

_SCALARS = (int, float, complex, str, bytes, type(None), np.generic)
_BY_KEY = (dict, list, deque, MappingProxyType)
FEW = 8
"""Entries of a container that are compared one by one, which is faster than to gather them first."""
MANY = 1000
"""Entries of a container; of one with more, the number of its entries is compared, and not each of them."""


class _Watched(NamedTuple):
    """What must be in a container; ``container`` is a mapping of attributes for a class."""

    path: str
    look: Callable[[Any], tuple[Any, ...]]
    container: Any
    expected: tuple[Any, ...]
    length: int | None
    keys: list[Any]

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
                container = vars(container) if isinstance(container, type) else container
                self._watched.append(_Watched(path, _looking(container, keys), container, expected, length, keys))
        self._known: dict[str, Any] = {"all": all, "map": map, "len": len, "is_": operator.is_}
        lines = [
            f"    if not ({' and '.join(self._unchanged(n, w))}): return False" for n, w in enumerate(self._watched)
        ]
        exec("\n".join(["def unchanged():", *lines, "    return True"]), self._known)

    def _unchanged(self, n: int, watched: _Watched) -> Iterator[str]:
        """The conditions under which a container holds the very objects that it held."""
        known, keys = self._known, watched.keys
        known[f"c{n}"], known[f"x{n}"] = watched.container, watched.expected
        if watched.length is not None:
            yield f"len(c{n}) == {watched.length}"
        if isinstance(watched.container, CellType):
            known[f"x{n}_0"] = watched.expected[0]
            yield f"c{n}.cell_contents is x{n}_0"
        elif isinstance(watched.container, set):
            known[f"x{n}_0"] = watched.expected[0]
            yield f"c{n} == x{n}_0"
        elif not isinstance(watched.container, _BY_KEY):
            for i, (key, value) in enumerate(zip(keys, watched.expected, strict=True)):
                known[f"x{n}_{i}"] = value
                yield f"c{n}.{key} is x{n}_{i}"
        elif len(keys) > FEW:
            known[f"look{n}"] = watched.look
            yield f"all(map(is_, look{n}(c{n}), x{n}))"
        else:
            for i, (key, value) in enumerate(zip(keys, watched.expected, strict=True)):
                plain = type(key) in (str, int)
                known[f"x{n}_{i}"] = value
                known |= {} if plain else {f"k{n}_{i}": key}
                yield f"c{n}[{repr(key) if plain else f'k{n}_{i}'}] is x{n}_{i}"

    @property
    def names(self) -> list[str]:
        """The paths of the containers."""
        return [watched.path for watched in self._watched]

    def changed(self) -> str | None:
        """The path of the first container that is another one now; None if all is as it was."""
        try:
            if self._known["unchanged"]():
                return None
        except (LookupError, ValueError, AttributeError):
            pass
        for watched in self._watched:
            if watched.changed():
                return watched.path or "the function"
        for n, watched in enumerate(self._watched):  # equal numbers, which are other objects
            now = watched.look(watched.container)
            self._known |= {f"x{n}": now, **{f"x{n}_{i}": value for i, value in enumerate(now[: len(watched.keys)])}}
        return None


def _looking(container: Any, keys: list[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """How to look into a container: at all keys in one call."""
    if not keys:
        return lambda _: ()
    if not isinstance(container, _BY_KEY):
        return lambda held: tuple(look(held, key) for key in keys)
    return operator.itemgetter(*keys, keys[-1])  # of one key it would give no tuple


def _alike(now: Any, then: Any) -> bool:
    """Whether a program may go on with another object: with an equal number or text, or a tuple of such."""
    if type(now) is type(then) is tuple and len(now) == len(then):
        return all(map(_alike, now, then))
    if type(then) is frozenset:
        return bool(now == then)
    return now is then or (isinstance(then, _SCALARS) and same(now, then))


class Snapshot:
    """A copy of all that a function can change, to be put back if the call is to be made again."""

    def __init__(self, reach: Reach, arrays: list[Any]) -> None:
        self._kept = reach.kept
        self._values = [(place, place.read()) for place in reach.places]
        held = [*arrays, *[value for _, value in self._values]]
        self._arrays = [(array, array.copy()) for array in held if type(array) is np.ndarray]
        self._streams = [(g, g.bit_generator.state) for g in held if isinstance(g, np.random.Generator)]
        self._hidden = [(set_state, get_state()) for get_state, set_state in _hidden_streams(reach.old)]

    def restore(self) -> None:
        """Put everything back; from the beginning, if that is interrupted."""
        try:
            self._restore()
        except BaseException:
            self._restore()
            raise

    def _restore(self) -> None:
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
                for key, child in contents.items():
                    if look(container, key) is not child:
                        put(container, key, child)
        for place, value in self._values:
            place.write(value)
        for array, copy in self._arrays:
            if array.flags.writeable:
                array[...] = copy
        for generator, state in self._streams:
            generator.bit_generator.state = state
        for set_state, state in self._hidden:
            set_state(state)


def _hidden_streams(old: list[Any]) -> list[tuple[Callable[[], Any], Callable[[Any], None]]]:
    """How to read and to set streams of random numbers: of generators of the old kind, and of modules."""
    found: list[tuple[Callable[[], Any], Callable[[Any], None]]] = [(np.random.get_state, np.random.set_state)]
    library = sys.modules.get("random")
    if library is not None:
        found.append((library.getstate, library.setstate))
    for generator in old:
        new = hasattr(generator, "getstate")
        found.append((generator.getstate, generator.setstate) if new else (generator.get_state, generator.set_state))
    return found
