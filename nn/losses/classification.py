"""Losses for one class out of several: of logits, and of log-probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor, softmax_cross_entropy, stop_gradient

from ..layers.activation import log_softmax
from ..layers.checks import check_array
from .checks import cast, in_unit_interval, reduced
from .labels import along, class_weights, divided, no_such_class, picked_at, rows_and_labels, weighted
from .loss import Loss

__all__ = ["CrossEntropyLoss", "NLLLoss", "cross_entropy", "nll_loss"]

Array = Any


def cross_entropy(
    logits: Any, target: Any, *, axis: int = -1, weight: Any = None, label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The negative log-likelihood of ``target`` under softmax(logits) along ``axis``.

    Logits have any shape with the classes along ``axis``.  The target is either integer class indices, of that shape
    without ``axis``, or probabilities: floating-point, of the same shape.  With ``weight``, one number for each class,
    a mean over indices is divided by the sum of the weights of the targets.  ``label_smoothing`` gives that part of the
    probability to all classes equally.  Raises IndexError for a label outside the classes.

    >>> import numpy as np
    >>> logits = np.array([[1e4, 0.0], [0.0, 0.0]])
    >>> cross_entropy(logits, np.array([0, 1]), reduction="none").round(4).tolist()
    [0.0, 0.6931]
    >>> cross_entropy(logits, np.array([[0.0, 1.0], [0.5, 0.5]]), reduction="none").round(4).tolist()
    [10000.0, 0.6931]
    """
    who = "cross_entropy"
    if weight is None and reduction == "mean" and not label_smoothing and _is_plain(logits, target, axis):
        try:
            return softmax_cross_entropy(logits, target, True)
        except IndexError:
            raise no_such_class(who, target, logits.shape[1]) from None
    check_array(who, "logits", logits)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{who}: label_smoothing is {label_smoothing}; it must lie in [0, 1]")
    weights = None if weight is None else class_weights(who, weight, logits, axis)
    if _is_probabilities(who, logits, target, axis):
        return _soft_cross_entropy(logits, target, axis, weights, label_smoothing, reduction)
    if label_smoothing:
        return _smoothed(logits, target, axis, weights, label_smoothing, reduction)
    rows, labels = rows_and_labels(who, logits, target, axis)
    try:
        losses = softmax_cross_entropy(rows, labels if labels.ndim == 1 else labels.ravel())
    except IndexError:
        raise no_such_class(who, labels, rows.shape[1]) from None
    if labels.ndim != 1:
        losses = np.reshape(losses, labels.shape)
    return reduced(who, losses, reduction) if weights is None else weighted(who, losses, weights[labels], reduction)


class CrossEntropyLoss(Loss, function=cross_entropy):
    """:func:`nn.cross_entropy` as a module.

    >>> import numpy as np
    >>> float(CrossEntropyLoss()(np.zeros((3, 4)), np.array([0, 1, 2])).round(4))
    1.3863
    """

    axis: int = -1
    weight: Any = None
    label_smoothing: float = 0.0


def nll_loss(
    log_probabilities: Any, target: Any, *, axis: int = -1, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The negative log-probability of the target classes: -log_probabilities[target].

    Shapes, weights and errors are those of :func:`cross_entropy` with class indices.

    >>> import numpy as np
    >>> float(nll_loss(np.log(np.array([[0.25, 0.75]])), np.array([1])).round(4))
    0.2877
    """
    who = "nll_loss"
    check_array(who, "log_probabilities", log_probabilities)
    picked, labels = picked_at(who, log_probabilities, target, axis)
    if weight is None:
        return reduced(who, 0.0 - picked, reduction)
    weights = class_weights(who, weight, log_probabilities, axis)[labels]
    return weighted(who, 0.0 - picked, weights, reduction)


class NLLLoss(Loss, function=nll_loss):
    """:func:`nn.nll_loss` as a module.

    >>> import numpy as np
    >>> float(NLLLoss()(np.log(np.full((3, 4), 0.25)), np.array([0, 1, 2])).round(4))
    1.3863
    """

    axis: int = -1
    weight: Any = None


def _smoothed(
    logits: Any, target: Any, axis: int, weights: Array | None, label_smoothing: float, reduction: str
) -> Any:
    """Class indices with a part of the probability given to all classes, weighted as in PyTorch."""
    who = "cross_entropy"
    log_probabilities = log_softmax(logits, axis)
    picked, labels = picked_at(who, log_probabilities, target, axis)
    classes = np.shape(logits)[axis]
    if weights is None:
        everywhere = np.sum(log_probabilities, axis=axis) * (1.0 / classes)
        return reduced(who, picked * (label_smoothing - 1.0) - everywhere * label_smoothing, reduction)
    everywhere = np.sum(log_probabilities * along(weights, logits, axis), axis=axis) * (1.0 / classes)
    weights = weights[labels]
    loss = picked * weights * (label_smoothing - 1.0) - everywhere * label_smoothing
    return divided(who, loss, weights, reduction)


def _soft_cross_entropy(
    logits: Any, target: Any, axis: int, weights: Array | None, label_smoothing: float, reduction: str
) -> Any:
    """-sum(target log softmax(logits)), where a class of probability 0 counts as 0 even if its logit is -inf."""
    who = "cross_entropy"
    target = cast(who, "target", target, logits)
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + label_smoothing / np.shape(logits)[axis]
    if weights is not None:
        target = target * along(weights, logits, axis)
    log_probabilities = log_softmax(logits, axis)
    impossible = (stop_gradient(target) == 0) & np.isinf(stop_gradient(log_probabilities))
    losses = target * np.where(impossible, 0.0, log_probabilities)
    return reduced(who, 0.0 - np.sum(losses, axis=axis), reduction)


def _is_plain(logits: Any, target: Any, axis: int) -> bool:
    """Whether this is a matrix of logits with one class index for each row, as in most training steps."""
    return (
        type(target) is np.ndarray
        and hasattr(logits, "shape")
        and target.dtype.kind in "iu"
        and target.shape == logits.shape[:1] != (0,)
        and len(logits.shape) == 2
        and axis in (-1, 1)
    )


def _is_probabilities(who: str, logits: Any, target: Any, axis: int) -> bool:
    """Whether the target contains probabilities and not class indices; raises if it is neither."""
    dtype = target.dtype if hasattr(target, "dtype") else np.asarray(target).dtype
    if dtype.kind in "iu":
        return False
    shape = np.shape(target)
    if dtype.kind != "f":
        raise TypeError(f"{who}: the target is {dtype}; class indices are integers, probabilities floating-point")
    if shape != np.shape(logits):
        hint = "; class indices must be integers: target.astype(int)" if len(shape) == len(np.shape(logits)) - 1 else ""
        raise ValueError(
            f"{who}: the logits have shape {np.shape(logits)}, the floating-point target {shape}; probabilities have "
            f"the shape of the logits{hint}"
        )
    in_unit_interval(who, "target", target)
    if not isinstance(target, Tensor):
        sums = np.sum(target, axis=axis)
        if sums.size and not np.all(np.abs(sums - 1) < 1e-3):
            worst = sums.ravel()[np.argmax(np.abs(sums - 1))]
            raise ValueError(f"{who}: target probabilities must sum to 1 along axis {axis}; one sum is {worst:.6g}")
    return True
