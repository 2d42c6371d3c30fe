"""Functions that move, repeat and join axes.  The first axis, that of the examples, is not moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import Batched, aligned, latest, shifted, spread
from .families import handles
from .loop import ByExampleError

Array = Any


@handles(np.reshape)
def _reshape(function: Any, a: Array, shape: Any, order: str = "C") -> Array:
    if order != "C":
        raise ByExampleError
    sizes = tuple(int(n) for n in shape) if isinstance(shape, tuple | list) else (int(shape),)
    if -1 in sizes:
        known = 1
        for n in sizes:
            known *= n if n != -1 else 1
        if known == 0 or a.size % known:
            raise ValueError(f"reshape: cannot reshape an array of shape {a.shape} into {sizes}")
        sizes = tuple(a.size // known if n == -1 else n for n in sizes)
    total = 1
    for n in sizes:
        total *= n
    if total != a.size:
        raise ValueError(f"reshape: cannot reshape an array of shape {a.shape} into {sizes}")
    return Batched(np.reshape(a.held, (a.level.size, *sizes)), a.level)


@handles(np.ravel)
def _ravel(function: Any, a: Array, order: str = "C") -> Array:
    return _reshape(np.reshape, a, (a.size,), order)


@handles(np.transpose, np.permute_dims)
def _transpose(function: Any, a: Array, axes: Any = None) -> Array:
    order = range(a.ndim)[::-1] if axes is None else axes
    if len(order) != a.ndim:
        raise ValueError(f"transpose: axes {tuple(order)} do not match an array of shape {a.shape}")
    return Batched(np.transpose(a.held, (0, *shifted(tuple(order), a.ndim))), a.level)


@handles(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(function: Any, x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


@handles(np.swapaxes, np.moveaxis, np.rollaxis)
def _two_axes(function: Any, a: Array, first: Any, second: Any) -> Array:
    return Batched(function(a.held, shifted(first, a.ndim), shifted(second, a.ndim)), a.level)


@handles(np.expand_dims)
def _expand_dims(function: Any, a: Array, axis: Any) -> Array:
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return Batched(np.expand_dims(a.held, shifted(tuple(axes), a.ndim + len(axes))), a.level)


@handles(np.squeeze)
def _squeeze(function: Any, a: Array, axis: Any = None) -> Array:
    axes = tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis
    return Batched(np.squeeze(a.held, shifted(axes, a.ndim)), a.level)


@handles(np.broadcast_to)
def _broadcast_to(function: Any, array: Array, shape: Any, subok: bool = False) -> Array:
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    level = array.level
    return Batched(np.broadcast_to(aligned(array, level, len(sizes)), (level.size, *sizes)), level)


@handles(np.tile)
def _tile(function: Any, A: Array, reps: Any) -> Array:
    counts = tuple(reps) if isinstance(reps, tuple | list) else (reps,)
    ndim = max(len(counts), A.ndim)
    return Batched(np.tile(aligned(A, A.level, ndim), (1,) * (ndim + 1 - len(counts)) + counts), A.level)


@handles(np.pad)
def _pad(function: Any, array: Array, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Array:
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * array.ndim
        for axis, width in pad_width.items():
            pairs[axis] = (width, width) if isinstance(width, int) else tuple(width)
    else:
        pairs = [(int(a), int(b)) for a, b in np.broadcast_to(pad_width, (array.ndim, 2))]
    if any(np.ndim(v) for v in kwargs.values() if not isinstance(v, str)):
        raise ByExampleError
    return Batched(np.pad(array.held, [(0, 0), *pairs], mode, **kwargs), array.level)


@handles(np.concatenate)
def _concatenate(function: Any, arrays: Any, axis: Any = 0, **kwargs: Any) -> Array:
    level = latest(*arrays)
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    held = [spread(a, level) for a in arrays]
    return Batched(np.concatenate(held, axis=shifted(axis, len(held[0].shape) - 1), **kwargs), level)


@handles(np.stack)
def _stack(function: Any, arrays: Any, axis: int = 0, **kwargs: Any) -> Array:
    level = latest(*arrays)
    held = [spread(a, level) for a in arrays]
    return Batched(np.stack(held, axis=shifted(axis, len(held[0].shape)), **kwargs), level)


@handles(np.diagonal, np.linalg.diagonal, np.trace, np.linalg.trace)
def _diagonal(function: Any, a: Array, offset: int = 0, axis1: Any = None, axis2: Any = None) -> Array:
    ends = (-2, -1) if function in (np.linalg.diagonal, np.linalg.trace) else (0, 1)
    first, second = ends[0] if axis1 is None else axis1, ends[1] if axis2 is None else axis2
    function = {np.linalg.diagonal: np.diagonal, np.linalg.trace: np.trace}.get(function, function)
    return Batched(function(a.held, offset, shifted(first, a.ndim), shifted(second, a.ndim)), a.level)


@handles(np.diag)
def _diag(function: Any, v: Array, k: int = 0) -> Array:
    if v.ndim == 2:
        return np.diagonal(v, k)
    rows = np.arange(v.shape[0]) + max(-k, 0)
    side = v.shape[0] + abs(k)
    square = np.zeros_like(v.held, shape=(v.level.size, side, side))
    square[:, rows, rows + k] = v.held
    return Batched(square, v.level)


@handles(np.tril, np.triu)
def _triangle(function: Any, m: Array, k: int = 0) -> Array:
    if m.ndim < 2:
        m = np.broadcast_to(m, (m.shape[0], m.shape[0]))
    return Batched(function(m.held, k), m.level)


@handles(np.rot90)
def _rot90(function: Any, m: Array, k: int = 1, axes: Any = (0, 1)) -> Array:
    return Batched(np.rot90(m.held, k, shifted(tuple(axes), m.ndim)), m.level)
