"""Running sums and products, differences, and integrals of samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..arrays import as_array, cast, owned
from ..primitive import example, sample
from ..registering import composite, primitive
from .reduction import floating

Array = Any


def _slices(rank: int, axis: int, *parts: slice) -> list[tuple[slice, ...]]:
    """Indices that cut one axis and keep the others."""
    before = (slice(None),) * normalize_axis_index(axis, rank)
    return [(*before, part) for part in parts]


# -- running products --------------------------------------------------------------------------------------------


def _suffix_sums(g: Array, a: Array) -> Array:
    """s_i = sum over k >= i of g_k times the a_j with i < j <= k, along the last axis.

    Computes the recurrence s_i = g_i + a_(i+1) s_(i+1) by repeated doubling: log2(n) steps, and no division, so it is
    right if elements are zero.
    """
    n = a.shape[-1]
    factor = np.concatenate([a[..., 1:], np.zeros_like(a[..., :1])], axis=-1)
    step = 1
    while step < n:
        g = np.concatenate([g[..., :-step] + factor[..., :-step] * g[..., step:], g[..., -step:]], axis=-1)
        factor = np.concatenate([factor[..., :-step] * factor[..., step:], np.zeros_like(factor[..., -step:])], axis=-1)
        step *= 2
    return g


def _cumprod_rule(g: Array, a: Array, axis: Any) -> Array:
    if a.size == 0:
        return a
    axis = axis if a.shape else None  # NumPy takes axis 0 of a single number
    moved = np.reshape(a, (-1,)) if axis is None else np.moveaxis(a, axis, -1)
    sums = _suffix_sums(g if axis is None else np.moveaxis(g, axis, -1), moved)
    before = np.concatenate([np.ones_like(moved[..., :1]), np.cumprod(moved[..., :-1], axis=-1)], axis=-1)
    gradient = before * sums
    return np.reshape(gradient, a.shape) if axis is None else np.moveaxis(gradient, -1, axis)


def _with_zeros(values: Array) -> Array:
    """Every third element zero."""
    return np.where(np.arange(values.size).reshape(values.shape) % 3 == 1, 0.0, values).astype(values.dtype)


RUNNING = [
    example(sample(4)), example(sample(2, 3)), example(sample(2, 3), axis=0), example(sample(2, 3), axis=-1),
    example(sample(0)), example(sample(7, make=_with_zeros)),
]  # fmt: skip


@primitive(
    lambda g, a, axis: _cumprod_rule(g, a, axis), implements=np.cumprod, method="cumprod",
    examples=[*RUNNING, example(sample())],
)  # fmt: skip
def cumprod(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The running product; its derivative is right if elements are zero, too."""
    return np.cumprod(a, axis=axis, dtype=floating(a, dtype))


def _without_nan(a: Array, instead: float) -> Array:
    return np.where(np.isnan(a), instead, a)


def some_nan(values: Array) -> Array:
    """Every fourth element NaN."""
    return np.where(np.arange(values.size).reshape(values.shape) % 4 == 2, np.nan, values).astype(values.dtype)


WITH_NAN = [example(sample(5)), example(sample(2, 3, make=some_nan)), example(sample(2, 3, make=some_nan), axis=0)]


@composite(np.nancumsum, examples=WITH_NAN)
def nancumsum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The running sum with NaN as 0."""
    return np.cumsum(_without_nan(a, 0.0), axis=axis, dtype=dtype)


@composite(np.nancumprod, examples=WITH_NAN)
def nancumprod(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The running product with NaN as 1."""
    return np.cumprod(_without_nan(a, 1.0), axis=axis, dtype=dtype)


