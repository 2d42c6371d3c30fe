"""Integrals by quadrature to nearly all digits, and the logarithm of Poisson's probability: parts of rules.

Source: C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000), for the densities.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...arrays import owned
from ...domain import positive
from ...registering import elementwise

Array = Any

NEGLIGIBLE = 42.0
"""exp(-NEGLIGIBLE) of the largest value of an integrand is below the rounding of the integral."""
STIRLING = 16.0
"""From here on, five terms of Stirling's series have all digits."""


def composite(count: int, panels: int) -> tuple[Array, Array]:
    """Gauss and Legendre's points and weights in each of several parts of (0, 1)."""
    points, weights = np.polynomial.legendre.leggauss(count)
    starts = np.arange(panels)[:, None]
    return np.ravel((points + 1.0) / 2.0 + starts) / panels, np.tile(weights / (2.0 * panels), panels)


POINTS, WEIGHTS = composite(32, 2)


def wide(value: Array) -> Array:
    """In double precision, with an axis for the points of a quadrature.

    >>> wide(np.float32(2.0)).shape
    (1,)
    """
    return np.expand_dims(np.multiply(value, np.float64(1.0)), -1)


def integrated(values: Array, length: Array) -> Array:
    """The integral over a length from the values at the points.

    >>> round(float(integrated(POINTS**3, np.array([2.0]))), 12)
    0.5
    """
    return np.sum(values * owned(WEIGHTS, values), axis=-1) * length[..., 0]


def in_kind(value: Array, like: Array) -> Array:
    """The value in the precision of another."""
    return value if value.dtype == like.dtype else value.astype(like.dtype)


def stirling(k: Array) -> Array:
    """log Gamma(k + 1) - k log(k) + k, for k from 16 on.

    >>> bool(abs(stirling(16.0) + 16.0 * np.log(16.0) - 16.0 - special.gammaln(17.0)) < 1e-14)
    True
    """
    u = 1.0 / (k * k)
    series = (1.0 / 12.0 - u * (1.0 / 360.0 - u * (1.0 / 1260.0 - u * (1.0 / 1680.0 - u / 1188.0)))) / k
    return series + 0.5 * np.log(2.0 * math.pi * k)


def over(a: Array, b: Array) -> Array:
    """a / b, the slope of a log(b): 0 for 0 / 0, where a log(b) is 0 on both sides.

    >>> over(np.array([0.0, 1.0]), np.array([0.0, 2.0])).tolist()
    [0.0, 0.5]
    """
    return a / np.where((a == 0) & (b == 0), 1.0, b)


def log_poisson(a: Array, b: Array) -> Array:
    """log(b^a e^-b / Gamma(a + 1)), the logarithm of Poisson's probability, for a > -1: by its deviance for large a.

    A primitive because the terms of the composition cancel: at a = b = 1e6 it loses nine digits.

    >>> float(log_poisson(np.array(1e12), np.array(1e12)).round(9))
    -14.734449092
    """
    large = a >= STIRLING
    k, m = np.where(large, a, STIRLING), np.where(large, b, STIRLING)
    d = (m - k) / k
    far = special.xlog1py(k, d) - k * d - stirling(k)
    k = np.where(large, 1.0, a)
    return np.where(large, far, special.xlogy(k, b) - b - special.gammaln(k + 1.0))


log_poisson = elementwise(
    log_poisson,
    lambda g, a, b: g * (np.log(b) - special.psi(a + 1.0)),
    lambda g, a, b: g * (over(a, b) - 1.0),
    domain=positive,
    method="",
    analytic=False,
)
