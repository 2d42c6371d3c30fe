"""Common parts of losses: checks of predictions and targets, and the reduction to one number."""

from __future__ import annotations

from typing import Any

from autodiff import Tensor

from ..layers.checks import as_array, check_array
from ..layers.structure import values_of

__all__: list[str] = []  # a user calls the losses

REDUCTIONS = ("mean", "sum", "none")


def cast(who: str, what: str, target: Any, prediction: Any) -> Any:
    """A target as an array of the prediction's dtype; a Tensor is returned unchanged."""
    if isinstance(target, Tensor):
        return target
    target = as_array(target)
    dtype = prediction.dtype
    if target.dtype == dtype:
        return target
    if target.dtype.kind not in ("biufc" if dtype.kind == "c" else "biuf"):
        raise TypeError(f"{who}: the {what} is {target.dtype}, the prediction {dtype}; give real numbers")
    return target.astype(dtype)


def aligned(who: str, prediction: Any, target: Any) -> Any:
    """The target, cast, after a comparison of its shape with the prediction's."""
    check_array(who, "prediction", prediction)
    if prediction.dtype.kind not in "fc":
        raise TypeError(f"{who}: the prediction is {prediction.dtype}; it must be floating-point")
    target = cast(who, "target", target, prediction)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{who}: the prediction has shape {prediction.shape}, the target {target.shape}; they must be the same, "
            f"or each would be compared with each: reshape one, target.reshape({prediction.shape})"
        )
    return target


def reduced(who: str, losses: Any, reduction: str) -> Any:
    """The mean of all losses, their sum, or each of them."""
    check_reduction(who, reduction)
    if reduction == "mean":
        if not losses.size:
            raise ValueError(
                f"{who}: the batch is empty (losses of shape {losses.shape}), and nothing has no mean; "
                "skip it, or use reduction='sum'"
            )
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def check_reduction(who: str, reduction: str, known: tuple[str, ...] = REDUCTIONS) -> None:
    """Raise ValueError for an unknown reduction."""
    if reduction not in known:
        others = ", ".join(map(repr, known[:-1]))
        raise ValueError(f"{who}: reduction is {reduction!r}; it must be {others} or {known[-1]!r}")


def in_unit_interval(who: str, what: str, values: Any) -> Any:
    """The values, if all are in [0, 1]; NaN is allowed, and makes the loss NaN."""
    array = values_of(values)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(
            f"{who}: a {what} lies outside [0, 1] (smallest {array.min():.6g}, largest {array.max():.6g})"
            + ("; for unbounded outputs use binary_cross_entropy_with_logits" if what == "prediction" else "")
        )
    return values
