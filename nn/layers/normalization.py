"""Layers that shift and scale their inputs to mean 0 and variance 1.

Each computes (x - mean) / sqrt(variance + eps), then weight * that + bias; they differ in the elements over which means
are taken.  The variance is that of the population: divided by the number of elements.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import BatchingError, Tensor, mark_written

from . import statistics
from .checks import check_array, data, described, finite, floating, positive_eps, whole
from .module import Module
from .structure import values_of

__all__ = ["BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm", "RMSNorm"]

Array = Any


def _standardized(x: Any, axis: Any, eps: float) -> tuple[Any, Any, Any]:
    """(x - mean) / sqrt(variance + eps), the mean and the variance."""
    mean = np.mean(x, axis=axis, keepdims=True)
    centred = x - mean
    variance = np.mean(centred * centred, axis=axis, keepdims=True)
    return centred * (variance + eps) ** -0.5, mean, variance


def _affine(module: Any, who: str, shape: tuple[int, ...], affine: bool, bias: bool, dtype: Any) -> None:
    """Give a module its weight, of ones, and its bias, of zeros, or None for what it does not have."""
    dtype = floating(who, dtype)
    module.weight = Tensor(np.ones(shape, dtype)) if affine else None
    module.bias = Tensor(np.zeros(shape, dtype)) if affine and bias else None


def _taken(who: str, x: Any, weight: Any) -> Any:
    """The input, in the dtype of the weight if there is one."""
    if weight is not None:
        return data(who, x, weight)
    check_array(who, "input", x)
    return x.astype(np.float32) if x.dtype.kind in "biu" else x


def _scaled(y: Any, weight: Any, bias: Any) -> Any:
    """weight y + bias for each channel, if there are any."""
    if weight is None:
        return y
    columns = (-1,) + (1,) * (y.ndim - 2)
    return y * np.reshape(weight, columns) + np.reshape(bias, columns)


class _OverLastAxes(Module):
    """What layers over the last axes have in common."""

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float | None, affine: bool, bias: bool, dtype: Any
    ):
        who = type(self).__name__
        sizes = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        if not sizes:
            raise ValueError(f"{who}: normalized_shape is empty; give the lengths of the last axes")
        self.normalized_shape: tuple[int, ...] = tuple(whole(who, "normalized_shape", n) for n in sizes)
        self.eps: float | None = None if eps is None else positive_eps(who, eps)
        self.weight: Tensor | None
        self.bias: Tensor | None
        _affine(self, who, self.normalized_shape, affine, bias, dtype)

    def _checked(self, x: Any) -> tuple[Any, tuple[int, ...]]:
        """The input in the parameters' dtype, and the axes to take means over."""
        who, sizes = type(self).__name__, self.normalized_shape
        x = _taken(who, x, self.weight)
        if x.shape[-len(sizes) :] != sizes:
            raise ValueError(f"{who}: the input has shape {x.shape}; its last axes must have the lengths {sizes}")
        return x, tuple(range(-len(sizes), 0))

    def extra_repr(self) -> str:
        sizes = self.normalized_shape
        shape = str(sizes[0]) if len(sizes) == 1 else str(sizes)
        return shape + ("" if self.weight is not None else ", elementwise_affine=False")


class LayerNorm(_OverLastAxes):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with means over the last axes of each example.

    x has shape (..., *normalized_shape), as have ``weight`` and ``bias`` without the first axes.  Source: J. L. Ba et
    al., "Layer normalization" (2016).

    >>> import numpy as np
    >>> LayerNorm(2)(np.array([[1.0, 3.0], [-5.0, 5.0]], dtype=np.float32)).round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, *, dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, eps, elementwise_affine, bias, dtype)

    def forward(self, x: Any) -> Any:
        x, axes = self._checked(x)
        y, _, _ = _standardized(x, axes, self.eps or 0.0)
        y = y if self.weight is None else y * self.weight
        return y if self.bias is None else y + self.bias


