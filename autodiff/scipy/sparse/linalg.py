"""``scipy.sparse.linalg``: solutions of sparse equations, direct by factors, and iterative by products alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..optimize.linear import bicgstab as bicgstab
from ..optimize.linear import cg as cg
from ..optimize.linear import gmres as gmres
from .arrays import parts_of
from .products import Factors, solution


class Splu:
    """The factors of a sparse matrix, made once: see :func:`splu`."""

    def __init__(self, a: Any) -> None:
        self._data, self._indices, self._indptr, self.shape = parts_of("splu", a)
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"splu: the matrix is square, got shape {self.shape}")
        self._factors = Factors()

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """The solution x of A x = rhs, of Aᵀ x = rhs for ``trans="T"``; a vector, or the columns of a matrix."""
        if trans not in ("N", "T"):
            raise ValueError(f"splu: trans is 'N' or 'T', got {trans!r}; for the adjoint solve with np.conj(A)")
        rhs = rhs if hasattr(rhs, "__array_function__") else np.asarray(rhs)
        shape = np.shape(rhs)
        if len(shape) not in (1, 2) or shape[0] != self.shape[0]:
            raise ValueError(f"splu: a right side of shape {shape} does not fit a matrix of shape {self.shape}")
        return solution(self._data, rhs, self._indices, self._indptr, self._factors, trans == "T")


def splu(A: Any) -> Splu:
    """``scipy.sparse.linalg.splu``: factors that solve for many right sides, by the stored values too.

    Raises LinAlgError at the first solution if the matrix is singular.

    >>> from scipy.sparse import csc_array
    >>> splu(csc_array(np.diag([2.0, 4.0]))).solve(np.array([2.0, 2.0])).tolist()
    [1.0, 0.5]
    """
    return Splu(A)


def spsolve(A: Any, b: Any) -> Any:
    """The solution x of A x = b: dx = A⁻¹ (db - dA x), where dA is zero beside the stored values.

    ``A`` is a sparse array of any format, or one of Tensors; ``b`` a vector, or a matrix of right sides.  Raises
    LinAlgError for a singular matrix, where SciPy warns and gives NaN.

    >>> from scipy.sparse import csr_array
    >>> from autodiff import grad
    >>> A = csr_array(np.array([[2.0, 1.0], [0.0, 4.0]]))
    >>> grad(lambda b: spsolve(A, b)[0])(np.array([1.0, 2.0])).tolist()
    [0.5, -0.125]
    """
    return Splu(A).solve(b)


def factorized(A: Any) -> Callable[[Any], Any]:
    """A function that solves A x = b for many b: ``splu(A).solve``."""
    return Splu(A).solve
