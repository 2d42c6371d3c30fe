"""What an array is taken to be beyond its borders, and the adjoint of that.

A filter near a border needs elements that are not there.  Modes say where each of them is taken from; :func:`folded`
adds the cotangents of those beyond a border to the cotangents of those that they were taken from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any
Widths = Sequence[tuple[int, int]]
"""How many elements are before and after each axis."""


def extended(x: Array, widths: Widths, modes: Sequence[str], value: Any = 0.0) -> Array:
    """The array with elements beyond its borders; each axis has one of ``np.pad``'s modes.

    >>> extended(np.array([1.0, 2.0]), [(1, 1)], ["symmetric"]).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    for axis, (width, mode) in enumerate(zip(widths, modes, strict=True)):
        if width != (0, 0):
            wide = [(0, 0)] * axis + [width] + [(0, 0)] * (len(modes) - axis - 1)
            x = np.pad(x, wide, constant_values=value) if mode == "constant" else np.pad(x, wide, mode=mode)  # type: ignore[call-overload]
    return x


def folded(g: Array, widths: Widths, modes: Sequence[str]) -> Array:
    """The adjoint of :func:`extended`.

    >>> folded(np.array([1.0, 2.0, 3.0, 4.0]), [(1, 1)], ["symmetric"]).tolist()
    [3.0, 7.0]
    """
    for axis, (width, mode) in enumerate(zip(widths, modes, strict=True)):
        if width != (0, 0):
            g = _folded_along(g, axis, *width, mode)
    return g


def _folded_along(g: Array, axis: int, before: int, after: int, mode: str) -> Array:
    size = g.shape[axis] - before - after
    here = [slice(None)] * g.ndim

    def part(start: int, stop: int) -> Array:
        here[axis] = slice(start, stop)
        return g[tuple(here)]

    total = part(before, before + size)
    if mode == "constant" or not size:
        return total
    places = np.pad(np.arange(size), (before, after), mode=mode)  # type: ignore[call-overload]
    for start, stop in ((0, before), (before + size, before + size + after)):
        if stop > start:
            total = total + _placed(part(start, stop), axis, places[start:stop], size)
    return total


def _placed(g: Array, axis: int, places: Array, size: int) -> Array:
    """Elements along an axis added at places, which are near to each other: by a product with zeros and ones."""
    low, high = int(places.min()), int(places.max()) + 1
    chosen = np.zeros((len(places), high - low), g.dtype)
    chosen[np.arange(len(places)), places - low] = 1.0
    moved = np.moveaxis(np.matmul(np.moveaxis(g, axis, -1), chosen), -1, axis)
    return np.pad(moved, [(low, size - high) if i == axis else (0, 0) for i in range(g.ndim)])
