"""Repetitions in a picture, folded into groups that are drawn once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .model import COMPOSITE, OPERATION, SPAN, Box, Group, Picture

LONGEST_PERIOD = 48
WORTH = 5
"""A repeat of single operations is folded if so many boxes at least disappear."""
QUIET = ("dead", "vanishing", "exploding")
"""A box in one of these states is folded among others that are not: it is said how many there are."""
Child = tuple[str, int]


class Signatures:
    """A number for every box and every group; equal numbers mean equal contents, apart from names and connections."""

    def __init__(self, picture: Picture) -> None:
        self._table: dict[object, int] = {}
        # an option such as axis=0 matters for what repeats, a constant's value does not
        self.boxes = [
            self._number((b.kind, _what(b), str(b.shape), b.dtype, len(b.parents), "" if b.state in QUIET else b.state))
            for b in picture.boxes
        ]
        self.groups: dict[int, int] = {}
        for g in reversed(picture.preorder()):
            self.note(picture, g)

    def _number(self, key: object) -> int:
        return self._table.setdefault(key, len(self._table))

    def of(self, child: Child) -> int:
        """The number of a child of a group."""
        what, i = child
        return 2 * self.boxes[i] if what == "box" else 2 * self.groups[i] + 1

    def note(self, picture: Picture, g: int) -> None:
        """Number a group whose children have numbers, and the blocks of a repeat before it."""
        group = picture.groups[g]
        if group.kind == "repeat":
            for _, block in group.children:
                if block not in self.groups:
                    self.note(picture, block)
        inside = tuple(map(self.of, group.children))
        self.groups[g] = self._number(
            (group.kind, group.type, group.name if group.kind in ("function", COMPOSITE) else "", inside)
        )


def _what(box: Box) -> str:
    return box.label if "=" in box.label else box.operation


def alike(picture: Picture, first: list[int], other: list[int]) -> bool:
    """Whether two blocks with equal signatures are also connected inside in the same way."""
    if len(first) != len(other):
        return False
    place_a = {b: i for i, b in enumerate(first)}
    place_b = {b: i for i, b in enumerate(other)}
    boxes = picture.boxes
    return all(
        [place_a.get(p, -1) for p in boxes[a].parents] == [place_b.get(p, -1) for p in boxes[b].parents]
        for a, b in zip(first, other, strict=True)
    )


def runs(numbers: list[int], least: int, longest: int = LONGEST_PERIOD) -> list[tuple[int, int, int]]:
    """The repetitions ``(start, period, count)`` in a sequence, from left to right, without overlaps.

    >>> runs([7, 1, 2, 1, 2, 1, 2, 9], 3)
    [(1, 2, 3)]
    """
    n = len(numbers)
    values = np.asarray(numbers)
    best_cover = np.zeros(n, dtype=np.int64)
    best_period = np.zeros(n, dtype=np.int64)
    for period in range(1, min(longest, n // least) + 1):
        equal = values[:-period] == values[period:]
        ends = np.where(equal, n, np.arange(n - period))  # the next place where the sequence and its shift differ
        length = np.minimum.accumulate(np.append(ends, n - period)[::-1])[::-1][:-1] - np.arange(n - period)
        count = length // period + 1
        cover = np.where(count >= least, count * period, 0)
        better = cover > best_cover[: n - period]
        best_cover[: n - period][better] = cover[better]
        best_period[: n - period][better] = period
    found: list[tuple[int, int, int]] = []
    i = 0
    starts = np.flatnonzero(best_cover)
    while True:
        k = int(np.searchsorted(starts, i))
        if k == len(starts):
            return found
        i = int(starts[k])
        found.append((i, int(best_period[i]), int(best_cover[i] // best_period[i])))
        i += int(best_cover[i])


def fold_repeats(picture: Picture, least: int = 3) -> None:
    """Fold equal neighbours, or equal sequences of neighbours, into one group that is drawn once, "× n".

    They must follow each other, or have the same operations before and after them.  Three equal layers for queries,
    keys and values are not folded.
    """
    signatures = Signatures(picture)
    users: list[list[int]] = [[] for _ in picture.boxes]
    for i, box in enumerate(picture.boxes):
        for p in box.parents:
            users[p].append(i)
    for g in picture.preorder():
        children = picture.groups[g].children
        if len(children) < least:
            continue
        found = runs([signatures.of(child) for child in children], least)
        fold = partial(_folded, picture, users, g, least=least)
        picture.groups[g].children = with_runs_folded(children, found, fold)
    picture.total()


def with_runs_folded(
    children: list[Child], found: list[tuple[int, int, int]], fold: Callable[[list[list[Child]]], list[Child]]
) -> list[Child]:
    """The children of a group, with what ``fold`` makes of the equal blocks of each run in their place."""
    result: list[Child] = []
    done = 0
    for start, period, count in found:
        result.extend(children[done:start])
        result.extend(fold([children[start + k * period : start + (k + 1) * period] for k in range(count)]))
        done = start + period * count
    return [*result, *children[done:]]


def _link(picture: Picture, users: list[list[int]], first: list[int], other: list[int]) -> str:
    """The relation of two blocks: "chain" if one uses the other, "fan" if they have the same neighbours, or ""."""
    boxes = picture.boxes
    a, b = set(first), set(other)
    if any(p in a for i in other for p in boxes[i].parents):
        return "chain"
    sources = [
        {p for i in block for p in boxes[i].parents if p not in block and boxes[p].kind == OPERATION}
        for block in (a, b)
    ]
    ends = [{u for i in block for u in users[i] if u not in block} for block in (a, b)]
    return "fan" if sources[0] == sources[1] and ends[0] == ends[1] else ""


def _folded(picture: Picture, users: list[list[int]], g: int, blocks: list[list[Child]], least: int) -> list[Child]:
    """Blocks with equal signatures as groups, a new one whenever the connections inside change."""
    result: list[Child] = []
    members = [[b for child in block for b in picture.members(child)] for block in blocks]
    links = [_link(picture, users, members[k], members[k + 1]) for k in range(len(blocks) - 1)]
    start = 0
    while start < len(blocks):
        if not any(picture.boxes[b].kind == OPERATION for b in members[start]):
            result.extend(blocks[start])
            start += 1
            continue
        end = start + 1
        while (
            end < len(blocks)
            and links[end - 1] == (links[start] or "none")
            and alike(picture, members[start], members[end])
        ):
            end += 1
        plain = all(what == "box" for what, _ in blocks[start])
        if end - start < least or (plain and (end - start - 1) * len(blocks[start]) < WORTH):
            for block in blocks[start:end]:
                result.extend(block)
        else:
            result.append(repeat_of(picture, g, blocks[start:end]))
        start = end
    return result


def repeat_of(picture: Picture, g: int, blocks: list[list[Child]]) -> Child:
    """One group of the kind "repeat" around equal blocks."""
    groups = picture.groups
    repeat = len(groups)
    first, last = blocks[0], blocks[-1]
    groups.append(Group("repeat", _span(picture, first, last), "", g, copies=len(blocks)))
    for block in blocks:
        if len(block) == 1 and block[0][0] == "group":
            inner = block[0][1]
        else:
            inner = len(groups)
            groups.append(Group("block", "", "", repeat, list(block)))
            for what, i in block:
                if what == "group":
                    groups[i].parent = inner
                else:
                    picture.boxes[i].group = inner
        groups[inner].parent = repeat
        groups[repeat].children.append(("group", inner))
    return "group", repeat


def _span(picture: Picture, first: list[Child], last: list[Child]) -> str:
    """A name for a repeat: "layers.0 … layers.23: Block", or the operations of one block."""
    named = [
        (picture.groups[i], picture.groups[j])
        for (what, i), (_, j) in zip(first, last, strict=True)
        if what == "group" and picture.groups[i].name and picture.groups[i].kind != "repeat"
    ]
    if len(named) == 1 and named[0][0].type:
        a, b = named[0]
        others = len(first) - 1
        path = a.name if a.name == b.name else f"{a.name}{SPAN}{b.name}"
        return f"{path}: {a.type}" + (f" and {others} more" if others else "")
    titles = [picture.boxes[i].operation if what == "box" else picture.groups[i].title for what, i in first]
    titles = [title for title in titles if title]
    return " → ".join(titles[:4]) + (" → …" if len(titles) > 4 else "")
