"""Functions that reduce along axes.

A reduction's rule spreads its cotangent over the axes that were reduced: :func:`_spread` gives ``g`` back the lost axes
with length 1, and broadcasting does the rest.  ``where=`` is supported by those functions that name it.

Conventions: ties in max and min share the gradient equally; std has derivative 0 where all elements are equal.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import OWN, cast
from ..primitive import exactly, example, sample
from ..registering import primitive
from .complexes import to_complex
from .kinks import across, by_convention
from .precision import over_count, wide

Array = Any

AXES = [
    example(sample(2, 3)),
    example(sample(2, 3), axis=0),
    example(sample(2, 3), axis=-1, keepdims=True),
    example(sample(2, 3, 2), axis=(0, 2)),
    example(sample(2, 3), axis=(0, 1), keepdims=True),
    example(sample()),
]
EMPTY = [example(sample(0, 3)), example(sample(2, 0), axis=1)]
MASKED = [
    example(sample(2, 3), axis=1, where=np.array([[True, False, True], [True, True, False]])),
    example(sample(2, 3), where=np.array([True, False, True])),
]


def _kept(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape of the result with ``keepdims=True``."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))} if shape else ()
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def spread(g: Array, shape: tuple[int, ...], axis: Any) -> Array:
    """``g`` with the reduced axes inserted again, with length 1."""
    return np.reshape(g, _kept(shape, axis))


def _over(g: Array, shape: tuple[int, ...], axis: Any, where: Any = True) -> Array:
    """``g`` repeated over the reduced axes; zero for elements that ``where`` leaves out."""
    g = np.broadcast_to(g if axis is None and g.shape == () else spread(g, shape, axis), shape)
    return g if where is True else np.where(where, g, 0.0)


def _count(shape: tuple[int, ...], axis: Any, where: Any = True) -> Any:
    """How many elements went into each element of the result, with the reduced axes kept."""
    if where is True:
        if axis is None:
            return math.prod(shape)
        kept = _kept(shape, axis)
        return math.prod(n for n, k in zip(shape, kept, strict=True) if k == 1)
    return np.sum(np.broadcast_to(where, shape), axis=axis, keepdims=True)


@primitive(
    lambda g, a_shape, axis, where: _over(g, a_shape, axis, where),
    implements=np.sum, method="sum",
    examples=[*AXES, *EMPTY, *MASKED, example(sample(2, 3), axis=1, initial=2.0)],
)  # fmt: skip
def sum(  # noqa: A001
    a: Array, axis: Any = None, keepdims: Any = False, where: Any = True, dtype: Any = None, initial: Any = None
) -> Array:
    """The sum along ``axis``, plus ``initial``: d y / d a = 1 for the elements that ``where`` selects.

    ``dtype`` is the type in which NumPy adds and returns the sum; the gradient has the type of ``a``.
    """
    if dtype is None and initial is None and isinstance(a, OWN):
        return np.add.reduce(a, axis=axis, keepdims=keepdims, where=where)
    return np.sum(a, axis=axis, dtype=floating(a, dtype), keepdims=keepdims, **_given(initial, where))


@primitive(
    lambda g, a_shape, axis, where: _over(
        over_count(g, _squeezed(_count(a_shape, axis, where), g)), a_shape, axis, where
    ),
    implements=np.mean, examples=[*AXES, *MASKED], method="mean",
)  # fmt: skip
def mean(a: Array, axis: Any = None, keepdims: Any = False, where: Any = True, dtype: Any = None) -> Array:
    """The mean along ``axis`` of the elements that ``where`` selects: d y / d a = 1 / their number."""
    if (
        where is True and dtype is None and isinstance(a, OWN) and a.dtype.char in "fd" and a.size and a.ndim
    ):  # np.mean's arithmetic, not its Python
        return np.add.reduce(a, axis=axis, keepdims=keepdims) / _count(a.shape, axis)
    return np.mean(a, axis=axis, dtype=floating(a, dtype), keepdims=keepdims, **_given(where=where))


def _squeezed(count: Any, g: Array) -> Any:
    """A count of elements in the shape of ``g``."""
    return count if isinstance(count, int) else np.reshape(count, g.shape)


def shared(g: Array, a: Array, y: Array, axis: Any, where: Any = True, initial: Any = None) -> Array:
    """``g`` shared equally by the elements that equal the extreme ``y``; ``initial`` is one of them if it ties."""
    wins = a == spread(y, a.shape, axis)
    if where is not True:
        wins = wins & where
    count = np.sum(wins, axis=axis, keepdims=True)
    if initial is not None:
        count = count + (spread(y, a.shape, axis) == initial)
        count = np.where(count == 0, 1, count)

    def tie() -> Any:
        return np.sum(np.where(wins, a, 0.0), axis=axis, keepdims=True), count == 1

    share = over_count(by_convention(np.ones_like(count, dtype=a.dtype), (a,), tie), count)
    g = across(spread(g, a.shape, axis), (a,), lambda: count == 1)
    return wins * (wide(g) * share)


TIED = [example(exactly([1.25, 0.5, 1.25, 0.5])), example(exactly([[0.5, 0.5], [1.0, 2.0]]), axis=1)]
EXTREME = [
    *AXES,
    example(sample(2, 3), axis=0, initial=9.0),
    example(sample(2, 3), initial=0.25),
    example(sample(2, 3), axis=1, where=np.array([[True, False, True], [True, True, False]]), initial=0.25),
    example(sample(0, 3), axis=0, initial=1.0),
]


@primitive(
    lambda g, a, y, axis, where, initial: shared(g, a, y, axis, where, initial),
    implements=np.max, examples=EXTREME, kinks=TIED, method="max", analytic=False,
)  # fmt: skip
def max(  # noqa: A001
    a: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Array:
    """The largest element along ``axis``: its derivative is 1, and 1 / n for each of n that tie.

    A constant ``initial`` that ties takes its share too.
    """
    if initial is None and where is True:
        return np.max(a, axis=axis, keepdims=keepdims)
    return np.max(a, axis=axis, keepdims=keepdims, **_given(initial, where))


@primitive(
    lambda g, a, y, axis, where, initial: shared(g, a, y, axis, where, initial),
    implements=np.min, examples=EXTREME, kinks=TIED, method="min", analytic=False,
)  # fmt: skip
def min(  # noqa: A001
    a: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Array:
    """The smallest element along ``axis``: its derivative is 1, and 1 / n for each of n that tie.

    A constant ``initial`` that ties takes its share too.
    """
    if initial is None and where is True:
        return np.min(a, axis=axis, keepdims=keepdims)
    return np.min(a, axis=axis, keepdims=keepdims, **_given(initial, where))


def _given(initial: Any = None, where: Any = True) -> dict[str, Any]:
    """The keywords that are not defaults: the function of another library may not know the others."""
    keywords = {} if initial is None else {"initial": initial}
    return keywords if where is True else {**keywords, "where": where}


def _others(a: Array, axis: Any) -> Array:
    """For each element, the product of all the others along ``axis``.

    Products from the left times products from the right.  This is right if elements are zero; y / a is not.
    """
    axes = (
        tuple(range(a.ndim))
        if axis is None or not a.ndim
        else tuple(i % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,)))
    )
    if not axes:
        return np.ones_like(a)
    rest = [i for i in range(a.ndim) if i not in axes]
    order = (*rest, *axes)
    moved = np.transpose(a, order)
    flat = np.reshape(moved, (*[a.shape[i] for i in rest], int(np.prod([a.shape[i] for i in axes], dtype=int))))
    one = np.ones_like(flat[..., :1])
    left = np.concatenate([one, _running_product(flat[..., :-1])], axis=-1)
    right = np.flip(np.concatenate([one, _running_product(np.flip(flat, axis=-1)[..., :-1])], axis=-1), axis=-1)
    return np.transpose(np.reshape(left * right, moved.shape), np.argsort(order).tolist())


def _running_product(a: Array) -> Array:
    """Products of the first k elements along the last axis, by repeated doubling: log2(n) multiplications."""
    step, n = 1, a.shape[-1]
    while step < n:
        a = np.concatenate([a[..., :step], a[..., step:] * a[..., :-step]], axis=-1)
        step *= 2
    return a


def _product_rule(g: Array, a: Array, axis: Any, where: Any, initial: Any) -> Array:
    if not a.size:
        return a
    g = spread(g if initial is None else g * initial, a.shape, axis)
    if where is True:
        return g * _others(a, axis)
    return np.where(where, g * _others(np.where(where, a, 1.0), axis), 0.0)


@primitive(
    lambda g, a, axis, where, initial: _product_rule(g, a, axis, where, initial),
    implements=np.prod, method="prod",
    examples=[*AXES, *EMPTY, *MASKED, example(sample(2, 3), axis=1, initial=2.0)],
)  # fmt: skip
def prod(
    a: Array, axis: Any = None, keepdims: bool = False, where: Any = True, dtype: Any = None, initial: Any = None
) -> Array:
    """The product along ``axis``, times ``initial``: d y / d a_i is the product of all the others, zeros included."""
    return np.prod(a, axis=axis, dtype=floating(a, dtype), keepdims=keepdims, **_given(initial, where))


def floating(a: Array, dtype: Any) -> Any:
    """The dtype to compute in, or an error if the derivative of ``a`` cannot pass through it."""
    if dtype is not None and a.dtype.kind in "fc" and np.dtype(dtype).kind not in "fc":
        raise TypeError(f"the result would be {np.dtype(dtype)}, which has no derivative; reduce t.data instead")
    return dtype


def _accumulated(function: Any, a: Array, dtype: Any, **kwargs: Any) -> Array:
    """A sum over a count in the dtype; of float16 in single precision, since NumPy's own sum may overflow."""
    if dtype is not None or a.dtype.char != "e":
        return function(a, dtype=floating(a, dtype), **kwargs)
    return cast(function(a, dtype=np.float32, **kwargs), a.dtype)


