"""Structural zeros, which no infinite derivative changes.

``where(x > 0, log(x), 0)`` does not depend on log(x) where x is 0.  So its gradient there is 0, although the derivative
of log is infinite.  In IEEE arithmetic 0 * inf is NaN. But a zero that is only the value of a product means nothing of
that kind: the gradient of ``sqrt(x) ** 2`` at 0 is 1, and the cotangent of the square root there is 2 sqrt(0) = 0.

So zeros have an origin.  A :class:`Structural` is an array with a mask of ``dead`` elements, which a selection left
out.  They are zero whatever else changes, and their products are zero whatever the other factor is.  Elements are left
out by ``np.where`` with a plain 0, a boolean array as a factor, an index, an unused output, and a zero in the seed of a
backward pass.  All other arithmetic is that of IEEE. A function that is not listed here forgets the mask: the result is
NaN where it might be 0, but never 0 where it should be NaN.

Which passes use masks:

- a plain backward pass uses none.  If a gradient is NaN, the pass is repeated :func:`again`, and all its cotangents are
  of this class;
- a recorded pass runs under :func:`tracking`, because its derivative may need masks: an array in it is of this class as
  long as it has dead elements;
- everywhere else such an array is an ordinary one.  (A recorded pass may have passed it to a rule.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from .arrays import is_foreign
from .examples import Examples, every, on_every
from .switching import switched

_OFF, _ON, _AGAIN = 0, 1, 2
_tracking: ContextVar[int] = ContextVar("autodiff_tracking", default=_OFF)
is_tracking = _tracking.get
"""Whether selections are to be remembered: inside of a backward pass that looks at them."""


def tracking(level: int = _ON) -> switched:
    """A context: operations inside keep the masks of dead elements."""
    return switched(_tracking, level)


def again() -> Any:
    """The same for a repeated pass on arrays."""
    return tracking(_AGAIN)


def untracked() -> Any:
    """A context without masks: the operations inside are no part of a backward pass."""
    return tracking(_OFF)


# -- making and unmaking -----------------------------------------------------------------------------------------


def structural(g: Any) -> Any:
    """A seed whose zeros are structural: these elements of the output were left out.

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
    """The array with these elements dead; an ordinary array if there are none, unless a pass is repeated."""
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
    """An array that will be written into, with a mask if masks are kept."""
    if not is_tracking() or not isinstance(every(total), np.ndarray) or every(total).dtype.kind not in "fc":
        return total
    return on_every(_remembering, total)


def _remembering(a: Any) -> Any:
    result = value_of(a).view(Structural)
    result.dead = dead_of(a)
    return result


def blank(total: Any) -> Any:
    """Zeros that will be written into: elements that stay zero were left out."""
    total = begin(total)
    array = every(total)
    if isinstance(array, Structural):
        array.dead = np.ones(array.shape, bool)
    return total


def settled(total: Any) -> Any:
    """The array after it was written into; an ordinary one if nothing was left out."""
    if isinstance(every(total), Structural):
        return on_every(lambda a: made(value_of(a), a.dead), total)
    return total


def zeros(shape: Any, dtype: Any) -> Any:
    """The cotangent of an unused output."""
    return settled(blank(np.zeros(shape, dtype)))


# -- what selects ------------------------------------------------------------------------------------------------


def mask(condition: Any) -> Any:
    """A boolean array as a selection: products with it are structural where it is False."""
    array = every(condition)
    if not isinstance(array, np.ndarray | np.generic) or array.dtype != bool:
        return condition
    return on_every(lambda a: np.asarray(a).view(Structural), condition)


def masking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose results are conditions, so that a product with them in a rule is a selection."""

    def condition(*args: Any) -> Any:
        result = function(*args)
        return mask(result) if is_tracking() and not is_foreign(result) else result

    return condition


def selected(condition: Any, a: Any, b: Any) -> Any:
    """``np.where``, which keeps the mask of what was left out if masks are kept."""
    if not is_tracking():
        return np.where(condition, a, b)
    return np.where(mask(condition if is_condition(every(condition)) else np.not_equal(condition, 0)), a, b)


def chosen(share: Any) -> Any:
    """A factor that was computed from conditions, whose zeros mean "not chosen"."""
    if is_tracking() and isinstance(every(share), np.ndarray | np.generic):
        return structural(share)
    return share


def at_kinks(condition: Any, kink: Callable[[], Any], dtype: Any) -> Any:
    """A condition as a factor; at a kink its zero is a convention, and not structural."""
    if not is_tracking():
        return condition
    return np.where(mask(kink()), np.zeros((), dtype), condition)


def revived(value: Any, where: Any) -> Any:
    """The array with dead elements only ``where`` this holds."""
    if is_tracking() and isinstance(every(value), Structural):
        return np.where(where, value, plain(value))
    return value


Handler = Callable[[Any, Any, Any, Any], Any]
"""What becomes of dead elements: a function of the called one, its arguments, its keywords and its result."""

methods: dict[tuple[Any, str], Handler] = {}
"""The handlers of ufuncs' methods, and"""

