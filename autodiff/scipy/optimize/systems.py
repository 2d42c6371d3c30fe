"""The linear system of an implicit derivative: solved with its matrix, or by products with it alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...examples import Examples, every
from ...graph import GraphError
from ...tensor import Tensor, value_of
from ...transforms import BatchingError

Array = Any

DENSE = 200
"""Unknowns up to which the matrix is made: its factors cost less than products."""
LARGEST = 3000
"""Unknowns up to which it is made where products do not do."""
WAYS = ("auto", "dense", "iterative", "lstsq")
NEAR, ALMOST = 1e-3, 1e-6
"""How far a point may be from the solution, relative to its size, for a derivative to be taken there: where the method
has converged by its own tolerances, and where it has not."""


class Condition(NamedTuple):
    """How the derivative is computed, and at which points it may be."""

    symmetric: bool = False
    solve: str = "auto"
    converged: bool = True
    said: str = ""
    unconverged: str = "refuse"
    refusal: str = ""

    def check(
        self,
        matrix: Callable[[], Array],
        along: Callable[[Any], Any],
        residual: Any,
        u: Array,
        who: str,
    ) -> None:
        """Raise GraphError if the point is not near the solution, by the length of Newton's step from it.

        ``matrix()`` is the derivative of the equations, ``along(w)`` its product with w.
        """
        if self.refusal:
            raise GraphError(
                f"{who}: the solution lies on {self.refusal} that does not hold it there (its multiplier is zero), so "
                "it moves with the parameters to one side only, and has no derivative; change a parameter a little, or "
                "leave the bound or constraint away"
            )
        if self.unconverged == "allow":
            return
        values = every(residual)
        if not np.all(np.isfinite(values)):
            raise GraphError(f"{who}: the equations are not finite at the solution, so it has no derivative")
        if not np.any(values):
            return
        step = solved(self, who, values, lambda: np.transpose(matrix()), along)
        distance = float(np.max(np.abs(every(step)))) / (1.0 + float(np.max(np.abs(u))))
        most = NEAR if self.converged else ALMOST
        if not distance <= most:
            how = "" if self.converged else f" did not converge ({self.said.rstrip('.')}), and"
            raise GraphError(
                f"{who}:{how} the derivative of the solution would be wrong at this point, which is about "
                f"{distance:.1g} of its size away from the solution (Newton's step; {most:g} is allowed). Let the "
                "method go on (a smaller tol, more maxiter), start nearer, or say unconverged='allow' to differentiate "
                "anyway. Where the solution is a kink of the function, it has no derivative of this kind"
            )


def condition_of(who: str, solve: str, unconverged: str) -> Condition:
    """How a user wants derivatives to be computed, or an error."""
    if solve not in WAYS:
        raise ValueError(f"{who}: solve is one of {', '.join(map(repr, WAYS))}; got {solve!r}")
    if unconverged not in ("refuse", "allow"):
        raise ValueError(f"{who}: unconverged is 'refuse' or 'allow'; got {unconverged!r}")
    return Condition(solve=solve, unconverged=unconverged)


def solved(
    condition: Condition,
    who: str,
    g: Any,
    matrix: Callable[[], Array],
    product: Callable[[Any], Any],
    solution: Callable[..., Any] | None = None,
) -> Any:
    """v of M^T v = g, where ``matrix()`` is M and ``product(v)`` is M^T v.

    With ``solution`` all are Tensors, and so is v: it is recorded as the solution of that equation.
    """
    size = g.shape[0]
    way = condition.solve
    if way == "lstsq":
        return np.transpose(np.linalg.pinv(matrix(), rcond=1e-10)) @ g
    if way == "dense" or (way == "auto" and size <= DENSE):
        return _by_the_matrix(who, matrix(), g)
    if isinstance(value_of(g), Examples):
        raise BatchingError(f"{who}: a system of {size} unknowns is solved for one right side at a time")
    right = value_of(g)
    found = _by_products(condition, lambda w: value_of(product(w)), right)
    if found is None:
        if way == "iterative" or size > LARGEST:
            raise GraphError(
                f"{who}: conjugate gradients do not solve the {size} linear equations of the derivative: the matrix "
                "is singular, or badly scaled; scale the unknowns, add a small quadratic term to the objective, or "
                "make the matrix: solve='dense'"
            )
        return _by_the_matrix(who, matrix(), g)
    if not isinstance(g, Tensor):
        return found
    assert solution is not None
    linear = Condition(symmetric=condition.symmetric, solve=way)
    return solution(lambda w: product(w) - g, found, who, linear)


def _by_the_matrix(who: str, matrix: Any, g: Any) -> Any:
    """The system solved by its factors, which say whether it is singular."""
    values = every(value_of(matrix))
    if not np.all(np.isfinite(values)):
        raise GraphError(
            f"{who}: a second derivative is not finite at the solution, where the function has a kink or a pole, so "
            "the solution has no derivative"
        )
    condition = _reciprocal_condition(values)
    if not condition > 1e-14:
        raise GraphError(
            f"{who}: the solution is no function of the parameters: the matrix of its {len(values)} linear equations "
            f"is singular (reciprocal condition number {condition:.1g}), so the solution can move along a direction. "
            "Hold what is redundant still (fixed=), add a small quadratic term to the objective "
            "(1e-6 * np.sum(x**2)), or take the shortest change: solve='lstsq'"
        )
    return np.linalg.solve(np.swapaxes(matrix, -1, -2), g)


def _reciprocal_condition(matrix: Array) -> float:
    """The reciprocal condition number of a matrix in the 1-norm, its rows and columns scaled alike; 0 if singular."""
    from scipy.linalg import lapack  # type: ignore[import-untyped,unused-ignore]

    if matrix.ndim != 2:
        return min(map(_reciprocal_condition, matrix), default=1.0)
    if not len(matrix):
        return 1.0
    with np.errstate(all="ignore"):
        rows = np.max(np.abs(matrix), axis=1, keepdims=True)
        scaled = matrix / np.where(rows == 0, 1.0, rows)
        columns = np.max(np.abs(scaled), axis=0, keepdims=True)
        scaled = scaled / np.where(columns == 0, 1.0, columns)
    factors, _, info = lapack.dgetrf(np.asarray(scaled, dtype=float))
    if info:
        return 0.0
    return float(lapack.dgecon(factors, np.abs(scaled).sum(axis=0).max())[0])


def _by_products(condition: Condition, product: Callable[[Any], Any], right: Array) -> Array | None:
    """Conjugate gradients, or GMRES where the matrix is not symmetric; None if the equations do not hold after it."""
    from scipy.sparse.linalg import LinearOperator, cg, gmres  # type: ignore[import-untyped,unused-ignore]

    size = len(right)
    scale = float(np.linalg.norm(right))
    if not scale:
        return np.zeros_like(right)
    operator = LinearOperator((size, size), matvec=product, dtype=right.dtype)
    tries = [(cg, {"maxiter": 5 * size})] if condition.symmetric else []
    for method, options in [*tries, (gmres, {"restart": min(size, 200), "maxiter": 20})]:
        with np.errstate(all="ignore"):
            found, _ = method(operator, right / scale, rtol=1e-12, atol=0.0, **options)
            if np.linalg.norm(product(found) - right / scale) <= 1e-8:
                return found * scale
    return None
