"""Functions that move elements and compute nothing.

Every rule here is the inverse movement.  Repeated elements are summed, and dropped elements get zero.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..arrays import is_foreign
from ..graph import unbroadcast
from ..primitive import example, sample
from ..registering import composite, primitive
from ..structural import begin
from ..tensor import Tensor
from .indexing import scatter_add
from .placing import picked
from .precision import wide

Array = Any


def _known_order(order: Any) -> Any:
    """An order that depends on the shape only, or an error."""
    if order not in ("C", "F"):
        raise ValueError(f"order={order!r} depends on how the array lies in memory; write order='C' or 'F'")
    return order


def _reshaped(a: Array, shape: Any, order: Any) -> Array:
    """``np.reshape``; an order is passed on only if it is not the default, because Dask has none."""
    return np.reshape(a, shape) if order == "C" else np.reshape(a, shape, order=_known_order(order))


@primitive(
    lambda g, a_shape, order: _reshaped(g, a_shape, order), implements=np.reshape,
    examples=[example(sample(2, 3), (3, 2)), example(sample(2, 3), -1), example(sample(), (1, 1)),
              example(sample(0, 3), (3, 0)), example(sample(2, 3), (3, -1), order="F")],
)  # fmt: skip
def reshape(a: Array, shape: Any, order: Any = "C") -> Array:
    """The same elements in another shape, in C or Fortran order."""
    return _reshaped(a, (shape,) if isinstance(shape, int | np.integer) else shape, order)


@primitive(
    lambda g, axes: np.transpose(g, None if axes is None else np.argsort([i % len(axes) for i in axes]).tolist()),
    implements=np.transpose,
    examples=[example(sample(2, 3)), example(sample(2, 3, 4), (2, 0, 1)), example(sample(2, 3), (-1, 0)),
              example(sample())],
)  # fmt: skip
def transpose(a: Array, axes: Any = None) -> Array:
    """Axes in another order: the rule puts them back."""
    return np.transpose(a, axes)


@primitive(
    lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2), implements=np.swapaxes, method="swapaxes",
    examples=[example(sample(2, 3, 4), 0, -1)],
)  # fmt: skip
def swapaxes(a: Array, axis1: int, axis2: int) -> Array:
    """Two axes swapped, as in the rule."""
    return np.swapaxes(a, axis1, axis2)


@primitive(
    lambda g, source, destination: np.moveaxis(g, destination, source), implements=np.moveaxis,
    examples=[example(sample(2, 3, 4), 0, -1), example(sample(2, 3, 4), (0, 1), (2, 0))],
)  # fmt: skip
def moveaxis(a: Array, source: Any, destination: Any) -> Array:
    """Axes moved: the rule moves them back."""
    return np.moveaxis(a, source, destination)


@primitive(
    lambda g, a_shape: np.reshape(g, a_shape), implements=np.squeeze, method="squeeze",
    examples=[example(sample(1, 3, 1)), example(sample(1, 3, 1), axis=0)],
)  # fmt: skip
def squeeze(a: Array, axis: Any = None) -> Array:
    """Without axes of length 1."""
    return np.squeeze(a, axis)


@primitive(
    lambda g, a_shape: np.reshape(g, a_shape), implements=np.expand_dims,
    examples=[example(sample(2, 3), 1), example(sample(3), (0, 2)), example(sample(), 0)],
)  # fmt: skip
def expand_dims(a: Array, axis: Any) -> Array:
    """With new axes of length 1."""
    return np.expand_dims(a, axis)


@primitive(
    lambda g, a_shape, order: _reshaped(g, a_shape, order), implements=np.ravel, method="ravel",
    examples=[example(sample(2, 3)), example(sample()), example(sample(2, 3), order="F")],
)  # fmt: skip
def ravel(a: Array, order: Any = "C") -> Array:
    """The elements in one axis, in C or Fortran order."""
    return np.ravel(a) if order == "C" else np.ravel(a, order=_known_order(order))


@primitive(
    lambda g, array_shape: unbroadcast(g, array_shape), implements=np.broadcast_to,
    examples=[example(sample(3), (2, 3)), example(sample(2, 1), (2, 3)), example(sample(), (2, 2)),
              example(sample(1, 3), (0, 3))],
)  # fmt: skip
def broadcast_to(array: Array, shape: Any) -> Array:
    """Elements repeated to a shape: their cotangents are summed."""
    return np.broadcast_to(array, shape)


@primitive(
    lambda g: g,
    name="astype",
    analytic=False,  # the engine casts a contribution to its argument's dtype
    examples=[example(sample(2, 3), np.float64)],
)
def cast(x: Array, dtype: Any) -> Array:
    """A cast to another floating-point type: the cotangent is cast back."""
    return x.astype(dtype) if hasattr(x, "astype") else np.astype(x, dtype)


@primitive(None, name="astype", analytic=False, examples=[example(sample(2, 3), np.int64)])
def count(x: Array, dtype: Any) -> Array:
    """A cast to integers or booleans, which change in jumps: the derivative is zero everywhere."""
    return x.astype(dtype) if hasattr(x, "astype") else np.astype(x, dtype)


@composite(np.astype, method="astype", examples=[example(sample(2, 3), np.float64)])
def astype(x: Array, dtype: Any, copy: bool = True) -> Array:
    """Another type of number: d y / d x = 1 among floating-point types, 0 for integers and truth values."""
    return cast(x, dtype) if np.dtype(dtype).kind in "fc" else count(x, dtype)


@composite(np.copy, method="copy", examples=[example(sample(2, 3))])
def copy(a: Array, order: Any = "K", subok: bool = False) -> Array:
    """The same values in memory of their own; their layout in memory is not defined."""
    if order not in ("K", "C", "F", "A"):
        raise ValueError(f"copy: order={order!r}; it is 'C', 'F', 'A' or 'K'")
    return count(a, bool) if a.dtype.kind == "b" else np.positive(a)


def _part(g: Array, shapes: Any, position: int, axis: int | None) -> Array:
    """The part of ``g`` that came from one of the concatenated arrays."""
    start, stop = _starts(shapes, axis)[position : position + 2]
    if axis is None:
        return np.reshape(g[start:stop], shapes[position])
    if axis == 0:
        return g[start:stop]
    window = [slice(None)] * g.ndim
    window[axis] = slice(start, stop)
    return g[tuple(window)]


_latest: tuple[Any, int | None, list[int]] = (None, None, [])


def _starts(shapes: Any, axis: int | None) -> list[int]:
    """The start of each concatenated array, and the end of the last.

    The result is cached.  The rules of one call share their list of shapes; if each rule added up the lengths before
    its own, 100,000 arrays would take minutes.
    """
    global _latest
    of, along, starts = _latest
    if of is not shapes or along != axis:
        lengths = [math.prod(s) if axis is None else s[axis] for s in shapes]
        starts = [0, *itertools.accumulate(lengths)]
        _latest = (shapes, axis, starts)
    return starts


@primitive(
    lambda g, arrays_shape, axis, position: _part(g, arrays_shape, position, axis),
    implements=np.concatenate, sequence="arrays",
    examples=[example([sample(2, 3), sample(1, 3)]), example([sample(2, 1), sample(2, 3)], axis=-1),
              example([sample(2), sample(0), sample(3)]), example([sample(2, 2), sample(3)], axis=None)],
)  # fmt: skip
def concatenate(arrays: Any, axis: Any = 0, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Arrays joined along an axis: the rule cuts the cotangent into their parts."""
    if dtype is None and casting == "same_kind":
        return np.concatenate(arrays, axis=axis)
    return np.concatenate(arrays, axis=axis, dtype=dtype, casting=casting)


