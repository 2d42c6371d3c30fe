"""Losses: how far predictions are from targets, as functions; :mod:`nn.losses.modules` has them as modules.

``reduction`` is ``"mean"`` (over all that was compared), ``"sum"`` or ``"none"``.  A target is data: a plain array is
taken in the dtype of the prediction, so that a float32 model has a float32 loss.  Shapes must agree exactly: comparing
(n, 1) with (n,) would compare each with each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor, softmax_cross_entropy, softplus, stop_gradient

from ..layers.activation import log_softmax

Array = Any


# -- regression --------------------------------------------------------------------------------------------------


def mse_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean squared error: mean((prediction - target)²).

    >>> import numpy as np
    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    2.5
    """
    error = prediction - _aligned("mse_loss", prediction, target)
    return _reduced("mse_loss", error * error, reduction)


def l1_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean absolute error: mean(|prediction - target|).

    >>> import numpy as np
    >>> float(l1_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    1.5
    """
    return _reduced("l1_loss", abs(prediction - _aligned("l1_loss", prediction, target)), reduction)


def huber_loss(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Squared near 0 and linear beyond: e² / 2 where |e| <= delta, else delta (|e| - delta / 2).

    Written as c (e - c / 2) with c = clip(e, -delta, delta), which is smooth to first order everywhere.

    >>> import numpy as np
    >>> huber_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none").tolist()
    [0.125, 2.5]
    """
    if not 0 < delta < np.inf:
        raise ValueError(f"huber_loss: delta is {delta}; it must be positive and finite")
    error = prediction - _aligned("huber_loss", prediction, target)
    near = np.clip(error, -float(delta), float(delta))
    return _reduced("huber_loss", near * (error - near * 0.5), reduction)


# -- classification ----------------------------------------------------------------------------------------------


def cross_entropy(
    logits: Any, target: Any, *, axis: int = -1, weight: Any = None, label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The negative log-likelihood of ``target`` under softmax(logits) along ``axis``.

    logits have any shape with the classes along ``axis``.  The target is either integer class indices, of that shape
    without ``axis``, or probabilities, floating-point and of the same shape.  With ``weight``, one number a class, a
    mean over indices is divided by the sum of the weights of the targets.  ``label_smoothing`` moves that part of the
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
            raise _no_such_class(who, target, logits.shape[1]) from None
    _check_array(who, "logits", logits)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{who}: label_smoothing is {label_smoothing}; it must lie in [0, 1]")
    weights = None if weight is None else _class_weights(who, weight, logits, axis)
    if _is_probabilities(who, logits, target, axis):
        return _soft_cross_entropy(logits, target, axis, weights, label_smoothing, reduction)
    if label_smoothing:
        return _smoothed(logits, target, axis, weights, label_smoothing, reduction)
    rows, labels = _rows(who, logits, target, axis)
    try:
        losses = softmax_cross_entropy(rows, labels if labels.ndim == 1 else labels.ravel())
    except IndexError:
        raise _no_such_class(who, labels, rows.shape[1]) from None
    if labels.ndim != 1:
        losses = np.reshape(losses, labels.shape)
    return _reduced(who, losses, reduction) if weights is None else _weighted(who, losses, weights[labels], reduction)


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
    _check_array(who, "log_probabilities", log_probabilities)
    picked, labels = _picked(who, log_probabilities, target, axis)
    if weight is None:
        return _reduced(who, 0.0 - picked, reduction)
    weights = _class_weights(who, weight, log_probabilities, axis)[labels]
    return _weighted(who, 0.0 - picked, weights, reduction)


def _smoothed(
    logits: Any, target: Any, axis: int, weights: Array | None, label_smoothing: float, reduction: str
) -> Any:
    """Class indices with a part of the probability moved to all classes, weighted as PyTorch does."""
    who = "cross_entropy"
    log_probabilities = log_softmax(logits, axis)
    picked, labels = _picked(who, log_probabilities, target, axis)
    classes = np.shape(logits)[axis]
    if weights is None:
        everywhere = np.sum(log_probabilities, axis=axis) * (1.0 / classes)
        return _reduced(who, picked * (label_smoothing - 1.0) - everywhere * label_smoothing, reduction)
    everywhere = np.sum(log_probabilities * _along(weights, logits, axis), axis=axis) * (1.0 / classes)
    weights = weights[labels]
    loss = picked * weights * (label_smoothing - 1.0) - everywhere * label_smoothing
    return _divided(who, loss, weights, reduction)


def _soft_cross_entropy(
    logits: Any, target: Any, axis: int, weights: Array | None, label_smoothing: float, reduction: str
) -> Any:
    """-sum(target log softmax(logits)), where a class of probability 0 counts as 0 even if its logit is -inf."""
    who = "cross_entropy"
    target = _cast(who, "target", target, logits)
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + label_smoothing / np.shape(logits)[axis]
    if weights is not None:
        target = target * _along(weights, logits, axis)
    log_probabilities = log_softmax(logits, axis)
    impossible = (stop_gradient(target) == 0) & np.isinf(stop_gradient(log_probabilities))
    losses = target * np.where(impossible, 0.0, log_probabilities)
    return _reduced(who, 0.0 - np.sum(losses, axis=axis), reduction)


def binary_cross_entropy(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The negative log-likelihood of targets in [0, 1] under probabilities: -mean(t log(p) + (1 - t) log(1 - p)).

    A prediction of exactly 0 or 1 that is wrong costs infinity.  For the output of a linear layer use
    :func:`binary_cross_entropy_with_logits`, which is exact where sigmoid rounds to 0 or 1.  Raises ValueError for a
    prediction or target outside [0, 1].

    >>> import numpy as np
    >>> float(binary_cross_entropy(np.array([0.5, 1.0]), np.array([1.0, 1.0])).round(4))
    0.3466
    """
    who = "binary_cross_entropy"
    target = _probabilities(who, "target", _aligned(who, prediction, target))
    _probabilities(who, "prediction", prediction)
    p, t = stop_gradient(prediction), stop_gradient(target)
    # 0 log(0) is 0 here: where both are 0 (or, for the second, both 1) the logarithm is taken of 1
    yes = target * np.log(np.where((p == 0) & (t == 0), 1.0, prediction))
    no = (1.0 - target) * np.log1p(-np.where((p == 1) & (t == 1), 0.0, prediction))
    return _reduced(who, 0.0 - (yes + no), reduction)


def binary_cross_entropy_with_logits(
    logits: Any, target: Any, *, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """The binary cross-entropy of sigmoid(logits): mean(w t softplus(-x) + (1 - t) softplus(x)).

    Exact at any finite logit: both terms are positive, and nothing cancels.  ``pos_weight`` (w, broadcast over the
    targets) counts positive examples more.

    >>> import numpy as np
    >>> binary_cross_entropy_with_logits(np.array([1e4, -1e4]), np.array([1.0, 1.0]), reduction="none").tolist()
    [0.0, 10000.0]
    """
    who = "binary_cross_entropy_with_logits"
    target = _probabilities(who, "target", _aligned(who, logits, target))
    positive = target * softplus(-logits)
    if pos_weight is not None:
        positive = positive * _cast(who, "pos_weight", pos_weight, logits)
    return _reduced(who, positive + (1.0 - target) * softplus(logits), reduction)


# -- what they share -----------------------------------------------------------------------------------------------


def _cast(who: str, what: str, target: Any, prediction: Any) -> Any:
    """A target as an array of the prediction's dtype; a Tensor as it is."""
    if isinstance(target, Tensor):
        return target
    target = target if hasattr(target, "__array_function__") else np.asarray(target)
    dtype = prediction.dtype
    if target.dtype == dtype:
        return target
    if target.dtype.kind not in ("biufc" if dtype.kind == "c" else "biuf"):
        raise TypeError(f"{who}: the {what} is {target.dtype}, the prediction {dtype}; give real numbers")
    return target.astype(dtype)


def _check_array(who: str, what: str, values: Any) -> None:
    if not hasattr(values, "dtype"):
        raise TypeError(f"{who}: the {what} is a {type(values).__name__}; it must be an array or a Tensor")


def _aligned(who: str, prediction: Any, target: Any) -> Any:
    """The target, cast, after its shape was compared with the prediction's."""
    _check_array(who, "prediction", prediction)
    if prediction.dtype.kind not in "fc":
        raise TypeError(f"{who}: the prediction is {prediction.dtype}; it must be floating-point")
    target = _cast(who, "target", target, prediction)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{who}: the prediction has shape {prediction.shape}, the target {target.shape}; they must be the same, "
            f"or each would be compared with each: reshape one, target.reshape({prediction.shape})"
        )
    return target


def _reduced(who: str, losses: Any, reduction: str) -> Any:
    if reduction == "mean":
        if not losses.size:
            raise ValueError(
                f"{who}: the batch is empty (losses of shape {losses.shape}), and nothing has no mean; "
                "skip it, or use reduction='sum'"
            )
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f"{who}: reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")


def _weighted(who: str, losses: Any, weights: Array, reduction: str) -> Any:
    return _divided(who, losses * weights, weights, reduction)


def _divided(who: str, losses: Any, weights: Array, reduction: str) -> Any:
    """As _reduced, but a mean is divided by the sum of the weights."""
    if reduction != "mean":
        return _reduced(who, losses, reduction)
    total = float(np.sum(weights, dtype=np.float64))  # float16 holds no more than 65,504
    if not total:
        raise ValueError(f"{who}: all targets have weight 0 or the batch is empty, so there is no mean; use 'sum'")
    return losses.mean() * (losses.size / total)  # a sum would overflow float16


def _class_weights(who: str, weight: Any, logits: Any, axis: int) -> Array:
    weights = np.asarray(weight, dtype=logits.dtype)
    classes = np.shape(logits)[axis]
    if weights.shape != (classes,):
        raise ValueError(f"{who}: weight has shape {weights.shape}; one number a class is ({classes},)")
    if np.any(weights < 0):
        raise ValueError(f"{who}: weight has negative numbers; weights are 0 or more")
    return weights


def _along(weights: Array, logits: Any, axis: int) -> Array:
    """Class weights in a shape that broadcasts along ``axis``."""
    shape = [1] * logits.ndim
    shape[axis] = -1
    return weights.reshape(shape)


def _is_probabilities(who: str, logits: Any, target: Any, axis: int) -> bool:
    """Whether the target holds probabilities rather than class indices; raises for what is neither."""
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
    _probabilities(who, "target", target)
    if not isinstance(target, Tensor):
        sums = np.sum(target, axis=axis)
        if sums.size and not np.all(np.abs(sums - 1) < 1e-3):
            worst = sums.ravel()[np.argmax(np.abs(sums - 1))]
            raise ValueError(f"{who}: target probabilities must sum to 1 along axis {axis}; one sum is {worst:.6g}")
    return True


def _probabilities(who: str, what: str, values: Any) -> Any:
    """The values, if all lie in [0, 1]; NaN is let through to show itself in the loss."""
    array = values.data if isinstance(values, Tensor) else values
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(
            f"{who}: a {what} lies outside [0, 1] (smallest {array.min():.6g}, largest {array.max():.6g})"
            + ("; for unbounded outputs use binary_cross_entropy_with_logits" if what == "prediction" else "")
        )
    return values


def _is_plain(logits: Any, target: Any, axis: int) -> bool:
    """Whether this is a matrix of logits and one class index a row, as in nearly every training step."""
    return (
        type(target) is np.ndarray
        and hasattr(logits, "shape")
        and target.dtype.kind in "iu"
        and target.shape == logits.shape[:1] != (0,)
        and len(logits.shape) == 2
        and axis in (-1, 1)
    )


def _rows(who: str, values: Any, target: Any, axis: int) -> tuple[Any, Array]:
    """The values as a matrix with one row a label, and the labels in their own shape, as an integer array."""
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


def _no_such_class(who: str, labels: Array, classes: int) -> IndexError:
    return IndexError(
        f"{who}: labels reach from {labels.min()} to {labels.max()}, but there are {classes} classes "
        f"(0 to {classes - 1})"
    )


def _picked(who: str, values: Any, target: Any, axis: int) -> tuple[Any, Array]:
    """The values at the target classes, and the labels, checked."""
    rows, labels = _rows(who, values, target, axis)
    if labels.size and (labels.min() < 0 or labels.max() >= rows.shape[1]):
        raise _no_such_class(who, labels, rows.shape[1])
    picked = rows[np.arange(labels.size), labels.ravel()]
    return (picked if labels.ndim == 1 else np.reshape(picked, labels.shape)), labels


def _labels(who: str, target: Any) -> Array:
    if isinstance(target, Tensor):
        raise TypeError(f"{who}: the target is a Tensor; class indices are a plain integer array")
    # the labels of a mapping stand for many examples, and are handed on as they are
    return target if hasattr(target, "__array_function__") else np.asarray(target)
