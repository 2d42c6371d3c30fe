"""Cubic splines: for fixed knots the coefficients are a matrix times the values, and SciPy makes the matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from ...arrays import as_array
from ...tensor import Tensor, value_of

Array = Any


class CubicSpline:
    """The cubic spline through values at knots, as ``scipy.interpolate.CubicSpline``.

    ``x`` are n increasing knots, ``y`` the values, n along ``axis``.  ``bc_type`` is "not-a-knot", "natural" or
    "clamped"; ``extrapolate`` says whether there are values beyond the knots, or NaN.  A call at points of any shape
    has the derivative of order ``nu``.  Differentiated by y and by the points, to any order; knots are constants, and
    a Tensor there is refused with TypeError.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> spline = interpolate.CubicSpline(np.arange(4.0), np.arange(4.0) ** 2)
    >>> round(grad(lambda p: spline(p))(1.5), 9)
    3.0
    """

    def __init__(
        self, x: Any, y: Any, axis: int = 0, bc_type: str = "not-a-knot", extrapolate: bool | None = None
    ) -> None:
        if isinstance(x, Tensor):
            raise TypeError("CubicSpline: 'x' are knots, which are not differentiated; pass their values: x.data")
        if bc_type not in ("not-a-knot", "natural", "clamped"):
            raise ValueError(f"CubicSpline: bc_type={bc_type!r}; it is 'not-a-knot', 'natural' or 'clamped'")
        self.x, y = np.asarray(x, dtype=float), as_array(y)
        if np.shape(y)[axis] != self.x.size:
            raise ValueError(f"CubicSpline: {self.x.size} knots, and y has shape {np.shape(y)} with axis {axis}")
        self.axis, self.extrapolate = axis % np.ndim(y), extrapolate is not False
        matrix = interpolate.CubicSpline(self.x, np.eye(self.x.size), bc_type=bc_type).c
        self.c = np.tensordot(matrix, np.moveaxis(y, self.axis, 0), 1)
        """Coefficients, the highest power first: (4, pieces, ...)."""

    def __call__(self, x: Any, nu: int = 0) -> Any:
        """The spline, or its derivative of order ``nu``, at points of any shape, in the place of the axis."""
        x = as_array(x)
        if nu < 0 or nu != int(nu):
            raise ValueError(f"CubicSpline: nu={nu}; the order of a derivative is a whole number, not negative")
        values = np.reshape(value_of(x), (-1,))
        piece = np.clip(np.searchsorted(self.x, values, side="right") - 1, 0, self.x.size - 2)
        wide = (-1,) + (1,) * (np.ndim(self.c) - 2)
        t = np.reshape(np.reshape(x, (-1,)) - np.take(self.x, piece), wide)
        result: Any = 0.0 * t
        for k in range(4 - nu):
            power = 3 - k
            factor = float(np.prod(np.arange(power - nu + 1, power + 1)))
            result = result * t + factor * np.take(self.c[k], piece, axis=0)
        result = result + np.zeros(np.shape(self.c)[2:])
        if not self.extrapolate:
            inside = (values >= self.x[0]) & (values <= self.x[-1])
            result = np.where(np.reshape(inside, wide), result, np.nan)
        shaped = np.reshape(result, np.shape(x) + np.shape(self.c)[2:])
        count = np.ndim(x)
        order = [*range(count, count + self.axis), *range(count), *range(count + self.axis, np.ndim(shaped))]
        return np.transpose(shaped, order)
