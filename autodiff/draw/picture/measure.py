"""A few numbers instead of an array, for values and gradients in a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...examples import every

WHOLE = 6
"""Arrays of at most this many elements are shown whole, larger ones by their smallest, mean and largest element."""


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


def measure(value: Any) -> Measure:
    """Measure an array: minimum, mean, maximum and norm of the finite elements, and how many are not finite."""
    value = every(value)
    array = np.asarray(value) if isinstance(value, np.generic | int | float | complex) else value
    if array.shape == () and array.dtype.kind == "f":
        return _of_number(float(array))  # a graph of numbers has a hundred thousand of them
    result = Measure(size=int(array.size))
    if not array.size:
        return result
    with np.errstate(all="ignore"):
        if array.size <= WHOLE:
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