@primitive(
    lambda g, axis, position: (g if axis == 0 else np.moveaxis(g, axis, 0))[position],
    implements=np.stack, sequence="arrays",
    examples=[example([sample(2, 3), sample(2, 3)]), example([sample(2, 3), sample(2, 3)], axis=-1),
              example([sample(), sample(), sample()])],
)  # fmt: skip
def stack(arrays: Any, axis: int = 0, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Arrays along a new axis: the rule takes each one's slice."""
    if dtype is None and casting == "same_kind":
        return np.stack(arrays, axis=axis)
    return np.stack(arrays, axis=axis, dtype=dtype, casting=casting)


@primitive(
    lambda g, axis: np.flip(g, axis), implements=np.flip,
    examples=[example(sample(2, 3)), example(sample(2, 3), axis=1), example(sample(2, 3), axis=(0, 1))],
)  # fmt: skip
def flip(m: Array, axis: Any = None) -> Array:
    """In reverse order, as is the cotangent."""
    return np.flip(m, axis)


@primitive(
    lambda g, shift, axis: np.roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis),
    implements=np.roll,
    examples=[example(sample(5), 2), example(sample(2, 3), 1), example(sample(2, 3), (1, -2), axis=(0, 1))],
)  # fmt: skip
def roll(a: Array, shift: Any, axis: Any = None) -> Array:
    """Rolled along axes: the rule rolls back."""
    return np.roll(a, shift, axis)


def _collected(g: Array, shape: tuple[int, ...], repeats: Any, axis: int | None) -> Array:
    """The sum of the copies that ``repeat`` made."""
    axis = axis if shape else None  # NumPy takes axis 0 of a single number
    length = int(np.prod(shape, dtype=int)) if axis is None else shape[axis]
    counts = np.broadcast_to(repeats, (length,))
    sources = np.repeat(np.arange(length), counts)
    if axis is None:
        return np.reshape(scatter_add(g, (sources,), (length,)), shape)
    axis = axis % len(shape)
    return scatter_add(g, (slice(None),) * axis + (sources,), shape)


