"""A region: calls of numbers that are made together, as one function of what they need."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..instruction import READ, Guard, PathError, Value, same
from .agreement import NEUTRAL
from .listing import Listing
from .machine import Machine, machine_for
from .operations import kind_of, restoring
from .products import with_products
from .scheduling import Group, calls_of, depths, groups_of, needs_of, scheduled
from .straight import Straight, as_kind, made_as
from .tape import Layout, Tape, steps_of, where

Array = Any
PAYS = 24
"""Calls in a group, on the average, from which it is faster than one by one."""


class Source(NamedTuple):
    """What a region is given: an array of the numbers in some cells, or one number."""

    value: Value
    cells: list[int]


class Region:
    """A function of its sources, arrays first: an array of numbers that others need, and others one by one.

    ``checks`` are the guards, each with its cell and its value; they raise PathError.
    """

    __name__ = "numbers"

    def __init__(
        self,
        listing: Listing,
        members: Array,
        sources: Sequence[Source],
        checks: Sequence[tuple[Guard, int, Value]],
        together: Sequence[int],
        single: Sequence[Value],
    ) -> None:
        self.listing, self.members, self.sources = listing, members, list(sources)
        self.checks, self.together, self.single = list(checks), list(together), list(single)
        self._given = [cell for source in self.sources for cell in source.cells]
        self._asked = [*self.together, *[cell for _, cell, _ in checks], *[listing.cells[v] for v in self.single]]
        self._numbers = dict(listing.constants)
        """What is constant, by cell; further cells hold what sums and products are made longer with."""
        self._groups = self._grouped()
        self._plan: _Plan | None = None

    @property
    def groups(self) -> int:
        """How many calls of NumPy's there are for all; 0 if they are made one by one."""
        return len(self._groups or ())

    def compile(self, backend: str) -> None:
        """Prepare the calls that are made at once; C makes those that it can make."""
        if self._groups is not None:
            self._plan = self._planned(self._groups, machine_for(backend))

    def __call__(self, *given: Any) -> tuple[Any, ...]:
        if self._plan is not None:
            try:
                return self._at_once(self._plan, given)
            except (ArithmeticError, TypeError, ValueError):  # what NumPy says, and Python, is left to the calls
                pass
        return self._one_by_one(given)

    def _grouped(self) -> list[Group] | None:
        """The calls in groups, if that is faster."""
        listing, count = self.listing, len(self.listing.codes)
        calls = calls_of(listing, self.members, self._asked)
        needs = needs_of(calls, count)
        depth = depths(needs, len(self.members) // max(PAYS, 1) + 1)
        if depth is None:
            return None
        order = scheduled(calls, needs, depth)
        if len(self.members) < PAYS * len(order):
            return None
        running = [code for code, operation in enumerate(listing.operations) if operation.running]
        neutral = {code: count + n for n, code in enumerate(running)}
        self._numbers |= {neutral[code]: NEUTRAL[listing.operations[code].ufunc] for code in running}
        self._numbers[count + len(running)] = 1.0
        return groups_of(calls, order, neutral)

    def _planned(self, groups: list[Group], machine: Any) -> _Plan:
        """The groups on a tape."""
        listing, one = self.listing, max(self._numbers)
        if machine is not None:
            groups = with_products(groups, listing, self._asked, one)
        used = np.zeros(one + 1, bool)
        used[self._asked] = True
        for group in groups:
            used[group.operands.ravel()] = True
        constants = [cell for cell in self._numbers if used[cell]]
        sources = np.array([*self._given, *constants], int)
        layout = Layout(groups, sources, np.array(self.together, int), len(used))
        numbers = np.array([float(self._numbers[cell]) for cell in constants])
        return _Plan(self, layout, steps_of(groups, layout, listing), numbers, machine)

    def _at_once(self, plan: _Plan, given: Sequence[Any]) -> tuple[Any, ...]:
        """The results, group by group."""
        try:
            tape = plan.tapes.pop()
        except IndexError:
            tape = Tape(plan.steps, plan.size, plan.machine)
            tape.cells[len(self._given) : len(self._given) + len(plan.constants)] = plan.constants
        cells, at = tape.cells, 0
        singles: Any = given
        for n, value in enumerate(given):
            if not self.sources[n].value.shape:
                singles = given[n:]
                break
            cells[at : at + len(value)] = value
            at += len(value)
        else:
            singles = ()
        if singles:
            cells[at : at + len(singles)] = np.fromiter(singles, float, len(singles))
        try:
            tape.run(dict(np.geterr()))
            plan.check(cells)
            return plan.results(cells)
        finally:
            plan.tapes.append(tape)

    @functools.cached_property
    def _straight(self) -> Straight:
        return Straight(self.listing, self.members.tolist())

    def _one_by_one(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """The results, call by call, as the function makes them."""
        listing = self.listing
        known: list[Any] = [None] * len(listing.codes)
        for cell, number in listing.constants.items():
            known[cell] = number
        for source, value in zip(self.sources, given, strict=True):
            if source.value.shape:
                for cell, number in zip(source.cells, value, strict=True):
                    known[cell] = as_kind(number, made_as(listing, cell))
            else:
                known[source.cells[0]] = value
        self._straight.run(known)
        for guard, cell, value in self.checks:
            found = READ[guard.read](as_kind(known[cell], kind_of(value)))
            if not same(found, guard.expected):
                raise PathError(guard, found)
        together = [np.array([known[cell] for cell in self.together], float)] if self.together else []
        return (*together, *[as_kind(known[listing.cells[value]], kind_of(value)) for value in self.single])


class _Plan:
    """Where things are on the tape of a region."""

    def __init__(self, region: Region, layout: Layout, steps: Any, constants: Array, machine: Any) -> None:
        listing = region.listing
        self.steps, self.size, self.constants = steps, layout.size, constants
        self.machine = None if machine is None else Machine(steps, machine)
        self.tapes: list[Tape] = []
        place = layout.place
        self._together = where(place[np.array(region.together, int)]) if region.together else None
        self._single = [(int(place[listing.cells[value]]), restoring(kind_of(value))) for value in region.single]
        self._checks = [(guard, int(place[cell]), kind_of(value)) for guard, cell, value in region.checks]
        self._looks = self._planned_checks()

    def _planned_checks(self) -> list[tuple[str, Any, Array, Array]]:
        """The checks, by what is looked at: whether numbers are NaN, true, or what they were; others alone."""
        plans: dict[str, list[int]] = {}
        self._others = []
        for n, (guard, _, _) in enumerate(self._checks):
            how = "same" if guard.read in ("float", "item", "value") else guard.read
            if how in ("same", "bool") or (how == "NaN" and not guard.expected):
                plans.setdefault(how, []).append(n)
            else:
                self._others.append(n)
        found = []
        for how, numbers in plans.items():
            at = where(np.array([self._checks[n][1] for n in numbers]))
            expected = np.array([float(self._checks[n][0].expected) for n in numbers])
            found.append((how, at, expected, np.array(numbers)))
        return found

    def check(self, cells: Array) -> None:
        """Raise PathError if a check fails, for the first that does."""
        failed: list[int] = []
        for how, at, expected, numbers in self._looks:
            now = cells[at]
            if how == "NaN":
                bad = now != now
            elif how == "bool":
                bad = (now != 0.0) != expected
            else:
                bad = (now.view(np.int64) != expected.view(np.int64)) & ((now == now) | (expected == expected))
            if bad.any():
                failed.append(int(numbers[bad.argmax()]))
        for n in self._others:
            guard, at, kind = self._checks[n]
            if not same(READ[guard.read](as_kind(cells[at], kind)), guard.expected):
                failed.append(n)
                break
        if failed:
            guard, at, kind = self._checks[min(failed)]
            raise PathError(guard, READ[guard.read](as_kind(cells[at], kind)))

    def results(self, cells: Array) -> tuple[Any, ...]:
        """What the region gives."""
        single = [restored(cells[at : at + 1])[0] for at, restored in self._single]
        return tuple(single) if self._together is None else (np.array(cells[self._together]), *single)
