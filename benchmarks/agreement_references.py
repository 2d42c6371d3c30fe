"""What benchmarks.agreement compares with: JAX's function for each entry of the table, mpmath's where JAX has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.primitive import Composite, Primitive

from .coverage_calls import SYMMETRIC

Function = Callable[..., Any]


def jax_function(entry: Primitive | Composite) -> Function | None:
    """JAX's function of this name, from the module that answers to NumPy's or SciPy's, or a composition of its own."""
    import jax.numpy as jnp
    import jax.scipy.special

    function, name = entry.function, entry.name
    composed = _compositions().get(name)
    if composed is not None:
        return composed
    if isinstance(function, np.ufunc) and function.signature is not None:
        return getattr(jnp, function.__name__)  # type: ignore[no-any-return]
    for ours, theirs in ((np, jnp), (np.linalg, jnp.linalg), (np.fft, jnp.fft)):
        for alias in (name, getattr(function, "__name__", name)):
            if getattr(ours, alias, None) is function:
                return getattr(theirs, alias, None)
    return getattr(jax.scipy.special, name, None) if isinstance(function, np.ufunc) else None


def _compositions() -> dict[str, Function]:
    """What JAX has under another name, or in a few of its functions."""
    import jax
    import jax.numpy as jnp
    from jax.scipy import special

    def cross_entropy(scores: Any, target: Any, axis: int = -1) -> Any:
        log_p = scores - special.logsumexp(scores, axis=axis, keepdims=True)
        if np.dtype(target.dtype).kind in "iu":
            return -jnp.squeeze(jnp.take_along_axis(log_p, jnp.expand_dims(target, axis), axis), axis)
        return -jnp.sum(target * log_p, axis)

    def huber(a: Any, b: Any) -> Any:
        return jnp.where(jnp.abs(b) <= a, 0.5 * b * b, a * (jnp.abs(b) - 0.5 * a))

    def binom(n: Any, k: Any) -> Any:
        return jnp.exp(special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0))

    def histogram(a: Any, bins: Any, range: Any, density: Any, weights: Any) -> Any:  # noqa: A002
        return jnp.histogram(a, bins, range, weights, density)

    def piecewise(x: Any, conditions: Any, functions: Any) -> Any:
        named = [getattr(jnp, f.__name__, f) if isinstance(f, np.ufunc) else f for f in functions]
        return jnp.piecewise(x, conditions, named)

    def power_norm(x: Any, order: float, axis: Any = None, keepdims: bool = False) -> Any:
        return jnp.sum(jnp.abs(x) ** order, axis=axis, keepdims=keepdims) ** (1.0 / order)

    def windows(x: Any, window_shape: Any, axis: Any = None) -> Any:
        places = np.lib.stride_tricks.sliding_window_view(np.arange(x.size).reshape(x.shape), window_shape, axis)
        return jnp.ravel(x)[places]

    def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
        if not isinstance(mode, str):  # the border of constants alone
            return jnp.pad(array, pad_width, constant_values=mode)
        return jnp.pad(array, pad_width, mode, **options)

    extended = (jnp.sqrt, jnp.log, jnp.log2, jnp.log10, jnp.arcsin, jnp.arccos, jnp.arctanh)
    return {
        # complex always: where NumPy stays real, the imaginary part and its derivative are 0
        **{f"emath_{f.__name__}": lambda x, f=f: f(x + 0j) for f in extended},
        "emath_logn": lambda n, x: jnp.log(x + 0j) / jnp.log(n + 0j),
        "emath_power": lambda x, p: jnp.power(x + 0j, p + 0j),
        "sliding_window_view": windows,
        "pad": pad,
        "astype": lambda x, dtype, copy=True: x.astype(dtype),
        "relu": jax.nn.relu,
        "sigmoid": jax.nn.sigmoid,
        "softplus": jax.nn.softplus,
        "logsumexp": special.logsumexp,
        "matmul": jnp.matmul,
        "alias": lambda x: x,
        "getitem": lambda a, index: a[index],
        "scatter_add": lambda values, index, shape: jnp.zeros(shape).at[index].add(values),
        "index_update": lambda x, index, v: x.at[index].set(v),
        "index_add": lambda x, index, v: x.at[index].add(v),
        "limit": jnp.clip,
        "softmax_cross_entropy": cross_entropy,
        "log_expit": jax.nn.log_sigmoid,
        "psi": special.digamma,
        "huber": huber,
        "pseudo_huber": lambda a, b: a * a * (jnp.sqrt(1.0 + (b / a) ** 2) - 1.0),
        "expm1": jnp.expm1,
        "log1p": jnp.log1p,
        "exp2": jnp.exp2,
        "exp10": lambda x: jnp.exp(x * np.log(10.0)),
        "cbrt": jnp.cbrt,
        "cosm1": lambda x: -2.0 * jnp.sin(0.5 * x) ** 2,
        "rgamma": lambda x: 1.0 / special.gamma(x),
        "powm1": lambda a, b: jnp.expm1(b * jnp.log(a)),
        "binom": binom,
        "ndtri_exp": lambda x: special.ndtri(jnp.exp(x)),
        "expm": jax.scipy.linalg.expm,
        "real_if_close": lambda x: x,
        "length": lambda x, axis=None, keepdims=False: jnp.sqrt(jnp.sum(jnp.abs(x) ** 2, axis=axis, keepdims=keepdims)),
        "power_norm": power_norm,
        "histogram": histogram,
        "piecewise": piecewise,
    }


