"""What goes through a loop: the carry, which keeps its form; slices along the first axis; results that are stacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..examples import is_one
from ..mode import current
from ..tensor import Tensor
from ..tree import flatten, flatten_like, places

Array = Any
_NUMBERS: dict[Any, str] = {bool: "b", int: "iu", float: "f", complex: "c"}
"""Python's numbers, and the kinds of the dtypes that a step may make of one."""
_SAID = {"b": "boolean", "i": "integer", "u": "integer", "f": "floating-point", "c": "complex"}


def form_of(leaf: Any) -> Any:
    """Shape and dtype of an array; the type of a Python number; the thing itself if it is neither."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is not None and hasattr(leaf, "shape"):
        return leaf.shape, dtype
    return type(leaf) if type(leaf) in _NUMBERS else leaf


class Carry:
    """The nesting and the forms of a carry, which each step must keep."""

    def __init__(self, who: str, function: str, tree: Any) -> None:
        self.who, self.function, self.like = who, function, tree
        self.leaves, self.unflatten = flatten(tree)
        self.forms = [form_of(leaf) for leaf in self.leaves]

    def taken(self, made: Any, step: Any) -> Any:
        """The next carry, checked."""
        leaves = flatten_like(made, self.like, f"{self.who}: the carry that {self.function} returned in step {step}")
        for i, leaf in enumerate(leaves):
            form, before = form_of(leaf), self.forms[i]
            if form is not before and not _same(form, before):
                self.forms[i] = self._grown(i, before, form, leaf, step)
        return made

    def _grown(self, i: int, before: Any, form: Any, leaf: Any, step: Any) -> Any:
        """The form of a leaf from now on: a Python number may become an array of its kind."""
        if type(before) is type and type(form) is tuple and form[0] == () and form[1].kind in _NUMBERS[before]:
            return form
        if type(before) is tuple and type(form) is type and before[0] == () and before[1].kind in _NUMBERS[form]:
            return before
        where = places(self.like)[i]
        head = f"{self.who}: {self.function} must return the carry in the form in which it got it; "
        head += (
            f"the carry{f' at {where}' if where else ''} was {_said(before)}, and step {step} returned {_said(form)}"
        )
        if type(before) is tuple and type(form) is tuple and before[0] == form[0]:
            raise TypeError(f"{head}: start with .astype({form[1]}), or convert in {self.function}")
        if type(before) is tuple and type(form) is tuple:
            raise TypeError(f"{head}: start with an array of shape {form[0]}, or reduce in {self.function}")
        raise TypeError(f"{head}: start with what {self.function} returns, as np.zeros(shape, dtype) is one")


def _same(form: Any, before: Any) -> bool:
    if type(form) is not tuple or type(before) is not tuple:
        return form is before
    return bool(form[0] == before[0] and form[1] == before[1])


def _said(form: Any) -> str:
    if type(form) is tuple:
        return f"{form[1]} of shape {form[0]}"
    return f"a Python {form.__name__}" if isinstance(form, type) and form in _NUMBERS else f"a {type(form).__name__}"


class Slices:
    """The slices of a nesting of arrays along their first axes."""

    def __init__(self, who: str, xs: Any, length: int | None) -> None:
        self.leaves, self._unflatten = flatten(xs)
        self.length = _length(who, xs, self.leaves, length)

    def part(self, start: int, stop: int) -> list[Any]:
        """The leaves, from one position to another."""
        return list(self.leaves) if (start, stop) == (0, self.length) else [leaf[start:stop] for leaf in self.leaves]

    def steps(self, leaves: Sequence[Any]) -> Callable[[int], Any]:
        """A function that gives the slice at a position of such leaves."""
        if not leaves:
            nothing = self._unflatten([])
            return lambda i: nothing
        rows = [list(leaf) if self._is_iterated(leaf) else leaf for leaf in leaves]
        return lambda i: self._unflatten([row[i] for row in rows])

    def _is_iterated(self, leaf: Any) -> bool:
        """Whether one node for all slices is better: of what is recorded, nearly all are sliced by a loop."""
        return isinstance(leaf, Tensor) and not is_one(leaf._value) and current() is None

    def nested(self, leaves: list[Any]) -> Any:
        """Such leaves in the nesting of the arrays."""
        return self._unflatten(leaves)

    def example(self) -> Any:
        """A slice of zeros, where there is none."""
        return self._unflatten([np.zeros(np.shape(leaf)[1:], leaf.dtype) for leaf in self.leaves])


def _length(who: str, xs: Any, leaves: Sequence[Any], length: Any) -> int:
    """The number of steps, which all that is scanned must agree on."""
    if length is not None and (isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 0):
        raise TypeError(f"{who}: length must be a whole number of steps, 0 or more; got {length!r:.60}")
    found = {}
    for place, leaf in zip(places(xs, "xs"), leaves, strict=True):
        if form_of(leaf) is leaf or type(form_of(leaf)) is type or not np.ndim(leaf):
            raise TypeError(
                f"{who}: {place} is {_said(form_of(leaf))}; it must be an array with a first axis to go along: let "
                "f close over what is the same in every step"
            )
        found[place] = np.shape(leaf)[0]
    if len(set(found.values())) > 1:
        sizes = ", ".join(f"{place} has {size}" for place, size in found.items())
        raise ValueError(f"{who}: the arrays have different lengths along their first axes: {sizes}")
    if not found and length is None:
        raise ValueError(f"{who}: xs has no arrays, so the number of steps is unknown: pass length=")
    size = next(iter(found.values()), length)
    if length is not None and size != length:
        raise ValueError(f"{who}: length is {length}, and the arrays of xs have {size} slices: leave length away")
    return int(size)  # type: ignore[arg-type]


class Stack:
    """The results of the steps, of which each leaf becomes one array."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.rows: list[list[Any]] = []
        self._like: Any = None
        self._shapes: list[Any] = []
        self._first: Any = None

    def add(self, y: Any, step: Any) -> None:
        """Take the result of a step."""
        if self._like is None:
            self._like = (y,)
            self._first = step
            leaves, self._unflatten = flatten(y)
            self._shapes = [self._shape(leaf, step) for leaf in leaves]
        else:
            leaves = flatten_like(y, self._like[0], f"{self.who}: the y that f returned in step {step}")
            for leaf, shape, place in zip(leaves, self._shapes, places(self._like[0], "y"), strict=True):
                now = self._shape(leaf, step)
                if now != shape:
                    raise ValueError(
                        f"{self.who}: {place} has shape {now} in step {step}, and {shape} in step {self._first}; the "
                        "ys are stacked, so they must have one shape"
                    )
        self.rows.append(leaves)

    def _shape(self, leaf: Any, step: Any) -> Any:
        shape = getattr(leaf, "shape", None)
        if shape is None and type(leaf) not in _NUMBERS:
            raise TypeError(
                f"{self.who}: f returned a {type(leaf).__name__} in its y (step {step}); the ys are stacked, so they "
                "must be arrays or numbers"
            )
        return () if shape is None else shape

    def stacked(self, reverse: bool) -> Any:
        """The results along a new first axis, in the order of the slices."""
        if reverse:
            self.rows.reverse()
        columns = [np.stack(column) for column in zip(*self.rows, strict=True)]
        return self._unflatten(columns) if self.rows else None

    def nothing(self) -> Any:
        """The results of no steps, in the form of the one that was taken."""
        return self._unflatten([np.zeros((0, *np.shape(leaf)), np.result_type(leaf)) for leaf in self.rows[0]])


def joined(parts: Sequence[Any], reverse: bool) -> Any:
    """The stacked results of several runs of steps, as one."""
    parts = parts[::-1] if reverse else parts
    leaves = [flatten(part)[0] for part in parts]
    _, unflatten = flatten(parts[0])
    return parts[0] if len(parts) == 1 else unflatten([np.concatenate(column) for column in zip(*leaves, strict=True)])
