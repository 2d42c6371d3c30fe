"""The incomplete gamma and beta functions by their shape parameters: integrals, by quadrature to nearly all digits.

With t = x e^v in the first and t / (1 - t) = x / (1 - x) e^v in the second, both are their density times an integral of
a function that falls from 1 on, and whose logarithm is concave:

    P(a, x) = x^a e^-x / Gamma(a + 1) (1 + x m),  m = int_(-inf)^0 exp((a + 1) v - x (e^v - 1)) dv,
    Q(a, x) = x^a e^-x / Gamma(a + 1) a n,  n = int_0^inf exp(a v - x (e^v - 1)) dv,
    I_x(a, b) = x^a y^b Gamma(a + b) / (Gamma(a + 1) Gamma(b)) (1 + x (a + b) j),  y = 1 - x,
    j = int_(-inf)^0 exp((a + 1) v - (a + b + 1) log(y + x e^v)) dv.

Derivatives by a and b are integrals of the same kind, of one sign; none of the terms cancel.  P and I are computed
below the mean, and their complements above.  Points of the quadrature do not follow the arguments.

Source: NIST Digital Library of Mathematical Functions, 8.2, 8.8 and 8.17.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...arrays import owned
from ..elementwise import stop_gradient
from .quadrature import NEGLIGIBLE, POINTS, in_kind, integrated, log_poisson, wide

Array = Any

# -- the incomplete gamma functions ------------------------------------------------------------------------------


def below(a: Array, x: Array) -> Array:
    """Where P is computed; Q is elsewhere."""
    return x < np.maximum(a, 0.5)


def gamma_integral(a: Array, x: Array, low: Array) -> tuple[Array, Array]:
    """m where x is low, n elsewhere, and its derivative by a."""
    low, x = np.expand_dims(low, -1), wide(x)
    a = np.where(low, wide(a) + 1.0, wide(a))
    p, q = stop_gradient(a), stop_gradient(x)
    s = NEGLIGIBLE - 2.0 * (p - q)
    left = (s + np.sqrt(s * s + 8.0 * NEGLIGIBLE * p)) / (-2.0 * p)  # e^-u - 1 + u >= u^2 / (2 + u)
    right = (np.sqrt(np.square(q - p) + 2.0 * q * NEGLIGIBLE) - (q - p)) / np.where(
        low, 1.0, q
    )  # e^v - 1 - v >= v^2 / 2
    end = np.where(low, left, right)
    v = end * owned(POINTS, end)
    values = np.exp(a * v - x * np.expm1(v))
    return integrated(values, np.abs(end)), integrated(values * v, np.abs(end))


def gamma_slope(a: Array, x: Array, y: Array) -> Array:
    """dP / da, in the precision of y."""
    edge = (x == 0) | (x == math.inf)
    a, x = np.multiply(a, np.float64(1.0)), np.where(edge, 1.0, x) * np.float64(1.0)
    low, rate = below(a, x), np.log(x) - special.psi(a + 1.0)
    value, by_a = gamma_integral(a, x, low)
    slope = np.where(low, rate, -value) + np.where(low, x, -a) * (rate * value + by_a)
    return in_kind(np.where(edge, 0.0, slope * np.exp(log_poisson(a, x))), y)


def log_gammainc(a: Array, x: Array) -> Array:
    """log P(a, x), where P underflows too.

    >>> float(log_gammainc(np.array(1000.0), np.array(1.0)).round(6))
    -5913.127179
    """
    low = below(a, x)
    left = np.where(low, x, 0.25 * np.maximum(a, 0.5))
    small = log_poisson(a, left) + np.log1p(left * gamma_integral(a, left, low | True)[0])
    return in_kind(np.where(low, small, np.log1p(-special.gammaincc(a, np.where(low, a + 1.0, x)))), x)


def log_gammaincc(a: Array, x: Array) -> Array:
    """log(1 - P(a, x)), where 1 - P underflows too.

    >>> float(log_gammaincc(np.array(1.5), np.array(2000.0)).round(6))
    -1996.078517
    """
    low = below(a, x)
    right = np.where(low, a + 1.0, x)
    small = log_poisson(a, right) + np.log(a * gamma_integral(a, right, low & False)[0])
    return in_kind(np.where(low, np.log1p(-special.gammainc(a, np.where(low, x, 0.25))), small), x)


# -- the incomplete beta function --------------------------------------------------------------------------------


def _length(a: Array, b: Array, x: Array, y: Array) -> Array:
    """Where the logarithm of the integrand of j is -NEGLIGIBLE: by Newton's method, which comes from above."""
    u = (NEGLIGIBLE - (a + b) * np.log(y)) / a
    for _ in range(12):
        share = -x * np.expm1(-u)
        u = u - (a * u + (a + b) * np.log1p(-share) - NEGLIGIBLE) / (a - (a + b) * (x - share) / (1.0 - share))
    return u


