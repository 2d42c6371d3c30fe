"""logsumexp, softmax, and the cross-entropy that is made of them: exact where exp overflows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import add_up, cast, is_foreign, owned
from ..primitive import example, registry, sample
from ..recording import original
from ..registering import primitive
from ..ufuncs import reductions
from .complexes import to_complex
from .precision import over_count
from .reduction import AXES, spread

Array = Any


@primitive(
    lambda g, x, y, axis: spread(g, x.shape, axis) * _softmax_of(x, spread(y, x.shape, axis)),
    examples=AXES, method="logsumexp",
)  # fmt: skip
def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) along ``axis``, exact where exp overflows; -inf if there are no elements.

    Of complex numbers the principal branch, with an imaginary part from -pi to pi.
    A primitive because the composition overflows, and its stable form needs twice the passes.

    >>> import numpy as np
    >>> from autodiff import logsumexp
    >>> float(logsumexp(np.array([1000.0, 1000.0])).round(3))
    1000.693
    """
    top = np.max(np.real(x) if x.size else np.ones((1,) * x.ndim, x.dtype), axis=axis, keepdims=True)
    top = cast(np.where(np.isfinite(top), top, 0.0), top.dtype)
    wide = np.float32 if x.dtype.char == "e" else None  # 65,520 equal elements would overflow
    with np.errstate(divide="ignore"):
        total = np.log(add_up(np.exp(x - top), axis=axis, keepdims=True, dtype=wide)) + top
    total = total if wide is None else cast(total, x.dtype)
    return total if keepdims else add_up(total, axis=axis)


_in_the_table = original(logsumexp)
reductions[np.logaddexp] = lambda a, **options: registry[_in_the_table].call(a, **options)


def _softmax_of(x: Array, total: Array) -> Array:
    """exp(x - logsumexp(x)), and 1 for a part that is all of it."""
    return np.exp(x - total)


def _softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along an axis."""
    if not x.size:
        return np.positive(x)
    if isinstance(x, np.ndarray):  # in place: the room for one array, not for three
        e = x - np.maximum.reduce(x, axis=axis, keepdims=True)
        np.exp(e, out=e)
        e /= np.add.reduce(e, axis=axis, keepdims=True)
        return e
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _through_softmax(g: Array, y: Array, axis: int) -> Array:
    """y (g - sum(g y)): what a change of one element takes from the others."""
    product = g * y
    return product - y * add_up(product, axis=axis, keepdims=True)


@primitive(
    lambda g, y, axis: _through_softmax(g, y, axis),
    examples=[example(sample(2, 3)), example(sample(2, 3), axis=0), example(sample(4)), example(sample(2, 3, 2), 1),
              example(sample(2, 0)), example(sample(0, 3))],
    errors=[example(sample(2, 3), axis=2), example(sample(3, make=to_complex))],
    analytic=False,
)  # fmt: skip
def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along ``axis``: positive numbers that sum to 1, exact at any size of x.

    An element of -inf becomes 0.  A primitive because it takes a quarter of the time of the composition.

    >>> import numpy as np
    >>> from autodiff import softmax
    >>> softmax(np.array([1e4, 1e4, -np.inf])).tolist()
    [0.5, 0.5, 0.0]
    """
    if x.dtype.kind == "c":
        raise TypeError("softmax: needs real numbers, which have a largest")
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(f"softmax: axis {axis} is out of bounds for shape {x.shape}")
    return _softmax(x, axis)


def _one_hot(labels: Any, like: Array) -> Any:
    classes = np.arange(like.shape[-1])
    return owned(labels[:, None] == owned(classes, labels), like)


def _distance(logits: Array, labels: Any) -> Array:
    """softmax(logits) - onehot(labels), the derivative of a row's loss."""
    if isinstance(logits, np.ndarray) and isinstance(labels, np.ndarray):
        distance = _softmax(logits)
        distance[np.arange(len(labels)), labels] -= 1
        return distance
    return _softmax(logits) - _one_hot(labels, logits)


def _losses_unseen(logits: Array, labels: Any) -> Array:
    """The loss of each row without a look at the labels: NaN for a label that names no class."""
    if not is_foreign(labels) and np.any((labels < 0) | (labels >= logits.shape[-1])):
        raise IndexError(f"a label names no class; labels are 0 to {logits.shape[-1] - 1}")
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    hot = _one_hot(labels, logits)
    chosen = np.where(np.any(hot, axis=-1), np.sum(np.where(hot, shifted, 0.0), axis=-1), np.nan)
    return np.log(np.sum(np.exp(shifted), axis=-1)) - chosen


@primitive(
    lambda g, logits, labels, mean: (
        (over_count(g, labels.shape[0]) if mean else g[:, None]) * _distance(logits, labels)
    ),
    examples=[example(sample(4, 3), np.array([0, 2, 1, 1])), example(sample(0, 3), np.zeros(0, int)),
              example(sample(4, 3), np.array([0, 2, 1, 1]), mean=True)],
    errors=[example(sample(2, 3), np.array([0, 3])), example(sample(2, 3), np.array([0, -1]))],
)  # fmt: skip
def softmax_cross_entropy(logits: Array, labels: Array, mean: bool = False) -> Array:
    """-log softmax(logits)[label] for each row of logits (n, classes) and its label (n,), or their ``mean``.

    Exact at any size of logits.  A primitive because it takes half the time of the composition of logsumexp and
    indexing that it equals.  Raises IndexError for a label that names no class.

    >>> softmax_cross_entropy(np.array([[0.0, 0.0], [1e4, 0.0]]), np.array([0, 1])).round(3).tolist()
    [0.693, 10000.0]
    """
    if labels.shape[:1] != logits.shape[:1]:
        raise ValueError(f"{logits.shape[0]} rows of logits and {labels.size} labels; give one each")
    if is_foreign(logits) or is_foreign(labels):
        losses = _losses_unseen(logits, labels)
        return np.mean(losses) if mean else losses
    if labels.size and np.minimum.reduce(labels) < 0:  # it would count from the end
        raise IndexError(f"label {labels.min()} is negative; labels are 0 to {logits.shape[-1] - 1}")
    shifted = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
    total = np.log(np.add.reduce(np.exp(shifted), axis=-1))
    losses = total - shifted[np.arange(len(labels)), labels]
    return _mean(losses) if mean else losses


def _mean(losses: Array) -> Array:
    """np.mean's arithmetic, not its Python."""
    return np.mean(losses) if losses.dtype.char == "e" else np.add.reduce(losses) / len(losses)
