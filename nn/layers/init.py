"""Initial values of parameters, as plain arrays.

A layer with a weight of shape (in, out) computes x @ weight, so fan_in is shape[0] and fan_out is shape[1].  Filters
have the shape (out, in, *kernel), and the size of the kernel multiplies both.

Sources: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010);
K. He et al., "Delving deep into rectifiers" (2015).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..random import Rng, draw, generator

__all__ = [
    "constant",
    "gain",
    "kaiming_normal",
    "kaiming_uniform",
    "normal",
    "ones",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Array = Any
Shape = int | tuple[int, ...]


def zeros(shape: Shape, *, dtype: Any = np.float32) -> Array:
    """All 0."""
    return np.zeros(shape, dtype)


def ones(shape: Shape, *, dtype: Any = np.float32) -> Array:
    """All 1."""
    return np.ones(shape, dtype)


def constant(shape: Shape, value: float, *, dtype: Any = np.float32) -> Array:
    """All ``value``."""
    return np.full(shape, value, dtype)


def uniform(shape: Shape, low: float = 0.0, high: float = 1.0, *, rng: Rng = None, dtype: Any = np.float32) -> Array:
    """Uniform in [low, high).

    >>> uniform((2, 3), -1.0, 1.0, rng=0).shape
    (2, 3)
    """
    if not low <= high:
        raise ValueError(f"uniform: low {low} is not below high {high}")
    values = draw(generator(rng), "random", shape, dtype)
    return values * (high - low) + low


def normal(shape: Shape, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None, dtype: Any = np.float32) -> Array:
    """Gaussian with this mean and standard deviation."""
    if not std >= 0:
        raise ValueError(f"normal: the standard deviation is {std}; it must be 0 or more")
    return draw(generator(rng), "standard_normal", shape, dtype) * std + mean


def gain(nonlinearity: str, slope: float = 0.01) -> float:
    """The factor that keeps the variance through a nonlinearity; ``slope`` is that of leaky_relu.

    >>> gain("tanh")
    1.6666666666666667
    """
    gains = {
        "linear": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75,
        "leaky_relu": math.sqrt(2.0 / (1.0 + slope**2)),
    }  # fmt: skip
    if nonlinearity not in gains:
        raise ValueError(f"gain: unknown nonlinearity '{nonlinearity}'; known: {', '.join(gains)}")
    return gains[nonlinearity]


def xavier_uniform(shape: tuple[int, ...], gain: float = 1.0, *, rng: Rng = None, dtype: Any = np.float32) -> Array:
    """Uniform in ±gain sqrt(6 / (fan_in + fan_out))."""
    fan_in, fan_out = _fans(shape, "xavier_uniform")
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform(shape, -bound, bound, rng=rng, dtype=dtype)


def xavier_normal(shape: tuple[int, ...], gain: float = 1.0, *, rng: Rng = None, dtype: Any = np.float32) -> Array:
    """Gaussian with standard deviation gain sqrt(2 / (fan_in + fan_out))."""
    fan_in, fan_out = _fans(shape, "xavier_normal")
    return normal(shape, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), rng=rng, dtype=dtype)


def kaiming_uniform(
    shape: tuple[int, ...], nonlinearity: str = "relu", *, mode: str = "fan_in", slope: float = 0.01,
    rng: Rng = None, dtype: Any = np.float32,
) -> Array:  # fmt: skip
    """Uniform in ±gain sqrt(3 / fan)."""
    bound = gain(nonlinearity, slope) * math.sqrt(3.0 / _fan(shape, mode, "kaiming_uniform"))
    return uniform(shape, -bound, bound, rng=rng, dtype=dtype)


def kaiming_normal(
    shape: tuple[int, ...], nonlinearity: str = "relu", *, mode: str = "fan_in", slope: float = 0.01,
    rng: Rng = None, dtype: Any = np.float32,
) -> Array:  # fmt: skip
    """Gaussian with standard deviation gain / sqrt(fan)."""
    std = gain(nonlinearity, slope) / math.sqrt(_fan(shape, mode, "kaiming_normal"))
    return normal(shape, 0.0, std, rng=rng, dtype=dtype)


def _fans(shape: tuple[int, ...], who: str) -> tuple[int, int]:
    if not isinstance(shape, tuple | list) or len(shape) < 2:
        raise ValueError(f"{who}: a weight has at least two axes (in, out), got shape {shape}")
    field = math.prod(shape[2:])  # of a filter
    fan_in, fan_out = shape[:2] if len(shape) == 2 else (field * shape[1], field * shape[0])
    if not fan_in or not fan_out:
        raise ValueError(f"{who}: the shape {tuple(shape)} has no elements, so its scale is undefined; use zeros")
    return fan_in, fan_out


def _fan(shape: tuple[int, ...], mode: str, who: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{who}: mode is '{mode}'; it must be 'fan_in' or 'fan_out'")
    return _fans(shape, who)[mode == "fan_out"]
