"""Linear systems whose matrix is a function: SciPy's iterative solvers, and their solutions as Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse.linalg  # type: ignore[import-untyped,unused-ignore]
from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped,unused-ignore]

from ...examples import Examples
from ...primitive import Primitive
from ...recording import callable_of
from ...tensor import value_of
from ...transforms import BatchingError
from ...tree import flatten_like
from ...unrecorded import no_grad
from .layout import Layout, detached
from .mapped import by_example
from .objective import vector_of
from .solutions import solution
from .systems import Condition

Array = Any


def _matrix_product(x: Array, matrix: Any) -> Array:
    """A product with a constant matrix that is no array: a sparse one, or an operator."""
    if isinstance(x, Examples):
        raise BatchingError(f"{type(matrix).__name__}: multiplies one vector at a time")
    return np.asarray(matrix @ x)


def _pulled(g: Any, matrix: Any) -> Any:
    return _entry.call(g, matrix.T)


_entry = Primitive(
    _matrix_product, _matrix_product, {"x": _pulled}, name="matrix product", parameters=("x", "matrix")
)  # fmt: skip
_entry.call = callable_of(_entry)


def _function_of(A: Any, who: str) -> Callable[[Any], Any]:
    """x -> A x, of a matrix in any form."""
    if scipy.sparse.issparse(A) or isinstance(A, LinearOperator):
        return lambda x: _entry.call(x, A)
    if callable(A):
        return A  # type: ignore[no-any-return]
    if isinstance(A, int | float) or not hasattr(A, "__matmul__"):
        raise TypeError(f"{who}: A is a matrix, an operator, or a function x -> A x; got a {type(A).__name__}")
    return lambda x: A @ x  # an array, a Tensor, a sparse array of Tensors


class _System:
    """A x = b over a nesting x."""

    def __init__(self, who: str, A: Any, b: Any, x0: Any) -> None:
        self.who, self.apply, self.b = who, _function_of(A, who), b
        self.layout = Layout(detached(b) if x0 is None else x0, who)
        flatten_like(b, self.layout.nesting, f"{who}: b")
        self.start = None if x0 is None else self.layout.start
        self.right = Layout(detached(b), who).start

    def product(self, u: Any) -> Any:
        """The product with a vector."""
        made = vector_of(self.apply(self.layout.tree(u)), self.who, "A")
        if made.shape != (self.layout.size,):
            raise ValueError(
                f"{self.who}: A makes {made.size} numbers of {self.layout.size}; its matrix must be square"
            )
        return made

    def equations(self, u: Any) -> Any:
        """A x - b."""
        return self.product(u) - vector_of(self.b, self.who, "b")

    def operator(self, function: Any = None) -> Any:
        """The product, or another one of a nesting, for SciPy."""
        size = self.layout.size
        if function is not None and (isinstance(function, LinearOperator) or not callable(function)):
            return function

        def matvec(v: Array) -> Array:
            v = np.ravel(v)
            with no_grad():
                made = self.product(v) if function is None else vector_of(function(self.layout.tree(v)), self.who, "M")
            return np.asarray(value_of(made), dtype=float)

        return LinearOperator((size, size), matvec=matvec, dtype=float)


def _solved(who: str, A: Any, b: Any, x0: Any, M: Any, callback: Any, options: dict[str, Any]) -> Any:
    """The solution and what SciPy says of it."""

    def search(given: Any) -> Any:
        system = _System(who, A, given[0], given[1])
        called = None
        if callback is not None:
            called = lambda z: callback(z if np.ndim(z) == 0 else system.layout.result(z))  # noqa: E731
        with np.errstate(all="ignore"):
            found, info = getattr(scipy.sparse.linalg, who)(
                system.operator(), system.right, x0=system.start, M=None if M is None else system.operator(M),
                callback=called, **options,
            )  # fmt: skip
        converged = info == 0
        condition = Condition(
            symmetric=who == "cg", converged=converged, said=f"info is {info}",
            unconverged="allow" if converged else "refuse",  # the derivative by b is the same everywhere
        )  # fmt: skip
        return system.layout.result(solution(system.equations, np.asarray(found), who, condition)), info

    each = by_example(who, (b, x0), lambda given: search(given)[0])
    return search((b, x0)) if each is None else (each, 0)


def cg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: Any = None,
    callback: Callable[[Any], Any] | None = None,
) -> tuple[Any, int]:
    """The solution of A x = b by conjugate gradients, A symmetric and positive: :func:`scipy.sparse.linalg.cg`.

    ``A`` is a matrix in any form, or a linear function of a nesting as ``b``; ``M`` approximates its inverse, and is a
    function of a nesting, too, or a matrix.  Returns ``x`` in the nesting of ``b``, and 0 if it has converged.

    If ``b``, or what ``A`` uses, are Tensors, so is ``x``: dx = A^-1 (db - dA x).  The same system is solved once more
    for a derivative.

    >>> import numpy as np
    >>> from autodiff import jacobian
    >>> from autodiff.scipy.sparse.linalg import cg
    >>> laplacian = lambda x: 2 * x - np.concatenate([x[1:], np.zeros(1)]) - np.concatenate([np.zeros(1), x[:-1]])
    >>> np.round(jacobian(lambda b: cg(laplacian, b)[0])(np.ones(3)), 6).tolist()
    [[0.75, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.75]]
    """
    return _solved("cg", A, b, x0, M, callback, {"rtol": rtol, "atol": atol, "maxiter": maxiter})  # type: ignore[no-any-return]


def bicgstab(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    M: Any = None,
    callback: Callable[[Any], Any] | None = None,
) -> tuple[Any, int]:
    """The solution of A x = b by stabilized biconjugate gradients: :func:`scipy.sparse.linalg.bicgstab`.

    The arguments, the result and its derivatives are those of :func:`cg`; A need not be symmetric.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.sparse.linalg import bicgstab
    >>> x = lambda s: bicgstab(lambda x: s * x + np.roll(x, 1) * 0.5, np.ones(4))[0]
    >>> round(grad(lambda s: np.sum(x(s)))(1.5), 6)  # each x is 1 / (s + 0.5)
    -1.0
    """
    options = {"rtol": rtol, "atol": atol, "maxiter": maxiter}
    return _solved("bicgstab", A, b, x0, M, callback, options)  # type: ignore[no-any-return]


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    rtol: float = 1e-5,
    atol: float = 0.0,
    restart: int | None = None,
    maxiter: int | None = None,
    M: Any = None,
    callback: Callable[[Any], Any] | None = None,
    callback_type: str = "pr_norm",
) -> tuple[Any, int]:
    """The solution of A x = b by generalized minimal residuals: :func:`scipy.sparse.linalg.gmres`.

    The arguments, the result and its derivatives are those of :func:`cg`; A need not be symmetric.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.sparse.linalg import gmres
    >>> A = np.array([[2.0, 1.0], [0.0, 4.0]])
    >>> np.round(grad(lambda b: np.sum(gmres(A, b)[0]))(np.ones(2)), 6).tolist()
    [0.5, 0.125]
    """
    options = {"rtol": rtol, "atol": atol, "restart": restart, "maxiter": maxiter, "callback_type": callback_type}
    return _solved("gmres", A, b, x0, M, callback, options)  # type: ignore[no-any-return]
