"""Polynomials as vectors of coefficients, the highest power first, with the functions of ``numpy`` for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import as_array, cast, is_foreign, is_plain, owned
from ..primitive import example, refuse, sample
from ..registering import composite, primitive
from ..tensor import Tensor

Array = Any


def _array(a: Any) -> Any:
    a = as_array(a)
    return np.atleast_1d(a) if is_plain(a) else a


def _row(a: Any) -> Any:
    return np.reshape(a, (1,)) if np.ndim(a) == 0 else _array(a)


@composite(
    np.polyval,
    examples=[example(sample(3), sample(2, 2)), example(sample(4), sample()), example(np.array([1.0, 2.0]), sample(3))],
)
def polyval(p: Array, x: Array) -> Array:
    """p[0] x^n + ... + p[n], by Horner's rule."""
    p = _array(p)
    if np.ndim(p) != 1:
        raise TypeError(f"polyval: the coefficients are a vector, got shape {np.shape(p)}")
    x = as_array(x)
    result = np.zeros_like(x)
    for i in range(np.shape(p)[0]):
        result = result * x + p[i]
    return result


def _aligned(a: Array, b: Array) -> tuple[Array, Array]:
    a, b = _row(a), _row(b)
    n = max(np.shape(a)[0], np.shape(b)[0])
    return tuple(x if np.shape(x)[0] == n else np.pad(x, (n - np.shape(x)[0], 0)) for x in (a, b))  # type: ignore[return-value]


@composite(np.polyadd, examples=[example(sample(3), sample(2)), example(sample(2), sample(2))])
def polyadd(a1: Array, a2: Array) -> Array:
    """The coefficients of the sum."""
    a, b = _aligned(a1, a2)
    return a + b


@composite(np.polysub, examples=[example(sample(3), sample(2)), example(sample(2), sample(2))])
def polysub(a1: Array, a2: Array) -> Array:
    """The coefficients of the difference."""
    a, b = _aligned(a1, a2)
    return a - b


def _factor_rule(g: Array, a: Array, b: Array) -> Array:
    """The cotangent of the factor a.  Leading zeros that NumPy strips from the product get no cotangent."""
    if not (a.size and b.size):
        return np.zeros_like(a)
    stripped = a.size + b.size - 1 - g.size
    return np.reshape(np.convolve(np.pad(g, (stripped, 0)), np.reshape(b, (-1,))[::-1], "valid"), np.shape(a))


@primitive(
    lambda g, a1, a2: _factor_rule(g, a1, a2), lambda g, a1, a2: _factor_rule(g, a2, a1), implements=np.polymul,
    examples=[example(sample(3), sample(2)), example(sample(1), sample(3))],
)  # fmt: skip
def polymul(a1: Array, a2: Array) -> Array:
    """The coefficients of the product, a convolution, without the leading zeros of its factors."""
    return np.polymul(a1, a2)


@composite(np.polyder, examples=[example(sample(4)), example(sample(4), 2), example(sample(2), 0)])
def polyder(p: Array, m: int = 1) -> Array:
    """The coefficients of the m-th derivative."""
    if np.ndim(p) != 1:
        raise ValueError(f"polyder: the coefficients are a vector, got shape {np.shape(p)}")
    if m < 0:
        raise ValueError(f"polyder: m is {m}; use np.polyint for antiderivatives")
    for _ in range(m):
        powers = np.arange(np.shape(p)[0] - 1, 0, -1)
        p = p[:-1] * owned(powers.astype(np.promote_types(p.dtype, int)), p)
    return np.positive(p)


@composite(np.polyint, examples=[example(sample(3)), example(sample(2), 2), example(sample(3), 1, 5.0)])
def polyint(p: Array, m: int = 1, k: Any = None) -> Array:
    """The coefficients of the m-th antiderivative with the constants ``k``."""
    constants = np.zeros(m) if k is None else np.broadcast_to(k, (m,)) if np.size(k) == 1 else k
    for i in range(m):
        powers = np.arange(np.shape(p)[0], 0, -1)
        p = p / owned(powers.astype(np.promote_types(p.dtype, int)), p)
        p = np.concatenate([p, owned(np.reshape(constants[i], (1,)), p)])
    return p


