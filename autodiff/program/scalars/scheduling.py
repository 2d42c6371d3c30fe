"""The order of the calls of numbers: those of one kind that are ready at one time are made together.

A sum of many terms, one after the other, is one call of as many operands; it is added in its order, so no bit changes.
So is the largest of many numbers.
At each time one kind of call is chosen: the one whose calls are, on the average, the earliest ones; of those under one
``np.errstate`` as long as there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .listing import Listing

Array = Any
LONGEST = 4096
"""Terms of a sum that are added by one call."""


class Group(NamedTuple):
    """Calls of one kind that are made together: ``operands`` has a row for each operand, a column for each call."""

    code: int
    errors: int
    cells: Array
    operands: Array
    products: bool = False
    """Whether the terms of a sum are products: the rows of ``operands`` are the first factors, then the second ones."""


class Calls(NamedTuple):
    """Calls that wait for their turn: cell, kind, and operands, which begin at ``start`` in ``parts``."""

    cells: Array
    kinds: Array
    start: Array
    parts: Array
    named: list[tuple[int, int, int]]
    """Of a kind: the operation, the state of errors, and the number of operands: of a sum a few more than there are."""


def calls_of(listing: Listing, members: Array, asked: Iterable[int]) -> Calls:
    """The calls of a region, where a row of calls is one of several operands; ``asked`` are cells that others need."""
    codes, errors, first, second = listing.table[:, members]
    third = np.full(len(members), -1)
    for n in np.flatnonzero(np.isin(members, list(listing.third))).tolist():
        third[n] = listing.third[int(members[n])]
    running = np.full(len(listing.operations) + 1, -1)
    for code, operation in reversed(list(enumerate(listing.operations))):
        if operation.running:
            same = [c for c, o in enumerate(listing.operations) if o.running and o.ufunc is operation.ufunc]
            running[same] = code
    codes = np.where(running[codes] >= 0, running[codes], codes)
    before, nth = _rows(members, codes, errors, first, (second, third), running[codes] >= 0, asked, len(listing.codes))
    # the last call of a row stands for all of it
    ends = np.ones(len(members), bool)
    ends[before[before >= 0]] = False
    sizes = np.where(third >= 0, 3, np.where(second >= 0, 2, 1)) + nth
    start = np.zeros(int(ends.sum()) + 1, int)
    np.cumsum(sizes[ends], out=start[1:])
    at = np.full(len(members), -1)
    at[ends] = start[:-1]
    at = at[_last(before)]
    parts = np.empty(start[-1], int)
    begins = before < 0
    parts[at[begins]] = first[begins]
    takes = second >= 0
    parts[(at + 1 + nth)[takes]] = second[takes]
    parts[(at + 2)[third >= 0]] = third[third >= 0]
    states, lengths = len(listing.states), _rounded(sizes[ends])
    longest = int(lengths.max(initial=0)) + 1
    keys = (codes[ends] * states + errors[ends]) * longest + lengths
    names = np.flatnonzero(np.bincount(keys))
    number = np.zeros(int(names.max(initial=0)) + 1, int)
    number[names] = np.arange(len(names))
    named = [(*divmod(name // longest, states), name % longest) for name in names.tolist()]
    return Calls(members[ends], number[keys], start, parts, named)


def _rows(
    members: Array, codes: Array, errors: Array, first: Array, others: Sequence[Array], running: Array,
    asked: Iterable[int], cells: int,
) -> tuple[Array, Array]:  # fmt: skip
    """For each call: the position of the one before it in its row, -1 for none, and how many there are before it."""
    uses = np.bincount(first, minlength=cells)
    for other in others:
        uses += np.bincount(other[other >= 0], minlength=cells)
    np.add.at(uses, np.array(list(asked), int), 1)
    position = np.full(cells, -1)
    position[members] = np.arange(len(members))
    before = np.where(running, position[first], -1)  # the result so far is the first operand
    there = before >= 0
    there &= (uses[first] == 1) & (codes[before] == codes) & (errors[before] == errors)
    before = np.where(there, before, -1)
    nth = _counted(before)
    cut = (nth > 0) & (nth % LONGEST == 0)
    if cut.any():
        before = np.where(cut, -1, before)
        nth %= LONGEST
    return before, nth


def _counted(before: Array) -> Array:
    """How many steps back there are from each place: twice as far in each round."""
    steps = (before >= 0).astype(int)
    while (before >= 0).any():
        steps += np.where(before >= 0, steps[before], 0)
        before = np.where(before >= 0, before[before], -1)
    return steps


def _last(before: Array) -> Array:
    """For each place, the last one of its row."""
    after = np.arange(len(before))
    after[before[before >= 0]] = np.flatnonzero(before >= 0)
    while True:
        further = after[after]
        if np.array_equal(further, after):
            return after
        after = further


def _rounded(length: Array) -> Array:
    """The lengths of rows, a little longer, so that there are not too many of them."""
    step = 1 << np.maximum(np.frexp(length)[1] - 3, 0)
    return -(-length // step) * step


class Needs(NamedTuple):
    """Which calls need which: those at ``first[n]`` to ``first[n + 1]`` in ``users`` need call ``n``."""

    users: Array
    first: Array
    missing: Array
    """Of each call, how many others it needs."""

    def of(self, group: Array) -> Array:
        """The calls that need some others, once for each time."""
        begins = self.first[group]
        sizes = self.first[group + 1] - begins
        return self.users[np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())]


def needs_of(calls: Calls, cells: int) -> Needs:
    """Which calls need which."""
    count = len(calls.cells)
    position = np.full(cells, -1)
    position[calls.cells] = np.arange(count)
    users = np.repeat(np.arange(count), np.diff(calls.start))
    producers = position[calls.parts]
    inner = producers >= 0
    producers, users = producers[inner], users[inner]
    order = np.argsort(producers, kind="stable")
    first = np.searchsorted(producers[order], np.arange(count + 1))
    return Needs(users[order], first, np.bincount(users, minlength=count))


def depths(needs: Needs, most: int) -> Array | None:
    """For each call, how many others there are before it on the longest way; None if there are ``most`` somewhere."""
    depth = np.zeros(len(needs.missing), int)
    missing = needs.missing.copy()
    ready = np.flatnonzero(missing == 0)
    for wave in range(most):
        depth[ready] = wave
        reached, times = np.unique(needs.of(ready), return_counts=True)
        missing[reached] -= times
        ready = reached[missing[reached] == 0]
        if not len(ready):
            return depth
    return None


def scheduled(calls: Calls, needs: Needs, depth: Array) -> list[Array]:
    """The calls, as positions in ``calls``, group by group."""
    many = len(calls.named)
    missing = needs.missing.copy()
    left = np.bincount(calls.kinds, minlength=many).astype(float)
    total = np.bincount(calls.kinds, weights=depth, minlength=many)
    ready: dict[int, list[Array]] = {}
    _file(np.flatnonzero(missing == 0), calls.kinds, ready)
    found = []
    now = -1
    while ready:
        kind = _chosen(ready, calls, now, total / np.maximum(left, 1))
        waiting = ready.pop(kind)
        group = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
        now = calls.named[kind][1]
        found.append(group)
        left[kind] -= len(group)
        total[kind] -= depth[group].sum()
        reached, times = np.unique(needs.of(group), return_counts=True)
        missing[reached] -= times
        _file(reached[missing[reached] == 0], calls.kinds, ready)
    return found


def _chosen(ready: Iterable[int], calls: Calls, now: int, average: Array) -> int:
    """The kind of call that comes next."""
    return min(ready, key=lambda kind: (calls.named[kind][1] != now, average[kind]))


def _file(calls: Array, kinds: Array, ready: dict[int, list[Array]]) -> None:
    """Put calls that are ready to the others of their kind."""
    if not len(calls):
        return
    of = kinds[calls]
    order = np.argsort(of, kind="stable")
    calls, of = calls[order], of[order]
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    for start, part in zip(starts.tolist(), np.split(calls, starts[1:].tolist()), strict=True):
        ready.setdefault(int(of[start]), []).append(part)


def groups_of(calls: Calls, order: list[Array], neutral: dict[int, int]) -> list[Group]:
    """The groups with their operands; ``neutral`` are the cells of what rows of calls are made longer with, by code."""
    found = []
    for members in order:
        code, errors, length = calls.named[int(calls.kinds[members[0]])]
        begins = calls.start[members]
        sizes = calls.start[members + 1] - begins
        rows = np.arange(length)[:, None]
        operands = calls.parts[np.minimum(begins + rows, len(calls.parts) - 1)]
        if int(sizes.min()) < length:
            operands = np.where(rows < sizes, operands, neutral[code])
        found.append(Group(code, errors, calls.cells[members], operands))
    return found
