"""The arrays of many examples that vmap makes.  The checks look inside of them here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...examples import every, on_every
from ...primitive import Primitive
from ...tensor import value_of
from ...transforms.batching import Batched, Level
from ...transforms.mapping import gather, scatter, share, total

Array = Any


def numbers(value: Any) -> Array:
    """The numbers of an array or a Tensor, for all examples, in one plain array."""
    return np.asarray(every(value_of(value))).view(np.ndarray)


def with_numbers(value: Any, change: Callable[[Array], Array]) -> Any:
    """An array of the same kind and examples, with its numbers replaced by ``change(numbers)``."""
    return on_every(change, value)


def is_array(value: Any) -> bool:
    """Whether this is an array, a NumPy number, or one of these for many examples."""
    return isinstance(every(value), np.ndarray | np.generic)


def levels_in(values: Any) -> set[Level]:
    """The mappings that values, and members of lists and tuples among them, belong to."""
    found: set[Level] = set()
    for value in values:
        value = value_of(value)
        if type(value) in (list, tuple):
            found |= levels_in(value)
        while type(value) is Batched:
            found.add(value.level)
            value = value.held
    return found


class Mapped:
    """An operation inside of mappings, as a function of all examples at once.

    ``enter`` takes a plain array with the examples along its first axes, and returns the examples.  ``leave`` is the
    inverse.  ``stacked`` returns such an array for a value.
    """

    def __init__(self, primitive: Primitive, args: list[Any]) -> None:
        around, own = levels_in(args), {arg for arg in args if type(arg) is Level}
        enters, leaves = primitive.call in (gather, share), primitive.call in (scatter, total)
        self._before = sorted(around | (set() if enters else own), key=lambda level: level.age)
        self._after = sorted((around | own) - (own if leaves else set()), key=lambda level: level.age)

    def __bool__(self) -> bool:
        return bool(self._before or self._after)

    def stacked(self, value: Any) -> Array:
        """The numbers of a value for each example; a value that is the same for all is repeated."""
        for level in reversed(self._before):
            value = scatter(value, 0, level)
        return np.array(value)

    def enter(self, array: Any) -> Any:
        """The examples that an array holds."""
        for level in self._before:
            array = gather(array, 0, level)
        return array

    def leave(self, result: Any) -> Any:
        """All examples of a result, or of each of several, in one array."""
        if isinstance(result, tuple):
            return tuple(map(self.leave, result))
        for level in reversed(self._after):
            result = scatter(result, 0, level)
        return result
