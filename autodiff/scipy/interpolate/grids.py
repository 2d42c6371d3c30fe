"""Values between the points of a grid: the means of the corners of a cell, weighted, or the nearest of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ...arrays import as_array
from ...tensor import Tensor, value_of

Array = Any


class RegularGridInterpolator:
    """Values between the points of a grid, as ``scipy.interpolate.RegularGridInterpolator``.

    ``points`` are the places along each axis, increasing; ``values`` has a value for each point, and perhaps further
    axes.  ``method`` is "linear" or "nearest".  Beyond the grid ``bounds_error`` raises ValueError, ``fill_value``
    stands there, or with None the cell at the border goes on.  Differentiated by the values and by the points of a
    call (..., axes); at a point of the grid the slope is that to the next one, and zero for "nearest".

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> f = interpolate.RegularGridInterpolator((np.arange(3.0),), np.array([0.0, 1.0, 4.0]))
    >>> grad(lambda p: f(p)[0])(np.array([1.5])).tolist()
    [3.0]
    """

    def __init__(
        self, points: Any, values: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan
    ) -> None:
        if any(isinstance(p, Tensor) for p in points):
            raise TypeError("RegularGridInterpolator: 'points' are not differentiated; pass their values: p.data")
        self.grid = [np.asarray(p, dtype=float) for p in points]
        self.values = as_array(values)
        self.method, self.bounds_error, self.fill_value = self._known(method), bounds_error, fill_value
        shape = tuple(p.size for p in self.grid)
        if np.shape(self.values)[: len(shape)] != shape:
            raise ValueError(
                f"RegularGridInterpolator: the points make a grid of shape {shape}, the values have shape "
                f"{np.shape(self.values)}"
            )
        if any(p.ndim != 1 or p.size < 2 or np.any(np.diff(p) <= 0) for p in self.grid):
            raise ValueError("RegularGridInterpolator: the points of each axis must be at least two, increasing")

    def _known(self, method: str) -> str:
        if method not in ("linear", "nearest"):
            raise ValueError(f"RegularGridInterpolator: method={method!r}; it is 'linear' or 'nearest'")
        return method

    def __call__(self, xi: Any, method: str | None = None) -> Any:
        """The values at points (..., axes)."""
        how, xi = self.method if method is None else self._known(method), as_array(xi)
        axes = len(self.grid)
        if np.ndim(xi) == 1:
            xi = np.reshape(xi, (-1, axes)) if axes > 1 or np.shape(xi)[0] == 1 else xi[:, None]
        if np.shape(xi)[-1] != axes:
            raise ValueError(
                f"RegularGridInterpolator: the points have shape {np.shape(xi)}; the last axis must be {axes}"
            )
        flat = np.reshape(xi, (-1, axes))
        inside: Any = True
        cells, shares = [], []
        for axis, places in enumerate(self.grid):
            here = value_of(flat)[:, axis]
            inside = inside & (here >= places[0]) & (here <= places[-1])
            cell = np.clip(np.searchsorted(places, here, side="right") - 1, 0, places.size - 2)
            cells.append(cell)
            shares.append((flat[:, axis] - places[cell]) / np.diff(places)[cell])
        if self.bounds_error and not np.all(inside):
            raise ValueError("RegularGridInterpolator: a point is beyond the grid; give bounds_error=False")
        wide = (-1,) + (1,) * (np.ndim(self.values) - axes)
        result: Any = 0.0
        if how == "nearest":
            result = self.values[tuple(c + (value_of(s) > 0.5) for c, s in zip(cells, shares, strict=True))]
        else:
            for corner in itertools.product((0, 1), repeat=axes):
                weight: Any = 1.0
                for side, share in zip(corner, shares, strict=True):
                    weight = weight * (share if side else 1.0 - share)
                picked = self.values[tuple(c + side for c, side in zip(cells, corner, strict=True))]
                result = result + np.reshape(weight, wide) * picked
        if not self.bounds_error and self.fill_value is not None:
            result = np.where(np.reshape(inside, wide), result, self.fill_value)
        return np.reshape(result, np.shape(xi)[:-1] + np.shape(self.values)[axes:])
