"""Losses of binary probabilities, and of their logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import softplus, stop_gradient

from .checks import aligned, cast, in_unit_interval, reduced
from .loss import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "binary_cross_entropy", "binary_cross_entropy_with_logits"]


def binary_cross_entropy(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The negative log-likelihood of targets in [0, 1] under probabilities: -mean(t log(p) + (1 - t) log(1 - p)).

    A wrong prediction of exactly 0 or 1 has an infinite loss.  For the output of a linear layer use
    :func:`binary_cross_entropy_with_logits`, which is exact even if sigmoid rounds to 0 or 1.  Raises ValueError for a
    prediction or target outside [0, 1].

    >>> import numpy as np
    >>> float(binary_cross_entropy(np.array([0.5, 1.0]), np.array([1.0, 1.0])).round(4))
    0.3466
    """
    who = "binary_cross_entropy"
    target = in_unit_interval(who, "target", aligned(who, prediction, target))
    in_unit_interval(who, "prediction", prediction)
    p, t = stop_gradient(prediction), stop_gradient(target)
    # 0 log(0) is 0 here: where both are 0 (or, for the second, both 1) the logarithm is taken of 1
    yes = target * np.log(np.where((p == 0) & (t == 0), 1.0, prediction))
    no = (1.0 - target) * np.log1p(-np.where((p == 1) & (t == 1), 0.0, prediction))
    return reduced(who, 0.0 - (yes + no), reduction)


class BCELoss(Loss, function=binary_cross_entropy):
    """:func:`nn.binary_cross_entropy` as a module.

    >>> import numpy as np
    >>> float(BCELoss()(np.array([0.5]), np.array([1.0])).round(4))
    0.6931
    """


def binary_cross_entropy_with_logits(
    logits: Any, target: Any, *, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """The binary cross-entropy of sigmoid(logits): mean(w t softplus(-x) + (1 - t) softplus(x)).

    Exact at any finite logit, because both terms are positive and nothing cancels.  ``pos_weight`` (w, broadcast over
    the targets) is the weight of positive examples.

    >>> import numpy as np
    >>> binary_cross_entropy_with_logits(np.array([1e4, -1e4]), np.array([1.0, 1.0]), reduction="none").tolist()
    [0.0, 10000.0]
    """
    who = "binary_cross_entropy_with_logits"
    target = in_unit_interval(who, "target", aligned(who, logits, target))
    positive = target * softplus(-logits)
    if pos_weight is not None:
        positive = positive * cast(who, "pos_weight", pos_weight, logits)
    return reduced(who, positive + (1.0 - target) * softplus(logits), reduction)


class BCEWithLogitsLoss(Loss, function=binary_cross_entropy_with_logits):
    """:func:`nn.binary_cross_entropy_with_logits` as a module.

    >>> import numpy as np
    >>> float(BCEWithLogitsLoss()(np.array([0.0]), np.array([1.0])).round(4))
    0.6931
    """

    pos_weight: Any = None
