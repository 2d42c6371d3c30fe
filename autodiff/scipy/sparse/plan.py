"""What is computed for a pattern: which products, where each entry is read, and how the result is checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .coloring import Coloring

Array = Any
Block = tuple[Array, Array, Array]
"""Which entries of all, their columns, and where each row ends."""


class Plan:
    """A pattern with its colours: the seeds of the products, and where each entry is read."""

    def __init__(self, pattern: Any, coloring: Coloring) -> None:
        rows, columns = pattern.shape
        self.pattern, self.coloring = pattern, coloring
        row_of = np.repeat(np.arange(rows), np.diff(pattern.indptr))
        column_of = pattern.indices.astype(np.intp)
        self.rows, self.cols = row_of, column_of
        by_column = coloring.columns[column_of] * rows + row_of
        if coloring.transposed is None:
            by_row = coloring.rows[row_of] * columns + column_of
        else:  # a product with row i is a product with column i
            swap = coloring.transposed
            seed, place = np.where(swap, row_of, column_of), np.where(swap, column_of, row_of)
            by_row = coloring.rows[seed] * columns + place
        products = coloring.counts[0] * rows
        self.places = np.where(coloring.by_row, products + by_row, by_column)
        self._blocks: list[list[Block]] | None = None
        rng = np.random.default_rng(rows + columns)
        self.probe = rng.uniform(0.5, 1.5, size=rows if coloring.counts[1] and not coloring.counts[0] else columns)

    @property
    def probes_rows(self) -> bool:
        """Whether the check is a product with a row."""
        return not self.coloring.counts[0]

    def seeds(self) -> tuple[Array | None, Array | None]:
        """The seeds of columns, one a row, and those of rows; the last one of one of them is the check."""
        columns, rows = self.coloring.counts
        probe = self.probe[None]
        return (
            np.concatenate([_indicators(self.coloring.columns, columns), probe]) if columns else None,
            np.concatenate([_indicators(self.coloring.rows, rows), probe]) if not columns
            else _indicators(self.coloring.rows, rows) if rows else None,
        )  # fmt: skip

    def blocks(self, heights: tuple[int, ...], widths: tuple[int, ...]) -> list[list[Block]]:
        """For outputs and arguments of these sizes, the block of each output and each argument."""
        if self._blocks is None:
            self._blocks = self._cut(heights, widths)
        return self._blocks

    def _cut(self, heights: tuple[int, ...], widths: tuple[int, ...]) -> list[list[Block]]:
        numbered = sparse.csr_array(
            (np.arange(1, self.pattern.nnz + 1), self.pattern.indices, self.pattern.indptr), shape=self.pattern.shape
        )
        top, found = 0, []
        for height in heights:
            band, left = numbered[top : top + height], 0
            parts = []
            for width in widths:
                block = band[:, left : left + width].tocsr()
                block.sort_indices()
                parts.append((block.data - 1, block.indices, block.indptr))
                left += width
            found.append(parts)
            top += height
        return found


def _indicators(colors: Any, count: int) -> Array:
    """For each colour, a vector that is 1 where it is."""
    return (colors == np.arange(count)[:, None]).astype(float)


def contradiction(plan: Plan, data: Array, check: Array) -> Array:
    """The rows of the product with the plan's probe that the entries contradict, as a mask.

    A row may differ by the root of the precision, which is what is left of numbers that cancel.  A row that is not
    finite is not looked at.
    """
    place, other = (plan.cols, plan.rows) if plan.probes_rows else (plan.rows, plan.cols)
    terms = data * plan.probe[other]
    size = plan.pattern.shape[1 if plan.probes_rows else 0]
    total = np.bincount(place, weights=terms, minlength=size)
    scale = np.bincount(place, weights=np.abs(terms), minlength=size)
    finite = np.isfinite(total)
    eps = float(np.finfo(check.dtype).eps)
    most = np.max(np.where(finite, scale, 0.0))
    difference = np.abs(np.where(finite, total, 0.0) - check)
    return finite & ~(difference <= eps**0.5 * scale + 100 * eps * most)
