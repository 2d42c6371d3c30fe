"""B-splines: sums of coefficients times basis functions, each of which is zero outside of a few knots.

Source: C. de Boor, "A Practical Guide to Splines" (1978).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from ...arrays import as_array
from ...tensor import Tensor, value_of
from ..linalg.banded import solve_banded
from .piecewise import in_place_of, moved_around, without_outside

Array = Any


def place_of(t: Array, points: Array, k: int) -> Array:
    """The knot before each point, of those that have a whole basis."""
    return np.clip(np.searchsorted(t, points, side="right") - 1, k, len(t) - k - 2)


def basis(t: Array, points: Array, k: int) -> tuple[Array, Array]:
    """The k + 1 basis functions that are not zero at each point, (k + 1, points), and the number of the first."""
    last = place_of(value_of(t), value_of(points), k)
    weights: list[Any] = [np.ones_like(points)]
    for degree in range(1, k + 1):
        saved: Any = 0.0
        raised = []
        for r in range(degree):
            right, left = t[last + r + 1] - points, points - t[last + 1 - degree + r]
            share = weights[r] / (right + left)
            raised.append(saved + right * share)
            saved = left * share
        weights = [*raised, saved]
    return np.stack(weights), last - k


def derived(t: Array, c: Array, k: int) -> tuple[Array, Array]:
    """Knots and coefficients of the derivative, which has one degree less."""
    n = np.shape(t)[0] - k - 1
    width = t[k + 1 : k + n] - t[1:n]
    empty = value_of(width) == 0
    factor = np.where(empty, 0.0, k / np.where(empty, 1.0, width))
    return t[1:-1], np.reshape(factor, (-1,) + (1,) * (np.ndim(c) - 1)) * (c[1:n] - c[: n - 1])


def bspline_values(t: Array, c: Array, points: Array, k: int, nu: int = 0) -> Array:
    """The values, or derivatives of order ``nu``, of sum_i c_i B_i(p) at points of any shape.

    ``t`` are knots, n + k + 1 for n basis functions of degree k; ``c`` has shape (n, ...).  Before the first and beyond
    the last interval its polynomials go on.  As ``scipy.interpolate.BSpline``; the result has shape (points, ...).

    >>> import numpy as np
    >>> from autodiff.scipy.interpolate.bsplines import bspline_values
    >>> bspline_values(np.arange(4.0), np.array([1.0, 3.0]), np.array([1.5]), 1).tolist()
    [2.0]
    """
    t, c, points = as_array(t), as_array(c), as_array(points)
    if nu > k:
        return np.zeros(np.shape(points) + np.shape(c)[1:])
    for degree in range(k, k - nu, -1):
        t, c = derived(t, c, degree)
    weights, first = basis(t, np.reshape(points, (-1,)), k - nu)
    wide = (-1,) + (1,) * (np.ndim(c) - 1)
    total: Any = 0.0
    for r in range(k - nu + 1):
        total = total + np.reshape(weights[r], wide) * c[first + r]
    return np.reshape(total, np.shape(points) + np.shape(c)[1:])


class BSpline:
    """A spline of degree k by its coefficients, as ``scipy.interpolate.BSpline``.

    ``t`` are n + k + 1 knots that do not decrease, ``c`` coefficients, n along ``axis``.  ``extrapolate`` is True,
    "periodic", or False for NaN outside of [t_k, t_n].  A call at points of any shape has the derivative of order
    ``nu``.  Differentiated by the coefficients, the knots and the points; at a knot of which there are as many as the
    degree, the derivative is that to the right.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> spline = lambda c: interpolate.BSpline([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], c, 2)
    >>> grad(lambda c: spline(c)(0.5))(np.zeros(3)).tolist()
    [0.25, 0.5, 0.25]
    """

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        t, c = as_array(t), as_array(c)
        self.k, self.extrapolate = int(k), extrapolate
        if not -np.ndim(c) <= axis < np.ndim(c):
            raise ValueError(f"BSpline: c has shape {np.shape(c)}, and no axis {axis}")
        self.axis = axis % np.ndim(c)
        if self.k < 0 or np.ndim(t) != 1 or np.any(np.diff(value_of(t)) < 0):
            raise ValueError(f"BSpline: t has shape {np.shape(t)}, k={k}; knots are a vector that does not decrease")
        n = np.shape(t)[0] - self.k - 1
        if n < self.k + 1 or np.shape(c)[self.axis] < n or value_of(t)[self.k] == value_of(t)[n]:
            raise ValueError(
                f"BSpline: {np.shape(t)[0]} knots of degree {k} make {n} basis functions, and c has shape "
                f"{np.shape(c)} with axis {axis}; there are at least {2 * self.k + 2} knots, and as many coefficients "
                "as functions"
            )
        kind = np.complex128 if c.dtype.kind == "c" else np.float64
        self.t, self.c = t.astype(np.float64), np.moveaxis(c.astype(kind), self.axis, 0)

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The values, or the derivatives of order ``nu``, at points of any shape, in the place of the axis."""
        if nu < 0 or nu != int(nu):
            raise ValueError(f"BSpline: nu={nu}; the order of a derivative is a whole number from 0 on")
        how = self.extrapolate if extrapolate is None else extrapolate
        x = as_array(x)
        ends = self.t[self.k], self.t[-self.k - 1]
        points = moved_around(x, *ends) if how == "periodic" else x
        found = bspline_values(self.t, self.c, points, self.k, int(nu))
        if not how:
            found = without_outside(found, value_of(x), np.stack([value_of(end) for end in ends]))
        return in_place_of(self.axis, found, np.ndim(x))


