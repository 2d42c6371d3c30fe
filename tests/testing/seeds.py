"""How much of a statement about gradcheck is tried: a part in the shared run, all in a deep one.

A statement is about a family (of functions, sizes, modes), and each member of it is tried in any case.  What is tried
in turn is what is beside that: the seed, which of many faults is planted, the mode around.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

Value = TypeVar("Value")


def is_deep() -> bool:
    """Whether this is a run with ``--hypothesis-profile=deep``."""
    return settings.default.max_examples > 100


def seeds(most: int) -> range:
    """A third of them in the shared run."""
    return range(most if is_deep() else -(-most // 3))


def in_turn(values: Sequence[Value], number: int, count: int = 1) -> list[Value]:
    """``count`` of the values in the shared run, those whose turn it is for the member of this ``number``."""
    if is_deep():
        return list(values)
    return [values[(number * count + i) % len(values)] for i in range(count)]
