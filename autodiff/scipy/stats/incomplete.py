"""Distributions whose distribution function is an incomplete gamma or beta function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...domain import Domain
from ...ops.special.incomplete import log_beta_pdf, log_betainc, log_gammainc, log_gammaincc
from ...ops.special.quadrature import log_poisson
from ...ops.special.student import log_density, log_distribution
from .distribution import Continuous, Discrete, Family, positive
from .parts import finite

Array = Any

gamma = Continuous(
    "gamma",
    Family(
        "density z^(a - 1) exp(-z) / Gamma(a) for z >= 0",
        log_density=lambda z, a: log_poisson(a - 1.0, z),
        cdf=lambda z, a: special.gammainc(a, z),
        sf=lambda z, a: special.gammaincc(a, z),
        log_cdf=lambda z, a: log_gammainc(a, z),
        log_sf=lambda z, a: log_gammaincc(a, z),
        shapes=("a",),
        allowed=(positive,),
        domains=(Domain(0.5, 4.0), Domain(0.5, 3.0)),
        low=0.0,
    ),
)

chi2 = Continuous(
    "chi2",
    Family(
        "density (z / 2)^(df / 2 - 1) exp(-z / 2) / (2 Gamma(df / 2)) for z >= 0",
        log_density=lambda z, df: log_poisson(0.5 * df - 1.0, 0.5 * z) - math.log(2.0),
        cdf=lambda z, df: special.gammainc(0.5 * df, 0.5 * z),
        sf=lambda z, df: special.gammaincc(0.5 * df, 0.5 * z),
        log_cdf=lambda z, df: log_gammainc(0.5 * df, 0.5 * z),
        log_sf=lambda z, df: log_gammaincc(0.5 * df, 0.5 * z),
        shapes=("df",),
        allowed=(positive,),
        domains=(Domain(0.5, 4.0), Domain(1.0, 5.0)),
        low=0.0,
    ),
)

beta = Continuous(
    "beta",
    Family(
        "density z^(a - 1) (1 - z)^(b - 1) / B(a, b) for 0 <= z <= 1",
        log_density=lambda z, a, b: log_beta_pdf(a, b, z, 1.0 - z),
        cdf=lambda z, a, b: special.betainc(a, b, z),
        sf=lambda z, a, b: special.betainc(b, a, 1.0 - z),
        log_cdf=lambda z, a, b: log_betainc(a, b, z, 1.0 - z),
        log_sf=lambda z, a, b: log_betainc(b, a, 1.0 - z, z),
        shapes=("a", "b"),
        allowed=(positive, positive),
        domains=(Domain(0.1, 0.8), Domain(0.5, 3.0), Domain(0.5, 3.0)),
        low=0.0,
        high=1.0,
    ),
)

t = Continuous(
    "t",
    Family(
        "density (1 + z^2 / df)^(-(df + 1) / 2) / (sqrt(df) B(df / 2, 1 / 2)), the normal one for df = inf",
        log_density=finite(log_density),
        cdf=lambda z, df: special.stdtr(df, z),
        sf=lambda z, df: special.stdtr(df, -z),
        log_cdf=log_distribution,
        log_sf=lambda z, df: log_distribution(-z, df),
        shapes=("df",),
        allowed=(positive,),
        domains=(Domain(-3.0, 3.0), Domain(1.0, 5.0)),
    ),
)


def _not_negative(value: Array) -> Array:
    return value >= 0


def _count(value: Array) -> Array:
    return (value >= 0) & (value == np.floor(value))


def _probability(value: Array) -> Array:
    return (value >= 0) & (value <= 1)


poisson = Discrete(
    "poisson",
    Family(
        "probability mu^k exp(-mu) / k! of k = 0, 1, 2...",
        log_density=log_poisson,
        cdf=lambda k, mu: special.gammaincc(k + 1.0, mu),
        sf=lambda k, mu: special.gammainc(k + 1.0, mu),
        log_cdf=lambda k, mu: log_gammaincc(k + 1.0, mu),
        log_sf=lambda k, mu: log_gammainc(k + 1.0, mu),
        shapes=("mu",),
        allowed=(_not_negative,),
        domains=(Domain(), Domain(0.5, 4.0)),
        low=0.0,
    ),
)


def _trials(k: Array, n: Array, p: Array) -> Array:
    """The logarithm of the probability of k among n trials; no derivative by n."""
    n = np.floor(n)
    return log_poisson(k, n * p) + log_poisson(n - k, n * (1.0 - p)) - log_poisson(n, n)


binom = Discrete(
    "binom",
    Family(
        "probability n! / (k! (n - k)!) p^k (1 - p)^(n - k) of k = 0, 1... n; the derivative by n is zero",
        log_density=_trials,
        cdf=lambda k, n, p: special.betainc(np.floor(n) - k, k + 1.0, 1.0 - p),
        sf=lambda k, n, p: special.betainc(k + 1.0, np.floor(n) - k, p),
        log_cdf=lambda k, n, p: log_betainc(np.floor(n) - k, k + 1.0, 1.0 - p, p),
        log_sf=lambda k, n, p: log_betainc(k + 1.0, np.floor(n) - k, p, 1.0 - p),
        shapes=("n", "p"),
        allowed=(_count, _probability),
        domains=(Domain(), 3.0, Domain(0.1, 0.9)),
        low=0.0,
        high=lambda n, p: n,
        inside=0.0,
    ),
)


def _failures(k: Array, n: Array, p: Array) -> Array:
    """The logarithm of the probability of k failures before n successes."""
    every = n + k
    trials = log_poisson(n, every * p) + log_poisson(k, every * (1.0 - p)) - log_poisson(every, every)
    return trials + np.log(n) - np.log(every)


nbinom = Discrete(
    "nbinom",
    Family(
        "probability Gamma(n + k) / (k! Gamma(n)) p^n (1 - p)^k of k = 0, 1, 2...",
        log_density=_failures,
        cdf=lambda k, n, p: special.betainc(n, k + 1.0, p),
        sf=lambda k, n, p: special.betainc(k + 1.0, n, 1.0 - p),
        log_cdf=lambda k, n, p: log_betainc(n, k + 1.0, p, 1.0 - p),
        log_sf=lambda k, n, p: log_betainc(k + 1.0, n, 1.0 - p, p),
        shapes=("n", "p"),
        allowed=(positive, _probability),
        domains=(Domain(), Domain(0.5, 3.0), Domain(0.1, 0.9)),
        low=0.0,
        inside=0.0,
    ),
)

bernoulli = Discrete(
    "bernoulli",
    Family(
        "probability p of 1, and 1 - p of 0",
        log_density=lambda k, p: special.xlogy(k, p) + special.xlog1py(1.0 - k, -p),
        cdf=lambda k, p: 1.0 - p + 0.0 * k,
        sf=lambda k, p: p + 0.0 * k,
        log_cdf=lambda k, p: np.log1p(-p) + 0.0 * k,
        log_sf=lambda k, p: np.log(p) + 0.0 * k,
        shapes=("p",),
        allowed=(_probability,),
        domains=(Domain(), Domain(0.1, 0.9)),
        low=0.0,
        high=lambda p: np.ones_like(p),
        inside=0.0,
    ),
)
