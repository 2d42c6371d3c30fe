"""Functions of ``scipy.ndimage`` with derivatives: filters with borders, and values between the elements."""

from __future__ import annotations

from ...primitive import lasting

with lasting():
    from .along import convolve1d, correlate1d, uniform_filter1d
    from .sampling import map_coordinates, spline_filter, spline_filter1d
    from .smoothing import gaussian_filter, gaussian_filter1d, uniform_filter
    from .transforms import affine_transform, rotate, shift, zoom
    from .weights import convolve, correlate

__all__ = [
    "affine_transform", "convolve", "convolve1d", "correlate", "correlate1d", "gaussian_filter", "gaussian_filter1d",
    "map_coordinates", "rotate", "shift", "spline_filter", "spline_filter1d", "uniform_filter", "uniform_filter1d",
    "zoom",
]  # fmt: skip