@primitive(
    lambda g, a_shape, repeats, axis: _collected(g, a_shape, repeats, axis), implements=np.repeat, method="repeat",
    examples=[example(sample(3), 2), example(sample(2, 3), 2, axis=1), example(sample(2, 3), [1, 2], axis=0),
              example(sample(2, 2), 2), example(sample(3), [0, 2, 1])],
)  # fmt: skip
def repeat(a: Array, repeats: Any, axis: int | None = None) -> Array:
    """Elements repeated: their cotangents are summed."""
    if is_foreign(a) and (axis is None or np.ndim(repeats)):  # more than Dask can do, but not more than np.take
        rows = np.reshape(a, (-1,)) if axis is None else a
        axis = 0 if axis is None else axis % rows.ndim
        return picked(rows, (slice(None),) * axis + (np.repeat(np.arange(rows.shape[axis]), repeats),))
    return np.repeat(a, repeats, axis)


def _untiled(g: Array, shape: tuple[int, ...], reps: Any) -> Array:
    counts = tuple(reps) if isinstance(reps, tuple | list) else (reps,)
    rank = len(shape) if len(shape) > len(counts) else len(counts)
    full = (1,) * (rank - len(shape)) + tuple(shape)
    counts = (1,) * (rank - len(counts)) + counts
    split = [n for pair in zip(counts, full, strict=True) for n in pair]
    return np.reshape(np.sum(np.reshape(wide(g), split), axis=tuple(range(0, 2 * rank, 2))), shape)


@primitive(
    lambda g, A_shape, reps: _untiled(g, A_shape, reps), implements=np.tile,
    examples=[example(sample(3), 2), example(sample(2, 3), (2, 1)), example(sample(3), (2, 2)),
              example(sample(2, 2), 3), example(sample(), 2)],
)  # fmt: skip
def tile(A: Array, reps: Any) -> Array:
    """The array repeated: its cotangents are summed."""
    return np.tile(A, reps)


def _pairs(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    """A padding in any of NumPy's forms, as (before, after) for each axis."""
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * rank
        for axis, width in pad_width.items():
            pairs[axis] = (width, width) if isinstance(width, int) else tuple(width)
        return pairs
    return [(int(a), int(b)) for a, b in np.broadcast_to(pad_width, (rank, 2))]


def _unpadded(g: Array, shape: tuple[int, ...], pad_width: Any) -> Array:
    pairs = _pairs(pad_width, len(shape))
    return g[tuple(slice(before, before + n) for (before, _), n in zip(pairs, shape, strict=True))]


@primitive(
    lambda g, array_shape, pad_width: _unpadded(g, array_shape, pad_width),
    name="pad",
    examples=[example(sample(3), 1), example(sample(2), (0, 2), 5.0)],
)
def bordered(array: Array, pad_width: Any, constant_values: Any = 0) -> Array:
    """A border of constants, which the rule cuts off."""
    return np.pad(begin(array), pad_width, constant_values=constant_values)


_GATHERED = ("edge", "reflect", "symmetric", "wrap")


@composite(
    np.pad,
    examples=[
        example(sample(3), 1), example(sample(2, 3), ((1, 0), (2, 1))), example(sample(2, 3), (1, 2)),
        example(sample(2), 1, constant_values=5.0), *[example(sample(2, 3), ((1, 2), (3, 0)), m) for m in _GATHERED],
    ],
)  # fmt: skip
def pad(
    array: Array, pad_width: Any, mode: Any = "constant", *, constant_values: Any = None, reflect_type: Any = None
) -> Array:
    """A border of constants, or of elements of the array ("edge", "reflect", "symmetric", "wrap")."""
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: constant_values= goes with mode='constant', not with {mode!r}")
    if reflect_type is not None and (mode not in ("reflect", "symmetric") or reflect_type != "even"):
        raise ValueError(f"pad: reflect_type={reflect_type!r} with mode={mode!r} is not differentiated; leave it out")
    if mode in _GATHERED:
        places = np.pad(np.arange(np.size(array)).reshape(np.shape(array)), pad_width, mode)
        return np.ravel(array)[places]
    if mode != "constant":
        raise ValueError(
            f"pad: mode={mode!r} is not differentiated; use 'constant', {', '.join(map(repr, _GATHERED))}, "
            "or join arrays with np.concatenate"
        )
    if not isinstance(constant_values, Tensor):
        return bordered(array, pad_width, 0 if constant_values is None else constant_values)
    if np.ndim(constant_values):
        raise ValueError("pad: a Tensor as constant_values must be one number; join others with np.concatenate")
    inside = np.pad(np.ones(np.shape(array), dtype=bool), pad_width)
    return np.where(inside, bordered(array, pad_width), constant_values)
