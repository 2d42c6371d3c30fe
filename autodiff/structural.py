"""Zeros by selection, which no infinite derivative may bring back.

``where(x > 0, log(x), 0)`` does not depend on log(x) where x is 0, so its gradient there is 0, though the derivative of
log is infinite.  In IEEE arithmetic 0 * inf is NaN.  But a zero that is merely the value of a product says nothing:
the gradient of ``sqrt(x) ** 2`` at 0 is 1, and what reaches the square root there is 2 sqrt(0) = 0.

So zeros carry where they come from.  A :class:`Structural` is an array with a mask of the elements that a selection left
out: ``dead`` ones, whose products are zero whatever the other factor is.  What leaves elements out is ``np.where`` with
a plain 0, a factor that is a boolean array, an index, an output that nobody used, and a zero in the cotangent that a
backward pass starts from.  All other arithmetic is IEEE's.

A plain backward pass knows nothing of this; it is made once more with these arrays if a gradient came out NaN.  One that
is recorded is made under :func:`tracking`, since a derivative of it may need to know.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .arrays import is_foreign
from .examples import Examples, every, on_every
from .switching import switched

_tracking: ContextVar[bool] = ContextVar("autodiff_tracking", default=False)
is_tracking = _tracking.get
"""Whether selections are to be remembered: inside of a backward pass that looks at them."""


def tracking() -> switched:
    """A context: remember, in what is done inside, which elements a selection left out."""
    return switched(_tracking, True)


def structural(g: Any) -> Any:
    """A cotangent to start from, whose zeros are structural: that element of the output was left out.

    >>> with np.errstate(invalid="ignore"):
    ...     np.multiply(structural(np.array([0.0, 1.0])), np.inf).tolist()
    [0.0, inf]
    """
    if isinstance(every(g), np.ndarray | np.generic):
        return on_every(lambda a: made(np.asarray(a), np.asarray(a) == 0), g)
    return g


def begin(g: Any) -> Any:
    """An array that is about to be selected from, as one that remembers it if this is being tracked."""
    if not is_tracking() or not isinstance(every(g), np.ndarray | np.generic) or every(g).dtype.kind not in "fc":
        return g
    return on_every(lambda a: a if isinstance(a, Structural) else np.asarray(a).view(Structural), g)


def plain(value: Any) -> Any:
    """The same value as an ordinary array.

    >>> type(plain(structural(np.zeros(2)))) is np.ndarray
    True
    """
    if isinstance(every(value), Structural):
        return on_every(lambda a: a.view(np.ndarray)[()], value)
    return value


def zeros(shape: Any, dtype: Any) -> Any:
    """The cotangent of what nobody used."""
    value = np.zeros(shape, dtype)
    return made(value, np.ones(shape, bool)) if is_tracking() else value


def mask(condition: Any) -> Any:
    """A boolean array, so that multiplying by it is a selection, whatever the other factor is."""
    kind = getattr(condition, "dtype", None)
    if kind != bool or not isinstance(condition, np.ndarray | np.generic):
        return condition
    return np.asarray(condition).view(Structural)


def masking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose results are conditions, so that a rule that multiplies by them selects."""

    def condition(*args: Any) -> Any:
        result = function(*args)
        return on_every(lambda a: mask(np.asarray(a)), result) if is_tracking() and not is_foreign(result) else result

    return condition


def selected(condition: Any, a: Any, b: Any) -> Any:
    """``np.where``, remembering what was left out if that is being tracked."""
    if not is_tracking():
        return np.where(condition, a, b)
    return settled(np.where(condition, begin(a), begin(b)))


def settled(value: Any) -> Any:
    """An ordinary array where nothing was left out."""
    array = every(value)
    if isinstance(array, Structural) and array.dead is None:
        return on_every(lambda a: a.view(np.ndarray), value)
    return value


def made(value: Any, dead: Any) -> Any:
    """The array with these elements dead."""
    if dead is None or not dead.any():
        return value.view(Structural)
    result = np.where(dead, np.zeros((), value.dtype), value).view(Structural)
    result.dead = dead
    return result


