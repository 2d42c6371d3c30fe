"""Functions that rearrange elements."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..exporting import LackingError
from ..memory import view_positions
from .builder import Tensor, elements
from .elementwise import where
from .table import Call, emits, rank, tensor

Array = Any
_normalized = np.lib.array_utils.normalize_axis_index


def gathered(call: Call, t: Tensor, positions: Array) -> Tensor:
    """The elements at positions, counted in C order."""
    call.fixed()
    return call.b.op("Gather", call.b.flat(t), call.b.constant(positions, np.int64), axis=0)


@emits(np.reshape, np.ravel, np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, np.atleast_3d)
def _reshape(call: Call, a: Any, *args: Any, order: str = "C", **kwargs: Any) -> Tensor:
    b, t = call.b, tensor(call.b, a, call.dtype)
    order = next((part for part in args if isinstance(part, str)), order)
    if order == "F":
        turned = b.reshape(b.transpose(t, range(rank(t))[::-1]), call.dims[::-1])
        return b.transpose(turned, range(len(call.dims))[::-1])
    if order != "C":
        raise LackingError(f"order={order!r} depends on how the array lies in memory; write order='C'")
    return b.reshape(t, call.dims)


@emits(np.transpose, np.swapaxes, np.moveaxis, np.matrix_transpose, np.rollaxis)
def _transpose(call: Call, a: Any, *args: Any, **kwargs: Any) -> Tensor:
    """The order of the axes is that which NumPy's function gives for an array whose lengths are their numbers."""
    t = tensor(call.b, a)
    lengths = np.lib.stride_tricks.as_strided(np.zeros(1), range(2, rank(t) + 2), [0] * rank(t))
    return call.b.transpose(t, [n - 2 for n in call.function(lengths, *args, **kwargs).shape])


@emits(np.broadcast_to)
def _broadcast_to(call: Call, array: Any, shape: Any, **kwargs: Any) -> Tensor:
    return call.b.expand(tensor(call.b, array), call.dims)


@emits(np.broadcast_arrays)
def _broadcast_arrays(call: Call, *arrays: Any, **kwargs: Any) -> list[Tensor]:
    results = list(call.instruction.results)
    return [call.b.expand(tensor(call.b, a), call.b.dims(r)) for a, r in zip(arrays, results, strict=True)]


def _together(call: Call, arrays: Any, axis: int) -> Tensor:
    return call.b.op("Concat", *[tensor(call.b, a, call.dtype) for a in arrays], axis=axis)


@emits(np.concatenate)
def _concatenate(call: Call, arrays: Any, axis: Any = 0, out: None = None, **kwargs: Any) -> Tensor:
    if axis is None:
        arrays, axis = [call.b.flat(tensor(call.b, a)) for a in arrays], 0
    return _together(call, arrays, int(axis))


@emits(np.stack)
def _stack(call: Call, arrays: Any, axis: int = 0, out: None = None, **kwargs: Any) -> Tensor:
    axes = call.b.ints(axis)
    return _together(call, [call.b.op("Unsqueeze", tensor(call.b, a), axes) for a in arrays], axis)


@emits(np.vstack, np.hstack, np.dstack, np.column_stack)
def _xstack(call: Call, arrays: Any, **kwargs: Any) -> Tensor:
    """Joined along an axis, after they have at least so many."""
    b, function = call.b, call.function
    shapes = [np.shape(v) if not isinstance(v, Tensor) else v.shape for v in arrays]
    ranks = [len(s or ()) for s in shapes]
    if function is np.hstack:
        return _together(call, [b.flat(tensor(b, a)) if r == 0 else a for a, r in zip(arrays, ranks, strict=True)],
                         0 if max(ranks) <= 1 else 1)  # fmt: skip
    new: dict[Any, dict[int, list[int]]] = {
        np.vstack: {0: [0, 1], 1: [0]}, np.dstack: {0: [0, 1, 2], 1: [0, 2], 2: [2]},
        np.column_stack: {0: [0, 1], 1: [1]},
    }  # fmt: skip
    parts = [
        b.op("Unsqueeze", tensor(b, a), b.ints(*new[function][r])) if r in new[function] else tensor(b, a)
        for a, r in zip(arrays, ranks, strict=True)
    ]
    return _together(call, parts, {np.vstack: 0, np.dstack: 2, np.column_stack: 1}[function])


@emits(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack)
def _split(call: Call, ary: Any, *args: Any, **kwargs: Any) -> list[Tensor]:
    return [gathered(call, tensor(call.b, ary), p) for p in _moved(call, *args, **kwargs)]


def _moved(call: Call, *args: Any, **kwargs: Any) -> Any:
    """Where the elements of the result were in the first argument."""
    shape = call.operand().shape
    return call.function(np.arange(elements(shape)).reshape(shape), *args, **kwargs)


