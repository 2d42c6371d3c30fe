"""Connectionist temporal classification: the likelihood of a sequence of labels, wherever in time they stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor, logsumexp

from ..layers.checks import as_array, check_array, whole
from ..layers.structure import values_of
from .checks import check_reduction, reduced
from .loss import Loss

__all__ = ["CTCLoss", "ctc_loss"]

Array = Any

NEVER = -1e30
"""The logarithm of a probability of 0: so low that nothing comes back from it, and yet a number, so no NaN is made."""


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, *, blank: int = 0, reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """-log of the sum of the probabilities of all ways to say the labels, with repetitions and blanks between them.

    ``log_probs`` has shape (T, n, classes), the logarithms of probabilities (``nn.log_softmax``) of each class at each
    of T times; ``targets`` (n, length), padded with anything, or all sequences one after the other.  The lengths are
    those of each input and each target, (n,).  For one example they are (T, classes), (length,) and two numbers.  The
    class ``blank`` says nothing; between two equal labels there must be one.  "mean" divides each loss by the length of
    its target, then takes the mean.  Where the input is too short for its target the loss is infinite, and its gradient
    0; ``zero_infinity`` makes it 0.

    Raises ValueError for shapes and lengths that do not fit and for a blank in a target, IndexError for a label that
    names no class.  (PyTorch's gradient is that of the composition with log_softmax, this one that of the function.)
    Source: A. Graves et al., "Connectionist temporal classification" (2006).

    >>> import numpy as np
    >>> evenly = np.log(np.full((2, 1, 3), 1 / 3))  # of nine ways the three 1 1, 0 1 and 1 0 say 1
    >>> float(np.exp(-ctc_loss(evenly, np.array([[1]]), np.array([2]), np.array([1]))).round(4))
    0.3333
    """
    who = "ctc_loss"
    check_array(who, "log_probs", log_probs)
    check_reduction(who, reduction)
    shape = np.shape(log_probs)
    if len(shape) not in (2, 3) or log_probs.dtype.kind != "f":
        raise ValueError(
            f"{who}: log_probs are {log_probs.dtype} of shape {shape}; they must be floating-point of shape "
            "(T, n, classes), or (T, classes) for one example"
        )
    if not 0 <= (blank := whole(who, "blank", blank, 0)) < shape[-1]:
        raise IndexError(f"{who}: blank is {blank}, but there are {shape[-1]} classes (0 to {shape[-1] - 1})")
    single, dtype = len(shape) == 2, log_probs.dtype
    log_probs = log_probs[:, None] if single else log_probs
    if dtype.char == "e":  # which does not reach to NEVER
        log_probs = log_probs.astype(np.float32)
    times, n, classes = log_probs.shape
    lengths = _lengths(who, "input_lengths", input_lengths, n, times)
    counts = _lengths(who, "target_lengths", target_lengths, n)
    labels = _padded(who, targets, counts, blank, classes)
    losses = -_log_likelihood(log_probs, labels, lengths, counts, blank)
    impossible = values_of(losses) > -0.5 * NEVER
    losses = np.where(impossible, 0.0 if zero_infinity else np.inf, losses).astype(dtype)
    if reduction == "mean":
        losses = losses / np.maximum(counts, 1).astype(dtype)
    return reduced(who, losses[0] if single else losses, reduction)


class CTCLoss(Loss, function=ctc_loss):
    """:func:`nn.ctc_loss` as a module: ``loss(log_probs, targets, input_lengths, target_lengths)``.

    >>> import numpy as np
    >>> evenly = np.log(np.full((3, 2, 4), 0.25))
    >>> float(CTCLoss()(evenly, np.array([[1, 2], [3, 0]]), np.array([3, 3]), np.array([2, 1])).round(4))
    1.8209
    """

    blank: int = 0
    zero_infinity: bool = False


def _log_likelihood(log_probs: Any, labels: Array, lengths: Array, counts: Array, blank: int) -> Any:
    """For each example the logarithm of the probability of its labels, about ``NEVER`` where that is 0: (n,).

    alpha[s] is that of all ways to have said the first s of blank, label, blank, label, ..., blank.  From one time to
    the next a way stays, goes on by one, or by two: over a blank between labels that differ.
    """
    times, n, _ = log_probs.shape
    states = 2 * labels.shape[1] + 1
    said = np.full((n, states), blank)
    said[:, 1::2] = labels
    over = np.zeros((n, states), bool)
    over[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    dtype = log_probs.dtype
    closed = np.where(over, 0.0, NEVER).astype(dtype)
    heard = np.take_along_axis(log_probs, said[None], axis=2)
    heard = np.where(heard < NEVER, np.asarray(NEVER, dtype), heard)  # a probability of 0 gets no gradient
    before = np.full((n, 2), NEVER, dtype)
    alpha: Any = np.full((n, states), NEVER, dtype)
    alpha[:, 0] = 0.0
    cut = bool(np.any(lengths < times))
    for t in range(times):
        wide = np.concatenate([before, alpha], axis=1)
        ways = np.stack([wide[:, 2:], wide[:, 1:-1], wide[:, :-2] + closed])
        after = logsumexp(ways, axis=0) + heard[t]
        alpha = np.where((lengths > t)[:, None], after, alpha) if cut else after
    wide = np.concatenate([before[:, :1], alpha], axis=1)  # a target without labels has one end
    ends = np.take_along_axis(wide, np.stack([2 * counts, 2 * counts + 1], axis=1), axis=1)
    return logsumexp(ends, axis=1)


def _lengths(who: str, name: str, given: Any, n: int, most: int | None = None) -> Array:
    """The lengths of n sequences, checked."""
    lengths = as_array(given)
    shapes = [(n,), ()] if n == 1 else [(n,)]
    if isinstance(given, Tensor) or lengths.shape not in shapes or (lengths.dtype.kind not in "iu" and n):
        raise ValueError(f"{who}: {name} are {lengths.dtype} of shape {lengths.shape}; give {n} integers, ({n},)")
    largest = np.max(lengths, initial=0)
    if bool(np.any(lengths < 0) | (largest > (largest if most is None else most))):
        limit = "0 or more" if most is None else f"from 0 to {most}, the number of times"
        raise ValueError(f"{who}: {name} reach from {np.min(lengths)} to {largest}; they must be {limit}")
    return np.reshape(lengths, (n,)).astype(int)


def _padded(who: str, targets: Any, counts: Array, blank: int, classes: int) -> Array:
    """The labels as a table with one row for each example, (n, longest), filled up with blanks."""
    labels = as_array(targets)
    if isinstance(targets, Tensor) or (labels.dtype.kind not in "iu" and labels.size):
        kind = "a Tensor" if isinstance(targets, Tensor) else labels.dtype
        raise TypeError(f"{who}: targets are {kind}; they must be an array of integers")
    n, longest, total = len(counts), int(np.max(counts, initial=0)), int(np.sum(counts))
    if not ((labels.ndim == 2 and len(labels) == n and labels.shape[1] >= longest) or labels.shape == (total,)):
        raise ValueError(
            f"{who}: targets have shape {labels.shape}; {n} sequences of up to {longest} labels are ({n}, {longest}), "
            f"or one after the other ({total},)"
        )
    places = np.arange(longest)
    inside = places < counts[:, None]
    if labels.ndim == 2:
        table = labels[:, :longest]
    else:
        starts = np.cumsum(counts) - counts
        table = np.where(inside, np.append(labels, blank)[np.where(inside, starts[:, None] + places, 0)], blank)
    table = np.where(inside, table, blank).astype(int)
    if bool(np.any((table < 0) | (table >= classes))):
        raise IndexError(
            f"{who}: labels reach from {table.min()} to {table.max()}, but there are {classes} classes "
            f"(0 to {classes - 1})"
        )
    if bool(np.any(inside & (table == blank))):
        raise ValueError(f"{who}: a target holds {blank}, the blank, which is no label; give the blank another class")
    return table