def mpmath_function(name: str) -> Function | tuple[Function, ...] | None:
    """mpmath's function for one of SciPy's; the last argument is the one to differentiate by.

    A tuple of functions for one that has several outputs.
    """
    import mpmath as mp

    def student(v: Any, x: Any) -> Any:
        scale = mp.gamma((v + 1) / 2) / (mp.sqrt(mp.pi * v) * mp.gamma(v / 2))
        return mp.mpf(1) / 2 + x * scale * mp.hyp2f1(0.5, (v + 1) / 2, 1.5, -x * x / v)

    def lower(a: Any, x: Any) -> Any:
        return mp.gammainc(a, 0, x, regularized=True)

    def upper(a: Any, x: Any) -> Any:
        return mp.gammainc(a, x, mp.inf, regularized=True)

    def below(a: Any, b: Any, x: Any) -> Any:
        return mp.betainc(a, b, 0, x, regularized=True)

    return {
        "erfi": mp.erfi,
        "exp1": mp.e1,
        "erfcinv": lambda x: mp.erfinv(1 - x),
        "j0": lambda x: mp.besselj(0, x),
        "j1": lambda x: mp.besselj(1, x),
        "y0": lambda x: mp.bessely(0, x),
        "y1": lambda x: mp.bessely(1, x),
        "k0": lambda x: mp.besselk(0, x),
        "k1": lambda x: mp.besselk(1, x),
        "i0e": lambda x: mp.exp(-abs(x)) * mp.besseli(0, x),
        "i1e": lambda x: mp.exp(-abs(x)) * mp.besseli(1, x),
        "k0e": lambda x: mp.exp(x) * mp.besselk(0, x),
        "k1e": lambda x: mp.exp(x) * mp.besselk(1, x),
        "jv": mp.besselj,
        "yv": mp.bessely,
        "iv": mp.besseli,
        "kv": mp.besselk,
        "ive": lambda v, x: mp.exp(-abs(x)) * mp.besseli(v, x),
        "kve": lambda v, x: mp.exp(x) * mp.besselk(v, x),
        "kn": mp.besselk,
        "yn": mp.bessely,
        "airy": (mp.airyai, lambda x: mp.airyai(x, 1), mp.airybi, lambda x: mp.airybi(x, 1)),
        "shichi": (mp.shi, mp.chi),
        "_zeta": mp.zeta,
        "expn": mp.expint,
        "gammaincinv": _inverse("gammaincinv", lower),
        "gammainccinv": _inverse("gammainccinv", upper),
        "betaincinv": _inverse("betaincinv", below),
        "betaincc": lambda a, b, x: 1 - below(a, b, x),
        "chdtr": lambda v, x: lower(v / 2, x / 2),
        "chdtrc": lambda v, x: upper(v / 2, x / 2),
        "stdtr": student,
        "hyp0f1": mp.hyp0f1,
        "hyp1f1": mp.hyp1f1,
        "hyp2f1": mp.hyp2f1,
        "ellipk": mp.ellipk,
        "ellipe": mp.ellipe,
        "ellipkm1": lambda x: mp.ellipk(1 - x),
        "exprel": lambda x: mp.expm1(x) / x if x else mp.mpf(1),
    }.get(name)


