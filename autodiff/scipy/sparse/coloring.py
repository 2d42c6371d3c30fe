"""Colours of columns and rows: those of one colour are computed together, since no entry belongs to two of them.

The source is A. H. Gebremedhin, F. Manne and A. Pothen, What color is your Jacobian? Graph coloring for computing
derivatives, SIAM Review 47 (2005): distance-2 colouring for Jacobians, largest first; two-sided colouring where a few
rows or columns are dense; a symmetric colouring with direct recovery for Hessians.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Pattern = Any
"""A sparse array of booleans, by rows."""

Colors = Any
"""For each column or row its colour, -1 for one that is not computed."""


class Coloring(NamedTuple):
    """What is computed: products with sums of columns, and products with sums of rows.

    ``transposed`` says which entries (in the order of the pattern) are found at the place of the symmetric one.
    """

    columns: Colors
    rows: Colors
    by_row: Any
    """Which entries are computed with their row."""
    transposed: Any = None

    @property
    def counts(self) -> tuple[int, int]:
        """How many products there are with columns, and with rows."""
        return int(self.columns.max(initial=-1)) + 1, int(self.rows.max(initial=-1)) + 1


def greedy(pattern: Pattern, chosen: Any = None) -> Colors:
    """Colours of the columns, so that no row has two columns of one colour; the columns with most neighbours first.

    ``chosen`` is a mask of the columns that get one.  Each row keeps the colours in it as the bits of an integer, so
    this takes time in proportion to the number of entries.
    """
    pattern = _different_rows(pattern)
    lengths = np.diff(pattern.indptr)
    by_column = pattern.tocsc()
    neighbours = np.bincount(
        np.repeat(np.arange(by_column.shape[1]), np.diff(by_column.indptr)),
        weights=lengths[by_column.indices], minlength=by_column.shape[1],
    )  # fmt: skip
    order = np.argsort(-neighbours, kind="stable")
    if chosen is not None:
        order = order[chosen[order]]
    rows, ends = by_column.indices.tolist(), by_column.indptr.tolist()
    taken = [0] * by_column.shape[0]
    colors = np.full(by_column.shape[1], -1)
    for j in order.tolist():
        here = rows[ends[j] : ends[j + 1]]
        used = 0
        for i in here:
            used |= taken[i]
        bit = ~used & (used + 1)  # the lowest that is free
        for i in here:
            taken[i] |= bit
        colors[j] = bit.bit_length() - 1
    return colors


def _different_rows(pattern: Pattern) -> Pattern:
    """The pattern with one of each kind of row."""
    keys = np.random.default_rng(0).integers(1, 2**63, size=pattern.shape[1], dtype=np.uint64)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(keys[pattern.indices], dtype=np.uint64)])
    names = total[pattern.indptr[1:]] - total[pattern.indptr[:-1]]
    _, first = np.unique(names, return_index=True)
    return pattern[np.sort(first)]


def colored(pattern: Pattern, mode: str) -> Coloring:
    """The colouring of a Jacobian with the fewest products; of one kind for the modes "forward" and "reverse"."""
    if mode == "auto":
        candidates = [_forward(pattern), _turned(_forward(pattern.T.tocsr()), pattern)]
        return min(candidates, key=lambda one: (sum(one.counts), one.counts[1]))
    if mode == "forward":
        return _of_columns(pattern)
    return _turned(_of_columns(pattern.T.tocsr()), pattern)


def _of_columns(pattern: Pattern) -> Coloring:
    return Coloring(greedy(pattern), np.full(pattern.shape[0], -1), np.zeros(pattern.nnz, bool))


def _forward(pattern: Pattern) -> Coloring:
    """Columns, and rows for those that have most entries if that is less work."""
    lengths = np.diff(pattern.indptr)
    decreasing = np.append(np.sort(lengths)[::-1], 0)
    work = decreasing + np.arange(len(decreasing))
    most = int(np.argmin(work))
    if work[most] + 2 >= decreasing[0]:
        return _of_columns(pattern)
    dense = np.zeros(len(lengths), bool)
    dense[np.argsort(-lengths, kind="stable")[:most]] = True
    rest = pattern[np.flatnonzero(~dense)]
    rows = greedy(pattern.T.tocsr(), dense)
    return Coloring(
        greedy(rest, np.bincount(rest.indices, minlength=pattern.shape[1]) > 0), rows, np.repeat(dense, lengths)
    )


def _turned(other: Coloring, pattern: Pattern) -> Coloring:
    """The colouring of the transpose, for the pattern itself."""
    by_row = np.ones(pattern.nnz, bool)
    if other.by_row.any():
        by_row = other.rows[pattern.indices] < 0
    return Coloring(other.rows, other.columns, by_row)


def symmetric(pattern: Pattern) -> Coloring:
    """The colouring of a Hessian: an entry (i, j) may be read in row i at the colour of j, or in row j at that of i.

    Columns with many entries, the hubs, get colours of their own.  The others may then share a colour even if they
    meet in the row of a hub, because that entry is read in their own row.
    """
    size = pattern.shape[0]
    lengths = np.diff(pattern.indptr)
    order = np.argsort(-lengths, kind="stable")
    rows = np.repeat(np.arange(size), lengths)
    best, hubs = int(lengths.max(initial=0)), np.zeros(size, bool)
    count = 1
    while count <= size // 4:
        candidate = np.zeros(size, bool)
        candidate[order[:count]] = True
        inside = ~candidate[rows] & ~candidate[pattern.indices]
        work = count + int(np.bincount(rows[inside], minlength=size).max(initial=0))
        if work < best:
            best, hubs = work, candidate
        count *= 2
    colors = greedy(pattern[np.flatnonzero(~hubs)], ~hubs)
    if hubs.any():
        colors[hubs] = greedy(pattern, hubs)[hubs] + colors.max(initial=-1) + 1
    transposed = hubs[rows] & ~hubs[pattern.indices]
    none = np.full(size, -1)
    return Coloring(none, colors, np.ones(pattern.nnz, bool), transposed)