functions: dict[Any, Handler] = {}
"""those of NumPy's other functions: :mod:`.deadness` fills both tables.  Any other function forgets what was dead."""


class Structural(np.ndarray):
    """An array with a mask of dead elements (``dead``, or None); in a boolean array, the elements that are False."""

    dead: Any = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for x in inputs:
            if type(x) not in _PLAIN and (hasattr(type(x), "_node") or isinstance(x, Examples)):
                return NotImplemented  # a Tensor, or many examples in one: it takes over
            if is_foreign(x):  # whose values nobody looks at
                return getattr(ufunc, method)(*map(value_of, inputs), **kwargs)
        out = kwargs.pop("out", None)
        values = [value_of(x) for x in inputs]
        if method == "at":
            ufunc.at(*values)
            return self._added_at(*inputs)
        if out is not None and not isinstance(out[0], Structural):
            return getattr(ufunc, method)(*values, out=out, **kwargs)  # nothing was dead in it, and nothing is
        result = getattr(ufunc, method)(*values, **kwargs)
        if is_tracking():
            handler = methods.get((ufunc, method))
            return _forgotten(result) if handler is None else handler(ufunc, inputs, kwargs, result)
        return result  # a += b binds a to the new value, as with numbers

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(hasattr(t, "_node") or issubclass(t, Examples) for t in types):
            return NotImplemented
        result = function(*values_of(args), **values_of(kwargs))
        if not is_tracking() or not all(issubclass(t, np.ndarray) for t in types):
            return result
        handler = functions.get(function)
        if handler is None or (isinstance(result, np.ndarray | np.generic) and result.dtype.kind not in "fc"):
            return _forgotten(result)
        return handler(function, args, kwargs, result)

    def __getitem__(self, index: Any) -> Any:
        picked = value_of(self)[index]
        if self.dtype.kind == "b":
            return mask(picked)
        return made(picked, None if self.dead is None else np.asarray(self.dead[index])) if is_tracking() else picked

    def __setitem__(self, index: Any, value: Any) -> None:
        value_of(self)[index] = value_of(value)
        nothing = is_nothing(value)
        if self.dead is None and nothing:
            self.dead = np.zeros(self.shape, bool)
        if self.dead is not None:
            dead = dead_of(value)
            self.dead = self.dead.copy()  # other arrays may share it
            self.dead[index] = nothing if dead is None else dead

    def _added_at(self, total: Any, index: Any, values: Any) -> None:
        """The dead elements after ``np.add.at``, where this is the target."""
        if total is self and self.dead is not None:
            dead = dead_of(values)
            self.dead = self.dead.copy()
            np.logical_and.at(self.dead, index, np.zeros(np.shape(values), bool) if dead is None else dead)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The elements in another type."""
        result = value_of(self).astype(dtype, *args, **kwargs)
        return made(result, dead_of(self)) if is_tracking() and result.dtype.kind in "fc" else result

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """The elements in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    @property  # type: ignore[misc]  # of an array it can be set
    def real(self) -> Any:
        """The real parts."""
        return np.real(self)

    @property  # type: ignore[misc]
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


def value_of(x: Any) -> Any:
    """An argument as an ordinary array, if it is one that remembers."""
    return x.view(np.ndarray) if type(x) is Structural else x


def _forgotten(result: Any) -> Any:
    """The result of a function without a rule for masks; of conditions, other conditions."""
    if not isinstance(result, np.ndarray | np.generic):
        return result
    return made(result, None) if result.dtype.kind in "fc" else mask(result)


def values_of(tree: Any) -> Any:
    """The same of all that lists, tuples and dicts hold."""
    if type(tree) in (list, tuple):
        return type(tree)(values_of(x) for x in tree)
    return {k: values_of(v) for k, v in tree.items()} if type(tree) is dict else value_of(tree)


def is_nothing(x: Any) -> bool:
    """Whether this is the plain 0 that a program writes for "no value"."""
    return type(x) in (int, float) and x == 0


def dead_of(x: Any) -> Any:
    """Which elements are dead, or None."""
    if isinstance(x, Structural) and x.dtype.kind != "b":
        return x.dead
    return ~np.asarray(value_of(x)) if is_condition(x) or type(x) is bool else None


def is_condition(x: Any) -> bool:
    """Whether it is an array of truth values."""
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "b"
