"""Arrays that are used again: those of a run that has ended, and results that nobody holds any more."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
SPARE = 2
"""Results of one kind that are looked after: the one that is in use, and the one before it."""


def _popped(waiting: deque[Array]) -> tuple[Array, int]:
    """The next array, and how many hold it, this function among them."""
    array = waiting.popleft()
    return array, sys.getrefcount(array)


_ALONE = _popped(deque([np.empty(1)]))[1]
_EXACT = getattr(sys, "_is_gil_enabled", lambda: True)()
"""Whether the counts say all: without the lock of the interpreter they do not."""


class Recycled:
    """Room for a result that is given away, in memory that was given away before and is not held any more.

    Whoever holds an array, or a view of it, is counted.  An array that nobody else holds is out of reach for everybody,
    so it cannot get a new holder meanwhile.

    >>> room = Recycled(lambda: np.empty(3))
    >>> first = room.take()
    >>> room.give(first)
    >>> room.take() is first
    False
    >>> known = id(first)
    >>> del first
    >>> id(room.take()) == known
    True
    """

    __slots__ = ("_made", "_waiting")

    def __init__(self, made: Callable[[], Array]) -> None:
        self._made = made
        self._waiting: deque[Array] = deque(maxlen=SPARE)

    def take(self) -> Array:
        """An array to write into."""
        waiting = self._waiting
        for _ in range(len(waiting) if _EXACT else 0):
            try:
                array, holders = _popped(waiting)
            except IndexError:  # another thread has taken it
                break
            if holders == _ALONE:
                return array
            waiting.append(array)
        return self._made()

    def give(self, array: Array) -> None:
        """Remember an array that is given away, for later."""
        if array.base is None:  # else a view of it holds its base, and not it
            self._waiting.append(array)