class Structural(np.ndarray):
    """A cotangent with elements that a selection left out (``dead``, or None)."""

    dead: Any = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(type(x), "_node") or isinstance(x, Examples) for x in inputs):
            return NotImplemented  # a Tensor, or many examples in one: it takes over
        if any(map(is_foreign, inputs)):  # whose values nobody looks at
            return getattr(ufunc, method)(*map(_value, inputs), **kwargs)
        out = kwargs.pop("out", None)
        if method == "at":  # the target is zeros of our own
            return _added_at(ufunc, *inputs)
        values = [_value(x) for x in inputs]
        result = getattr(ufunc, method)(*values, **kwargs)
        if method == "__call__":
            result = made(np.asarray(result), _dead_of(ufunc, inputs, values, result))
            if ufunc in _CONTRACTIONS:
                result = _contracted(ufunc, inputs, values, result)
        elif method == "reduce" and ufunc is np.add:
            result = made(np.asarray(result), _all_dead(lambda a: ufunc.reduce(a, *values[1:], **kwargs), inputs[0]))
        if out is not None and not isinstance(out[0], Structural):
            out[0][...] = _value(result)
            return out[0]
        return result  # a += b binds a to the new value, as with numbers

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(hasattr(t, "_node") or issubclass(t, Examples) for t in types):
            return NotImplemented
        result = function(*_values(args), **_values(kwargs))
        if not all(issubclass(t, np.ndarray) for t in types):
            return result
        handler = _HANDLERS.get(function)
        if isinstance(result, np.ndarray) and result.dtype.kind not in "fc":
            return mask(result)  # of conditions there are other conditions
        if handler is None:
            return result
        return handler(function, args, kwargs, result)

    def __getitem__(self, index: Any) -> Any:
        picked = np.asarray(self.view(np.ndarray)[index])
        return made(picked, None if self.dead is None else np.asarray(self.dead[index]))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.view(np.ndarray)[index] = _value(value)
        nothing = type(value) in (int, float) and value == 0
        if self.dead is None and nothing:
            self.dead = np.zeros(self.shape, bool)
        if self.dead is not None:
            self.dead[index] = nothing if _is_dead(value) is None else value.dead

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The elements in another type."""
        return made(self.view(np.ndarray).astype(dtype, *args, **kwargs), self.dead)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """The elements in another shape."""
        dead = None if self.dead is None else self.dead.reshape(*shape, **kwargs)
        return made(self.view(np.ndarray).reshape(*shape, **kwargs), dead)


def _value(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Structural) else x


def _values(tree: Any) -> Any:
    if type(tree) in (list, tuple):
        return type(tree)(_values(x) for x in tree)
    return {k: _values(v) for k, v in tree.items()} if type(tree) is dict else _value(tree)


def _is_dead(x: Any) -> Any:
    return getattr(x, "dead", None)


# -- element by element ------------------------------------------------------------------------------------------

_CONTRACTIONS = (np.matmul, np.vecdot, np.matvec, np.vecmat)
_KEEPING = (np.negative, np.positive, np.conjugate)


def _dead_of(ufunc: Any, inputs: Any, values: Any, result: Any) -> Any:
    """Which elements of a ufunc's result are dead."""
    if ufunc is np.multiply:
        marks = [d for x in inputs if (d := _is_dead(x)) is not None]
        marks += [~np.asarray(v) for v in values if getattr(v, "dtype", None) == bool]
        return np.broadcast_to(np.any(np.broadcast_arrays(*marks), axis=0), np.shape(result)) if marks else None
    dead = _is_dead(inputs[0])
    if ufunc is np.divide:
        return None if dead is None else np.broadcast_to(dead, np.shape(result))
    if ufunc in (np.add, np.subtract):
        other = _is_dead(inputs[1])
        return None if dead is None or other is None else dead & other
    return dead if ufunc in _KEEPING else None


def _added_at(ufunc: Any, total: Any, index: Any, values: Any) -> None:
    ufunc.at(total.view(np.ndarray), index, _value(values))
    if total.dead is not None:
        live = np.ones(np.shape(values), bool) if _is_dead(values) is None else ~values.dead
        np.logical_and.at(total.dead, index, ~live)


# -- sums of products --------------------------------------------------------------------------------------------


