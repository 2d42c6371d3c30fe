"""Metrics of scores: whether the right class is ranked above the others, as plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers.structure import values_of
from .checks import count_of
from .metrics import labels_of
from .regression import weights_of

__all__ = ["auc", "top_k"]

Array = Any


def auc(predictions: Any, target: Any, *, weights: Any = None) -> float:
    """The area under the ROC curve: the share of pairs of two classes in which the example of class 1 scores higher.

    A tie counts half.  ``predictions`` (n,) or (n, 1) are scores of class 1, of any scale; (n, 2) those of both
    classes, logits or probabilities; (n, classes) of more classes give the mean over the classes of the area of each
    against the rest.  ``target`` (n,) holds labels.  NaN if the target has one class alone, or of several not each:
    there is no such pair.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.75
    """
    scores, labels = _scores("auc", predictions, target)
    weights = np.ones(len(labels)) if weights is None else weights_of("auc", weights, len(labels))
    if scores.ndim == 1:
        if labels.max() > 1:
            raise ValueError(
                f"auc: labels reach to {labels.max()}, but there is one score an example; give (n, classes)"
            )
        return _area(scores, labels == 1, weights)
    if not _probabilities(scores):  # logits of one class say nothing without those of the others
        scores = scores - scores.max(axis=1, keepdims=True)
        scores = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
        if scores.shape[1] == 2:
            return _area(scores[:, 1] - scores[:, 0], labels == 1, weights)
    if scores.shape[1] == 2:
        return _area(scores[:, 1], labels == 1, weights)
    return float(np.mean([_area(scores[:, k], labels == k, weights) for k in range(scores.shape[1])]))


def _area(scores: Array, positive: Array, weights: Array) -> float:
    """The weight of the pairs in the right order, and half of that of ties, of the weight of all pairs."""
    _, place = np.unique(scores, return_inverse=True)
    ours = np.bincount(place, weights=np.where(positive, weights, 0.0))
    others = np.bincount(place, weights=np.where(positive, 0.0, weights))
    pairs = ours.sum() * others.sum()
    if not pairs:
        return float("nan")
    below = np.cumsum(others) - others
    return float(np.sum(ours * (below + others / 2)) / pairs)


def top_k(predictions: Any, target: Any, k: int = 5, *, weights: Any = None) -> float:
    """The fraction of examples whose class is among the ``k`` with the largest scores.

    ``predictions`` (n, classes) are scores, ``target`` (n,) holds labels.  Of equal scores that of the larger class
    counts as larger, as in scikit-learn.  Raises ValueError if ``k`` exceeds the number of classes.

    >>> scores = np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]])
    >>> top_k(scores, np.array([2, 0]), k=2)
    0.5
    """
    scores, labels = _scores("top_k", predictions, target)
    k = count_of("top_k", "k", k, 1)
    if scores.ndim == 1:
        raise ValueError("top_k: there is one score an example; give those of all classes, (n, classes)")
    if k > scores.shape[1]:
        raise ValueError(f"top_k: k is {k}, and there are {scores.shape[1]} classes; each example would be a hit")
    true = scores[np.arange(len(labels)), labels][:, None]
    larger = np.arange(scores.shape[1]) > labels[:, None]
    ahead = np.sum((scores > true) | ((scores == true) & larger), axis=1)
    return float(np.average(ahead < k, weights=weights_of("top_k", weights, len(labels))))


def _probabilities(scores: Array) -> bool:
    tolerance = max(100 * float(np.finfo(scores.dtype).eps), 1e-6)
    return bool(scores.min() >= 0 and np.all(np.abs(scores.sum(axis=1, dtype=float) - 1) <= tolerance))


def _scores(who: str, predictions: Any, target: Any) -> tuple[Array, Array]:
    """Scores (n,) or (n, classes), and labels that fit them."""
    scores, labels = np.asarray(values_of(predictions)), labels_of(who, target)
    if scores.dtype.kind not in "biuf":
        raise TypeError(f"{who}: scores are {scores.dtype}; they must be real numbers")
    if scores.ndim not in (1, 2) or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"{who}: the predictions have shape {scores.shape} and the target {labels.shape}; "
            "scores are (n,) or (n, classes), labels (n,)"
        )
    if not scores.size:
        raise ValueError(f"{who}: there are no examples")
    if np.isnan(scores).any():
        raise ValueError(f"{who}: a score is NaN, which has no rank")
    classes = scores.shape[1] if scores.ndim == 2 and scores.shape[1] > 1 else None
    if labels.min() < 0 or (classes and labels.max() >= classes):
        raise ValueError(
            f"{who}: labels reach from {labels.min()} to {labels.max()}; there are scores of {classes or 2} classes"
        )
    scores = scores if scores.dtype.kind == "f" else scores.astype(float)
    return (scores if classes else scores.reshape(-1)), labels
