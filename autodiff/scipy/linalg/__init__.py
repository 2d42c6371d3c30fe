"""Functions of ``scipy.linalg`` with derivatives, under SciPy's names and with SciPy's values.

Systems of equations with matrices of any structure, factors that are differentiated through, functions of matrices,
matrix equations, structured matrices.  Stacks (..., n, n) are computed where the installed SciPy does that.
"""

from __future__ import annotations

from ...primitive import lasting

with lasting():
    from .banded import cho_solve_banded, cholesky_banded, solve_banded, solveh_banded
    from .cholesky import cho_factor, cho_solve, cholesky
    from .circulants import solve_circulant, solve_toeplitz
    from .elimination import lu, lu_factor, lu_solve
    from .equations import solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester
    from .functions import expm, expm_frechet, logm, sqrtm
    from .orthogonal import qr
    from .solving import det, inv, pinv, solve, solve_triangular
    from .spectral import eigh, eigvalsh, svd, svdvals
    from .squares import lstsq
    from .structured import block_diag, circulant, hankel, toeplitz

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cho_solve_banded",
    "cholesky",
    "cholesky_banded",
    "circulant",
    "det",
    "eigh",
    "eigvalsh",
    "expm",
    "expm_frechet",
    "hankel",
    "inv",
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "pinv",
    "qr",
    "solve",
    "solve_banded",
    "solve_circulant",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "solveh_banded",
    "sqrtm",
    "svd",
    "svdvals",
    "toeplitz",
]
