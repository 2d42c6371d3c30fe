"""Runge-Kutta methods as tables: a step is y_1 = y + h sum_j b_j k_j with k_i = f(t + c_i h, y + h sum_j a_ij k_j).

Inside of a step, y(t + x h) = y + h sum_j w_j(x) k_j with polynomials w_j.  Explicit methods are those of SciPy, whose
classes hold their coefficients; the stages for the polynomials, which come after those of the step, are rows of a_ij.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from scipy import integrate

from .tsit5 import Tsit5

Array = Any


class Tableau(NamedTuple):
    """The coefficients of a method: the first ``main`` stages make the step, all of them the polynomials.

    ``P`` has the coefficients of w_j for x, x^2, ...
    """

    name: str
    A: Array
    b: Array
    c: Array
    P: Array
    main: int
    implicit: bool = False

    def weights(self, x: Any) -> Any:
        """w_j(x), for one x or an array of them: the stages come last."""
        powers = np.stack([x ** (d + 1) for d in range(self.P.shape[1])], -1)
        return powers @ self.P.T

    def slopes(self, x: Any) -> Any:
        """The derivatives of w_j by x."""
        powers = np.stack([(d + 1.0) * x**d for d in range(self.P.shape[1])], -1)
        return powers @ self.P.T


def _pair(method: Any) -> Tableau:
    """RK23, RK45 or Tsit5: the last stage is the first one of the next step."""
    s = method.n_stages
    a = np.zeros((s + 1, s + 1))
    a[:s, : method.A.shape[1]] = method.A
    a[s, :s] = method.B
    return Tableau(method.__name__, a, np.append(method.B, 0.0), np.append(method.C, 1.0), method.P, s)


def _dop853() -> Tableau:
    """Dormand and Prince's method of order 8, with three more stages for a polynomial of degree 7."""
    method: Any = integrate.DOP853
    s, n = method.n_stages, method.n_stages + 1 + len(method.C_EXTRA)
    a = np.zeros((n, n))
    a[:s, : method.A.shape[1]] = method.A
    a[s, :s] = method.B
    a[s + 1 :, : method.A_EXTRA.shape[1]] = method.A_EXTRA
    b = np.zeros(n)
    b[:s] = method.B
    first, last = np.eye(n)[0], np.eye(n)[s]
    terms = [b, first - b, 2 * b - last - first, *method.D]
    poly = np.zeros((1, n))  # Horner's scheme, with factors x and 1 - x in turn, as SciPy evaluates it
    for i, term in enumerate(reversed(terms)):
        poly[0] += term
        shifted = np.vstack([np.zeros(n), poly])
        poly = shifted if i % 2 == 0 else np.vstack([poly, np.zeros(n)]) - shifted
    return Tableau("DOP853", a, b, np.concatenate([method.C, [1.0], method.C_EXTRA]), poly[1:].T, s)


def _radau() -> Tableau:
    """The collocation method of order 5 at the nodes of Radau: w_j is the integral of Lagrange's polynomial."""
    c = np.array([(4 - 6**0.5) / 10, (4 + 6**0.5) / 10, 1.0])
    lagrange = np.linalg.inv(np.vander(c, increasing=True)).T  # one row for each node
    p = lagrange / np.arange(1.0, 4.0)
    a = np.stack([c, c**2, c**3], -1) @ p.T
    return Tableau("Radau", a, a[2], c, p, 3, implicit=True)


@functools.cache
def tableau(name: str) -> Tableau:
    """The method of this name.  Raises ValueError for one whose steps have no derivative here."""
    if name in ("RK23", "RK45"):
        return _pair(getattr(integrate, name))
    if name == "Tsit5":
        return _pair(Tsit5)
    if name == "DOP853":
        return _dop853()
    if name == "Radau":
        return _radau()
    raise ValueError(
        f"solve_ivp: the steps of method {name!r} have no derivative here; write adjoint='continuous' for that of the "
        "equation, or method='Radau' for a stiff problem, 'RK45', 'Tsit5' or 'DOP853' for another"
    )


def tabled(name: str) -> Tableau | None:
    """The method of this name, or None for BDF and LSODA, whose orders vary."""
    return None if name in ("BDF", "LSODA") else tableau(name)
