"""Layers that change the size of an image or a sequence: elements are repeated or interpolated."""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import each
from .module import Module

__all__ = ["Upsample"]

Size = int | tuple[int, ...]


class Upsample(Module):
    """An image or a sequence of another size: elements are repeated or interpolated.

    x has shape (n, channels, length) or (n, channels, height, width); the last axes get the lengths ``size``, or theirs
    times ``scale_factor``.  ``mode`` is "nearest", "linear" (sequences) or "bilinear" (images).  With
    ``align_corners`` the first and last elements stay where they are; without, the borders of the image do.

    >>> import numpy as np
    >>> Upsample(scale_factor=2)(np.array([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    >>> Upsample(3, mode="linear", align_corners=True)(np.array([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.5, 2.0]]]
    """

    def __init__(
        self, size: Size | None = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None,
    ) -> None:  # fmt: skip
        if (size is None) == (scale_factor is None):
            raise ValueError("Upsample: give either size or scale_factor")
        if mode not in ("nearest", "linear", "bilinear"):
            raise ValueError(f"Upsample: mode is {mode!r}; it must be 'nearest', 'linear' or 'bilinear'")
        if mode == "nearest" and align_corners is not None:
            raise ValueError("Upsample: align_corners is for 'linear' and 'bilinear'; 'nearest' does not interpolate")
        self.size: Size | None = size
        self.scale_factor: Any = scale_factor
        self.mode: str = mode
        self.align_corners: bool | None = align_corners

    def forward(self, x: Any) -> Any:
        shape = np.shape(x)
        axes = len(shape) - 2
        wanted = {"nearest": (1, 2), "linear": (1,), "bilinear": (2,)}[self.mode]
        if axes not in wanted:
            raise ValueError(
                f"Upsample: the input has shape {shape}; with mode {self.mode!r} it must be (n, channels, "
                f"{'length' if wanted[0] == 1 else 'height, width'})"
            )
        sizes, factors = self._sizes(shape[2:])
        for axis, (n, size, factor) in enumerate(zip(shape[2:], sizes, factors, strict=True), 2):
            if self.mode == "nearest":
                x = np.take(x, np.minimum((np.arange(size) / factor).astype(int), n - 1), axis=axis)
            else:
                x = self._interpolated(x, axis, size, factor)
        return x

    def _sizes(self, sizes: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """The new lengths of the axes, and by what each is multiplied."""
        if self.size is not None:
            new = each("Upsample", "size", self.size, len(sizes))
            return new, tuple(m / n for m, n in zip(new, sizes, strict=True))
        given = self.scale_factor
        factors = given if isinstance(given, tuple | list) else (given,) * len(sizes)
        if len(factors) != len(sizes) or any(not f > 0 for f in factors):
            raise ValueError(f"Upsample: scale_factor is {given!r}; give a positive number, or one an axis")
        return tuple(int(n * f) for n, f in zip(sizes, factors, strict=True)), tuple(float(f) for f in factors)

    def _interpolated(self, x: Any, axis: int, size: int, factor: float) -> Any:
        """Elements between neighbours along an axis."""
        n = x.shape[axis]
        if self.align_corners:
            at = np.arange(size) * ((n - 1) / (size - 1) if size > 1 else 0.0)
        else:
            at = np.maximum((np.arange(size) + 0.5) / factor - 0.5, 0.0)
        low = np.minimum(at.astype(int), n - 1)
        high = np.minimum(low + 1, n - 1)
        share = (at - low).astype(x.dtype).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
        return np.take(x, low, axis=axis) * (1 - share) + np.take(x, high, axis=axis) * share

    def extra_repr(self) -> str:
        size = f"scale_factor={self.scale_factor}" if self.size is None else f"{self.size}"
        return f"{size}, mode={self.mode!r}" + (
            "" if self.align_corners is None else f", align_corners={self.align_corners}"
        )
