"""Calls of numbers one by one, as the function makes them: what NumPy says, and what Python raises, are the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ..errstate import keywords
from .listing import Listing
from .operations import kind_of

_AS: dict[Any, Callable[[Any], Any]] = {
    float: float, int: int, bool: bool, np.bool_: np.bool_, np.float64: np.float64, np.float32: np.float32,
    (np.ndarray, "d"): np.float64, (np.ndarray, "f"): np.float32,
}  # fmt: skip


def as_kind(number: Any, kind: Any) -> Any:
    """A number as one of another type that holds it: what ``item`` and ``asarray`` make of it."""
    if type(number) is complex:
        raise ValueError(
            "program: a power of Python's numbers is complex, and was real when it was recorded; capture it again with "
            "these arguments"
        )
    made = _AS[kind](number)
    return np.asarray(made) if type(kind) is tuple else made


class Straight:
    """The calls in their order; ``run(known)`` fills in what is not known yet.

    A cell that is taken for a number of another type than it is made as has a second one behind the others.
    """

    def __init__(self, listing: Listing, members: Sequence[int]) -> None:
        self.size = len(listing.codes)
        self._listing = listing
        self._others: dict[tuple[int, Any], int] = {}
        sections = groupby(members, key=listing.errors.__getitem__)
        self._sections = [(keywords(listing.states[state]), list(self._steps(cells))) for state, cells in sections]

    def _steps(self, cells: Iterator[int]) -> Iterator[tuple[Callable[..., Any], tuple[int, ...], int]]:
        listing = self._listing
        for cell in cells:
            code = listing.codes[cell]
            parts = listing.operands(cell)
            wanted = listing.kinds[code]
            for position, (part, kind) in enumerate(zip(parts, wanted, strict=False)):
                if made_as(listing, part) == kind:
                    continue
                other = self._others.get((part, kind))
                if other is None:
                    other = self._others[part, kind] = self.size
                    self.size += 1
                    yield functools.partial(as_kind, kind=kind), (part,), other
                parts = (*parts[:position], other, *parts[position + 1 :])
            yield listing.operations[code].function, parts, cell

    def run(self, known: list[Any]) -> None:
        """Make the calls."""
        known += [None] * (self.size - len(known))
        for errors, steps in self._sections:
            with np.errstate(**errors):
                for function, parts, cell in steps:
                    known[cell] = function(*[known[part] for part in parts])


def made_as(listing: Listing, cell: int) -> Any:
    """The type of the number in a cell."""
    code = listing.codes[cell]
    if code >= 0:
        return listing.kinds[code][-1]
    value = listing.given.get(cell)
    return type(listing.constants[cell]) if value is None else kind_of(value)
