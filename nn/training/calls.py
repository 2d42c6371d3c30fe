"""Calls of NumPy's functions that are noted first, and then made as one unit, or on copies.

Ctrl-C, and any other exception of a signal handler, comes between two instructions of Python.  Noted calls are made by
one call of a C function: before it nothing is done, after it everything.
"""

from __future__ import annotations

import operator
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from itertools import starmap
from typing import Any

import numpy as np

Array = Any

_SAID_BY: dict[str, Callable[[], Any]] = {
    "divide by zero": lambda: np.divide(1.0, 0.0),
    "overflow": lambda: np.multiply(1e300, 1e300),
    "underflow": lambda: np.multiply(1e-300, 1e-300),
    "invalid value": lambda: np.subtract(np.inf, np.inf),
}
"""What makes NumPy say that it met such a thing, in the way that the user chose: a warning, an error, or not at all."""


class Calls(list[tuple[Any, ...]]):
    """Calls of ufuncs, each a tuple ``(ufunc, *inputs, out)``; ``room`` and ``other`` are two arrays to compute in.

    >>> import numpy as np
    >>> x = np.array([1.0, 2.0])
    >>> calls = Calls()
    >>> calls.room = np.empty(2)
    >>> calls += (np.multiply, x, 3.0, calls.room), (np.add, x, calls.room, x)
    >>> calls.results(x)[0].tolist(), x.tolist()
    ([4.0, 8.0], [1.0, 2.0])
    """

    __slots__ = ("other", "room")

    room: Array
    other: Array

    def perform(self) -> None:
        """Make the calls; NumPy's warnings, such as overflow, come after them."""
        met = _quiet.met
        met.clear()
        _quiet.context.run(deque, starmap(operator.call, self), 0)
        for kind in met:
            _SAID_BY[kind]()

    def results(self, *arrays: Array) -> list[Array]:
        """The results of the calls for these arrays, as new arrays; nothing is written into the old ones."""
        now: dict[int, Array] = {}
        for function, *inputs, out in self:
            now[id(out)] = function(*(now.get(id(value), value) for value in inputs))
        return [now.get(id(array), array) for array in arrays]


class _Quiet(threading.local):
    """A context that notes floating-point errors instead of stopping half way; each thread has its own."""

    def __init__(self) -> None:
        self.met: dict[str, int] = {}
        self.context = Context()
        self.context.run(np.seterr, all="call")
        self.context.run(np.seterrcall, self.met.__setitem__)


_quiet = _Quiet()


# -- room to compute in --------------------------------------------------------------------------------------------

Room = tuple[Array, Array]


def rooms_for(arrays: list[Array]) -> list[Room | None]:
    """Two arrays to compute in for each of these.  All of one dtype share memory: twice that of the largest.

    None for anything but an ndarray.
    """
    sizes: dict[Any, int] = {}
    for array in arrays:
        if type(array) is np.ndarray:
            sizes[array.dtype] = max(array.size, sizes.get(array.dtype, 0))
    memory = {dtype: np.empty((2, size), dtype) for dtype, size in sizes.items()}
    rooms: dict[Any, Room] = {}

    def room(array: Array) -> Room | None:
        if type(array) is not np.ndarray:
            return None
        kind = array.dtype, array.shape
        if kind not in rooms:
            first, second = (whole[: array.size].reshape(array.shape) for whole in memory[array.dtype])
            rooms[kind] = first, second
        return rooms[kind]

    return [room(array) for array in arrays]


_Flags = type(np.empty(0).flags)


def writable_room(values: Array, gradient: Array, scratch: Room | None) -> Room | None:
    """Where to compute the new values of an array that is to be written in place; None if it cannot be.

    An array of another kind can be written if it says so as an ndarray does: one that records what is done with it.
    """
    if type(values) is np.ndarray:
        own = type(gradient) is np.ndarray or isinstance(gradient, np.generic)
        return scratch if own and values.flags.writeable else None
    return (np.empty_like(values), np.empty_like(values)) if is_writable(values) else None


def is_writable(array: Array) -> bool:
    """Whether an array can be written in place: an ndarray, or one that says so as an ndarray does."""
    flags = getattr(array, "flags", None)
    return isinstance(flags, _Flags) and flags.writeable