def _times_centred(g: Array, a: Array, axis: Any, where: Any) -> Array:
    """``g`` times the offsets from the mean, conjugated: the derivative of the sum of their squares."""
    centred = a - np.mean(a, axis=axis, keepdims=True, **_given(where=where))
    product = g * (np.conjugate(centred) if centred.dtype.kind == "c" else centred)
    return product if where is True else np.where(where, product, 0.0)


def _freedom(a: Array, axis: Any, where: Any, ddof: Any, correction: Any) -> Any:
    """The number of elements minus the degrees of freedom; NaN if none is left."""
    count = _count(a.shape, axis, where) - spent(ddof, correction)
    if isinstance(count, int | float):
        return count if count > 0 else math.nan
    return np.where(count > 0, count, np.nan)


def spent(ddof: Any, correction: Any) -> Any:
    """The degrees of freedom that a variance subtracts from the count, under either of NumPy's names."""
    if correction is not None and ddof != 0:
        raise ValueError("ddof and correction are two names for one number; give one of them")
    given = ddof if correction is None else correction
    if np.ndim(given):
        raise TypeError(f"ddof is one number, got {given}")
    return given


SPREAD = [
    *AXES[:-1], *MASKED, example(sample(3, 4), axis=0, ddof=1), example(sample(3, 4), axis=1, correction=1),
    example(sample(3, 2, make=to_complex), axis=0), example(sample(2, 3), dtype=np.float64),
]  # fmt: skip


