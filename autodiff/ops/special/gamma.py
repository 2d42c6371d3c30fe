"""Gamma and beta functions, zeta, the incomplete ones, hypergeometric functions, and what is written with these.

Source: NIST Digital Library of Mathematical Functions, chapters 5, 8, 13, 15, 19 and 25.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...primitive import Domain, positive, real
from ...registering import elementwise
from .registering import in_last, ufunc, unit

Array = Any


def register(special: Any) -> None:
    """Enter them in the table."""
    psi, gammaln = special.psi, special.gammaln
    zeta = special._ufuncs._zeta  # special.zeta is a Python function that calls it
    in_last(zeta, lambda g, x, v: g * (-v[0] * zeta(v[0] + 1.0, x)), 2.5, domain=positive)

    def trigamma(x: Array) -> Array:
        if x.dtype.kind == "c":
            raise TypeError("psi: its derivative is not known at complex points, where SciPy has no trigamma function")
        return zeta(2.0, x)

    ufunc(psi, lambda g, x: g * trigamma(x), domain=positive)
    ufunc(gammaln, lambda g, x: g * psi(x), domain=positive)
    ufunc(special.loggamma, lambda g, x: g * psi(x), domain=positive)
    ufunc(special.gamma, lambda g, x, y: g * (y * psi(x)), domain=positive)
    _with_zeros(special)
    ufunc(
        special.betaln,
        lambda g, a, b: g * (psi(a) - psi(a + b)),
        lambda g, a, b: g * (psi(b) - psi(a + b)),
        domain=positive,
    )
    ufunc(
        special.beta,
        lambda g, a, b, y: g * (y * (psi(a) - psi(a + b))),
        lambda g, a, b, y: g * (y * (psi(b) - psi(a + b))),
        domain=positive,
    )
    ufunc(
        special.poch,
        lambda g, a, b, y: g * (y * (psi(a + b) - psi(a))),
        lambda g, a, b, y: g * (y * psi(a + b)),
        domain=positive,
    )
    elementwise(special.gammasgn, None, method="", analytic=False)
    _incomplete(special)
    _distributions(special)
    _hypergeometric(special)


def _with_zeros(special: Any) -> None:
    """Functions with 1 / gamma(z) in them: zero, with a slope, where gamma has its poles.

    There their logarithmic derivative is 0 times infinity.  DLMF 5.5.3 and 5.5.4 turn it into numbers that are finite:
    psi(z) / gamma(z) = psi(1 - z) / gamma(z) - cos(pi z) gamma(1 - z).
    """
    psi, gamma, beta = special.psi, special.gamma, special.beta

    def above(z: Array) -> tuple[Array, Array, Array]:
        """Where z > 0, z there, and 1 - z elsewhere; 1 in the other places."""
        right = z > 0
        return right, np.where(right, z, 1.0), np.where(right, 1.0, 1.0 - z)

    def slope(x: Array, y: Array) -> Array:
        right, here, mirrored = above(x)
        return np.where(right, -y * psi(here), np.cos(math.pi * x) * gamma(mirrored) - y * psi(mirrored))

    def term(a: Array, z: Array, y: Array) -> Array:
        """y psi(z) for y = gamma(a + 1) / (gamma(z) gamma(a + 2 - z))."""
        right, here, mirrored = above(z)
        sloping = np.cos(math.pi * z) * beta(a + 1.0, mirrored)
        return np.where(right, y * psi(here), y * psi(mirrored) - sloping)

    ufunc(special.rgamma, lambda g, x, y: g * slope(x, y), domain=real)
    ufunc(
        special.binom,
        lambda g, a, b, y: g * (y * psi(a + 1.0) - term(a, a - b + 1.0, y)),
        lambda g, a, b, y: g * (term(a, a - b + 1.0, y) - term(a, b + 1.0, y)),
        domain=(Domain(4.0, 8.0), real),
    )


def _incomplete(special: Any) -> None:
    """The incomplete gamma and beta functions, by their shapes too, and their inverses, by the last argument."""
    from .incomplete import beta_slopes, gamma_slope, log_beta_pdf
    from .quadrature import in_kind, log_poisson

    def density(a: Array, x: Array) -> Array:
        return np.exp(log_poisson(a - 1.0, x))

    def gammas(function: Any, inverse: Any, sign: float) -> None:
        ufunc(
            function,
            lambda g, a, b, y: g * (sign * gamma_slope(a, b, y)),
            lambda g, a, b, y: g * in_kind(sign * density(a, b), y),
            domain=positive,
        )
        in_last(inverse, lambda g, x, v: g * in_kind(sign / density(v[0], inverse(v[0], x)), x), 1.5, domain=unit)

    gammas(special.gammainc, special.gammaincinv, 1.0)
    gammas(special.gammaincc, special.gammainccinv, -1.0)

    def beta_density(a: Array, b: Array, x: Array) -> Array:
        return np.exp(log_beta_pdf(a, b, x, 1.0 - x))

    def slope(place: int, a: Array, b: Array, x: Array, y: Array) -> Array:
        return in_kind(beta_slopes(a, b, x, 1.0 - x)[place], y)

    domain = (positive, positive, unit)
    names = ("a", "b", "x")

    def betas(function: Any, sign: float) -> None:
        ufunc(
            function,
            lambda g, a, b, x, y: g * (sign * slope(0, a, b, x, y)),
            lambda g, a, b, x, y: g * (sign * slope(1, a, b, x, y)),
            lambda g, a, b, x, y: g * in_kind(sign * beta_density(a, b, x), y),
            domain=domain,
            parameters=names,
        )

    betas(special.betainc, 1.0)
    if hasattr(special, "betaincc"):  # new in SciPy 1.11
        betas(special.betaincc, -1.0)
    in_last(
        special.betaincinv,
        lambda g, x, v: g / in_kind(beta_density(v[0], v[1], special.betaincinv(v[0], v[1], x)), x),
        1.5, 2.5, domain=unit,
    )  # fmt: skip


def _distributions(special: Any) -> None:
    """Distribution functions of chi-squared and of Student's t: the derivative by x is the density."""
    from .quadrature import in_kind, log_poisson
    from .student import distribution_slope, log_density

    def chi_squared(v: Array, x: Array) -> Array:
        return in_kind(0.5 * np.exp(log_poisson(0.5 * v - 1.0, 0.5 * x)), x)

    in_last(special.chdtr, lambda g, x, v: g * chi_squared(v[0], x), 3.0, domain=positive)
    in_last(special.chdtrc, lambda g, x, v: g * -chi_squared(v[0], x), 3.0, domain=positive)
    ufunc(
        special.stdtr,
        lambda g, a, b, y: g * distribution_slope(a, b, y),
        lambda g, a, b, y: g * in_kind(np.exp(log_density(b, a)), y),
        domain=(positive, real),
    )


