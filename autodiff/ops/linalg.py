"""Linear algebra without factors: inverses, determinants, solutions, powers, norms.

The rules are transposes without conjugation, which is right for real and complex matrices (see
:mod:`autodiff.ops.complexes`).  ``det`` has its derivative at singular matrices too, where y a^-T does not exist: the
matrix of cofactors.  ``pinv`` and ``lstsq`` of a matrix without full rank are differentiated for changes that keep the
rank, because at other changes they jump; if ``rcond`` cuts off singular values that are more than rounding, for changes
that keep the cut.  Every norm has derivative 0 at 0.

Source: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation" (2008);
G. Golub, V. Pereyra, "The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems" (1973) for pinv.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ..arrays import cast, is_foreign, owned
from ..graph import unbroadcast
from ..primitive import exactly, example, sample
from ..registering import composite, primitive
from .complexes import conjugate, hermitian, to_complex
from .decompositions import spread_out, spread_out_complex

Array = Any

STACKS = [example(sample(3, 3, make=spread_out)), example(sample(2, 2, 2, make=spread_out)),
          example(sample(2, 2, make=spread_out_complex)), example(sample(0, 2, 2))]  # fmt: skip


def lopsided(values: Array) -> Array:
    """A matrix with one singular value that is much the largest."""
    return spread_out(values) * (np.arange(values.shape[-1]) * 4.0 + 1.0).astype(values.real.dtype)


def _mt(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


# -- inverses and solutions --------------------------------------------------------------------------------------


SINGULAR = [example(exactly([[1.0, 2.0], [2.0, 4.0]]))]


@primitive(lambda g, y: -(_mt(y) @ g @ _mt(y)), implements=np.linalg.inv,
           examples=[*STACKS, example(sample(0, 0))], errors=SINGULAR)  # fmt: skip
def inv(a: Array) -> Array:
    """a^-1: dy = -y da y."""
    return np.linalg.inv(a)


def _solved(a: Array, g: Array, b_shape: tuple[int, ...]) -> Array:
    """a^-T g: the cotangent of the right side before stacks are summed."""
    if len(b_shape) == 1:
        return np.linalg.solve(_mt(a), g[..., None])[..., 0]
    return np.linalg.solve(_mt(a), g)


def _solve_left(g: Array, a: Array, y: Array, b_shape: tuple[int, ...]) -> Array:
    gb = _solved(a, g, b_shape)
    product = gb[..., :, None] * y[..., None, :] if len(b_shape) == 1 else gb @ _mt(y)
    return unbroadcast(-product, a.shape)


@primitive(
    lambda g, a, y, b_shape: _solve_left(g, a, y, b_shape),
    lambda g, a, b_shape: unbroadcast(_solved(a, g, b_shape), b_shape),
    implements=np.linalg.solve,
    errors=[example(*e.args, sample(2)) for e in SINGULAR],
    examples=[
        example(sample(3, 3, make=spread_out), sample(3)), example(sample(3, 3, make=spread_out), sample(3, 2)),
        example(sample(2, 2, 2, make=spread_out), sample(2, 1)), example(sample(2, 2, 2, make=spread_out), sample(2)),
        example(sample(2, 2, make=spread_out), sample(3, 2, 1)), example(sample(0, 0), sample(0)),
        example(sample(2, 2, make=spread_out_complex), sample(2, 2, make=to_complex)),
    ],
)  # fmt: skip
def solve(a: Array, b: Array) -> Array:
    """The solution x of a x = b: dx = a^-1 (db - da x)."""
    return np.linalg.solve(a, b)


@composite(
    np.linalg.tensorinv,
    examples=[example(sample(4, 2, 2, make=lambda v: spread_out(v.reshape(4, 4)).reshape(v.shape)), 1)],
)
def tensorinv(a: Array, ind: int = 2) -> Array:
    """The inverse of a as a map between tensors, by ``inv`` of its matrix."""
    shape = np.shape(a)
    if ind <= 0:
        raise ValueError(f"tensorinv: ind is {ind}; it counts the first axes and must be positive")
    rows = math.prod(shape[:ind])
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), shape[ind:] + shape[:ind])


@composite(np.linalg.tensorsolve, examples=[
    example(sample(2, 2, 4, make=lambda v: spread_out(v.reshape(4, 4)).reshape(v.shape)), sample(2, 2)),
])  # fmt: skip
def tensorsolve(a: Array, b: Array, axes: Any = None) -> Array:
    """The solution x of tensordot(a, x) = b, by ``solve`` of its matrix."""
    rank = np.ndim(a)
    if axes is not None:
        moved = [i % rank for i in axes]
        a = np.transpose(a, [*(i for i in range(rank) if i not in moved), *moved])
    unknown = np.shape(a)[np.ndim(b) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, math.prod(unknown))), np.ravel(b)), unknown)


# -- least squares -----------------------------------------------------------------------------------------------


def pinv_rule(g: Array, a: Array, y: Array, cut: Any = None) -> Array:
    """In the convention of Hermitian adjoints; (1 - y a) and (1 - a y) project on what ``a`` loses and misses.

    This is so if what was cut off was rounding.  ``cut`` is what the call said about it; None for the default.
    """
    if cut is not None and (is_foreign(a) or _is_cut(a, y)):
        return _cut_rule(g, a, y)
    g, yh = conjugate(g), hermitian(y)
    left, right = g - y @ (a @ g), g - (g @ a) @ y
    return conjugate(-(yh @ g @ yh) + yh @ (y @ hermitian(left)) + hermitian(right) @ y @ yh)


def _kept(u: Array, s: Array, vh: Array, y: Array) -> Array:
    """Which singular values are in the pseudo-inverse."""
    return np.abs(np.einsum("...ij,...jk,...ki->...i", vh, y, u)) * s > 0.5


def _is_cut(a: Array, y: Array) -> bool:
    """Whether singular values were cut off that are more than rounding."""
    if 0 in a.shape:
        return False
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    rounding = np.max(s, axis=-1, keepdims=True) * (float(np.finfo(s.dtype).eps) * max(a.shape[-2:]))
    return bool(np.any(~_kept(u, s, vh, y) & (s > rounding)))


def _cut_rule(g: Array, a: Array, y: Array) -> Array:
    """y^H is the function f of the singular values: 1 / s where they are kept, 0 where not.

    With da = u p v^H, dy^H = u m v^H: m_ij = ((s_i f_i - s_j f_j) p_ij + (s_j f_i - s_i f_j) conj(p_ji)) /
    (s_i^2 - s_j^2), and vectors beyond the last have s = f = 0.
    """
    g = hermitian(conjugate(g))
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    kept = _kept(u, s, vh, y)
    one, other = kept[..., :, None], kept[..., None, :]
    f = np.where(kept, 1.0 / np.where(kept, s, 1.0), 0.0)
    s_i, s_j, f_i, f_j = s[..., :, None], s[..., None, :], f[..., :, None], f[..., None, :]
    mixed = one != other
    apart = np.where(mixed, s_i * s_i - s_j * s_j, 1.0)
    same = np.where(mixed, (s_i * f_i - s_j * f_j) / apart, 0.0)
    crossed = np.where(mixed, (s_j * f_i - s_i * f_j) / apart, -(f_i * f_j))
    inner = hermitian(u) @ g @ hermitian(vh)
    gradient = u @ (same * inner + crossed * hermitian(inner)) @ vh
    squares = (f * f)[..., None, :]
    beside, below = g - u @ (hermitian(u) @ g), g - (g @ hermitian(vh)) @ vh
    gradient = gradient + (beside @ hermitian(vh) * squares) @ vh + (u * squares) @ (hermitian(u) @ below)
    return conjugate(gradient)


@primitive(
    lambda g, a, y, rcond: pinv_rule(g, a, y, rcond), implements=np.linalg.pinv, analytic=False,
    examples=[*STACKS, example(sample(3, 2, make=spread_out)), example(sample(2, 3, make=spread_out), rcond=1e-10),
              example(sample(2, 3, make=spread_out_complex)), example(sample(3, 2, make=lopsided), rcond=0.5)],
)  # fmt: skip
def pinv(a: Array, rcond: Any = None) -> Array:
    """The pseudo-inverse: dy = -y da y + y y^H da^H (1 - a y) + (1 - y a) da^H y^H y, at constant rank."""
    return np.linalg.pinv(a) if rcond is None else np.linalg.pinv(a, rcond)


def _lstsq_parts(a: Array, b: Array, x: Array) -> tuple[Array, Array, Array]:
    """``b``, ``x`` and b - a x as matrices."""
    b, x = (v[:, None] if v.ndim == 1 else v for v in (b, x))
    return b, x, b - a @ x


def lstsq_left(g: Any, a: Array, b: Array, y: Any, rcond: Any) -> Array:
    """The cotangent of the matrix of a least-squares problem, by those of its solution, residuals, singular values."""
    gx, g_residuals, _, gs = g
    b, x, missed = _lstsq_parts(a, b, y[0])
    p = np.linalg.pinv(a, rcond)
    gx = conjugate(gx[:, None] if gx.ndim == 1 else gx)
    if rcond is not None and (is_foreign(a) or _is_cut(a, p)):
        ga = conjugate(_cut_rule(conjugate(gx) @ np.swapaxes(b, 0, 1), a, p))
    else:
        ph = hermitian(p)
        u = ph @ gx
        ga = -(u @ hermitian(x)) + missed @ hermitian(p @ u) + (ph @ x) @ hermitian(gx - hermitian(a) @ u)
    if g_residuals.size:
        ga = ga - (2.0 * missed * g_residuals) @ hermitian(x)
    left, _, right = np.linalg.svd(a, full_matrices=False)
    return conjugate(ga + (left * gs) @ right)


def lstsq_right(g: Any, a: Array, b: Array, y: Any, rcond: Any) -> Array:
    """The cotangent of its right side."""
    gx, g_residuals, _, _ = g
    _, _, missed = _lstsq_parts(a, b, y[0])
    gb = hermitian(np.linalg.pinv(a, rcond)) @ conjugate(gx[:, None] if gx.ndim == 1 else gx)
    if g_residuals.size:
        gb = gb + 2.0 * missed * g_residuals
    return conjugate(np.reshape(gb, b.shape))


@primitive(
    lambda g, a, b, y, rcond: lstsq_left(g, a, b, y, rcond),
    lambda g, a, b, y, rcond: lstsq_right(g, a, b, y, rcond),
    implements=np.linalg.lstsq,
    analytic=False,
    examples=[
        example(sample(4, 2, make=spread_out), sample(4)),
        example(sample(4, 2, make=spread_out), sample(4, 3)),
        example(sample(3, 3, make=spread_out), sample(3)),
        example(sample(2, 3, make=spread_out), sample(2, 2), rcond=1e-9),
        example(sample(3, 2, make=lopsided), sample(3), rcond=0.5),
    ],
)
def lstsq(a: Array, b: Array, rcond: Any = None) -> Any:
    """The least-squares solution, its residuals, the rank (a constant) and the singular values."""
    return np.linalg.lstsq(a, b) if rcond is None else np.linalg.lstsq(a, b, rcond)


# -- determinants ------------------------------------------------------------------------------------------------


def _cofactors(a: Array) -> Array:
    """The cofactors: determinants without row i and column j, with the signs of a chessboard."""
    n = a.shape[-1]
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, n - 1)
    signs = ((-1.0) ** np.add.outer(np.arange(n), np.arange(n))).astype(np.finfo(a.dtype).dtype)
    rows = []
    for i in range(n):  # one row of cofactors at a time: n minors, not n²
        minors = a[..., others[i], :][..., others]
        rows.append(np.linalg.det(np.swapaxes(minors, -2, -3)))
    return np.stack(rows, axis=-2) * owned(signs, a)


def det_slope(a: Array, y: Array) -> Array:
    """d det(a) / da = det(a) a^-T, and the cofactors where the determinant is 0."""
    if a.shape[-1] == 0:
        return a
    singular = (y == 0)[..., None, None]
    if not (is_foreign(singular) or np.any(singular)):
        return y[..., None, None] * _mt(np.linalg.inv(a))
    unit = owned(np.eye(a.shape[-1], dtype=a.dtype), a)
    regular = y[..., None, None] * _mt(np.linalg.inv(np.where(singular, unit, a)))
    return np.where(singular, _cofactors(np.where(singular, a, unit)), regular)


@primitive(
    lambda g, a, y: g[..., None, None] * det_slope(a, y), implements=np.linalg.det,
    examples=[*STACKS, example(sample(3, 3, make=lambda v: v * np.array([1.0, 1.0, 0.0], v.dtype))),
              example(sample(1, 1)), example(sample(0, 0)),
              example(sample(2, 2, 2, make=lambda v: v * np.array([[[1.0]], [[0.0]]], v.dtype)))],
)  # fmt: skip
def det(a: Array) -> Array:
    """The determinant: dy = y trace(a^-1 da), by cofactors where y = 0."""
    return np.linalg.det(a)


def _slogdet_rule(g: Any, a: Array, y: Any) -> Array:
    g_sign, g_log = g
    sign, _ = y
    try:
        inverse = np.linalg.inv(a)
    except LinAlgError:
        raise LinAlgError(
            "slogdet: the matrix is singular, and the logarithm of a determinant of 0 has no derivative; use det"
        ) from None
    if a.dtype.kind == "c":  # the sign turns with the imaginary part of trace(a^-1 da)
        g_log = g_log + np.imag(g_sign * sign) * 1j
    return g_log[..., None, None] * _mt(inverse)


@primitive(
    lambda g, a, y: _slogdet_rule(g, a, y),
    implements=np.linalg.slogdet,
    analytic=False,
    examples=[*STACKS, example(sample(1, 1))],
)
def slogdet(a: Array) -> Any:
    """sign and log |det|: d log|det| = trace(a^-1 da); a singular matrix is an error."""
    return np.linalg.slogdet(a)


@primitive(None, implements=np.linalg.matrix_rank, examples=[example(sample(3, 2, make=spread_out))], analytic=False)
def matrix_rank(A: Array, tol: Any = None, hermitian: bool = False, rtol: Any = None) -> Array:
    """The number of singular values that are not zero: recorded, with derivative zero."""
    rank = np.linalg.matrix_rank(A, tol, hermitian, rtol=rtol)
    return rank if hasattr(rank, "shape") else np.int64(rank)  # of a vector it is a Python int


# -- powers and products -----------------------------------------------------------------------------------------


@composite(
    np.linalg.matrix_power,
    examples=[example(sample(2, 2, make=spread_out), n) for n in (0, 1, 2, 3, 5, -2)],
)
def matrix_power(a: Array, n: int) -> Array:
    """a @ a @ ... by squaring; negative powers of the inverse."""
    n = operator.index(n)
    if np.ndim(a) < 2 or np.shape(a)[-1] != np.shape(a)[-2]:
        raise ValueError(f"matrix_power: needs square matrices, got shape {np.shape(a)}")
    if n < 0:
        return np.linalg.matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return np.where(True, owned(np.eye(np.shape(a)[-1], dtype=a.dtype), a), a)
    if n <= 3:
        return a if n == 1 else a @ a if n == 2 else (a @ a) @ a
    result, square = None, a
    while n:
        if n % 2:
            result = square if result is None else result @ square
        n //= 2
        square = square @ square if n else square
    return result


def _chain(arrays: list[Array], split: Any, i: int, j: int) -> Array:
    if i == j:
        return arrays[i]
    k = split[i, j]
    return _chain(arrays, split, i, k) @ _chain(arrays, split, k + 1, j)


@composite(np.linalg.multi_dot, examples=[
    example([sample(2, 3), sample(3, 4), sample(4, 2)]), example([sample(3), sample(3, 2), sample(2)]),
    example([sample(2, 3), sample(3, 2)]), example([sample(2, 3), sample(3, 1), sample(1, 4), sample(4, 2)]),
])  # fmt: skip
def multi_dot(arrays: Any) -> Array:
    """A product of matrices, in the order of fewest multiplications."""
    arrays = [np.asarray(a) if isinstance(a, list | tuple) else a for a in arrays]
    if len(arrays) < 2:
        raise ValueError(f"multi_dot: needs at least 2 arrays, got {len(arrays)}")
    first, last = np.ndim(arrays[0]), np.ndim(arrays[-1])
    arrays[0] = arrays[0][None, :] if first == 1 else arrays[0]
    arrays[-1] = arrays[-1][:, None] if last == 1 else arrays[-1]
    sizes = [np.shape(arrays[0])[0], *(np.shape(a)[1] for a in arrays)]
    n = len(arrays)
    cost: dict[tuple[int, int], int] = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            choices = [(cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i, j], split[i, j] = min(choices)
    product = _chain(arrays, split, 0, n - 1)
    return product[(0 if first == 1 else slice(None), 0 if last == 1 else slice(None))]


def expm(a: Array) -> Array:
    """exp(a) = 1 + a + a² / 2! + ... of square matrices (..., n, n), by scaling and squaring.

    A composition of products and ``solve``, so it differentiates to any order.  The Padé approximant of order 13 and
    its bound 5.37 are those of N. Higham, "The Scaling and Squaring Method for the Matrix Exponential Revisited"
    (2005).  Raises ValueError unless the last two axes are equal.

    >>> import numpy as np
    >>> from autodiff import expm, grad
    >>> expm(np.zeros((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    >>> grad(lambda t: np.trace(expm(t * np.eye(2))))(0.0)
    2.0
    """
    a = a if hasattr(a, "dtype") else np.asarray(a, dtype=float)
    shape = np.shape(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"expm: needs square matrices, got shape {shape}")
    if is_foreign(a) and math.prod(shape):
        return _expm_unseen(a)
    size = np.max(np.linalg.norm(a, 1, axis=(-2, -1))).item() if math.prod(shape) else 0.0
    if not np.isfinite(size):
        raise ValueError("expm: the matrix has infinite or NaN elements")
    squarings = int(np.ceil(np.log2(size / 5.37))) if size > 5.37 else 0
    result = _pade(a * 0.5**squarings)
    for _ in range(squarings):
        result = result @ result
    return result


def _pade(a: Array) -> Array:
    """exp(a) of matrices whose norm is at most 5.37."""
    b = [math.comb(13, k) * math.factorial(26 - k) / math.factorial(26) for k in range(14)]
    unit = owned(np.eye(a.shape[-1], dtype=a.dtype), a)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * unit)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * unit
    return np.linalg.solve(even - odd, even + odd)


def _expm_unseen(a: Array) -> Array:
    """exp(a) where nobody looks how large the matrices are: each is squared as often as it must, of ten times."""
    sizes = np.max(np.sum(np.abs(a), axis=-2, keepdims=True), axis=-1, keepdims=True)
    squarings = np.clip(np.ceil(np.log2(np.where(sizes > 5.37, sizes, 5.37) / 5.37)), 0.0, 10.0)
    result = _pade(a * cast(np.exp2(-squarings), a.dtype))
    for i in range(10):
        result = np.where(i < squarings, result @ result, result)
    return np.where(sizes <= 5.37 * 2.0**10, result, np.nan)


composite(expm, examples=[*STACKS, example(sample(2, 2, make=lambda v: 4.0 * v)), example(sample(0, 0))])(expm)
