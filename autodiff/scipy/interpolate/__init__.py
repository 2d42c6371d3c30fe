"""Interpolators of ``scipy.interpolate`` with derivatives by the values, by the points of evaluation and by knots."""

from __future__ import annotations

from .bsplines import BSpline, make_interp_spline
from .cubic import CubicSpline
from .grids import RegularGridInterpolator
from .lines import interp1d
from .local import Akima1DInterpolator, PchipInterpolator
from .piecewise import CubicHermiteSpline

__all__ = [
    "Akima1DInterpolator",
    "BSpline",
    "CubicHermiteSpline",
    "CubicSpline",
    "PchipInterpolator",
    "RegularGridInterpolator",
    "interp1d",
    "make_interp_spline",
]
