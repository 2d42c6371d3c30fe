"""Student's distribution by its degrees of freedom, up to infinitely many.

With u = 1 / df, q = u z^2 and l(q) = log(1 + q) / q,

    log density(z) = c(u) - log(2 pi) / 2 - (1 + u) z^2 l(q) / 2,
    c(u) = log Gamma((df + 1) / 2) - log Gamma(df / 2) - log(df / 2) / 2,

are smooth functions of u at 0 too: the derivative by df is -u^2 times that by u.  From 30 degrees of freedom on, the
distribution function is differentiated as an integral of that of the density.  Beyond z it is, with a variable p in
which the density falls as exp(-p),

    s^2 = z^2 e^r + (e^r - 1) / u,  r = 2 u p / (1 + u),  ds / dp = (1 + u z^2) e^r / ((1 + u) s).

Source: NIST Digital Library of Mathematical Functions, 5.11.8, for c; 8.17, for the incomplete beta function that the
distribution function is below 30 degrees of freedom.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...arrays import owned
from .incomplete import beta_slopes, log_beta_density, log_betainc
from .quadrature import NEGLIGIBLE, POINTS, WEIGHTS, composite, in_kind, wide

Array = Any

MANY = 30.0
"""From so many degrees of freedom on, six terms of the series of c have all digits."""
FAR = 2.0
"""From here on, the tail is integrated, and not what is left of one half."""

_NEAR_POINTS, _NEAR_WEIGHTS = composite(20, 1)
"""For an integral from 0 to at most FAR."""

_C = (-1.0 / 8.0, 1.0 / 192.0, -1.0 / 640.0, 17.0 / 14336.0, -31.0 / 18432.0, 691.0 / 180224.0)
"""c is the sum of these times (2 u)^1, (2 u)^3, (2 u)^5..."""


def _sum(terms: Any, x: Array) -> Array:
    """The sum of terms[k] x^k."""
    found: Any = terms[-1]
    for term in terms[-2::-1]:
        found = term + x * found
    return found


def _c(u: Array) -> tuple[Array, Array]:
    """c(u) for small u, and its derivative."""
    w = 4.0 * u * u
    return 2.0 * u * _sum(_C, w), 2.0 * _sum([(2 * k + 1) * term for k, term in enumerate(_C)], w)


def _log_ratio(q: Array) -> tuple[Array, Array]:
    """l(q) and its derivative; near 0 by the series of the inverse hyperbolic tangent of q / (2 + q)."""
    near = q < 0.25
    small, large = np.where(near, q, 0.0), np.where(near, 1.0, q)
    half = 2.0 / (2.0 + small)
    m = np.square(0.5 * small * half)
    terms = [1.0 / (2 * k + 1) for k in range(10)]
    series, slope = _sum(terms, m), _sum([k * term for k, term in enumerate(terms)][1:], m)
    value, other = half * series, np.log1p(large) / large
    by_q = half * half * (0.5 * small * half * slope * half - 0.5 * series)
    return np.where(near, value, other), np.where(near, by_q, (1.0 / (1.0 + large) - other) / large)


def _density(z: Array, u: Array) -> tuple[Array, Array]:
    """The density for many degrees of freedom, and the derivative of its logarithm by u."""
    c, c_u = _c(u)
    ratio, ratio_q = _log_ratio(u * z * z)
    square = z * z
    logarithm = c - 0.5 * math.log(2.0 * math.pi) - 0.5 * (1.0 + u) * square * ratio
    return np.exp(logarithm), c_u - 0.5 * square * (ratio + (1.0 + u) * square * ratio_q)


def log_density(z: Array, df: Array) -> Array:
    """The logarithm of the density.

    >>> float(log_density(np.array(1.0), np.array(np.inf)).round(6))
    -1.418939
    """
    many = df >= MANY
    u, few = 1.0 / np.where(many, df, 4.0), np.where(many, 1.0, df)
    direct = special.gammaln(0.5 * (few + 1.0)) - special.gammaln(0.5 * few) - 0.5 * np.log(0.5 * few)
    by_df = np.where(many, _c(u)[0], direct)
    near = np.abs(z) < 0.5 * np.sqrt(df)
    u, close = 1.0 / df, np.where(near, z, 0.0)
    root = np.sqrt(np.where(near, 1.0, df))
    far = (np.where(near, 1.0, df) + 1.0) * np.log(np.hypot(1.0, np.where(near, 1.0, z) / root))
    bent = 0.5 * (1.0 + u) * np.square(close) * _log_ratio(u * np.square(close))[0]
    return by_df - 0.5 * math.log(2.0 * math.pi) - np.where(near, bent, far)


def _tail(z: Array, u: Array) -> tuple[Array, Array, Array]:
    """Points beyond z > 0, and the weights of an integral of a function of them times the density, by that at z."""
    p = NEGLIGIBLE * owned(POINTS, z)
    r = 2.0 * u * p / (1.0 + u)
    grown = np.where(r > 0, np.expm1(r) / np.where(r > 0, r, 1.0), 1.0)
    root = np.sqrt(np.exp(r) + 2.0 * p * grown / ((1.0 + u) * z * z))
    weights = NEGLIGIBLE * owned(WEIGHTS, z) * np.exp(r - p) * (1.0 / z + u * z) / ((1.0 + u) * root)
    return z * root, weights, r


def _slope_for_many(z: Array, df: Array) -> Array:
    """The derivative of the probability above z >= 0 by df, for many degrees of freedom."""
    z, u = wide(z), 1.0 / wide(df)
    far = z >= FAR
    inner, outer = np.where(far, 0.0, z), np.where(far, z, FAR)
    density, by_u = _density(inner * owned(_NEAR_POINTS, inner), u)
    left = np.sum(density * by_u * owned(_NEAR_WEIGHTS, inner), axis=-1) * inner[..., 0]
    points, weights, _ = _tail(outer, u)
    right = _density(outer, u)[0][..., 0] * np.sum(weights * _density(points, u)[1], axis=-1)
    return np.where(far[..., 0], -right, left) * np.square(u[..., 0])


def _slope_for_few(z: Array, df: Array) -> Array:
    """The derivative of the probability above z >= 0 by df: that of I_x(df / 2, 1 / 2) / 2 for x = df / (df + z^2)."""
    square = np.square(z) / df
    a, x, y = 0.5 * df, 1.0 / (1.0 + square), square / (1.0 + square)
    inside = np.where(z > 0, y, 0.5)
    density = np.where(z > 0, np.exp(log_beta_density(a, 0.5, np.where(z > 0, x, 0.5), inside)), 0.0)
    return 0.25 * beta_slopes(a, 0.5, x, y)[0] + 0.5 * density / df


def distribution_slope(df: Array, t: Array, y: Array) -> Array:
    """The derivative of the distribution function by df, in the precision of y."""
    df, t = np.multiply(df, np.float64(1.0)), np.multiply(t, np.float64(1.0))
    endless, many, right = np.isinf(t), df >= MANY, t > 0
    z = np.where(endless, 0.0, np.where(right, t, -t))
    above: Array = np.where(
        many, _slope_for_many(np.where(many, z, 1.0), np.where(many, df, MANY)),
        _slope_for_few(np.where(many, 1.0, z), np.where(many, 1.0, df)),
    )  # fmt: skip
    return in_kind(np.where(endless, 0.0, np.where(right, -above, above)), y)


def log_distribution(t: Array, df: Array) -> Array:
    """The logarithm of the distribution function, where it underflows too.

    >>> float(log_distribution(np.array(-100.0), np.array(1e4)).round(6))
    -3470.913563
    """
    deep, many, right = t < -FAR, df >= MANY, t > 0
    z = np.where(deep, -t, FAR)
    u = 1.0 / np.where(many, df, MANY)
    weights = _tail(wide(z), wide(u))[1]
    tail = log_density(z, df) + np.log(np.sum(weights, axis=-1))
    few = np.where(many, 1.0, df)
    square = np.square(z) / few
    other = log_betainc(0.5 * few, 0.5, 1.0 / (1.0 + square), square / (1.0 + square)) - math.log(2.0)
    shallow = np.where(deep, 0.0, np.where(right, -t, t))
    p = special.stdtr(df, shallow)
    return in_kind(np.where(deep, np.where(many, tail, other), np.where(right, np.log1p(-p), np.log(p))), t)
