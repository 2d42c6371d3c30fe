"""Functions along axes: reductions, sums, sorting, Fourier transforms.  The axis of one example is shifted by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import Batched, aligned, is_of, latest, shifted, spread
from .families import flat, handles, only_first
from .loop import ByExampleError

Array = Any


@handles(
    np.sum, np.mean, np.max, np.min, np.amax, np.amin, np.prod, np.var, np.std, np.any, np.all, np.ptp, np.median,
    np.count_nonzero, np.flip, np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanprod, np.nanvar, np.nanstd,
    np.nanmedian,
)  # fmt: skip
def _over_axes(function: Any, a: Array, axis: Any = None, *rest: Any, **kwargs: Any) -> Array:
    """A reduction over the given axes, or over all axes of an example."""
    where = kwargs.get("where", True)
    level = latest(a, where)
    ndim = np.ndim(a)
    if where is True:
        kwargs.pop("where", None)
    else:
        kwargs["where"] = aligned(where, level, ndim)
    axes = shifted(tuple(range(ndim)) if axis is None else axis, ndim)
    if axes == () and function is np.median:
        return a
    return Batched(function(spread(a, level), axes, *rest, **kwargs), level)


@handles(np.quantile, np.percentile, np.nanquantile, np.nanpercentile)
def _quantile(function: Any, a: Array, q: Any, axis: Any = None, **kwargs: Any) -> Array:
    level = latest(a, q)
    only_first(level, q)
    result = function(a.held, q, axis=shifted(tuple(range(a.ndim)) if axis is None else axis, a.ndim), **kwargs)
    return Batched(np.moveaxis(result, np.ndim(q), 0), level)


@handles(
    np.cumsum, np.cumprod, np.nancumsum, np.nancumprod, np.argmax, np.argmin, np.nanargmax, np.nanargmin,
)  # fmt: skip
def _along_orflat(function: Any, a: Array, axis: Any = None, *rest: Any, **kwargs: Any) -> Array:
    """A function along one axis, or over the flattened example."""
    if axis is None:
        if kwargs.get("keepdims"):
            raise ByExampleError
        a, axis = np.ravel(a), 0
    return Batched(function(a.held, shifted(axis, a.ndim), *rest, **kwargs), a.level)


@handles(np.cumulative_sum, np.cumulative_prod)
def _cumulative(function: Any, x: Array, /, *, axis: Any = None, **kwargs: Any) -> Array:
    axis = 0 if axis is None and x.ndim == 1 else axis
    return Batched(function(x.held, axis=shifted(axis, x.ndim), **kwargs), x.level)


@handles(np.sort, np.argsort)
def _sort(function: Any, a: Array, axis: Any = -1, *rest: Any, **kwargs: Any) -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    return Batched(function(a.held, shifted(axis, a.ndim), *rest, **kwargs), a.level)


@handles(np.partition, np.argpartition)
def _partition(function: Any, a: Array, kth: Any, axis: Any = -1, *rest: Any, **kwargs: Any) -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    return Batched(function(a.held, kth, shifted(axis, a.ndim), *rest, **kwargs), a.level)


@handles(np.repeat, np.roll, np.delete)
def _flat_or_along(function: Any, a: Array, what: Any, axis: Any = None) -> Array:
    level = latest(a, what)
    only_first(level, what)
    if axis is not None:
        return Batched(function(a.held, what, shifted(axis, a.ndim)), level)
    result = Batched(function(flat(a).held, what, 1), level)
    return np.reshape(result, a.shape) if function is np.roll else result


@handles(np.diff)
def _diff(function: Any, a: Array, n: int = 1, axis: int = -1, **kwargs: Any) -> Array:
    level = latest(a, *kwargs.values())
    ends = {k: spread(v, level) for k, v in kwargs.items()}
    return Batched(np.diff(spread(a, level), n, shifted(axis, np.ndim(a)), **ends), level)


@handles(np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft)
def _fft(function: Any, a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
    return Batched(function(a.held, n, shifted(axis, a.ndim), norm), a.level)


@handles(
    np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn, np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2
)  # fmt: skip
def _fftn(function: Any, a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    if axes is None:
        last = 2 if function.__name__.endswith("2") else a.ndim if s is None else len(s)
        axes = tuple(range(-last, 0))
    return Batched(function(a.held, s, shifted(axes, a.ndim), norm), a.level)


@handles(np.fft.fftshift, np.fft.ifftshift)
def _fftshift(function: Any, x: Array, axes: Any = None) -> Array:
    return Batched(function(x.held, shifted(tuple(range(x.ndim)) if axes is None else axes, x.ndim)), x.level)


@handles(np.take)
def _take(function: Any, a: Array, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Array:
    level = latest(a, indices)
    if not is_of(indices, level):
        if axis is None:
            return Batched(np.take(flat(a).held, indices, 1, mode=mode), level)  # type: ignore[call-overload]
        return Batched(np.take(a.held, indices, shifted(axis, a.ndim), mode=mode), level)  # type: ignore[call-overload]
    if axis is None:
        a, axis = np.ravel(a), 0
    length = np.shape(a)[axis]
    if mode != "raise":
        indices = indices % length if mode == "wrap" else np.clip(indices, 0, length - 1)
    examples = Batched(spread(a, level), level)
    return examples[(*(slice(None),) * (axis % np.ndim(a)), indices)]