def _cumulative(
    name: str, x: Array, axis: int | None, dtype: Any, include_initial: bool, running: Any, initial: float
) -> Array:
    if axis is None:
        if np.ndim(x) > 1:
            raise ValueError(f"{name}: shape {np.shape(x)} has several axes; say which axis=")
        axis = 0
    if np.ndim(x) == 0:
        x = np.reshape(x, (1,))
    result = running(x, axis=axis, dtype=dtype)
    if not include_initial:
        return result
    shape = list(np.shape(x))
    shape[axis] = 1
    return np.concatenate([owned(np.full(shape, initial, result.dtype), result), result], axis=axis)


CUMULATIVE = [example(sample(4)), example(sample(2, 3), axis=1), example(sample(2, 3), axis=0, include_initial=True)]


@composite(np.cumulative_sum, examples=CUMULATIVE)
def cumulative_sum(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """The running sum, with a leading 0 if ``include_initial``."""
    return _cumulative("cumulative_sum", x, axis, dtype, include_initial, np.cumsum, 0.0)


@composite(np.cumulative_prod, examples=CUMULATIVE)
def cumulative_prod(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    """The running product, with a leading 1 if ``include_initial``."""
    return _cumulative("cumulative_prod", x, axis, dtype, include_initial, np.cumprod, 1.0)


# -- differences -------------------------------------------------------------------------------------------------


def _ends(a: Array, axis: int, prepend: Any, append: Any) -> Array:
    parts: list[Any] = []
    for end, first in ((prepend, True), (append, False)):
        if end is not None:
            if np.ndim(end) == 0:
                shape = tuple(1 if i == axis % np.ndim(a) else n for i, n in enumerate(np.shape(a)))
                end = np.broadcast_to(end, shape)
            end = owned(as_array(end), a)
            parts.insert(0, end) if first else parts.append(end)
        if first:
            parts.append(a)
    return np.concatenate(parts, axis=axis)


@composite(np.diff, examples=[
    example(sample(5)), example(sample(2, 4), n=2), example(sample(3, 2), axis=0), example(sample(3), prepend=1.0),
    example(sample(2, 3), append=0.0), example(sample(3), 0),
])  # fmt: skip
def diff(a: Array, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """a[i + 1] - a[i], ``n`` times."""
    if n < 0:
        raise ValueError(f"diff: n is {n}; it counts the differences and cannot be negative")
    if n == 0:
        return np.positive(a)
    if np.ndim(a) == 0:
        raise ValueError("diff: a 0-d Tensor has no differences")
    if prepend is not None or append is not None:
        a = _ends(a, axis, prepend, append)
    later, earlier = _slices(np.ndim(a), axis, slice(1, None), slice(None, -1))
    for _ in range(n):
        a = a[later] - a[earlier]
    return a


@composite(
    np.ediff1d,
    examples=[example(sample(4)), example(sample(2, 2)), example(sample(3), to_begin=1.0, to_end=[2.0, 3.0])],
)
def ediff1d(ary: Array, to_end: Any = None, to_begin: Any = None) -> Array:
    """The differences of the flattened array, between given ends."""
    ary = np.ravel(ary)
    parts = [ary[1:] - ary[:-1]]
    parts = parts if to_begin is None else [np.ravel(_like(to_begin, ary)), *parts]
    parts = parts if to_end is None else [*parts, np.ravel(_like(to_end, ary))]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _like(values: Any, array: Array) -> Array:
    return owned(as_array(values, array.dtype), array)


def _slope(f: Array, spacing: Any, axis: int, edge_order: int) -> Array:
    """Second-order central differences inside, one-sided ones of order ``edge_order`` at the ends."""
    rank, n = np.ndim(f), np.shape(f)[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient: axis {axis} has length {n}; edge_order={edge_order} needs {edge_order + 1}")

    def window(*bounds: int | None) -> Array:
        return f[_slices(rank, axis, slice(*bounds))[0]]

    if np.ndim(spacing) == 0:
        inner = (window(2, None) - window(None, -2)) / (2.0 * spacing)
        h1 = h2 = hn = hm = spacing
    else:
        column = (slice(None),) + (None,) * (rank - 1 - axis % rank)
        steps = np.diff(spacing)
        before, after = steps[:-1][column], steps[1:][column]
        a, c = -after / (before * (before + after)), before / (after * (before + after))
        b = (after - before) / (before * after)
        inner = a * window(None, -2) + b * window(1, -1) + c * window(2, None)
        h1, hn = steps[0], steps[-1]
        h2, hm = (steps[1], steps[-2]) if n > 2 else (h1, hn)
    if edge_order == 1:
        first, last = (window(1, 2) - window(0, 1)) / h1, (window(-1, None) - window(-2, -1)) / hn
    else:
        first = _one_sided(h1, h2, window(0, 1), window(1, 2), window(2, 3))
        last = -_one_sided(hn, hm, window(-1, None), window(-2, -1), window(-3, -2))
    return np.concatenate([first, inner, last], axis=axis)


def _one_sided(h: Any, k: Any, at: Array, near: Array, far: Array) -> Array:
    """The slope at an end from three samples at distances 0, h and h + k."""
    return -(2.0 * h + k) / (h * (h + k)) * at + (h + k) / (h * k) * near - h / (k * (h + k)) * far


@composite(np.gradient, examples=[
    example(sample(5)), example(sample(3, 4)), example(sample(5), 0.5), example(sample(3, 4), axis=1, edge_order=2),
    example(sample(5), np.array([0.0, 1.0, 1.5, 3.0, 4.0])), example(sample(3, 4), 0.5, np.array([0.0, 1.0, 3.0, 3.5])),
    example(sample(4), np.array([0.0, 1.0, 1.5, 3.0]), edge_order=2),
])  # fmt: skip
def gradient(f: Array, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slope of samples along each axis; a tuple if there are several axes."""
    f = as_array(f, float)
    rank = f.ndim
    axes = tuple(range(rank)) if axis is None else normalize_axis_tuple(axis, rank)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order is {edge_order}; use 1 or 2")
    spacings = varargs or (1.0,)
    spacings = spacings * len(axes) if len(spacings) == 1 and np.ndim(spacings[0]) == 0 else spacings
    if len(spacings) != len(axes):
        raise TypeError(f"gradient: {len(spacings)} spacings for {len(axes)} axes; give one each, or one number")
    spacings = tuple(s if isinstance(s, float | int) else as_array(s) for s in spacings)
    slopes = tuple(_slope(f, spacing, i, edge_order) for spacing, i in zip(spacings, axes, strict=True))
    slopes = tuple(cast(slope, f.dtype) for slope in slopes)
    return slopes[0] if len(axes) == 1 else slopes


@composite(
    np.trapezoid,
    examples=[
        example(sample(4)),
        example(sample(2, 3), dx=0.5),
        example(sample(3, 2), axis=0),
        example(sample(4), np.array([0.0, 1.0, 1.5, 3.0])),
        example(sample(2, 3), sample(3)),
        example(sample(2, 3), sample(2, 3)),
    ],
)
def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral of samples ``y`` at ``x`` by the trapezoidal rule."""
    rank = np.ndim(y)
    axis = normalize_axis_index(axis, rank)
    if x is None:
        widths = dx
    elif np.ndim(x) == 1:
        widths = np.reshape(np.diff(x), (-1,) + (1,) * (rank - 1 - axis))
    else:
        widths = np.diff(x, axis=axis)
    later, earlier = _slices(rank, axis, slice(1, None), slice(None, -1))
    return np.sum(widths * (y[later] + y[earlier]) / 2.0, axis=axis)


@primitive(
    lambda g: g, implements=np.unwrap, examples=[example(sample(5)), example(sample(2, 3), axis=0)], analytic=False
)
def unwrap(p: Array, discont: Any = None, axis: int = -1, period: float = 6.283185307179586) -> Array:
    """Angles without jumps.  Multiples of the period are added, which changes no derivative."""
    return np.unwrap(p, discont, axis, period=period)
