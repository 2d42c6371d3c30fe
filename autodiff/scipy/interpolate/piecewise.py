"""Polynomials in each interval between breakpoints, from coefficients, or from values and slopes there."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import as_array
from ...tensor import value_of

Array = Any


def prepared(who: str, x: Any, y: Any, axis: int = 0) -> tuple[Array, Array, int]:
    """Places and values in double precision, the values along the first axis, and that axis.

    Raises ValueError unless there are two places or more, which increase, and as many values.
    """
    x, y = as_array(x), as_array(y)
    if np.ndim(x) != 1 or np.shape(x)[0] < 2 or np.any(np.diff(value_of(x)) <= 0):
        raise ValueError(f"{who}: x has shape {np.shape(x)}; it is a vector of two or more numbers that increase")
    if not -np.ndim(y) <= axis < np.ndim(y) or np.shape(y)[axis] != np.shape(x)[0]:
        raise ValueError(f"{who}: x has {np.shape(x)[0]} places, and y has shape {np.shape(y)} with axis {axis}")
    kind = np.complex128 if y.dtype.kind == "c" else np.float64
    return x.astype(np.float64), np.moveaxis(y.astype(kind), axis, 0), axis % np.ndim(y)


def beside(v: Array, like: Array) -> Array:
    """A vector with as many axes as another array, to be multiplied along the first."""
    return np.reshape(v, (-1,) + (1,) * (np.ndim(like) - 1))


def real_only(who: str, y: Array) -> None:
    """Raise ValueError for complex values."""
    if y.dtype.kind == "c":
        raise ValueError(f"{who}: y is complex, and slopes are compared; interpolate np.real(y) and np.imag(y)")


def piecewise_values(c: Array, x: Array, points: Array, nu: int = 0) -> Array:
    """The values, or derivatives of order ``nu``, of sum_k c_k (p - x_i)^(degree - k) at points of any shape.

    ``c`` has shape (degree + 1, intervals, ...), ``x`` the ends of the intervals.  Beyond them the first and the last
    polynomial go on.  As ``scipy.interpolate.PPoly``; the result has shape (points, ...).

    >>> import numpy as np
    >>> from autodiff.scipy.interpolate.piecewise import piecewise_values
    >>> piecewise_values(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5])).tolist()
    [0.5, 2.0]
    """
    c, points = as_array(c), as_array(points)
    breaks = value_of(x)
    flat = np.reshape(points, (-1,))
    piece = np.clip(np.searchsorted(breaks, value_of(flat), side="right") - 1, 0, len(breaks) - 2)
    t = np.reshape(flat - x[piece], (-1,) + (1,) * (np.ndim(c) - 2))
    degree = np.shape(c)[0] - 1
    result: Any = np.zeros_like(t * c[0, :1])
    power: Any = np.ones_like(t)
    for k in range(degree - nu + 1):  # the lowest power first, as SciPy adds them
        factor = float(np.prod(np.arange(k + 1, k + nu + 1)))
        result = result + c[degree - nu - k][piece] * power * factor
        power = power * t
    return np.reshape(result, np.shape(points) + np.shape(c)[2:])


def hermite(x: Array, y: Array, slopes: Array) -> Array:
    """The coefficients of cubic polynomials with values ``y`` and slopes at the places ``x``: (4, intervals, ...)."""
    h = beside(np.diff(x), y)
    slope = np.diff(y, axis=0) / h
    t = (slopes[:-1] + slopes[1:] - 2 * slope) / h
    return np.stack([t / h, (slope - slopes[:-1]) / h - t, slopes[:-1], y[:-1]])


class Piecewise:
    """A polynomial in each interval: what the interpolators have in common.

    ``c`` are coefficients, the highest power first, (degree + 1, intervals, ...); ``x`` are the ends of intervals.
    """

    def __init__(self, c: Array, x: Array, extrapolate: Any, axis: int) -> None:
        self.c, self.x, self.extrapolate, self.axis = c, x, extrapolate, axis

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The values, or the derivatives of order ``nu``, at points of any shape, in the place of the axis.

        ``extrapolate`` is True, "periodic", or False for NaN beyond the ends.
        """
        if nu < 0 or nu != int(nu):
            raise ValueError(f"{type(self).__name__}: nu={nu}; the order of a derivative is a whole number from 0 on")
        how = self.extrapolate if extrapolate is None else extrapolate
        x = as_array(x)
        points = moved_around(x, self.x[0], self.x[-1]) if how == "periodic" else x
        found = piecewise_values(self.c, self.x, points, int(nu))
        if not how:
            found = without_outside(found, value_of(x), value_of(self.x)[[0, -1]])
        return in_place_of(self.axis, found, np.ndim(x))


def moved_around(points: Any, first: Any, last: Any) -> Any:
    """Points in the period that they stand for."""
    period = last - first
    turns = np.floor((value_of(points) - value_of(first)) / value_of(period))
    return points - turns * period


def without_outside(found: Any, points: Array, ends: Array) -> Any:
    """The values with NaN where the points are beyond the ends."""
    inside = (points >= ends[0]) & (points <= ends[1])
    return np.where(np.reshape(inside, np.shape(points) + (1,) * (np.ndim(found) - np.ndim(points))), found, np.nan)


def in_place_of(axis: int, found: Any, count: int) -> Any:
    """The axes of points, which are the first ``count``, in the place of an axis."""
    order = [*range(count, count + axis), *range(count), *range(count + axis, np.ndim(found))]
    return np.transpose(found, order)


class CubicHermiteSpline(Piecewise):
    """The cubic polynomials with given values and slopes, as ``scipy.interpolate.CubicHermiteSpline``.

    ``x`` are n increasing places, ``y`` and ``dydx`` values and slopes there, n along ``axis``.  Differentiated by all
    of them and by the points of a call.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> grad(lambda s: interpolate.CubicHermiteSpline([0.0, 1.0], [0.0, 1.0], s)(0.5))(np.zeros(2)).tolist()
    [0.125, -0.125]
    """

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        places, values, at = prepared("CubicHermiteSpline", x, y, axis)
        if np.shape(dydx) != np.shape(y):
            raise ValueError(f"CubicHermiteSpline: y has shape {np.shape(y)} and dydx {np.shape(dydx)}")
        slopes = np.moveaxis(as_array(dydx), axis, 0)
        super().__init__(hermite(places, values, slopes), places, extrapolate is None or extrapolate, at)
