"""Negative log-likelihoods of counts and of numbers with a variance, and the divergence of distributions."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from autodiff import stop_gradient

from ..layers.checks import check_array
from ..layers.structure import values_of
from .checks import REDUCTIONS, aligned, cast, reduced
from .loss import Loss

__all__ = [
    "GaussianNLLLoss",
    "KLDivLoss",
    "PoissonNLLLoss",
    "gaussian_nll_loss",
    "kl_div",
    "poisson_nll_loss",
]


def kl_div(prediction: Any, target: Any, *, log_target: bool = False, reduction: str = "mean") -> Any:
    """target (log(target) - prediction) for each element: the prediction is of log-probabilities, the target not.

    With ``log_target`` the target is of log-probabilities too.  ``reduction="batchmean"`` divides the sum by the length
    of the first axis, which is the divergence of Kullback and Leibler; "mean" divides by the number of elements.

    >>> import numpy as np
    >>> p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    >>> float(kl_div(np.log(q), p, reduction="batchmean").round(4))
    0.1438
    """
    who = "kl_div"
    target = aligned(who, prediction, target)
    if log_target:
        losses = np.exp(target) * (target - prediction)
    else:
        zero = stop_gradient(target) <= 0  # 0 log(0) is 0
        losses = np.where(zero, 0.0, target * (np.log(np.where(zero, 1.0, target)) - prediction))
    if reduction != "batchmean":
        return reduced(who, losses, reduction)
    if not losses.ndim or not losses.size:
        raise ValueError(f"{who}: the batch has shape {losses.shape}, which has no mean; use reduction='sum'")
    return losses.sum() * (1.0 / losses.shape[0])


class KLDivLoss(Loss, function=kl_div):
    """:func:`nn.kl_div` as a module.

    >>> import numpy as np
    >>> float(KLDivLoss(reduction="batchmean")(np.log(np.array([[0.5, 0.5]])), np.array([[0.5, 0.5]])))
    0.0
    """

    reductions: ClassVar[tuple[str, ...]] = (*REDUCTIONS, "batchmean")
    log_target: bool = False


def poisson_nll_loss(
    prediction: Any, target: Any, *, log_input: bool = True, full: bool = False, eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The negative log-likelihood of counts under Poisson distributions: exp(x) - target x, x the logarithm of a mean.

    Without ``log_input`` x is the mean: x - target log(x + eps).  ``full`` adds Stirling's approximation of
    log(target!) where the target is larger than 1.

    >>> import numpy as np
    >>> float(poisson_nll_loss(np.zeros(1), np.array([3.0])))
    1.0
    """
    who = "poisson_nll_loss"
    target = aligned(who, prediction, target)
    mean, log = (np.exp(prediction), prediction) if log_input else (prediction, np.log(prediction + eps))
    losses = mean - target * log
    if full:
        large = stop_gradient(target) > 1
        t = np.where(large, target, 1.0)
        stirling = t * np.log(t) - t + 0.5 * np.log(t * (2.0 * math.pi))
        losses = losses + np.where(large, stirling, 0.0)
    return reduced(who, losses, reduction)


class PoissonNLLLoss(Loss, function=poisson_nll_loss):
    """:func:`nn.poisson_nll_loss` as a module.

    >>> import numpy as np
    >>> float(PoissonNLLLoss(log_input=False)(np.ones(1), np.array([3.0])).round(4))
    1.0
    """

    log_input: bool = True
    full: bool = False
    eps: float = 1e-8


def gaussian_nll_loss(
    prediction: Any, target: Any, var: Any, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood of numbers with a normal distribution: (log(var) + (prediction - target)² / var) / 2.

    ``var`` has the shape of the prediction, or without its last axis, or 1 there.  Where it is less than ``eps``, it
    counts as ``eps``, and its derivative stays that of the formula.  ``full`` adds log(2 pi) / 2.  Raises ValueError
    for a negative variance.

    >>> import numpy as np
    >>> float(gaussian_nll_loss(np.zeros(1), np.array([2.0]), np.ones(1)))
    2.0
    """
    who = "gaussian_nll_loss"
    target = aligned(who, prediction, target)
    var = cast(who, "var", var, prediction)
    check_array(who, "var", var)
    shape = prediction.shape
    if var.shape == shape[:-1] != shape:
        var = np.reshape(var, (*var.shape, 1))
    elif var.shape not in (shape, (*shape[:-1], 1)):
        raise ValueError(f"{who}: var has shape {var.shape}; for a prediction of {shape} it must be that, or one a row")
    values = values_of(var)
    if values.size and bool(np.any(values < 0)):
        raise ValueError(f"{who}: a variance is negative ({values.min():.6g}); pass np.exp(x) or nn.softplus(x)")
    var = var + np.maximum(eps - stop_gradient(var), 0.0)  # its derivative is that of var, as in PyTorch
    error = prediction - target
    losses = (np.log(var) + error * error / var) * 0.5
    return reduced(who, losses + 0.5 * math.log(2.0 * math.pi) if full else losses, reduction)


class GaussianNLLLoss(Loss, function=gaussian_nll_loss):
    """:func:`nn.gaussian_nll_loss` as a module: ``loss(prediction, target, var)``.

    >>> import numpy as np
    >>> float(GaussianNLLLoss()(np.zeros(1), np.zeros(1), np.ones(1)))
    0.0
    """

    full: bool = False
    eps: float = 1e-6
