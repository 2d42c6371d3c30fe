"""The order of the calls of numbers: those of one kind that are ready at one time are made together.

A sum of many terms, one after the other, is one call of as many operands; it is added in its order, so no bit changes.
So is the largest of many numbers.
At each time one kind of call is chosen: the one whose calls are, on the average, the earliest ones; of those under one
``np.errstate`` as long as there are any.
"""

from __future__ import annotations

from collections.abc import Iterable
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


class Calls(NamedTuple):
    """Calls that wait for their turn: cell, kind, and operands, which begin at ``start`` in ``parts``."""

    cells: Array
    kinds: Array
    start: Array
    parts: Array
    named: list[tuple[int, int, int]]
    """Of a kind: the operation, the state of errors, and the number of operands: of a sum a few more than there are."""


def calls_of(listing: Listing, members: list[int], asked: Iterable[int]) -> Calls:
    """The calls of a region, where a row of calls is one of several operands; ``asked`` are cells that others need."""
    codes, errors, operands, operations = listing.codes, listing.errors, listing.operands, listing.operations
    first = {operation.ufunc: code for code, operation in reversed(list(enumerate(operations))) if operation.running}
    running = {code: first[operation.ufunc] for code, operation in enumerate(operations) if operation.running}
    rows = _rows(listing, members, running, asked)
    kinds: dict[tuple[int, int, int], int] = {}
    kept, kind_of, starts = [], [], []
    parts: list[int] = []
    for cell in members:
        code = codes[cell]
        found: Any = operands[cell]
        if code in running:
            found = rows.get(cell)
            if found is None:
                continue
            code = running[code]
        key = (code, errors[cell], _rounded(len(found)))
        kept.append(cell)
        kind_of.append(kinds.setdefault(key, len(kinds)))
        starts.append(len(parts))
        parts += found
    starts.append(len(parts))
    return Calls(np.array(kept), np.array(kind_of), np.array(starts), np.array(parts), list(kinds))


def _rows(listing: Listing, members: list[int], running: dict[int, int], asked: Iterable[int]) -> dict[int, list[int]]:
    """The operands of each call on a result so far, by the cell of the last one: the result so far comes first."""
    codes, errors, operands = listing.codes, listing.errors, listing.operands
    uses = [0] * len(codes)
    for cell in asked:
        uses[cell] = 2
    for cell in members:
        for part in operands[cell]:
            uses[part] += 1
    rows: dict[int, list[int]] = {}
    for cell in members:
        code = running.get(codes[cell])
        if code is None:
            continue
        before, term = operands[cell]
        row = rows.get(before)
        if (
            row is not None and uses[before] == 1 and errors[before] == errors[cell] and len(row) < LONGEST
            and running[codes[before]] == code
        ):  # fmt: skip
            del rows[before]
            row.append(term)
            rows[cell] = row
        else:
            rows[cell] = [before, term]
    return rows


def _rounded(length: int) -> int:
    """The length of a sum, a little longer, so that there are not too many of them."""
    if length <= 4:
        return length
    step = 1 << (length.bit_length() - 3)
    return -(-length // step) * step


def depths(calls: Calls, cells: int) -> Array:
    """For each call, how many others there are before it on the longest way."""
    depth = [0] * cells
    parts, starts = calls.parts.tolist(), calls.start.tolist()
    found = []
    for n, cell in enumerate(calls.cells.tolist()):
        mine = max([depth[part] for part in parts[starts[n] : starts[n + 1]]]) + 1
        depth[cell] = mine
        found.append(mine)
    return np.array(found)


def scheduled(calls: Calls, cells: int, depth: Array) -> list[Array]:
    """The calls, as positions in ``calls``, group by group."""
    count = len(calls.cells)
    position = np.full(cells, -1)
    position[calls.cells] = np.arange(count)
    lengths = np.diff(calls.start)
    users = np.repeat(np.arange(count), lengths)
    producers = position[calls.parts]
    inner = producers >= 0
    producers, users = producers[inner], users[inner]
    missing = np.bincount(users, minlength=count)
    order = np.argsort(producers, kind="stable")
    users = users[order]
    first = np.searchsorted(producers[order], np.arange(count + 1))
    many = len(calls.named)
    left = np.bincount(calls.kinds, minlength=many).astype(float)
    total = np.bincount(calls.kinds, weights=depth, minlength=many)
    ready: dict[int, list[Array]] = {}
    _file(np.flatnonzero(missing == 0), calls.kinds, ready)
    found = []
    now = -1
    while ready:
        kind = min(ready, key=lambda k: (calls.named[k][1] != now, total[k] / left[k]))
        waiting = ready.pop(kind)
        group = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
        now = calls.named[kind][1]
        found.append(group)
        left[kind] -= len(group)
        total[kind] -= depth[group].sum()
        begins, ends = first[group], first[group + 1]
        sizes = ends - begins
        edges = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        reached = users[edges]
        if len(reached) * 20 > count:
            missing -= np.bincount(reached, minlength=count)
            reached = np.unique(reached)
        else:
            reached, times = np.unique(reached, return_counts=True)
            missing[reached] -= times
        _file(reached[missing[reached] == 0], calls.kinds, ready)
    return found


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
