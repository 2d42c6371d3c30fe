"""Special functions of ``scipy.special``: error functions, gamma and beta functions, Bessel functions, entropies.

Their rows join the table the first time that one of them meets a Tensor; nothing is imported before, and without SciPy
nothing is missing.  Write ``scipy.special.erf(t)``: there is no wrapper.

``scipy.special.logsumexp``, ``softmax`` and ``log_softmax`` are no ufuncs.  They make an array of what they are given
before NumPy's protocols are asked, so they refuse a Tensor; use ``autodiff.logsumexp`` instead: log_softmax is
x - logsumexp(x, axis=-1, keepdims=True), and softmax is exp of that.

With respect to their order (``jv``, ``iv``, ``kv``...) or shape parameter (``gammainc``, ``betainc``) functions are not
differentiated: a Tensor that leads to a variable is refused there.

Source: NIST Digital Library of Mathematical Functions, chapters 5 (gamma), 6 and 7 (error functions), 10 (Bessel).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import unbroadcast
from ..primitive import Domain, elementwise, example, nonzero, positive, primitive, real, sample, supplier

Array = Any

unit = Domain(0.0, 1.0)
symmetric = Domain(-1.0, 1.0)
_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2.0 * math.pi)
_loaded: list[str] = []


def load() -> None:
    """Register the functions of ``scipy.special``, once.  Raises ImportError without SciPy."""
    if not _loaded:
        from scipy import special  # type: ignore[import-untyped,unused-ignore]

        _loaded.append(special.__name__)
        _logistic(special)
        _error_functions(special)
        _gamma_functions(special)
        _entropies(special)
        _bessel_functions(special)
        _elementary(special)


@supplier
def _late(function: Any) -> None:
    """A ufunc that NumPy does not have and the table does not either: it may be one of SciPy's."""
    if isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is not function:
        try:
            load()
        except ImportError:
            return


def _ufunc(function: Any, *rules: Any, domain: Any = real, parameters: Any = None) -> None:
    elementwise(function, *rules, domain=domain, parameters=parameters, method="", analytic=False)


def _logistic(special: Any) -> None:
    expit = special.expit
    _ufunc(expit, lambda g, x, y: g * (y * expit(-x)))
    _ufunc(special.log_expit, lambda g, x: g * expit(-x))
    _ufunc(special.logit, lambda g, x: g / (x * (1.0 - x)), domain=unit)


def _error_functions(special: Any) -> None:
    bell = 2.0 / _ROOT_PI
    _ufunc(special.erf, lambda g, x: g * (bell * np.exp(-(x * x))))
    _ufunc(special.erfc, lambda g, x: g * (-bell * np.exp(-(x * x))))
    _ufunc(special.erfcx, lambda g, x, y: g * (2.0 * x * y - bell))
    _ufunc(special.erfi, lambda g, x: g * (bell * np.exp(x * x)), domain=Domain(-2.0, 2.0))
    _ufunc(special.dawsn, lambda g, x, y: g * (1.0 - 2.0 * x * y))
    _ufunc(special.erfinv, lambda g, y: g * (0.5 * _ROOT_PI * np.exp(y * y)), domain=symmetric)
    _ufunc(special.erfcinv, lambda g, y: g * (-0.5 * _ROOT_PI * np.exp(y * y)), domain=Domain(0.0, 2.0))
    _ufunc(special.ndtr, lambda g, x: g * (np.exp(-0.5 * (x * x)) / _ROOT_2PI))
    _ufunc(special.log_ndtr, lambda g, x, y: g * (np.exp(-0.5 * (x * x) - y) / _ROOT_2PI))
    _ufunc(special.ndtri, lambda g, y: g * (_ROOT_2PI * np.exp(0.5 * (y * y))), domain=unit)


