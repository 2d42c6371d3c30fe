"""The output of ``pullback train``: one line for each epoch."""

from __future__ import annotations

from collections.abc import Sequence


def columns_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """The headings: the loss and the metrics, of the training and of the validation, and the speed."""
    return ("epoch", "loss", *metrics, "validation loss", *metrics, "examples/s")


def epoch_line(row: dict[str, float], epochs: int, metrics: Sequence[str]) -> str:
    """One epoch, in the columns of the heading."""
    values = [row["loss"], *(row[name] for name in metrics)]
    values += [row["validation_loss"], *(row[f"validation_{name}"] for name in metrics)]
    numbers = [f"{value:.4f}" for value in values]
    return in_columns([f"{row['epoch']:.0f}/{epochs}", *numbers, f"{row['rate']:,.0f}"], metrics)


def in_columns(values: Sequence[str], metrics: Sequence[str]) -> str:
    """One line of the table."""
    headings = columns_of(metrics)
    return "  ".join(f"{value:>{max(len(name), 8)}}" for value, name in zip(values, headings, strict=True))
