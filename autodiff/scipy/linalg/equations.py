"""Matrix equations that are linear in the unknown: those of Sylvester and Lyapunov.

The cotangent of the right side solves the transposed equation; those of the coefficients are its products with the
solution.  Where the equation has no unique solution, SciPy returns that of an equation nearby; the rules raise
LinAlgError then.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from scipy import linalg

from ...arrays import turned, unless
from ...cotangents import unbroadcast
from ...ops.complexes import conjugate, hermitian, to_complex
from ...ops.decompositions import spread_out, spread_out_complex
from ...primitive import example, sample
from ...registering import primitive
from .parts import check_square, every_element, sparing

Array = Any

_sylvester, _continuous = (
    sparing(linalg.solve_sylvester, every_element),
    sparing(linalg.solve_continuous_lyapunov, every_element),
)
_discrete = sparing(linalg.solve_discrete_lyapunov, every_element)


def solved(name: str, x: Array, missed: Array, right: Array) -> Array:
    """``x``; raise unless the equation is solved: its sides differ by ``missed``, and one of them is ``right``."""
    sizes = [np.max(np.abs(v), axis=(-2, -1), keepdims=True, initial=0.0) for v in (missed, right)]
    return unless(sizes[0] > 0.01 * sizes[1], x, LinAlgError(
        f"{name}: the equation has no unique solution (two eigenvalues add up to 0, or multiply to 1), and so no "
        "derivative"
    ))  # fmt: skip


def pulled_sylvester(name: str, a: Array, b: Array, g: Array) -> Array:
    """The solution x of a^T x + x b^T = g."""
    a, b = turned(a), turned(b)
    x = solve_sylvester(a, b, g)
    return solved(name, x, a @ x + x @ b - g, g)


@primitive(
    lambda g, a, b, y: unbroadcast(-pulled_sylvester("solve_sylvester", a, b, g) @ turned(y), a.shape),
    lambda g, a, b, y: unbroadcast(-turned(y) @ pulled_sylvester("solve_sylvester", a, b, g), b.shape),
    lambda g, a, b, q_shape: unbroadcast(pulled_sylvester("solve_sylvester", a, b, g), q_shape),
    implements=linalg.solve_sylvester,
    examples=[
        example(sample(3, 3, make=spread_out), sample(2, 2, make=spread_out), sample(3, 2)),
        example(sample(2, 2, make=spread_out_complex), sample(2, 2, make=spread_out), sample(2, 2, make=to_complex)),
    ],
    analytic=False,
    errors=[example(sample(2, 2), sample(3, 3), sample(3, 2))],
)
def solve_sylvester(a: Array, b: Array, q: Array) -> Array:
    """The solution x of a x + x b = q: a dx + dx b = dq - da x - x db.

    ``a`` is (m, m), ``b`` (n, n), ``q`` (m, n).

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solve_sylvester
    >>> grad(lambda q: np.sum(solve_sylvester(np.eye(2), np.eye(1), q)))(np.ones((2, 1))).tolist()
    [[0.5], [0.5]]
    """
    check_square("solve_sylvester", "a", a)
    check_square("solve_sylvester", "b", b)
    return _sylvester(a, b, q)


def _continuous_pulled(a: Array, g: Array) -> Array:
    """The solution of a^T x + x conj(a) = g, which is of the same kind."""
    a = turned(a)
    x = solve_continuous_lyapunov(a, g)
    return solved("solve_continuous_lyapunov", x, a @ x + x @ hermitian(a) - g, g)


def _continuous_left(g: Array, a: Array, y: Array) -> Array:
    pulled = _continuous_pulled(a, g)
    return unbroadcast(-(pulled @ turned(y)) - conjugate(turned(pulled) @ y), a.shape)


@primitive(
    lambda g, a, y: _continuous_left(g, a, y),
    lambda g, a, q_shape: unbroadcast(_continuous_pulled(a, g), q_shape),
    implements=linalg.solve_continuous_lyapunov,
    examples=[
        example(sample(3, 3, make=spread_out), sample(3, 3)),
        example(sample(2, 2, make=spread_out_complex), sample(2, 2, make=to_complex)),
    ],
    analytic=False,
    errors=[example(sample(2, 2), sample(3, 3))],
)
def solve_continuous_lyapunov(a: Array, q: Array) -> Array:
    """The solution x of a x + x a^H = q: a dx + dx a^H = dq - da x - x da^H."""
    check_square("solve_continuous_lyapunov", "a", a)
    return _continuous(a, q)


def _discrete_pulled(a: Array, g: Array, method: Any) -> Array:
    """The solution of x - a^T x conj(a) = g, which is of the same kind."""
    a = turned(a)
    x = solve_discrete_lyapunov(a, g, method)
    return solved("solve_discrete_lyapunov", x, x - a @ x @ hermitian(a) - g, g)


def _discrete_left(g: Array, a: Array, y: Array, method: Any) -> Array:
    pulled = _discrete_pulled(a, g, method)
    return unbroadcast(
        pulled @ conjugate(a) @ turned(y) + conjugate(turned(pulled) @ a @ y), a.shape
    )  # fmt: skip


@primitive(
    lambda g, a, y, method: _discrete_left(g, a, y, method),
    lambda g, a, method, q_shape: unbroadcast(_discrete_pulled(a, g, method), q_shape),
    implements=linalg.solve_discrete_lyapunov,
    examples=[
        example(sample(3, 3, make=lambda v: 0.1 * spread_out(v)), sample(3, 3)),
        example(sample(2, 2, make=spread_out_complex), sample(2, 2, make=to_complex), method="bilinear"),
    ],
    analytic=False,
    errors=[example(sample(2, 2), sample(3, 3))],
)
def solve_discrete_lyapunov(a: Array, q: Array, method: Any = None) -> Array:
    """The solution x of a x a^H - x + q = 0: dx = a dx a^H + dq + da x a^H + a x da^H."""
    check_square("solve_discrete_lyapunov", "a", a)
    if method not in (None, "direct", "bilinear"):
        raise ValueError(f"solve_discrete_lyapunov: method={method!r}; it is 'direct', 'bilinear' or None")
    return _discrete(a, q, method=method)
