"""The Cholesky factor, and solutions by it.

A factor in SciPy's packed form is differentiated through: the pair (c, lower) of ``cho_factor``.  What SciPy leaves in
the other triangle of c is none of the factor, and no gradient comes from there.

Source: I. Murray, "Differentiation of the Cholesky decomposition" (2016).
"""

from __future__ import annotations

from typing import Any

from scipy import linalg

from ...arrays import turned
from ...cotangents import unbroadcast
from ...ops.complexes import conjugate, hermitian, to_complex
from ...ops.decompositions import definite, definite_complex, lower_weights, read_triangle, spread_out
from ...primitive import exactly, example, sample
from ...recording import original
from ...registering import primitive
from ..compiled import ndarrays_only
from .parts import check_square, columns, composed, every_row, outer, sparing, summed, triangle
from .solving import solve_triangular

Array = Any
Shape = tuple[int, ...]

_cholesky, _cho_solve = sparing(linalg.cholesky), sparing(linalg.cho_solve, every_row)


def lower_rule(g: Array, y: Array) -> Array:
    """The cotangent of a = y y^H, by the lower triangle of a."""
    inner = turned(y) @ g
    inner = inner * lower_weights(inner, 0.5, inner.shape[-1])
    left = solve_triangular(y, inner, 1, True, check_finite=False)
    return read_triangle(turned(solve_triangular(y, turned(left), 2, True, check_finite=False)), upper=False)


def _cholesky_rule(g: Array, y: Array, lower: Any) -> Array:
    g, y = triangle(g, lower), triangle(y, lower)
    return lower_rule(g, y) if lower else hermitian(lower_rule(hermitian(g), hermitian(y)))


_INDEFINITE = [example(exactly([[1.0, 2.0], [2.0, 1.0]])), example(sample(2, 3))]


@primitive(
    lambda g, y, lower: _cholesky_rule(g, y, lower),
    implements=linalg.cholesky,
    analytic=False,
    examples=[
        example(sample(3, 3, make=definite)),
        example(sample(2, 2, make=definite_complex), lower=True),
        example(sample(0, 0)),
    ],
    errors=_INDEFINITE,
)
def cholesky(a: Array, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Array:
    """The factor u of a = u^H u, or l of a = l l^H, read from one triangle: dl = l phi(l^-1 da l^-H).

    phi halves the diagonal and leaves the upper triangle out.  ``a`` is (n, n); its other triangle has no gradient, and
    an element of the triangle that is read stands for two.  Raises LinAlgError unless ``a`` is positive definite.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import cholesky
    >>> grad(lambda a: np.sum(cholesky(a)))(4.0 * np.eye(2)).tolist()
    [[0.25, 0.5], [0.0, 0.25]]
    """
    check_square("cholesky", "a", a)
    return _cholesky(a, lower=lower, check_finite=check_finite)


def cho_factor(a: Array, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """The pair (c, lower) for ``cho_solve``: the factor of ``cholesky``, and which triangle it is in.

    The other triangle of c, where SciPy leaves anything, is zeros here, and no gradient comes from it.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import cho_factor, cho_solve
    >>> round(grad(lambda s: np.sum(cho_solve(cho_factor(s * np.eye(2)), np.ones(2))))(2.0), 12)
    -0.5
    """
    return cholesky(a, lower, check_finite=check_finite), lower


def _cho_pulled(g: Array, c: Array, b_shape: Shape, lower: Any) -> Array:
    return conjugate(cho_solved(c, conjugate(columns(g, b_shape)), lower, False))


def _cho_left(g: Array, c: Array, b_shape: Shape, y: Array, lower: Any) -> Array:
    """By a = c c^H, or c^H c, of which the solution is the inverse times b."""
    pulled, x = -_cho_pulled(g, c, b_shape, lower), columns(y, b_shape)
    c = triangle(c, lower)
    if lower:
        gradient = outer(pulled, hermitian(c) @ x) + conjugate(outer(x, turned(c) @ pulled))
    else:
        gradient = outer(conjugate(c) @ pulled, x) + conjugate(outer(c @ x, pulled))
    return triangle(unbroadcast(gradient, c.shape), lower)


@primitive(
    lambda g, c, b_shape, y, lower: _cho_left(g, c, b_shape, y, lower),
    lambda g, c, b_shape, lower: summed(_cho_pulled(g, c, b_shape, lower), b_shape),
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out), sample(3), True),
        example(sample(2, 2, make=lambda v: spread_out(to_complex(v))), sample(2, 2), False),
    ],
    errors=[example(sample(2, 2), sample(3), True)],
)
def cho_solved(c: Array, b: Array, lower: Any, check_finite: Any = True) -> Array:
    """The solution of ``cho_solve``, by one triangle of c."""
    return _cho_solve((c, lower), b, check_finite=check_finite)


def cho_solve(c_and_lower: Any, b: Array, overwrite_b: Any = False, check_finite: Any = True) -> Array:
    """The solution x of a x = b from the pair (c, lower) of ``cho_factor``: dx = a^-1 (db - da x).

    a is c c^H, or c^H c of an upper triangle, so da = dc c^H + c dc^H.  One triangle of c is read, and has a gradient.
    """
    c, lower = c_and_lower
    return cho_solved(c, b, lower, check_finite)


cho_solve = composed(cho_solve, [example([sample(3, 3, make=spread_out), True], sample(3))])
ndarrays_only.add(original(cho_solved))
