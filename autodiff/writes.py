"""Writes into arrays that a rule has saved: noted where they go through us, noticed where they do not.

A write through a variable (``t.data -= step``, an optimizer) is noted with its time and its place in memory, so it is
found whoever else holds that memory: another variable, a view, a constant.  NumPy tells nobody of a write through a
reference of the user's own.  So of an array that belongs to the user a *print* is taken when a rule saves it, and is
compared when the rule runs: all bytes of a small array, those of some elements of a large one.
"""

from __future__ import annotations

import itertools
from typing import Any
from weakref import ref

import numpy as np
from numpy.lib.array_utils import byte_bounds

tick = itertools.count(1).__next__
"""The clock: of nodes, whose age is their topological order, and of writes."""

SMALL = 1024
"""Bytes of an array of which a print holds all."""
SAMPLES = 64
"""About how many elements of a larger one, spread evenly, it holds."""


def print_of(array: Any) -> bytes:
    """A few hundred bytes that tell whether an array was filled anew.

    >>> x = np.zeros((64, 784))
    >>> before = print_of(x)
    >>> x[...] = 1.0
    >>> print_of(x) == before
    False
    """
    if array.nbytes <= SMALL:
        return array.tobytes()  # type: ignore[no-any-return]
    most = int(SAMPLES ** (1 / array.ndim)) + 1
    return array[tuple([slice(None, None, -(-n // most)) for n in array.shape])].tobytes()  # type: ignore[no-any-return]


class _Place:
    """Memory that was written through us, and when that was last done."""

    __slots__ = ("array", "high", "key", "low", "time")

    def __init__(self, array: Any) -> None:
        self.array, self.key = ref(array), id(array)
        self.low, self.high = byte_bounds(array)
        self.time = 0


_places: dict[int, tuple[Any, list[_Place]]] = {}
"""By the identity of the array that owns the memory: a weak reference to it, and the places in it."""
_known: dict[int, _Place] = {}
"""The place of an array that was written before, by its identity: what an optimizer writes again and again."""
latest = 0
"""When anything was last written: a graph that is younger needs no closer look."""


def note(array: Any) -> None:
    """Note that ``array`` has been written in place, now."""
    global latest
    place = _known.get(id(array))
    if place is None or place.array() is not array:
        place = _known[id(array)] = _place_of(array)
    place.time = latest = tick()


def _place_of(array: Any) -> _Place:
    """A new place; it is forgotten when the memory is freed, which a saved array that shares it would keep alive."""
    memory = array
    while isinstance(memory.base, np.ndarray):
        memory = memory.base
    key, place = id(memory), _Place(array)

    def forget(_: Any) -> None:
        for one in _places.pop(key)[1]:
            if _known.get(one.key) is one:
                del _known[one.key]

    places = _places.setdefault(key, (ref(memory, forget), []))[1]
    places[:] = [p for p in places if (p.low, p.high) != (place.low, place.high)]
    places.append(place)
    return place


def written_since(array: Any, time: int) -> bool:
    """Whether memory of this array was written through us after ``time``."""
    low, high = byte_bounds(array)
    return any(
        place.time > time and place.low < high and low < place.high
        for _, places in list(_places.values())
        for place in places
    )
