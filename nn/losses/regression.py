"""Losses of numbers: squared, absolute, and Huber's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import aligned, reduced
from .loss import Loss

__all__ = ["HuberLoss", "L1Loss", "MSELoss", "huber_loss", "l1_loss", "mse_loss"]


def mse_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean squared error: mean((prediction - target)²).

    >>> import numpy as np
    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    2.5
    """
    error = prediction - aligned("mse_loss", prediction, target)
    return reduced("mse_loss", error * error, reduction)


class MSELoss(Loss, function=mse_loss):
    """:func:`nn.mse_loss` as a module.

    >>> import numpy as np
    >>> float(MSELoss(reduction="sum")(np.array([1.0, 2.0]), np.zeros(2)))
    5.0
    """


def l1_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The mean absolute error: mean(|prediction - target|).

    >>> import numpy as np
    >>> float(l1_loss(np.array([1.0, 2.0]), np.array([0.0, 4.0])))
    1.5
    """
    return reduced("l1_loss", abs(prediction - aligned("l1_loss", prediction, target)), reduction)


class L1Loss(Loss, function=l1_loss):
    """:func:`nn.l1_loss` as a module.

    >>> import numpy as np
    >>> float(L1Loss()(np.array([1.0, -2.0]), np.zeros(2)))
    1.5
    """


def huber_loss(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Squared near 0 and linear elsewhere: e² / 2 where |e| <= delta, else delta (|e| - delta / 2).

    Computed as c (e - c / 2) with c = clip(e, -delta, delta), which has a continuous derivative.

    >>> import numpy as np
    >>> huber_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none").tolist()
    [0.125, 2.5]
    """
    if not 0 < delta < np.inf:
        raise ValueError(f"huber_loss: delta is {delta}; it must be positive and finite")
    error = prediction - aligned("huber_loss", prediction, target)
    near = np.clip(error, -float(delta), float(delta))
    return reduced("huber_loss", near * (error - near * 0.5), reduction)


class HuberLoss(Loss, function=huber_loss):
    """:func:`nn.huber_loss` as a module.

    >>> import numpy as np
    >>> float(HuberLoss()(np.array([3.0]), np.zeros(1)))
    2.5
    """

    delta: float = 1.0
