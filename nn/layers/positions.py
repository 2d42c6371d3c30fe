"""Positions in a sequence, for layers that do not know an order: added to the elements, or turning them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor

from ..random import Rng, generator
from . import init
from .checks import check_array, data, floating, whole
from .module import Module

__all__ = ["LearnedPositions", "RotaryPositions", "SinusoidalPositions"]

Array = Any


def _sequence(who: str, x: Any, size: int, longest: int | None, start: int) -> int:
    """The length of a sequence (..., length, size), checked."""
    check_array(who, "input", x)
    shape = x.shape
    if len(shape) < 2 or shape[-1] != size:
        raise ValueError(f"{who}: the input has shape {shape}; it must be (..., length, {size})")
    if start < 0:
        raise ValueError(f"{who}: start is {start}; positions begin at 0")
    if longest is not None and shape[-2] + start > longest:
        beginning = f" from position {start}" if start else ""
        raise ValueError(
            f"{who}: the input has shape {shape}, a sequence of {shape[-2]}{beginning}; there are {longest} positions: "
            "make the layer for longer sequences, or cut the input"
        )
    return int(shape[-2])


class LearnedPositions(Module):
    """x + weight[position], with a trained vector for each position.

    x has shape (..., length, size), with a length of at most ``num_positions``; ``weight`` is (num_positions, size),
    and starts with a standard deviation of 0.02, as in GPT-2.  ``start`` is the position of the first element.  Raises
    ValueError for a longer sequence.

    >>> import numpy as np
    >>> LearnedPositions(16, 4, rng=0)(np.zeros((2, 10, 4), dtype=np.float32)).shape
    (2, 10, 4)
    """

    def __init__(self, num_positions: int, size: int, *, rng: Rng = None, dtype: Any = np.float32) -> None:
        self.num_positions: int = whole("LearnedPositions", "num_positions", num_positions)
        self.size: int = whole("LearnedPositions", "size", size)
        floating("LearnedPositions", dtype)
        values = init.normal((self.num_positions, self.size), std=0.02, rng=generator(rng), dtype=dtype)
        self.weight: Tensor = Tensor(values)

    def forward(self, x: Any, start: int = 0) -> Any:
        length = _sequence("LearnedPositions", x, self.size, self.num_positions, start)
        return data("LearnedPositions", x, self.weight) + self.weight[start : start + length]

    def extra_repr(self) -> str:
        return f"{self.num_positions}, {self.size}"


class SinusoidalPositions(Module):
    """x + p, with p[t, 2 i] = sin(t / base^(2 i / size)) and p[t, 2 i + 1] = cos of the same.

    x has shape (..., length, size), of any length; ``start`` is the position of the first element.  Source: A. Vaswani
    et al., "Attention is all you need" (2017).

    >>> import numpy as np
    >>> SinusoidalPositions(4)(np.zeros((2, 4))).round(3).tolist()
    [[0.0, 1.0, 0.0, 1.0], [0.841, 0.54, 0.01, 1.0]]
    """

    def __init__(self, size: int, base: float = 10000.0) -> None:
        self.size: int = whole("SinusoidalPositions", "size", size)
        self.base: float = float(base)

    def forward(self, x: Any, start: int = 0) -> Any:
        length = _sequence("SinusoidalPositions", x, self.size, None, start)
        angles = _angles(start, length, self.size, self.base)
        values = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
        return x + np.reshape(values, (length, -1))[:, : self.size].astype(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.size}" + ("" if self.base == 10000 else f", base={self.base:g}")


class RotaryPositions(Module):
    """Turns the pair (x[i], x[i + size / 2]) by the angle t / base^(2 i / size), t the position.

    So the product of a query and a key depends on the distance of their positions alone.  x has shape (..., length,
    size), of any length: queries or keys of a head.  ``start`` is the position of the first element.  Source: J. Su et
    al., "RoFormer: enhanced transformer with rotary position embedding" (2021).

    >>> import numpy as np
    >>> RotaryPositions(2)(np.array([[1.0, 0.0], [1.0, 0.0]])).round(3).tolist()
    [[1.0, 0.0], [0.54, 0.841]]
    """

    def __init__(self, size: int, base: float = 10000.0) -> None:
        self.size: int = whole("RotaryPositions", "size", size)
        if self.size % 2:
            raise ValueError(f"RotaryPositions: size is {size}; it must be even")
        self.base: float = float(base)

    def forward(self, x: Any, start: int = 0) -> Any:
        length = _sequence("RotaryPositions", x, self.size, None, start)
        angles = _angles(start, length, self.size, self.base)
        cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
        half = self.size // 2
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)

    def extra_repr(self) -> str:
        return f"{self.size}" + ("" if self.base == 10000 else f", base={self.base:g}")


def _angles(start: int, length: int, size: int, base: float) -> Array:
    """t / base^(2 i / size) for each position t and each i below size / 2, in double precision."""
    frequencies = base ** (np.arange(0, size, 2) / -size)
    return np.arange(start, start + length)[:, None] * frequencies
