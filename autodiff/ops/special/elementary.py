"""Logistic functions, error functions, entropies, integrals, and what NumPy has too under other function objects.

Source: NIST Digital Library of Mathematical Functions, chapters 6 and 7.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...primitive import Domain, nonzero, positive, real
from ...registering import elementwise
from .registering import in_last, several, symmetric, ufunc, unit

_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2.0 * math.pi)


def register(special: Any) -> None:
    """Enter them in the table."""
    _logistic(special)
    _error_functions(special)
    _entropies(special)
    _integrals(special)
    _elementary(special)


def _logistic(special: Any) -> None:
    expit = special.expit
    ufunc(expit, lambda g, x, y: g * (y * expit(-x)))
    ufunc(special.log_expit, lambda g, x: g * expit(-x))
    ufunc(special.logit, lambda g, x: g / (x * (1.0 - x)), domain=unit)


def _error_functions(special: Any) -> None:
    bell = 2.0 / _ROOT_PI

    def difference(sign: float, x: Any, near_one: Any) -> Any:
        """A number that tends to 1 as x grows, less 1: from x = 50 on by its asymptotic series (DLMF 7.12.1)."""
        far = x > 50.0
        u = sign * 0.5 / np.square(np.where(far, x, 50.0))
        return np.where(far, u * (1.0 + 3.0 * u * (1.0 + 5.0 * u * (1.0 + 7.0 * u * (1.0 + 9.0 * u)))), near_one - 1.0)

    def hazard(x: Any, y: Any) -> Any:
        """The density by the distribution exp(y) of the normal distribution; below 0 without a difference of squares.

        There it is sqrt(2 / pi) / erfcx(-x / sqrt(2)) (DLMF 7.2.3 and 7.11).
        """
        below = x < 0
        left = math.sqrt(2.0 / math.pi) / special.erfcx(np.where(below, x, 0.0) * -math.sqrt(0.5))
        above = np.where(below, 0.0, x)
        return np.where(below, left, np.exp(-0.5 * (above * above) - np.where(below, 0.0, y)) / _ROOT_2PI)

    ufunc(special.erf, lambda g, x: g * (bell * np.exp(-(x * x))))
    ufunc(special.erfc, lambda g, x: g * (-bell * np.exp(-(x * x))))
    ufunc(special.erfcx, lambda g, x, y: g * (bell * difference(-1.0, x, 2.0 / bell * x * y)))
    ufunc(special.erfi, lambda g, x: g * (bell * np.exp(x * x)), domain=Domain(-2.0, 2.0))
    ufunc(special.dawsn, lambda g, x, y: g * -difference(1.0, abs(x), 2.0 * x * y))
    ufunc(special.erfinv, lambda g, y: g * (0.5 * _ROOT_PI * np.exp(y * y)), domain=symmetric)
    ufunc(special.erfcinv, lambda g, y: g * (-0.5 * _ROOT_PI * np.exp(y * y)), domain=Domain(0.0, 2.0))
    ufunc(special.ndtr, lambda g, x: g * (np.exp(-0.5 * (x * x)) / _ROOT_2PI))
    ufunc(special.log_ndtr, lambda g, x, y: g * hazard(x, y))
    ufunc(special.ndtri, lambda g, y: g * (_ROOT_2PI * np.exp(0.5 * (y * y))), domain=unit)
    ufunc(special.ndtri_exp, lambda g, x, y: g / hazard(y, x), domain=Domain(-4.0, -0.1))
    ufunc(
        special.owens_t,
        lambda g, a, b: g * (np.exp(-0.5 * (a * a)) * special.erf(a * b * math.sqrt(0.5)) * (-0.5 / _ROOT_2PI)),
        lambda g, a, b: g * (np.exp(-0.5 * (a * a * (1.0 + b * b))) / (1.0 + b * b) * (0.5 / math.pi)),
    )


def _entropies(special: Any) -> None:
    from .quadrature import over

    ufunc(special.entr, lambda g, x: g * (-1.0 - np.log(x)), domain=positive)
    ufunc(special.xlogy, lambda g, b: g * np.log(b), lambda g, a, b: g * over(a, b), domain=(real, positive))
    ufunc(
        special.xlog1py,
        lambda g, b: g * np.log1p(b),
        lambda g, a, b: g * over(a, 1.0 + b),
        domain=(real, positive),
    )
    ufunc(special.rel_entr, lambda g, a, b: g * (np.log(a / b) + 1.0), lambda g, a, b: g * (-a / b), domain=positive)
    ufunc(special.kl_div, lambda g, a, b: g * np.log(a / b), lambda g, a, b: g * (1.0 - a / b), domain=positive)
    ufunc(
        special.huber,
        lambda g, a, b: np.where(np.abs(b) > a, g * (np.abs(b) - a), 0.0),
        lambda g, a, b: g * np.clip(b, -a, a),
        domain=(Domain(4.5, 6.0), real),
    )
    ufunc(
        special.pseudo_huber,
        lambda g, a, b: g * (2.0 * a * (np.hypot(1.0, b / a) - 1.0) - b * b / (a * np.hypot(1.0, b / a))),
        lambda g, a, b: g * (b / np.hypot(1.0, b / a)),
        domain=(positive, nonzero),
    )


def _integrals(special: Any) -> None:
    """Exponential, sine and cosine integrals, and Fresnel's."""
    expn = special.expn
    ufunc(special.exp1, lambda g, x: g * (-np.exp(-x) / x), domain=positive)
    ufunc(special.expi, lambda g, x: g * (np.exp(x) / x), domain=nonzero)

    def lower(n: Any, x: Any) -> Any:
        """The exponential integral of order n - 1; that of order 0 is elementary, and the one below it too."""
        by_order = np.where(n >= 2, expn(np.maximum(n - 1, 1), x), np.exp(-x) / x)
        return np.where(n == 0, np.exp(-x) * (1.0 + 1.0 / x) / x, by_order)

    in_last(expn, lambda g, x, v: g * -lower(v[0], x), 2, domain=positive)
    several(special.sici, lambda g, x, y: g[0] * (np.sin(x) / x) + g[1] * (np.cos(x) / x), positive)
    several(special.shichi, lambda g, x, y: g[0] * (np.sinh(x) / x) + g[1] * (np.cosh(x) / x), positive)
    turn = 0.5 * math.pi
    several(special.fresnel, lambda g, x, y: g[0] * np.sin(turn * (x * x)) + g[1] * np.cos(turn * (x * x)))


def _elementary(special: Any) -> None:
    """What NumPy has too, under SciPy's function objects."""
    ufunc(special.expm1, lambda g, y: g * (y + 1.0))
    ufunc(special.log1p, lambda g, x: g / (x + 1.0), domain=Domain(-1.0, 4.0))
    ufunc(special.exp2, lambda g, y: g * (y * math.log(2.0)))
    ufunc(special.exp10, lambda g, y: g * (y * math.log(10.0)))
    ufunc(special.cbrt, lambda g, y: g / (3.0 * (y * y)), domain=nonzero)
    ufunc(special.cosm1, lambda g, x: -g * np.sin(x))
    sine, cosine = special.sindg, special.cosdg
    ufunc(sine, lambda g, x: g * (math.pi / 180.0 * cosine(x)), domain=Domain(-200.0, 200.0))
    ufunc(cosine, lambda g, x: g * (-math.pi / 180.0 * sine(x)), domain=Domain(-200.0, 200.0))
    ufunc(
        special.powm1,
        lambda g, a, b, y: g * (b * (y + 1.0) / a),
        lambda g, a, b, y: g * ((y + 1.0) * np.log(a)),
        domain=(positive, real),
    )
    elementwise(special.round, None, method="", analytic=False)
