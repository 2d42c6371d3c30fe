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


_PLAIN = frozenset({np.ndarray, np.float64, np.float32, np.complex128, np.complex64, np.longdouble, np.float16})
"""The types of cotangents that a rule's ``into`` takes: see :func:`.cotangents.into`."""

_REMEMBERED = 1000
"""Of a sequence, the rules for so many positions are kept for the next call."""


class WrittenError(Exception):
    """An array that a rule saved is not what it was."""


class Rule:
    """A VJP rule for one argument: ``pick`` packs what it asks for from a call, ``apply(g, packed)`` calls it.

    ``watching`` is the same rule for a call in which it keeps arrays of the user's: prints of them are kept as well, and
    it looks whether they have changed before it is applied.
    """

    __slots__ = ("_elements", "_watching", "apply", "element", "function", "pick", "plain", "position",
                 "primitive", "wants", "watched")  # fmt: skip

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
        self._watching: Rule | None = None
        self._elements: dict[int, Rule] = {}
        self.apply: Function
        self.pick: Function = itemgetter(*wants) if wants else _nothing
        into = getattr(function, "into", None)
        if not wants:
            self.apply = lambda g, _: function(g)
        elif len(wants) == 1:
            self.apply = function
        elif into is None:
            self.apply = lambda g, packed: function(g, *packed)
        else:
            self.apply = lambda g, packed: (into if type(g) in _PLAIN else function)(g, *packed)

    @property
    def watching(self) -> Rule:
        """The same rule for a call in which it keeps arrays of the user's."""
        if self._watching is None:
            self._watching = _watching(self) if self.wants else self
        return self._watching

    def of(self, element: int) -> Rule:
        """The same rule for one of a sequence of arrays."""
        rule = self._elements.get(element)
        if rule is None:
            rule = Rule(self.primitive, self.function, self.position, self.wants, element)
            if element < _REMEMBERED:
                self._elements[element] = rule
        return rule

    def keep(self, environment: Any, prints: dict[int, list[tuple[Any, bytes]]]) -> tuple[Rule, Any]:
        """The rule for a call, and what it keeps; ``prints`` are of the user's arrays, by their place in the call."""
        packed = self.pick(environment)
        kept = [pair for want in self.wants if want in prints for pair in prints[want]] if prints else None
        return (self.watching, (packed, kept)) if kept else (self, packed)

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
    """The rule that is applied to what it keeps and prints of it, which it compares."""
    twin: Rule = object.__new__(Rule)
    for name in ("primitive", "function", "position", "element", "wants", "_elements", "pick"):
        setattr(twin, name, getattr(rule, name))
    apply = rule.apply

    def applied(g: Any, watched: Any) -> Any:
        if has_changed(watched):
            raise WrittenError
        return apply(g, watched[0])

    twin.apply, twin.watched, twin._watching, twin.plain = applied, True, twin, rule
    return twin


def prints_of(packed: Any) -> list[tuple[Any, bytes]]:
    """The arrays among what a rule keeps, and in lists of them, with a print of each."""
    if type(packed) is np.ndarray:
        return [(packed, print_of(packed))]
    if type(packed) in (tuple, list):
        return [pair for value in packed for pair in prints_of(value)]
    return []


def has_changed(watched: Any) -> bool:
    """Whether one of the arrays is not what it was; ``watched`` is what a rule keeps, and the print or prints of it."""
    packed, before = watched
    if type(before) is bytes:
        return print_of(packed) != before
    return any(print_of(array) != once for array, once in before)
