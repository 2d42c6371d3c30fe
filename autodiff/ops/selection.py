"""Selection among arrays, and interpolation between samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import anywhere, as_array, cast, is_foreign, is_plain, owned
from ..primitive import Domain, exactly, example, sample
from ..registering import composite
from ..tensor import Tensor
from .indexing import getitem, scatter_add

Array = Any

MASK = np.array([True, False, True])


def _values(a: Any) -> Any:
    """The values that decide; they carry no derivative."""
    return a.data if isinstance(a, Tensor) else as_array(a)


@composite(np.select, examples=[
    example([MASK, ~MASK], [sample(3), sample(3)]), example([MASK, MASK], [sample(3), sample(2, 3)], 7.0),
])  # fmt: skip
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    """The choice that belongs to the first true condition, or ``default``."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; give as many, at least one"
        )
    choicelist = [c if isinstance(c, float | int) else as_array(c) for c in choicelist]
    dtype = np.result_type(*[c if isinstance(c, float | int) else c.dtype for c in choicelist])
    result = as_array(default, dtype)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(_values(condition), choice, result)
    return result


@composite(
    np.choose,
    examples=[
        example(np.array([0, 1, 1]), [sample(3), sample(3)]),
        example(np.array([[2, 0], [-1, 1]]), [sample(2), sample(), sample(2, 2)], mode="wrap"),
        example(np.array([5, -3]), [sample(2), sample(2)], mode="clip"),
    ],
)
def choose(a: Any, choices: Any, mode: str = "raise") -> Array:
    """Element by element, the choice with the number in ``a``."""
    numbers, count = _values(a), len(choices)
    if mode == "wrap":
        numbers = numbers % count
    elif mode == "clip":
        numbers = np.clip(numbers, 0, count - 1)
    elif mode != "raise":
        raise ValueError(f"choose: mode={mode!r}; it is 'raise', 'wrap' or 'clip'")
    elif anywhere((numbers < 0) | (numbers >= count)):
        raise ValueError(f"choose: a number is not one of {count} choices; use mode='clip' or 'wrap', or check it")
    shape = np.broadcast_shapes(numbers.shape, *[np.shape(c) for c in choices])
    result = np.broadcast_to(choices[0], shape)
    for number in range(1, count):
        result = np.where(numbers == number, choices[number], result)
    return np.where((numbers < 0) | (numbers >= count), np.nan, result) if is_foreign(numbers) else result


@composite(np.compress, examples=[
    example(MASK, sample(3)), example([True, False], sample(2, 3), axis=0), example([False, True, True], sample(2, 2)),
])  # fmt: skip
def compress(condition: Any, a: Array, axis: int | None = None) -> Array:
    """The slices where the condition holds."""
    return np.take(a, np.flatnonzero(_values(condition)), axis=axis)


@composite(
    np.extract, examples=[example(MASK, sample(3)), example(np.array([[True, False], [True, True]]), sample(2, 2))]
)
def extract(condition: Any, arr: Array) -> Array:
    """The elements where the condition holds."""
    return np.ravel(arr)[np.flatnonzero(_values(condition))]


@composite(np.piecewise, examples=[
    example(sample(3), [MASK, ~MASK], [np.sin, lambda x: x * x]), example(sample(3), [MASK], [np.exp, 1.0]),
])  # fmt: skip
def piecewise(x: Array, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Array:
    """Each function where its condition holds; one more function than conditions is for all other elements."""
    conditions = [_values(c) for c in (condlist if isinstance(condlist, list | tuple) else [condlist])]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; give as many, or one more"
        )
    result = owned(np.zeros(np.shape(x), x.dtype), x)
    for condition, function in zip(conditions, funclist, strict=True):
        values = function(x[condition], *args, **kw) if callable(function) else function
        if np.ndim(values):
            values = scatter_add(values, condition, np.shape(x))
        result = np.where(owned(condition, x), values, result)
    return result


