"""The output of ``pullback train``: the loss, one line for each epoch, the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Array = Any
COLUMNS = ("epoch", "loss", "accuracy", "validation loss", "accuracy", "examples/s")


def loss_line(smoothing: float, classes: int) -> str:
    """The loss and its smallest possible value: a smoothed target cannot be met exactly."""
    if not smoothing:
        return "loss: cross-entropy"
    other = smoothing / classes
    right = 1 - smoothing + other
    least = -right * math.log(right) - (classes - 1) * other * math.log(other)
    return f"loss: cross-entropy, labels smoothed by {smoothing:g} (it can get no smaller than {least:.4f})"


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """One epoch, in the columns of the heading."""
    values = (
        f"{row['epoch']:.0f}/{epochs}",
        f"{row['loss']:.4f}",
        f"{row['accuracy']:.4f}",
        f"{row['validation_loss']:.4f}",
        f"{row['validation_accuracy']:.4f}",
        f"{row['rate']:,.0f}",
    )
    return in_columns(values)


def in_columns(values: Sequence[str]) -> str:
    """One line of the table."""
    return "  ".join(f"{value:>{max(len(name), 8)}}" for value, name in zip(values, COLUMNS, strict=True))


def matrix_lines(matrix: Array) -> list[str]:
    """A confusion matrix with its digits."""
    width = max(3, len(str(matrix.max())))
    head = "    " + " ".join(f"{digit:{width}}" for digit in range(len(matrix)))
    rows = [
        f"{digit:3} " + " ".join(f"{count or '.':>{width}}" for count in row)
        for digit, row in enumerate(matrix.tolist())
    ]
    return ["confusion matrix (rows: the digit, columns: what the network says)", head, *rows]
