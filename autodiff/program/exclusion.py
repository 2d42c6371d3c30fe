"""Who may read and write the places of a function: while one thread records, no other one replays what it sees."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

PATIENCE = 60.0
"""Seconds; a function that is recorded and waits itself for a thread that replays would wait for ever."""


class OccupiedError(RuntimeError):
    """In a place there is a recorded array of another thread's: one must wait."""


class Lock:
    """Held while a program runs that changes something: a context manager."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _every.add(self)

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            _take(self._lock)

    def __exit__(self, *error: object) -> None:
        self._lock.release()


_recordings = threading.RLock()
_every: WeakSet[Lock] = WeakSet()


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """A context in which this thread alone records, and no program runs that changes something."""
    _take(_recordings)
    with contextlib.ExitStack() as stack:
        stack.callback(_recordings.release)
        for lock in list(_every):
            stack.enter_context(lock)
        yield


def wait() -> None:
    """Wait until nobody records."""
    _take(_recordings)
    _recordings.release()


def _take(lock: Any) -> None:
    if not lock.acquire(timeout=PATIENCE):
        raise RuntimeError(
            f"jit: another thread has been recording a function for {PATIENCE:.0f} seconds; a function that is "
            "recorded must not wait for threads that call recorded functions themselves"
        )
