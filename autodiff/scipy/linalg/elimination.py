"""LU factors, and solutions by them.

A factor in SciPy's packed form is differentiated through: the pair (lu, piv) of ``lu_factor``.  Pivots are constants:
where two are equally large, LAPACK chooses one.

Source: S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from scipy import linalg

from ...arrays import turned, unless
from ...cotangents import unbroadcast
from ...ops.complexes import conjugate
from ...ops.decompositions import diagonal_of, spread_out
from ...primitive import example, sample
from ...recording import original
from ...registering import primitive
from ..compiled import ndarrays_only
from .parts import check_square, columns, composed, every_row, outer, sparing, summed, triangle, unit
from .solving import solve_triangular

Array = Any
Shape = tuple[int, ...]

_lu, _lu_factor, _lu_solve = sparing(linalg.lu), sparing(linalg.lu_factor), sparing(linalg.lu_solve, every_row)


def _regular(u: Array, value: Array) -> Array:
    """``value``; raise if the matrix, whose factor is u, is singular."""
    return unless(diagonal_of(u) == 0, value, LinAlgError(
        "lu: the matrix is singular, so its factors have no derivative there"
    ))  # fmt: skip


def _unpermuted(gl: Array, gu: Array, lower: Array, u: Array) -> Array:
    """L^T times the cotangent of p a = L u, whose L is ``lower`` and, below a tall one, a unit matrix.

    With k = min(m, n): n = tril(l^T gl - gu_2 u_2^T, -1) + triu(gu_1 u_1^T), and it is [n; gl_2] u_1^-T beside gu_2.
    """
    k = lower.shape[-1]
    u_1, gu_1, beside = u[..., :, :k], gu[..., :, :k], gu[..., :, k:]
    below = turned(lower) @ triangle(gl, True, True) - beside @ turned(u[..., :, k:])
    middle = np.tril(below, -1) + np.triu(gu_1 @ turned(u_1))
    rows = np.concatenate([middle, gl[..., k:, :]], axis=-2)
    over = turned(solve_triangular(_regular(u_1, u_1), turned(rows), check_finite=False))
    return over if beside.shape[-1] == 0 else np.concatenate([over, beside], axis=-1)


def _widened(lower: Array) -> Array:
    """A tall lower factor as a square one, with ones on the rest of its diagonal."""
    m, k = lower.shape[-2:]
    if m == k:
        return lower
    rest = np.broadcast_to(unit(lower, m)[:, k:], (*lower.shape[:-2], m, m - k))
    return np.concatenate([lower, rest], axis=-1)


def _lu_rule(g: Any, y: Any, a: Array, permute_l: Any, p_indices: Any) -> Array:
    if 0 in a.shape:
        return np.zeros_like(a)
    if permute_l:
        rows, lower, u = lu(a, check_finite=False, p_indices=True)
        gl = np.take_along_axis(g[0], np.argsort(rows, axis=-1)[..., :, None], axis=-2)
        gu = g[1]
    else:
        rows = y[0] if p_indices else np.argmax(y[0], axis=-1)
        (_, gl, gu), (_, lower, u) = g, y
    found = solve_triangular(_widened(lower), _unpermuted(gl, gu, lower, u), 1, True, True, check_finite=False)
    return np.take_along_axis(found, rows[..., :, None], axis=-2)


@primitive(
    lambda g, y, a, permute_l, p_indices: _lu_rule(g, y, a, permute_l, p_indices),
    implements=linalg.lu,
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out)),
        example(sample(3, 2, make=spread_out), permute_l=True),
        example(sample(2, 3, make=spread_out), p_indices=True),
    ],
)
def lu(
    a: Array, permute_l: Any = False, overwrite_a: Any = False, check_finite: Any = True, p_indices: Any = False
) -> Any:
    """a = p l u, or a = (p l) u with ``permute_l``; the permutation, a matrix or ``p_indices``, is a constant.

    With m = l^-1 p^T da u^-1: dl = l tril(m, -1), du = triu(m) u.  Raises LinAlgError for a singular matrix.
    """
    return _lu(a, permute_l=permute_l, check_finite=check_finite, p_indices=p_indices)


def _lu_factor_rule(g: Any, y: Any) -> Array:
    (g, _), (packed, pivots) = g, y
    m, n = packed.shape[-2:]
    k = min(m, n)
    if k == 0:
        return np.zeros_like(packed)
    lower = np.tril(packed, -1)[..., :, :k] + unit(packed, m, k)
    upper, gu = np.triu(packed)[..., :k, :], np.triu(g)[..., :k, :]
    if m > k:
        rest = np.broadcast_to(np.arange(k, m, dtype=pivots.dtype), (*pivots.shape[:-1], m - k))
        pivots = np.concatenate([pivots, rest], axis=-1)
    return lu_solved(_widened(lower) if m > k else np.tril(lower, -1) + unit(packed, m), pivots,
                      _unpermuted(np.tril(g, -1)[..., :, :k], gu, lower, upper), 1, False)  # fmt: skip


@primitive(
    lambda g, y: _lu_factor_rule(g, y),
    implements=linalg.lu_factor,
    analytic=False,
    examples=[example(sample(3, 3, make=spread_out)), example(sample(3, 2, make=spread_out))],
)
def lu_factor(a: Array, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """The pair (lu, piv) for ``lu_solve``: u and the part of l below its diagonal in one matrix, and the pivots.

    The pivots are constants.  Raises LinAlgError for a singular matrix when it is differentiated.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import lu_factor, lu_solve
    >>> grad(lambda s: np.sum(lu_solve(lu_factor(s * np.eye(2)), np.ones(2))))(2.0)
    -0.5
    """
    if np.ndim(a) < 2:
        raise ValueError(f"lu_factor: a has shape {np.shape(a)}, and must be a matrix")
    return _lu_factor(a, check_finite=check_finite)


def _lu_pulled(g: Array, lu: Array, piv: Array, b_shape: Shape, trans: Any) -> Array:
    g = columns(g, b_shape)
    if trans == 2:
        return conjugate(lu_solved(lu, piv, conjugate(g), 0, False))
    return lu_solved(lu, piv, g, 1 - trans, False)


def _lu_left(g: Array, lu: Array, piv: Array, b_shape: Shape, y: Array, trans: Any) -> Array:
    """With the rows of a in the order of the pivots, a = l u, and its cotangent is a product of few columns."""
    pulled, x = _lu_pulled(g, lu, piv, b_shape, trans), columns(y, b_shape)
    n = lu.shape[-1]
    left, right = (pulled, x) if trans == 0 else (x, pulled)
    if trans == 2:
        left, right = conjugate(left), conjugate(right)
    left = lu_solved(unit(lu, n), piv, left, 0, False)  # a unit matrix for the factor: the permutation is left
    upper, lower = np.triu(lu), np.tril(lu, -1) + unit(lu, n)
    gradient = np.tril(outer(left, upper @ right), -1) + np.triu(outer(turned(lower) @ left, right))
    return unbroadcast(-gradient, lu.shape)


@primitive(
    lambda g, lu, piv, b_shape, y, trans: _lu_left(g, lu, piv, b_shape, y, trans),
    None,
    lambda g, lu, piv, b_shape, trans: summed(_lu_pulled(g, lu, piv, b_shape, trans), b_shape),
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out), np.array([1, 2, 2], np.int32), sample(3)),
        example(sample(2, 2, make=spread_out), np.array([1, 1], np.int32), sample(2, 3), 1),
    ],
    errors=[example(sample(2, 2), np.array([0, 1], np.int32), sample(3))],
)
def lu_solved(lu: Array, piv: Array, b: Array, trans: Any = 0, check_finite: Any = True) -> Array:
    """The solution of ``lu_solve``."""
    check_square("lu_solve", "lu", lu)
    if trans not in (0, 1, 2):
        raise ValueError(f"lu_solved: trans={trans!r}; it is 0 for a x = b, 1 for a^T x = b, 2 for a^H x = b")
    return _lu_solve((lu, piv), b, trans=trans, check_finite=check_finite)


def lu_solve(lu_and_piv: Any, b: Array, trans: Any = 0, overwrite_b: Any = False, check_finite: Any = True) -> Array:
    """The solution x of a x = b (a^T x = b, a^H x = b for ``trans`` 1, 2) from the pair (lu, piv) of ``lu_factor``."""
    lu, piv = lu_and_piv
    return lu_solved(lu, piv, b, trans, check_finite)


lu_solve = composed(lu_solve, [example([sample(3, 3, make=spread_out), np.array([1, 2, 2], np.int32)], sample(3), 1)])
ndarrays_only.add(original(lu_solved))