class RMSNorm(_OverLastAxes):
    """x / sqrt(mean(x²) + eps) * weight, with the mean over the last axes of each example.

    x has shape (..., *normalized_shape).  ``eps`` is by default the precision of the input's dtype.  Source: B. Zhang,
    R. Sennrich, "Root mean square layer normalization" (2019).

    >>> import numpy as np
    >>> RMSNorm(2)(np.array([[1.0, 7.0]], dtype=np.float32)).round(3)
    Tensor([[0.2, 1.4]], float32, round)
    """

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float | None = None, elementwise_affine: bool = True, *,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        super().__init__(normalized_shape, eps, elementwise_affine, False, dtype)

    def forward(self, x: Any) -> Any:
        x, axes = self._checked(x)
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        y = x * (np.mean(x * x, axis=axes, keepdims=True) + eps) ** -0.5
        return y if self.weight is None else y * self.weight


class GroupNorm(Module):
    """(x - mean) / sqrt(variance + eps) * weight + bias, with means over groups of channels of each example.

    x has shape (n, num_channels, ...), ``weight`` and ``bias`` (num_channels,).  One group is the LayerNorm of images,
    a group for each channel the InstanceNorm.  Source: Y. Wu, K. He, "Group normalization" (2018).

    >>> import numpy as np
    >>> GroupNorm(2, 4)(np.ones((3, 4, 5), dtype=np.float32)).shape
    (3, 4, 5)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, dtype: Any = np.float32
    ) -> None:
        self.num_groups: int = whole("GroupNorm", "num_groups", num_groups)
        self.num_channels: int = whole("GroupNorm", "num_channels", num_channels)
        if self.num_channels % self.num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels do not make {num_groups} equal groups")
        self.eps: float = positive_eps("GroupNorm", eps)
        self.weight: Tensor | None
        self.bias: Tensor | None
        _affine(self, "GroupNorm", (self.num_channels,), affine, affine, dtype)

    def forward(self, x: Any) -> Any:
        x = _taken("GroupNorm", x, self.weight)
        shape = x.shape
        if len(shape) < 2 or shape[1] != self.num_channels:
            raise ValueError(f"GroupNorm: the input has shape {shape}; it must be (n, {self.num_channels}, ...)")
        size = math.prod(shape[2:]) * (self.num_channels // self.num_groups)
        y, _, _ = _standardized(np.reshape(x, (shape[0], self.num_groups, size)), -1, self.eps)
        y = np.reshape(y, shape)
        return _scaled(y, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}" + ("" if self.weight is not None else ", affine=False")


class _BatchNorm(Module):
    """What the layers over a batch have in common."""

    _axes: tuple[int, ...] = ()
    _wanted = ""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, *, dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        self.num_features: int = whole(who, "num_features", num_features)
        self.eps: float = positive_eps(who, eps)
        self.momentum: float | None = None if momentum is None else finite(who, "momentum", momentum)
        self.weight: Tensor | None
        self.bias: Tensor | None
        _affine(self, who, (self.num_features,), affine, affine, dtype)
        self.running_mean: Array = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var: Array = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked: Array = np.array(0) if track_running_stats else None

    def forward(self, x: Any) -> Any:
        who = type(self).__name__
        x = _taken(who, x, self.weight)
        shape = x.shape
        if len(shape) not in self._axes or shape[1] != self.num_features:
            wanted = self._wanted.format(self.num_features)
            raise ValueError(f"{who}: the input has shape {shape}; it must be {wanted}")
        columns = (-1,) + (1,) * (len(shape) - 2)
        if self.training or self.running_mean is None:
            y = self._by_batch(x)
        else:
            scale = (self.running_var + self.eps) ** -0.5
            y = (x - np.reshape(self.running_mean, columns)) * np.reshape(scale, columns)
        return _scaled(y, self.weight, self.bias)

    def _by_batch(self, x: Any) -> Any:
        """The input by the mean and variance of the batch, which the running ones follow in training."""
        total = statistics.total()
        if total is None:
            count = x.size // self.num_features
            self._check_count(count, x)
            y, mean, variance = _standardized(x, (0, *range(2, x.ndim)), self.eps)
        else:
            y, mean, variance, count = self._by_parts(x, total)
        if self.training and self.running_mean is not None:
            self._follow(values_of(mean), values_of(variance) * (count / (count - 1)))
        return y

    def _by_parts(self, x: Any, total: statistics.Total) -> tuple[Any, Any, Any, float]:
        """The same of a batch of which other processes have parts, and how many numbers each channel has in all."""
        axes, shape = (0, *range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
        wide = np.promote_types(x.dtype, np.float32)  # a sum of 65,505 ones is no float16

        def sums(x: Any) -> Any:
            return np.sum(x, axis=axes, dtype=wide).astype(np.float64)

        every = total(self, np.concatenate([sums(x), [x.size // self.num_features]]))
        count = float(values_of(every)[-1])
        self._check_count(count, x)
        mean = np.reshape(every[:-1] / count, shape).astype(x.dtype)
        centred = x - mean
        variance = np.reshape(total(self, sums(centred * centred)) / count, shape).astype(x.dtype)
        return centred * (variance + self.eps) ** -0.5, mean, variance, count

    def _check_count(self, count: float, x: Any) -> None:
        if self.training and count < 2:
            raise ValueError(
                f"{type(self).__name__}: the input has shape {x.shape}, {count:g} number{'s'[: count != 1]} for each "
                "channel, and training needs 2 to have a variance; take a larger batch, or model.eval()"
            )

    def _follow(self, mean: Array, variance: Array) -> None:
        """Move the running mean and variance towards those of a batch."""
        share = self.momentum if self.momentum is not None else 1.0 / (self.num_batches_tracked + 1)
        try:
            for running, now in ((self.running_mean, mean), (self.running_var, variance)):
                running += ((np.reshape(now, running.shape) - running) * share).astype(running.dtype)
                mark_written(running)  # the graph of an evaluation may hold it
        except BatchingError:
            raise BatchingError(
                f"{type(self).__name__}: inside of vmap each example would have a running mean of its own; map over "
                "model.eval(), or make the layer with track_running_stats=False"
            ) from None
        self.num_batches_tracked += 1

    def extra_repr(self) -> str:
        return described(
            self.num_features, eps=(self.eps, 1e-5), momentum=(self.momentum, 0.1),
            affine=(self.weight is not None, True), track_running_stats=(self.running_mean is not None, True),
        )  # fmt: skip


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(variance + eps) * weight + bias for each channel, with means over the batch.

    x has shape (n, num_features) or (n, num_features, length), ``weight`` and ``bias`` (num_features,).  In evaluation
    the mean and the variance are the running ones, which follow those of the batches in training: running = (1 -
    momentum) running + momentum batch, with the variance divided by n - 1; with ``momentum=None`` they are averages of
    all batches.  (Under ``checkpoint`` a batch is computed twice, and they move twice.)  Raises ValueError for a batch
    of one number a channel in training.  Source: S. Ioffe, C. Szegedy,
    "Batch normalization" (2015).

    >>> import numpy as np
    >>> layer = BatchNorm1d(2)
    >>> layer(np.array([[1.0, 2.0], [3.0, 6.0]], dtype=np.float32)).round(3).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    >>> layer.running_mean.round(3)
    array([0.2, 0.4], dtype=float32)
    """

    _axes = (2, 3)
    _wanted = "(n, {0}) or (n, {0}, length)"


class BatchNorm2d(_BatchNorm):
    """:class:`BatchNorm1d` of images, with means over the batch, the height and the width.

    x has shape (n, num_features, height, width).

    >>> import numpy as np
    >>> BatchNorm2d(3)(np.ones((2, 3, 4, 4), dtype=np.float32)).shape
    (2, 3, 4, 4)
    """

    _axes = (4,)
    _wanted = "(n, {0}, height, width)"
