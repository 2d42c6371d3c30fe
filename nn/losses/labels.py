"""Checks and use of class indices as targets, and of class weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.checks import as_array
from .checks import reduced

__all__: list[str] = []  # a user calls the losses

Array = Any


def rows_and_labels(who: str, values: Any, target: Any, axis: int) -> tuple[Any, Array]:
    """The values as a matrix with one row for each label, and the labels in their own shape, as integers."""
    labels = target if type(target) is np.ndarray else _labels(who, target)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{who}: class indices must be integers, got {labels.dtype}; write target.astype(int)")
    shape = values.shape
    if len(shape) != 2 or axis not in (-1, 1):
        if not shape:
            raise ValueError(f"{who}: the logits are a single number; they need an axis of classes")
        values = np.moveaxis(values, axis, -1)
        shape = values.shape
    if labels.shape != shape[:-1]:
        raise ValueError(
            f"{who}: the logits have shape {shape}, classes last, so the labels must have {shape[:-1]}; "
            f"they have {labels.shape}"
            + ("; for one-hot rows or probabilities pass floating-point numbers" if labels.shape == shape else "")
        )
    return (values if len(shape) == 2 else np.reshape(values, (labels.size, shape[-1]))), labels


def picked_at(who: str, values: Any, target: Any, axis: int) -> tuple[Any, Array]:
    """The values at the target classes, and the labels, checked."""
    rows, labels = rows_and_labels(who, values, target, axis)
    if labels.size and (labels.min() < 0 or labels.max() >= rows.shape[1]):
        raise no_such_class(who, labels, rows.shape[1])
    picked = rows[np.arange(labels.size), labels.ravel()]
    return (picked if labels.ndim == 1 else np.reshape(picked, labels.shape)), labels


def _labels(who: str, target: Any) -> Array:
    if isinstance(target, Tensor):
        raise TypeError(f"{who}: the target is a Tensor; class indices are a plain integer array")
    # the labels of a mapping stand for many examples, and are handed on as they are
    return as_array(target)


def no_such_class(who: str, labels: Array, classes: int) -> IndexError:
    return IndexError(
        f"{who}: labels reach from {labels.min()} to {labels.max()}, but there are {classes} classes "
        f"(0 to {classes - 1})"
    )


def class_weights(who: str, weight: Any, logits: Any, axis: int) -> Array:
    weights = np.asarray(weight, dtype=logits.dtype)
    classes = np.shape(logits)[axis]
    if weights.shape != (classes,):
        raise ValueError(f"{who}: weight has shape {weights.shape}; one number a class is ({classes},)")
    if np.any(weights < 0):
        raise ValueError(f"{who}: weight has negative numbers; weights are 0 or more")
    return weights


def along(weights: Array, logits: Any, axis: int) -> Array:
    """Class weights in a shape that broadcasts along ``axis``."""
    shape = [1] * logits.ndim
    shape[axis] = -1
    return weights.reshape(shape)


def weighted(who: str, losses: Any, weights: Array, reduction: str) -> Any:
    return divided(who, losses * weights, weights, reduction)


def divided(who: str, losses: Any, weights: Array, reduction: str) -> Any:
    """As _reduced, but a mean is divided by the sum of the weights."""
    if reduction != "mean":
        return reduced(who, losses, reduction)
    total = float(np.sum(weights, dtype=np.float64))  # float16 holds no more than 65,504
    if not total:
        raise ValueError(f"{who}: all targets have weight 0 or the batch is empty, so there is no mean; use 'sum'")
    return losses.mean() * (losses.size / total)  # a sum would overflow float16
