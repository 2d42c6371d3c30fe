"""How NumPy functions compute on all examples at once: one batching rule for each family of functions.

A function works on the axes of one example; what is held has one axis more, in front.  So reductions and functions
along an axis have their axis shifted, functions of matrices need nothing, functions that move axes leave the first
alone, composites run as they are written.  A function of no family is refused: the caller learns its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitive import Composite, registry
from .batched import (
    Batched,
    BatchingError,
    Level,
    aligned,
    elementwise_call,
    innermost,
    is_of,
    shifted,
    spread,
    wrapped,
)

Array = Any
Handler = Callable[..., Any]
table: dict[Any, Handler] = {}


def _flat(a: Array) -> Any:
    return _reshape(np.reshape, a, (a.size,))


def call(function: Any, args: Any, kwargs: Any) -> Any:
    """``function(*args, **kwargs)`` where some of the arguments are examples."""
    handler = table.get(function)
    if handler is not None:
        return handler(function, *args, **kwargs)
    entry = registry.get(function)
    if isinstance(entry, Composite):
        return entry.call(*args, **kwargs)
    if entry is not None and entry.elementwise:
        return elementwise_call(function, args, kwargs)
    name = getattr(function, "__name__", str(function))
    raise BatchingError(
        f"vmap: '{name}' has no batching rule, so all examples cannot be computed at once; compute it outside, "
        "compose it of functions that have one (elementwise, products, reductions, indexing, shapes), "
        "or map by hand: np.stack([f(x) for x in xs])"
    )


def _handles(*functions: Any) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        table.update(dict.fromkeys(functions, handler))
        return handler

    return register


def _level(*values: Any) -> Level:
    level = innermost(values)
    assert level is not None
    return level


def _only_first(function: Any, level: Level, *others: Any) -> None:
    if any(is_of(o, level) for o in others):
        raise BatchingError(
            f"vmap: '{function.__name__}' with an option that differs between examples has no batching rule"
        )


# -- questions ---------------------------------------------------------------------------------------------------


@_handles(np.shape)
def _shape(function: Any, a: Array) -> Any:
    return a.shape


@_handles(np.ndim)
def _ndim(function: Any, a: Array) -> Any:
    return a.ndim


@_handles(np.size)
def _size(function: Any, a: Array, axis: Any = None) -> Any:
    return a.size if axis is None else a.shape[axis]


@_handles(np.result_type, np.can_cast, np.common_type)
def _types(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*[np.empty(0, a.dtype) if type(a) is Batched else a for a in args], **kwargs)


@_handles(np.iscomplexobj, np.isrealobj)
def _kind(function: Any, a: Array) -> Any:
    return function(np.empty(0, a.dtype))


# -- elementwise functions that are no ufuncs --------------------------------------------------------------------


@_handles(np.clip)
def _clip(function: Any, a: Array, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Array:
    low, high = kwargs.pop("min", a_min), kwargs.pop("max", a_max)
    return elementwise_call(np.clip, (a, low, high), kwargs)


@_handles(np.where)
def _where(function: Any, condition: Array, *args: Any) -> Array:
    if len(args) != 2:
        raise BatchingError("vmap: np.where(condition) alone has a result of a length that differs between examples")
    return elementwise_call(np.where, (condition, *args), {})


@_handles(
    np.real, np.imag, np.angle, np.sinc, np.nan_to_num, np.isclose, np.i0, np.isposinf, np.isneginf, np.isreal,
    np.iscomplex,
)  # fmt: skip
def _elementwise(function: Any, *args: Any, **kwargs: Any) -> Array:
    return elementwise_call(function, args, kwargs)


@_handles(np.round, np.around, np.fix)
def _round(function: Any, a: Array, *args: Any, **kwargs: Any) -> Array:
    return Batched(function(a.held, *args, **kwargs), a.level)


@_handles(np.searchsorted)
def _searchsorted(function: Any, a: Array, v: Array, *rest: Any, **kwargs: Any) -> Array:
    level = _level(a, v)
    _only_first(function, level, a, *rest, *kwargs.values())
    return Batched(np.searchsorted(a, v.held, *rest, **kwargs), level)


@_handles(np.digitize)
def _digitize(function: Any, x: Array, bins: Array, right: bool = False) -> Array:
    level = _level(x, bins)
    _only_first(function, level, bins)
    return Batched(np.digitize(x.held, bins, right), level)


@_handles(np.zeros_like, np.ones_like, np.empty_like)
def _like(function: Any, a: Array, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Array:
    level = _level(a)
    sizes = a.shape if shape is None else tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    return Batched(function(a.held, dtype=dtype, shape=(level.size, *sizes)), level)


@_handles(np.full_like)
def _full_like(function: Any, a: Array, fill_value: Any, dtype: Any = None, shape: Any = None) -> Array:
    level = _level(a, fill_value)
    sizes = np.shape(a) if shape is None else tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    filled = np.full((level.size, *sizes), 0, a.dtype if dtype is None else dtype)
    filled[...] = aligned(fill_value, level, len(sizes))
    return Batched(filled, level)


@_handles(np.astype)
def _astype(function: Any, x: Array, dtype: Any, copy: bool = True) -> Array:
    return x.astype(dtype)


@_handles(np.copy)
def _copy(function: Any, a: Array, order: str = "K", subok: bool = False) -> Array:
    return a.copy()


# -- along axes --------------------------------------------------------------------------------------------------


@_handles(
    np.sum, np.mean, np.max, np.min, np.amax, np.amin, np.prod, np.var, np.std, np.any, np.all, np.ptp, np.median,
    np.count_nonzero, np.flip, np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanprod, np.nanvar, np.nanstd,
    np.nanmedian,
)  # fmt: skip
def _over_axes(function: Any, a: Array, axis: Any = None, *rest: Any, **kwargs: Any) -> Array:
    """Over all axes of the example unless told which."""
    where = kwargs.get("where", True)
    level = _level(a, where)
    ndim = np.ndim(a)
    if where is True:
        kwargs.pop("where", None)
    else:
        kwargs["where"] = aligned(where, level, ndim)
    axes = shifted(tuple(range(ndim)) if axis is None else axis, ndim)
    if axes == () and function is np.median:
        return a
    return Batched(function(spread(a, level), axes, *rest, **kwargs), level)


@_handles(np.quantile, np.percentile, np.nanquantile, np.nanpercentile)
def _quantile(function: Any, a: Array, q: Any, axis: Any = None, **kwargs: Any) -> Array:
    level = _level(a, q)
    _only_first(function, level, q)
    result = function(a.held, q, axis=shifted(tuple(range(a.ndim)) if axis is None else axis, a.ndim), **kwargs)
    return Batched(np.moveaxis(result, np.ndim(q), 0), level)


@_handles(
    np.cumsum, np.cumprod, np.nancumsum, np.nancumprod, np.argmax, np.argmin, np.nanargmax, np.nanargmin,
)  # fmt: skip
def _along_or_flat(function: Any, a: Array, axis: Any = None, *rest: Any, **kwargs: Any) -> Array:
    """Along one axis, or along all elements in a row."""
    if axis is None:
        if kwargs.get("keepdims"):
            raise BatchingError(f"vmap: '{function.__name__}' with keepdims needs an axis")
        a, axis = np.ravel(a), 0
    return Batched(function(a.held, shifted(axis, a.ndim), *rest, **kwargs), a.level)


@_handles(np.cumulative_sum, np.cumulative_prod)
def _cumulative(function: Any, x: Array, /, *, axis: Any = None, **kwargs: Any) -> Array:
    axis = 0 if axis is None and x.ndim == 1 else axis
    return Batched(function(x.held, axis=shifted(axis, x.ndim), **kwargs), x.level)


@_handles(np.sort, np.argsort)
def _sort(function: Any, a: Array, axis: Any = -1, *rest: Any, **kwargs: Any) -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    return Batched(function(a.held, shifted(axis, a.ndim), *rest, **kwargs), a.level)


@_handles(np.partition, np.argpartition)
def _partition(function: Any, a: Array, kth: Any, axis: Any = -1, *rest: Any, **kwargs: Any) -> Array:
    if axis is None:
        a, axis = np.ravel(a), 0
    return Batched(function(a.held, kth, shifted(axis, a.ndim), *rest, **kwargs), a.level)


@_handles(np.repeat, np.roll, np.delete)
def _flat_or_along(function: Any, a: Array, what: Any, axis: Any = None) -> Array:
    level = _level(a, what)
    _only_first(function, level, what)
    if axis is not None:
        return Batched(function(a.held, what, shifted(axis, a.ndim)), level)
    flat = Batched(function(_flat(a).held, what, 1), level)
    return np.reshape(flat, a.shape) if function is np.roll else flat


@_handles(np.diff)
def _diff(function: Any, a: Array, n: int = 1, axis: int = -1, **kwargs: Any) -> Array:
    level = _level(a, *kwargs.values())
    ends = {k: spread(v, level) for k, v in kwargs.items()}
    return Batched(np.diff(spread(a, level), n, shifted(axis, np.ndim(a)), **ends), level)


@_handles(np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft)
def _fft(function: Any, a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
    return Batched(function(a.held, n, shifted(axis, a.ndim), norm), a.level)


@_handles(
    np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn, np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2
)  # fmt: skip
def _fftn(function: Any, a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    if axes is None:
        last = 2 if function.__name__.endswith("2") else a.ndim if s is None else len(s)
        axes = tuple(range(-last, 0))
    return Batched(function(a.held, s, shifted(axes, a.ndim), norm), a.level)


@_handles(np.fft.fftshift, np.fft.ifftshift)
def _fftshift(function: Any, x: Array, axes: Any = None) -> Array:
    return Batched(function(x.held, shifted(tuple(range(x.ndim)) if axes is None else axes, x.ndim)), x.level)


@_handles(np.take)
def _take(function: Any, a: Array, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Array:
    level = _level(a, indices)
    if not is_of(indices, level):
        if axis is None:
            return Batched(np.take(_flat(a).held, indices, 1, mode=mode), level)  # type: ignore[call-overload]
        return Batched(np.take(a.held, indices, shifted(axis, a.ndim), mode=mode), level)  # type: ignore[call-overload]
    if axis is None:
        a, axis = np.ravel(a), 0
    length = np.shape(a)[axis]
    if mode != "raise":
        indices = indices % length if mode == "wrap" else np.clip(indices, 0, length - 1)
    examples = Batched(spread(a, level), level)
    return examples[(*(slice(None),) * (axis % np.ndim(a)), indices)]


# -- shapes ------------------------------------------------------------------------------------------------------


@_handles(np.reshape)
def _reshape(function: Any, a: Array, shape: Any, order: str = "C") -> Array:
    if order != "C":
        raise BatchingError("vmap: reshape with order='C' only; transpose first for 'F'")
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


@_handles(np.ravel)
def _ravel(function: Any, a: Array, order: str = "C") -> Array:
    return _reshape(np.reshape, a, (a.size,), order)


@_handles(np.transpose, np.permute_dims)
def _transpose(function: Any, a: Array, axes: Any = None) -> Array:
    order = range(a.ndim)[::-1] if axes is None else axes
    if len(order) != a.ndim:
        raise ValueError(f"transpose: axes {tuple(order)} do not match an array of shape {a.shape}")
    return Batched(np.transpose(a.held, (0, *shifted(tuple(order), a.ndim))), a.level)


@_handles(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(function: Any, x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


@_handles(np.swapaxes, np.moveaxis, np.rollaxis)
def _two_axes(function: Any, a: Array, first: Any, second: Any) -> Array:
    return Batched(function(a.held, shifted(first, a.ndim), shifted(second, a.ndim)), a.level)


@_handles(np.expand_dims)
def _expand_dims(function: Any, a: Array, axis: Any) -> Array:
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return Batched(np.expand_dims(a.held, shifted(tuple(axes), a.ndim + len(axes))), a.level)


@_handles(np.squeeze)
def _squeeze(function: Any, a: Array, axis: Any = None) -> Array:
    axes = tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis
    return Batched(np.squeeze(a.held, shifted(axes, a.ndim)), a.level)


@_handles(np.broadcast_to)
def _broadcast_to(function: Any, array: Array, shape: Any, subok: bool = False) -> Array:
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    level = array.level
    return Batched(np.broadcast_to(aligned(array, level, len(sizes)), (level.size, *sizes)), level)


@_handles(np.tile)
def _tile(function: Any, A: Array, reps: Any) -> Array:
    counts = tuple(reps) if isinstance(reps, tuple | list) else (reps,)
    ndim = max(len(counts), A.ndim)
    return Batched(np.tile(aligned(A, A.level, ndim), (1,) * (ndim + 1 - len(counts)) + counts), A.level)


@_handles(np.pad)
def _pad(function: Any, array: Array, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Array:
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * array.ndim
        for axis, width in pad_width.items():
            pairs[axis] = (width, width) if isinstance(width, int) else tuple(width)
    else:
        pairs = [(int(a), int(b)) for a, b in np.broadcast_to(pad_width, (array.ndim, 2))]
    if any(np.ndim(v) for v in kwargs.values() if not isinstance(v, str)):
        raise BatchingError("vmap: pad with one constant for all sides only")
    return Batched(np.pad(array.held, [(0, 0), *pairs], mode, **kwargs), array.level)


@_handles(np.concatenate)
def _concatenate(function: Any, arrays: Any, axis: Any = 0, **kwargs: Any) -> Array:
    level = _level(*arrays)
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    held = [spread(a, level) for a in arrays]
    return Batched(np.concatenate(held, axis=shifted(axis, len(held[0].shape) - 1), **kwargs), level)


@_handles(np.stack)
def _stack(function: Any, arrays: Any, axis: int = 0, **kwargs: Any) -> Array:
    level = _level(*arrays)
    held = [spread(a, level) for a in arrays]
    return Batched(np.stack(held, axis=shifted(axis, len(held[0].shape)), **kwargs), level)


@_handles(np.diagonal, np.linalg.diagonal, np.trace, np.linalg.trace)
def _diagonal(function: Any, a: Array, offset: int = 0, axis1: Any = None, axis2: Any = None) -> Array:
    ends = (-2, -1) if function in (np.linalg.diagonal, np.linalg.trace) else (0, 1)
    first, second = ends[0] if axis1 is None else axis1, ends[1] if axis2 is None else axis2
    function = {np.linalg.diagonal: np.diagonal, np.linalg.trace: np.trace}.get(function, function)
    return Batched(function(a.held, offset, shifted(first, a.ndim), shifted(second, a.ndim)), a.level)


@_handles(np.diag)
def _diag(function: Any, v: Array, k: int = 0) -> Array:
    if v.ndim == 2:
        return np.diagonal(v, k)
    rows = np.arange(v.shape[0]) + max(-k, 0)
    side = v.shape[0] + abs(k)
    square = np.zeros_like(v.held, shape=(v.level.size, side, side))
    square[:, rows, rows + k] = v.held
    return Batched(square, v.level)


@_handles(np.tril, np.triu)
def _triangle(function: Any, m: Array, k: int = 0) -> Array:
    if m.ndim < 2:
        m = np.broadcast_to(m, (m.shape[0], m.shape[0]))
    return Batched(function(m.held, k), m.level)


@_handles(np.rot90)
def _rot90(function: Any, m: Array, k: int = 1, axes: Any = (0, 1)) -> Array:
    return Batched(np.rot90(m.held, k, shifted(tuple(axes), m.ndim)), m.level)


# -- products ----------------------------------------------------------------------------------------------------


@_handles(np.einsum)
def _einsum(function: Any, subscripts: Any, *operands: Array, **kwargs: Any) -> Array:
    if not isinstance(subscripts, str):
        raise BatchingError("vmap: einsum with its subscripts as a string, 'ij,jk->ik', only")
    level = _level(*operands)
    subscripts = subscripts.replace(" ", "")
    left, arrow, output = subscripts.partition("->")
    if not arrow:
        letters = sorted(set(left) - set(".,"))
        output = ("..." if "..." in left else "") + "".join(c for c in letters if left.count(c) == 1)
    examples = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in subscripts)
    terms = [examples + term if is_of(o, level) else term for term, o in zip(left.split(","), operands, strict=True)]
    held = [o.held if is_of(o, level) else o for o in operands]
    return Batched(np.einsum(",".join(terms) + "->" + examples + output, *held, **kwargs), level)


@_handles(np.cross)
def _cross(function: Any, a: Array, b: Array, *args: Any, **kwargs: Any) -> Array:
    if args or kwargs:
        raise BatchingError("vmap: cross along the last axis only; move it with np.moveaxis")
    level = _level(a, b)
    ndim = max(np.ndim(a), np.ndim(b))
    return Batched(np.cross(aligned(a, level, ndim), aligned(b, level, ndim)), level)


# -- matrices ----------------------------------------------------------------------------------------------------


@_handles(
    np.linalg.inv, np.linalg.pinv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.qr, np.linalg.svd,
    np.linalg.svdvals, np.linalg.eig, np.linalg.eigvals, np.linalg.eigh, np.linalg.eigvalsh, np.linalg.matrix_power,
    np.linalg.matrix_norm, np.linalg.matrix_rank, np.linalg.cond,
)  # fmt: skip
def _of_matrices(function: Any, a: Array, *rest: Any, **kwargs: Any) -> Any:
    """NumPy computes stacks of matrices as they are."""
    _only_first(function, a.level, *rest, *kwargs.values())
    return wrapped(function(a.held, *rest, **kwargs), a.level)


@_handles(np.linalg.solve)
def _solve(function: Any, a: Array, b: Array) -> Array:
    level = _level(a, b)
    columns = b[:, None] if np.ndim(b) == 1 else b
    ndim = max(np.ndim(a), np.ndim(columns)) - 2
    solution = Batched(np.linalg.solve(aligned(a, level, ndim, 2), aligned(columns, level, ndim, 2)), level)
    return solution[..., 0] if np.ndim(b) == 1 else solution


@_handles(np.linalg.norm)
def _norm(function: Any, x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002
    if axis is None:
        if ord is None and x.ndim != 2:
            flat = np.linalg.norm(_flat(x).held, axis=1)
            return Batched(np.reshape(flat, (x.level.size,) + (1,) * x.ndim) if keepdims else flat, x.level)
        axis = tuple(range(x.ndim)) if x.ndim == 2 else 0
    return Batched(np.linalg.norm(x.held, ord, shifted(axis, x.ndim), keepdims), x.level)


@_handles(np.linalg.vector_norm)
def _vector_norm(function: Any, x: Array, /, *, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> Array:
    axes = tuple(range(x.ndim)) if axis is None else axis
    return Batched(np.linalg.vector_norm(x.held, axis=shifted(axes, x.ndim), keepdims=keepdims, **kwargs), x.level)