def make_interp_spline(
    x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0, check_finite: Any = True
) -> BSpline:
    """The spline of degree k through values y at places x, as ``scipy.interpolate.make_interp_spline``.

    ``t`` are knots, by default those of the condition "not-a-knot"; other conditions are refused: of cubic splines
    :class:`CubicSpline` has them.  Differentiated by y and by the points of a call; x and t are constants.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> y = lambda y: interpolate.make_interp_spline(np.arange(3.0), y, k=2)(0.5)
    >>> grad(y)(np.zeros(3)).round(9).tolist()
    [0.375, 0.75, -0.125]
    """
    if bc_type not in (None, "not-a-knot"):
        raise ValueError(
            f"make_interp_spline: bc_type={bc_type!r} is not differentiated; write CubicSpline(x, y, bc_type=...) for "
            "conditions at the ends of cubic splines"
        )
    if isinstance(x, Tensor) or isinstance(t, Tensor):
        raise TypeError(
            "make_interp_spline: the places 'x' and knots 't' are not differentiated; pass their values: x.data, or "
            "write CubicSpline(x, y), which is differentiated by them"
        )
    y = as_array(y)
    x = np.asarray(x, dtype=float)
    like = interpolate.make_interp_spline(x, np.zeros(x.size), k, t, bc_type, check_finite=check_finite)
    if np.shape(y)[axis] != x.size:
        raise ValueError(f"make_interp_spline: {x.size} places, and y has shape {np.shape(y)} with axis {axis}")
    c = coefficients(x, np.moveaxis(y, axis, 0), like.t, k)
    return BSpline(like.t, np.moveaxis(c, 0, axis), k, axis=axis)


def coefficients(x: Array, y: Array, t: Array, k: int) -> Array:
    """The coefficients of the spline through values along the first axis: a system with few diagonals."""
    if k < 2:
        return y
    weights, first = basis(t, x, k)
    bands = np.zeros((2 * k + 1, x.size))
    column = first + np.arange(k + 1)[:, None]
    bands[k + np.arange(x.size) - column, column] = weights
    right = np.reshape(y, (x.size, -1))
    return np.reshape(solve_banded((k, k), bands, right, check_finite=False), np.shape(y))
