"""Decompositions of a matrix: eigh, eig, svd, qr, cholesky and related functions.

The derivative is that of NumPy's computation.  ``eigh``, ``eigvalsh`` and ``cholesky`` read one triangle of their
argument.  So the gradient of the other triangle is zero, and an element off the diagonal counts twice.  For a symmetric
gradient, symmetrise first: ``np.linalg.eigvalsh((a + a.T) / 2)``.

Factors do not have a derivative everywhere.  Where they have none, the rule raises ``LinAlgError`` instead of returning
a number: eigenvectors of equal eigenvalues, singular vectors of equal singular values, ``qr`` of a matrix without full
rank, eigenvectors of a defective matrix.  The values (``eigvalsh``, ``svdvals``) always have a derivative.  If several
are equal, it belongs to the basis that LAPACK chose, and is right for every symmetric function of them, such as a sum
or a product.  Singular values of zero have derivative zero, as ``abs`` has at 0.  Complex vectors are defined up to a
phase; a loss that depends on the phase is refused.

Sources: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation"
(2008); S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010) for qr; I. Murray,
"Differentiation of the Cholesky decomposition" (2016); J. Townsend, "Differentiating the Singular Value Decomposition"
(2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ..arrays import is_foreign, owned, unless
from ..primitive import exactly, example, sample
from ..registering import composite, primitive
from ..structural import chosen
from ..tensor import Tensor
from .complexes import conjugate, hermitian, to_complex
from .indexing import getitem
from .kinks import across, by_convention

Array = Any

# -- examples ----------------------------------------------------------------------------------------------------


def spread_out(values: Array) -> Array:
    """A matrix with different singular values and eigenvalues, well away from zero."""
    rows, columns = values.shape[-2:]
    weights = np.eye(rows, columns) * np.arange(2.0, 2.0 + columns)
    return values * 0.125 + weights.astype(values.real.dtype)


def spread_out_complex(values: Array) -> Array:
    """The same with an imaginary part."""
    return spread_out(to_complex(values))


def definite(values: Array) -> Array:
    """A matrix whose lower and upper triangles each make a positive definite one, real on its diagonal."""
    matrix = values * 0.125 + 3.0 * np.eye(values.shape[-1], dtype=values.real.dtype)
    diagonal = np.eye(values.shape[-1], dtype=bool)
    return np.where(diagonal, matrix.real, matrix)


def definite_complex(values: Array) -> Array:
    """The same with an imaginary part off the diagonal."""
    return definite(to_complex(values))


SQUARES = [example(sample(3, 3, make=spread_out)), example(sample(2, 3, 3, make=spread_out)), example(sample(1, 1)),
           example(sample(0, 0)), example(sample(0, 2, 2))]  # fmt: skip

# -- parts -------------------------------------------------------------------------------------------------------


def _mt(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def diagonal_matrix(values: Array) -> Array:
    """A matrix with these values on its diagonal."""
    return values[..., None, :] * owned(np.eye(values.shape[-1], dtype=bool), values)


def diagonal_of(a: Array) -> Array:
    """The diagonal of each square matrix."""
    index = np.arange(a.shape[-1])
    return getitem(a, (..., index, index))


def lower_weights(like: Array, diagonal: float, n: int) -> Array:
    """1 below the diagonal, ``diagonal`` on it, 0 above."""
    weights = np.tri(n, k=-1) + diagonal * np.eye(n)
    return chosen(owned(weights.astype(np.finfo(like.dtype).dtype), like))


def read_triangle(gradient: Array, upper: bool) -> Array:
    """The gradient of a function of one triangle, from the gradient of the function of the whole Hermitian matrix."""
    weights = lower_weights(gradient, 0.5, gradient.shape[-1])
    return (gradient + hermitian(gradient)) * (_mt(weights) if upper else weights)


def tolerance_of(values: Array, n: int) -> Array:
    """A difference of eigenvalues or singular values below this is rounding."""
    return np.max(np.abs(values), axis=-1)[..., None, None] * (float(np.finfo(values.dtype).eps) * n)


def over_differences(numerator: Array, denominator: Array, tolerance: Array, used: Array, message: str) -> Array:
    """numerator / denominator off the diagonal, 0 on it; an error if two vectors belong to equal values.

    The numerator does not show that: even if it is zero by chance, the vectors jump.  ``used`` are the vectors on which
    the loss depends.
    """
    small = np.abs(denominator) <= tolerance
    off_diagonal = owned(~np.eye(numerator.shape[-1], dtype=bool), numerator)
    quotient = np.where(small, 0.0, numerator / np.where(small, 1.0, denominator))
    return unless(small & off_diagonal & (used[..., :, None] | used[..., None, :]), quotient, LinAlgError(message))


def used_by(cotangent: Array) -> Array:
    """Which columns a loss depends on."""
    return np.any(cotangent != 0, axis=-2)


def without_phase(name: str, products: Array, size: Array, value: Array) -> Array:
    """``value``; raise if the loss depends on the phase of complex vectors, which LAPACK chooses freely."""
    if products.dtype.kind != "c":
        return value
    limit = 1e3 * float(np.finfo(products.dtype).eps)
    bad = np.abs(np.imag(products)) > limit * (1.0 + np.max(np.abs(size)))
    return unless(bad, value, LinAlgError(
        f"{name}: the loss depends on the phase of complex vectors, which is arbitrary, and has no derivative; "
        "use what does not change with it: abs(v), or products v @ v.conj().T"
    ))  # fmt: skip


# -- eigenvalues of Hermitian matrices ---------------------------------------------------------------------------


def eigh_rule(g: Any, y: Any, UPLO: Any) -> Array:
    """The cotangent of a Hermitian matrix, by those of its eigenvalues and eigenvectors."""
    gw, gv = g
    w, v = y
    n = w.shape[-1]
    if w.size == 0:
        return conjugate(v) @ gv
    inner = _mt(v) @ gv
    inner = without_phase("eigh", diagonal_of(inner), inner, inner)
    rotation = over_differences(
        inner, w[..., None, :] - w[..., :, None], tolerance_of(w, n), used_by(gv),
        "eigh: two eigenvalues are equal, so their eigenvectors, and a loss that uses them, have no derivative; "
        "use eigvalsh, or a function of the matrix that needs no eigenvectors",
    )  # fmt: skip
    return read_triangle(conjugate(v) @ (rotation + diagonal_matrix(gw)) @ _mt(v), UPLO.upper() == "U")


def _triangle(name: str, part: Any) -> Any:
    """Which triangle of the matrix is read."""
    if part not in ("L", "U", "l", "u"):
        raise ValueError(f"{name}: UPLO={part!r}; it is 'L' or 'U'")
    return part


@primitive(
    lambda g, y, UPLO: eigh_rule(g, y, UPLO), implements=np.linalg.eigh, analytic=False,
    examples=[*SQUARES, example(sample(3, 3, make=spread_out), UPLO="U")],
)  # fmt: skip
def eigh(a: Array, UPLO: Any = "L") -> Any:
    """Eigenvalues and vectors of the symmetric matrix that one triangle describes: dw = diag(v^H da v).

    For vectors, dv = v ((v^H da v) / (w_j - w_i)).  LAPACK chooses their signs; these count as constants.  If
    eigenvalues are equal and the loss depends on their vectors, the rule raises.
    """
    return np.linalg.eigh(a, _triangle("eigh", UPLO))


def _eigvalsh_rule(g: Array, a: Array, UPLO: Any) -> Array:
    _, v = np.linalg.eigh(a, UPLO)
    return read_triangle(conjugate(v) @ (g[..., None] * _mt(v)), UPLO.upper() == "U")


@primitive(
    lambda g, a, UPLO: _eigvalsh_rule(g, a, UPLO), implements=np.linalg.eigvalsh, analytic=False,
    examples=[*SQUARES, example(sample(3, 3, make=spread_out), UPLO="U"), example(sample(2, 2, make=definite_complex))],
)  # fmt: skip
def eigvalsh(a: Array, UPLO: Any = "L") -> Array:
    """The eigenvalues of the symmetric matrix that one triangle describes: dw = diag(v^H da v)."""
    return np.linalg.eigvalsh(a, _triangle("eigvalsh", UPLO))


# -- eigenvalues of any matrix -----------------------------------------------------------------------------------


def _basis(name: str, v: Array) -> Array:
    """The eigenvectors; raise if they are not a basis, because the matrix is defective."""
    values = v.data if isinstance(v, Tensor) else v
    eps = float(np.finfo(values.dtype).eps)
    smallest = np.linalg.svd(values, compute_uv=False)[..., -1]
    return unless(smallest < 10 * values.shape[-1] * np.sqrt(eps) * np.sqrt(eps), v, LinAlgError(
        f"{name}: the matrix is defective (it has fewer eigenvectors than rows), and there its eigenvalues have "
        "no derivative"
    ))  # fmt: skip


def _from_basis(v: Array, middle: Array) -> Array:
    """V^-T middle V^T: a cotangent from the basis of eigenvectors."""
    return np.linalg.solve(_mt(v), middle @ _mt(v))


def _eig_rule(g: Any, y: Any) -> Array:
    gw, gv = g
    w, v = y
    n = w.shape[-1]
    if w.size == 0:
        return gv
    v = _basis("eig", v)
    # LAPACK scales each vector to length 1 and makes its largest component real: the adjoint of that scaling
    along = np.sum(gv * v, axis=-2, keepdims=True)
    free = gv - np.real(along) * conjugate(v)
    if v.dtype.kind == "c":
        largest = np.argmax(np.abs(v), axis=-2, keepdims=True)
        pivot = np.take_along_axis(v, largest, axis=-2)
        at_pivot = owned(np.arange(n)[:, None], largest) == largest
        free = free + np.where(at_pivot, np.imag(along) / pivot * -1j, 0.0)
    rotation = over_differences(
        _mt(v) @ free, w[..., None, :] - w[..., :, None], tolerance_of(w, n), used_by(gv),
        "eig: two eigenvalues are equal, so their eigenvectors, and a loss that uses them, have no derivative; "
        "use eigvals",
    )  # fmt: skip
    return _from_basis(v, rotation + diagonal_matrix(gw))


@primitive(
    lambda g, y: _eig_rule(g, y), implements=np.linalg.eig, analytic=False,
    examples=[*SQUARES, example(sample(3, 3, make=spread_out_complex))],
)  # fmt: skip
def eig(a: Array) -> Any:
    """Eigenvalues and vectors of length 1, both complex: dw = diag(v^-1 da v); a defective matrix is an error."""
    return np.linalg.eig(a)


def _eigvals_rule(g: Array, a: Array) -> Array:
    if a.size == 0:
        return a
    _, v = np.linalg.eig(a)
    return _from_basis(_basis("eigvals", v), diagonal_matrix(g))


@primitive(
    lambda g, a: _eigvals_rule(g, a), implements=np.linalg.eigvals, analytic=False,
    examples=[*SQUARES, example(sample(3, 3, make=spread_out_complex))],
)  # fmt: skip
def eigvals(a: Array) -> Array:
    """The eigenvalues of any square matrix: dw = diag(v^-1 da v)."""
    return np.linalg.eigvals(a)


# -- singular values ---------------------------------------------------------------------------------------------

_NO_VECTORS = (
    "svd: two singular values are equal, so their singular vectors, and a loss that uses them, have no derivative; "
    "use svdvals, or a function of the matrix that needs no vectors"
)


def _nonzero_values(gs: Array, s: Array, tolerance: Array) -> Array:
    """The cotangents of singular values, 0 by convention for those that are zero."""
    kept = s > tolerance[..., 0]
    slope = by_convention(np.where(kept, s.dtype.type(1.0), 0.0), (s,), lambda: (s, kept))
    return across(gs, (s,), lambda: kept) * slope


def svd_rule(g: Any, y: Any, a: Array, compute_uv: bool) -> Array:
    """The cotangent of a; written with Hermitian adjoints, whose convention is conjugate to the engine's."""
    if not compute_uv:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        values = _nonzero_values(g, s, tolerance_of(s, max(a.shape[-2:]))) if s.size else g
        return conjugate((u * values[..., None, :]) @ vh)
    u, s, vh = y
    gu, gs, gvh = (conjugate(part) for part in g)
    rows, columns, k = a.shape[-2], a.shape[-1], s.shape[-1]
    beyond = LinAlgError(
        f"svd: the vectors beyond the first {k} of a {rows} x {columns} matrix are an arbitrary basis and have no "
        "derivative; use full_matrices=False"
    )
    if gu.shape[-1] > k or gvh.shape[-2] > k:
        gu = unless(gu[..., :, k:] != 0, gu, beyond)
        gvh = unless(gvh[..., k:, :] != 0, gvh, beyond)
    u, gu, v, gv = u[..., :, :k], gu[..., :, :k], hermitian(vh[..., :k, :]), hermitian(gvh[..., :k, :])
    if s.size == 0:
        return a
    tolerance = tolerance_of(s, max(rows, columns))
    x, z = hermitian(u) @ gu, hermitian(v) @ gv
    phases = diagonal_of(x)
    x = without_phase("svd", phases + diagonal_of(z), abs(x) + abs(z), x)
    x, z = x - hermitian(x), z - hermitian(z)
    s_i, s_j = s[..., :, None], s[..., None, :]
    # (x s_j + s_i z) / (s_j² - s_i²), split so that close singular values cancel as little as they can
    used = used_by(gu) | used_by(gv)
    middle = over_differences(x + z, s_j - s_i, tolerance, used, _NO_VECTORS) + over_differences(
        x - z, s_j + s_i, tolerance, used, _NO_VECTORS
    )
    off_diagonal = owned(~np.eye(k, dtype=bool), middle)
    middle = np.where(off_diagonal, 0.5 * middle, 0.0) + diagonal_matrix(_nonzero_values(gs, s, tolerance))
    if a.dtype.kind == "c":
        middle = middle + diagonal_matrix(np.imag(phases) / s * 1j)
    gradient = u @ middle @ hermitian(v)
    if rows > k:
        gradient = gradient + _outside(gu, u, s, tolerance) @ hermitian(v)
    if columns > k:
        gradient = gradient + u @ hermitian(_outside(gv, v, s, tolerance))
    return conjugate(gradient)


