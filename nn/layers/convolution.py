"""Convolutions: the same small filters at every place of an image or a sequence.

Images have shape (n, channels, height, width), sequences (n, channels, length); without the first axis they are one
example.  Filters have the shape (out, in / groups, *kernel), as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import Tensor, convolution, convolution_transpose

from ..random import Rng, generator
from . import init
from .checks import data, described, each, floating, whole
from .module import Module

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

Array = Any
Size = int | tuple[int, ...]
BORDERS = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names of what is around an image, and NumPy's."""
_NAMES = {1: "length", 2: "height, width"}


class _Convolution(Module):
    """What all convolutions have in common."""

    _axes = 2

    def _prepare(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size, dilation: Size, groups: int
    ) -> None:
        """Check and keep the arguments."""
        who, axes = type(self).__name__, self._axes
        self.in_channels: int = whole(who, "in_channels", in_channels)
        self.out_channels: int = whole(who, "out_channels", out_channels)
        self.kernel_size: tuple[int, ...] = each(who, "kernel_size", kernel_size, axes)
        self.stride: tuple[int, ...] = each(who, "stride", stride, axes)
        self.dilation: tuple[int, ...] = each(who, "dilation", dilation, axes)
        self.groups: int = whole(who, "groups", groups)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"{who}: {in_channels} channels in and {out_channels} out do not make {groups} equal groups each"
            )

    def _fill(self, shape: tuple[int, ...], bias: bool, rng: Rng, dtype: Any) -> None:
        """Draw the parameters, uniform in ±1 / sqrt(elements that a filter sees)."""
        floating(type(self).__name__, dtype)
        rng = generator(rng)
        bound = 1.0 / math.sqrt(math.prod(shape[1:]))
        self.weight: Tensor = Tensor(init.uniform(shape, -bound, bound, rng=rng, dtype=dtype))
        drawn = init.uniform((self.out_channels,), -bound, bound, rng=rng, dtype=dtype) if bias else None
        self.bias: Tensor | None = None if drawn is None else Tensor(drawn)

    def forward(self, x: Any) -> Any:
        who = type(self).__name__
        x = data(who, x, self.weight)
        shape, axes = x.shape, self._axes
        channels = len(shape) - axes - 1
        if channels not in (0, 1) or shape[channels] != self.in_channels:
            raise ValueError(
                f"{who}: the input has shape {shape}; it must be (n, {self.in_channels}, {_NAMES[axes]}), or that "
                "without n"
            )
        y = self._applied(x if channels else np.reshape(x, (1, *shape)))
        if self.bias is not None:
            y = y + np.reshape(self.bias, (-1,) + (1,) * axes)
        return y if channels else np.reshape(y, y.shape[1:])

    def _applied(self, x: Any) -> Any:
        """The convolution of a batch, without the bias."""
        raise NotImplementedError

    def _options(self) -> dict[str, tuple[Any, Any]]:
        """The options, with their defaults."""
        ones = (1,) * self._axes
        return {
            "stride": (self.stride, ones), "dilation": (self.dilation, ones), "groups": (self.groups, 1),
            "bias": (self.bias is not None, True),
        }  # fmt: skip

    def extra_repr(self) -> str:
        return described(self.in_channels, self.out_channels, self.kernel_size, **self._options())


