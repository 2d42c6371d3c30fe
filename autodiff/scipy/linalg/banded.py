"""Systems of equations whose matrix has few diagonals, and the Cholesky factor of such a matrix.

With x = a^-1 b and the cotangent g of x, that of b is c = a^-T g, a system with as few diagonals, and that of the bands
of a are those of -c x^T.  Elements of an array of bands that SciPy does not read have no gradient.

Sources: those of :mod:`.solving` and :mod:`.cholesky`; the factor is walked back over blocks along its diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ...ops.complexes import conjugate, to_complex
from ...primitive import exactly, example, sample
from ...recording import original
from ...registering import primitive
from ..compiled import ndarrays_only
from .bands import bands_of, blocks_of, cornered, from_lower, of_lower, products, shifted, turned_bands, twice
from .cholesky import lower_rule
from .parts import columns, composed, every_row, sparing, summed
from .solving import solve_triangular

Array = Any
Shape = tuple[int, ...]


def _rows(l_and_u: Any, ab: Array, b: Array, **options: Any) -> Array:
    """How many elements of b each element of a solution depends on: of a triangle, those from one end."""
    lower, upper = l_and_u
    if lower and upper:
        return every_row((), b)
    ones = np.eye(b.shape[0]) if lower == upper else np.tri(b.shape[0])
    return (ones if lower else ones.T) @ b


def _every_row(a: Any, b: Array, **options: Any) -> Array:
    return every_row((), b)


_solve_banded, _solveh_banded = sparing(linalg.solve_banded, _rows), sparing(linalg.solveh_banded, _every_row)
_cholesky_banded, _cho_solve = sparing(linalg.cholesky_banded), sparing(linalg.cho_solve_banded, _every_row)

BLOCK = 32
"""Columns of the factor that are walked back at a time, if its bands are not wider."""


def _check(name: str, parameter: str, ab: Any, b: Any = None) -> None:
    """Raise ValueError for shapes that do not fit, and for stacks."""
    shape, right = np.shape(ab), np.shape(b)
    if len(shape) != 2:
        raise ValueError(
            f"{name}: {parameter} has shape {shape}, and must have one row for each diagonal and one column for each "
            "row of the matrix; use autodiff.vmap for stacks"
        )
    if b is not None and (len(right) not in (1, 2) or right[0] != shape[1]):
        raise ValueError(f"{name}: {parameter} has {shape[1]} columns and b has shape {right}; b has as many rows")


# -- any bands ---------------------------------------------------------------------------------------------------


def _dominant(main: int, scale: float = 1.0) -> Any:
    """Bands whose diagonal, in row ``main``, is larger than the others together."""

    def make(v: Array) -> Array:
        v = v * 0.2 * scale
        return v + (np.arange(v.shape[0]) == main).astype(v.dtype)[:, None] * v.dtype.type(4.0 * scale)

    return make


def _banded_pulled(g: Array, l_and_u: Any, ab: Array, b_shape: Shape) -> Array:
    """The cotangent of the columns of b."""
    lower, upper = l_and_u
    turned = turned_bands(ab, lower, upper)
    return solve_banded((upper, lower), turned, columns(g, b_shape), check_finite=False)


@primitive(
    None,
    lambda g, l_and_u, ab, b_shape, y: products(
        -_banded_pulled(g, l_and_u, ab, b_shape), columns(y, b_shape), l_and_u[0], l_and_u[1]
    ),
    lambda g, l_and_u, ab, b_shape: summed(_banded_pulled(g, l_and_u, ab, b_shape), b_shape),
    implements=linalg.solve_banded,
    analytic=False,
    examples=[
        example((1, 1), sample(3, 4, make=_dominant(1)), sample(4)),
        example((2, 0), sample(3, 3, make=_dominant(0)), sample(3, 2)),
        example((0, 1), sample(2, 3, make=_dominant(1)), sample(3)),
    ],
    errors=[
        example((1, 1), sample(2, 3), sample(3)),
        example((1, 1), sample(3, 3), sample(2)),
        example((1, 0), exactly([[0.0, 0.0], [1.0, 0.0]]), sample(2)),
    ],
)  # fmt: skip
def solve_banded(
    l_and_u: Any, ab: Array, b: Array, overwrite_ab: Any = False, overwrite_b: Any = False, check_finite: Any = True
) -> Array:
    """The solution x of a x = b, where a has l diagonals below its main one and u above: dx = a^-1 (db - da x).

    ``ab`` is (l + u + 1, n) with a_ij in row u + i - j and column j; ``b`` is (n,) or (n, k).  The corners of ``ab``
    that stand for no element have no gradient.  Raises LinAlgError if a is singular.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solve_banded
    >>> ab = np.array([[0.0, 1.0], [2.0, 4.0]])
    >>> grad(lambda ab: np.sum(solve_banded((0, 1), ab, np.ones(2))))(ab).tolist()
    [[0.0, -0.125], [-0.1875, -0.03125]]
    """
    _check("solve_banded", "ab", ab, b)
    lower, upper = l_and_u
    if lower + upper + 1 != np.shape(ab)[0]:
        raise ValueError(
            f"solve_banded: l_and_u = {(lower, upper)} needs {lower + upper + 1} rows, and ab has shape {np.shape(ab)}"
        )
    return _solve_banded((int(lower), int(upper)), ab, b, check_finite=check_finite)


# -- positive definite bands -------------------------------------------------------------------------------------


def _positive_pulled(g: Array, ab: Array, b_shape: Shape, lower: Any) -> Array:
    return conjugate(solveh_banded(ab, conjugate(columns(g, b_shape)), lower=lower, check_finite=False))


def _positive_left(g: Array, ab: Array, b_shape: Shape, y: Array, lower: Any) -> Array:
    pulled = -_positive_pulled(g, ab, b_shape, lower)
    found = twice(pulled, columns(y, b_shape), max(ab.shape[0] - 1, 0))
    return from_lower(found[: ab.shape[0]], lower)


_INDEFINITE = exactly([[1.0, 1.0], [2.0, 2.0]])


@primitive(
    lambda g, ab, b_shape, y, lower: _positive_left(g, ab, b_shape, y, lower),
    lambda g, ab, b_shape, lower: summed(_positive_pulled(g, ab, b_shape, lower), b_shape),
    implements=linalg.solveh_banded,
    analytic=False,
    examples=[
        example(sample(2, 4, make=_dominant(1)), sample(4)),
        example(sample(3, 4, make=_dominant(0)), sample(4, 2), lower=True),
        example(sample(3, 3, make=lambda v: _dominant(2)(to_complex(v))), sample(3, make=to_complex)),
    ],
    errors=[example(_INDEFINITE, sample(2), lower=True), example(sample(2, 3), sample(2))],
)
def solveh_banded(
    ab: Array, b: Array, overwrite_ab: Any = False, overwrite_b: Any = False, lower: Any = False,
    check_finite: Any = True,
) -> Array:  # fmt: skip
    """The solution x of a x = b, where a is positive definite with few diagonals: dx = a^-1 (db - da x).

    ``ab`` is (u + 1, n) with a_ij of the upper triangle in row u + i - j and column j, or of the lower one in row
    i - j; ``b`` is (n,) or (n, k).  An element off the diagonal stands for two.  Raises LinAlgError unless a is
    positive definite.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solveh_banded
    >>> ab = np.array([[2.0, 2.0], [1.0, 0.0]])
    >>> grad(lambda b: solveh_banded(ab, b, lower=True)[0])(np.ones(2)).round(9).tolist()
    [0.666666667, -0.333333333]
    """
    _check("solveh_banded", "ab", ab, b)
    return _solveh_banded(ab, b, lower=lower, check_finite=check_finite)


# -- Cholesky ----------------------------------------------------------------------------------------------------


def _walked_back(g: Array, y: Array) -> Array:
    """The cotangent of the lower bands of a = y y^H, by blocks from the last to the first.

    With d_k on the diagonal and e_k below it: e_k = a_(k + 1, k) d_k^-H, and d_(k + 1) is the factor of
    a_(k + 1, k + 1) - e_k e_k^H.
    """
    below, n = y.shape[0] - 1, y.shape[1]
    size = max(below, min(BLOCK, n))
    more = np.zeros_like(y, shape=(below + 1, -n % size))
    unit = more + (np.arange(below + 1) == 0)[:, None]
    factors = blocks_of(np.concatenate([y, unit.astype(y.dtype)], axis=1), size)
    given = blocks_of(np.concatenate([g, more], axis=1), size)
    found: list[Array] = []
    later: Any = None
    for k in reversed(range(len(factors))):
        d, e = factors[k, :size], factors[k, size:]
        of_d, of_e = given[k, :size], given[k, size:]
        if later is not None:  # through the next block's d
            of_e = of_e - (later + conjugate(later.T)) @ conjugate(e)
        moved = solve_triangular(conjugate(d), of_e.T, 1, True, check_finite=False).T
        whole = lower_rule(np.tril(of_d - conjugate(moved.T @ e)), d)
        found.append(np.concatenate([whole, moved]))
        later = whole[:below, :below]
    return bands_of(np.stack(found[::-1]), below)[:, :n]


def _factor_rule(g: Array, y: Array, lower: Any) -> Array:
    if not y.size:
        return np.zeros_like(g)
    walked = from_lower(_walked_back(*(of_lower(cornered(v, lower), lower) for v in (g, y))), lower)
    return walked + (g - cornered(g, lower))


@primitive(
    lambda g, y, lower: _factor_rule(g, y, lower),
    implements=linalg.cholesky_banded,
    analytic=False,
    examples=[
        example(sample(2, 4, make=_dominant(1))),
        example(sample(3, 5, make=_dominant(0)), lower=True),
        example(sample(2, 3, make=lambda v: _dominant(0)(to_complex(v).real + 0j * v)), lower=True),
    ],
    errors=[example(_INDEFINITE, lower=True), example(sample(3))],
)
def cholesky_banded(ab: Array, overwrite_ab: Any = False, lower: Any = False, check_finite: Any = True) -> Array:
    """The factor u of a = u^H u, or l of a = l l^H, where a has few diagonals, in the form of ``solveh_banded``.

    ``ab`` is (u + 1, n), and so is the factor; the corner that stands for no element stays what it was.  The logarithm
    of the determinant of a is twice the sum of those of the factor's diagonal.  Raises LinAlgError unless a is positive
    definite.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import cholesky_banded
    >>> ab = np.array([[2.0, 2.0], [1.0, 0.0]])
    >>> slope = grad(lambda ab: 2 * np.sum(np.log(cholesky_banded(ab, lower=True)[0])))(ab)
    >>> slope.round(9).tolist()  # the inverse of a, twice off the diagonal
    [[0.666666667, 0.666666667], [-0.666666667, 0.0]]
    """
    _check("cholesky_banded", "ab", ab)
    return _cholesky_banded(ab, lower=lower, check_finite=check_finite)


def _solved_pulled(g: Array, cb: Array, b_shape: Shape, lower: Any) -> Array:
    return conjugate(cho_banded_solved(cb, conjugate(columns(g, b_shape)), lower, False))


def _solved_left(g: Array, cb: Array, b_shape: Shape, y: Array, lower: Any) -> Array:
    """By a = l l^H, of which the solution is the inverse times b."""
    pulled, x = -_solved_pulled(g, cb, b_shape, lower), columns(y, b_shape)
    factor, below = of_lower(cornered(cb, lower), lower)[..., None], max(cb.shape[0] - 1, 0)
    right = np.sum(conjugate(factor) * shifted(x, 0, below), axis=0)
    left = np.sum(factor * shifted(pulled, 0, below), axis=0)
    found = products(pulled, right, below, 0) + conjugate(products(x, left, below, 0))
    return from_lower(found[: cb.shape[0]], lower)


@primitive(
    lambda g, cb, b_shape, y, lower: _solved_left(g, cb, b_shape, y, lower),
    lambda g, cb, b_shape, lower: summed(_solved_pulled(g, cb, b_shape, lower), b_shape),
    analytic=False,
    examples=[
        example(sample(2, 3, make=_dominant(0)), sample(3), True),
        example(sample(3, 4, make=_dominant(2)), sample(4, 2), False),
    ],
    errors=[example(sample(2, 2), sample(3), True)],
)
def cho_banded_solved(cb: Array, b: Array, lower: Any, check_finite: Any = True) -> Array:
    """The solution of ``cho_solve_banded``, by the bands of the factor."""
    _check("cho_solve_banded", "cb", cb, b)
    return _cho_solve((cb, bool(lower)), b, check_finite=check_finite)


def cho_solve_banded(cb_and_lower: Any, b: Array, overwrite_b: Any = False, check_finite: Any = True) -> Array:
    """The solution x of a x = b from the pair (cb, lower), cb of ``cholesky_banded``: dx = a^-1 (db - da x)."""
    cb, lower = cb_and_lower
    return cho_banded_solved(cb, b, lower, check_finite)


cho_solve_banded = composed(cho_solve_banded, [example([sample(2, 3, make=_dominant(0)), True], sample(3))])
ndarrays_only.add(original(cho_banded_solved))
