"""How dead elements pass through NumPy's functions: the tables of :mod:`.structural`.

A dead element is one that a selection left out.  A product is dead if one of its factors is, a sum if all of its terms
are.  A function that moves elements moves the mask.  A handler may forget that an element is dead; then a gradient may
be NaN. It must not call an element dead that is not.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .structural import dead_of, functions, is_nothing, made, mask, methods, value_of, values_of

# -- ufuncs ------------------------------------------------------------------------------------------------------

_CONTRACTIONS = (np.matmul, np.vecdot, np.matvec, np.vecmat)
_KEEPING = (np.negative, np.positive, np.conjugate)


def _computed(ufunc: Any, inputs: Any, kwargs: Any, result: Any) -> Any:
    """The result of a ufunc: a product is dead if one of its factors is, a sum if all of its terms are."""
    if result.dtype.kind not in "fc":
        return mask(result)
    if ufunc in _CONTRACTIONS:
        return _contracted(ufunc, inputs, [value_of(x) for x in inputs], result)
    marks = [dead_of(x) for x in inputs]
    known = [mark for mark in marks if mark is not None]
    dead = None
    if ufunc is np.multiply and known:
        dead = known[0] if len(known) == 1 else known[0] | known[1]
    elif ufunc is np.divide or ufunc in _KEEPING:
        dead = marks[0]
    elif ufunc in (np.add, np.subtract) and len(known) == 2:
        dead = known[0] & known[1]
    if dead is not None and dead.shape != result.shape:
        dead = np.broadcast_to(dead, result.shape)
    return made(result, dead)


# -- sums of products --------------------------------------------------------------------------------------------


def _contracted(product: Callable[..., Any], operands: Any, values: Any, result: Any) -> Any:
    """A sum of products, without the products of dead elements."""
    marks = [dead_of(x) for x in operands]
    if all(mark is None for mark in marks):
        return made(result, None)
    lives = [np.ones(np.shape(v)) if m is None else (~m).astype(float) for m, v in zip(marks, values, strict=True)]
    left = product(*_thinned(product, lives, marks))
    if not np.isfinite(np.vdot(result, result)):
        finite = [np.isfinite(v) for v in values]
        sound = product(*[np.where(f, v, np.zeros((), v.dtype)) for f, v in zip(finite, values, strict=True)])
        # how many products of live factors have one that is not finite
        unsound = product(*lives) - product(*[a * f for a, f in zip(lives, finite, strict=True)])
        result = np.where(unsound == 0, sound, result).astype(np.asarray(result).dtype, copy=False)
    return made(result, np.broadcast_to(left == 0, np.shape(result)))


def _thinned(product: Any, lives: Any, marks: Any) -> Any:
    """The matrix with dead elements, and one column of the other: each column would give the same result."""
    if product is np.matmul and any(mark is None for mark in marks):
        one, two = lives
        if marks[0] is None and one.ndim > 1:
            return one[..., :1, :], two
        if marks[1] is None and two.ndim > 1:
            return one, two[..., :1]
    return lives


def _added(ufunc: Any, inputs: Any, kwargs: Any, result: Any) -> Any:
    """np.add.reduce."""
    return made(result, _all_dead(lambda a: ufunc.reduce(a, *inputs[1:], **kwargs), inputs[0]))


def _all_dead(total: Callable[[Any], Any], a: Any) -> Any:
    """Which sums have dead elements only."""
    dead = dead_of(a)
    return None if dead is None else np.asarray(total((~dead).astype(float)) == 0)


# -- NumPy's functions -------------------------------------------------------------------------------------------


def _arranging(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that moves elements and fills with zeros: the mask moves in the same way."""
    lived = function(*_lives(args), **_lives(kwargs))
    if isinstance(result, list | tuple):
        return type(result)(made(r, ~d) for r, d in zip(result, lived, strict=True))
    return made(result, ~lived)


def _lives(tree: Any) -> Any:
    """Masks of the elements that are not dead, instead of each array of numbers."""
    if type(tree) in (list, tuple):
        return type(tree)(_lives(x) for x in tree)
    if type(tree) is dict:
        return {k: _lives(v) for k, v in tree.items()}
    if isinstance(tree, np.ndarray | np.generic) and tree.dtype.kind in "fc":
        dead = dead_of(tree)
        return np.ones(tree.shape, bool) if dead is None else ~dead
    return value_of(tree)


def _summing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that is a sum of elements of its first argument."""
    return made(result, _all_dead(lambda a: function(a, *values_of(args[1:]), **values_of(kwargs)), args[0]))


def _producing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that sums products: of two arrays, or of the operands of einsum."""
    if function is not np.einsum:
        return _contracted(lambda a, b: function(a, b, *args[2:], **kwargs), args[:2], values_of(args[:2]), result)
    if not isinstance(args[0], str):
        return result
    return _contracted(lambda *a: np.einsum(args[0], *a, **kwargs), args[1:], values_of(args[1:]), result)


def _choosing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.where: a plain 0 instead of an array leaves elements out."""
    if len(args) != 3 or result.dtype.kind not in "fc":
        return result
    condition, *choices = args
    marks = [is_nothing(c) if dead_of(c) is None else dead_of(c) for c in choices]
    if marks[0] is False and marks[1] is False:
        return made(result, None)
    return made(result, np.broadcast_to(np.where(value_of(condition), *marks), result.shape))


def _solving(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.linalg.solve: a column of the result depends on that column of the right side."""
    dead = dead_of(args[1])
    if dead is None:
        return made(result, None)
    axis = -1 if dead.ndim == 1 else -2
    return made(result, np.broadcast_to(np.all(dead, axis=axis, keepdims=True), result.shape))


def _mixing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function whose results along an axis each depend on every element along it, such as a Fourier transform."""
    given = signature(function).bind(*args, **kwargs).arguments
    dead = dead_of(given["a"])
    if dead is None:
        return made(result, None)
    axis = given.get("axis", -1)
    length = given.get("n") or dead.shape[axis]
    used = np.take(dead, range(min(length, dead.shape[axis])), axis)
    return made(result, np.broadcast_to(np.all(used, axis=axis, keepdims=True), result.shape))


def _same(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function whose result has the elements at the same places."""
    return made(result, dead_of(args[0]))


def _blank(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.zeros_like: all elements are left out."""
    return made(result, np.ones(result.shape, bool))


methods.update(dict.fromkeys(
    [(ufunc, "__call__") for ufunc in (np.multiply, np.divide, np.add, np.subtract, *_CONTRACTIONS, *_KEEPING)],
    _computed,
))  # fmt: skip
methods[np.add, "reduce"] = _added
for _handler, _those in (
    (_arranging, (
        np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
        np.broadcast_to, np.flip, np.fliplr, np.flipud, np.roll, np.rot90, np.take, np.repeat, np.tile, np.concatenate,
        np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.diagonal, np.tril, np.triu, np.split,
        np.array_split, np.delete, np.compress, np.pad, np.take_along_axis, np.atleast_1d, np.atleast_2d, np.diag,
        np.matrix_transpose, sliding_window_view,
    )),
    (_summing, (np.sum, np.trace, np.cumsum, np.mean, np.nansum)),
    (_producing, (np.einsum, np.tensordot, np.dot, np.inner, np.outer, np.kron, np.convolve)),
    (_same, (np.real, np.imag, np.astype, np.copy)),
    (_mixing, (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft)),
    (_solving, (np.linalg.solve,)),
    (_choosing, (np.where,)),
    (_blank, (np.zeros_like,)),
):  # fmt: skip
    functions.update(dict.fromkeys(_those, _handler))
