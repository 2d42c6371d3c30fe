"""Sets of inputs, each known by a number, its label: unions of many at once, by products of sparse matrices.

A value of a program is an array of labels: for each of its elements, the set of inputs on which it depends.  What moves
elements moves labels.  Equal sets have one label, so a program of a hundred calls makes few sets.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

Labels = Any
"""An array of integers."""

CHUNK = 1 << 24
"""So many entries are united at once."""

MOST = 300_000_000
"""So many entries are too many: what has them is no sparse matrix."""


class DenseError(Exception):
    """The sets take more memory than their purpose is worth."""


class Sets:
    """The sets of ``size`` inputs: set 0 is empty, and set ``1 + i`` is ``{i}``."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self._ends = np.concatenate([[0], np.arange(size + 1)])
        self._members = np.arange(size, dtype=np.int32)
        self._count, self._used = size + 1, size
        self._keys = np.random.default_rng(seed).integers(1, 2**63, size=max(size, 1), dtype=np.uint64)
        self._known: dict[int, int] = dict(zip(self._keys[:size].tolist(), range(1, size + 1), strict=True))

    def inputs(self, start: int, shape: tuple[int, ...]) -> Labels:
        """The labels of inputs themselves, numbered from ``start``."""
        return np.arange(start + 1, start + 1 + int(np.prod(shape, dtype=int))).reshape(shape)

    def table(self, labels: Labels) -> Any:
        """The sets of these labels as the rows of a sparse matrix of booleans."""
        labels = np.ravel(labels)
        lengths = self._lengths(labels)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(ends[-1]) + np.repeat(self._ends[labels] - ends[:-1], lengths)
        return self._matrix(self._members[places], ends)

    def either(self, a: Labels, b: Labels) -> Labels:
        """The union of two sets, element by element, by NumPy's rules of broadcasting."""
        if a is b:
            return a
        a, b = np.broadcast_arrays(a, b)
        low, high = (
            np.minimum(a, b),
            np.asarray(np.maximum(a, b)),
        )  # right if one is empty, and if both are the same
        unknown = (low != high) & (low != 0)
        if not unknown.any():
            return high
        pairs, place = np.unique(low[unknown] * self._count + high[unknown], return_inverse=True)
        first, second = np.divmod(pairs, self._count)
        united = np.empty(len(pairs), np.intp)
        for part in _parts(self._lengths(first) + self._lengths(second)):
            united[part] = self._labels(self.table(first[part]) + self.table(second[part]))
        high[unknown] = united[place]
        return high

    def along(self, labels: Labels, axes: tuple[int, ...], keepdims: bool = False) -> Labels:
        """The union along axes."""
        labels = np.asarray(labels)
        axes = tuple(axis % labels.ndim for axis in axes)
        kept = tuple(axis for axis in range(labels.ndim) if axis not in axes)
        moved = np.transpose(labels, (*kept, *axes))
        groups = moved.reshape(-1, int(np.prod([labels.shape[a] for a in axes], dtype=int)) if moved.size else 0)
        count = int(np.prod([labels.shape[a] for a in kept], dtype=int))
        united = self._rows(groups) if moved.size else np.zeros(count, np.intp)
        shape = [1 if a in axes else n for a, n in enumerate(labels.shape) if keepdims or a not in axes]
        return united.reshape(shape)

    def all_of(self, *labels: Labels) -> int:
        """The union of all elements of some arrays."""
        found = np.unique(np.concatenate([np.ravel(one) for one in labels])) if labels else np.zeros(1, np.intp)
        return int(self._rows(found[None])[0]) if found.size else 0

    def grouped(self, place: Labels, labels: Labels, count: int) -> Labels:
        """For each of ``count`` places, the union of the sets that go there."""
        place, labels = np.ravel(place), np.ravel(labels)
        kept = labels != 0
        place, labels = place[kept], labels[kept]
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(count + 1))
        return self._united(labels[order], ends)

    def _rows(self, groups: Labels) -> Labels:
        """The union of each row."""
        if not groups.shape[1]:
            return np.zeros(len(groups), np.intp)
        high = groups.max(axis=1)
        low = np.where(groups == 0, high[:, None], groups).min(axis=1)
        unknown = np.flatnonzero(low != high)
        if unknown.size:
            ends = np.arange(len(unknown) + 1) * groups.shape[1]
            high[unknown] = self._united(np.ravel(groups[unknown]), ends)
        return high

    def _united(self, labels: Labels, ends: Any) -> Labels:
        """The union of each group of labels that lie one after the other."""
        united = np.empty(len(ends) - 1, np.intp)
        weights = np.concatenate([[0], np.cumsum(self._lengths(labels))])[ends]
        for part in _parts(np.diff(weights)):
            inside = labels[ends[part.start] : ends[part.stop]]
            different, place = np.unique(inside, return_inverse=True)
            groups = _booleans(place, ends[part.start : part.stop + 1] - ends[part.start], len(different))
            united[part] = self._labels(groups @ self.table(different))
        return united

    def _lengths(self, labels: Labels) -> Any:
        return self._ends[labels + 1] - self._ends[labels]

    def _matrix(self, members: Any, ends: Any) -> Any:
        return _booleans(members, ends, self.size)

    def _labels(self, table: Any) -> Labels:
        """The labels of the rows of a matrix; of those that are new, new labels."""
        table.sum_duplicates()
        members, ends = table.indices, table.indptr
        lengths = np.diff(ends)
        filled = np.flatnonzero(lengths)
        names = np.zeros(len(lengths), np.uint64)
        if filled.size:
            names[filled] = np.add.reduceat(self._keys[members], ends[filled])
        different, first, place = np.unique(names, return_index=True, return_inverse=True)
        known = self._known
        labels = [known.get(name, -1) if name else 0 for name in different.tolist()]
        new = [k for k, label in enumerate(labels) if label < 0]
        if new:
            self._add([(members[ends[i] : ends[i + 1]]) for i in first[new].tolist()])
            for label, k in enumerate(new, self._count - len(new)):
                labels[k] = known[int(different[k])] = label
        return np.array(labels, np.intp)[place]

    def _add(self, sets: list[Any]) -> None:
        """Append sets to the table, which grows by doubling."""
        members = np.concatenate(sets)
        if self._used + len(members) > MOST:
            raise DenseError(f"the elements depend on more than {MOST:,} inputs in all, counted for each of them")
        ends = self._used + np.cumsum([len(one) for one in sets])
        self._members = _room(self._members, self._used, len(members))
        self._ends = _room(self._ends, self._count + 1, len(ends))
        self._members[self._used : self._used + len(members)] = members
        self._ends[self._count + 1 : self._count + 1 + len(ends)] = ends
        self._used += len(members)
        self._count += len(ends)


def _booleans(places: Any, ends: Any, width: int) -> Any:
    return sparse.csr_array((np.ones(len(places), bool), places, ends), shape=(len(ends) - 1, width))


def _room(array: Any, used: int, more: int) -> Any:
    """The array, with room for so many more elements."""
    if used + more <= len(array):
        return array
    larger = np.empty(2 * (used + more), array.dtype)
    larger[:used] = array[:used]
    return larger


def _parts(weights: Any) -> list[slice]:
    """Slices of consecutive items, each of about ``CHUNK`` at most by the sum of their weights."""
    if not len(weights):
        return []
    total = np.cumsum(weights)
    if total[-1] <= CHUNK:
        return [slice(0, len(weights))]
    cuts = np.unique(np.searchsorted(total, np.arange(CHUNK, total[-1], CHUNK)) + 1)
    bounds = [0, *[int(c) for c in cuts if c < len(weights)], len(weights)]
    return [slice(a, b) for a, b in pairwise(bounds)]
