"""Metrics of numbers: how far predictions are from targets, as plain numbers.

Predictions and targets have one shape, (n,) or (n, outputs), where (n, 1) is taken as (n,).  With several outputs the
metric is the mean of those of the outputs.  ``weights`` has one number of at least 0 for each example.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers.structure import values_of

__all__ = ["mae", "r2", "rmse"]

Array = Any


def mae(predictions: Any, target: Any, *, weights: Any = None) -> float:
    """The mean absolute error: mean(|prediction - target|).

    >>> mae(np.array([1.0, 3.0]), np.array([2.0, 5.0]))
    1.5
    """
    predicted, true, weights = _pair("mae", predictions, target, weights)
    return float(np.mean(np.average(np.abs(predicted - true), axis=0, weights=weights)))


def rmse(predictions: Any, target: Any, *, weights: Any = None) -> float:
    """The root of the mean squared error: sqrt(mean((prediction - target)²)).

    >>> rmse(np.array([1.0, 3.0]), np.array([2.0, 10.0]))
    5.0
    """
    predicted, true, weights = _pair("rmse", predictions, target, weights)
    return float(np.mean(np.sqrt(np.average((predicted - true) ** 2, axis=0, weights=weights))))


def r2(predictions: Any, target: Any, *, weights: Any = None) -> float:
    """The share of the variance that is explained: 1 - sum((prediction - target)²) / sum((target - mean(target))²).

    It is 1 at best, and negative where predictions are worse than the mean.  Of a target that does not change it is 1
    if the predictions are exact, else 0; of a single example NaN.

    >>> r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    0.5
    """
    predicted, true, weights = _pair("r2", predictions, target, weights)
    if len(true) < 2:
        return float("nan")
    each = np.ones(len(true)) if weights is None else weights
    left = each @ (predicted - true) ** 2
    spread = each @ (true - np.average(true, axis=0, weights=weights)) ** 2
    explained = 1 - left / np.where(spread == 0, 1.0, spread)
    return float(np.mean(np.where(spread == 0, np.where(left == 0, 1.0, 0.0), explained)))


def _pair(who: str, predictions: Any, target: Any, weights: Any) -> tuple[Array, Array, Array]:
    """Predictions and targets as (n, outputs) in double precision."""
    found = []
    for name, given in (("the predictions are", predictions), ("the target is", target)):
        array = np.asarray(values_of(given))
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{who}: {name} {array.dtype}, not real numbers")
        found.append(np.asarray(array, float))
    shapes = [array.shape[:1] if array.shape[1:] == (1,) else array.shape for array in found]
    if shapes[0] != shapes[1] or len(shapes[0]) not in (1, 2):
        raise ValueError(
            f"{who}: the predictions have shape {found[0].shape} and the target {found[1].shape}; "
            "both are (n,), (n, 1) or (n, outputs), with one number for each"
        )
    if not found[0].size:
        raise ValueError(f"{who}: there are no examples")
    predicted, true = (array.reshape(len(array), -1) for array in found)
    return predicted, true, weights_of(who, weights, len(true))


def weights_of(who: str, weights: Any, count: int) -> Array | None:
    """One weight for each example; None if there are none."""
    if weights is None:
        return None
    weights = np.asarray(weights, float)
    if weights.shape != (count,):
        raise ValueError(f"{who}: weights have shape {weights.shape}; one for each example is ({count},)")
    if not np.isfinite(weights).all() or weights.min() < 0 or not weights.any():
        raise ValueError(f"{who}: weights must be finite, at least 0, and not all 0")
    return weights
