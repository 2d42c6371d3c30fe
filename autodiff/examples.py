"""The contract of an array that stands for many examples, for code that reads values: checks, pictures, the engine.

``vmap`` computes all examples at once, on arrays that look like one example.  Code that reads values, and does not
compute with them, gets the array of all examples from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Examples:
    """An array that looks like one example; ``held`` is an array, or again examples, with all of them."""

    __slots__ = ("held",)

    held: Any

    def holding(self, array: Any) -> Examples:
        """The same examples with other values."""
        raise NotImplementedError


def every(value: Any) -> Any:
    """The plain array of all examples, of every ``vmap`` around; any other value unchanged.

    >>> every(2.0)
    2.0
    """
    while isinstance(value, Examples):
        value = value.held
    return value


def on_every(function: Callable[[Any], Any], value: Any) -> Any:
    """A function of arrays applied to all examples; the result is examples again."""
    return value.holding(on_every(function, value.held)) if isinstance(value, Examples) else function(value)
