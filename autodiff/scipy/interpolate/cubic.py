"""Cubic splines with two continuous derivatives: the slopes at the knots solve a system with three diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import as_array
from ...tensor import value_of
from ..linalg.banded import solve_banded
from ..linalg.solving import solve
from .piecewise import Piecewise, beside, hermite, prepared

Array = Any
Ends = tuple[Any, Any]
"""The conditions at both ends: "not-a-knot", or the order of a derivative and its value."""


class CubicSpline(Piecewise):
    """The cubic spline through values at knots, as ``scipy.interpolate.CubicSpline``.

    ``x`` are n increasing knots, ``y`` the values, n along ``axis``.  ``bc_type`` is "not-a-knot", "natural",
    "clamped", "periodic", or a pair of conditions, of which each may be (order, value) of a derivative, 1 or 2.
    ``extrapolate`` is True, False for NaN beyond the knots, or "periodic".  A call at points of any shape has the
    derivative of order ``nu``.  Differentiated by y, by the knots, by the values of conditions and by the points, to
    any order.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> spline = interpolate.CubicSpline(np.arange(4.0), np.arange(4.0) ** 2)
    >>> round(grad(lambda p: spline(p))(1.5), 9)
    3.0
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None) -> None:
        places, values, at = prepared("CubicSpline", x, y, axis)
        if extrapolate is None:
            extrapolate = "periodic" if bc_type == "periodic" else True
        slopes = cubic_slopes(places, values, bc_type)
        super().__init__(hermite(places, values, slopes), places, extrapolate, at)


def _ends(bc_type: Any, values: Array) -> Ends:
    """The conditions at both ends, checked."""
    pair = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"CubicSpline: bc_type={bc_type!r}; it is one condition, or a pair of them")
    zero = np.zeros(np.shape(values)[1:])
    named = {"not-a-knot": "not-a-knot", "natural": (2, zero), "clamped": (1, zero)}
    found = []
    for one in pair:
        if isinstance(one, str):
            if one not in named:
                raise ValueError(
                    f"CubicSpline: bc_type={one!r}; it is 'not-a-knot', 'natural', 'clamped' or (order, value), and "
                    "'periodic' for both ends"
                )
            found.append(named[one])
            continue
        order, value = one
        if order not in (1, 2) or np.shape(value) != zero.shape:
            raise ValueError(
                f"CubicSpline: a condition is (order, value) with order 1 or 2 and a value of shape {zero.shape}, got "
                f"order {order!r} and shape {np.shape(value)}"
            )
        found.append((order, as_array(value)))
    return found[0], found[1]


def cubic_slopes(x: Array, y: Array, bc_type: Any = "not-a-knot") -> Array:
    """The slopes at the knots of the cubic spline through values, along the first axis.  As SciPy's ``CubicSpline``.

    They solve h_i s_(i-1) + 2 (h_(i-1) + h_i) s_i + h_(i-1) s_(i+1) = 3 (h_i m_(i-1) + h_(i-1) m_i), with widths h and
    slopes m of the intervals, and a condition at each end.

    >>> import numpy as np
    >>> from autodiff.scipy.interpolate.cubic import cubic_slopes
    >>> np.abs(cubic_slopes(np.arange(4.0), np.arange(4.0) ** 2)).round(9).tolist()
    [0.0, 2.0, 4.0, 6.0]
    """
    h = np.diff(x)
    slope = np.diff(y, axis=0) / beside(h, y)
    n = np.shape(y)[0]
    if bc_type == "periodic":
        first, last = value_of(y)[0], value_of(y)[-1]
        if not np.allclose(first, last, rtol=1e-15, atol=1e-15):
            raise ValueError("CubicSpline: bc_type='periodic' needs equal values at the first and the last knot")
        return _periodic(h, slope)
    start, end = _ends(bc_type, y)
    if n == 2:
        start, end = ((1, slope[0]) if isinstance(one, str) else one for one in (start, end))
    if n == 3 and isinstance(start, str) and isinstance(end, str):
        return _parabola(h, slope)
    return _banded(x, y, h, slope, (start, end))


