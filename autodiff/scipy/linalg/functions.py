"""Functions of a matrix: exponential, logarithm, square root.

None of the rules takes eigenvectors, so they are right at defective matrices, too.  That of the exponential is the
Fréchet derivative of the transposed matrix; that of the square root x is a Sylvester equation, x dx + dx x = da.  The
logarithm is a composition: square roots until the matrix is near the unit matrix, and there a Padé approximant.

Sources: A. Al-Mohy, N. Higham, "Computing the Fréchet Derivative of the Matrix Exponential" (2009); N. Higham,
"Functions of Matrices" (2008), chapters 3, 6 and 11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from numpy.polynomial.legendre import leggauss
from scipy import linalg

from ...arrays import is_foreign, turned, unless
from ...cotangents import unbroadcast
from ...ops.decompositions import spread_out, spread_out_complex
from ...primitive import exactly, example, sample
from ...recording import original
from ...registering import primitive
from ...tensor import Tensor
from ..compiled import ndarrays_only
from .equations import pulled_sylvester
from .parts import check_square, composed, every_element, for_lapack, in_dtype, sparing, unit

Array = Any


def _reached(A: Array) -> Array:
    """In how many ways the elements of a function of a matrix depend on those that are not left out."""
    n = A.shape[-1]
    return np.linalg.matrix_power(np.eye(n) + A, n)


_expm, _expm_frechet = sparing(linalg.expm, _reached), sparing(linalg.expm_frechet, every_element)
_sqrtm = sparing(linalg.sqrtm, known_form=False)


def one_negative(values: Array) -> Array:
    """A matrix with one eigenvalue that is negative, for examples."""
    return spread_out(values) * np.array([-1.0, 1.0], values.dtype)


def _block(a: Array, e: Array) -> Array:
    """[[a, e], [0, a]]: a function of it has in its upper right corner the derivative at ``a`` along ``e``."""
    shape = np.broadcast_shapes(a.shape, e.shape)
    a, e = np.broadcast_to(a, shape), np.broadcast_to(e, shape)
    return np.concatenate([
        np.concatenate([a, e], axis=-1),
        np.concatenate([np.zeros_like(a), a], axis=-1),
    ], axis=-2)  # fmt: skip


def _corner(e: Array) -> Array:
    """[[0, e], [0, 0]]."""
    return _block(np.zeros_like(e), e)


# -- exponential -------------------------------------------------------------------------------------------------


def _along(a: Array, e: Array) -> Array:
    """The derivative of expm at ``a`` along ``e``."""
    n = a.shape[-1]
    if n == 0:
        return e
    a = for_lapack(a)
    if a.ndim == 2:
        return expm_frechet(a, e, compute_expm=False, check_finite=False)
    return expm(_block(a, e))[..., :n, n:]


@primitive(
    lambda g, A: in_dtype(_along(turned(A), g), A.dtype),
    implements=linalg.expm,
    examples=[
        example(sample(3, 3, make=spread_out)),
        example(sample(2, 2, 2, make=spread_out_complex)),
        example(sample(0, 0)),
    ],
    errors=[example(sample(2, 3))],
)
def expm(A: Array) -> Array:
    """exp(A) = 1 + A + A² / 2! + ... of square matrices (..., n, n): the cotangent is the derivative at A^T along g.

    SciPy's function computes it; ``autodiff.expm`` has the same value and needs NumPy alone.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import expm
    >>> grad(lambda t: np.trace(expm(t * np.eye(2))))(0.0)
    2.0
    """
    check_square("expm", "A", A)
    return _expm(for_lapack(A))


def _frechet_cotangents(g: Any, A: Array, E: Array, compute_expm: Any) -> tuple[Array, Array]:
    """Those of the exponential, or None, and of the derivative."""
    return (g[0], g[1]) if compute_expm else (None, g)


def _frechet_left(g: Any, A: Array, E: Array, compute_expm: Any) -> Array:
    """Both results are blocks of expm([[A, E], [0, A]]), in which A stands twice."""
    n = A.shape[-1]
    of_value, of_derivative = _frechet_cotangents(g, A, E, compute_expm)
    found = _along(turned(_block(A, E)), _corner(of_derivative))
    gradient = found[..., :n, :n] + found[..., n:, n:]
    return gradient if of_value is None else gradient + _along(turned(A), of_value)


def _frechet_right(g: Any, A: Array, E: Array, compute_expm: Any) -> Array:
    return _along(turned(A), _frechet_cotangents(g, A, E, compute_expm)[1])


@primitive(
    lambda g, A, E, compute_expm: in_dtype(unbroadcast(_frechet_left(g, A, E, compute_expm), A.shape), A.dtype),
    lambda g, A, E, compute_expm: in_dtype(unbroadcast(_frechet_right(g, A, E, compute_expm), E.shape), E.dtype),
    examples=[
        example(sample(2, 2, make=spread_out), sample(2, 2)),
        example(sample(2, 2, make=spread_out), sample(2, 2), compute_expm=False),
    ],
    errors=[example(sample(2, 2), sample(3, 3))],
)
def expm_frechet(A: Array, E: Array, method: Any = None, compute_expm: Any = True, check_finite: Any = True) -> Any:
    """exp(A) and its derivative along E, or the derivative alone: the limit of (exp(A + t E) - exp(A)) / t.

    Both are blocks of the exponential of [[A, E], [0, A]], and so are differentiated as it is.  They have the precision
    of the arguments, where SciPy's are always in double precision.
    """
    A, E = for_lapack(A), for_lapack(E)
    check_square("expm_frechet", "A", A)
    found = _expm_frechet(A, E, method=method, compute_expm=compute_expm, check_finite=check_finite)
    dtype = np.result_type(A, E)
    return (in_dtype(found[0], A.dtype), in_dtype(found[1], dtype)) if compute_expm else in_dtype(found, dtype)


ndarrays_only.add(original(expm_frechet))


# -- the cut of the logarithm and of the square root --------------------------------------------------------------


def _eigenvalues(a: Array) -> Array:
    return np.linalg.eigvals(for_lapack(a.data if isinstance(a, Tensor) else a)) + 0j


def _on_the_cut(name: str, w: Array, value: Array) -> Array:
    """``value``; raise if eigenvalues of a real matrix on the negative axis are equal.

    A change parts them to both sides of the axis, where the function jumps.
    """
    n = w.shape[-1]
    size = np.max(np.abs(w), axis=-1, keepdims=True)
    near = (np.real(w) < 0) & (np.abs(np.imag(w)) <= 1e-12 * size)
    equal = np.abs(w[..., :, None] - w[..., None, :]) <= 1e-7 * size[..., None]
    bad = equal & near[..., :, None] & near[..., None, :] & ~np.eye(n, dtype=bool)
    return unless(bad, value, LinAlgError(
        f"{name}: the matrix has equal eigenvalues on the negative real axis, where {name} jumps, so it has no "
        "derivative there"
    ))  # fmt: skip


# -- square root -------------------------------------------------------------------------------------------------


def _sqrtm_rule(g: Array, A: Array, y: Array) -> Array:
    if A.shape[-1] == 0:
        return g
    if A.dtype.kind != "c" and y.dtype.kind == "c":
        g = _on_the_cut("sqrtm", _eigenvalues(A), g)
    return pulled_sylvester("sqrtm", y, y, g)


@primitive(
    lambda g, A, y: in_dtype(_sqrtm_rule(g, A, y), A.dtype),
    implements=linalg.sqrtm,
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out)),
        example(sample(2, 2, make=one_negative)),
        example(sample(2, 2, make=spread_out_complex)),
    ],
    errors=[example(sample(2, 3))],
)
def sqrtm(A: Array) -> Array:
    """The principal square root x of a square matrix, x x = A: x dx + dx x = dA.

    Complex if an eigenvalue is negative.  Raises LinAlgError, when it is differentiated, for a singular matrix and for
    equal eigenvalues on the negative axis.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import sqrtm
    >>> grad(lambda a: np.sum(sqrtm(a)))(4.0 * np.eye(2)).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    check_square("sqrtm", "A", A)
    return _as_real_as(A, _sqrtm(A))


