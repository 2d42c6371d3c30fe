"""Functions of images and sequences, with PyTorch's names and arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff import unfold as _unfold

from .checks import each
from .convolution import BORDERS

__all__ = ["pad", "unfold"]

MODES = {"constant": "constant", **{name: mode for name, mode in BORDERS.items() if name != "zeros"}}


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """A border around the last axes: ``pad`` is (left, right) of the last axis, then of the one before it, and so on.

    ``mode`` is "constant" (with ``value``), "reflect", "replicate" or "circular"; a negative number cuts.  ``np.pad``
    does the same with pairs in the order of the axes.

    >>> import numpy as np
    >>> pad(np.ones((1, 2)), (1, 0, 0, 1)).tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    rank = np.ndim(x)
    widths = [int(n) for n in pad]
    if len(widths) % 2 or len(widths) > 2 * rank:
        raise ValueError(f"pad: pad is {tuple(pad)}; give a pair for each of the last axes of shape {np.shape(x)}")
    if mode not in MODES:
        raise ValueError(f"pad: mode is {mode!r}; it must be one of {', '.join(MODES)}")
    pairs = [(0, 0)] * (rank - len(widths) // 2) + list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    cuts = [(max(-before, 0), max(-after, 0)) for before, after in pairs]
    if any(before + after > n for (before, after), n in zip(cuts, np.shape(x), strict=True)):
        raise ValueError(f"pad: pad {tuple(pad)} cuts more than there is of shape {np.shape(x)}")
    if any(map(any, cuts)):
        x = x[tuple(slice(before, n - after) for (before, after), n in zip(cuts, np.shape(x), strict=True))]
    borders = [(max(before, 0), max(after, 0)) for before, after in pairs]
    options = {"constant_values": value} if mode == "constant" else {}
    return np.pad(x, borders, MODES[mode], **options)  # type: ignore[call-overload]


def unfold(
    x: Any, kernel_size: int | tuple[int, ...], dilation: int | tuple[int, ...] = 1, padding: int | tuple[int, ...] = 0,
    stride: int | tuple[int, ...] = 1,
) -> Any:  # fmt: skip
    """The windows of images as columns: (n, channels, height, width) becomes (n, channels kernel, places).

    ``autodiff.unfold`` keeps the axes apart, for any number of them.

    >>> import numpy as np
    >>> unfold(np.arange(6.0).reshape(1, 1, 2, 3), (2, 2)).tolist()
    [[[0.0, 1.0], [1.0, 2.0], [3.0, 4.0], [4.0, 5.0]]]
    """
    shape = np.shape(x)
    if len(shape) not in (3, 4):
        raise ValueError(f"unfold: the input has shape {shape}; it must be (n, channels, height, width)")
    kernel = each("unfold", "kernel_size", kernel_size, 2)
    windows = _unfold(x, kernel, each("unfold", "stride", stride, 2), each("unfold", "padding", padding, 2, 0),
                      each("unfold", "dilation", dilation, 2))  # fmt: skip
    first = windows.shape[: len(shape) - 3]
    columns = shape[-3] * math.prod(kernel)
    return np.reshape(windows, (*first, columns, math.prod(windows.shape[len(first) + 3 :])))
