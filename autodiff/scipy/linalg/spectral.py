"""Eigenvalues of symmetric and Hermitian matrices and pencils, and singular values.

Vectors of equal values have no derivative, nor has the phase of a complex vector: a loss that uses them is refused, as
in ``numpy.linalg``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ...arrays import turned
from ...ops.complexes import conjugate
from ...ops.decompositions import (
    definite,
    definite_complex,
    diagonal_matrix,
    diagonal_of,
    over_differences,
    read_triangle,
    spread_out,
    svd_rule,
    tolerance_of,
    used_by,
    without_phase,
)  # fmt: skip
from ...primitive import exactly, example, sample
from ...registering import primitive
from .parts import composed, for_lapack, sparing

Array = Any

_eigh, _eigvalsh, _svd = sparing(linalg.eigh), sparing(linalg.eigvalsh), sparing(linalg.svd)

_EQUAL = (
    "eigh: two eigenvalues are equal, so their eigenvectors, and a loss that uses them, have no derivative; "
    "use eigvalsh, or a function of the matrix that needs no eigenvectors"
)


def _basis_cotangents(g: Any, y: Any, eigvals_only: Any, a: Array, b: Any, lower: Any) -> tuple[Array, Array, Any]:
    """Eigenvalues are v^H a v: the cotangent of v^H da v, the vectors, and that of v^H db v if there is a b.

    From a v = b v w and v^H b v = 1: dv = v c with c_ij = (v^H (da - w_j db) v)_ij / (w_j - w_i), and on the diagonal
    -(v^H db v)_ii / 2.
    """
    if eigvals_only:
        w, v = eigh(a, b, lower=lower, check_finite=False)
        middle = diagonal_matrix(g)
    else:
        (gw, gv), (w, v) = g, y
        inner = turned(v) @ gv
        along = diagonal_of(inner)
        inner = without_phase("eigh", along, inner, inner)
        differences = w[..., None, :] - w[..., :, None]
        middle = over_differences(inner, differences, tolerance_of(w, w.shape[-1]), used_by(gv), _EQUAL)
        middle = middle + diagonal_matrix(gw)
    if b is None:
        return middle, v, None
    of_b = -middle * w[..., None, :]
    return middle, v, of_b if eigvals_only else of_b - diagonal_matrix(0.5 * along)


def _left(g: Any, y: Any, a: Array, b: Any, lower: Any, eigvals_only: Any) -> Array:
    if 0 in a.shape:
        return np.zeros_like(a)
    middle, v, _ = _basis_cotangents(g, y, eigvals_only, a, b, lower)
    return read_triangle(conjugate(v) @ middle @ turned(v), upper=not lower)


def _right(g: Any, y: Any, a: Array, b: Any, lower: Any, eigvals_only: Any) -> Array:
    if 0 in a.shape:
        return np.zeros_like(b)
    _, v, middle = _basis_cotangents(g, y, eigvals_only, a, b, lower)
    return read_triangle(conjugate(v) @ middle @ turned(v), upper=not lower)


def _check(name: str, b: Any, kind: Any) -> None:
    if kind != 1:
        raise ValueError(
            f"{name}: type={kind!r} is not differentiated; type=1 is a v = w b v: for a b v = w v write "
            f"{name}(a, inv(b))"
        )


@primitive(
    lambda g, y, a, b, lower, eigvals_only: _left(g, y, a, b, lower, eigvals_only),
    lambda g, y, a, b, lower, eigvals_only: _right(g, y, a, b, lower, eigvals_only),
    implements=linalg.eigh,
    analytic=False,
    examples=[
        example(sample(2, 2, make=definite), eigvals_only=True),
        example(sample(2, 2, make=spread_out)),
        example(sample(2, 2, make=spread_out), sample(2, 2, make=definite), lower=False),
        example(sample(2, 2, make=definite_complex), sample(2, 2, make=definite_complex), eigvals_only=True),
        example(sample(0, 0)),
    ],
    errors=[example(sample(2, 2), exactly([[1.0, 2.0], [2.0, 1.0]])), example(sample(2, 2), type=2)],
)
def eigh(
    a: Array, b: Any = None, lower: Any = True, eigvals_only: Any = False, overwrite_a: Any = False,
    overwrite_b: Any = False, type: Any = 1, check_finite: Any = True, driver: Any = None,  # noqa: A002
) -> Any:  # fmt: skip
    """Eigenvalues and vectors of a v = w v, or of a v = w b v with v^H b v = 1: dw = diag(v^H (da - w db) v).

    One triangle of ``a``, and of ``b``, is read and has a gradient.  LAPACK chooses the signs of the vectors, which
    count as constants.  If eigenvalues are equal and the loss depends on their vectors, the rule raises LinAlgError.
    A part of the spectrum (``subset_by_index``) is not differentiated: compute all of it, and take w[i:j].

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import eigh
    >>> grad(lambda b: eigh(np.eye(1), b)[0][0])(np.array([[2.0]])).tolist()
    [[-0.25]]
    """
    _check("eigh", b, type)
    given = (a,) if b is None else (a, b)
    return _eigh(*given, lower=lower, eigvals_only=eigvals_only, check_finite=check_finite, driver=driver)


@primitive(
    lambda g, y, a, b, lower: _left(g, y, a, b, lower, True),
    lambda g, y, a, b, lower: _right(g, y, a, b, lower, True),
    implements=linalg.eigvalsh,
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out), lower=False),
        example(sample(2, 2, make=spread_out), sample(2, 2, make=definite)),
    ],
)
def eigvalsh(
    a: Array, b: Any = None, lower: Any = True, overwrite_a: Any = False, overwrite_b: Any = False,
    type: Any = 1, check_finite: Any = True, driver: Any = None,  # noqa: A002
) -> Array:  # fmt: skip
    """The eigenvalues of ``eigh``; they have derivatives where some are equal, too."""
    _check("eigvalsh", b, type)
    given = (a,) if b is None else (a, b)
    return _eigvalsh(*given, lower=lower, check_finite=check_finite, driver=driver)


@primitive(
    lambda g, y, a, compute_uv: svd_rule(g, y, for_lapack(a), compute_uv),
    implements=linalg.svd,
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out)),
        example(sample(3, 2, make=spread_out), False),
        example(sample(2, 3, make=spread_out), compute_uv=False),
    ],
)
def svd(
    a: Array, full_matrices: Any = True, compute_uv: Any = True, overwrite_a: Any = False, check_finite: Any = True,
    lapack_driver: Any = "gesdd",
) -> Any:  # fmt: skip
    """a = u diag(s) v^H: ds = real(diag(u^H da v)); the signs of the vectors, which LAPACK chooses, are constants."""
    return _svd(
        a, full_matrices=full_matrices, compute_uv=compute_uv, check_finite=check_finite, lapack_driver=lapack_driver
    )


def svdvals(a: Array, overwrite_a: Any = False, check_finite: Any = True) -> Array:
    """The singular values, largest first."""
    return svd(a, compute_uv=False, check_finite=check_finite)


svdvals = composed(svdvals, [example(sample(2, 3, make=spread_out))])