@primitive(
    lambda g, a, axis, ddof, where, correction: _times_centred(
        over_count(wide(spread(g, a.shape, axis)) * 2.0, _freedom(a, axis, where, ddof, correction)), a, axis, where
    ),
    implements=np.var, examples=SPREAD, method="var", analytic=False,
)  # fmt: skip
def var(
    a: Array, axis: Any = None, ddof: Any = 0, keepdims: bool = False, where: Any = True, dtype: Any = None,
    correction: Any = None,
) -> Array:  # fmt: skip
    """sum |a - mean|² / (n - ddof): d y / d a = 2 (a - mean) / (n - ddof), conjugated for complex numbers."""
    ddof = spent(ddof, correction)
    return _accumulated(np.var, a, dtype, axis=axis, ddof=ddof, keepdims=keepdims, **_given(where=where))


@primitive(
    lambda g, a, y, axis, ddof, where, correction: _times_centred(
        over_count(
            spread(across(g, (y,), lambda: y != 0), a.shape, axis), _freedom(a, axis, where, ddof, correction)
        )
        * spread(_inverse(y), a.shape, axis),
        # centred twice, since equal elements whose mean was rounded are equal
        a - np.mean(a, axis=axis, keepdims=True, **_given(where=where)), axis, where,
    ),
    implements=np.std, examples=SPREAD, kinks=[example(exactly([0.5, 0.5, 0.5]))], method="std", analytic=False,
)  # fmt: skip
def std(
    a: Array, axis: Any = None, ddof: Any = 0, keepdims: bool = False, where: Any = True, dtype: Any = None,
    correction: Any = None,
) -> Array:  # fmt: skip
    """sqrt(var): d y / d a = (a - mean) / ((n - ddof) y), and 0 where all elements are equal."""
    ddof = spent(ddof, correction)
    return _accumulated(np.std, a, dtype, axis=axis, ddof=ddof, keepdims=keepdims, **_given(where=where))


