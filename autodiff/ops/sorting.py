"""Sorting, and functions of sorted numbers: partition, median, quantiles.

Sorting moves elements, so its rule moves the cotangents back.  Equal elements get equal shares, as in ``max`` and
``min``.  Positions (argsort, searchsorted) are recorded, with derivative zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..arrays import anywhere, as_array, cast, is_foreign, is_plain, owned
from ..primitive import exactly, example, refuse, sample
from ..registering import composite, primitive
from ..tensor import Tensor
from .complexes import to_complex
from .cumulative import some_nan
from .indexing import scatter_add
from .kinks import across, by_convention
from .placing import running
from .precision import over_count, wide

Array = Any


def _along(indices: Any, axis: int) -> tuple[Any, ...]:
    """The index that picks ``indices`` along one axis and each position of the others."""
    grid = list(np.ix_(*[np.arange(n) for n in indices.shape]))
    grid[axis] = indices
    return tuple(grid)


def _values(a: Array) -> Any:
    """The values: they decide the order, and carry no derivative there."""
    return a.data if isinstance(a, Tensor) else a


def _shared_by_ties(g: Array, y: Array, axis: int) -> Array:
    """Cotangents of the sorted elements ``y``, averaged over runs of equal ones."""
    after, before = [slice(None)] * y.ndim, [slice(None)] * y.ndim
    after[axis], before[axis] = slice(1, None), slice(None, -1)
    values = _values(y)
    if is_foreign(values):
        sizes = _run_sums(np.ones_like(values), values, axis)
        share = by_convention(np.ones_like(values), (y,), lambda: (_run_sums(y, values, axis), sizes == 1))
        return over_count(_run_sums(wide(across(g, (y,), lambda: sizes == 1)), values, axis), sizes) * share
    new = values[tuple(after)] != values[tuple(before)]
    if new.all():
        return g
    start = np.zeros_like(values[tuple([slice(None)] * (axis % y.ndim) + [slice(0, 1)])], dtype=int)
    runs = _along(np.concatenate([start, np.cumsum(new, axis=axis)], axis=axis), axis)
    sizes = scatter_add(np.ones_like(values, dtype=int), runs, y.shape)[runs]
    share = by_convention(np.ones(y.shape, y.dtype), (y,), lambda: (scatter_add(y, runs, y.shape)[runs], sizes == 1))
    g = across(g, (y,), lambda: sizes == 1)
    return over_count(scatter_add(wide(g), runs, y.shape)[runs], sizes) * share


def _run_sums(g: Array, y: Any, axis: int) -> Array:
    """For each sorted element the sum over all elements that equal it, by repeated doubling from both sides."""
    n = y.shape[axis]
    before, after = running(g, y, axis, n), running(np.flip(g, axis), np.flip(y, axis), axis, n)
    return before + np.flip(after, axis) - g


def _sort_rule(g: Array, a: Array, axis: int | None) -> Array:
    if axis is None:
        return np.reshape(_sort_rule(g, np.reshape(a, (-1,)), -1), a.shape)
    if a.ndim == 0 or a.size == 0:
        return g
    order = np.argsort(_values(a), axis=axis, kind="stable")
    places = _along(order, axis)
    return scatter_add(_shared_by_ties(g, a[places], axis), places, a.shape)


SORTED = [
    example(sample(5)), example(sample(2, 3)), example(sample(3, 2), axis=0), example(sample(2, 3), axis=None),
    example(sample(0)), example(sample(2, 0)),
]  # fmt: skip


TIED = [example(exactly([1.25, 0.5, 1.25]))]


@primitive(lambda g, a, axis: _sort_rule(g, a, axis), implements=np.sort, examples=SORTED, kinks=TIED, analytic=False)
def sort(a: Array, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Array:
    """Sorted along an axis: cotangents go back to where elements came from, and equal elements share theirs equally."""
    return np.sort(a, axis=axis, kind=kind, stable=stable)


def _partition_rule(g: Array, a: Array, y: Array, axis: int | None) -> Array:
    if axis is None:
        return np.reshape(_partition_rule(g, np.reshape(a, (-1,)), y, -1), a.shape)
    if a.size == 0:
        return g
    order = np.argsort(_values(y), axis=axis, kind="stable")
    return _sort_rule(g[_along(order, axis)], a, axis)


@primitive(
    lambda g, a, y, axis: _partition_rule(g, a, y, axis), implements=np.partition, analytic=False,
    examples=[example(sample(5), 2), example(sample(2, 4), (1, 3)), example(sample(3, 2), 0, axis=0),
              example(sample(2, 3), 1, axis=None)],
    kinks=[example(exactly([1.25, 0.5, 1.25]), 1)],
)  # fmt: skip
def partition(a: Array, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Array:
    """Partly sorted: cotangents go back to where elements came from, and equal elements share theirs equally."""
    return np.partition(a, kth, axis=axis, kind=kind)


# -- quantiles ---------------------------------------------------------------------------------------------------


def _last(a: Array, axis: Any) -> tuple[Array, tuple[int, ...]]:
    """The reduced axes as one, the last, and the shape of the result with ``keepdims=True``."""
    rank = np.ndim(a)
    axes = tuple(range(rank)) if axis is None else normalize_axis_tuple(axis, rank)
    rest = [i for i in range(rank) if i not in axes]
    shape = np.shape(a)
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    order = [*rest, *axes]
    a = a if order == list(range(rank)) else np.transpose(a, order)
    return np.reshape(a, [*(shape[i] for i in rest), int(np.prod([shape[i] for i in axes], dtype=int))]), kept


def _positions(q: Any, counts: Any, method: str) -> tuple[Any, Any, Any]:
    """The sorted elements between which the quantiles of ``counts`` numbers lie, and the fraction.

    Every method of NumPy interpolates between neighbours.  So the quantile of the numbers 0, 1, 2... is the position.
    """
    found = {int(n): np.quantile(np.arange(float(n)), q, method=method) for n in np.unique(counts) if n > 0}  # type: ignore[call-overload]
    nothing = np.zeros(np.shape(q))
    each = [found.get(int(n), nothing) for n in np.ravel(counts)]
    at = (np.stack(each, axis=-1) if each else nothing[..., None][..., :0]).reshape(np.shape(q) + np.shape(counts))
    low = np.floor(at).astype(int)
    return low, np.ceil(at).astype(int), at - low


def _by_count(table: Any, counts: Any) -> Any:
    """The entries of a table, with a column for each count, for counts that are not known yet."""
    return owned(table, counts)[..., counts]


_CHOOSING = ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")
"""The methods that take an element as it is."""


def _quantile(name: str, a: Array, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Array:
    if isinstance(q, Tensor):
        if q._node.active:
            raise TypeError(f"{name}: the probabilities are not differentiated; pass their values: q.data")
        q = q.data
    weak = type(q) in (int, float)  # then it has no say in the precision of the result
    q = np.asarray(q, dtype=float)
    if np.any((q < 0) | (q > 1)):
        raise ValueError(f"{name}: a probability is outside of its range (0 to 1, or 0 to 100 percent)")
    rows, kept = _last(a, axis)
    if np.shape(rows)[-1] == 0:
        raise ValueError(f"{name}: no elements along axis {axis} of shape {np.shape(a)}")
    rows = np.sort(rows, axis=-1)
    values = _values(rows)
    nan = np.isnan(values)
    counts = np.sum(~nan, axis=-1) if skip_nan else np.full(values.shape[:-1], values.shape[-1])
    if is_foreign(counts):  # nobody looks how many there are: the positions of each number that there may be
        table = _positions(q, np.arange(values.shape[-1] + 1), method)
        low, high, t = (_by_count(column, counts) for column in table)
    else:
        low, high, t = (owned(part, values) for part in _positions(q, counts, method))
    places = np.ix_(*[np.arange(n) for n in values.shape[:-1]])
    below, above = rows[(*places, low)], rows[(*places, high)]
    t = cast(t, values.dtype) if weak or method in _CHOOSING else t
    if name.endswith("median"):  # as NumPy takes it, so that an infinity among the two is no NaN
        result = (below + above) * 0.5
    else:
        step = above - below
        result = np.where(t < 0.5, below + step * t, above - step * (1.0 - t))
    result = np.where(low == high, below, result)
    if not skip_nan:
        result = np.where(nan[..., -1], rows[..., -1], result)  # NaN sorts last
    return np.reshape(result, q.shape + kept) if keepdims else result


def _share(percent: Any) -> Any:
    return percent / 100 if type(percent) in (int, float, Tensor) else np.asarray(np.true_divide(percent, 100))


QUANTILES = [
    example(sample(5), 0.3),
    example(sample(2, 4), 0.5, axis=1),
    example(sample(3, 2), np.array([0.1, 0.9]), axis=0, keepdims=True),
    example(sample(2, 3, 2), 0.25, axis=(0, 2)),
    example(sample(6), 0.4, method="hazen"),
    example(sample(4), 0.4, method="lower"),
    example(sample(4), 0.4, method="midpoint"),
    example(sample(), 0.5),
    example(sample(3), [[0.0, 1.0]]),
]
PERCENTILES = [e._replace(args=(e.args[0], np.asarray(e.args[1]) * 100.0)) for e in QUANTILES]
MISSING = [
    example(sample(6, make=some_nan), 0.3), example(sample(3, 4, make=some_nan), 0.5, axis=1),
    example(sample(4, 2, make=some_nan), [0.2, 0.7], axis=0), example(sample(5, make=some_nan), 0.4, method="weibull"),
]  # fmt: skip


@composite(
    np.quantile,
    examples=QUANTILES,
    kinks=[example(exactly([1.25, 0.5, 1.25]), 0.5)],
    errors=[example(sample(3), 1.5)],
)
def quantile(a: Array, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The number below which a share ``q`` of the elements lies, by any of NumPy's methods."""
    return _quantile("quantile", a, q, axis, method, keepdims, False)