@emits(np.roll, np.rot90, np.fliplr, np.flipud, np.diagonal, np.tile, np.repeat, np.linalg.diagonal)
def _rearrange(call: Call, a: Any, *args: Any, **kwargs: Any) -> Tensor:
    if any(isinstance(part, Tensor) for part in (*args, *kwargs.values())):
        raise LackingError("how often elements are repeated may not depend on values; write np.take with positions")
    return gathered(call, tensor(call.b, a), _moved(call, *args, **kwargs))


@emits(np.flip)
def _flip(call: Call, m: Any, axis: Any = None) -> Tensor:
    t = tensor(call.b, m)
    axes = range(rank(t)) if axis is None else np.atleast_1d(axis).tolist()
    return sliced(call, t, {_normalized(int(n), rank(t)): slice(None, None, -1) for n in axes})


def sliced(call: Call, t: Tensor, slices: dict[int, slice]) -> Tensor:
    """Slices along axes."""
    b = call.b
    if not slices:
        return t
    least, most = -(2**31), 2**31 - 1
    steps = [1 if s.step is None else operator.index(s.step) for s in slices.values()]
    ends = [
        (
            (0 if step > 0 else most) if s.start is None else operator.index(s.start),
            (most if step > 0 else least) if s.stop is None else operator.index(s.stop),
        )
        for s, step in zip(slices.values(), steps, strict=True)
    ]
    starts, stops = zip(*ends, strict=True)
    shape = None
    if t.shape is not None:
        shape = tuple(len(range(n)[slices[i]]) if i in slices else n for i, n in enumerate(t.shape))
    return b.op("Slice", t, b.ints(*starts), b.ints(*stops), b.ints(*slices), b.ints(*steps), shape=shape)


@emits(np.lib.stride_tricks.sliding_window_view)
def _windows(call: Call, x: Any, window_shape: Any, axis: Any = None, **kwargs: Any) -> Tensor:
    """Along each axis the positions of the windows, whose own axes come last."""
    b, t = call.b, tensor(call.b, x)
    sizes = window_shape if isinstance(window_shape, tuple | list) else (window_shape,)
    axes = range(rank(t)) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    axes = [_normalized(int(n), rank(t)) for n in axes]
    assert t.shape is not None
    lengths = list(t.shape)
    for n, size in zip(axes, sizes, strict=True):
        if not b.is_fixed(call.operand()) and type(b.dims(call.operand())[n]) is not int:
            raise LackingError("windows over the axis of the examples are not exported")
        lengths[n] -= int(size) - 1
        positions = np.arange(lengths[n])[:, None] + np.arange(int(size))
        t = b.op("Gather", t, b.constant(positions), axis=n)
        count = len(lengths) + 1
        t = b.transpose(t, [m for m in range(count) if m != n + 1] + [n + 1])
        lengths.append(int(size))
    return t


@emits(np.lib.stride_tricks.as_strided)
def _as_strided(call: Call, x: Any, *args: Any, **kwargs: Any) -> Tensor:
    return gathered(call, tensor(call.b, x), view_positions("to_onnx", call.instruction, call.operand()))


@emits(np.tril, np.triu)
def _triangle(call: Call, m: Any, k: int = 0) -> Tensor:
    b, t = call.b, tensor(call.b, m)
    call.fixed()
    shape = call.result.shape[-2:]
    kept = call.function(np.ones(shape, bool), k)
    return where(b, b.constant(kept), t, b.constant(0, t.dtype))


@emits(np.diag, np.diagflat)
def _diag(call: Call, v: Any, k: int = 0) -> Tensor:
    shape, t = call.operand().shape, tensor(call.b, v)
    if len(shape) == 2 and call.function is np.diag:
        return gathered(call, t, _moved(call, k))
    positions = call.function(np.arange(1, elements(shape) + 1).reshape(shape), k)
    found = gathered(call, t, np.maximum(positions - 1, 0))
    return where(call.b, call.b.constant(positions > 0), found, call.b.constant(0, t.dtype))


@emits(np.pad)
def _pad(call: Call, array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Tensor:
    b, t = call.b, tensor(call.b, array)
    if not isinstance(mode, str) or mode not in ("constant", "edge", "reflect", "wrap"):
        raise LackingError(f"mode={mode!r} is not exported; there are 'constant', 'edge', 'reflect' and 'wrap'")
    value = options.pop("constant_values", 0)
    if options or np.ndim(value):
        raise LackingError("pads with several values are not exported; join arrays with np.concatenate")
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(n, pad_width.get(n - rank(t), (0, 0))) for n in range(rank(t))]
        pad_width = [(w, w) if isinstance(w, int) else w for w in pad_width]
    widths = np.broadcast_to(np.asarray(pad_width), (rank(t), 2))
    if mode == "wrap" or 0 in call.operand().shape:
        call.fixed()
        if mode == "wrap":
            return gathered(call, t, _moved(call, pad_width, mode))
    pads = b.ints(*widths[:, 0].tolist(), *widths[:, 1].tolist())
    return b.op("Pad", t, pads, tensor(b, value, t.dtype) if mode == "constant" else None, mode=mode)