class _Forward(_Convolution):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size | str = 0,
        dilation: Size = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", *, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        self._prepare(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if padding_mode not in BORDERS:
            raise ValueError(f"{who}: padding_mode is {padding_mode!r}; it must be one of {', '.join(BORDERS)}")
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"{who}: padding is {padding!r}; give integers, 'same' or 'valid'")
        if padding == "same" and set(self.stride) != {1}:
            raise ValueError(f"{who}: padding='same' needs stride 1, got {stride}")
        self.padding: Any = padding if isinstance(padding, str) else each(who, "padding", padding, self._axes, 0)
        self.padding_mode: str = padding_mode
        self._fill((self.out_channels, self.in_channels // self.groups, *self.kernel_size), bias, rng, dtype)

    def _borders(self) -> tuple[tuple[int, int], ...]:
        """How much is added before and after each axis."""
        if self.padding == "valid":
            return ((0, 0),) * self._axes
        if self.padding == "same":
            totals = [(k - 1) * d for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            return tuple((n // 2, n - n // 2) for n in totals)
        return tuple((p, p) for p in self.padding)

    def _applied(self, x: Any) -> Any:
        borders = self._borders()
        if self.padding_mode != "zeros" and any(map(any, borders)):
            x = np.pad(x, [(0, 0), (0, 0), *borders], BORDERS[self.padding_mode])  # type: ignore[call-overload]
            borders = ((0, 0),) * self._axes
        have = tuple(n + sum(border) for n, border in zip(x.shape[2:], borders, strict=True))
        need = tuple((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))
        if any(n < extent for n, extent in zip(have, need, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: the input has shape {x.shape}, with its padding {have}, and a filter reaches "
                f"over {need}; pad it, or take a smaller kernel"
            )
        return convolution(x, self.weight, self.stride, borders, self.dilation, self.groups)

    def _options(self) -> dict[str, tuple[Any, Any]]:
        own = {"padding": (self.padding, (0,) * self._axes), "padding_mode": (self.padding_mode, "zeros")}
        return {**super()._options(), **own}


class _Transposed(_Convolution):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size = 0,
        output_padding: Size = 0, groups: int = 1, bias: bool = True, dilation: Size = 1, *, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        self._prepare(in_channels, out_channels, kernel_size, stride, dilation, groups)
        self.padding: tuple[int, ...] = each(who, "padding", padding, self._axes, 0)
        self.output_padding: tuple[int, ...] = each(who, "output_padding", output_padding, self._axes, 0)
        if any(n >= step for n, step in zip(self.output_padding, self.stride, strict=True)):
            raise ValueError(f"{who}: output_padding is {output_padding}; it must be less than the stride {stride}")
        self._fill((self.in_channels, self.out_channels // self.groups, *self.kernel_size), bias, rng, dtype)

    def _applied(self, x: Any) -> Any:
        sizes = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + more + 1
            for n, k, s, p, d, more in zip(
                x.shape[2:], self.kernel_size, self.stride, self.padding, self.dilation, self.output_padding,
                strict=True,
            )
        )  # fmt: skip
        if any(n < 1 for n in sizes):
            raise ValueError(
                f"{type(self).__name__}: the input has shape {x.shape}, so the output would have the lengths {sizes}"
            )
        return convolution_transpose(x, self.weight, sizes, self.stride, self.padding, self.dilation, self.groups)

    def _options(self) -> dict[str, tuple[Any, Any]]:
        zeros = (0,) * self._axes
        own = {"padding": (self.padding, zeros), "output_padding": (self.output_padding, zeros)}
        return {**super()._options(), **own}


class Conv1d(_Forward):
    """Filters along a sequence: y[n, o, t] = bias[o] + sum_ck weight[o, c, k] x[n, c, t stride + k dilation - padding].

    Shapes and arguments are those of :class:`Conv2d`, with one axis (n, channels, length).

    >>> import numpy as np
    >>> Conv1d(3, 4, 5, padding=2, rng=0)(np.ones((2, 3, 10), dtype=np.float32)).shape
    (2, 4, 10)
    """

    _axes = 1


class Conv2d(_Forward):
    """Filters over an image: y[n, o, p] = bias[o] + sum_ck weight[o, c, k] x[n, c, p stride + k dilation - padding].

    x has shape (n, in_channels, height, width), y (n, out_channels, height', width'), ``weight`` (out_channels,
    in_channels / groups, *kernel_size) and ``bias`` (out_channels,).  An axis of length h becomes (h + 2 padding -
    dilation (kernel - 1) - 1) // stride + 1.  ``kernel_size``, ``stride``, ``padding`` and ``dilation`` are one integer
    or two; ``padding`` may be "same" (the output has the size of the input) or "valid" (none), and ``padding_mode``
    names what is there: "zeros", "reflect", "replicate" or "circular".  With ``groups``, each group of filters
    sees its part of the channels.  Parameters start uniform in ±1 / sqrt(fan_in).  Raises ValueError for an input of
    another shape.

    >>> import numpy as np
    >>> Conv2d(1, 8, 3, padding=1, rng=0)(np.ones((2, 1, 28, 28), dtype=np.float32)).shape
    (2, 8, 28, 28)
    """


class ConvTranspose1d(_Transposed):
    """The adjoint of a convolution along a sequence: each element adds its multiple of a filter to the output.

    Shapes and arguments are those of :class:`ConvTranspose2d`, with one axis (n, channels, length).

    >>> import numpy as np
    >>> ConvTranspose1d(3, 4, 2, stride=2, rng=0)(np.ones((2, 3, 5), dtype=np.float32)).shape
    (2, 4, 10)
    """

    _axes = 1


class ConvTranspose2d(_Transposed):
    """The adjoint of a convolution over an image: each element adds its multiple of a filter to the output.

    x has shape (n, in_channels, height, width), ``weight`` (in_channels, out_channels / groups, *kernel_size).  An axis
    of length h becomes (h - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.

    >>> import numpy as np
    >>> ConvTranspose2d(8, 1, 2, stride=2, rng=0)(np.ones((2, 8, 14, 14), dtype=np.float32)).shape
    (2, 1, 28, 28)
    """