def _outside(gu: Array, u: Array, s: Array, tolerance: Array) -> Array:
    """The part of a cotangent that turns the vectors out of their span, over the singular values."""
    part = gu - u @ (hermitian(u) @ gu)
    zero = (s <= tolerance[..., 0])[..., None, :]
    return unless(zero & (gu != 0), part / np.where(zero, 1.0, s[..., None, :]), LinAlgError(
        "svd: a singular value is zero (the matrix has not full rank), so its singular vectors have no derivative"
    ))  # fmt: skip


@primitive(
    lambda g, y, a, compute_uv: svd_rule(g, y, a, compute_uv), implements=np.linalg.svd, analytic=False,
    examples=[
        *SQUARES, *[example(e.args[0], compute_uv=False) for e in SQUARES],
        example(sample(4, 2, make=spread_out), full_matrices=False), example(sample(2, 3, make=spread_out), False),
        example(sample(2, 3, make=spread_out_complex), compute_uv=False),
    ],
)  # fmt: skip
def svd(a: Array, full_matrices: bool = True, compute_uv: Any = True) -> Any:
    """a = u diag(s) v^H: ds = real(diag(u^H da v)).  LAPACK chooses the signs of the vectors; these count as constants.

    If singular values are equal and the loss depends on their vectors, the rule raises; a loss of the values is
    allowed.
    """
    if not is_foreign(a):
        return np.linalg.svd(a, full_matrices, compute_uv)
    parts = np.linalg.svd(a, full_matrices=full_matrices and compute_uv and a.shape[-2] != a.shape[-1])
    return parts if compute_uv else parts[1]


