"""Layers that summarise windows of an image or a sequence by one number.

Images have shape (n, channels, height, width), sequences (n, channels, length); any number of first axes is taken.
Where several elements of a window are its maximum, they share the gradient equally, as in ``np.max``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import max_pool, unfold

from .checks import check_array, described, each, whole
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "MaxPool1d",
    "MaxPool2d",
]

Array = Any
Size = int | tuple[int, ...]


def _image(who: str, x: Any, axes: int) -> tuple[int, ...]:
    """The shape of an input whose last axes have windows."""
    check_array(who, "input", x)
    shape = x.shape
    if len(shape) <= axes or x.dtype.kind not in "fc":
        what = f"is {x.dtype}; cast it to floating-point" if len(shape) > axes else f"has shape {shape}"
        raise ValueError(f"{who}: the input {what}; it must be (n, channels, {('length', 'height, width')[axes - 1]})")
    return tuple(shape)


class _Pool(Module):
    """What windows have in common."""

    _axes = 2

    def __init__(self, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool) -> None:
        who, axes = type(self).__name__, self._axes
        self.kernel_size: tuple[int, ...] = each(who, "kernel_size", kernel_size, axes)
        self.stride: tuple[int, ...] = self.kernel_size if stride is None else each(who, "stride", stride, axes)
        self.padding: tuple[int, ...] = each(who, "padding", padding, axes, 0)
        self.dilation: tuple[int, ...] = each(who, "dilation", dilation, axes)
        self.ceil_mode: bool = bool(ceil_mode)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(f"{who}: padding is {padding}; it must be at most half of the kernel {kernel_size}")

    def _borders(self, sizes: tuple[int, ...]) -> list[tuple[int, int]]:
        """How much is added before and after each axis; with ``ceil_mode`` the last window may reach beyond."""
        borders = []
        for n, k, s, p, d in zip(sizes, self.kernel_size, self.stride, self.padding, self.dilation, strict=True):
            room = n + 2 * p - d * (k - 1) - 1
            if room < 0:
                raise ValueError(
                    f"{type(self).__name__}: the window reaches over {d * (k - 1) + 1}, but the last axes of the input "
                    f"have the lengths {sizes}" + (f" and a border of {p} on each side" if p else "")
                )
            places = math.ceil(room / s) + 1 if self.ceil_mode else room // s + 1
            if (places - 1) * s >= n + p:  # a window begins in the input
                places -= 1
            borders.append((p, max(p, (places - 1) * s + d * (k - 1) + 1 - n - p)))
        return borders

    def extra_repr(self) -> str:
        ones, zeros = (1,) * self._axes, (0,) * self._axes
        return described(
            self.kernel_size, stride=(self.stride, self.kernel_size), padding=(self.padding, zeros),
            dilation=(self.dilation, ones), ceil_mode=(self.ceil_mode, False), **self._more(),
        )  # fmt: skip

    def _more(self) -> dict[str, tuple[Any, Any]]:
        return {}


class _MaxPool(_Pool):
    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, dilation, ceil_mode)

    def forward(self, x: Any) -> Any:
        shape, axes = _image(type(self).__name__, x, self._axes), self._axes
        borders = self._borders(shape[-axes:])
        if any(map(any, borders)):
            x = np.pad(x, [(0, 0)] * (len(shape) - axes) + borders, constant_values=-np.inf)
        return max_pool(x, self.kernel_size, self.stride, self.dilation)


class _AvgPool(_Pool):
    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad: bool = bool(count_include_pad)
        self.divisor_override: int | None = (
            None if divisor_override is None else whole(type(self).__name__, "divisor_override", divisor_override)
        )

    def forward(self, x: Any) -> Any:
        shape, axes = _image(type(self).__name__, x, self._axes), self._axes
        borders = self._borders(shape[-axes:])
        windows = unfold(x, self.kernel_size, self.stride, borders)
        total = np.sum(windows, axis=tuple(range(len(shape) - axes, len(shape))))
        return total * self._share(shape[-axes:], borders, x.dtype)

    def _share(self, sizes: tuple[int, ...], borders: list[tuple[int, int]], dtype: Any) -> Any:
        """1 / the number of elements that count in each window: one number, or one for each place."""
        if self.divisor_override is not None:
            return 1.0 / self.divisor_override
        if not any(map(any, borders)):
            return 1.0 / math.prod(self.kernel_size)
        counts: Any = 1.0
        for i, (n, k, s, p) in enumerate(zip(sizes, self.kernel_size, self.stride, self.padding, strict=True)):
            low, high = (-p, n + p) if self.count_include_pad else (0, n)
            starts = np.arange((n + sum(borders[i]) - k) // s + 1) * s - p
            inside = np.minimum(starts + k, high) - np.maximum(starts, low)
            counts = counts * inside.reshape((-1,) + (1,) * (len(sizes) - 1 - i))
        return (1.0 / counts).astype(dtype)

    def _more(self) -> dict[str, tuple[Any, Any]]:
        return {
            "count_include_pad": (self.count_include_pad, True), "divisor_override": (self.divisor_override, None),
        }  # fmt: skip


class MaxPool1d(_MaxPool):
    """The largest element of each window of a sequence.

    Shapes and arguments are those of :class:`MaxPool2d`, with one axis (n, channels, length).

    >>> import numpy as np
    >>> MaxPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]])).tolist()
    [[3.0, 2.0]]
    """

    _axes = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of an image.

    x has shape (n, channels, height, width); an axis of length h becomes (h + 2 padding - dilation (kernel - 1) - 1) //
    stride + 1, rounded up with ``ceil_mode``.  The stride is the kernel's size if it is not given.  Beyond the ends is
    -inf.  Elements that tie share the gradient equally (PyTorch gives it to the first).

    >>> import numpy as np
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence.

    Shapes and arguments are those of :class:`AvgPool2d`, with one axis (n, channels, length).

    >>> import numpy as np
    >>> AvgPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]])).tolist()
    [[2.0, 1.0]]
    """

    _axes = 1


