"""Values between the points of a grid: of the corners of a cell, or of splines along its axes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ...arrays import as_array
from ...tensor import Tensor, value_of
from .bsplines import basis, coefficients, make_interp_spline
from .local import pchip_slopes
from .piecewise import hermite, real_only

Array = Any

DEGREES = {"slinear": 1, "cubic": 3, "quintic": 5}
"""The degrees of the methods whose splines are sums of products of basis functions."""

METHODS = ("linear", "nearest", *DEGREES, "pchip")


class RegularGridInterpolator:
    """Values between the points of a grid, as ``scipy.interpolate.RegularGridInterpolator``.

    ``points`` are the places along each axis, all increasing or all decreasing; ``values`` has a value for each point,
    and perhaps further axes.  ``method`` is "linear", "nearest", or a spline along each axis: "slinear", "cubic",
    "quintic", "pchip".  Beyond the grid ``bounds_error`` raises ValueError, ``fill_value`` stands there, or with None
    the cell at the border goes on.  Differentiated by the values and by the points of a call (..., axes); at a point of
    the grid the slope of "linear" is that to the next one, and "nearest" has the slope zero.  The coefficients of
    splines are solved for directly; SciPy finds them by iterations, to about 1e-5.

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
        grid = [np.asarray(p, dtype=float) for p in points]
        turned = [axis for axis, p in enumerate(grid) if p.ndim == 1 and p.size > 1 and p[0] > p[-1]]
        self.grid = [np.flip(p) if axis in turned else p for axis, p in enumerate(grid)]
        values = as_array(values)
        self.values = values if values.dtype.kind in "fc" else values.astype(np.float64)
        self.bounds_error, self.fill_value = bounds_error, fill_value
        shape = tuple(p.size for p in self.grid)
        if np.shape(self.values)[: len(shape)] != shape:
            raise ValueError(
                f"RegularGridInterpolator: the points make a grid of shape {shape}, the values have shape "
                f"{np.shape(self.values)}"
            )
        if turned:
            self.values = np.flip(self.values, axis=tuple(turned))
        if any(p.ndim != 1 or p.size < 2 or np.any(np.diff(p) <= 0) for p in self.grid):
            raise ValueError(
                "RegularGridInterpolator: the points of each axis must be at least two, increasing or decreasing"
            )
        self.method = self._known(method)
        self._made: dict[str, Any] = {}

    def _known(self, method: str) -> str:
        if method not in METHODS:
            raise ValueError(
                f"RegularGridInterpolator: method={method!r}; it is one of {', '.join(map(repr, METHODS))}"
            )
        least = DEGREES.get(method, 3 if method == "pchip" else 1) + 1
        for axis, p in enumerate(self.grid):
            if p.size < least:
                raise ValueError(
                    f"RegularGridInterpolator: {p.size} points along axis {axis}; method={method!r} needs {least}"
                )
        if method == "pchip":
            real_only("RegularGridInterpolator", self.values)
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
        inside = np.ones(np.shape(flat)[0], dtype=bool)
        for axis, places in enumerate(self.grid):
            here = value_of(flat)[:, axis]
            inside &= (here >= places[0]) & (here <= places[-1])
        if self.bounds_error and not np.all(inside):
            raise ValueError("RegularGridInterpolator: a point is beyond the grid; give bounds_error=False")
        if how == "pchip":
            result = self._followed(flat)
        elif how in DEGREES:
            result = self._summed(flat, how)
        else:
            result = self._of_cells(flat, how)
        if not self.bounds_error and self.fill_value is not None:
            result = np.where(np.reshape(inside, (-1,) + (1,) * (np.ndim(result) - 1)), result, self.fill_value)
        return np.reshape(result, np.shape(xi)[:-1] + np.shape(self.values)[axes:])

    def _wide(self, weight: Any) -> Any:
        """One number for each point, to be multiplied with values there."""
        return np.reshape(weight, (-1,) + (1,) * (np.ndim(self.values) - len(self.grid)))

    def _of_cells(self, points: Any, method: str) -> Any:
        """The means of the corners of a cell, weighted, or the nearest of them."""
        cells, shares = [], []
        for axis, places in enumerate(self.grid):
            cell = _cell(places, value_of(points)[:, axis])
            cells.append(cell)
            shares.append((points[:, axis] - places[cell]) / np.diff(places)[cell])
        if method == "nearest":
            return self.values[tuple(c + (value_of(s) > 0.5) for c, s in zip(cells, shares, strict=True))]
        result: Any = 0.0
        for corner in itertools.product((0, 1), repeat=len(cells)):
            weight: Any = 1.0
            for side, share in zip(corner, shares, strict=True):
                weight = weight * (share if side else 1.0 - share)
            picked = self.values[tuple(c + side for c, side in zip(cells, corner, strict=True))]
            result = result + self._wide(weight) * picked
        return result

    def _fitted(self, k: int) -> tuple[list[Array], Any]:
        """Knots for each axis, and the coefficients of the spline of degree k."""
        knots, c = [], self.values
        for axis, places in enumerate(self.grid):
            knots.append(make_interp_spline(places, np.zeros(places.size), k).t)
            c = np.moveaxis(coefficients(places, np.moveaxis(c, axis, 0), knots[-1], k), 0, axis)
        return knots, c

    def _summed(self, points: Any, method: str) -> Any:
        """Sums of coefficients times products of basis functions."""
        k = DEGREES[method]
        if method not in self._made:
            self._made[method] = self._fitted(k)
        knots, c = self._made[method]
        count = np.shape(points)[0]
        weights: Any = np.ones((1, count))
        flat = np.zeros((1, count), dtype=int)
        for axis, t in enumerate(knots):
            mine, first = basis(t, points[:, axis], k)
            places = first + np.arange(k + 1)[:, None]
            weights = np.reshape(weights[:, None] * mine, (-1, count))
            flat = np.reshape(flat[:, None] * self.grid[axis].size + places, (-1, count))
        rest = np.shape(self.values)[len(self.grid) :]
        around = np.reshape(c, (-1, *rest))[flat]
        return np.sum(around * np.reshape(weights, np.shape(weights) + (1,) * len(rest)), axis=0)

    def _followed(self, points: Any) -> Any:
        """Polynomials along the last axis, then along the one before through their values, for each point."""
        axes = len(self.grid)
        values = np.moveaxis(self.values[..., None] if axes else self.values, -1, 0)
        count = np.shape(points)[0]
        rest = np.ndim(self.values) - axes
        for axis in reversed(range(axes)):
            places = self.grid[axis]
            along = np.moveaxis(values, axis + 1, 0)  # the places, then the points, one of them at first
            c = hermite(places, along, pchip_slopes(places, along))
            here = points[:, axis]
            cell = _cell(places, value_of(here))
            each = np.arange(count) if axis < axes - 1 else np.zeros(count, dtype=int)
            t = np.reshape(here - places[cell], (-1,) + (1,) * (axis + rest))
            found: Any = 0.0
            for power in range(4):
                found = found * t + c[power][cell, each]
            values = found
        return values


def _cell(places: Array, points: Array) -> Array:
    """The place before each point; those at the ends for points beyond."""
    return np.clip(np.searchsorted(places, points, side="right") - 1, 0, places.size - 2)
