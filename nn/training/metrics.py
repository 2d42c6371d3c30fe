"""Metrics: the quality of predictions, as plain numbers.

Predictions are scores or labels.  Scores are floating-point.  With shape (n, classes) the largest score decides.  With
shape (n,) or (n, 1) a score of at least ``threshold`` means class 1.  The default 0.5 suits probabilities; scores
outside [0, 1] are refused without a threshold (0.0 suits logits).  Labels are integers or booleans of shape (n,), and
are used unchanged.

``weights`` has one number of at least 0 for each example.  A ratio with the denominator 0 is ``zero_division``, by
default 0.0: the precision if nothing was predicted, the recall if there was nothing to find.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers.structure import values_of
from .regression import weights_of

__all__ = ["accuracy", "confusion_matrix", "decide", "f1", "precision", "recall"]

Array = Any
Threshold = float | None


def decide(predictions: Any, threshold: Threshold = None) -> Array:
    """The predicted labels, as integers.

    >>> decide(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist(), decide(np.array([0.2, 0.5, 0.7])).tolist()
    ([1, 0], [0, 1, 1])
    """
    scores = np.asarray(values_of(predictions))
    if scores.dtype.kind in "biu" and scores.ndim == 1:
        return scores.astype(np.int64)
    if scores.dtype.kind != "f":
        raise TypeError(f"decide: predictions are {scores.dtype} of shape {scores.shape}; give scores, or labels (n,)")
    if np.isnan(scores).any():
        raise ValueError("decide: a score is NaN, which decides nothing")
    if scores.ndim == 2 and scores.shape[1] > 1:
        return scores.argmax(axis=1)
    if scores.ndim == 1 or (scores.ndim == 2 and scores.shape[1] == 1):
        if threshold is None:
            if scores.size and (scores.min() < 0 or scores.max() > 1):
                raise ValueError(
                    f"decide: scores reach from {scores.min():.3g} to {scores.max():.3g}, so none are probabilities; "
                    "say where class 1 begins: threshold=0.0 for logits"
                )
            threshold = 0.5
        elif not isinstance(threshold, int | float | np.number) or threshold != threshold:
            raise ValueError(f"decide: threshold is {threshold!r}; it must be a number")
        return (scores.reshape(-1) >= threshold).astype(np.int64)
    raise ValueError(f"decide: predictions have shape {scores.shape}; scores are (n,), (n, 1) or (n, classes)")


def accuracy(predictions: Any, target: Any, *, threshold: Threshold = None, weights: Any = None) -> float:
    """The fraction of predictions that are right.

    >>> accuracy(np.array([0.9, 0.2, 0.6, 0.4]), np.array([1, 0, 0, 0]))
    0.75
    """
    decided, labels = _pair("accuracy", predictions, target, threshold)
    return float(np.average(decided == labels, weights=weights_of("accuracy", weights, len(labels))))


def confusion_matrix(
    predictions: Any, target: Any, *, classes: int | None = None, threshold: Threshold = None, weights: Any = None
) -> Array:
    """The number of examples of each class (row) that were predicted as each class (column), as an integer array.

    With ``weights`` it is the sum of their weights.

    ``classes`` is one more than the largest label unless given (or the number of columns of the scores).

    >>> confusion_matrix(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2])).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    """
    return _matrix("confusion_matrix", predictions, target, classes, threshold, weights)


def _matrix(who: str, predictions: Any, target: Any, classes: int | None, threshold: Threshold, weights: Any) -> Array:
    decided, labels = _pair(who, predictions, target, threshold)
    largest = int(max(decided.max(), labels.max()))
    if classes is None:
        shape = np.shape(values_of(predictions))
        classes = max(largest + 1, shape[1] if len(shape) == 2 else 0, 2)
    if largest >= classes or min(decided.min(), labels.min()) < 0:
        raise ValueError(
            f"{who}: labels reach from {min(decided.min(), labels.min())} to {largest}; "
            f"with {classes} classes they must lie in 0 to {classes - 1}"
        )
    weights = weights_of(who, weights, len(labels))
    return np.bincount(labels * classes + decided, weights, classes * classes).reshape(classes, classes)


def precision(
    predictions: Any, target: Any, *, threshold: Threshold = None, average: str | None = "binary",
    zero_division: float = 0.0, weights: Any = None,
) -> Any:  # fmt: skip
    """The fraction of the examples predicted in a class that belong to it: TP / (TP + FP).

    ``average``: ``"binary"`` is the value of class 1 of two, ``"macro"`` the mean over classes, ``"micro"`` counts all
    examples together, ``"weighted"`` weighs classes by frequency, None returns one number for each class.

    >>> precision(np.array([0.9, 0.6, 0.4]), np.array([1, 0, 1]))
    0.5
    """
    return _rate("precision", predictions, target, threshold, average, zero_division, weights)


def recall(
    predictions: Any, target: Any, *, threshold: Threshold = None, average: str | None = "binary",
    zero_division: float = 0.0, weights: Any = None,
) -> Any:  # fmt: skip
    """The fraction of the examples of a class predicted in it: TP / (TP + FN); ``average`` as in :func:`precision`.

    >>> recall(np.array([0.9, 0.6, 0.4]), np.array([1, 0, 1]), threshold=0.3)
    1.0
    """
    return _rate("recall", predictions, target, threshold, average, zero_division, weights)


def f1(
    predictions: Any, target: Any, *, threshold: Threshold = None, average: str | None = "binary",
    zero_division: float = 0.0, weights: Any = None,
) -> Any:  # fmt: skip
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).  ``average`` as in :func:`precision`.

    >>> f1(np.array([0.9, 0.6, 0.4]), np.array([1, 0, 1]))
    0.5
    """
    return _rate("f1", predictions, target, threshold, average, zero_division, weights)


