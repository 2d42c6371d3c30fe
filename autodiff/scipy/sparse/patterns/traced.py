"""A value of a program with the sets of its elements, and the table of rules that carry sets through calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .sets import Labels, Sets


class Traced:
    """What a value holds when the program runs, and its labels; ``moves`` says whether it depends on the inputs."""

    __slots__ = ("held", "labels", "moves")

    def __init__(self, held: Any, labels: Labels, moves: bool) -> None:
        self.held, self.labels, self.moves = held, labels, moves


class Step(NamedTuple):
    """A call: the function, its operands, of which some are :class:`Traced`, and what it has given."""

    sets: Sets
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    y: Any

    def given(self, *names: str) -> dict[str, Any]:
        """The arguments by name; ``names`` are those of the first ones, in order."""
        return dict(zip(names, self.args, strict=False)) | self.kwargs


Rule = Callable[[Step], Any]
rules: dict[Any, Rule] = {}
"""What carries the sets of a function's operands to its results: labels, an array or one for each result."""


class UnknownError(Exception):
    """A rule raises this for arguments that it does not know: then everything depends on everything."""


def carries(*functions: Any) -> Callable[[Rule], Rule]:
    """Make the decorated function the rule of these."""

    def register(rule: Rule) -> Rule:
        rules.update(dict.fromkeys(functions, rule))
        return rule

    return register


def labels_of(value: Any) -> Labels:
    """The labels of an operand; a constant depends on nothing."""
    return value.labels if type(value) is Traced else np.zeros(np.shape(held(value)), np.intp)


def held(value: Any) -> Any:
    """What is computed with, in nestings too."""
    kind = type(value)
    if kind is Traced:
        return value.held
    if kind is tuple or kind is list:
        return kind([held(part) for part in value])
    if kind is dict:
        return {name: held(part) for name, part in value.items()}
    if kind is slice:
        return slice(held(value.start), held(value.stop), held(value.step))
    return value


def all_labels(value: Any) -> Any:
    """Labels in the place of all operands of a nesting."""
    return type(value)([all_labels(part) for part in value]) if type(value) in (tuple, list) else labels_of(value)


def traced_in(value: Any) -> list[Traced]:
    """The values in a nesting."""
    kind = type(value)
    if kind is Traced:
        return [value]
    if kind is slice:
        value = (value.start, value.stop, value.step)
    elif kind is dict:
        value = value.values()
    elif kind is not tuple and kind is not list:
        return []
    return [one for part in value for one in traced_in(part)]


def moves(value: Any) -> bool:
    """Whether an operand depends on the inputs, or a part of it does."""
    return any(one.moves for one in traced_in(value))


def with_zeros(value: Any) -> Any:
    """The zeros of a constant factor, as a mask; None if it is no constant, or has none."""
    if moves(value):
        return None
    zeros = np.equal(held(value), 0)
    return zeros if np.any(zeros) else None


def like(y: Any, make: Callable[[Any], Labels]) -> Any:
    """Labels for one result, or for each of several."""
    return [like(part, make) for part in y] if isinstance(y, tuple | list) else make(y)


def whole(step: Step) -> Any:
    """Every element of every result depends on every element of every operand: right for any function."""
    operands = traced_in((step.args, step.kwargs))
    label = step.sets.all_of(*[one.labels for one in operands]) if operands else 0
    return like(step.y, lambda part: np.full(np.shape(part), label, np.intp))