def _inverse(y: Array) -> Array:
    """1 / y, and 1 where y is 0, which stands there for a convention."""
    y = wide(y)
    return by_convention(1.0 / np.where(y == 0, 1.0, y), (y,), lambda: (y, y != 0))


def _later(g: Array, axis: int) -> Array:
    return np.flip(np.cumsum(np.flip(wide(g), axis=axis), axis=axis), axis=axis)


@primitive(
    lambda g, a_shape, axis: np.reshape(_later(g, 0 if axis is None else axis), a_shape),
    implements=np.cumsum, method="cumsum",
    examples=[example(sample(4)), example(sample(2, 3)), example(sample(2, 3), axis=0), example(sample(2, 3), axis=-1),
              example(sample(0))],
)  # fmt: skip
def cumsum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The running sum: the cotangent of a_i is the sum of those of y_i, y_(i + 1)..."""
    return np.cumsum(a, axis=axis, dtype=floating(a, dtype))


# -- recorded, with a derivative that is zero everywhere ---------------------------------------------------------


def _constant(function: Any) -> None:
    def constant(a: Array, axis: int | None = None, keepdims: bool = False) -> Array:
        return function(a, axis=axis, keepdims=keepdims)

    name = function.__name__
    which = {"argmax": "largest", "argmin": "smallest"}[name]
    constant.__doc__ = f"The position of the {which} element: constant between jumps."
    primitive(None, implements=function, name=name, method=name, examples=AXES[:2], analytic=False)(constant)


def _truth(function: Any) -> None:
    def truth(a: Array, axis: Any = None, keepdims: bool = False, where: Any = True) -> Array:
        return function(a, axis=axis, keepdims=keepdims, **_given(where=where))

    name = function.__name__
    truth.__doc__ = f"Whether {'all elements are' if name == 'all' else 'an element is'} true: constant between jumps."
    primitive(None, implements=function, name=name, method=name, examples=[*AXES[:2], *MASKED], analytic=False)(truth)


_constant(np.argmax)
_constant(np.argmin)
_truth(np.all)
_truth(np.any)