def _hypergeometric(special: Any) -> None:
    """Hypergeometric functions, and what is written with them: complete elliptic integrals, exprel, Spence's."""
    f01, f11, f21 = special.hyp0f1, special.hyp1f1, special.hyp2f1
    in_last(f01, lambda g, x, v: g * (f01(v[0] + 1.0, x) / v[0]), 1.5)
    in_last(f11, lambda g, x, v: g * (f11(v[0] + 1.0, v[1] + 1.0, x) * (v[0] / v[1])), 1.5, 2.5)
    in_last(
        f21,
        lambda g, x, v: g * (f21(v[0] + 1.0, v[1] + 1.0, v[2] + 1.0, x) * (v[0] * v[1] / v[2])),
        1.5, 0.5, 2.5, domain=Domain(-2.0, 0.8),
    )  # fmt: skip

    def gauss(a: float, b: float, c: float, x: Array) -> Array:
        """hyp2f1 in the precision of ``x``: SciPy has it in double precision alone."""
        y = f21(a, b, c, x)
        return y if y.dtype == x.dtype else y.astype(x.dtype)

    _elliptic(special, gauss)
    ufunc(special.exprel, lambda g, x: g * (f11(2.0, 3.0, x) * 0.5))

    def log_ratio(x: Array) -> Array:
        """log(x) / (x - 1), which is 1 at 1 and smooth there: hyp2f1 near 1, which loses digits far from it."""
        near = np.abs(x - 1.0) < 0.5
        away = np.where(near, 2.0, x)
        return np.where(near, gauss(1.0, 1.0, 2.0, 1.0 - np.where(near, x, 1.0)), np.log(away) / (away - 1.0))

    ufunc(special.spence, lambda g, x: g * -log_ratio(x), domain=positive)
    # d/db (a^b - 1) / b, without the cancellation at b = 0
    ufunc(
        special.boxcox,
        lambda g, a, b, y: g * ((b * y + 1.0) / a),
        lambda g, a, b: g * (np.log(a) ** 2 * f11(2.0, 3.0, b * np.log(a)) * 0.5),
        domain=(positive, real),
    )
    ufunc(
        special.boxcox1p,
        lambda g, a, b, y: g * ((b * y + 1.0) / (1.0 + a)),
        lambda g, a, b: g * (np.log1p(a) ** 2 * f11(2.0, 3.0, b * np.log1p(a)) * 0.5),
        domain=(Domain(-0.9, 3.0), real),
    )


def _elliptic(special: Any, gauss: Any) -> None:
    """Complete elliptic integrals K(m) and E(m).

    dK/dm = (E - (1 - m) K) / (2 m (1 - m)) and dE/dm = (E - K) / (2 m) cancel near m = 0, where hyp2f1 has all digits;
    far from 0 it is hyp2f1 that loses them.
    """
    ellipk, ellipe = special.ellipk, special.ellipe

    def near(m: Array, a: float, other: Any) -> Array:
        """pi / 8 hyp2f1(a, 3/2; 2; m) around m = 0, and ``other`` of m elsewhere."""
        close = np.abs(m) < 0.5
        series = gauss(a, 1.5, 2.0, np.where(close, m, 0.0)) * (math.pi / 8.0)
        return np.where(close, series, other(np.where(close, 0.5, m)))

    def slope_of_k(m: Array) -> Array:
        return near(m, 1.5, lambda m: (ellipe(m) / (1.0 - m) - ellipk(m)) / (2.0 * m))

    def slope_of_e(m: Array) -> Array:
        return near(m, 0.5, lambda m: (ellipk(m) - ellipe(m)) / (2.0 * m))

    def slope_of_complement(x: Array) -> Array:
        """That of K at m = 1 - x, where x may be smaller than the rounding of m."""
        close = np.abs(1.0 - x) < 0.5
        series = gauss(1.5, 1.5, 2.0, np.where(close, 1.0 - x, 0.0)) * (math.pi / 8.0)
        p = np.where(close, 0.5, x)
        return np.where(close, series, (ellipe(1.0 - p) / p - special.ellipkm1(p)) / (2.0 * (1.0 - p)))

    inside = Domain(-2.0, 0.9)
    ufunc(ellipk, lambda g, x: g * slope_of_k(x), domain=inside)
    ufunc(ellipe, lambda g, x: -g * slope_of_e(x), domain=inside)
    ufunc(special.ellipkm1, lambda g, x: -g * slope_of_complement(x), domain=Domain(0.1, 3.0))
