"""The values of a function along a line; for each step the slopes to both sides, and their noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..thresholds import AGREE, EPSILON, QUANTUM
from ..vectors import norm, norms

Array = Any

CHUNK = 2**17
"""How many numbers are worked on at a time."""


class Row(NamedTuple):
    """The results of one step: slopes to both sides, their noise, and the range of the slopes of the outputs."""

    step: float
    left: float
    right: float
    central: float
    noise: float
    low: float
    high: float
    moved: int  # how many outputs changed at all
    inside: float = 0.0  # what rounding inside of the function does to the slopes, where that is known


class Line:
    """The values of a function along a line.  A row is computed once, when it is asked for."""

    def __init__(self, move: Callable[[Array], tuple[Array, Array]], weights: Array, base: Array, inner: float) -> None:
        self.move = move  # steps t -> (F at each x + t u, how far rounding each x + t u may have moved phi)
        self.weights = weights
        self.base = base
        self.inner = inner  # the size of the terms that may cancel inside of the function
        self.reach = np.inf  # the largest change of an argument at a step of 1
        self.inside = 0.0  # how far rounding inside of the function moves phi, where that is known
        self.rows: dict[int, Row | None] = {}
        self.changes: dict[int, Array] = {}  # how far each output moved, at each step
        self.slopes: Array | None = None  # of every output by itself, at the first finite step that was measured
        self._table: list[Row] | None = None

    def measure(self, steps: Iterable[int]) -> list[Row | None]:
        """The rows of the steps 2^-k; None for one at which the function is not finite on both sides."""
        steps = tuple(steps)
        new = [k for k in steps if k not in self.rows]
        together = max(1, CHUNK // max(1, self.base.size))
        for start in range(0, len(new), together):
            self._measure(new[start : start + together])
        return [self.rows[k] for k in steps]

    def _measure(self, ks: list[int]) -> None:
        count, v = len(ks), self.weights
        steps = np.exp2(-np.array(ks, dtype=float))
        values, rounding = self.move(np.concatenate([steps, -steps]))
        forward, backward = values[:count], values[count:]
        up, down = forward - self.base, self.base - backward
        changes = np.maximum(np.abs(up), np.abs(down))
        changed = changes != 0
        right, left = (up @ v) / steps, (down @ v) / steps
        apart = (np.abs(up - down) @ np.abs(v)) / steps
        central = ((forward - backward) @ v) / (2.0 * steps)
        size = np.maximum(np.abs(forward), np.abs(backward)) * changed
        noise = (EPSILON * norms(size * v) + rounding[:count] + rounding[count:]) / steps
        low, high = 0.5 * (right + left - apart), 0.5 * (right + left + apart)
        finite = np.isfinite(apart + np.abs(central) + np.abs(right) + np.abs(left))
        self.changes |= {k: moved for k, moved, is_finite in zip(ks, changes, finite, strict=True) if is_finite}
        if self.slopes is None and finite.any():
            self.slopes = (forward - backward)[finite][-1] / (2.0 * steps[finite][-1])
        columns = (steps, left, right, central, noise, low, high, changed.sum(axis=1), finite)
        for k, *row, is_finite in zip(ks, *(column.tolist() for column in columns), strict=True):
            self.rows[k] = Row(*row) if is_finite else None
        self._table = None

    @property
    def sensitive(self) -> Array:
        """The outputs that moved at any step."""
        return np.logical_or.reduce([*(moved != 0 for moved in self.changes.values()), np.zeros(self.base.shape, bool)])

    def know(self, inside: float) -> None:
        """Set the error of phi by rounding inside of the function."""
        self.inside, self._table = inside, None

    @property
    def table(self) -> list[Row]:
        """The finite rows measured so far, largest step first.

        An output that changes at one step and not at another is held by its own rounding, which counts as noise.
        """
        if self._table is None:
            rows = [row for _, row in sorted(self.rows.items()) if row is not None]
            held = self.weights * self.base
            sensitive = self.sensitive
            floor = EPSILON * norm(held[sensitive] if sensitive.any() else held)
            if rows and not rows[-1].moved:  # the values may have cancelled: what went into them was rounded too
                floor += EPSILON * self.inner
            floor = max(floor, self._quantum(), self.inside)
            self._table = [
                row._replace(noise=max(row.noise, floor / row.step), inside=self.inside / row.step) for row in rows
            ]
        return self._table

    def _quantum(self) -> float:
        """The smallest changes of the outputs that finer steps do not move, if they may be rounding inside of f.

        Larger ones are steps of the function itself, as of a staircase.
        """
        if not self.changes:
            return 0.0
        smallest = np.zeros(self.base.shape)
        finest, *others = (self.changes[k] for k in sorted(self.changes, reverse=True))
        for moved in others:
            smallest = np.where((finest == 0) & (smallest == 0), moved, smallest)
        change = norm(self.weights * smallest)
        size = max(0.0 if finest.any() else self.inner, norm(self.weights * self.base), norm(self.weights))
        return change if change <= max(QUANTUM * EPSILON * size, 4 * AGREE * self.inside) else 0.0
