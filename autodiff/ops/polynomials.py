"""Polynomials as vectors of coefficients, the highest power first, with the functions of ``numpy`` for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import example, refuse, sample
from ..registering import composite, primitive
from ..tensor import Tensor

Array = Any


def _array(a: Any) -> Any:
    return a if isinstance(a, Tensor) else np.atleast_1d(np.asarray(a))


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
    x = x if isinstance(x, Tensor) else np.asarray(x)
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
    """The cotangent of the factor a.  What NumPy strips from a product does change, but is not there to be seen."""
    if np.size(a) == 0 or np.size(b) == 0:
        return np.zeros_like(a)
    stripped = np.size(a) + np.size(b) - 1 - np.size(g)
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
        p = p[:-1] * powers.astype(np.promote_types(p.dtype, int))
    return np.positive(p)


@composite(np.polyint, examples=[example(sample(3)), example(sample(2), 2), example(sample(3), 1, 5.0)])
def polyint(p: Array, m: int = 1, k: Any = None) -> Array:
    """The coefficients of the m-th antiderivative with the constants ``k``."""
    constants = np.zeros(m) if k is None else np.broadcast_to(k, (m,)) if np.size(k) == 1 else k
    for i in range(m):
        powers = np.arange(np.shape(p)[0], 0, -1)
        p = p / powers.astype(np.promote_types(p.dtype, int))
        p = np.concatenate([p, np.reshape(constants[i], (1,))])
    return p


@composite(np.poly, examples=[example(sample(3)), example(sample(2, 2))])
def poly(seq_of_zeros: Array) -> Array:
    """The coefficients of the polynomial with these roots; of a matrix, its characteristic polynomial."""
    roots = np.linalg.eigvals(seq_of_zeros) if np.ndim(seq_of_zeros) == 2 else seq_of_zeros
    result = np.ones(1, np.result_type(roots.dtype, np.float64) if roots.dtype == np.float16 else roots.dtype)
    for i in range(np.shape(roots)[0]):
        result = np.convolve(result, np.stack([np.ones_like(roots[i]), -roots[i]]))
    matched = roots.dtype.kind == "c" and isinstance(seq_of_zeros, Tensor) and seq_of_zeros.dtype.kind != "c"
    return np.real(result) if matched else result


def _slope(p: Array, r: Array) -> Array:
    """p'(r), in the precision of p."""
    return np.polyval(p[:-1] * np.arange(np.shape(p)[0] - 1, 0, -1).astype(p.dtype), r)


def _need_single(r: Array, p: Array) -> None:
    """Refuse roots that rounding cannot tell from one another: an error of p's size moves a root by that / p'(r)."""
    with np.errstate(all="ignore"):
        size = np.polyval(abs(p), abs(r)) * (len(p) * np.finfo(r.dtype).eps)
        apart = np.min(abs(r[:, None] - r) + np.diag(np.full(len(r), np.inf)), axis=0)
        equal = apart * abs(_slope(p, r)) <= 10.0 * size
    if np.any(equal):
        at = r[np.argmax(equal)]
        raise np.linalg.LinAlgError(f"roots: two roots are equal, at {at:.6g}, and there they have no derivative")


def _roots_rule(g: Array, r: Array, p: Array) -> Array:
    if r.size == 0:
        return np.zeros_like(p)
    _need_single(*(v.data if isinstance(v, Tensor) else v for v in (r, p)))
    return -(g / _slope(p, r)) @ np.vander(r, np.shape(p)[0]).astype(r.dtype)


@primitive(
    lambda g, y, p: _roots_rule(g, y, p), implements=np.roots, analytic=False,
    examples=[example(sample(3)), example(sample(4))],
)  # fmt: skip
def roots(p: Array) -> Array:
    """The solutions of p[0] r^n + ... + p[n] = 0: dr = -(dp[0] r^n + ... + dp[n]) / p'(r).  Equal roots are refused."""
    if np.ndim(p) != 1:
        raise ValueError(f"roots: the coefficients are a vector, got shape {np.shape(p)}")
    return np.roots(p)


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
    x, y = (a if isinstance(a, Tensor) else np.asarray(a, dtype=float) for a in (x, y))
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
