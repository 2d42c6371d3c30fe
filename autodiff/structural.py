"""Zeros by selection, which no infinite derivative may bring back.

``where(x > 0, log(x), 0)`` does not depend on log(x) where x is 0, so its gradient there is 0, though the derivative of
log is infinite.  In IEEE arithmetic 0 * inf is NaN.  But a zero that is merely the value of a product says nothing:
the gradient of ``sqrt(x) ** 2`` at 0 is 1, and what reaches the square root there is 2 sqrt(0) = 0.

So zeros carry where they come from.  A :class:`Structural` is an array with a mask of the elements that a selection
left out: ``dead`` ones, zero whatever else changes, whose products are zero whatever the other factor is.  What leaves
elements out is ``np.where`` with a plain 0, a factor that is a boolean array, an index, an output that nobody used, and
a zero in the cotangent that a backward pass starts from.  All other arithmetic is IEEE's: a function that is not listed
here forgets what was dead, and the result is NaN where it might be 0, never 0 where it should be NaN.

Who remembers, and when:

- a plain backward pass knows nothing of this.  If a gradient comes out NaN it is made :func:`again`, with cotangents
  that are all of this class;
- a pass that is recorded is made under :func:`tracking`, since a derivative of it may need to know: an array in it is
  of this class as long as it has dead elements;
- everywhere else, such an array (a recorded pass may have left it to a rule) is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import signature
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .examples import Examples, every, on_every

_OFF, _ON, _AGAIN = 0, 1, 2
_tracking: ContextVar[int] = ContextVar("autodiff_tracking", default=_OFF)
is_tracking = _tracking.get
"""Whether selections are to be remembered: inside of a backward pass that looks at them."""


@contextmanager
def tracking(level: int = _ON) -> Iterator[None]:
    """Remember, in what is done inside, which elements a selection left out."""
    before = _tracking.get()
    try:
        _tracking.set(level)
        yield
    finally:
        _tracking.set(before)


def again() -> Any:
    """The same for a pass on arrays that is made a second time."""
    return tracking(_AGAIN)


def untracked() -> Any:
    """The same without: what is computed inside is no part of a backward pass."""
    return tracking(_OFF)


# -- making and unmaking -----------------------------------------------------------------------------------------


def structural(g: Any) -> Any:
    """A cotangent to start from, whose zeros are structural: that element of the output was left out.

    >>> with tracking(), np.errstate(invalid="ignore"):
    ...     np.multiply(structural(np.array([0.0, 1.0])), np.inf).tolist()
    [0.0, inf]
    """
    if isinstance(every(g), np.ndarray | np.generic):
        return on_every(lambda a: made(a, a == 0), g)
    return g


def plain(value: Any) -> Any:
    """The same value as an ordinary array.

    >>> type(plain(structural(np.zeros(2)))) is np.ndarray
    True
    """
    if isinstance(every(value), Structural):
        return on_every(lambda a: a.view(np.ndarray)[()], value)
    return value


def made(value: Any, dead: Any) -> Any:
    """The array with these elements dead; an ordinary one if there are none, unless a pass is made again."""
    if dead is None or not (dead.any() or not dead.size):
        if _tracking.get() != _AGAIN:
            return value
        dead = None
    value = np.asarray(value)
    if dead is not None and np.isnan(np.vdot(value, value)):  # from 0 * inf; a dot product is the fastest look
        value = np.where(dead, np.zeros((), value.dtype), value)
    result = value.view(Structural)
    result.dead = dead
    return result


def begin(total: Any) -> Any:
    """An array that is about to be written into, as one that remembers it if this is being tracked."""
    if not is_tracking() or not isinstance(every(total), np.ndarray) or every(total).dtype.kind not in "fc":
        return total
    return on_every(_remembering, total)


def _remembering(a: Any) -> Any:
    result = _value(a).view(Structural)
    result.dead = _dead_of(a)
    return result


def blank(total: Any) -> Any:
    """Zeros that are about to be written into: what stays as it is was left out."""
    total = begin(total)
    array = every(total)
    if isinstance(array, Structural):
        array.dead = np.ones(array.shape, bool)
    return total


def settled(total: Any) -> Any:
    """The array after it was written into: an ordinary one where nothing was left out."""
    if isinstance(every(total), Structural):
        return on_every(lambda a: made(_value(a), a.dead), total)
    return total


def zeros(shape: Any, dtype: Any) -> Any:
    """The cotangent of what nobody used."""
    return settled(blank(np.zeros(shape, dtype)))


# -- what selects ------------------------------------------------------------------------------------------------


def mask(condition: Any) -> Any:
    """A boolean array, so that multiplying by it is a selection, whatever the other factor is."""
    array = every(condition)
    if not isinstance(array, np.ndarray | np.generic) or array.dtype != bool:
        return condition
    return on_every(lambda a: np.asarray(a).view(Structural), condition)


def masking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose results are conditions, so that a rule that multiplies by them selects."""

    def condition(*args: Any) -> Any:
        result = function(*args)
        return mask(result) if is_tracking() else result

    return condition