def _gamma_functions(special: Any) -> None:
    psi, gammaln = special.psi, special.gammaln

    def polygamma(order: int) -> Any:
        """The derivative of psi of this order, by Hurwitz's zeta; SciPy's function of this name is no ufunc.

        Source: NIST Digital Library of Mathematical Functions, 25.11.12.
        """
        if order not in known:
            scale = (-1.0) ** (order + 1) * math.factorial(order)

            def value(x: Array) -> Array:
                return special.zeta(order + 1.0, x) * scale

            known[order] = elementwise(
                value, lambda g, x: g * polygamma(order + 1)(x),
                domain=positive, analytic=False, method="", name=f"polygamma{order}",
            )  # fmt: skip
        return known[order]

    known: dict[int, Any] = {}
    _ufunc(psi, lambda g, x: g * polygamma(1)(x), domain=positive)
    _ufunc(gammaln, lambda g, x: g * psi(x), domain=positive)
    _ufunc(special.loggamma, lambda g, x: g * psi(x), domain=positive)
    _ufunc(special.gamma, lambda g, x, y: g * (y * psi(x)), domain=positive)
    _ufunc(special.rgamma, lambda g, x, y: g * (-y * psi(x)), domain=positive)
    _ufunc(
        special.betaln,
        lambda g, a, b: g * (psi(a) - psi(a + b)),
        lambda g, a, b: g * (psi(b) - psi(a + b)),
        domain=positive,
    )
    _ufunc(
        special.beta,
        lambda g, a, b, y: g * (y * (psi(a) - psi(a + b))),
        lambda g, a, b, y: g * (y * (psi(b) - psi(a + b))),
        domain=positive,
    )

    def density(a: Array, x: Array) -> Array:
        return np.exp((a - 1.0) * np.log(x) - x - gammaln(a))

    for function, sign in ((special.gammainc, 1.0), (special.gammaincc, -1.0)):
        _in_last(function, lambda g, x, v, sign=sign: g * (sign * density(v[0], x)), 1.5, domain=positive)
    _in_last(
        special.betainc,
        lambda g, x, v: g * np.exp(
            (v[0] - 1.0) * np.log(x) + (v[1] - 1.0) * np.log1p(-x) - special.betaln(v[0], v[1])
        ),
        1.5, 2.5, domain=unit,
    )  # fmt: skip


def _in_last(function: Any, rule: Any, *orders: float, domain: Domain = real) -> None:
    """Register a function that is differentiated by its last argument alone: ``rule(g, x, orders)``."""
    name = function.__name__

    def refused(g: Array) -> Array:
        raise TypeError(f"{name}: only its last argument is differentiated; pass the values of the others: t.data")

    def broadcast(g: Array, x: Array, v: Any) -> Array:
        return unbroadcast(rule(g, x, v), x.shape)

    register = {
        1: primitive(
            lambda g: refused(g),
            lambda g, b, a: broadcast(g, b, (a,)),
            implements=function,
            name=name,
            analytic=False,
            examples=[
                example(*orders, sample(2, 3, domain=domain)),
                example(*orders, sample(domain=domain)),
                example(*[np.array([[v], [v + 1.0]]) for v in orders], sample(3, domain=domain)),
            ],
        ),
        2: primitive(
            lambda g: refused(g),
            lambda g: refused(g),
            lambda g, c, a, b: broadcast(g, c, (a, b)),
            implements=function,
            name=name,
            analytic=False,
            examples=[example(*orders, sample(2, 3, domain=domain))],
        ),
    }[len(orders)]
    forward: Any = {1: lambda a, b: function(a, b), 2: lambda a, b, c: function(a, b, c)}[len(orders)]
    register(forward)


def _entropies(special: Any) -> None:
    _ufunc(special.entr, lambda g, x: g * (-1.0 - np.log(x)), domain=positive)
    _ufunc(special.xlogy, lambda g, b: g * np.log(b), lambda g, a, b: g * (a / b), domain=(real, positive))
    _ufunc(special.xlog1py, lambda g, b: g * np.log1p(b), lambda g, a, b: g * (a / (1.0 + b)), domain=(real, positive))
    _ufunc(special.rel_entr, lambda g, a, b: g * (np.log(a / b) + 1.0), lambda g, a, b: g * (-a / b), domain=positive)
    _ufunc(special.kl_div, lambda g, a, b: g * np.log(a / b), lambda g, a, b: g * (1.0 - a / b), domain=positive)
    _ufunc(
        special.huber,
        lambda g, a, b: g * (np.maximum(np.abs(b), a) - a),
        lambda g, a, b: g * np.clip(b, -a, a),
        domain=(Domain(4.5, 6.0), real),
    )
    _ufunc(
        special.pseudo_huber,
        lambda g, a, b: g * (2.0 * a * (np.hypot(1.0, b / a) - 1.0) - b * b / (a * np.hypot(1.0, b / a))),
        lambda g, a, b: g * (b / np.hypot(1.0, b / a)),
        domain=(positive, nonzero),
    )


