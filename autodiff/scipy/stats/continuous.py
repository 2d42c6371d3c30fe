"""Distributions whose functions are elementary, and the normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...domain import Domain, exactly, example
from .distribution import Continuous, Family, positive
from .parts import GONE, bounded_exp, finite, log_one_less_exp

Array = Any

_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)

norm = Continuous(
    "norm",
    Family(
        "density exp(-z^2 / 2) / sqrt(2 pi)",
        log_density=lambda z: -0.5 * np.square(z) - _LOG_ROOT_2PI,
        cdf=special.ndtr,
        sf=lambda z: special.ndtr(-z),
        log_cdf=special.log_ndtr,
        log_sf=lambda z: special.log_ndtr(-z),
    ),
)

lognorm = Continuous(
    "lognorm",
    Family(
        "density exp(-log(z)^2 / (2 s^2)) / (s z sqrt(2 pi)) for z > 0",
        log_density=lambda z, s: -0.5 * np.square(np.log(z) / s) - np.log(z) - np.log(s) - _LOG_ROOT_2PI,
        cdf=lambda z, s: special.ndtr(np.log(z) / s),
        sf=lambda z, s: special.ndtr(-np.log(z) / s),
        log_cdf=lambda z, s: special.log_ndtr(np.log(z) / s),
        log_sf=lambda z, s: special.log_ndtr(-np.log(z) / s),
        shapes=("s",),
        allowed=(positive,),
        domains=(Domain(0.5, 4.0), Domain(0.5, 2.0)),
        low=np.nextafter(0.0, 1.0),
    ),
)

expon = Continuous(
    "expon",
    Family(
        "density exp(-z) for z >= 0",
        log_density=lambda z: -z,
        cdf=lambda z: -np.expm1(-z),
        sf=lambda z: bounded_exp(-z),
        log_cdf=lambda z: log_one_less_exp(np.log(z)),
        log_sf=lambda z: -z,
        domains=(Domain(0.5, 4.0),),
        low=0.0,
    ),
    kinks=[example(exactly([0.5, 2.0]), 0.5, 2.0, of="cdf")],
)

uniform = Continuous(
    "uniform",
    Family(
        "density 1 for 0 <= z <= 1",
        log_density=lambda z: np.where(np.isnan(z), z, 0.0),
        cdf=lambda z: z,
        sf=lambda z: 1.0 - z,
        log_cdf=lambda z: np.log(z),
        log_sf=lambda z: np.log1p(-z),
        domains=(Domain(0.1, 0.8),),
        low=0.0,
        high=1.0,
    ),
    kinks=[example(exactly([0.5, 2.5]), 0.5, 2.0, of="cdf")],
)


def _laplace_cdf(z: Array) -> Array:
    right = z > 0
    tail = 0.5 * bounded_exp(np.where(right, -z, z))
    return np.where(right, 1.0 - tail, tail)


def _laplace_log_cdf(z: Array) -> Array:
    right = z > 0
    tail = 0.5 * bounded_exp(-np.where(right, z, 0.0))
    return np.where(right, np.log1p(-tail), z - math.log(2.0))


laplace = Continuous(
    "laplace",
    Family(
        "density exp(-abs(z)) / 2",
        log_density=lambda z: -np.abs(z) - math.log(2.0),
        cdf=_laplace_cdf,
        sf=lambda z: _laplace_cdf(-z),
        log_cdf=_laplace_log_cdf,
        log_sf=lambda z: _laplace_log_cdf(-z),
        domains=(Domain(0.3, 4.0),),
    ),
    kinks=[example(exactly([0.5, 2.0]), 0.5, 2.0, of="logpdf")],
)


def _cauchy_log_cdf(z: Array) -> Array:
    right = z > 0
    left = np.log(np.arctan2(1.0, -np.where(right, 0.0, z)) / math.pi)
    return np.where(right, np.log1p(np.arctan2(1.0, np.where(right, z, 0.0)) / -math.pi), left)


cauchy = Continuous(
    "cauchy",
    Family(
        "density 1 / (pi (1 + z^2))",
        log_density=finite(lambda z: -2.0 * np.log(np.hypot(1.0, z)) - math.log(math.pi)),
        cdf=lambda z: np.arctan2(1.0, -z) / math.pi,
        sf=lambda z: np.arctan2(1.0, z) / math.pi,
        log_cdf=_cauchy_log_cdf,
        log_sf=lambda z: _cauchy_log_cdf(-z),
    ),
)


def _weibull_exponent(z: Array, c: Array) -> Array:
    """z^c, up to where the exponential of it is 0."""
    u = np.power(z, c)
    return np.where(u > GONE, GONE, u)


weibull_min = Continuous(
    "weibull_min",
    Family(
        "density c z^(c - 1) exp(-z^c) for z >= 0",
        log_density=lambda z, c: np.log(c) + special.xlogy(c - 1.0, z) - np.power(z, c),
        cdf=lambda z, c: -np.expm1(-_weibull_exponent(z, c)),
        sf=lambda z, c: np.exp(-_weibull_exponent(z, c)),
        log_cdf=lambda z, c: log_one_less_exp(c * np.log(z)),
        log_sf=lambda z, c: -np.power(z, c),
        shapes=("c",),
        allowed=(positive,),
        domains=(Domain(0.5, 4.0), Domain(0.5, 2.0)),
        low=0.0,
    ),
)

pareto = Continuous(
    "pareto",
    Family(
        "density b / z^(b + 1) for z >= 1",
        log_density=lambda z, b: np.log(b) - (b + 1.0) * np.log(z),
        cdf=lambda z, b: -np.expm1(-b * np.log(z)),
        sf=lambda z, b: bounded_exp(-b * np.log(z)),
        log_cdf=lambda z, b: log_one_less_exp(np.log(b) + np.log(np.log(z))),
        log_sf=lambda z, b: -b * np.log(z),
        shapes=("b",),
        allowed=(positive,),
        domains=(Domain(2.0, 6.0), Domain(0.5, 2.0)),
        low=1.0,
        inside=2.0,
    ),
)
