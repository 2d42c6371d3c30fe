"""Functions of ``scipy.signal`` with derivatives: convolutions, filters, and what is made of them.

A convolution and a filter are linear in each argument, so the rule of one is another: with the arrays reversed, or the
filter run backwards.  Differentiated to any order.
"""

from __future__ import annotations

from ...primitive import lasting

with lasting():
    from .convolutions import convolve, correlate, fftconvolve, oaconvolve
    from .filters import lfilter
    from .planes import convolve2d, correlate2d
    from .processing import detrend, filtfilt, hilbert, lfilter_zi, sosfilt

__all__ = [
    "convolve", "convolve2d", "correlate", "correlate2d", "detrend", "fftconvolve", "filtfilt", "hilbert", "lfilter",
    "lfilter_zi", "oaconvolve", "sosfilt",
]  # fmt: skip
