"""Losses of distances and angles between vectors, and margins."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import relu

from ..layers.checks import check_array
from ..layers.structure import values_of
from .checks import aligned, cast, reduced
from .loss import Loss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "TripletMarginLoss",
    "cosine_embedding_loss",
    "cosine_similarity",
    "hinge_embedding_loss",
    "normalize",
    "triplet_margin_loss",
]


def normalize(x: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    """x / max(norm(x), eps), with the p-norm along ``axis``.

    >>> import numpy as np
    >>> normalize(np.array([[3.0, 4.0]])).tolist()
    [[0.6, 0.8]]
    """
    if not -np.ndim(x) <= axis < np.ndim(x):
        raise np.exceptions.AxisError(f"normalize: axis {axis} is out of bounds for shape {np.shape(x)}")
    return x / np.clip(np.linalg.norm(x, p, axis=axis, keepdims=True), eps, None)


def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along ``axis``: x1 x2 / (max(|x1|, eps) max(|x2|, eps)).

    The arguments broadcast; the result lacks ``axis``.

    >>> import numpy as np
    >>> cosine_similarity(np.array([[1.0, 0.0]]), np.array([[2.0, 2.0]])).round(4).tolist()
    [0.7071]
    """
    try:
        shape = np.broadcast_shapes(np.shape(x1), np.shape(x2))
    except ValueError:
        shape = ()
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"cosine_similarity: the arguments have shapes {np.shape(x1)} and {np.shape(x2)}; they must broadcast, and "
            f"have an axis {axis}"
        )
    # with as many axes, so that the axis is that of both
    one, two = (np.reshape(x, (1,) * (len(shape) - np.ndim(x)) + np.shape(x)) for x in (x1, x2))
    return np.sum(normalize(one, axis=axis, eps=eps) * normalize(two, axis=axis, eps=eps), axis=axis)


def _signs(who: str, target: Any, like: Any, shape: tuple[int, ...]) -> Any:
    """A target of 1 and -1, checked, in the dtype of the prediction."""
    target = cast(who, "target", target, like)
    if np.shape(target) != shape:
        raise ValueError(f"{who}: the target has shape {np.shape(target)}; it must be {shape}, 1 or -1 for each")
    values = values_of(target)
    if values.size and bool(np.any((values != 1) & (values != -1))):
        raise ValueError(f"{who}: the target must be 1 or -1; it reaches from {values.min():.6g} to {values.max():.6g}")
    return target


def hinge_embedding_loss(prediction: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """The distance itself where the target is 1, max(0, margin - distance) where it is -1.

    >>> import numpy as np
    >>> hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1, -1]), reduction="none").tolist()
    [0.25, 0.75]
    """
    who = "hinge_embedding_loss"
    check_array(who, "prediction", prediction)
    signs = _signs(who, target, prediction, prediction.shape)
    return reduced(who, np.where(signs > 0, prediction, relu(margin - prediction)), reduction)


class HingeEmbeddingLoss(Loss, function=hinge_embedding_loss):
    """:func:`nn.hinge_embedding_loss` as a module.

    >>> import numpy as np
    >>> float(HingeEmbeddingLoss()(np.array([0.25]), np.array([-1])))
    0.75
    """

    margin: float = 1.0


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, *, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1, for each pair of vectors.

    The inputs have shape (n, size) or (size,), the target (n,) or ().

    >>> import numpy as np
    >>> x, y = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> cosine_embedding_loss(x, y, np.array([1, -1]), reduction="none").round(6).tolist()
    [1.0, 1.0]
    """
    who = "cosine_embedding_loss"
    check_array(who, "input1", input1)
    input2 = aligned(who, input1, input2)
    if input1.ndim not in (1, 2):
        raise ValueError(f"{who}: the inputs have shape {input1.shape}; they must be (n, size) or (size,)")
    # under the root, as in PyTorch, so that two vectors of zeros have a cosine of 0
    eps = 1e-12
    squares = [np.sum(x * x, axis=-1) + eps for x in (input1, input2)]
    cosine = np.sum(input1 * input2, axis=-1) / np.sqrt(squares[0] * squares[1])
    signs = _signs(who, target, input1, input1.shape[:-1])
    return reduced(who, np.where(signs > 0, 1.0 - cosine, relu(cosine - margin)), reduction)


class CosineEmbeddingLoss(Loss, function=cosine_embedding_loss):
    """:func:`nn.cosine_embedding_loss` as a module: ``loss(input1, input2, target)``.

    >>> import numpy as np
    >>> float(CosineEmbeddingLoss()(np.eye(2), np.eye(2), np.array([1, 1])).round(6))
    0.0
    """

    margin: float = 0.0


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, *, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with d(a, b) the p-norm of a - b + eps.

    The inputs have shape (n, size) or (size,).  With ``swap`` the distance to the negative is that of the nearer of
    anchor and positive.

    >>> import numpy as np
    >>> a = np.zeros((1, 2))
    >>> float(triplet_margin_loss(a, a + 3.0, a + 3.0).round(4))
    1.0
    """
    who = "triplet_margin_loss"
    check_array(who, "anchor", anchor)
    positive, negative = aligned(who, anchor, positive), aligned(who, anchor, negative)
    if not margin > 0:
        raise ValueError(f"{who}: margin is {margin}; it must be positive")

    def distance(a: Any, b: Any) -> Any:
        return np.linalg.norm(a - b + eps, p, axis=-1)

    far = distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return reduced(who, relu(distance(anchor, positive) - far + margin), reduction)


class TripletMarginLoss(Loss, function=triplet_margin_loss):
    """:func:`nn.triplet_margin_loss` as a module: ``loss(anchor, positive, negative)``.

    >>> import numpy as np
    >>> a = np.zeros((1, 2))
    >>> float(TripletMarginLoss(margin=2.0)(a, a, a).round(4))
    2.0
    """

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
