"""The contract of an array that stands for many examples, for code that reads values: checks, pictures, the engine.

``vmap`` computes all examples at once, on arrays that look like one example.  Code that reads values, and does not
compute with them, gets the array of all examples from here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Examples:
    """An array that looks like one example; ``held`` is an array, or again examples, with all of them."""

    __slots__ = ("held",)

    held: Any
    many: bool = True
    """Whether it stands for several arrays, or for one: a recorded array looks like the one that it holds."""

    def given_out(self) -> Any:
        """What the user gets as the values: an array of no axes in the place of a number, as of a Tensor."""
        return self

    def holding(self, array: Any) -> Examples:
        """The same examples with other values."""
        raise NotImplementedError

    def takes(self, values: Any) -> bool:
        """Whether values can be written into it: those that are no examples, or of the same mapping."""
        return not isinstance(values, Examples)

    def as_array(self) -> Any:
        """What a variable holds that is made of it."""
        return self

    def beside(self, array: Any) -> Any:
        """An ndarray as something that can be indexed by this."""
        return array

    def as_number(self) -> Any:
        """A single number of double precision as Python's, as :func:`float` makes it; anything else as it is."""
        return self

    def settle(self) -> None:
        """Note that these are the results of a backward pass in which zeros knew where they came from.

        A recorded array makes sure that this played no part.
        """
        if isinstance(self.held, Examples):
            self.held.settle()

    def is_nan(self) -> bool:
        """Whether one of the numbers that it stands for is NaN; False for a foreign array, which is not read."""
        held: Any = self.held
        if isinstance(held, Examples):
            return held.is_nan()
        is_numpys = isinstance(held, np.ndarray | np.generic)
        return is_numpys and bool((held != held).any())


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


def is_one(array: Any) -> bool:
    """Whether it looks like the one array that it holds, so that it is written as that one: a recorded array."""
    return isinstance(array, Examples) and not array.many
