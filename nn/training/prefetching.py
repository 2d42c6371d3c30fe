"""Batches that are made ahead of their use, in a thread."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator
from typing import Any

WAIT = 5.0
"""Seconds to wait at the end for a thread that is still making a batch; it ends by itself after that batch."""


def ahead(source: Generator[Any], count: int) -> Generator[Any]:
    """What ``source`` yields, with up to ``count`` of them made ahead by one thread.

    An exception of the source comes out here, with its traceback.  When this is closed, which leaving a loop does, the
    thread ends, and the source is closed in it.
    """
    made: queue.Queue[tuple[str, Any]] = queue.Queue(count)
    stopped = threading.Event()
    run = contextvars.copy_context().run
    thread = threading.Thread(target=run, args=(_fill, source, made, stopped), name="DataLoader", daemon=True)
    try:
        thread.start()
        while True:
            what, value = made.get()
            if what == "end":
                return
            if what == "error":
                try:
                    raise value
                finally:
                    del value  # its traceback leads to this frame
            yield value
            del value
    finally:
        stopped.set()
        while not made.empty():  # it may be waiting for room; then it sees that it is to stop
            made.get_nowait()
        if thread.ident is not None:
            thread.join(WAIT)


def _fill(source: Generator[Any], made: queue.Queue[tuple[str, Any]], stopped: threading.Event) -> None:
    last: tuple[str, Any] = ("end", None)
    try:
        for item in source:
            made.put(("item", item))
            del item
            if stopped.is_set():
                break
    except BaseException as error:  # whoever takes the batches is told
        last = ("error", error)
    source.close()
    if not stopped.is_set():
        made.put(last)
