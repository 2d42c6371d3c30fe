"""Ufuncs on all examples at once: broadcasting does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...ops.accumulation import add_at
from .array import Batched, BatchingError, aligned, innermost, is_of, latest, refused, shifted, spread, wrapped
from .indices import batched_index, shaped
from .loop import looped

Array = Any


def call(ufunc: Any, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A call of a ufunc, or of one of its methods, where some inputs are examples."""
    if method == "__call__":
        return _called(ufunc, inputs, kwargs)
    if method == "reduce":
        return _reduced(ufunc, *inputs, **kwargs)
    if method == "accumulate":
        a = inputs[0]
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        return Batched(ufunc.accumulate(a.held, axis=shifted(axis, a.ndim), **kwargs), a.level)
    if method == "at":
        return _at(ufunc, *inputs)
    return looped(getattr(ufunc, method), inputs, kwargs)


def elementwise_call(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Any function that broadcasts its arguments and works on each element by itself."""
    level = latest(*args)
    ndim = max(np.ndim(a) for a in args if a is not None)
    return wrapped(function(*[aligned(a, level, ndim) for a in args], **kwargs), level)


def _called(ufunc: Any, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if any(type(v) is Batched for v in kwargs.values()):
        raise BatchingError(f"vmap: np.{ufunc.__name__} with a keyword that differs between examples; use np.where")
    if ufunc.signature is None:
        return elementwise_call(ufunc, inputs, kwargs)
    if ufunc is np.matmul:
        return _matmul(*inputs, **kwargs)
    if kwargs.get("axis", -1) != -1 or "axes" in kwargs:
        return looped(ufunc, inputs, kwargs)
    level = latest(*inputs)
    if ufunc is np.matvec and np.ndim(inputs[0]) == 2 and type(inputs[0]) is not Batched and np.ndim(inputs[1]) == 1:
        return _matmul(*inputs, **kwargs)
    cores = [len(term.split(",")) if term else 0 for term in ufunc.signature.split("->")[0].strip("()").split("),(")]
    ndim = max(np.ndim(a) - core for a, core in zip(inputs, cores, strict=True))
    arrays = [aligned(a, level, ndim, core) for a, core in zip(inputs, cores, strict=True)]
    return wrapped(ufunc(*arrays, **kwargs), level)


def _matmul(a: Array, b: Array, **kwargs: Any) -> Array:
    """A product of matrices: a vector gets an axis of length 1 first, which the result loses again."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError(f"matmul: an argument has no axes (shapes {np.shape(a)} and {np.shape(b)}); use a * b")
    level = latest(a, b)
    if np.ndim(b) == 1 and np.ndim(a) == 2 and type(a) is not Batched:  # one product in the place of many small ones
        return Batched(np.matmul(b.held, np.swapaxes(a, -1, -2), **kwargs), level)
    ndim = max(np.ndim(a), np.ndim(b), 2) - 2
    left = a[None, :] if np.ndim(a) == 1 else a
    right = b[:, None] if np.ndim(b) == 1 else b
    if np.ndim(left) == 2 and np.ndim(right) == 2 and type(right) is not Batched and left.held.size:
        held = left.held
        rows = np.matmul(np.reshape(held, (held.shape[0] * held.shape[1], held.shape[2])), right, **kwargs)
        product = np.reshape(rows, (*held.shape[:-1], rows.shape[-1]))
    else:
        product = np.matmul(aligned(left, level, ndim, 2), aligned(right, level, ndim, 2), **kwargs)
    if np.ndim(b) == 1:
        product = product[..., 0]
    if np.ndim(a) == 1:
        product = product[..., 0] if np.ndim(b) == 1 else product[..., 0, :]
    return Batched(product, level)


def _reduced(ufunc: Any, a: Array, axis: Any = 0, **kwargs: Any) -> Array:
    where = kwargs.get("where", True)
    level = latest(a, where)
    axes = tuple(range(np.ndim(a))) if axis is None else axis
    if where is not True:
        kwargs["where"] = aligned(where, level, np.ndim(a))
    return Batched(ufunc.reduce(spread(a, level), axis=shifted(axes, np.ndim(a)), **kwargs), level)


def _at(ufunc: Any, a: Array, index: Any, *values: Any) -> None:
    """``np.add.at``: writes into ``a``, which must differ between examples already."""
    level = innermost((a, index, *values))
    if level is None or not is_of(a, level):
        raise refused(f"np.{ufunc.__name__}.at on an array shared by all examples", "use autodiff.index_add")
    full, arrange, back = batched_index(index, a.shape, level)
    slot = arrange(shaped(a.held)[full]).shape
    operands = [back(np.broadcast_to(aligned(v, level, len(slot) - 1), slot)) for v in values]
    (add_at if ufunc is np.add else ufunc.at)(a.held, full, *operands)