def _inverse(name: str, function: Function) -> Function:
    """The inverse in the last argument: SciPy's value, brought to 30 digits by Newton's method."""
    import mpmath as mp
    from scipy import special

    def inverse(*arguments: Any) -> Any:
        *orders, y = arguments
        x = mp.mpf(float(getattr(special, name)(*map(float, arguments))))
        for _ in range(3):
            x -= (function(*orders, x) - y) / mp.diff(lambda v: function(*orders, v), x)
        return x

    return inverse


def chained(call: Any, function: Function) -> Function:
    """The drawn call with ``function`` in the place of the entry's, of its arrays alone."""
    stand_in = type("Entry", (), {"call": staticmethod(function)})
    other = type(call)(stand_in, call.args, call.kwargs, call.arrays)
    if call.entry.name not in SYMMETRIC:
        return other  # type: ignore[no-any-return]
    return lambda *arrays: other(*[_hermitian(a) for a in arrays])


def _hermitian(a: Any) -> Any:
    """The Hermitian part: what a function of such matrices depends on."""
    turned = a.swapaxes(-1, -2)
    return (a + (turned.conj() if a.dtype.kind == "c" else turned)) / 2


FAULTS = {
    "fmax": "a tie: pullback shares it equally, as for `maximum`; JAX gives all of it to the second argument here",
    "fmin": "as `fmax`",
    "hypot": "JAX: 0 in the place of the second derivatives where both have one length; mpmath confirms pullback",
    "limit": "at a bound: pullback says 0, a convention stated in its docs; JAX says 1/2",
    "eig": "JAX has no derivatives of non-symmetric eigenproblems; values agree",
    "eigvals": "as `eig`",
    "expm": "JAX's value is off by 3.5e-9 for the matrix shown, pullback's by 1.8e-14, beside mpmath",
    "poly": "of a matrix: as `eig`, in the second derivative; the rest agrees",
    "fresnel": "at 1 JAX says 0 for the second derivative of C(x), which is -pi",
    "roots": "as `eig`",
    "svd": "a singular value of exactly 0, where its derivative is a convention: 0 here, 1 in JAX",
    "svdvals": "as `svd`",
    "lstsq": "values: JAX's residuals have shape (1,) where NumPy's have (0,); the rest agrees",
    "polyfit": "JAX: NaN for x = 0, from 0 ** 0",
    "vander": "JAX: NaN for x = 0, from 0 ** 0",
    "ldexp": "at x = 0 JAX says 1, it is 2 ** n",
    "i0": "at 0 JAX says 0 (`jnp.i0`) and 3/2 (`scipy.special.i0`) for the second derivative, which is 1/2",
    "i1": "at 0 JAX says 1 for the second derivative, which is 0",
    "emath_arcsin": "beyond 1 JAX's derivative has the wrong sign; differences of its own values say so",
    "emath_arccos": "as `emath_arcsin`",
    "partition": "JAX leaves the others in another order; NumPy promises the place of the k-th alone",
    "corrcoef": "two points are perfectly correlated: JAX's clip to [-1, 1] halves the derivative at the bound",
    "beta": "JAX is wrong in the second derivative for small arguments; mpmath confirms pullback to 14 digits",
    "betaln": "as `beta`",
    "boxcox": "at lambda = 0 JAX says 0 for the derivative by lambda, which is log(x)² / 2; near it, its digits cancel",
    "boxcox1p": "as `boxcox`",
    "spence": "at 1 JAX says 0 for the first derivative, which is -1, and for the second, which is 1/2",
}
"""Why an operation differs from its reference, or cannot be compared with it."""