@composite(np.linalg.svdvals, examples=[*SQUARES, example(sample(2, 3, make=spread_out))])
def svdvals(x: Array) -> Array:
    """The singular values, largest first."""
    return np.linalg.svd(x, compute_uv=False)


# -- triangular factors ------------------------------------------------------------------------------------------


def _over_triangular(b: Array, r: Array) -> Array:
    """b r^-H."""
    return hermitian(np.linalg.solve(r, hermitian(b)))


def _square_qr_rule(gq: Array, gr: Array, q: Array, r: Array) -> Array:
    """For at least as many rows as columns; in the convention of Hermitian adjoints."""
    size = np.abs(diagonal_of(r))
    m = r @ hermitian(gr) - hermitian(gq) @ q
    if r.size:
        bad = size <= tolerance_of(size, q.shape[-2])[..., 0]
        m = unless(bad, m, LinAlgError("qr: the matrix has not full rank, so its factors have no derivative there"))
    lower = m * lower_weights(m, 0.5, m.shape[-1])
    return _over_triangular(gq + q @ (lower + hermitian(lower)), r)


def _qr_rule(g: Any, y: Any, a: Array, mode: str) -> Array:
    if mode == "r":
        q, r = np.linalg.qr(a)
        return qr_rule(np.zeros_like(q), g, q, r, a)
    (gq, gr), (q, r) = g, y
    return qr_rule(gq, gr, q, r, a)


