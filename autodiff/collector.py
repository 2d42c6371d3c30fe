"""The garbage collector while a graph is recorded: it runs less often, and it is never turned off.

A graph has no cycles, so the collector finds nothing in it.  But it searches all of it again and again while the graph
grows, which took half of the time of large graphs.  So its threshold is raised while a function is recorded or a large
graph is visited.  The old threshold comes back after any error; a threshold that somebody else sets meanwhile stays.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 100_000
"""So many new objects there may be before a visit: about 20,000 operations."""

_open: dict[object, None] = {}
"""The blocks that are open, in all threads.  No lock, which an interrupt could leave closed."""
_usual: list[tuple[int, int, int]] = []
"""The thresholds to come back to."""


@contextmanager
def rarely() -> Iterator[None]:
    """Let the collector run rarely inside, in all threads; nested calls and other threads end it together.

    >>> import gc
    >>> with rarely():
    ...     gc.get_threshold()[0] >= OBJECTS or not gc.isenabled()
    True
    """
    block = object()
    try:
        _open[block] = None
        found = gc.get_threshold()
        if 0 < found[0] < OBJECTS:
            _usual.append(found)
            gc.set_threshold(OBJECTS, *found[1:])
        yield
    finally:
        _open.pop(block, None)
        if not _open and _usual:
            usual = _usual[0]
            _usual.clear()
            if gc.get_threshold()[0] == OBJECTS:
                gc.set_threshold(*usual)
