"""Inputs of a model in its dtype; losses and metrics as numbers, and which of them is followed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..reports.history import VALIDATION
from .structures import joined, mapped

Array = Any
Metric = Callable[[Array, Array], Any]


def taken(who: str, x: Any, dtype: Any) -> Any:
    """Floating-point inputs in the dtype of the parameters; unchanged if parameters have several dtypes."""
    if isinstance(x, tuple | dict):
        return mapped(lambda part: taken(who, part, dtype), x)
    if dtype is None or x.dtype == dtype or x.dtype.kind != "f" or dtype.kind != "f":
        return x
    try:
        with np.errstate(over="raise"):
            return x.astype(dtype)
    except FloatingPointError:
        raise ValueError(
            f"{who}: X is {x.dtype} and has numbers too large for {dtype}, the dtype of the model's parameters; "
            f"scale the data, or make the model with dtype=np.{x.dtype}"
        ) from None


def measured(metrics: Mapping[str, Metric], outputs: list[Array], targets: list[Array]) -> dict[str, float]:
    """The metrics of outputs and targets that came in parts."""
    if not metrics:
        return {}
    together = joined(outputs), joined(targets)
    return {
        name: _one(f"Learner: the metric '{name}'", metric(*together), "is a metric")
        for name, metric in metrics.items()
    }


def number(who: str, loss: Any) -> float:
    """The loss as a number.  Raises ValueError or TypeError if it is not a number."""
    return _one(f"{who}: the loss", loss, "can be made smaller; take its mean (reduction='mean')")


def _one(what: str, value: Any, purpose: str) -> float:
    if isinstance(value, int | float):
        return float(value)
    if not hasattr(value, "dtype"):
        raise TypeError(f"{what} is a {type(value).__name__}, and only a single number {purpose}")
    if value.size != 1:
        raise ValueError(f"{what} has shape {value.shape}, and only a single number {purpose}")
    if value.dtype.kind not in "biuf":
        raise TypeError(f"{what} is {value.dtype}, and only a real number {purpose}")
    one = value.item()
    return one if value.dtype.char in "efd" else float(one)


def monitored(who: str, row: Mapping[str, float], monitor: str | None = None) -> str:
    """The column of an epoch's row that is followed: by default the validation loss, without validation the loss.

    Raises KeyError that names the columns if there is none of the name ``monitor``.
    """
    name = monitor or (VALIDATION + "loss" if VALIDATION + "loss" in row else "loss")
    if name not in row:
        hint = "; give fit validation data" if name.startswith(VALIDATION) else ""
        raise KeyError(f"{who}: no column '{name}'; there are {', '.join(row)}{hint}")
    return name


def is_better(value: float, best: float, mode: str, margin: float = 0.0) -> bool:
    """Whether a value is below the best one (with ``mode="max"`` above) by more than the margin; NaN never is."""
    gain = best - value if mode == "min" else value - best
    return gain > margin or (math.isnan(best) and not math.isnan(value))
