"""Affine layers, and the change of shape before them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import Tensor

from ..random import Rng, generator
from . import init
from .checks import data, floating, whole
from .module import Module

__all__ = ["Flatten", "Linear"]

Array = Any


def affine(x: Any, weight: Any, bias: Any) -> Any:
    """x @ weight + bias; several axes of examples are made one, since one product of matrices is faster than many.

    >>> import numpy as np
    >>> affine(np.ones((5, 4, 3)), np.ones((3, 2)), None).shape
    (5, 4, 2)
    """
    shape = x.shape
    if len(shape) > 2:
        x = np.reshape(x, (math.prod(shape[:-1]), shape[-1]))
    y = x @ weight
    y = y if bias is None else y + bias
    return y if len(shape) <= 2 else np.reshape(y, (*shape[:-1], y.shape[-1]))


class Linear(Module):
    """An affine function of the last axis: y = x @ weight + bias.

    x has shape (..., in_features), y (..., out_features); ``weight`` is (in_features, out_features) and ``bias``
    (out_features,).  Both start uniform in ±1 / sqrt(in_features).  Parameters are float32 unless ``dtype`` says
    otherwise, and the input is cast to their dtype.

    >>> import numpy as np
    >>> layer = Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3), dtype=np.float32)).shape
    (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, rng: Rng = None, dtype: Any = np.float32
    ) -> None:
        self.in_features: int = whole("Linear", "in_features", in_features)
        self.out_features: int = whole("Linear", "out_features", out_features)
        floating("Linear", dtype)
        rng = generator(rng)
        bound = 1.0 / math.sqrt(in_features)
        self.weight: Tensor = Tensor(init.uniform((in_features, out_features), -bound, bound, rng=rng, dtype=dtype))
        self.bias: Tensor | None = (
            Tensor(init.uniform((out_features,), -bound, bound, rng=rng, dtype=dtype)) if bias else None
        )

    def forward(self, x: Any) -> Any:
        weight = self.weight
        if getattr(x, "dtype", None) is not weight.dtype:
            x = data("Linear", x, weight)
        try:
            return affine(x, weight, self.bias)
        except (ValueError, TypeError) as error:
            raise self._explained(x, error) from error

    def _explained(self, x: Any, error: Exception) -> Exception:
        """The error for a wrong input, in terms of the layer."""
        shape = np.shape(x)
        if not shape or shape[-1] != self.in_features:
            return ValueError(
                f"Linear: the input has shape {shape}, its last axis must have length {self.in_features} "
                f"(weight {np.shape(self.weight)}); flatten or transpose it first"
            )
        return error

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}" + (", bias=False" if self.bias is None else "")


class Flatten(Module):
    """Joins all axes but the first: (n, a, b, ...) becomes (n, a b ...).

    >>> import numpy as np
    >>> Flatten()(np.zeros((5, 2, 3))).shape
    (5, 6)
    """

    def forward(self, x: Any) -> Any:
        shape = np.shape(x)
        if not shape:
            raise ValueError("Flatten: the input is a single number; it needs a first axis, one entry an example")
        return np.reshape(x, (shape[0], math.prod(shape[1:])))
