"""Functions of ``scipy.linalg`` with derivatives, under SciPy's names and with SciPy's values.

Systems of equations with matrices of any structure, factors that are differentiated through, functions of matrices,
matrix equations, structured matrices.  Stacks (..., n, n) are computed where the installed SciPy does that.
"""

from __future__ import annotations

from ...primitive import lasting

with lasting():
    from .equations import solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester
    from .factors import cho_factor, cho_solve, cholesky, lu, lu_factor, lu_solve, qr
    from .functions import expm, expm_frechet, logm, sqrtm
    from .solving import det, inv, pinv, solve, solve_triangular
    from .spectral import eigh, eigvalsh, svd, svdvals
    from .squares import lstsq
    from .structured import block_diag, circulant, hankel, toeplitz

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
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
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "toeplitz",
]
