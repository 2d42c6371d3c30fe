"""Functions of ``scipy.ndimage`` with derivatives: filters with borders, and values between the elements."""

from __future__ import annotations

from ...primitive import lasting

with lasting():
    from .filters import (
        convolve,
        convolve1d,
        correlate,
        correlate1d,
        gaussian_filter,
        gaussian_filter1d,
        uniform_filter,
        uniform_filter1d,
    )
    from .sampling import map_coordinates, spline_filter, spline_filter1d

__all__ = [
    "convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d", "map_coordinates",
    "spline_filter", "spline_filter1d", "uniform_filter", "uniform_filter1d",
]  # fmt: skip