def _rate(
    who: str, predictions: Any, target: Any, threshold: Threshold, average: str | None, zero_division: float,
    weights: Any,
) -> Any:  # fmt: skip
    if average not in ("binary", "macro", "micro", "weighted", None):
        raise ValueError(f"{who}: average is {average!r}; it must be 'binary', 'macro', 'micro', 'weighted' or None")
    matrix = _matrix(who, predictions, target, None, threshold, weights)
    hits, found, there = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    if average == "micro":
        hits, found, there = hits.sum(keepdims=True), found.sum(keepdims=True), there.sum(keepdims=True)
    above, below = {"precision": (hits, found), "recall": (hits, there), "f1": (2 * hits, found + there)}[who]
    rates = np.where(below == 0, float(zero_division), above / np.where(below == 0, 1, below))
    if average is None:
        return rates
    if average == "micro":
        return float(rates[0])
    if average == "binary":
        if len(rates) != 2:
            raise ValueError(
                f"{who}: there are {len(rates)} classes; choose average='macro', 'micro', 'weighted' or None"
            )
        return float(rates[1])
    if average == "weighted":
        return float(np.sum(rates * there) / there.sum())
    # a class that neither occurs nor was predicted has no part in the mean
    counts = matrix if weights is None else _matrix(who, predictions, target, None, threshold, None)
    present = counts.any(axis=0) | counts.any(axis=1)
    return float(np.mean(rates[present]))


def labels_of(who: str, target: Any) -> Array:
    """Labels, one for each example, as integers; (n, 1) is taken as (n,)."""
    labels = np.asarray(values_of(target))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "biuf":
        raise TypeError(f"{who}: the target is {labels.dtype}; labels are integers")
    with np.errstate(invalid="ignore"):
        whole = labels.astype(np.int64)
    if labels.dtype.kind == "f" and not np.array_equal(whole, labels):
        raise TypeError(f"{who}: the target is {labels.dtype} with fractions; labels are whole numbers")
    return whole


def _pair(who: str, predictions: Any, target: Any, threshold: Threshold) -> tuple[Array, Array]:
    decided, labels = decide(predictions, threshold), labels_of(who, target)
    if labels.shape != decided.shape:
        raise ValueError(
            f"{who}: there are predictions for {decided.shape[0]} examples, the target has shape {labels.shape}; "
            "labels are one integer an example"
        )
    if not labels.size:
        raise ValueError(f"{who}: there are no examples")
    return decided, labels