@composite(np.percentile, examples=PERCENTILES)
def percentile(a: Array, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The quantile at ``q`` percent."""
    return _quantile("percentile", a, _share(q), axis, method, keepdims, False)


@composite(np.nanquantile, examples=[*QUANTILES[:3], *MISSING])
def nanquantile(a: Array, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The quantile of the elements that are not NaN."""
    return _quantile("nanquantile", a, q, axis, method, keepdims, True)


@composite(np.nanpercentile, examples=PERCENTILES[:3])
def nanpercentile(a: Array, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Array:
    """The percentile of the elements that are not NaN."""
    return _quantile("nanpercentile", a, _share(q), axis, method, keepdims, True)


MEDIANS = [example(sample(5)), example(sample(2, 4), axis=1), example(sample(4, 2), axis=0, keepdims=True),
           example(sample(2, 3, 2), axis=(0, 2)), example(sample())]  # fmt: skip


@composite(np.median, examples=MEDIANS, kinks=TIED)
def median(a: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The middle of the sorted elements, or the mean of the two in the middle."""
    return _quantile("median", a, 0.5, axis, "linear", keepdims, False)


@composite(
    np.nanmedian, examples=[*MEDIANS, example(sample(3, 4, make=some_nan), axis=1), example(sample(5, make=some_nan))]
)
def nanmedian(a: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The median of the elements that are not NaN."""
    return _quantile("nanmedian", a, 0.5, axis, "linear", keepdims, True)


@composite(np.sort_complex, examples=[example(sample(4)), example(sample(2, 3, make=to_complex))])
def sort_complex(a: Array) -> Array:
    """Sorted, and complex."""
    result = np.sort(a, axis=-1)
    if a.dtype.kind == "c":
        return result
    return cast(result, np.clongdouble if a.dtype == np.longdouble != np.float64 else np.complex128)


# -- counting: weights have a derivative, what is counted has none ------------------------------------------------


@composite(np.bincount, examples=[
    example(np.array([0, 2, 2, 1]), sample(4)), example(np.array([1, 1]), sample(2), minlength=4),
])  # fmt: skip
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Array:
    """The sum of the weights at each number."""
    x = _values(x)
    if weights is None:
        return np.bincount(x, minlength=minlength)
    counted = np.bincount(x, minlength=minlength)  # checks what it is given
    if np.shape(weights) != np.shape(x):
        raise ValueError(f"bincount: {np.size(x)} numbers and {np.size(weights)} weights; give one each")
    return scatter_add(cast(weights, np.float64), (x,), counted.shape)


@composite(np.histogram_bin_edges, examples=[example(sample(5)), example(sample(2, 3), 3)])
def histogram_bin_edges(a: Array, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:  # noqa: A002
    """Evenly spaced numbers from the smallest to the largest element."""
    if not isinstance(bins, int | np.integer) or range is not None or not isinstance(a, Tensor):
        return np.histogram_bin_edges(_values(a), bins, range, None if weights is None else _values(weights))
    if weights is not None and np.shape(weights) != np.shape(a):
        raise ValueError(
            f"histogram: the weights have shape {np.shape(weights)}, the array {np.shape(a)}; give one each"
        )
    if a.dtype.kind == "c":
        raise TypeError("histogram: complex numbers have no order; take it of np.abs, np.real or np.imag")
    extent = np.ptp(a.data) if np.size(a) else np.nan
    if not np.size(a) or anywhere(~np.isfinite(extent)):  # NumPy says what is wrong with NaN
        return np.histogram_bin_edges(a.data, bins)
    margin = cast(np.where(extent == 0, 0.5, 0.0), a.dtype)  # of numbers that are all the same
    return np.linspace(np.min(a) - margin, np.max(a) + margin, int(bins) + 1)


@composite(np.histogram, examples=[
    example(sample(5), 2, None, None, sample(5)),
], errors=[example(sample(5), 2, density=True)])  # fmt: skip
def histogram(a: Array, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:  # noqa: A002
    """The sum of the weights of the elements in each bin, and the edges of the bins."""
    edges = np.histogram_bin_edges(a, bins, range, weights)
    if density:
        raise TypeError("histogram: density=True is not differentiated; divide by np.sum(counts) * np.diff(edges)")
    values, limits = np.ravel(_values(a)), as_array(_values(edges))
    if is_foreign(values) or is_foreign(limits):
        inside = (values >= limits[0]) & (values <= limits[-1])
        places = np.clip(np.searchsorted(limits, values, side="right") - 1, 0, limits.size - 2)
        weights = np.ones_like(values, dtype=int) if weights is None else np.ravel(weights)
        return scatter_add(np.where(inside, weights, 0), (places,), (limits.size - 1,)), edges
    inside = np.flatnonzero((values >= limits[0]) & (values <= limits[-1]))
    places = np.searchsorted(limits, values[inside], side="right") - 1
    places = np.where(places == limits.size - 1, places - 1, places)  # the last bin has its right edge
    if weights is None:
        return np.bincount(places, minlength=limits.size - 1), edges
    return scatter_add(np.ravel(weights)[inside], (places,), (limits.size - 1,)), edges


# -- positions: recorded, with a derivative that is zero everywhere -----------------------------------------------


@primitive(
    None,
    implements=np.argsort,
    examples=[example(sample(4)), example(sample(2, 3), axis=0)],
    analytic=False,
    method="argsort",
)
def argsort(a: Array, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Array:
    """The positions of the sorted elements: constant between jumps."""
    return np.argsort(a, axis=axis, kind=kind, stable=stable)


@primitive(
    None, implements=np.lexsort, sequence="keys", analytic=False,
    examples=[example(sample(2, 4)), example(sample(2, 3, 2), axis=0)],  # of lists, NumPy asks no protocol
)  # fmt: skip
def lexsort(keys: Any, axis: int = -1) -> Array:
    """The positions in the order of several keys: constant between jumps."""
    return np.lexsort(keys if all(map(is_plain, keys)) else np.stack(keys), axis=axis)


@primitive(None, implements=np.argpartition, examples=[example(sample(4), 2)], analytic=False)
def argpartition(a: Array, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Array:
    """The positions of the partly sorted elements: constant between jumps."""
    return np.argpartition(a, kth, axis=axis, kind=kind)


@primitive(
    None, None, implements=np.searchsorted, analytic=False,
    examples=[example(sample(4, make=np.sort), sample(2)), example(sample(4, make=np.sort), sample(), side="right")],
)  # fmt: skip
def searchsorted(a: Array, v: Array, side: Any = "left", sorter: Any = None) -> Array:
    """The position of each element of ``v`` in the sorted ``a``: constant between jumps."""
    return np.searchsorted(owned(a, v), v, side=side, sorter=sorter)


@primitive(
    None, None, implements=np.digitize, examples=[example(sample(3), np.array([-1.0, 0.0, 1.0]))], analytic=False
)
def digitize(x: Array, bins: Array, right: bool = False) -> Array:
    """In which bin each element lies: constant between jumps."""
    return np.digitize(x, bins, right)


@primitive(None, implements=np.nanargmax, examples=[example(sample(4)), example(sample(2, 3), axis=0)], analytic=False)
def nanargmax(a: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The position of the largest element that is not NaN: constant between jumps."""
    return np.nanargmax(a, axis=axis, keepdims=keepdims)


@primitive(None, implements=np.nanargmin, examples=[example(sample(4)), example(sample(2, 3), axis=0)], analytic=False)
def nanargmin(a: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The position of the smallest element that is not NaN: constant between jumps."""
    return np.nanargmin(a, axis=axis, keepdims=keepdims)


_function: Any
for _function in (np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values):
    refuse(
        _function,
        "which elements are equal changes by jumps, so what is unique has no derivative; find the positions with "
        "np.unique(t.data, return_index=True)[1] and index the Tensor with them",
    )
for _function in (np.histogram2d, np.histogramdd):
    refuse(
        _function,
        "is not differentiated; sum weights with scatter_add, at positions found with np.digitize(t.data, bins)",
    )
_in1d = getattr(np, "in1d", np.isin)  # before NumPy 2.4 there is one
for _function in (np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d, np.isin, _in1d):
    refuse(_function, "sets of numbers change by jumps; compare plain values: t.data")