def qr_rule(gq: Array, gr: Array, q: Array, r: Array, a: Array) -> Array:
    """The cotangent of a = q r, of as many columns in q as there are independent ones."""
    gq, gr = conjugate(gq), conjugate(gr)
    rows, columns = a.shape[-2:]
    if rows >= columns:
        return conjugate(_square_qr_rule(gq, gr, q, r))
    left, right = r[..., :, :rows], a[..., :, rows:]
    g_right = gr[..., :, rows:]
    g_left = _square_qr_rule(gq + right @ hermitian(g_right), gr[..., :, :rows], q, left)
    return conjugate(np.concatenate([g_left, q @ g_right], axis=-1))


@primitive(
    lambda g, y, a, mode: _qr_rule(g, y, a, mode), implements=np.linalg.qr, analytic=False,
    examples=[
        *SQUARES, example(sample(4, 2, make=spread_out)), example(sample(2, 4, make=spread_out)),
        example(sample(3, 2, make=spread_out), "r"), example(sample(2, 3, make=spread_out), mode="r"),
        example(sample(3, 2, make=spread_out_complex)), example(sample(2, 3, make=spread_out_complex)),
        example(sample(2, 2, make=spread_out), mode="complete"),
    ],
)  # fmt: skip
def qr(a: Array, mode: str = "reduced") -> Any:
    """a = q r with orthonormal columns in q and r upper triangular; needs columns that are independent."""
    if mode not in ("reduced", "r", "complete"):
        raise ValueError(f"qr: mode '{mode}' is not differentiated; use 'reduced', 'r' or 'complete'")
    if mode == "complete" and a.shape[-2] > a.shape[-1]:
        raise ValueError(
            f"qr: mode 'complete' of shape {a.shape} adds an arbitrary basis, which has no derivative; use 'reduced'"
        )
    if mode == "r":
        return np.linalg.qr(a)[1] if is_foreign(a) else np.linalg.qr(a, "r")
    return np.linalg.qr(a)  # "complete" too, since there is nothing to add


