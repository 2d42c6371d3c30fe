"""Cubic polynomials whose slopes depend on a few values around: they neither overshoot nor ring.

Sources: F. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic interpolants" (1984);
H. Akima, "A new method of interpolation and smooth curve fitting based on local procedures" (1970).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import value_of
from .piecewise import Piecewise, beside, hermite, prepared, real_only

Array = Any

BREAK = 1e-9
"""The part of the largest change of slope below which Akima's formula has no weights."""


class PchipInterpolator(Piecewise):
    """The cubic polynomials that rise and fall with the values, as ``scipy.interpolate.PchipInterpolator``.

    ``x`` are n increasing places, ``y`` values there, n along ``axis``; ``extrapolate`` is True, "periodic", or False
    for NaN beyond the ends.  Differentiated by the values, the places and the points.  Where two neighbouring intervals
    rise and fall, or one is level, the slope between them is zero, and so is its derivative.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> grad(lambda p: interpolate.PchipInterpolator([0.0, 1.0, 2.0], [0.0, 1.0, 1.0])(p))(1.5)
    0.0
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
        places, values, at = prepared("PchipInterpolator", x, y, axis)
        real_only("PchipInterpolator", values)
        slopes = pchip_slopes(places, values)
        super().__init__(hermite(places, values, slopes), places, extrapolate is None or extrapolate, at)


def pchip_slopes(x: Array, y: Array) -> Array:
    """The slopes at the places x of cubic polynomials that rise and fall with the values y, along the first axis.

    Weighted harmonic means of the slopes of the two intervals, or zero.  As SciPy's ``PchipInterpolator``.

    >>> import numpy as np
    >>> from autodiff.scipy.interpolate.local import pchip_slopes
    >>> pchip_slopes(np.arange(3.0), np.array([0.0, 1.0, 0.0])).tolist()
    [2.0, 0.0, -2.0]
    """
    h = beside(np.diff(x), y)
    m = np.diff(y, axis=0) / h
    if np.shape(y)[0] == 2:
        return np.concatenate([m, m])
    before, after = m[:-1], m[1:]
    signs = np.sign(value_of(m))
    level = (signs[1:] != signs[:-1]) | (signs[1:] == 0) | (signs[:-1] == 0)
    heavy, light = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    mean = (heavy / np.where(level, 1.0, before) + light / np.where(level, 1.0, after)) / (heavy + light)
    inner = np.where(level, 0.0, 1.0 / np.where(level, 1.0, mean))
    ends = _edge(h[0], h[1], m[0], m[1]), _edge(h[-1], h[-2], m[-1], m[-2])
    return np.concatenate([ends[0][None], inner, ends[1][None]])


def _edge(h0: Array, h1: Array, m0: Array, m1: Array) -> Array:
    """The slope of the parabola at an end, if it goes as the values do."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    slope, first, second = value_of(d), value_of(m0), value_of(m1)
    steep = (np.sign(first) != np.sign(second)) & (np.abs(slope) > 3.0 * np.abs(first))
    return np.where(np.sign(slope) != np.sign(first), 0.0, np.where(steep, 3.0 * m0, d))


class Akima1DInterpolator(Piecewise):
    """Akima's cubic polynomials, as ``scipy.interpolate.Akima1DInterpolator``.

    ``x`` are n increasing places, ``y`` values there, n along ``axis``; ``method`` is "akima" or "makima", which is
    level where values are; ``extrapolate`` is False (NaN beyond the ends), True or "periodic".  Differentiated by the
    values, the places and the points.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> round(grad(lambda p: interpolate.Akima1DInterpolator(np.arange(4.0), np.arange(4.0) ** 2)(p))(1.5), 9)
    3.0
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, *, method: str = "akima", extrapolate: Any = None) -> None:
        places, values, at = prepared("Akima1DInterpolator", x, y, axis)
        real_only("Akima1DInterpolator", values)
        slopes = akima_slopes(places, values, method)
        super().__init__(hermite(places, values, slopes), places, extrapolate is not None and extrapolate, at)


def akima_slopes(x: Array, y: Array, method: str = "akima") -> Array:
    """The slopes at the places x of Akima's cubic polynomials through the values y, along the first axis.

    With slopes m of intervals, two more at each end, and w_i = |m_(i+1) - m_i|, the mean of the two slopes around is
    weighted by those on the other side; "makima" adds |m_(i+1) + m_i| / 2.  As SciPy's ``Akima1DInterpolator``.

    >>> import numpy as np
    >>> from autodiff.scipy.interpolate.local import akima_slopes
    >>> akima_slopes(np.arange(4.0), np.arange(4.0)).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if method not in ("akima", "makima"):
        raise ValueError(f"Akima1DInterpolator: method={method!r}; it is 'akima' or 'makima'")
    m = np.diff(y, axis=0) / beside(np.diff(x), y)
    if np.shape(y)[0] == 2:
        return np.concatenate([m, m])
    left, right = 2.0 * m[:1] - m[1:2], 2.0 * m[-1:] - m[-2:-1]
    m = np.concatenate([2.0 * left - m[:1], left, m, right, 2.0 * right - m[-1:]])
    change = np.abs(np.diff(m, axis=0))
    weights = change + 0.5 * np.abs(m[1:] + m[:-1]) if method == "makima" else change
    after, before = weights[2:], weights[:-2]
    both = after + before
    sizes = value_of(both)
    uneven = sizes > BREAK * np.max(sizes, initial=0.0)
    share = before / np.where(uneven, both, 1.0)
    return np.where(uneven, m[1:-2] + share * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))