def _solved(bands: Array, right: Array) -> Array:
    """The solution of a system with three diagonals, of right sides with any further axes."""
    columns = np.reshape(right, (np.shape(right)[0], -1))
    return np.reshape(solve_banded((1, 1), bands, columns, check_finite=False), np.shape(right))


def _parabola(h: Array, slope: Array) -> Array:
    """Through three points: both conditions are one."""
    zero, one = 0.0 * h[0], 1.0 + 0.0 * h[0]
    rows = [[one, one, zero], [h[1], 2 * (h[0] + h[1]), h[0]], [zero, one, one]]
    matrix = np.stack([np.stack(row) for row in rows])
    right = np.stack([2 * slope[0], 3 * (h[0] * slope[1] + h[1] * slope[0]), 2 * slope[1]])
    return np.reshape(solve(matrix, np.reshape(right, (3, -1)), check_finite=False), np.shape(right))


def _banded(x: Array, y: Array, h: Array, slope: Array, ends: Ends) -> Array:
    """Between conditions at both ends."""
    wide = beside(h, y)
    first, beside_first, right_first = _condition(ends[0], x[2:3] - x[:1], h[:2], slope[:2], y[:2], -0.5)
    last, beside_last, right_last = _condition(ends[1], x[-1:] - x[-3:-2], h[:-3:-1], slope[:-3:-1], y[-2:], 0.5)
    bands = np.stack(
        [
            np.concatenate([np.zeros(1), beside_first, h[:-1]]),
            np.concatenate([first, 2 * (h[:-1] + h[1:]), last]),
            np.concatenate([h[1:], beside_last, np.zeros(1)]),
        ]
    )
    inner = 3 * (wide[1:] * slope[:-1] + wide[:-1] * slope[1:])
    return _solved(bands, np.concatenate([right_first[None], inner, right_last[None]]))


def _condition(end: Any, d: Array, h: Array, slope: Array, y: Array, half: float) -> tuple[Array, Array, Array]:
    """The two elements of the row of an end, and its right side.

    ``d`` is the width of two intervals; ``h`` and ``slope`` begin at the end, ``y`` are the values around its interval.
    """
    if isinstance(end, str):
        return h[1:2], d, ((h[0] + 2 * d[0]) * h[1] * slope[0] + h[0] ** 2 * slope[1]) / d[0]
    order, value = end
    if order == 1:
        return np.ones(1), np.zeros(1), value + 0.0 * y[0]
    return 2 * h[:1], h[:1], half * value * h[0] ** 2 + 3 * (y[1] - y[0])


def _periodic(h: Array, slope: Array) -> Array:
    """With equal values, slopes and second derivatives at both ends; the last row and column are eliminated."""
    n = np.shape(slope)[0] + 1
    wide = beside(h, slope)
    if n == 2:
        return np.concatenate([slope, slope])
    if n == 3:
        t = np.sum(slope / wide, axis=0) / np.sum(1.0 / wide, axis=0)
        return np.stack([t, t, t])
    bands = np.stack(
        [
            np.concatenate([np.zeros(1), h[-1:], h[:-3]]),
            np.concatenate([2 * (h[-1:] + h[:1]), 2 * (h[:-2] + h[1:-1])]),
            h[1:],
        ]
    )
    inner = 3 * (wide[1:-1] * slope[:-2] + wide[:-2] * slope[1:-1])
    one = _solved(bands, np.concatenate([3 * (wide[:1] * slope[-1:] + wide[-1:] * slope[:1]), inner]))
    two = _solved(bands, np.concatenate([-h[:1], np.zeros(n - 4), -h[-3:-2]]))
    last = 3 * (h[-1] * slope[-2] + h[-2] * slope[-1])
    of_last = (last - h[-2] * one[0] - h[-1] * one[-1]) / (2 * (h[-1] + h[-2]) + h[-2] * two[0] + h[-1] * two[-1])
    before = one + of_last * beside(two, one)
    return np.concatenate([before, of_last[None], before[:1]])