def _cholesky_rule(g: Array, y: Array) -> Array:
    inner = _mt(y) @ g
    inner = inner * lower_weights(inner, 0.5, inner.shape[-1])
    left = np.linalg.solve(_mt(y), inner)
    return read_triangle(_mt(np.linalg.solve(hermitian(y), _mt(left))), upper=False)


@primitive(
    lambda g, y, upper: hermitian(_cholesky_rule(hermitian(g), hermitian(y))) if upper else _cholesky_rule(g, y),
    implements=np.linalg.cholesky, analytic=False, errors=[example(exactly([[1.0, 2.0], [2.0, 1.0]]))],
    examples=[
        example(sample(3, 3, make=definite)), example(sample(2, 2, 2, make=definite)), example(sample(0, 0)),
        example(sample(3, 3, make=definite), upper=True), example(sample(3, 3, make=definite_complex)),
        example(sample(2, 2, make=definite_complex), upper=True), example(sample(1, 1, make=definite)),
    ],
)  # fmt: skip
def cholesky(a: Array, /, upper: bool = False) -> Array:
    """The lower factor l of a = l l^H, read from one triangle: dl = l phi(l^-1 da l^-H), phi halves the diagonal."""
    return np.linalg.cholesky(a, upper=True) if upper else np.linalg.cholesky(a)
