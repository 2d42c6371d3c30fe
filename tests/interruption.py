"""Ctrl-C at a chosen line."""

from __future__ import annotations

import contextvars
import gc
import itertools
import sys
from collections.abc import Callable


def interrupted_at(line: int, act: Callable[[], object]) -> bool:
    """Raise KeyboardInterrupt after so many lines of Python in ``act``; whether it came to that."""
    count, raised = itertools.count(), []

    def trace(frame, event, argument):
        if event == "line" and not raised and next(count) == line:
            raised.append(True)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    gc.disable()  # whatever a callback of the collector raises is lost, and a collection may come at any line
    sys.settrace(trace)
    try:
        contextvars.copy_context().run(act)  # NumPy's errstate, interrupted where it ends, would stay on
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
        gc.enable()
    return bool(raised)
