"""Numbers in places of one kind, all at once: the values of variables, their gradients, the entries of a list."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from ..instruction import Value
from ..places import Place
from ..slot import Slot
from .operations import restoring

Array = Any


def way_of(place: Place) -> Any:
    """What places have in common that are read, and written, at once: the name of an attribute; None of others."""
    read: Any = place.read
    if isinstance(read, functools.partial) and read.func is getattr and not read.keywords and len(read.args) == 2:
        return read.args[1]
    return None


class Given:
    """Numbers of one type that a program reads in places of one kind; ``value`` is the array of them."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.slots = list(slots)
        self.kind: Any = slots[0].value.kind
        self.value = Value((len(slots),), np.dtype(np.float64), np.ndarray, strides=(8,))
        self._way = way = way_of(slots[0].places[0])
        self._reads: list[Any] = [slot.places[0].read for slot in slots]
        self._holders = [] if way is None else [read.args[0] for read in self._reads]
        self._get = None if way is None else _READS.get(way, _reading(way))
        self._known: tuple[bytes, Array, list[Any]] = b"", None, []
        """Which objects were there, their values, and the objects themselves, so that none is another one by now."""

    def read(self) -> Any:
        """The numbers that are there now, as they are; an array of them, if all are of the type.

        A number in an array of no axes, which ``t.data`` makes of it, is the same number.
        """
        now = [read() for read in self._reads] if self._get is None else self._get(self._holders)
        which = _objects(now)
        if which == self._known[0]:
            return self._known[1]
        kinds = set(map(type, now))
        if kinds != {self.kind} and not (
            self.kind in (np.float64, np.ndarray)
            and kinds <= {np.float64, np.ndarray}
            and all(a.shape == () and a.dtype == np.float64 for a in now)
        ):
            return now
        array = np.fromiter(now, np.float64, len(now))
        if np.ndarray not in kinds:  # which may be written to
            self._known = which, array, now
        return array

    def are_left_by(self, left: Left) -> bool:
        """Whether they are read where others are left, in the same order."""
        same = left.way == self._way is not None and left.kind is self.kind and self.kind is not np.ndarray
        return same and list(map(id, left.holders)) == list(map(id, self._holders))

    def keep(self, numbers: list[Any], array: Array) -> None:
        """Know what objects were just left here, and their values."""
        self._known = _objects(numbers), array, numbers


def _objects(numbers: list[Any]) -> bytes:
    """Which objects they are: numbers that are the same objects as before need not be read again."""
    return np.fromiter(numbers, object, len(numbers)).tobytes()


class Left:
    """Numbers of one type that a program leaves in places of one kind: those at ``positions`` of an array."""

    def __init__(self, places: Sequence[Place], positions: Sequence[int], kind: Any) -> None:
        order = np.array(positions)
        self._all = bool(np.array_equal(order, np.arange(len(order))))
        self._positions = order
        self.kind, self._numbers = kind, restoring(kind)
        self.way = way_of(places[0])
        self._writes: list[Any] = [place.write for place in places]
        self.holders = [] if self.way is None else [write.args[0] for write in self._writes]
        self.readers: list[Given] = []
        """Who reads numbers of this type in the same places."""

    def write(self, found: Array) -> None:
        """Put the numbers where they belong; who reads them there is told."""
        mine = found[: len(self._positions)] if self._all else found[self._positions]
        numbers = self._numbers(mine)
        if self.way is None:
            for write, number in zip(self._writes, numbers, strict=True):
                write(number)
        else:
            _WRITES.get(self.way, _writing(self.way))(self.holders, numbers)
            for given in self.readers:
                given.keep(numbers, mine.copy())


def _reading(name: str) -> Callable[[Any], list[Any]]:
    """A function that reads an attribute of many objects."""
    get = attrgetter(name)
    return lambda holders: list(map(get, holders))


def _writing(name: str) -> Callable[[Any, Any], None]:
    """A function that writes an attribute of many objects."""

    def write(holders: Any, numbers: Any) -> None:
        for holder, number in zip(holders, numbers, strict=True):
            setattr(holder, name, number)

    return write


def _write_values(holders: Any, numbers: Any) -> None:
    for holder, number in zip(holders, numbers, strict=True):
        holder._value = number


def _write_gradients(holders: Any, numbers: Any) -> None:
    for holder, number in zip(holders, numbers, strict=True):
        holder.grad = number


_READS: dict[str, Callable[[Any], list[Any]]] = {
    "_value": lambda holders: [holder._value for holder in holders],
    "grad": lambda holders: [holder.grad for holder in holders],
}
_WRITES: dict[str, Callable[[Any, Any], None]] = {"_value": _write_values, "grad": _write_gradients}
"""The places of variables, which are many: in Python's words, which are twice as fast."""
