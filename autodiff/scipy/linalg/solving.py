"""Systems of linear equations: a x = b, with a matrix of any kind or a triangular one; inverses and determinants.

With x = a^-1 b and the cotangent g of x, that of b is c = a^-T g and that of a is -c x^T, of which the elements remain
that SciPy reads: one triangle, the diagonal, three diagonals.  An element of a symmetric matrix stands for two.

Source: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg  # type: ignore[import-untyped,unused-ignore]

from ...arrays import turned
from ...cotangents import unbroadcast
from ...ops.complexes import conjugate, to_complex
from ...ops.decompositions import definite, definite_complex, lower_weights, read_triangle, spread_out
from ...ops.linalg import SINGULAR, det_slope, pinv_rule
from ...primitive import example, sample
from ...registering import primitive
from .parts import check_square, columns, every_row, for_lapack, in_dtype, outer, sparing, summed, triangle

Array = Any
Shape = tuple[int, ...]


def _rows_of_triangle(a: Array, b: Array, *, trans: int = 0, lower: Any = False, **options: Any) -> Array:
    """How many elements of b each element of a solution depends on: those from one end of its column."""
    ones = np.tri(a.shape[-1])
    return (ones if bool(lower) != (trans != 0) else ones.T) @ b


_solve, _solve_triangular = sparing(linalg.solve, every_row), sparing(linalg.solve_triangular, _rows_of_triangle)
_inv, _det, _pinv = sparing(linalg.inv), sparing(linalg.det), sparing(linalg.pinv)

# -- any kind of matrix ------------------------------------------------------------------------------------------

_NAMES = {"gen": "general", "sym": "symmetric", "her": "hermitian", "pos": "positive definite"}
_TURNED = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}


def _kind(a: Array, assume_a: Any) -> Any:
    """The structure by its full name; a real Hermitian matrix is symmetric."""
    kind = _NAMES.get(assume_a, assume_a)
    if kind in ("hermitian", "positive definite") and a.dtype.kind != "c":
        return "symmetric"
    return kind


def _pulled(g: Array, a: Array, b_shape: Shape, lower: Any, assume_a: Any, transposed: Any) -> Array:
    """The cotangent of the columns of b, before stacks are summed."""
    kind, g = _kind(a, assume_a), columns(g, b_shape)
    if kind == "symmetric":
        return solve(a, g, lower, check_finite=False, assume_a=assume_a)
    if kind in ("hermitian", "positive definite"):
        return solve(conjugate(a), g, lower, check_finite=False, assume_a=assume_a)
    if transposed:
        return solve(a, g, check_finite=False, assume_a=assume_a)
    return solve(turned(a), g, check_finite=False, assume_a=_TURNED.get(assume_a, assume_a))


def _read(gradient: Array, kind: Any, lower: Any) -> Array:
    """Of a gradient by the whole matrix, that by the elements that were read."""
    if kind == "symmetric":
        weights = lower_weights(gradient, 0.5, gradient.shape[-1])
        return (gradient + turned(gradient)) * (weights if lower else turned(weights))
    if kind in ("hermitian", "positive definite"):
        return read_triangle(gradient, upper=not lower)
    if kind in _TURNED:
        return triangle(gradient, kind == "lower triangular")
    if kind == "diagonal":
        return np.tril(np.triu(gradient))
    return np.tril(np.triu(gradient, -1), 1) if kind == "tridiagonal" else gradient


def _solve_left(g: Array, a: Array, b_shape: Shape, y: Array, lower: Any, assume_a: Any, transposed: Any) -> Array:
    pulled, x = _pulled(g, a, b_shape, lower, assume_a, transposed), columns(y, b_shape)
    gradient = outer(-x, pulled) if transposed else outer(-pulled, x)
    return _read(unbroadcast(gradient, a.shape), _kind(a, assume_a), lower)


_ERRORS = [
    *[example(*e.args, sample(2)) for e in SINGULAR],
    example(sample(1, 1), sample(3)),
    example(sample(2, 3), sample(2)),
]


@primitive(
    lambda g, a, b_shape, y, lower, assume_a, transposed: _solve_left(g, a, b_shape, y, lower, assume_a, transposed),
    lambda g, a, b_shape, lower, assume_a, transposed: summed(
        _pulled(g, a, b_shape, lower, assume_a, transposed), b_shape
    ),
    implements=linalg.solve,
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out), sample(3)),
        example(sample(2, 2, make=definite), sample(2, 3), assume_a="pos", lower=True),
        example(sample(2, 2, make=definite_complex), sample(2, make=to_complex), assume_a="her"),
    ],
    errors=_ERRORS,
)
def solve(
    a: Array, b: Array, lower: Any = False, overwrite_a: Any = False, overwrite_b: Any = False,
    check_finite: Any = True, assume_a: Any = None, transposed: Any = False,
) -> Array:  # fmt: skip
    """The solution x of a x = b: dx = a^-1 (db - da x).

    ``a`` is (..., n, n), ``b`` (n,) or (..., n, k).  With ``assume_a`` the elements that SciPy does not read have no
    gradient, and one that is read of a symmetric or Hermitian matrix counts twice off the diagonal.  With the default
    SciPy looks which structure the matrix has, and the derivative is that of any matrix.  Raises LinAlgError if ``a``
    is singular.  ``overwrite_a`` and ``overwrite_b`` are accepted, and nothing is overwritten.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solve
    >>> grad(lambda b: np.sum(solve(np.diag([1.0, 4.0]), b, assume_a="pos")))(np.ones(2)).tolist()
    [1.0, 0.25]
    """
    _check_system("solve", a, b)
    return _solve(a, b, lower=lower, check_finite=check_finite, assume_a=assume_a, transposed=transposed)


def _check_system(name: str, a: Array, b: Array) -> None:
    """Raise for shapes that do not fit, some of which SciPy takes: a matrix of one element for any right side."""
    shape, right = np.shape(a), np.shape(b)
    check_square(name, "a", a)
    if not right or right[-1 if len(right) == 1 else -2] != shape[-1]:
        raise ValueError(
            f"{name}: a has {shape[-1]} rows and b has shape {right}; b is a vector of as many elements, or a matrix "
            "of as many rows"
        )


# -- triangular matrices -----------------------------------------------------------------------------------------

_TRANS = {"N": 0, "T": 1, "C": 2}


def _trans(name: str, trans: Any) -> int:
    """Which system is solved: 0, 1 or 2."""
    found = _TRANS.get(trans, trans) if isinstance(trans, str) else trans
    if found not in (0, 1, 2):
        raise ValueError(
            f"{name}: trans={trans!r}; it is 0 or 'N' for a x = b, 1 or 'T' for a^T x = b, 2 or 'C' for a^H"
        )
    return int(found)


def _triangular_pulled(g: Array, a: Array, b_shape: Shape, trans: Any, lower: Any, unit_diagonal: Any) -> Array:
    """The cotangent of the columns of b, before stacks are summed."""
    trans, g = _trans("solve_triangular", trans), columns(g, b_shape)
    if trans == 2:
        return conjugate(solve_triangular(a, conjugate(g), 0, lower, unit_diagonal, check_finite=False))
    return solve_triangular(a, g, 1 - trans, lower, unit_diagonal, check_finite=False)


def outer_of(trans: Any, pulled: Array, x: Array) -> Array:
    """The cotangent of a, from the cotangent of b and the solution: of a x = b, of a^T x = b, of a^H x = b."""
    if trans == 0:
        return outer(-pulled, x)  # of the smaller one
    return outer(-x, pulled) if trans == 1 else conjugate(outer(-x, pulled))


def _triangular_left(g: Array, a: Array, b_shape: Shape, y: Array, trans: Any, lower: Any, unit: Any) -> Array:
    pulled = _triangular_pulled(g, a, b_shape, trans, lower, unit)
    gradient = outer_of(_trans("solve_triangular", trans), pulled, columns(y, b_shape))
    return triangle(unbroadcast(gradient, a.shape), lower, unit)


@primitive(
    lambda g, a, b_shape, y, trans, lower, unit_diagonal: _triangular_left(
        g, a, b_shape, y, trans, lower, unit_diagonal
    ),
    lambda g, a, b_shape, trans, lower, unit_diagonal: summed(
        _triangular_pulled(g, a, b_shape, trans, lower, unit_diagonal), b_shape
    ),
    implements=linalg.solve_triangular,
    examples=[
        example(sample(3, 3, make=spread_out), sample(3), lower=True),
        example(sample(2, 2, make=spread_out), sample(2, 3), "T", False, True),
    ],
    errors=[example(sample(3, 2), sample(3)), example(sample(3, 3), sample(2)), example(sample(2, 2), sample(2), 3)],
)
def solve_triangular(
    a: Array, b: Array, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False, overwrite_b: Any = False,
    check_finite: Any = True,
) -> Array:  # fmt: skip
    """The solution x of a x = b with one triangle of a (of a^T for ``trans=1``, of a^H for 2): dx = a^-1 (db - da x).

    ``a`` is (n, n), ``b`` (n,) or (n, k).  The other triangle has no gradient, and with ``unit_diagonal`` the diagonal
    has none.  Raises LinAlgError if an element of the diagonal is 0.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solve_triangular
    >>> grad(lambda a: np.sum(solve_triangular(a, np.ones(2), lower=True)))(np.eye(2)).tolist()
    [[0.0, 0.0], [-1.0, -1.0]]
    """
    _check_system("solve_triangular", a, b)
    trans = _trans("solve_triangular", trans)
    return _solve_triangular(
        a, b, trans=trans, lower=lower, unit_diagonal=unit_diagonal, check_finite=check_finite
    )  # fmt: skip


# -- inverses and determinants -----------------------------------------------------------------------------------


@primitive(
    lambda g, y: -(turned(y) @ g @ turned(y)),
    implements=linalg.inv,
    examples=[example(sample(3, 3, make=spread_out)), example(sample(0, 0))],
    errors=SINGULAR,
)
def inv(a: Array, overwrite_a: Any = False, check_finite: Any = True) -> Array:
    """The inverse: dy = -y da y."""
    check_square("inv", "a", a)
    return _inv(a, check_finite=check_finite)


@primitive(
    lambda g, a, y: in_dtype(g[..., None, None] * det_slope(for_lapack(a), y), a.dtype),
    implements=linalg.det,
    examples=[
        example(sample(2, 2, 2, make=spread_out)),
        example(sample(3, 3, make=lambda v: v * np.array([1.0, 1.0, 0.0], v.dtype))),
    ],
)
def det(a: Array, overwrite_a: Any = False, check_finite: Any = True) -> Array:
    """The determinant, in double precision: dy = y trace(a^-1 da), by cofactors where y = 0."""
    check_square("det", "a", a)
    return _det(a, check_finite=check_finite)


@primitive(
    lambda g, a, y, atol, rtol: pinv_rule(g, for_lapack(a), y, rtol if atol is None else atol),
    implements=linalg.pinv,
    analytic=False,
    examples=[example(sample(3, 2, make=spread_out)), example(sample(2, 3, make=spread_out), rtol=1e-10)],
)
def pinv(a: Array, atol: Any = None, rtol: Any = None, check_finite: Any = True) -> Array:
    """The pseudo-inverse by singular values: dy = -y da y and what turns its spaces, at constant rank."""
    if np.ndim(a) < 2:
        raise ValueError(f"pinv: a has shape {np.shape(a)}, and must be a matrix")
    return _pinv(a, atol=atol, rtol=rtol, check_finite=check_finite)