def selected(condition: Any, a: Any, b: Any) -> Any:
    """``np.where``, remembering what was left out if that is being tracked."""
    if not is_tracking():
        return np.where(condition, a, b)
    return np.where(mask(condition if _is_condition(every(condition)) else np.not_equal(condition, 0)), a, b)


def chosen(share: Any) -> Any:
    """A factor, computed from conditions, whose zeros stand for what was not chosen."""
    if is_tracking() and isinstance(every(share), np.ndarray | np.generic):
        return structural(share)
    return share


def at_kinks(condition: Any, kink: Callable[[], Any], dtype: Any) -> Any:
    """A condition to multiply by; where it meets a kink, its zero is a convention, and not one of selection."""
    if not is_tracking():
        return condition
    return np.where(mask(kink()), np.zeros((), dtype), condition)


def revived(value: Any, where: Any) -> Any:
    """The array with dead elements ``where`` this holds, and nowhere else."""
    if is_tracking() and isinstance(every(value), Structural):
        return np.where(where, value, plain(value))
    return value


class Structural(np.ndarray):
    """An array with elements that a selection left out (``dead``, or None); of truth values, those that are False."""

    dead: Any = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for x in inputs:
            if type(x) not in _PLAIN and (hasattr(type(x), "_node") or isinstance(x, Examples)):
                return NotImplemented  # a Tensor, or many examples in one: it takes over
        out = kwargs.pop("out", None)
        values = [_value(x) for x in inputs]
        if method == "at":
            return _added_at(ufunc, *inputs) if is_tracking() else ufunc.at(*values)
        if out is not None and not isinstance(out[0], Structural):
            return getattr(ufunc, method)(*values, out=out, **kwargs)  # nothing was dead in it, and nothing is
        result = getattr(ufunc, method)(*values, **kwargs)
        if is_tracking():
            if method == "__call__" and ufunc in _LINEAR:
                return _computed(ufunc, inputs, values, result)
            if method == "reduce" and ufunc is np.add:
                return made(result, _all_dead(lambda a: ufunc.reduce(a, *values[1:], **kwargs), inputs[0]))
            return _forgotten(result)
        return result  # a += b binds a to the new value, as with numbers

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(hasattr(t, "_node") or issubclass(t, Examples) for t in types):
            return NotImplemented
        result = function(*_values(args), **_values(kwargs))
        if not is_tracking():
            return result
        handler = _HANDLERS.get(function)
        if handler is None or (isinstance(result, np.ndarray | np.generic) and result.dtype.kind not in "fc"):
            return _forgotten(result)
        return handler(function, args, kwargs, result)

    def __getitem__(self, index: Any) -> Any:
        picked = _value(self)[index]
        if self.dtype.kind == "b":
            return mask(picked)
        return made(picked, None if self.dead is None else np.asarray(self.dead[index])) if is_tracking() else picked

    def __setitem__(self, index: Any, value: Any) -> None:
        _value(self)[index] = _value(value)
        nothing = _is_nothing(value)
        if self.dead is None and nothing:
            self.dead = np.zeros(self.shape, bool)
        if self.dead is not None:
            dead = _dead_of(value)
            self.dead = self.dead.copy()  # other arrays may share it
            self.dead[index] = nothing if dead is None else dead

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The elements in another type."""
        result = _value(self).astype(dtype, *args, **kwargs)
        return made(result, _dead_of(self)) if is_tracking() and result.dtype.kind in "fc" else result

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """The elements in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    @property
    def real(self) -> Any:
        """The real parts."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary parts."""
        return np.imag(self)

    @property
    def T(self) -> Any:  # noqa: N802
        """The axes in reverse order."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802
        """The last two axes swapped."""
        return np.swapaxes(self, -1, -2)


_PLAIN = frozenset({Structural, np.ndarray, np.float64, np.float32, float, int})


def _value(x: Any) -> Any:
    return x.view(np.ndarray) if type(x) is Structural else x


def _forgotten(result: Any) -> Any:
    """What a function gives that does not say what is dead; of conditions there are other conditions."""
    if not isinstance(result, np.ndarray | np.generic):
        return result
    return made(result, None) if result.dtype.kind in "fc" else mask(result)


def _values(tree: Any) -> Any:
    if type(tree) in (list, tuple):
        return type(tree)(_values(x) for x in tree)
    return {k: _values(v) for k, v in tree.items()} if type(tree) is dict else _value(tree)


def _is_nothing(x: Any) -> bool:
    """Whether it is the plain 0 that a program writes for no value."""
    return type(x) in (int, float) and x == 0


def _dead_of(x: Any) -> Any:
    """Which elements are dead, or None."""
    if isinstance(x, Structural) and x.dtype.kind != "b":
        return x.dead
    return ~np.asarray(_value(x)) if _is_condition(x) or type(x) is bool else None


def _is_condition(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "b"


# -- ufuncs ------------------------------------------------------------------------------------------------------

_CONTRACTIONS = (np.matmul, np.vecdot, np.matvec, np.vecmat)
_KEEPING = (np.negative, np.positive, np.conjugate)
_LINEAR = frozenset((np.multiply, np.divide, np.add, np.subtract, *_CONTRACTIONS, *_KEEPING))


def _computed(ufunc: Any, inputs: Any, values: Any, result: Any) -> Any:
    """What a ufunc gives: a product is dead with one of its factors, a sum with all of its terms."""
    if result.dtype.kind not in "fc":
        return mask(result)
    if ufunc in _CONTRACTIONS:
        return _contracted(ufunc, inputs, values, result)
    marks = [_dead_of(x) for x in inputs]
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


def _added_at(ufunc: Any, total: Any, index: Any, values: Any) -> None:
    """What ``np.add.at`` does to a target of our own."""
    ufunc.at(_value(total), index, _value(values))
    if _dead_of(total) is not None:
        dead = _dead_of(values)
        total.dead = total.dead.copy()
        np.logical_and.at(total.dead, index, np.zeros(np.shape(values), bool) if dead is None else dead)


# -- sums of products --------------------------------------------------------------------------------------------


def _contracted(product: Callable[..., Any], operands: Any, values: Any, result: Any) -> Any:
    """A sum of products, without those that a dead element has a part in."""
    marks = [_dead_of(x) for x in operands]
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
    """The matrix with dead elements, and one column of the other: each column would give the same."""
    if product is np.matmul and any(mark is None for mark in marks):
        one, two = lives
        if marks[0] is None and one.ndim > 1:
            return one[..., :1, :], two
        if marks[1] is None and two.ndim > 1:
            return one, two[..., :1]
    return lives


def _all_dead(total: Callable[[Any], Any], a: Any) -> Any:
    """Which sums have dead elements alone."""
    dead = _dead_of(a)
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
    if isinstance(tree, np.ndarray | np.generic) and tree.dtype.kind in "fc":
        return np.ones(tree.shape, bool) if _dead_of(tree) is None else ~tree.dead
    return _value(tree)


def _summing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that is a sum of elements of its first argument."""
    return made(result, _all_dead(lambda a: function(a, *_values(args[1:]), **_values(kwargs)), args[0]))


