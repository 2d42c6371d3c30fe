"""Functions of ``scipy.linalg`` that JAX has with other arguments, or of which it reads other elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.scipy.linalg

from ..exporting import called, refuse
from ..instruction import Instruction
from .functions import hermitian_of
from .guards import Flags
from .types import canonical

Array = Any

_HOW = ("check_finite", "overwrite_a", "overwrite_b", "lapack_driver", "driver")
"""What changes how something is computed, and not what."""


def of_linalg(function: Any) -> Callable[..., Any] | None:
    """What computes a function of ``scipy.linalg`` in JAX; None if there is none."""
    module, _, name = called(function).rpartition(".")
    if module != "scipy.linalg":
        return None
    found = _OWN.get(name) or _plain(getattr(jax.scipy.linalg, name, None))
    if found is None:
        return None

    def call(i: Instruction, flags: Flags, *args: Any, **kwargs: Any) -> Any:
        return found(i, *args, **{name: value for name, value in kwargs.items() if name not in _HOW})

    return call


def _plain(function: Any) -> Callable[..., Any] | None:
    return None if function is None else lambda i, *args, **kwargs: function(*args, **kwargs)


def _cholesky(i: Instruction, a: Array, lower: bool = False) -> Array:
    """SciPy looks at one triangle, JAX at both."""
    return jnp.linalg.cholesky(hermitian_of(a, not lower), upper=not lower, symmetrize_input=False)


def _eigh(i: Instruction, a: Array, b: Array = None, lower: bool = True, eigvals_only: bool = False) -> Any:
    if b is not None:
        refuse("to_jax", i, "JAX has no eigenvalues of a pencil (a, b)")
    values, vectors = jnp.linalg.eigh(hermitian_of(a, not lower), symmetrize_input=False)
    return values if eigvals_only else (values, vectors)


def _solve(
    i: Instruction, a: Array, b: Array, lower: bool = False, assume_a: Any = None, transposed: bool = False
) -> Array:
    """The matrix that SciPy reads from the elements that it reads."""
    if assume_a in ("sym", "symmetric"):
        a = jnp.tril(a) + jnp.tril(a, -1).mT if lower else jnp.triu(a) + jnp.triu(a, 1).mT
    elif assume_a in ("her", "hermitian", "pos", "positive definite"):
        a = hermitian_of(a, not lower)
    elif assume_a in ("upper triangular", "lower triangular"):
        a = jnp.triu(a) if assume_a[0] == "u" else jnp.tril(a)
    elif assume_a in ("diagonal", "tridiagonal"):
        width = int(assume_a[0] == "t")
        a = jnp.tril(jnp.triu(a, -width), width)
    return jnp.linalg.solve(jnp.matrix_transpose(a) if transposed else a, b)


def _lu(i: Instruction, a: Array, permute_l: bool = False, p_indices: bool = False) -> Any:
    if permute_l or not p_indices:
        return jax.scipy.linalg.lu(a, permute_l=permute_l)
    p, lower, upper = jax.scipy.linalg.lu(a)
    return jnp.argmax(p, axis=-1).astype(canonical(i.result[0])), lower, upper


def _det(i: Instruction, a: Array) -> Array:
    return jnp.linalg.det(jnp.asarray(a).astype(canonical(i.result)))


def _sqrtm(i: Instruction, a: Array) -> Array:
    """JAX's is complex always."""
    found = jax.scipy.linalg.sqrtm(a)
    return found if i.result.dtype.kind == "c" else jnp.real(found)


def _pinv(i: Instruction, a: Array, atol: Any = None, rtol: Any = None) -> Array:
    if atol is not None:
        refuse("to_jax", i, "atol= is not exported; write rtol=")
    return jnp.linalg.pinv(a, rtol=rtol)


_OWN: dict[str, Callable[..., Any]] = {
    "cholesky": _cholesky, "eigh": _eigh, "solve": _solve, "lu": _lu, "det": _det, "sqrtm": _sqrtm,
    "eigvalsh": lambda i, a, b=None, lower=True: _eigh(i, a, b, lower, True),
    "pinv": _pinv,
}  # fmt: skip
