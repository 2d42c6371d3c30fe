"""Interpolators of ``scipy.interpolate`` with derivatives by the values and by the points of evaluation."""

from __future__ import annotations

from .grids import RegularGridInterpolator
from .splines import CubicSpline

__all__ = ["CubicSpline", "RegularGridInterpolator"]
