"""A VJP rule: the function, and what it asks of a call.

A node keeps for each of its parents one value: what the rule of that parent asked for, *packed*.  Nothing is packed as
None, a single value as itself, several as a tuple, so that the commonest rules are called without any detour.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import itemgetter
from typing import Any

import numpy as np

from .examples import every
from .writes import SMALL, Print, differs, print_of

Function = Callable[..., Any]


class WrittenError(Exception):
    """An array that a rule saved is not what it was: the rule, and what it keeps."""


class Rule:
    """A VJP rule for one argument: ``pick`` packs what it asks for from a call, ``apply(g, packed)`` calls it.

    ``watching`` is the same rule for a call in which it keeps arrays of the user's: prints of them are kept as well,
    and it looks whether they have changed before it is applied.
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

    def keep(self, environment: Any, owned: list[Any]) -> tuple[Rule, Any]:
        """The rule for a call with these arrays of the user's, and what it keeps."""
        packed = self.pick(environment)
        if owned:
            prints = prints_of(packed, {id(array) for array in owned} if len(owned) > 1 else (id(owned[0]),))
            if prints:
                return self.watching, (packed, prints)
        return self, packed

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
        packed, before = watched
        if type(before) is bytes:
            if packed.tobytes() != before:
                raise WrittenError(twin, watched)
        else:
            for array, once in before if type(before) is list else ((packed, before),):
                if array.tobytes() != once if type(once) is bytes else once.differs():
                    raise WrittenError(twin, watched)
        return apply(g, packed)

    twin.apply, twin.watched, twin.watching, twin.plain = applied, True, twin, rule
    return twin


def prints_of(packed: Any, owned: Collection[int] | None = None) -> Any:
    """Prints of the arrays among what a rule keeps: of the user's, by the identities in ``owned``, or of all.

    The print itself if the rule keeps one array, pairs of an array and its print if it keeps more, or nothing.
    """
    if type(packed) is np.ndarray:
        return print_of(packed) if owned is None or id(packed) in owned else None
    pairs: list[tuple[Any, bytes | Print]] = []
    for value in packed if type(packed) is tuple or type(packed) is list else (packed,):
        if owned is not None and id(value) not in owned:
            if type(value) is tuple or type(value) is list:
                pairs += prints_of(value, owned) or ()
        elif type(value) is np.ndarray:
            pairs.append((value, value.tobytes() if value.nbytes <= SMALL else Print(value)))
        elif type(value) is tuple or type(value) is list:
            pairs += prints_of(value) or ()
        elif isinstance(every(value), np.ndarray):
            pairs.append((every(value), print_of(every(value))))
    return pairs


def has_changed(watched: Any) -> bool:
    """Whether one of the arrays is not what it was; ``watched`` is what a rule keeps, and the print or prints of it."""
    return any(differs(array, before) for array, before in _pairs(watched))


def changed(watched: Any) -> tuple[Any, bool]:
    """The array that is not what it was, and whether a variable has given it out since the rule saved it."""
    array, before = next(pair for pair in _pairs(watched) if differs(*pair))
    return array, type(before) is Print and before.whole is not None


def _pairs(watched: Any) -> Any:
    packed, before = watched
    return before if type(before) is list else ((packed, before),)
