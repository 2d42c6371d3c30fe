"""NumPy's functions in ``jax.numpy``: by name, and those of which JAX has no counterpart with the same arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.ndimage
import jax.scipy.signal
import jax.scipy.special
import numpy as np

from ..exporting import called, refuse
from ..instruction import Instruction
from .guards import Flags
from .types import canonical

Array = Any

REDUCTIONS: dict[Any, Any] = {
    (np.add, "reduce"): np.sum, (np.multiply, "reduce"): np.prod, (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min, (np.logical_or, "reduce"): np.any, (np.logical_and, "reduce"): np.all,
    (np.add, "accumulate"): np.cumsum, (np.multiply, "accumulate"): np.cumprod,
}  # fmt: skip
"""Methods of ufuncs that are functions."""

REARRANGING = frozenset({np.lib.stride_tricks.as_strided, np.lib.stride_tricks.sliding_window_view})
"""Views that only NumPy has: their elements are gathered."""

_IGNORED = frozenset({"casting", "subok", "optimize", "kind", "stable", "copy", "device", "like", "order"})
"""What changes how something is computed, and not what."""


def plainly(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords that say something about the result."""
    return {
        name: value
        for name, value in kwargs.items()
        if value is not np._NoValue
        and not (name == "where" and value is True)
        and not (name in _IGNORED and not (name == "order" and value == "F"))
    }


def by_name(function: Any) -> Callable[..., Any] | None:
    """The function of the same name in JAX; None if there is none."""
    module, _, name = called(function).rpartition(".")
    space = {
        "np": jnp, "np.linalg": jnp.linalg, "np.fft": jnp.fft, "scipy.special": jax.scipy.special,
        "scipy.signal": jax.scipy.signal, "scipy.ndimage": jax.scipy.ndimage,
    }.get(module)  # fmt: skip
    return getattr(space, name, None)


def _filled(value: float) -> Callable[..., Any]:
    return lambda i, flags, *args, **kwargs: jnp.full(i.result.shape, value, canonical(i.result))


