"""Nonlinear functions as modules, and softmax.

At their kinks: ReLU'(0) = 0, LeakyReLU'(0) = slope.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import erf, logsumexp, relu, sigmoid, softplus, stop_gradient

from .module import Module

__all__ = [
    "GELU",
    "LeakyReLU",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "log_softmax",
    "softmax",
]

Array = Any


def log_softmax(x: Any, axis: int = -1) -> Any:
    """log(softmax(x)) along ``axis``: x - log(sum(exp(x))).

    Subtracts the largest element first, so that it is exact to the last digits at any magnitude.

    >>> import numpy as np
    >>> log_softmax(np.array([1e4, 1e4 - 1.0])).round(4).tolist()
    [-0.3133, -1.3133]
    """
    return _log_softmax("log_softmax", x, axis)


def _log_softmax(name: str, x: Any, axis: int) -> Any:
    try:
        shifted = x - np.max(stop_gradient(x), axis=axis, keepdims=True)
    except np.exceptions.AxisError:
        raise np.exceptions.AxisError(f"{name}: axis {axis} is out of bounds for shape {np.shape(x)}") from None
    return shifted - logsumexp(shifted, axis=axis, keepdims=True)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along ``axis``: positive numbers that sum to 1.

    >>> import numpy as np
    >>> softmax(np.array([1e4, 1e4])).tolist()
    [0.5, 0.5]
    """
    return np.exp(_log_softmax("softmax", x, axis))


class ReLU(Module):
    """max(x, 0).

    >>> import numpy as np
    >>> ReLU()(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: Any) -> Any:
        return relu(x)


class LeakyReLU(Module):
    """x where x > 0, slope x elsewhere.

    >>> import numpy as np
    >>> LeakyReLU(0.1)(np.array([-1.0, 2.0])).tolist()
    [-0.1, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope: float = _finite("LeakyReLU", "negative_slope", negative_slope)

    def forward(self, x: Any) -> Any:
        return np.where(x > 0, x, x * self.negative_slope)

    def extra_repr(self) -> str:
        return f"{self.negative_slope:g}"


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    >>> import numpy as np
    >>> Sigmoid()(np.array([-1e4, 0.0, 1e4])).tolist()
    [0.0, 0.5, 1.0]
    """

    def forward(self, x: Any) -> Any:
        return sigmoid(x)


class Tanh(Module):
    """tanh(x).

    >>> import numpy as np
    >>> Tanh()(np.array([0.0, 1e4])).tolist()
    [0.0, 1.0]
    """

    def forward(self, x: Any) -> Any:
        return np.tanh(x)


class GELU(Module):
    """x Phi(x), Phi the normal distribution's cumulative function: x / 2 (1 + erf(x / sqrt(2))).

    With ``approximate="tanh"`` the approximation x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))), written with
    sigmoid(2 u) = (1 + tanh(u)) / 2, which GPT-2 was trained with.  It differs by less than 5e-4 and takes half the
    time.  Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units" (2016).

    >>> import numpy as np
    >>> GELU()(np.array([-1e4, 0.0, 1.0])).round(4).tolist()
    [-0.0, 0.0, 0.8413]
    >>> GELU("tanh")(np.array([-1e4, 0.0, 1.0])).round(4).tolist()
    [-0.0, 0.0, 0.8412]
    """

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate is {approximate!r}; it must be 'none' or 'tanh'")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        if self.approximate == "none":
            return x * (erf(x * _ROOT_HALF) * 0.5 + 0.5)
        return x * sigmoid((x + (x * x) * x * 0.044715) * _GELU_SCALE)

    def extra_repr(self) -> str:
        return "" if self.approximate == "none" else f"approximate={self.approximate!r}"


_ROOT_HALF = math.sqrt(0.5)
_GELU_SCALE = 2.0 * math.sqrt(2.0 / math.pi)


class SiLU(Module):
    """x sigmoid(x), also called swish.

    >>> import numpy as np
    >>> SiLU()(np.array([0.0, 1e4])).tolist()
    [0.0, 10000.0]
    """

    def forward(self, x: Any) -> Any:
        return x * sigmoid(x)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta.

    >>> import numpy as np
    >>> Softplus()(np.array([-1e4, 1e4])).tolist()
    [0.0, 10000.0]
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta: float = _finite("Softplus", "beta", beta)
        if beta <= 0:
            raise ValueError(f"Softplus: beta is {beta}; it must be positive")

    def forward(self, x: Any) -> Any:
        return softplus(x) if self.beta == 1 else softplus(x * self.beta) * (1.0 / self.beta)

    def extra_repr(self) -> str:
        return "" if self.beta == 1 else f"beta={self.beta:g}"


class Softmax(Module):
    """softmax along ``axis``.  For training use CrossEntropyLoss on the inputs of this instead.

    >>> import numpy as np
    >>> Softmax()(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        return softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """log(softmax(x)) along ``axis``.

    >>> import numpy as np
    >>> LogSoftmax()(np.array([[1e4, 0.0]])).tolist()
    [[0.0, -10000.0]]
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        return log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


def _finite(who: str, what: str, value: float) -> float:
    if not isinstance(value, int | float | np.floating) or not math.isfinite(value):
        raise ValueError(f"{who}: {what} is {value!r}; it must be a finite number")
    return float(value)
