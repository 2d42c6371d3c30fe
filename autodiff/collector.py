"""The garbage collector while a graph is made: its visits are rarer, and it is never left off.

A graph has no cycles, so the collector finds nothing in it, but walks through all of it again and again while it grows:
that was half of the time of large graphs.  So its threshold is raised while a function is recorded or a large graph is
walked.  Whatever goes wrong, it goes on collecting; thresholds that somebody else sets meanwhile stay.
"""

from __future__ import annotations

import gc
from _thread import allocate_lock  # all of threading would be waited for by every program
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 100_000
"""So many new objects there may be before a visit: about 20,000 operations."""

_lock = allocate_lock()
_inside = 0
_before: tuple[int, int, int] | None = None


@contextmanager
def rarely() -> Iterator[None]:
    """Let the collector visit rarely inside, in all threads; nested calls and other threads end it with the last.

    >>> import gc
    >>> with rarely():
    ...     gc.get_threshold()[0] >= OBJECTS or not gc.isenabled()
    True
    """
    global _inside, _before
    with _lock:
        _inside += 1
        if _inside == 1:
            usual = gc.get_threshold()
            _before = usual if 0 < usual[0] < OBJECTS else None
            if _before is not None:
                gc.set_threshold(OBJECTS, *usual[1:])
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _before is not None:
                if gc.get_threshold()[0] == OBJECTS:
                    gc.set_threshold(*_before)
                _before = None
