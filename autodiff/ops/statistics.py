"""Averages, covariances, and reductions that ignore NaN.

The derivative with respect to an ignored NaN is zero.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import anywhere, as_array, cast, is_foreign, owned
from ..primitive import example, sample
from ..registering import composite
from ..tensor import Tensor
from .complexes import conjugate
from .cumulative import some_nan
from .norms import root
from .precision import over_count, wide
from .reduction import TIED, spent

Array = Any

AXES = [example(sample(2, 3)), example(sample(2, 3), axis=0), example(sample(2, 3), axis=-1, keepdims=True)]
MISSING = [
    *AXES, example(sample(6, make=some_nan)), example(sample(3, 4, make=some_nan), axis=1, keepdims=True),
    example(sample(3, 4, make=some_nan), axis=(0, 1)),
]  # fmt: skip


def _values(a: Any) -> Any:
    return a.data if isinstance(a, Tensor) else a


@composite(np.amax, examples=AXES, kinks=TIED)
def amax(a: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The largest element; ties share the derivative."""
    return np.max(a, axis=axis, keepdims=keepdims, initial=initial, where=where)


@composite(np.amin, examples=AXES, kinks=TIED)
def amin(a: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The smallest element; ties share the derivative."""
    return np.min(a, axis=axis, keepdims=keepdims, initial=initial, where=where)


@composite(np.ptp, examples=AXES, kinks=TIED, method="ptp")
def ptp(a: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The range: max - min."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# -- without NaN -------------------------------------------------------------------------------------------------


def _kept(a: Array, where: Any) -> Any:
    """Which elements take part."""
    present = ~np.isnan(_values(a))
    return present if where is True else present & where


SUMS = [*MISSING, example(sample(3, 4, make=some_nan), axis=1, initial=2.0, dtype=np.float64),
        example(sample(3, 4, make=some_nan), axis=0, where=np.array([True, False, True, True]))]  # fmt: skip


@composite(np.nansum, examples=SUMS)
def nansum(
    a: Array, axis: Any = None, keepdims: bool = False, where: Any = True, dtype: Any = None, initial: Any = None
) -> Array:
    """The sum of the elements that are not NaN."""
    return np.sum(np.where(_kept(a, where), a, 0.0), axis=axis, dtype=dtype, keepdims=keepdims, initial=initial)


@composite(np.nanprod, examples=SUMS)
def nanprod(
    a: Array, axis: Any = None, keepdims: bool = False, where: Any = True, dtype: Any = None, initial: Any = None
) -> Array:
    """The product of the elements that are not NaN."""
    return np.prod(np.where(_kept(a, where), a, 1.0), axis=axis, dtype=dtype, keepdims=keepdims, initial=initial)


def _over_count(total: Array, a: Array, axis: Any, where: Any, ddof: Any, message: str) -> Any:
    """A sum divided by the number of elements minus ``ddof``; NaN and a warning if none is left."""
    count = np.sum(np.broadcast_to(_kept(a, where), np.shape(a)), axis=axis, keepdims=True) - ddof
    if anywhere(count <= 0):
        warnings.warn(message, RuntimeWarning, stacklevel=5)
    return _typed(over_count(total, np.where(count <= 0, np.nan, count)), total.dtype)


def _squeezed(result: Array, axis: Any, keepdims: bool) -> Array:
    return result if keepdims else np.squeeze(result, axis=tuple(range(np.ndim(result))) if axis is None else axis)


def _typed(a: Array, dtype: Any) -> Array:
    return a if dtype is None else cast(a, dtype)


@composite(np.nanmean, examples=[*MISSING, example(sample(3, 4, make=some_nan), axis=1, dtype=np.float64)])
def nanmean(a: Array, axis: Any = None, keepdims: bool = False, where: Any = True, dtype: Any = None) -> Array:
    """The mean of the elements that are not NaN."""
    a = _typed(a, dtype)
    total = np.nansum(wide(a), axis=axis, keepdims=True, where=where)
    mean = _over_count(total, a, axis, where, 0, "Mean of empty slice")
    return _squeezed(cast(mean, a.dtype), axis, keepdims)


SPREAD = [*MISSING, example(sample(3, 4, make=some_nan), axis=1, ddof=1),
          example(sample(3, 4, make=some_nan), correction=1, dtype=np.float64)]  # fmt: skip


@composite(np.nanvar, examples=SPREAD)
def nanvar(
    a: Array, axis: Any = None, ddof: Any = 0, keepdims: bool = False, where: Any = True, dtype: Any = None,
    correction: Any = None,
) -> Array:  # fmt: skip
    """The variance of the elements that are not NaN."""
    a, ddof = _typed(a, dtype), spent(ddof, correction)
    exact = wide(a)
    centre = np.nanmean(exact, axis=axis, keepdims=True, where=where)
    offset = np.where(_kept(a, where), exact - centre, 0.0)
    squares = np.sum(np.real(offset * conjugate(offset)), axis=axis, keepdims=True)
    variance = _over_count(squares, a, axis, where, ddof, "Degrees of freedom <= 0 for slice.")
    return _squeezed(variance if exact is a else cast(variance, a.dtype), axis, keepdims)


@composite(np.nanstd, examples=SPREAD)
def nanstd(
    a: Array, axis: Any = None, ddof: Any = 0, keepdims: bool = False, where: Any = True, dtype: Any = None,
    correction: Any = None,
) -> Array:  # fmt: skip
    """The standard deviation of the elements that are not NaN; derivative 0 where they are all equal."""
    ddof = spent(ddof, correction)
    return root(np.nanvar(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, where=where))


def _extreme(a: Array, axis: Any, keepdims: bool, initial: Any, where: Any, reduce: Any, instead: float) -> Array:
    """The largest or smallest element that is not NaN; NaN, with a warning, if all are NaN."""
    if where is not True and initial is None:
        raise ValueError("where= needs initial=, the value where nothing is chosen")
    present = _kept(a, where)
    result = reduce(np.where(present, a, instead), axis=axis, keepdims=keepdims, initial=initial)
    if initial is not None:
        return result
    some = np.any(present, axis=axis, keepdims=keepdims)
    if anywhere(~some):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=5)
    return np.where(some, result, np.nan) if anywhere(~some) or is_foreign(some) else result


EXTREME = [
    *MISSING,
    example(sample(3, 4, make=some_nan), axis=1, initial=0.25),
    example(sample(3, 4, make=some_nan), axis=0, initial=0.25, where=np.array([True, False, True, True])),
]


@composite(np.nanmax, examples=EXTREME, kinks=TIED)
def nanmax(a: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The largest element that is not NaN; ties share the derivative."""
    return _extreme(a, axis, keepdims, initial, where, np.max, -np.inf)


@composite(np.nanmin, examples=EXTREME, kinks=TIED)
def nanmin(a: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """The smallest element that is not NaN; ties share the derivative."""
    return _extreme(a, axis, keepdims, initial, where, np.min, np.inf)


# -- weights and covariances -------------------------------------------------------------------------------------


@composite(
    np.average,
    examples=[
        *AXES,
        example(sample(2, 3), weights=np.array([[1.0, 2.0, 0.5], [0.25, 1.0, 4.0]])),
        example(sample(2, 3), axis=1, weights=np.array([1.0, 2.0, 0.5])),
        example(sample(2, 3), 0, np.array([1.0, 2.0]), keepdims=True),
    ],
)
def average(a: Array, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """sum(a w) / sum(w): the weighted mean, and the sum of the weights if ``returned``."""
    shape = np.shape(a)
    if axis is not None:
        normalize_axis_tuple(axis, len(shape))
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        each = math.prod(shape) / max(math.prod(np.shape(mean)), 1)
        count = np.broadcast_to(np.asarray(each, dtype=mean.dtype), np.shape(mean))
        return (mean, count) if returned else mean
    weights = as_array(weights)
    if np.shape(weights) != shape:
        axes = axis if isinstance(axis, tuple) else (axis,)
        if axis is None or np.shape(weights) != tuple(shape[i] for i in axes):
            raise TypeError(
                f"average: the weights have shape {np.shape(weights)}, the array {shape}, axis={axis}; "
                "they must be equal, or the weights' that of the axes"
            )
        rank = len(shape)
        places = [i % rank for i in axes]
        weights = np.transpose(weights, [places.index(i) for i in sorted(places)])
        weights = np.reshape(weights, tuple(n if i in places else 1 for i, n in enumerate(shape)))
        weights = np.broadcast_to(weights, shape)
    half = getattr(a, "dtype", None) == weights.dtype == np.float16
    weights = wide(weights) if half else weights
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if anywhere(_values(total) == 0):
        raise ZeroDivisionError("average: the weights sum to zero; they cannot be normalised")
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    mean = cast(mean, np.float16) if half else mean
    if not returned:
        return mean
    return mean, np.broadcast_to(cast(total, np.float16) if half else total, np.shape(mean))


def _observations(m: Array, rowvar: bool, dtype: Any) -> Array:
    if np.ndim(m) > 2:
        raise ValueError(f"cov: needs a vector or a matrix of observations, got shape {np.shape(m)}")
    if np.ndim(m) < 2:
        m = np.reshape(m, (1, -1))
    elif not rowvar:
        m = np.transpose(m)
    # NumPy computes covariances in double precision unless told
    return _typed(m, np.result_type(m.dtype, np.float64) if dtype is None else np.dtype(dtype))


PAIRS = [
    example(sample(2, 4)), example(sample(4)), example(sample(4, 2), rowvar=False), example(sample(4), sample(4)),
]  # fmt: skip


@composite(
    np.cov,
    examples=[
        *PAIRS,
        example(sample(2, 4), bias=True),
        example(sample(2, 4), ddof=0, dtype=np.float64),
        example(sample(2, 4), fweights=np.array([1, 2, 1, 3])),
        example(sample(2, 4), aweights=np.array([1.0, 2.0, 0.5, 3.0])),
        example(sample(2, 3), fweights=np.array([1, 2, 1]), aweights=np.array([1.0, 2.0, 0.5])),
    ],
)
def cov(
    m: Array, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Array:  # fmt: skip
    """The covariance matrix of variables in rows: (m - mean) w (m - mean)^H / (sum(w) - ddof)."""
    x = _observations(m, rowvar, dtype)
    if y is not None:
        x = np.concatenate([x, _observations(y, rowvar, dtype)], axis=0)
    if not np.shape(x)[0]:  # no variables: NumPy looks at nothing else
        return np.matmul(x, np.transpose(x))
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = None
    if ddof != int(ddof):
        raise ValueError(f"cov: ddof is {ddof}; it counts the degrees of freedom that are spent")
    if fweights is not None and np.any(fweights != np.rint(fweights)):
        raise TypeError("cov: fweights count how often each observation was made; they are integers")
    for given in (fweights, aweights):
        if given is not None:
            if np.shape(given) != np.shape(x)[1:]:
                raise ValueError(
                    f"cov: weights of shape {np.shape(given)} for {np.shape(x)[1]} observations; give one each"
                )
            if np.any(np.less(given, 0)):
                raise ValueError("cov: a weight is negative")
            given = np.asarray(given, dtype=float).astype(x.dtype)
            weights = given if weights is None else weights * given
    if weights is None:
        count, centred = np.shape(x)[1], x - np.mean(x, axis=1, keepdims=True)
        scale, weighted = float(count - ddof), centred
    else:
        total = float(np.sum(weights))
        each = owned(weights, x)
        centred = x - np.sum(x * each, axis=1, keepdims=True) / total
        spent = 0.0 if ddof == 0 else ddof * (1.0 if aweights is None else float(np.sum(weights * aweights)) / total)
        scale, weighted = total - spent, centred * each
    if scale <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
        scale = 0.0
    adjoint = np.transpose(np.conj(weighted) if x.dtype.kind == "c" else weighted)
    return np.squeeze((centred @ adjoint) * (1.0 / scale if scale else np.inf))


@composite(np.corrcoef, examples=PAIRS)
def corrcoef(x: Array, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """The covariances over the standard deviations, kept within -1 and 1."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    index = np.arange(np.shape(c)[0])
    deviations = np.sqrt(np.real(c[index, index]))
    scaled = c / deviations[:, None] / deviations[None, :]
    # rounding alone leaves the interval, and clip's derivative there, 0, would be wrong
    over = np.where(np.abs(_values(scaled)) > 1, np.abs(_values(scaled)), 1.0)
    return scaled / over
