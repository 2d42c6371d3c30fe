"""Batching rules: how NumPy's functions compute on all examples at once, one rule for each family of functions.

A function works on the axes of one example.  The array of all examples has one axis more, in front.  So reductions and
functions along an axis shift their axis, functions of matrices need no change, functions that move axes leave the first
one alone, and composites run as they are written.  A function of no family, or with an argument that the rule of its
family does not know, is computed example by example.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from ...primitive import Composite, Primitive, registry
from .array import Batched, BatchingError, Level, RaggedError, aligned, is_of, latest
from .loop import ByExampleError, looped
from .ufuncs import elementwise_call

Array = Any
Handler = Callable[..., Any]
table: dict[Any, Handler] = {}
_running: ContextVar[frozenset[Any]] = ContextVar("autodiff_composites", default=frozenset())
"""The composites that are being computed: one that leaves plain arrays to NumPy would come back here for ever."""


def call(function: Any, args: Any, kwargs: Any) -> Any:
    """``function(*args, **kwargs)`` where some of the arguments are examples."""
    handler = table.get(function)
    entry = registry.get(function)
    try:
        if handler is not None:
            return handler(function, *args, **kwargs)
        if isinstance(entry, Composite) and function not in _running.get():
            token = _running.set(_running.get() | {function})
            try:
                return entry.call(*args, **kwargs)
            finally:
                _running.reset(token)
        if isinstance(entry, Primitive) and entry.elementwise:
            return elementwise_call(function, args, kwargs)
    except RaggedError:
        raise
    except (ByExampleError, BatchingError, TypeError, AttributeError):
        # a TypeError: a keyword that the rule does not have; an AttributeError: an option that alone differs
        pass
    return looped(function, args, kwargs)


def handles(*functions: Any) -> Callable[[Handler], Handler]:
    """Make the decorated function the batching rule of these; it is called with the function and its arguments."""

    def register(handler: Handler) -> Handler:
        table.update(dict.fromkeys(functions, handler))
        return handler

    return register


def only_first(level: Level, *others: Any) -> None:
    """Compute example by example if an option differs between examples."""
    if any(is_of(o, level) for o in others):
        raise ByExampleError


def flat(a: Array) -> Any:
    """The elements of each example in one axis."""
    return Batched(np.reshape(a.held, (a.level.size, a.size)), a.level)


# -- questions ---------------------------------------------------------------------------------------------------


@handles(np.shape)
def _shape(function: Any, a: Array) -> Any:
    return a.shape


@handles(np.ndim)
def _ndim(function: Any, a: Array) -> Any:
    return a.ndim


@handles(np.size)
def _size(function: Any, a: Array, axis: Any = None) -> Any:
    return a.size if axis is None else a.shape[axis]


@handles(np.result_type, np.can_cast, np.common_type)
def _types(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*[np.empty(0, a.dtype) if type(a) is Batched else a for a in args], **kwargs)


@handles(np.iscomplexobj, np.isrealobj)
def _kind(function: Any, a: Array) -> Any:
    return function(np.empty(0, a.dtype))


# -- elementwise functions that are no ufuncs --------------------------------------------------------------------


@handles(np.clip)
def _clip(function: Any, a: Array, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Array:
    low, high = kwargs.pop("min", a_min), kwargs.pop("max", a_max)
    return elementwise_call(np.clip, (a, low, high), kwargs)


@handles(np.where)
def _where(function: Any, condition: Array, *args: Any) -> Array:
    if len(args) != 2:
        raise RaggedError("vmap: np.where(condition) alone has a result of a length that differs between examples")
    return elementwise_call(np.where, (condition, *args), {})


@handles(
    np.real, np.imag, np.angle, np.sinc, np.nan_to_num, np.isclose, np.i0, np.isposinf, np.isneginf, np.isreal,
    np.iscomplex,
)  # fmt: skip
def _elementwise(function: Any, *args: Any, **kwargs: Any) -> Array:
    return elementwise_call(function, args, kwargs)


@handles(np.round, np.around, np.fix)
def _round(function: Any, a: Array, *args: Any, **kwargs: Any) -> Array:
    return Batched(function(a.held, *args, **kwargs), a.level)


@handles(np.searchsorted)
def _searchsorted(function: Any, a: Array, v: Array, *rest: Any, **kwargs: Any) -> Array:
    level = latest(a, v)
    only_first(level, a, *rest, *kwargs.values())
    return Batched(np.searchsorted(a, v.held, *rest, **kwargs), level)


@handles(np.digitize)
def _digitize(function: Any, x: Array, bins: Array, right: bool = False) -> Array:
    level = latest(x, bins)
    only_first(level, bins)
    return Batched(np.digitize(x.held, bins, right), level)


@handles(np.zeros_like, np.ones_like, np.empty_like)
def _like(function: Any, a: Array, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Array:
    level = latest(a)
    sizes = a.shape if shape is None else tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    return Batched(function(a.held, dtype=dtype, order=order, shape=(level.size, *sizes)), level)


@handles(np.full_like)
def _full_like(function: Any, a: Array, fill_value: Any, dtype: Any = None, shape: Any = None) -> Array:
    level = latest(a, fill_value)
    sizes = np.shape(a) if shape is None else tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    filled = np.full((level.size, *sizes), 0, a.dtype if dtype is None else dtype)
    filled[...] = aligned(fill_value, level, len(sizes))
    return Batched(filled, level)


@handles(np.astype)
def _astype(function: Any, x: Array, dtype: Any, copy: bool = True) -> Array:
    return x.astype(dtype)


@handles(np.copy)
def _copy(function: Any, a: Array, order: str = "K", subok: bool = False) -> Array:
    return a.copy()