def _producing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function that is a sum of products: of two arrays, or of those that einsum is given."""
    if function is not np.einsum:
        return _contracted(lambda a, b: function(a, b, *args[2:], **kwargs), args[:2], _values(args[:2]), result)
    if not isinstance(args[0], str):
        return result
    return _contracted(lambda *a: np.einsum(args[0], *a, **kwargs), args[1:], _values(args[1:]), result)


def _choosing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.where: a plain 0 in the place of an array leaves out."""
    if len(args) != 3 or result.dtype.kind not in "fc":
        return result
    condition, *choices = args
    marks = [_is_nothing(c) if _dead_of(c) is None else _dead_of(c) for c in choices]
    if marks[0] is False and marks[1] is False:
        return made(result, None)
    return made(result, np.broadcast_to(np.where(_value(condition), *marks), result.shape))


def _solving(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.linalg.solve: a column of the result depends on that column of the right side."""
    dead = _dead_of(args[1])
    if dead is None:
        return made(result, None)
    axis = -1 if dead.ndim == 1 else -2
    return made(result, np.broadcast_to(np.all(dead, axis=axis, keepdims=True), result.shape))


def _mixing(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function whose every result along an axis depends on every element along it: a Fourier transform."""
    given = signature(function).bind(*args, **kwargs).arguments
    dead = _dead_of(given["a"])
    if dead is None:
        return made(result, None)
    axis = given.get("axis", -1)
    length = given.get("n") or dead.shape[axis]
    used = np.take(dead, range(min(length, dead.shape[axis])), axis)
    return made(result, np.broadcast_to(np.all(used, axis=axis, keepdims=True), result.shape))


def _same(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """A function whose result has the elements where they were."""
    return made(result, _dead_of(args[0]))


def _blank(function: Any, args: Any, kwargs: Any, result: Any) -> Any:
    """np.zeros_like: nothing has been put there."""
    return made(result, np.ones(result.shape, bool))


_HANDLERS: dict[Any, Any] = {
    **dict.fromkeys((
        np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
        np.broadcast_to, np.flip, np.fliplr, np.flipud, np.roll, np.rot90, np.take, np.repeat, np.tile, np.concatenate,
        np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.diagonal, np.tril, np.triu, np.split,
        np.array_split, np.delete, np.compress, np.pad, np.take_along_axis, np.atleast_1d, np.atleast_2d, np.diag,
        np.matrix_transpose, sliding_window_view,
    ), _arranging),
    **dict.fromkeys((np.sum, np.trace, np.cumsum, np.mean, np.nansum), _summing),
    **dict.fromkeys((np.einsum, np.tensordot, np.dot, np.inner, np.outer, np.kron, np.convolve), _producing),
    **dict.fromkeys((np.real, np.imag, np.astype, np.copy, np.conj), _same),
    **dict.fromkeys((np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft), _mixing),
    np.linalg.solve: _solving,
    np.where: _choosing,
    np.zeros_like: _blank,
}  # fmt: skip
"""Functions that know of dead elements; the result of any other is an ordinary array."""