def _bessel_functions(special: Any) -> None:
    jv, yv, iv, kv, ive, kve = (getattr(special, name) for name in ("jv", "yv", "iv", "kv", "ive", "kve"))
    j0, j1, y0, y1, i0, i1, k0, k1 = (
        getattr(special, name) for name in ("j0", "j1", "y0", "y1", "i0", "i1", "k0", "k1")
    )
    _ufunc(j0, lambda g, x: -g * j1(x))
    _ufunc(j1, lambda g, x: g * ((j0(x) - jv(2.0, x)) * 0.5))
    _ufunc(y0, lambda g, x: -g * y1(x), domain=Domain(0.5, 4.0))
    _ufunc(y1, lambda g, x: g * ((y0(x) - yv(2.0, x)) * 0.5), domain=Domain(0.5, 4.0))
    _ufunc(i0, lambda g, x: g * i1(x))
    _ufunc(i1, lambda g, x: g * ((i0(x) + iv(2.0, x)) * 0.5))
    _ufunc(k0, lambda g, x: -g * k1(x), domain=Domain(0.5, 4.0))
    _ufunc(k1, lambda g, x: g * ((k0(x) + kv(2.0, x)) * -0.5), domain=Domain(0.5, 4.0))
    _ufunc(special.i0e, lambda g, x, y: g * (special.i1e(x) - np.sign(x) * y), domain=nonzero)
    _ufunc(special.i1e, lambda g, x, y: g * ((special.i0e(x) + ive(2.0, x)) * 0.5 - np.sign(x) * y), domain=nonzero)
    _ufunc(special.k0e, lambda g, x, y: g * (y - special.k1e(x)), domain=Domain(0.5, 4.0))
    _ufunc(special.k1e, lambda g, x, y: g * (y - (special.k0e(x) + kve(2.0, x)) * 0.5), domain=Domain(0.5, 4.0))
    away = Domain(0.5, 4.0)
    _in_last(jv, lambda g, x, v: g * ((jv(v[0] - 1.0, x) - jv(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    _in_last(yv, lambda g, x, v: g * ((yv(v[0] - 1.0, x) - yv(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    _in_last(iv, lambda g, x, v: g * ((iv(v[0] - 1.0, x) + iv(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    _in_last(kv, lambda g, x, v: g * ((kv(v[0] - 1.0, x) + kv(v[0] + 1.0, x)) * -0.5), 1.5, domain=away)
    _in_last(
        ive,
        lambda g, x, v: g * ((ive(v[0] - 1.0, x) + ive(v[0] + 1.0, x)) * 0.5 - np.sign(x) * ive(v[0], x)),
        1.5,
        domain=away,
    )
    _in_last(
        kve, lambda g, x, v: g * (kve(v[0], x) - (kve(v[0] - 1.0, x) + kve(v[0] + 1.0, x)) * 0.5), 1.5, domain=away
    )


def _elementary(special: Any) -> None:
    """What NumPy has too, under SciPy's function objects."""
    _ufunc(special.expm1, lambda g, y: g * (y + 1.0))
    _ufunc(special.log1p, lambda g, x: g / (x + 1.0), domain=Domain(-1.0, 4.0))
    _ufunc(special.exp2, lambda g, y: g * (y * math.log(2.0)))
    _ufunc(special.exp10, lambda g, y: g * (y * math.log(10.0)))
    _ufunc(special.cbrt, lambda g, y: g / (3.0 * (y * y)), domain=nonzero)
    _ufunc(special.cosm1, lambda g, x: -g * np.sin(x))
    _ufunc(special.spence, lambda g, x: g * -_log_ratio(x), domain=positive)
    elementwise(special.round, None, method="", analytic=False)


def _log_ratio(x: Array) -> Array:
    """log(x) / (x - 1), and 1 at 1: x - 1 may be rounded to -1 where log(x) is still finite."""
    return np.where(x == 1.0, 1.0, np.log(x) / np.where(x == 1.0, 1.0, x - 1.0))
