"""Values between places along one axis: straight lines, the nearest value, or a spline."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import as_array
from ...tensor import Tensor, value_of
from .bsplines import make_interp_spline
from .piecewise import in_place_of

Array = Any

STEPS = ("nearest", "nearest-up", "previous", "next")
_ORDERS = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}


class interp1d:  # noqa: N801  # SciPy's name
    """Values between places, as ``scipy.interpolate.interp1d``.

    ``x`` are n places, ``y`` values there, n along ``axis``.  ``kind`` is "linear", "nearest", "nearest-up",
    "previous", "next", "zero", "slinear", "quadratic", "cubic", or the degree of a spline.  Beyond the places
    ``bounds_error`` raises ValueError, ``fill_value`` stands there, one value or a pair (below, above), or
    "extrapolate" goes on.  Differentiated by the values and by the points of a call, and by the places for "linear";
    at a place the slope of straight lines is that of the interval before it, and steps have the slope zero.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import interpolate
    >>> grad(lambda p: interpolate.interp1d([0.0, 1.0, 3.0], [0.0, 2.0, 4.0])(p))(2.0)
    1.0
    """

    def __init__(
        self, x: Any, y: Any, kind: Any = "linear", axis: int = -1, copy: bool = True, bounds_error: bool | None = None,
        fill_value: Any = np.nan, assume_sorted: bool = False,
    ) -> None:  # fmt: skip
        x, y = as_array(x), as_array(y)
        if np.ndim(x) != 1 or not -np.ndim(y) <= axis < np.ndim(y) or np.shape(y)[axis] != np.shape(x)[0]:
            raise ValueError(
                f"interp1d: x has shape {np.shape(x)}, and y {np.shape(y)} with axis {axis}; x is a vector, and y has "
                "as many values along the axis"
            )
        if kind not in ("linear", *STEPS, *_ORDERS) and (isinstance(kind, bool) or not isinstance(kind, int)):
            raise NotImplementedError(
                f"interp1d: kind={kind!r}; it is {', '.join(map(repr, ('linear', *STEPS, *_ORDERS)))} or a degree"
            )
        if not assume_sorted:
            order = np.argsort(value_of(x), kind="mergesort")
            x, y = x[order], np.take(y, order, axis=axis)
        if y.dtype.kind not in "fc":
            y = y.astype(np.float64)
        self.axis = axis % np.ndim(y)
        self.x, self.y, self.kind = x, np.moveaxis(y, self.axis, 0), kind
        self._extrapolates = isinstance(fill_value, str) and fill_value == "extrapolate"
        if self._extrapolates and bounds_error:
            raise ValueError("interp1d: fill_value='extrapolate' and bounds_error=True exclude each other")
        self._bounds = not self._extrapolates and (bounds_error is None or bounds_error)
        self.fill_value = fill_value
        self._spline = None
        least = _ORDERS.get(kind, kind if isinstance(kind, int) else 0) + 1
        if np.shape(x)[0] < least:
            raise ValueError(f"interp1d: {np.shape(x)[0]} places; kind={kind!r} needs at least {least}")
        if kind != "linear" and kind not in STEPS:
            if isinstance(x, Tensor):
                raise TypeError(
                    f"interp1d: kind={kind!r} is not differentiated by the places 'x'; pass their values: x.data, or "
                    "write CubicSpline(x, y)"
                )
            self._spline = make_interp_spline(x, self.y, _ORDERS.get(kind, kind), check_finite=False)

    def __call__(self, x: Any) -> Any:
        """The values at points of any shape, in the place of the axis."""
        points = as_array(x)
        flat = np.reshape(points, (-1,))
        found = self._between(flat)
        if not self._extrapolates:
            found = self._filled(found, value_of(flat))
        shaped = np.reshape(found, np.shape(points) + np.shape(self.y)[1:])
        return in_place_of(self.axis, shaped, np.ndim(points))

    def _between(self, points: Any) -> Any:
        """The values at a vector of points."""
        if self._spline is not None:
            return self._spline(points)
        places, here = value_of(self.x), value_of(points)
        last = len(places) - 1
        if self.kind == "linear":
            high = np.clip(np.searchsorted(places, here), 1, last)
            low = high - 1
            wide = (-1,) + (1,) * (np.ndim(self.y) - 1)
            width = np.reshape(self.x[high] - self.x[low], wide)
            slope = (self.y[high] - self.y[low]) / width
            return slope * np.reshape(points - self.x[low], wide) + self.y[low]
        found = self.y[_step(self.kind, places, here)]
        beyond = {"previous": here < places[0], "next": here > places[-1]}.get(self.kind)
        if self._extrapolates and beyond is not None:  # nothing comes before the first, or after the last
            found = np.where(np.reshape(beyond, (-1,) + (1,) * (np.ndim(found) - 1)), np.nan, found)
        return found

    def _filled(self, found: Any, points: Array) -> Any:
        """The values with ``fill_value`` beyond the places.  Raises ValueError with ``bounds_error``."""
        places = value_of(self.x)
        below, above = points < places[0], points > places[-1]
        if self._bounds and np.any(below | above):
            where = float(points[np.argmax(below | above)])
            raise ValueError(
                f"interp1d: a point at {where:g} is beyond the places, from {places[0]:g} to {places[-1]:g}; give "
                "bounds_error=False, or fill_value='extrapolate'"
            )
        pair = self.fill_value if isinstance(self.fill_value, tuple) else (self.fill_value,) * 2
        if len(pair) != 2:
            raise ValueError(f"interp1d: fill_value is one value or a pair (below, above), got {len(pair)}")
        rest = np.shape(found)[1:]
        for outside, value in zip((below, above), pair, strict=True):
            if np.any(outside):
                wide = np.broadcast_to(as_array(value), rest)
                found = np.where(np.reshape(outside, (-1,) + (1,) * len(rest)), wide, found)
        return found


def _step(kind: str, places: Array, points: Array) -> Array:
    """The number of the place whose value a point has."""
    last = len(places) - 1
    if kind in ("nearest", "nearest-up"):
        middles = places[1:] / 2.0 + places[:-1] / 2.0
        return np.clip(np.searchsorted(middles, points, side="left" if kind == "nearest" else "right"), 0, last)
    if kind == "previous":
        return np.clip(np.searchsorted(places, points, side="right") - 1, 0, last)
    return np.clip(np.searchsorted(places, points, side="left"), 0, last)