def lower_beta(a: Array, b: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """j, and its derivatives by a and by b; for x < a / (a + b)."""
    a, b, x, y = wide(a) + 1.0, wide(b), wide(x), wide(y)
    length = _length(*map(stop_gradient, (a, b, x, y)))
    v = -length * owned(POINTS, length)
    rest = np.log1p(x * np.expm1(v))
    values = np.exp(a * v - (a + b) * rest)
    return (
        integrated(values, length), integrated(values * (v - rest), length), integrated(values * -rest, length)
    )  # fmt: skip


def log_beta_density(a: Array, b: Array, x: Array, y: Array) -> Array:
    """log(x^a y^b / B(a, b)) for y = 1 - x, by the probabilities of Poisson that make up that of Bernoulli's trials."""
    n = a + b
    trials = log_poisson(a, n * x) + log_poisson(b, n * y) - log_poisson(n, n)
    return trials + np.log(a) + np.log(b) - np.log(n)


def log_beta_pdf(a: Array, b: Array, x: Array, y: Array) -> Array:
    """log(x^(a - 1) y^(b - 1) / B(a, b)) for y = 1 - x, also where one of them is 0.

    >>> round(float(log_beta_pdf(np.array(1.0), np.array(2.0), np.array(0.0), np.array(1.0))), 12)
    0.69314718056
    """
    n = a + b
    return log_poisson(a - 1.0, n * x) + log_poisson(b - 1.0, n * y) - log_poisson(n - 1.0, n) + np.log(n)


def _sides(a: Array, b: Array, x: Array, y: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Where x is below the mean, and the arguments, with a and b exchanged where it is not: x and y too."""
    low = x * b < y * a
    return low, np.where(low, a, b), np.where(low, b, a), np.where(low, x, y), np.where(low, y, x)


def beta_slopes(a: Array, b: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """d I_x(a, b) / da and / db, in double precision."""
    edge = (x == 0) | (y == 0)
    a, b = np.multiply(a, np.float64(1.0)), np.multiply(b, np.float64(1.0))
    x, y = np.where(edge, 0.5, x) * np.float64(1.0), np.where(edge, 0.5, y) * np.float64(1.0)
    low, p, q, s, t = _sides(a, b, x, y)
    n = p + q
    j, j_p, j_q = lower_beta(p, q, s, t)
    rate = np.log(s) + special.psi(n) - special.psi(p + 1.0)
    by_p = rate + s * n * (j * (rate + 1.0 / n) + j_p)
    by_q = (1.0 + s * n * j) * (np.log(t) + special.psi(n) - special.psi(q)) + s * (j + n * j_q)
    density = np.where(edge, 0.0, np.exp(log_beta_density(p, q, s, t)) / p)
    return np.where(low, by_p, -by_q) * density, np.where(low, by_q, -by_p) * density


def log_betainc(a: Array, b: Array, x: Array, y: Array) -> Array:
    """log I_x(a, b) for y = 1 - x, where I underflows too.

    >>> float(log_betainc(np.array(1000.0), np.array(1.5), np.array(0.25), np.array(0.75)).round(6))
    -1382.863001
    """
    low, p, q, s, t = _sides(a, b, x, y)
    small = log_beta_density(p, q, s, t) - np.log(p) + np.log1p(s * (p + q) * lower_beta(p, q, s, t)[0])
    return in_kind(np.where(low, small, np.log1p(-special.betainc(p, q, s))), x)