class AvgPool2d(_AvgPool):
    """The mean of each window of an image.

    x has shape (n, channels, height, width); an axis of length h becomes (h + 2 padding - kernel) // stride + 1,
    rounded up with ``ceil_mode``.  Beyond the ends there is 0, which counts in the mean if ``count_include_pad``;
    ``divisor_override`` is divided by instead of the number of elements.

    >>> import numpy as np
    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """


class _AdaptiveAvgPool(Module):
    _axes = 2

    def __init__(self, output_size: int | tuple[int | None, ...] | None) -> None:
        who, axes = type(self).__name__, self._axes
        sizes = output_size if isinstance(output_size, tuple | list) else (output_size,) * axes
        if len(sizes) != axes:
            raise ValueError(f"{who}: output_size is {output_size!r}; give one integer, or {axes}")
        checked = [n if n is None else whole(who, "output_size", n) for n in sizes]
        self.output_size: tuple[int | None, ...] = tuple(checked)

    def forward(self, x: Any) -> Any:
        shape, axes = _image(type(self).__name__, x, self._axes), self._axes
        for axis, size in zip(range(len(shape) - axes, len(shape)), self.output_size, strict=True):
            if size is not None and size != shape[axis]:
                x = _averaged(x, axis, size)
        return x

    def extra_repr(self) -> str:
        return described(self.output_size)


def _averaged(x: Any, axis: int, size: int) -> Any:
    """Means of parts of an axis, from floor(i n / size) to ceil((i + 1) n / size)."""
    shape = x.shape
    n = shape[axis]
    if n == 0:
        raise ValueError(f"AdaptiveAvgPool: the input has shape {shape}; an axis of length 0 has no means")
    if n % size == 0:
        return np.mean(np.reshape(x, (*shape[:axis], size, n // size, *shape[axis + 1 :])), axis=axis + 1)
    starts = np.arange(size) * n // size
    ends = -(-np.arange(1, size + 1) * n // size)
    inside = (np.arange(n) >= starts[:, None]) & (np.arange(n) < ends[:, None])
    weights = (inside / (ends - starts)[:, None]).astype(x.dtype)
    return np.moveaxis(np.matmul(np.moveaxis(x, axis, -1), weights.T), -1, axis)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of so many parts of a sequence, whatever its length.

    x has shape (n, channels, length), y (n, channels, output_size).

    >>> import numpy as np
    >>> AdaptiveAvgPool1d(2)(np.array([[1.0, 3.0, 5.0]])).tolist()
    [[2.0, 4.0]]
    """

    _axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of so many parts of an image along each axis, whatever its size.

    x has shape (n, channels, height, width), y (n, channels, *output_size).  Part i of m along an axis of length h
    reaches from floor(i h / m) to ceil((i + 1) h / m); None for an axis that stays.

    >>> import numpy as np
    >>> AdaptiveAvgPool2d(1)(np.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[7.5]]]]
    """
