"""Losses as modules: objects that hold the options of a loss and are called with (prediction, target)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..layers.module import Module
from .functions import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)


class _Loss(Module):
    """A loss with its options: loss(prediction, target)."""

    def __new__(cls, *values: Any, **options: Any) -> Self:
        if values:
            name = cls.__name__
            raise TypeError(f"{name}: options have names; make the loss, then call it: {name}()(prediction, target)")
        return super().__new__(cls)

    def __init__(self, *, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"{type(self).__name__}: reduction is {reduction!r}; it must be 'mean', 'sum' or 'none'")
        self.reduction = reduction

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction='{self.reduction}'"


class MSELoss(_Loss):
    """:func:`nn.mse_loss` as a module.

    >>> import numpy as np
    >>> float(MSELoss(reduction="sum")(np.array([1.0, 2.0]), np.zeros(2)))
    5.0
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        return mse_loss(prediction, target, reduction=self.reduction)


class L1Loss(_Loss):
    """:func:`nn.l1_loss` as a module.

    >>> import numpy as np
    >>> float(L1Loss()(np.array([1.0, -2.0]), np.zeros(2)))
    1.5
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        return l1_loss(prediction, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """:func:`nn.huber_loss` as a module.

    >>> import numpy as np
    >>> float(HuberLoss()(np.array([3.0]), np.zeros(1)))
    2.5
    """

    def __init__(self, *, delta: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, prediction: Any, target: Any) -> Any:
        return huber_loss(prediction, target, delta=self.delta, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """:func:`nn.cross_entropy` as a module.

    >>> import numpy as np
    >>> float(CrossEntropyLoss()(np.zeros((3, 4)), np.array([0, 1, 2])).round(4))
    1.3863
    """

    def __init__(
        self, *, axis: int = -1, weight: Any = None, label_smoothing: float = 0.0, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.axis: int = axis
        self.label_smoothing: float = label_smoothing
        self.weight: Any = None if weight is None else np.asarray(weight)

    def forward(self, prediction: Any, target: Any) -> Any:
        return cross_entropy(
            prediction, target, axis=self.axis, weight=self.weight, label_smoothing=self.label_smoothing,
            reduction=self.reduction,
        )  # fmt: skip


class NLLLoss(_Loss):
    """:func:`nn.nll_loss` as a module.

    >>> import numpy as np
    >>> float(NLLLoss()(np.log(np.full((3, 4), 0.25)), np.array([0, 1, 2])).round(4))
    1.3863
    """

    def __init__(self, *, axis: int = -1, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.axis = axis
        self.weight: Any = None if weight is None else np.asarray(weight)

    def forward(self, prediction: Any, target: Any) -> Any:
        return nll_loss(prediction, target, axis=self.axis, weight=self.weight, reduction=self.reduction)


class BCELoss(_Loss):
    """:func:`nn.binary_cross_entropy` as a module.

    >>> import numpy as np
    >>> float(BCELoss()(np.array([0.5]), np.array([1.0])).round(4))
    0.6931
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        return binary_cross_entropy(prediction, target, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """:func:`nn.binary_cross_entropy_with_logits` as a module.

    >>> import numpy as np
    >>> float(BCEWithLogitsLoss()(np.array([0.0]), np.array([1.0])).round(4))
    0.6931
    """

    def __init__(self, *, pos_weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.pos_weight: Any = None if pos_weight is None else np.asarray(pos_weight)

    def forward(self, prediction: Any, target: Any) -> Any:
        return binary_cross_entropy_with_logits(
            prediction, target, pos_weight=self.pos_weight, reduction=self.reduction
        )
