"""Inputs of a model in its dtype; losses and metrics as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

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
