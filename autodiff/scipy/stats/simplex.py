"""Distributions of shares that add up to 1, and of counts by such shares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...arrays import as_array, cast
from ...domain import Domain, example, sample
from ...primitive import registry
from ...tensor import Tensor
from ..compiled import composed
from .joint import Held, Joint, number
from .parts import bounded_exp

Array = Any

_SHARES, _SIZES = Domain(0.05, 0.3), Domain(0.5, 3.0)


def _real(name: str, value: Any) -> Array:
    """The argument as an array of floating-point numbers."""
    value = as_array(value)
    if value.dtype.kind not in "fiub":
        raise TypeError(f"{name}: takes real numbers, and got an array of {value.dtype}")
    return value if value.dtype.kind == "f" else value / 1.0


def _slack(total: Array, least: float) -> float:
    """How far a sum of shares may be from 1: for numbers in single precision more than SciPy's limit."""
    return max(least, 16.0 * float(np.finfo(total.dtype).eps))


def _sizes(alpha: Any) -> Array:
    """The parameters of a Dirichlet distribution, as a vector."""
    alpha = _real("dirichlet", alpha)
    if len(np.shape(alpha)) != 1 or not np.shape(alpha)[0]:
        raise ValueError(f"dirichlet: alpha has shape {np.shape(alpha)}, and must be a vector")
    return alpha


def _whole(x: Any, alpha: Array) -> Array:
    """All shares, along the first axis: the last is what the others leave, if it is not among them."""
    x, size = _real("dirichlet", x), np.shape(alpha)[0]
    if len(np.shape(x)) not in (1, 2) or np.shape(x)[0] not in (size, size - 1):
        raise ValueError(
            f"dirichlet: x has shape {np.shape(x)}, alpha ({size},); x must have {size} entries along its first axis, "
            f"or {size - 1}, and at most one more axis"
        )
    if np.shape(x)[0] == size:
        return x
    return np.concatenate((x, 1.0 - np.sum(x, axis=0, keepdims=True)))


def _dirichlet(x: Any, alpha: Array, of: str = "logpdf") -> Array:
    """``scipy.stats.dirichlet``: density Gamma(sum a) prod(x^(a - 1) / Gamma(a)) for shares x with the sum 1.

    The parameter alpha is (k,); x is (k,), (k, n) for n vectors, or has its last entry left out.
    """
    if of not in ("logpdf", "pdf", "entropy"):
        raise ValueError(f"dirichlet: of={of!r}; the methods are logpdf, pdf, entropy")
    alpha = _sizes(alpha)
    total = np.sum(alpha)
    log_beta = np.sum(special.gammaln(alpha)) - special.gammaln(total)
    if of == "entropy":
        rest = np.sum((alpha - 1.0) * special.psi(alpha))
        return log_beta + (total - np.shape(alpha)[0]) * special.psi(total) - rest
    x = _whole(x, alpha)
    powers = np.reshape(alpha - 1.0, (-1,) + (1,) * (len(np.shape(x)) - 1))
    value = np.squeeze(np.sum(special.xlogy(powers, x), axis=0) - log_beta)  # as SciPy's
    value = np.where(value == -math.inf, -math.inf, value)
    return value if of == "logpdf" else bounded_exp(value)


_dirichlet.__name__ = _dirichlet.__qualname__ = "dirichlet"
_call_dirichlet = composed(
    examples=[
        example(sample(2, 3, domain=_SHARES), sample(3, domain=_SIZES)),
        example(sample(2, domain=_SHARES), sample(3, domain=_SIZES), of="pdf"),
        example(None, sample(3, domain=_SIZES), of="entropy"),
    ],
    errors=[
        example(sample(2, domain=_SHARES), sample(4, domain=_SIZES)),
        example(sample(2, domain=_SHARES), sample(2, 2, domain=_SIZES)),
        example(sample(2, domain=_SHARES), sample(3, domain=_SIZES), of="cdf"),
    ],
)(_dirichlet)


class Dirichlet(Joint):
    """``scipy.stats.dirichlet``, whose ``logpdf``, ``pdf`` and ``entropy`` take Tensors.

    Raises ValueError for shares that SciPy refuses: below 0, above 1, or with a sum that is not 1.  The gradient by x
    is that of the formula, (alpha - 1) / x, each share by itself.

    >>> from autodiff import grad
    >>> grad(dirichlet.logpdf)(np.array([0.25, 0.75]), np.array([2.0, 4.0])).tolist()
    [4.0, 4.0]
    """

    name, methods = "dirichlet", ("logpdf", "pdf", "entropy")
    entry = registry[_dirichlet]

    def __call__(self, alpha: Array, seed: Any = None) -> Held:
        """The distribution with this parameter, whose methods take x alone."""
        return Held(self, {"alpha": alpha} if seed is None else {"alpha": alpha, "seed": seed})

    def logpdf(self, x: Array, alpha: Array) -> Any:
        """The logarithm of the density at x."""
        return number(_call_dirichlet(x, alpha, of="logpdf") * _one_or_nan(x, alpha))

    def pdf(self, x: Array, alpha: Array) -> Any:
        """The density at x."""
        return number(_call_dirichlet(x, alpha, of="pdf") * _one_or_nan(x, alpha))

    def entropy(self, alpha: Array) -> Any:
        """The differential entropy."""
        return number(_call_dirichlet(None, alpha, of="entropy") * _one_or_nan(None, alpha))


def _values(a: Array) -> Array:
    """The array in a Tensor, of which no derivative is wanted."""
    return a.data if isinstance(a, Tensor) else a


