"""A few numbers instead of an array, for values and gradients in a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...examples import every

WHOLE, SIDE = 6, 3
"""Arrays of at most this many elements, and square ones of this side, are shown whole; larger ones by their range."""
ROWS, COLUMNS = 6, 16
"""A heat map has at most so many cells, each for the mean of its part of an array."""


@dataclass(slots=True)
class Measure:
    """The measures of an array; for complex values, of their absolute values."""

    size: int
    low: float = 0.0
    mean: float = 0.0
    high: float = 0.0
    norm: float = 0.0
    nan: int = 0
    infinite: int = 0
    zero: bool = False
    whole: str = ""
    cells: tuple[str, ...] = ()

    @property
    def finite(self) -> int:
        """How many elements are finite."""
        return self.size - self.nan - self.infinite

    @property
    def typical(self) -> float:
        """The root mean square of the finite elements."""
        return self.norm / math.sqrt(self.finite) if self.finite else 0.0

    @property
    def text(self) -> str:
        """The values in one short line: all of a small array, a summary of a large one."""
        if not self.size:
            return "empty"
        summary = f"{self.low:.3g} … {self.mean:.3g} … {self.high:.3g}" if self.finite else "nothing finite"
        text = self.whole or summary
        troubles = [f"{n:,} {what}" for n, what in ((self.nan, "NaN"), (self.infinite, "inf")) if n]
        return text if self.whole or not troubles else f"{text} ({', '.join(troubles)})"

    @property
    def state(self) -> str:
        """ "nan" or "inf" if there is one, else the empty text."""
        return "nan" if self.nan else "inf" if self.infinite else ""


def measure(value: Any, *, cells: bool = False) -> Measure:
    """Measure an array: minimum, mean, maximum and norm of the finite elements, and how many are not finite.

    With ``cells``, a large array gets a heat map, too.
    """
    value = every(value)
    array = np.asarray(value) if isinstance(value, np.generic | int | float | complex) else value
    if array.shape == () and array.dtype.kind == "f":
        return _of_number(float(array))  # a graph of numbers has a hundred thousand of them
    result = Measure(size=int(array.size))
    if not array.size:
        return result
    with np.errstate(all="ignore"):
        small = array.size <= WHOLE or (array.ndim == 2 and max(array.shape) <= SIDE)
        if cells and not small:
            result.cells = heat_map(array)
        if small:
            result.whole = np.array2string(np.asarray(array), precision=4, separator=", ").replace("\n", "")
        numbers = abs(array) if array.dtype.kind == "c" else array
        numbers = numbers.astype(float) if numbers.dtype.kind != "f" or numbers.dtype.itemsize < 4 else numbers
        low, high = float(numbers.min()), float(numbers.max())
        if not (abs(low) < np.inf and abs(high) < np.inf):  # also true of NaN
            result.nan = int(np.isnan(numbers).sum())
            result.infinite = int(np.isinf(numbers).sum())
            numbers = numbers[np.isfinite(numbers)]
            if not numbers.size:
                return result
            low, high = float(numbers.min()), float(numbers.max())
        result.low, result.high = low, high
        result.mean = float(np.mean(numbers, dtype=float))
        scale = max(abs(low), abs(high))  # squares of large and of small numbers leave the range of float32
        result.norm = scale * float(np.sqrt(np.sum(np.square(numbers / scale), dtype=float))) if scale else 0.0
        result.zero = scale == 0 and not result.nan and not result.infinite
    return result


def heat_map(array: Any) -> tuple[str, ...]:
    """The rows of a heat map: a digit for each cell, 4 for zero, 0 and 8 for the largest mean of either sign.

    A cell with an element that is not finite is an x.  All axes but the last are rows.

    >>> heat_map(np.arange(-4, 5).reshape(1, 9))
    ('012345678',)
    """
    table = np.abs(array) if array.dtype.kind == "c" else np.asarray(array, dtype=float)
    table = table.reshape(-1, table.shape[-1])
    for axis, most in ((0, ROWS), (1, COLUMNS)):
        n = table.shape[axis]
        starts = np.unique(np.arange(min(n, most)) * n // min(n, most))
        counts = np.expand_dims(np.diff(np.append(starts, n)), 1 - axis)
        table = np.add.reduceat(table, starts, axis=axis) / counts
    finite = np.isfinite(table)
    largest = float(np.max(np.abs(table), where=finite, initial=0.0))
    levels = np.where(finite, np.rint(4 * table / (largest or 1.0)) + 4, 9).astype(int)
    return tuple("".join("012345678x"[level] for level in row) for row in levels.tolist())


def _of_number(value: float) -> Measure:
    """The measure of one number."""
    text = f"{value:.4g}"
    if not math.isfinite(value):
        return Measure(1, nan=int(math.isnan(value)), infinite=int(math.isinf(value)), whole=text)
    return Measure(1, value, value, value, abs(value), zero=value == 0, whole=text)


def merged(measures: Sequence[Measure]) -> Measure:
    """The measure of several arrays as if they were one."""
    if len(measures) == 1:
        return measures[0]
    numbers = [m for m in measures if m.finite]
    count = sum(m.finite for m in numbers)
    return Measure(
        size=sum(m.size for m in measures),
        low=min((m.low for m in numbers), default=0.0),
        mean=sum(m.mean * (m.finite / count) for m in numbers),
        high=max((m.high for m in numbers), default=0.0),
        norm=math.hypot(*(m.norm for m in numbers)),
        nan=sum(m.nan for m in measures),
        infinite=sum(m.infinite for m in measures),
        zero=all(m.zero for m in measures),
    )
