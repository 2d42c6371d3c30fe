"""Nonlinear functions as modules, and softmax.

At their kinks: ReLU'(0) = 0, LeakyReLU'(0) = PReLU'(0) = slope, ELU'(0) = alpha, Hardtanh' = 0 at both ends.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import Tensor, erf, logsumexp, relu, sigmoid, softmax, softplus, stop_gradient

from .checks import data, finite, floating, whole
from .module import Module

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "Hardtanh",
    "LeakyReLU",
    "LogSoftmax",
    "Mish",
    "PReLU",
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
    try:
        shifted = x - np.max(stop_gradient(x), axis=axis, keepdims=True)
    except np.exceptions.AxisError:
        raise np.exceptions.AxisError(f"log_softmax: axis {axis} is out of bounds for shape {np.shape(x)}") from None
    return shifted - logsumexp(shifted, axis=axis, keepdims=True)


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
        self.negative_slope: float = finite("LeakyReLU", "negative_slope", negative_slope)

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
        self.beta: float = finite("Softplus", "beta", beta)
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


class ELU(Module):
    """x where x > 0, alpha (exp(x) - 1) elsewhere.

    Source: D. Clevert et al., "Fast and accurate deep network learning by exponential linear units" (2015).

    >>> import numpy as np
    >>> ELU()(np.array([-1e4, 2.0])).tolist()
    [-1.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha: float = finite("ELU", "alpha", alpha)

    def forward(self, x: Any) -> Any:
        positive = x > 0
        return np.where(positive, x, np.expm1(np.where(positive, 0.0, x)) * self.alpha)

    def extra_repr(self) -> str:
        return f"{self.alpha:g}"


class Mish(Module):
    """x tanh(log(1 + exp(x))).

    Source: D. Misra, "Mish: a self regularized non-monotonic activation function" (2019).

    >>> import numpy as np
    >>> Mish()(np.array([0.0, 1e4])).tolist()
    [0.0, 10000.0]
    """

    def forward(self, x: Any) -> Any:
        return x * np.tanh(softplus(x))


class Hardtanh(Module):
    """x, limited to the interval from ``min_val`` to ``max_val``.

    >>> import numpy as np
    >>> Hardtanh()(np.array([-3.0, 0.5, 3.0])).tolist()
    [-1.0, 0.5, 1.0]
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val: float = finite("Hardtanh", "min_val", min_val)
        self.max_val: float = finite("Hardtanh", "max_val", max_val)
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val is {min_val}, max_val {max_val}; it must be larger")

    def forward(self, x: Any) -> Any:
        return np.clip(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"{self.min_val:g}, {self.max_val:g}"


class GLU(Module):
    """a sigmoid(b), where a and b are the halves of x along ``axis``.

    Raises ValueError if the axis has an odd length.  Source: Y. Dauphin et al., "Language modeling with gated
    convolutional networks" (2016).

    >>> import numpy as np
    >>> GLU()(np.array([2.0, 3.0, 0.0, 1e4])).tolist()
    [1.0, 3.0]
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        if not np.ndim(x) or np.shape(x)[self.axis] % 2:
            raise ValueError(f"GLU: the input has shape {np.shape(x)}; axis {self.axis} must have an even length")
        a, b = np.split(x, 2, axis=self.axis)
        return a * sigmoid(b)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class PReLU(Module):
    """x where x > 0, weight x elsewhere, with a trained slope: one for all elements, or one for each channel.

    x has shape (n, channels, ...); ``weight`` is (num_parameters,), which is 1 or the number of channels, and starts at
    ``init``.  Source: K. He et al., "Delving deep into rectifiers" (2015).

    >>> import numpy as np
    >>> PReLU()(np.array([-1.0, 2.0], dtype=np.float32)).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = np.float32) -> None:
        self.num_parameters: int = whole("PReLU", "num_parameters", num_parameters)
        start = finite("PReLU", "init", init)
        self.weight: Tensor = Tensor(np.full((self.num_parameters,), start, floating("PReLU", dtype)))

    def forward(self, x: Any) -> Any:
        weight: Any = self.weight
        x = data("PReLU", x, weight)
        if self.num_parameters > 1:
            if np.ndim(x) < 2 or x.shape[1] != self.num_parameters:
                raise ValueError(
                    f"PReLU: the input has shape {np.shape(x)}; with {self.num_parameters} slopes it must be "
                    f"(n, {self.num_parameters}, ...)"
                )
            weight = np.reshape(weight, (-1,) + (1,) * (x.ndim - 2))
        return np.where(x > 0, x, x * weight)

    def extra_repr(self) -> str:
        return f"{self.num_parameters}"