def _contracted(product: Callable[[Any, Any], Any], inputs: Any, values: Any, result: Any) -> Any:
    """A sum of products, without those that a dead element has a part in."""
    a, b = values
    live_a, live_b = [
        np.ones(np.shape(v)) if _is_dead(x) is None else (~x.dead).astype(float)
        for x, v in zip(inputs, values, strict=True)
    ]
    if not np.isfinite(result).all():
        bad_a, bad_b = ~np.isfinite(a), ~np.isfinite(b)
        finite = product(np.where(bad_a, 0, a), np.where(bad_b, 0, b))
        # how many products with a factor that is not finite are left without the dead ones
        left = product(bad_a * live_a, live_b) + product(live_a, bad_b * live_b)
        result = np.where(left == 0, finite, result).astype(np.asarray(result).dtype, copy=False)
    if _is_dead(inputs[0]) is None and _is_dead(inputs[1]) is None:
        return result
    return made(np.asarray(result), np.asarray(product(live_a, live_b) == 0))


def _all_dead(total: Callable[[Any], Any], a: Any) -> Any:
    """Which sums have dead elements alone."""
    dead = _is_dead(a)
    return None if dead is None else np.asarray(total((~dead).astype(float)) == 0)


# -- NumPy's functions -------------------------------------------------------------------------------------------


def _arranging(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that puts elements elsewhere, and fills with zeros: the mask goes the same way."""
    lived = function(*_lives(args), **_lives(kwargs))
    if isinstance(result, list | tuple):
        return type(result)(made(r, ~d) for r, d in zip(result, lived, strict=True))
    return made(result, ~lived)


def _lives(tree: Any) -> Any:
    """Which elements live, in the place of each array of numbers."""
    if type(tree) in (list, tuple):
        return type(tree)(_lives(x) for x in tree)
    if type(tree) is dict:
        return {k: _lives(v) for k, v in tree.items()}
    if isinstance(tree, Structural) and tree.dtype.kind in "fc":
        return np.ones(tree.shape, bool) if tree.dead is None else ~tree.dead
    return np.ones(tree.shape, bool) if isinstance(tree, np.ndarray) and tree.dtype.kind in "fc" else _value(tree)


def _summing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that is a sum of elements of its first argument."""
    return made(np.asarray(result), _all_dead(lambda a: function(a, *_values(args[1:]), **_values(kwargs)), args[0]))


def _producing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that is a sum of products of two arrays."""
    if function is np.einsum:
        arrays = [x for x in args if not isinstance(x, str)]
        if len(arrays) != 2 or not isinstance(args[0], str):
            return result
        return _contracted(lambda a, b: np.einsum(args[0], a, b, **kwargs), arrays, _values(arrays), result)
    return _contracted(lambda a, b: function(a, b, *args[2:], **kwargs), args[:2], _values(args[:2]), result)


def _choosing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.where: a plain 0 in the place of an array leaves out."""
    if len(args) != 3:
        return result
    condition, *choices = args
    marks = [
        np.True_ if type(c) in (int, float) and c == 0 else np.False_ if _is_dead(c) is None else c.dead
        for c in choices
    ]
    return made(np.asarray(result), np.broadcast_to(np.where(_value(condition), *marks), np.shape(result)))


def _same(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function whose result has the elements where they were."""
    return made(np.asarray(result), _is_dead(args[0]))


def _blank(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.zeros_like: nothing has been selected yet."""
    result = np.asarray(result).view(Structural)
    result.dead = np.ones(result.shape, bool)
    return result


_HANDLERS: dict[Any, Any] = {
    **dict.fromkeys((
        np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
        np.broadcast_to, np.flip, np.fliplr, np.flipud, np.roll, np.rot90, np.take, np.repeat, np.tile, np.concatenate,
        np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.diagonal, np.tril, np.triu, np.split,
        np.array_split, np.delete, np.compress, np.pad, np.take_along_axis, np.atleast_1d, np.atleast_2d, np.diag,
        sliding_window_view,
    ), _arranging),
    **dict.fromkeys((np.sum, np.trace, np.cumsum, np.mean, np.nansum), _summing),
    **dict.fromkeys((np.einsum, np.tensordot, np.dot, np.inner, np.outer, np.kron), _producing),
    **dict.fromkeys((np.real, np.astype, np.copy, np.conj), _same),
    np.where: _choosing,
    np.zeros_like: _blank,
}  # fmt: skip
"""Functions that know of dead elements; the result of any other is an ordinary array."""