@composite(np.poly, examples=[example(sample(3)), example(sample(2, 2))])
def poly(seq_of_zeros: Array) -> Array:
    """The coefficients of the polynomial with these roots; of a matrix, its characteristic polynomial."""
    roots = np.linalg.eigvals(seq_of_zeros) if np.ndim(seq_of_zeros) == 2 else seq_of_zeros
    result = np.ones(1, np.result_type(roots.dtype, np.float64) if roots.dtype == np.float16 else roots.dtype)
    result = owned(result, roots)
    for i in range(np.shape(roots)[0]):
        result = np.convolve(result, np.stack([np.ones_like(roots[i]), -roots[i]]))
    matched = roots.dtype.kind == "c" and isinstance(seq_of_zeros, Tensor) and seq_of_zeros.dtype.kind != "c"
    return np.real(result) if matched else result


def _slope(p: Array, r: Array) -> Array:
    """p'(r), in the precision of p."""
    return np.polyval(p[:-1] * owned(np.arange(np.shape(p)[0] - 1, 0, -1).astype(p.dtype), p), r)


def _are_equal(r: Array, p: Array) -> Array:
    """Roots that are equal within rounding: an error of p's size moves a root by that / p'(r)."""
    with np.errstate(all="ignore"):
        size = np.polyval(abs(p), abs(r)) * (p.shape[0] * np.finfo(r.dtype).eps)
        apart = np.min(abs(r[:, None] - r) + owned(np.diag(np.full(r.shape[0], np.inf)), r), axis=0)
        return apart * abs(_slope(p, r)) <= 10.0 * size


def _roots_rule(g: Array, r: Array, p: Array) -> Array:
    if r.size == 0:
        return np.zeros_like(p)
    at, of = (v.data if isinstance(v, Tensor) else v for v in (r, p))
    equal = _are_equal(at, of)
    if not is_foreign(equal) and np.any(equal):
        where = at[np.argmax(equal)]
        raise np.linalg.LinAlgError(f"roots: two roots are equal, at {where:.6g}, and there they have no derivative")
    g = np.where(np.any(equal), np.nan, g) if is_foreign(equal) else g
    return -(g / _slope(p, r)) @ cast(np.vander(r, np.shape(p)[0]), r.dtype)


@primitive(
    lambda g, y, p: _roots_rule(g, y, p), implements=np.roots, analytic=False,
    examples=[example(sample(3)), example(sample(4))],
)  # fmt: skip
def roots(p: Array) -> Array:
    """The solutions of p[0] r^n + ... + p[n] = 0: dr = -(dp[0] r^n + ... + dp[n]) / p'(r).  Equal roots are refused."""
    if np.ndim(p) != 1:
        raise ValueError(f"roots: the coefficients are a vector, got shape {np.shape(p)}")
    if is_foreign(p):
        return np.linalg.eigvals(_companion(p)) if np.shape(p)[0] > 1 else p[1:]
    return np.roots(p)


def _companion(p: Array) -> Array:
    """The companion matrix, whose eigenvalues are the roots if p[0] is not 0.

    NumPy's ``roots`` asks for values: which coefficients are 0, and whether all roots are real.  Here roots have the
    dtype of the eigenvalues.
    """
    n = np.shape(p)[0] - 1
    return np.concatenate([(-p[1:] / p[0])[None], owned(np.eye(n, dtype=p.dtype)[:-1], p)], axis=0)


@composite(
    np.polyfit,
    examples=[
        example(np.array([0.0, 1.0, 2.0, 3.0]), sample(4), 1),
        example(sample(4), sample(4), 2),
        example(sample(5), sample(5, 2), 1),
        example(sample(4), sample(4), 1, w=np.array([1.0, 2.0, 0.5, 1.0])),
    ],
)
def polyfit(x: Array, y: Array, deg: int, rcond: Any = None, full: bool = False, w: Any = None) -> Array:
    """The coefficients of the polynomial that fits samples best, in the sense of least squares."""
    if full:
        raise TypeError("polyfit: full=True is not differentiated; use np.linalg.lstsq of np.vander(x, deg + 1)")
    x, y = (as_array(a, float) for a in (x, y))
    left = np.vander(x, deg + 1)
    right = y
    if w is not None:
        left = left * w[:, None]
        right = right * (w[:, None] if np.ndim(y) == 2 else w)
    scale = np.sqrt(np.sum(left * left, axis=0))
    rcond = np.shape(x)[0] * np.finfo(x.dtype).eps if rcond is None else rcond
    solution = np.linalg.lstsq(left / scale, right, rcond)[0]
    return np.transpose(np.transpose(solution) / scale)


refuse(np.polydiv, "is not differentiated; divide values of polynomials, np.polyval(u, x) / np.polyval(v, x)")
