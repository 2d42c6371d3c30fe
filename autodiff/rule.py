"""A VJP rule: the function, and what it asks of a call.

A node keeps for each of its parents one value: what the rule of that parent asked for, *packed*.  Nothing is packed as
None, a single value as itself, several as a tuple, so that the commonest rules are called without any detour.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from .writes import print_of

Function = Callable[..., Any]


class WrittenError(Exception):
    """An array that a rule saved is not what it was."""


class Rule:
    """A VJP rule for one argument: ``pick`` packs what it asks for from a call, ``apply(g, packed)`` calls it.

    ``watching`` is the same rule for a call in which it keeps arrays of the user's: it takes a print of each, and looks
    whether they have changed before it is applied.
    """

    __slots__ = ("_elements", "apply", "element", "function", "pick", "plain", "position", "primitive", "wants",
                 "watched", "watching")  # fmt: skip

    def __init__(
        self, primitive: str, function: Function, position: int, wants: tuple[int, ...], element: int | None = None
    ) -> None:
        self.primitive = primitive
        self.function = function
        self.position = position
        self.element = element
        self.wants = wants
        self.watched = False
        self.plain: Rule = self
        self.watching: Rule = self
        self._elements: dict[int, Rule] = {}
        self.apply: Function
        self.pick: Function
        if not wants:
            self.pick, self.apply = _nothing, lambda g, _: function(g)
        elif len(wants) == 1:
            self.pick, self.apply = itemgetter(*wants), function
        else:
            self.pick, self.apply = itemgetter(*wants), lambda g, packed: function(g, *packed)
        if wants:
            self.watching = _watching(self)

    def of(self, element: int) -> Rule:
        """The same rule for one of a sequence of arrays."""
        if element not in self._elements:
            self._elements[element] = Rule(self.primitive, self.function, self.position, self.wants, element)
        return self._elements[element]

    def unpacked(self, packed: Any) -> tuple[Any, ...]:
        """What was picked, in the order of ``wants``."""
        if self.watched:
            packed = packed[0]
        return () if not self.wants else (packed,) if len(self.wants) == 1 else packed

    def packed(self, values: tuple[Any, ...]) -> Any:
        """The values, in the order of ``wants``, as ``apply`` takes them."""
        packed = None if not values else values[0] if len(values) == 1 else values
        return (packed, prints_of(packed)) if self.watched else packed


def _nothing(environment: Any) -> None:
    """What a rule that asks for nothing keeps."""


def _watching(rule: Rule) -> Rule:
    """The rule that takes prints of what it keeps, and compares them when it is applied."""
    twin: Rule = object.__new__(Rule)
    for name in ("primitive", "function", "position", "element", "wants", "_elements"):
        setattr(twin, name, getattr(rule, name))
    pick, apply = rule.pick, rule.apply

    def picked(environment: Any) -> Any:
        packed = pick(environment)
        return packed, prints_of(packed)

    def applied(g: Any, watched: Any) -> Any:
        packed, before = watched
        if prints_of(packed) != before:
            raise WrittenError
        return apply(g, packed)

    twin.pick, twin.apply, twin.watched, twin.watching, twin.plain = picked, applied, True, twin, rule
    return twin


def prints_of(packed: Any) -> Any:
    """The prints of an array, or of those among several values and in lists of them."""
    if type(packed) is np.ndarray:
        return print_of(packed)
    return [prints_of(v) for v in packed] if type(packed) in (tuple, list) else None