def _same(i: Instruction, flags: Flags, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The array in the dtype of the result."""
    return jnp.asarray(x).astype(canonical(i.result)).reshape(i.result.shape)


def _in_dtype(function: Callable[..., Any], first: int = 0) -> Callable[..., Any]:
    """A function whose array arguments are cast to the dtype of the result first, as NumPy does."""

    def call(i: Instruction, flags: Flags, *args: Any, **kwargs: Any) -> Any:
        def cast(part: Any) -> Any:
            if isinstance(part, tuple | list):
                return [cast(p) for p in part]
            return jnp.asarray(part).astype(canonical(i.result))

        kwargs.pop("dtype", None)
        return function(*args[:first], *_cast_arrays(args[first:], cast), **kwargs)

    return call


def _cast_arrays(args: tuple[Any, ...], cast: Callable[[Any], Any]) -> list[Any]:
    return [cast(a) if hasattr(a, "dtype") or isinstance(a, tuple | list) else a for a in args]


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a list of arrays, which NumPy casts to the dtype of the result."""

    def call(i: Instruction, flags: Flags, arrays: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("dtype", None)
        return function([jnp.asarray(a).astype(canonical(i.result)) for a in arrays], *args, **kwargs)

    return call


def _where(i: Instruction, flags: Flags, condition: Any, *sides: Any) -> Any:
    if not sides:
        return _nonzero(i, flags, condition)
    one, other = (jnp.asarray(side).astype(canonical(i.result)) for side in sides)
    return jnp.where(jnp.asarray(condition).astype(bool), one, other)


def _nonzero(i: Instruction, flags: Flags, x: Any) -> Any:
    size = i.result[0].shape[0]
    flags.note(jnp.count_nonzero(x) == size)
    return jnp.nonzero(x, size=size)


def _flatnonzero(i: Instruction, flags: Flags, x: Any) -> Any:
    size = i.result.shape[0]
    flags.note(jnp.count_nonzero(x) == size)
    return jnp.nonzero(jnp.ravel(x), size=size)[0]


def _wider(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of ``np.lib.scimath``: of real numbers while the result is one, of complex ones elsewhere."""

    def call(i: Instruction, flags: Flags, *args: Any) -> Any:
        dtype = canonical(i.result)
        found = function(*[jnp.asarray(a).astype(dtype) for a in args])
        if dtype.kind != "c":
            given = jnp.stack([jnp.any(jnp.isnan(a)) for a in args])
            flags.note(jnp.any(given) | ~jnp.any(jnp.isnan(found)))
        return found

    return call


def _norm(i: Instruction, flags: Flags, x: Any, *options: Any, **named: Any) -> Any:
    """The order may be a number of the state, which JAX does not know before it computes."""
    given = (
        {"ord": None, "axis": None, "keepdims": False}
        | dict(zip(("ord", "axis", "keepdims"), options, strict=False))
        | named
    )
    order, axis = given["ord"], given["axis"]
    if not hasattr(order, "dtype"):
        return jnp.linalg.norm(x, **given)
    if isinstance(axis, tuple) or (axis is None and np.ndim(x) != 1):
        refuse("to_jax", i, "the order of a norm of matrices is a number of the state; write it as a constant")
    flags.note((order > 0) & jnp.isfinite(order))
    order = jnp.asarray(order).astype(canonical(i.result))
    return jnp.sum(jnp.abs(x) ** order, axis=axis, keepdims=given["keepdims"]) ** (1 / order)


def _split(i: Instruction, flags: Flags, ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """The positions of each part are NumPy's."""
    positions = i.function(np.arange(np.shape(ary)[axis]), np.asarray(indices_or_sections)[()])
    return [jnp.take(jnp.asarray(ary), p, axis=axis, mode="clip") for p in positions]


def _unique(i: Instruction, flags: Flags, ar: Any, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs:
        refuse("to_jax", i, "options of np.unique are not exported; write np.unique(x)")
    ordered = jnp.sort(jnp.ravel(ar))
    flags.note(jnp.sum(ordered[1:] != ordered[:-1]) + min(ordered.size, 1) == i.result.shape[0])
    return jnp.unique(ar, size=i.result.shape[0])


def _summed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A sum or a product of whole numbers is one of the dtype that NumPy takes."""

    def call(i: Instruction, flags: Flags, x: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("dtype", None)
        return function(jnp.asarray(x).astype(canonical(i.result)), *args[:1], **kwargs)

    return call


def _repeat(i: Instruction, flags: Flags, x: Any, repeats: Any, axis: Any = None) -> Any:
    length = i.result.shape[0 if axis is None else axis]
    if isinstance(repeats, list | tuple):
        repeats = np.asarray(repeats)
    elif not isinstance(repeats, int):
        flags.note(jnp.sum(jnp.broadcast_to(jnp.asarray(repeats), _repeated(x, axis))) == length)
    return jnp.repeat(x, repeats, axis=axis, total_repeat_length=length)


def _repeated(x: Any, axis: Any) -> tuple[int]:
    return (int(np.prod(np.shape(x))) if axis is None else np.shape(x)[axis],)


def _take(
    i: Instruction, flags: Flags, a: Any, indices: Any, axis: Any = None, out: None = None, mode: str = "raise"
) -> Any:
    length = int(np.prod(np.shape(a))) if axis is None else np.shape(a)[axis]
    indices = jnp.asarray(indices)
    if mode == "raise":
        flags.note((indices >= -length) & (indices < length))
        indices, mode = jnp.where(indices < 0, indices + length, indices), "clip"
    return jnp.take(jnp.asarray(a), indices, axis=axis, mode=mode)


def _take_along(i: Instruction, flags: Flags, arr: Any, indices: Any, axis: Any = -1) -> Any:
    length = int(np.prod(np.shape(arr))) if axis is None else np.shape(arr)[axis]
    flags.note((jnp.asarray(indices) >= -length) & (jnp.asarray(indices) < length))
    return jnp.take_along_axis(jnp.asarray(arr), jnp.asarray(indices), axis=axis)


def _sorted(i: Instruction, flags: Flags, a: Any, kth: Any, axis: Any = -1) -> Any:
    """What is sorted is partitioned."""
    return jnp.sort(a, axis=axis)


def _argsorted(i: Instruction, flags: Flags, a: Any, kth: Any, axis: Any = -1) -> Any:
    return jnp.argsort(a, axis=axis)


def _eig(i: Instruction, flags: Flags, a: Any) -> Any:
    """Eigenvalues, which are real in NumPy if all of them are."""
    values, vectors = jnp.linalg.eig(a)
    if i.result[0].dtype.kind != "c":
        flags.note(jnp.imag(values) == 0)
    return values, vectors


def _eigvals(i: Instruction, flags: Flags, a: Any) -> Any:
    values = jnp.linalg.eigvals(a)
    if i.result.dtype.kind != "c":
        flags.note(jnp.imag(values) == 0)
    return values


def _roots(i: Instruction, flags: Flags, p: Any) -> Any:
    if i.result.shape != (len(p) - 1,):
        refuse("to_jax", i, "coefficients of 0 were left away, which JAX cannot do")
    flags.note(jnp.asarray(p)[jnp.asarray([0, -1])] != 0)
    return jnp.roots(jnp.asarray(p), strip_zeros=False)


def _polymul(i: Instruction, flags: Flags, one: Any, other: Any) -> Any:
    return jnp.convolve(jnp.atleast_1d(one), jnp.atleast_1d(other))


def _ravel(i: Instruction, flags: Flags, a: Any, order: str = "C") -> Any:
    if order not in ("C", "F"):
        refuse("to_jax", i, f"order={order!r} depends on how the array lies in memory; write order='C'")
    return jnp.ravel(a, order=order)


def _cholesky(i: Instruction, flags: Flags, a: Any, *, upper: bool = False) -> Any:
    """NumPy looks at one triangle, JAX at both."""
    return jnp.linalg.cholesky(hermitian_of(a, upper), upper=upper, symmetrize_input=False)


def hermitian_of(a: Any, upper: bool) -> Any:
    """The matrix of one triangle."""
    a = jnp.triu(a) if upper else jnp.tril(a)
    other = jnp.conjugate(jnp.matrix_transpose(jnp.triu(a, 1) if upper else jnp.tril(a, -1)))
    return a + other


def _eigh(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda i, flags, a, UPLO="L": function(hermitian_of(a, UPLO.upper() == "U"), symmetrize_input=False)


def _eigvalsh(i: Instruction, flags: Flags, a: Any, UPLO: str = "L") -> Any:
    return jnp.linalg.eigvalsh(hermitian_of(a, UPLO.upper() == "U"))


def _matrix_rank(
    i: Instruction, flags: Flags, a: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None
) -> Any:
    if tol is not None:
        refuse("to_jax", i, "tol= is not exported; write rtol=")
    if hermitian:
        refuse("to_jax", i, "hermitian=True is not exported; leave it away")
    return jnp.linalg.matrix_rank(a, rtol)


def _round(i: Instruction, flags: Flags, a: Any, decimals: int = 0, **kwargs: Any) -> Any:
    """As NumPy rounds: times a power of ten, to even, and back."""
    a, scale = jnp.asarray(a), 10.0 ** abs(decimals)
    if decimals == 0 or a.dtype.kind in "iu":
        return jnp.round(a, decimals)
    return jnp.round(a * scale) / scale if decimals > 0 else jnp.round(a / scale) * scale


_KINDS = (np.float16, np.float32, np.float64, np.complex64, np.complex128, np.int32, np.int64, np.bool)
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.zeros_like: _filled(0), np.ones_like: _filled(1), np.empty_like: _filled(0),
    np.full_like: lambda i, flags, a, fill_value, *_, **__: jnp.full(i.result.shape, fill_value, canonical(i.result)),
    np.asarray: _same, np.array: _same, np.asanyarray: _same, np.ascontiguousarray: _same, np.asfortranarray: _same,
    np.astype: _same, np.copy: _same,
    **dict.fromkeys(_KINDS, _same),
    np.where: _where, np.nonzero: _nonzero, np.flatnonzero: _flatnonzero, np.unique: _unique,
    np.lib.scimath.sqrt: _wider(jnp.sqrt), np.lib.scimath.log: _wider(jnp.log), np.lib.scimath.power: _wider(jnp.power),
    np.lib.scimath.log2: _wider(lambda x: jnp.log(x) / math.log(2)),
    np.lib.scimath.log10: _wider(lambda x: jnp.log(x) / math.log(10)),
    np.lib.scimath.logn: _wider(lambda n, x: jnp.log(x) / jnp.log(n)),
    np.lib.scimath.arcsin: _wider(jnp.arcsin), np.lib.scimath.arccos: _wider(jnp.arccos),
    np.lib.scimath.arctanh: _wider(jnp.arctanh),
    np.linalg.norm: _norm,
    np.split: _split, np.array_split: _split,
    **{f: _joined(getattr(jnp, f.__name__)) for f in
       (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack)},
    **{f: _in_dtype(getattr(jnp, f.__name__)) for f in
       (np.dot, np.inner, np.outer, np.tensordot, np.kron, np.vdot, np.convolve)},
    np.einsum: _in_dtype(jnp.einsum),
    **{f: _summed(getattr(jnp, f.__name__)) for f in
       (np.sum, np.prod, np.cumsum, np.cumprod, np.nansum, np.nanprod)},
    np.repeat: _repeat, np.take: _take, np.take_along_axis: _take_along, np.partition: _sorted,
    np.argpartition: _argsorted, np.linalg.eig: _eig, np.linalg.eigvals: _eigvals, np.roots: _roots,
    np.linalg.cholesky: _cholesky, np.linalg.eigh: _eigh(jnp.linalg.eigh), np.linalg.eigvalsh: _eigvalsh,
    np.fix: lambda i, flags, x: jnp.trunc(x),
    np.linalg.matrix_rank: _matrix_rank,
    np.polymul: _polymul, np.ravel: _ravel, np.round: _round,
}  # fmt: skip
"""What JAX has with other arguments, or has not: the instruction, the flags, and the arguments."""