def _as_real_as(A: Any, y: Array) -> Array:
    """A function of a real matrix, without its imaginary part if that is rounding: some versions of SciPy leave it."""
    if y.dtype.kind == "c" and 0 not in y.shape and getattr(A, "dtype", np.dtype(float)).kind != "c":
        limit = 100.0 * float(np.finfo(y.dtype).eps) * np.max(np.abs(y))
        if np.max(np.abs(np.imag(y))) <= limit:
            return np.real(y)
    return y


# -- logarithm ---------------------------------------------------------------------------------------------------

_ROOTS = 100
"""After so many square roots a matrix of double precision is near the unit matrix, unless it is singular."""
_NEAR = 0.264
"""So near the approximant of order 7 has all digits of double precision."""
_NODES = [((1.0 + x) / 2.0, w / 2.0) for x, w in zip(*(v.tolist() for v in leggauss(7)), strict=True)]


def logm(A: Array) -> Array:
    """The principal logarithm of a square matrix, the inverse of ``expm``: 2^k log(A^(1 / 2^k)), near the unit matrix.

    Composed of ``sqrtm`` and ``solve``, so it differentiates to any order, also at defective matrices.  Complex if an
    eigenvalue is negative.  SciPy's own draws random numbers, and in single precision has another dtype; this has
    ``A``'s precision.  Raises LinAlgError for a singular matrix and, when it is differentiated, for equal eigenvalues
    on the negative axis.

    Near 0, log(1 + x) is the integral of x / (1 + t x) over t from 0 to 1, by Gauss's rule: the Padé approximant.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import logm
    >>> grad(lambda a: np.trace(logm(a)))(np.array([[2.0, 1.0], [0.0, 2.0]])).round(12).tolist()
    [[0.5, 0.0], [-0.25, 0.5]]
    """
    check_square("logm", "A", A)
    A = for_lapack(A)
    if 0 in A.shape:
        return A
    if is_foreign(A):
        sqrtm(A)  # which says that SciPy takes NumPy's arrays alone
    one, root, roots = unit(A, A.shape[-1]), A, 0
    while not np.max(np.linalg.norm(root - one, 1, axis=(-2, -1))) <= _NEAR:
        if roots == _ROOTS or not np.all(np.isfinite(root)):
            raise LinAlgError("logm: the matrix is singular, or has infinite or NaN elements, and so no logarithm")
        root, roots = sqrtm(root), roots + 1
    x = root - one
    found: Any = sum(np.linalg.solve(one + t * x, (weight * 2.0**roots) * x) for t, weight in _NODES)
    return _as_real_as(A, found)


logm = composed(
    logm,
    examples=[example(sample(3, 3, make=spread_out)), example(sample(2, 2, make=one_negative))],
    errors=[example(sample(2, 3)), example(exactly([[1.0, 0.0], [0.0, 0.0]]))],
)