@composite(np.apply_along_axis, examples=[
    example(np.cumsum, 0, sample(3, 2)), example(np.sum, -1, sample(2, 3)), example(np.diag, 1, sample(2, 2)),
])  # fmt: skip
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Array, *args: Any, **kwargs: Any) -> Array:
    """A function of vectors, on each vector along an axis."""
    moved = np.moveaxis(arr, axis, -1)
    outer = np.shape(moved)[:-1]
    if 0 in outer:
        raise ValueError(f"apply_along_axis: shape {np.shape(arr)} has no vector to apply the function to")
    results = [func1d(moved[index], *args, **kwargs) for index in np.ndindex(outer)]
    inner = np.shape(results[0])
    stacked = np.reshape(np.stack(results), outer + inner)
    axis = axis % np.ndim(arr)
    order = [*range(axis), *range(len(outer), len(outer) + len(inner)), *range(axis, len(outer))]
    return np.transpose(stacked, order)


@composite(np.apply_over_axes, examples=[example(np.sum, sample(2, 3, 2), [0, 2])])
def apply_over_axes(func: Callable[..., Any], a: Array, axes: Any) -> Array:
    """A reduction over one axis after another; the axes stay, with length 1."""
    for axis in np.ravel(axes).tolist():
        result = func(a, axis)
        a = np.expand_dims(result, axis) if np.ndim(result) < np.ndim(a) else result
    return a


# -- interpolation -----------------------------------------------------------------------------------------------

KNOTS = np.array([-4.5, -1.0, 0.25, 2.0, 4.5])


def looked_up(values: Array, at: Any) -> Array:
    """values[at], where an ndarray does not take positions that are not NumPy's own."""
    return getitem(values if is_plain(at) else owned(values, at), at)


def _periodic(x: Array, xp: Array, fp: Array, period: Any) -> tuple[Array, Array, Array]:
    period = abs(period)
    x, xp = x % period, xp % period
    order = np.argsort(_values(xp))
    xp, fp = xp[order], fp[order]
    return x, np.concatenate([xp[-1:] - period, xp, xp[:1] + period]), np.concatenate([fp[-1:], fp, fp[:1]])


@composite(
    np.interp,
    kinks=[example(exactly([2.0]), np.array([0.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]))],
    examples=[
        example(sample(3), KNOTS, sample(5)),
        example(sample(), KNOTS, sample(5)),
        example(sample(2, 2), KNOTS, KNOTS * 2.0),
        example(sample(2, domain=Domain(5.0, 9.0)), KNOTS, sample(5)),
        example(sample(2, domain=Domain(5.0, 9.0)), KNOTS, sample(5), right=3.0),
        example(np.array([-5.0, 0.0, 1.0]), sample(4, domain=Domain(-4.0, 4.0), make=np.sort), sample(4), left=1.0),
        example(sample(3), np.array([0.5, 2.0, 3.0]), sample(3), period=4.0),
    ],
)
def interp(x: Array, xp: Array, fp: Array, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """Straight lines between the samples (xp, fp).  At a sample the derivative is the slope to its right."""
    x, xp, fp = (as_array(a, float) for a in (x, xp, fp))
    if np.ndim(xp) != 1 or np.shape(xp) != np.shape(fp) or not np.size(xp):
        raise ValueError(f"interp: xp and fp have shapes {np.shape(xp)} and {np.shape(fp)}; give vectors of one length")
    if (
        any(end is not None and np.ndim(end) for end in (left, right))
        or isinstance(left, str)
        or isinstance(right, str)
    ):
        raise TypeError("interp: left and right are numbers, the values beyond the samples")
    if period is not None:
        if period == 0:
            raise ValueError("interp: the period is 0")
        x, xp, fp = _periodic(x, xp, fp, period)
        left = right = None
    x, xp, fp = (a if a.dtype.itemsize >= 8 else cast(a, np.float64) for a in (x, xp, fp))  # as NumPy does
    last = np.size(xp) - 1
    at = _values(x)
    if last == 0:
        result = fp[np.zeros(at.shape, dtype=int)] + x * 0.0
    else:
        # a Tensor if x or xp is one: of a mapping's examples, each looks up a place of its own
        low = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, last - 1)
        left_x, left_f = looked_up(xp, low), looked_up(fp, low)
        slope = (looked_up(fp, low + 1) - left_f) / (looked_up(xp, low + 1) - left_x)
        result = slope * (x - left_x) + left_f
    result = np.where(at < _values(xp)[0], fp[0] if left is None else left, result)
    return np.where(at > _values(xp)[-1], fp[-1] if right is None else right, result)
