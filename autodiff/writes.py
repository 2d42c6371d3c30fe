"""Writes into saved arrays: those through a variable are noted, others are found by comparison.

A write through a variable (``t.data -= step``, an optimizer) is noted with its time and its memory.  So it is found
whatever else uses that memory: another variable, a view, a constant.

NumPy does not report a write through the user's own reference.  So if a saved array may belong to the user, a *print*
of it is taken, and compared when the rule runs.  The print of a small array is all its bytes.  That of a large array is
a sample, and all its bytes from the time when ``t.data`` gives the memory out, so a write through that is found too.

Threads share these tables without a lock, which an interrupt could leave closed: each step is one operation of a dict.
"""

from __future__ import annotations

import functools
import itertools
from _thread import get_ident  # all of threading would be waited for by every program
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any
from weakref import KeyedRef, ref

import numpy as np
from numpy.lib.array_utils import byte_bounds

from .examples import is_one

tick = itertools.count(1).__next__
"""The clock: of nodes, whose age is their topological order, and of writes."""


def memory_of(array: Any) -> Any:
    """The object that owns the memory of an array."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    base = array.base
    if type(base) is memoryview and base.obj is not None:
        return base.obj
    return array if base is None else base


# -- what does not go through us: prints -------------------------------------------------------------------------

SMALL = 4096
"""Bytes of an array of which a print is all, and about those of which a sample is made."""
SAMPLES = 64
"""How many elements are taken along an axis that is too long to be taken whole."""


@functools.lru_cache(maxsize=1024)
def _places_to_look(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[slice, ...]:
    """The index of a sample: a few pieces, each of neighbours in memory.

    If the axis of neighbours is too long, single elements are taken, evenly spaced.
    """
    index = [slice(0, 1)] * len(shape)
    taken, room = 1, SMALL // size
    for axis in sorted(range(len(shape)), key=lambda i: abs(strides[i])):
        if not strides[axis]:  # the same elements again
            continue
        n = shape[axis]
        if n <= room // taken:
            step = 1
        elif taken == 1:
            step, room = -(-n // SAMPLES), 4 * SAMPLES
        else:
            step = -(-n // max(room // taken, 2 if taken < 2 * room else 1))
        index[axis] = slice(None, None, step)
        taken *= -(-n // step)
    return tuple(index)


def _sample_of(array: Any) -> bytes:
    return array[_places_to_look(array.shape, array.strides, array.itemsize)].tobytes()  # type: ignore[no-any-return]


def _whole_of(array: Any) -> bytes:
    """All bytes of an array, without the repetitions of broadcasting."""
    return array[tuple([slice(None) if s else slice(0, 1) for s in array.strides])].tobytes()  # type: ignore[no-any-return]


class Print:
    """The print of a large array, to find later whether it was written."""

    __slots__ = ("__weakref__", "array", "sample", "whole")

    def __init__(self, array: Any) -> None:
        self.array = array
        self.sample = _sample_of(array)
        self.whole: bytes | None = None
        reference = KeyedRef(self, _forget, id(memory_of(array)))
        same = None
        while sampled.get(reference.key) is not same or same is None:  # another thread may just have dropped it
            same = sampled.setdefault(reference.key, set())
            same.add(reference)

    def differs(self) -> bool:
        """Whether the array has changed."""
        return _sample_of(self.array) != self.sample or (self.whole is not None and _whole_of(self.array) != self.whole)


sampled: dict[int, set[KeyedRef[int, Print]]] = {}
"""The prints that are only a sample, by the identity of what owns the memory.  Empty when no graph holds any."""


def _forget(reference: Any) -> None:
    same = sampled.get(reference.key)
    if same is not None:
        same.discard(reference)
        if not same:
            sampled.pop(reference.key, None)
            if same:  # another thread has added to it meanwhile
                sampled.setdefault(reference.key, set()).update(same)


def hand_out(array: Any) -> None:
    """Complete the prints of arrays that share memory with this one, which is about to be given to the user."""
    references = sampled.pop(id(memory_of(array)), None) if isinstance(array, np.ndarray) else None
    for reference in references or ():
        known = reference()
        if known is not None:
            known.whole = _whole_of(known.array)


def print_of(array: Any) -> bytes | Print:
    """A print of an array, to compare with later.

    >>> x = np.zeros((64, 784))
    >>> before = print_of(x)
    >>> x[...] = 1.0
    >>> differs(x, before)
    True
    """
    return array.tobytes() if array.nbytes <= SMALL else Print(array)


def differs(array: Any, before: bytes | Print) -> bool:
    """Whether an array has changed since its print was taken."""
    return array.tobytes() != before if type(before) is bytes else before.differs()  # type: ignore[union-attr]


# -- what goes through us: notes ---------------------------------------------------------------------------------


class _Place:
    """Memory that was written through a variable, and the time of the last write."""

    __slots__ = ("array", "bounds", "memory", "time")

    def __init__(self, array: Any) -> None:
        self.array: Callable[[], Any] = ref(array)
        self.memory: Callable[[], Any] = self.array
        self.bounds: tuple[int, int] | None = None
        self.time = 0
        if array.base is not None:  # the memory may outlive this view of it
            self.bounds = byte_bounds(array)
            try:
                self.memory = ref(memory_of(array))
            except TypeError:
                self.memory = lambda: True  # nobody says when it is freed

    def is_in(self, array: Any) -> bool:
        """Whether this array has elements in this memory."""
        mine = self.array()
        try:
            return mine is None or np.shares_memory(mine, array, max_work=10_000)  # type: ignore[arg-type]
        except np.exceptions.TooHardError:
            return True


_places: dict[int, _Place] = {}
"""By the identity of the array that was written: an optimizer writes the same ones again and again."""
_outlived: dict[tuple[int, int], _Place] = {}
"""Places in memory that lives longer than the view that was written."""
_limit = 1024
_latest: dict[int, int] = {}
"""When each thread last wrote anything: one date for all could be set back by a thread that is late."""


def latest() -> int:
    """The time of the last write: a graph that is younger needs no further comparison."""
    return max(_latest.values(), default=0)


def note(array: Any) -> None:
    """Note that ``array`` has been written in place, now."""
    place = _places.get(id(array))
    if place is None or place.array() is not array:
        place = _placed(array)
    place.time = _latest[get_ident()] = tick()


def note_all(arrays: Iterable[Any]) -> None:
    """Note that arrays have been written in place, now."""
    mark(places_of(arrays))


def places_of(arrays: Iterable[Any]) -> list[_Place]:
    """What :func:`mark` takes; it is valid as long as somebody holds the arrays."""
    found = []
    for array in arrays:
        place = _places.get(id(array))
        found.append(place if place is not None and place.array() is array else _placed(array))
    return found


def mark(places: Iterable[_Place]) -> None:
    """Note that the arrays in these places have been written in place, now."""
    time = _latest[get_ident()] = tick()
    for place in places:
        place.time = time


def mark_written(array: Any) -> None:
    """Say that you have written into an array in place: a backward pass that needs what was there raises GraphError.

    A write through a variable is known without it.  One through a reference of your own that changes some elements of a
    large array alone is not: NumPy tells nobody.  Raises TypeError for what is no array.

    >>> import numpy as np
    >>> from autodiff import Tensor, mark_written
    >>> constant = np.ones(10_000)
    >>> loss = np.sum(Tensor(np.ones(10_000)) * constant)
    >>> constant[5_000] = 2.0
    >>> mark_written(constant)
    >>> loss.backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autodiff.node.GraphError: backward: 'multiply' saved an array of shape (10000,) that was changed in place ...
    """
    if is_one(array):
        return  # recorded: the program knows what it writes
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"mark_written: got a {type(array).__name__}; pass the array that was written, t.data of a Tensor"
        )
    note(array)


def _placed(array: Any) -> _Place:
    """A new place.  Places whose memory was freed are dropped from time to time."""
    global _limit
    if id(array) in _places:
        _drop(id(array))
    elif len(_places) + len(_outlived) >= _limit:
        for key in [key for key, place in _places.copy().items() if place.array() is None]:
            _drop(key)
        for bounds in [bounds for bounds, place in _outlived.copy().items() if place.memory() is None]:
            _outlived.pop(bounds, None)
        _limit = max(1024, 2 * (len(_places) + len(_outlived)))
    place = _places[id(array)] = _Place(array)
    return place


def _drop(key: int) -> None:
    place = _places.pop(key, None)
    if place is not None and place.bounds is not None and place.memory() is not None:
        _outlived[place.bounds] = max(place, _outlived.get(place.bounds, place), key=lambda p: p.time)


class Written:
    """The writes after a given time, to test many arrays."""

    def __init__(self, after: int) -> None:
        spans = []
        for place in (*_places.copy().values(), *_outlived.copy().values()):
            array = place.array() if place.time > after else None
            bounds = place.bounds if array is None else byte_bounds(array)
            if place.time > after and bounds is not None and bounds[0] < bounds[1]:
                spans.append((*bounds, place))
        spans.sort(key=lambda span: span[:2])
        self._lows: list[int] = []
        self._highs: list[int] = []
        self._groups: list[list[tuple[int, int, _Place]]] = []
        for span in spans:
            if self._highs and span[0] < self._highs[-1]:
                self._highs[-1] = max(self._highs[-1], span[1])
                self._groups[-1].append(span)
            else:
                self._lows.append(span[0])
                self._highs.append(span[1])
                self._groups.append([span])

    def since(self, array: Any, time: int) -> bool:
        """Whether memory of this array was written through a variable after ``time``."""
        if not self._groups or not array.size:
            return False
        low, high = byte_bounds(array)
        i = bisect_right(self._highs, low)
        while i < len(self._groups) and self._lows[i] < high:
            for first, last, place in self._groups[i]:
                if place.time > time and first < high and low < last and place.is_in(array):
                    return True
            i += 1
        return False
