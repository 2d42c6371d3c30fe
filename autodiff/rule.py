"""A VJP rule: its function, and the values that it asks for.

A node saves one value for each of its parents: the values that the rule of this parent asks for, *packed*.  No value is
packed as None, one value as itself, several as a tuple.  So the most frequent rules are called directly.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .examples import Examples, every
from .writes import SMALL, Print, differs, print_of

Function = Callable[..., Any]


_PLAIN = frozenset({np.ndarray, np.float64, np.float32, np.complex128, np.complex64, np.longdouble, np.float16})
"""The types of cotangents that a rule's ``into`` takes, beside examples: see :func:`.cotangents.into`."""

_REMEMBERED = 1000
"""Of a sequence, the rules for so many positions are kept for the next call."""


_SAME, _SLOPE = (lambda g: g).__code__.co_code, (lambda g, slope: g * slope).__code__.co_code
"""What Python makes of the most frequent rules by far: ``g``, and ``g * saved``.  No function of Python is called."""
_VARIADIC = 0x04  # CO_VARARGS, the bit that says *args


def _body_of(function: Function) -> bytes:
    """What Python makes of a rule; nothing of one that must be called."""
    code = getattr(function, "__code__", None)
    return b"" if code is None or code.co_flags & _VARIADIC else code.co_code


class WrittenError(Exception):
    """A saved array has changed: the rule, and its saved values."""


class Rule:
    """A VJP rule for one argument: ``pick`` packs the values it asks for from a call, ``apply(g, packed)`` calls it.

    ``same`` says that it gives ``g`` itself, so that the pass need not call it.  ``watching`` is the same rule for a
    call that saves arrays of the user.  A print of each array is saved too, and compared before the rule is applied.
    """

    __slots__ = ("_elements", "_watching", "apply", "element", "function", "pick", "plain", "position",
                 "primitive", "same", "wants", "watched")  # fmt: skip

    def __init__(
        self, primitive: str, function: Function, position: int, wants: tuple[int, ...], element: int | None = None
    ) -> None:
        self.primitive: str = primitive
        self.function: Function = function
        body = _body_of(function)
        self.same: bool = body == _SAME
        self.position: int = position
        self.element: int | None = element
        self.wants: tuple[int, ...] = wants
        self.watched: bool = False
        self.plain: Rule = self
        self._watching: Rule | None = None
        self._elements: dict[int, Rule] = {}
        self.apply: Function
        self.pick: Function = operator.itemgetter(*wants) if wants else _nothing
        into = getattr(function, "into", None)
        if not wants:
            self.apply = lambda g, _: function(g)
        elif len(wants) == 1:
            self.apply = operator.mul if body == _SLOPE else function
        elif into is None:
            self.apply = lambda g, packed: function(g, *packed)
        else:
            self.apply = lambda g, packed: (into if type(g) in _PLAIN or isinstance(g, Examples) else function)(
                g, *packed
            )

    @property
    def watching(self) -> Rule:
        """The same rule for a call that saves arrays of the user."""
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

    def keep(self, environment: Any, prints: dict[int, list[tuple[Any, bytes | Print]]]) -> tuple[Rule, Any]:
        """The rule for a call, and its saved values; ``prints`` are those of the user's arrays, by position."""
        packed = self.pick(environment)
        kept = [pair for want in self.wants if want in prints for pair in prints[want]] if prints else None
        return (self.watching, (packed, kept)) if kept else (self, packed)

    def unpacked(self, packed: Any) -> tuple[Any, ...]:
        """The picked values, in the order of ``wants``."""
        if self.watched:
            packed = packed[0]
        return () if not self.wants else (packed,) if len(self.wants) == 1 else packed

    def packed(self, values: tuple[Any, ...]) -> Any:
        """The values, in the order of ``wants``, as ``apply`` takes them."""
        packed = None if not values else values[0] if len(values) == 1 else values
        return (packed, prints_of(packed)) if self.watched else packed


def _nothing(environment: Any) -> None:
    """The saved value of a rule that asks for nothing."""


def _watching(rule: Rule) -> Rule:
    """The rule, applied to saved values and their prints, which it compares first."""
    twin: Rule = object.__new__(Rule)
    twin.primitive, twin.function, twin.position, twin.element = (
        rule.primitive,
        rule.function,
        rule.position,
        rule.element,
    )
    twin.same = False
    twin.wants, twin.pick, twin._elements = rule.wants, rule.pick, rule._elements
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

    twin.apply, twin.watched, twin._watching, twin.plain = applied, True, twin, rule
    return twin


def prints_of(packed: Any) -> Any:
    """Prints of the saved arrays of a rule.

    One print if the rule saves one array, pairs of an array and its print if it saves more, or nothing.
    """
    return print_of(packed) if type(packed) is np.ndarray else pairs_of(packed)


def pairs_of(value: Any) -> list[tuple[Any, bytes | Print]]:
    """The array, or the arrays among several values and in lists of them, each with its print."""
    if type(value) is np.ndarray:
        return [(value, value.tobytes() if value.nbytes <= SMALL else Print(value))]
    if type(value) is tuple or type(value) is list:
        return [pair for part in value for pair in pairs_of(part)]
    array = every(value)
    return [(array, print_of(array))] if isinstance(array, np.ndarray) else []


def has_changed(watched: Any) -> bool:
    """Whether one of the arrays has changed; ``watched`` are the saved values of a rule, with the prints."""
    return any(differs(array, before) for array, before in _pairs(watched))


def changed(watched: Any) -> tuple[Any, bool]:
    """The array that has changed, and whether a variable gave it out after the rule had saved it."""
    array, before = next(pair for pair in _pairs(watched) if differs(*pair))
    return array, type(before) is Print and before.whole is not None


def _pairs(watched: Any) -> Any:
    packed, before = watched
    return before if type(before) is list else ((packed, before),)