def _one_or_nan(x: Any, alpha: Any) -> Any:
    """1, or NaN for what is not allowed where its values cannot be read; else it is a ValueError, as in SciPy."""
    alpha = _values(_sizes(alpha))
    faults = {"alpha must be above 0": ~np.all(alpha > 0)}
    if x is not None:
        x = _whole(_values(x), alpha)
        powers = np.reshape(alpha, (-1,) + (1,) * (len(np.shape(x)) - 1))
        total = np.sum(x, axis=0)
        faults["x must be between 0 and 1"] = ~np.all((x >= 0) & (x <= 1), axis=0)
        faults["x must be above 0 where alpha is below 1"] = np.any((x == 0) & (powers < 1), axis=0)
        faults["the entries of x must have the sum 1"] = ~(np.abs(total - 1.0) <= _slack(total, 1e-9))
    wrong: Any = False
    for said, where in faults.items():
        if type(where) not in (np.ndarray, np.bool_):
            wrong = wrong | where
        elif np.any(where):
            raise ValueError(f"dirichlet: {said}")
    if wrong is False:
        return 1.0
    kind = np.result_type(alpha.dtype, alpha.dtype if x is None else x.dtype).type
    return np.squeeze(np.where(wrong, kind(math.nan), kind(1.0)))


dirichlet = Dirichlet()


def _multinomial(x: Any, n: Any, p: Array, of: str = "logpmf") -> Array:
    """``scipy.stats.multinomial``: probability n! prod(p^x / x!) of counts x with the sum n.

    Counts x and probabilities p are (..., k) and n is (...); they broadcast.  Only p has a derivative.
    """
    if of not in ("logpmf", "pmf"):
        raise ValueError(f"multinomial: of={of!r}; the methods are logpmf, pmf")
    p, given, n = _real("multinomial", p), _real("multinomial", x), np.floor(_real("multinomial", n))
    if not np.shape(given) or np.shape(given)[-1:] != np.shape(p)[-1:]:
        raise ValueError(
            f"multinomial: x has shape {np.shape(given)}, p {np.shape(p)}; the last axis must be the same in both"
        )
    x = np.floor(given)
    outside = np.any((x < given) | (x < 0), axis=-1) | (np.sum(x, axis=-1) != n)
    x, n = np.where(x < 0, 0.0, x), np.where(n < 0, math.nan, n)
    never = p == 0
    ways = special.gammaln(n + 1.0) - np.sum(special.gammaln(x + 1.0), axis=-1)
    ways = cast(np.where(outside & (n >= 0), -math.inf, ways), p.dtype)
    x = cast(x, p.dtype)
    if of == "logpmf":
        terms = np.where(never & (x == 0), 0.0, special.xlogy(x, np.where(never & (x == 0), 1.0, p)))
        value = np.sum(terms, axis=-1) + ways
        return np.where(outside & (n >= 0), -math.inf, value)
    positive = bounded_exp(np.sum(special.xlogy(x, np.where(never, 1.0, p)), axis=-1) + ways)
    return positive * np.prod(np.where(never & (x > 0), p ** np.where(x > 0, x, 1.0), 1.0), axis=-1)


_multinomial.__name__ = _multinomial.__qualname__ = "multinomial"
_call_multinomial = composed(
    examples=[
        example(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 2.0]]), 3, sample(3, domain=_SHARES)),
        example(np.array([1.0, 2.0]), np.array([3, 4]), sample(2, domain=_SHARES), of="pmf"),
    ],
    errors=[
        example(np.array([1.0, 2.0]), 3, sample(3, domain=_SHARES)),
        example(np.array([1.0, 2.0]), 3, sample(2, domain=_SHARES), of="cdf"),
    ],
)(_multinomial)


class Multinomial(Joint):
    """``scipy.stats.multinomial``, whose ``logpmf`` and ``pmf`` take Tensors for the probabilities p.

    Probabilities below 0, above 1 or with a sum that is not 1 give NaN, as from SciPy 1.18 on.  The gradient by p is
    that of the formula, x / p, each probability by itself.

    >>> from autodiff import grad
    >>> grad(multinomial.logpmf, 2)(np.array([1, 2]), 3, np.array([0.25, 0.75])).round(4).tolist()
    [4.0, 2.6667]
    """

    name, methods = "multinomial", ("logpmf", "pmf")
    entry = registry[_multinomial]

    def __call__(self, n: Any, p: Array, seed: Any = None) -> Held:
        """The distribution with these parameters, whose methods take x alone."""
        return Held(self, {"n": n, "p": p} if seed is None else {"n": n, "p": p, "seed": seed})

    def logpmf(self, x: Array, n: Any, p: Array) -> Any:
        """The logarithm of the probability of the counts x."""
        return number(_call_multinomial(x, n, p, of="logpmf") * _one_or_nan_of(p))

    def pmf(self, x: Array, n: Any, p: Array) -> Any:
        """The probability of the counts x."""
        return number(_call_multinomial(x, n, p, of="pmf") * _one_or_nan_of(p))


def _one_or_nan_of(p: Any) -> Any:
    """1 for probabilities with the sum 1, else NaN."""
    p = _values(_real("multinomial", p))
    total = np.sum(p, axis=-1)
    right = np.all((p >= 0) & (p <= 1), axis=-1) & (np.abs(total - 1.0) <= _slack(total, 1e-14))
    return np.where(right, p.dtype.type(1.0), p.dtype.type(math.nan))


multinomial = Multinomial()
