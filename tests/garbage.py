"""What only the cycle collector would free."""

from __future__ import annotations

import gc
from collections.abc import Callable

TRIES = 3


def left_by(act: Callable[[], object]) -> int:
    """The number of objects in cycles that ``act`` leaves behind, the least of a few tries.

    The thread in which the test runner talks to its parent may leave some as well, at any time.  What ``act`` leaves,
    it leaves each time.
    """
    return min(_left_once(act) for _ in range(TRIES)) if _left_once(act) else 0


def _left_once(act: Callable[[], object]) -> int:
    gc.collect()
    gc.disable()
    try:
        act()
        return gc.collect()
    finally:
        gc.enable()
