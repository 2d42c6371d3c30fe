"""The tape: doubles in one array, on which a group of calls is a gather for each operand and one call of NumPy's.

Cells are laid out so that what a group reads lies together, where that can be: then there is nothing to gather.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ..errstate import keywords
from .agreement import NEUTRAL
from .listing import Listing
from .machine import Machine
from .operations import Operation
from .scheduling import Group

Array = Any
Call = tuple[Callable[..., Any], tuple[Any, ...]]
_SILENT = {"divide": "ignore", "over": "ignore", "under": "ignore", "invalid": "ignore"}


class Step(NamedTuple):
    """One group on the tape: what it computes, and where its operands lie and its results are put."""

    operation: Operation
    errors: str
    operands: list[Any]
    """Of each operand, a slice of the tape, or positions; of a row of calls, one thing for all its terms."""
    terms: int
    """Of a row of calls of more than two terms, how many; 0 for any other call."""
    start: int
    stop: int
    products: bool = False
    """Whether the terms are products of the first and the second operand, which C alone computes."""


class Layout:
    """Where each cell lies: ``place[cell]``, of ``size``; ``sources`` are those that no group computes, in order."""

    def __init__(self, groups: Sequence[Group], sources: Array, exported: Array, cells: int) -> None:
        wish = np.full(cells, np.iinfo(np.int64).max)
        firm = np.zeros(cells, bool)
        wish[exported] = np.arange(len(exported)) + (np.iinfo(np.int64).max >> 1)
        self.order: list[Array] = [np.empty(0)] * len(groups)
        base = 0
        for n in range(len(groups) - 1, -1, -1):
            group = groups[n]
            order = self.order[n] = np.argsort(wish[group.cells], kind="stable")
            flat = group.operands[:, order].ravel()
            places = base + np.arange(len(flat))
            if len(group.operands) > 2:  # the terms of a row: they are many
                wish[flat], firm[flat] = places, True
            else:
                free = ~firm[flat]
                wish[flat[free]] = places[free]
            base += len(flat)
        self.place = np.full(cells, -1)
        self.place[sources] = np.arange(len(sources))
        self.starts: list[int] = []
        at = len(sources)
        for group, order in zip(groups, self.order, strict=True):
            self.starts.append(at)
            self.place[group.cells[order]] = np.arange(at, at + len(order))
            at += len(order)
        self.size = at


def steps_of(groups: Sequence[Group], layout: Layout, listing: Listing) -> list[Step]:
    """The groups, on the tape."""
    operations, states = listing.operations, listing.states
    found = []
    for group, order, start in zip(groups, layout.order, layout.starts, strict=True):
        operands = layout.place[group.operands[:, order]]
        terms = len(operands) if len(operands) > 2 and operations[group.code].running else 0
        if group.products:
            terms = len(operands) // 2
            parts = [where(operands[:terms]), where(operands[terms:])]
        else:
            parts = [where(operands)] if terms else [where(row) for row in operands]
        errors, stop = states[group.errors], start + len(order)
        found.append(Step(operations[group.code], errors, parts, terms, start, stop, group.products))
    return found


def where(positions: Array) -> Any:
    """Positions as a slice, if they follow each other."""
    flat = positions.ravel()
    if len(flat) and flat[-1] - flat[0] == len(flat) - 1 and bool((np.diff(flat) == 1).all()):
        return slice(int(flat[0]), int(flat[-1]) + 1)
    return np.ascontiguousarray(flat)


def strict(errors: str, around: dict[str, Any]) -> dict[str, Any]:
    """What NumPy is to do about floating-point errors: raise one where it would say something."""
    now: dict[str, Any] = {**around, **keywords(errors)} if errors != 'all="ignore"' else _SILENT
    return {kind: how if how == "ignore" else "raise" for kind, how in now.items()}


class Tape:
    """Memory for one run, with the calls that fill it: those of a machine in C, if there is one, and NumPy's."""

    def __init__(self, steps: Sequence[Step], size: int, machine: Machine | None = None) -> None:
        self.cells = np.zeros(size)
        widths = [max(1, step.terms) * (step.stop - step.start) for step in steps]
        many = max((len(step.operands) for step in steps), default=0)
        self._scratch = [np.empty(max(widths, default=0)) for _ in range(many)]
        self.sections = [
            (errors, list(self._made(list(block), machine)))
            for errors, block in groupby(steps, key=operator.attrgetter("errors"))
        ]

    def run(self, around: dict[str, Any]) -> None:
        """Make all calls; FloatingPointError where NumPy would have said something."""
        for errors, calls in self.sections:
            with np.errstate(**strict(errors, around)):
                for function, args in calls:
                    function(*args)

    def _made(self, steps: list[Step], machine: Machine | None) -> Iterable[Call]:
        """The calls of steps under one state of errors."""
        at = {} if machine is None else machine.at
        for is_in_c, row in groupby(steps, key=lambda step: step.start in at):
            if machine is not None and is_in_c:
                some = list(row)
                yield machine.run, (self.cells, at[some[0].start], len(some), some[0].errors)
            else:
                for step in row:
                    yield from self._calls(step)

    def _calls(self, step: Step) -> Iterable[Call]:
        """The calls of one step: gathers, and the function."""
        out = self.cells[step.start : step.stop]
        arrays = []
        for operand, scratch in zip(step.operands, self._scratch, strict=False):
            if type(operand) is slice:
                arrays.append(self.cells[operand])
                continue
            room = scratch[: len(operand)]
            yield self.cells.take, (operand, None, room, "clip")
            arrays.append(room)
        ufunc: Any = step.operation.ufunc
        if not step.terms:
            yield step.operation.run, (*arrays, out)
        elif len(out) > 1:
            yield ufunc.reduce, (arrays[0].reshape(step.terms, len(out)), 0, None, out, False, NEUTRAL[ufunc])
        else:
            yield _in_order, (ufunc, arrays[0], out)


def _in_order(ufunc: Any, terms: Array, out: Array) -> None:
    """A row of calls, one after the other; ``reduce`` adds in pairs where the terms lie side by side."""
    out[0] = ufunc.accumulate(terms)[-1]
