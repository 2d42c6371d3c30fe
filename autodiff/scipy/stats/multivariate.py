"""Distributions of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped,unused-ignore]

from ...arrays import as_array, owned
from ...domain import Domain, example, sample
from ...ops.decompositions import definite
from ...primitive import registry
from ..compiled import composed
from .joint import Held, Joint, number
from .parts import bounded_exp

Array = Any


def _whitened(name: str, x: Array, mean: Any, cov: Array, places: tuple[str, str]) -> tuple[Array, Array, int, Any]:
    """(x - m)^T C^-1 (x - m) of each x, log(det(C)) / 2, the number of coordinates, and the shape of the result.

    Without an x the squares are None.  ``places`` are the names of m and C in messages.
    """
    cov = as_array(cov)
    x = x if x is None else as_array(x)
    kinds = [a.dtype for a in (x, cov) if a is not None]
    if any(kind.kind not in "fiub" for kind in kinds):
        raise TypeError(f"{name}: takes real numbers, and got arrays of {' and '.join(map(str, kinds))}")
    shape = np.shape(cov)
    if len(shape) > 2 or (len(shape) == 2 and shape[0] != shape[1]):
        raise ValueError(f"{name}: {places[1]} has shape {shape}, and must be a number, a vector or a square matrix")
    mean = None if mean is None else as_array(mean)
    size = shape[0] if shape else 1 if mean is None or not np.shape(mean) else np.shape(mean)[0]
    if x is not None:
        if not np.shape(x):
            x = np.reshape(x, (1,))
        elif len(np.shape(x)) == 1 and size == 1:
            x = np.reshape(x, (-1, 1))
    if (x is not None and np.shape(x)[-1] != size) or (mean is not None and np.shape(mean) not in ((), (size,))):
        given = {"x": x, places[0]: mean, places[1]: cov}
        said = ", ".join(f"{n}{' has shape' * (n == 'x')} {np.shape(a)}" for n, a in given.items() if a is not None)
        raise ValueError(f"{name}: {said}; they do not fit")
    if len(shape) < 2:
        cov = cov * owned(np.eye(size, dtype=cov.dtype if cov.dtype.kind == "f" else float), cov)
    lower = np.linalg.cholesky(0.5 * (cov + np.swapaxes(cov, 0, 1)))
    widths = np.sum(np.log(np.diagonal(lower)))
    if x is None:
        return None, widths, size, ()
    offset = x if mean is None else x - mean
    white = np.linalg.solve(lower, np.reshape(offset, (-1, size)).T)
    return np.sum(np.square(white), axis=0), widths, size, np.shape(offset)[:-1]


def _density(x: Array, mean: Any = None, cov: Any = 1, of: str = "logpdf") -> Array:
    """``scipy.stats.multivariate_normal``: density exp(-(x - m)^T C^-1 (x - m) / 2) / sqrt(det(2 pi C)).

    x is (..., n), the mean (n,), the covariance C a number, a vector or (n, n), and positive definite.
    """
    if of not in ("logpdf", "pdf", "entropy"):
        raise ValueError(f"multivariate_normal: of={of!r}; the methods are logpdf, pdf, entropy")
    x = None if of == "entropy" else x
    squares, widths, size, shape = _whitened("multivariate_normal", x, mean, cov, ("mean", "cov"))
    if of == "entropy":
        return 0.5 * size * (math.log(2.0 * math.pi) + 1.0) + widths
    value = -0.5 * squares - widths - 0.5 * size * math.log(2.0 * math.pi)
    value = np.squeeze(np.reshape(value, shape))  # as SciPy's
    return value if of == "logpdf" else bounded_exp(value)


_density.__name__ = _density.__qualname__ = "multivariate_normal"
_call = composed(
    examples=[
        example(sample(2, 2), sample(2), sample(2, 2, make=definite)),
        example(sample(2), None, sample(2, 2, make=definite), of="pdf"),
        example(sample(3), sample(), sample(make=lambda v: np.abs(v) + 1.0)),
        example(None, None, sample(2, 2, make=definite), of="entropy"),
    ],
    errors=[
        example(sample(3), sample(2), sample(2, 2, make=definite)),
        example(sample(2), sample(2), sample(2, 3)),
        example(sample(2), of="cdf"),
    ],
)(_density)


class MultivariateNormal(Joint):
    """``scipy.stats.multivariate_normal``, whose ``logpdf``, ``pdf`` and ``entropy`` take Tensors.

    >>> from autodiff import grad
    >>> grad(multivariate_normal(np.zeros(2), 2.0).logpdf)(np.array([1.0, 3.0])).round(4).tolist()
    [-0.5, -1.5]
    """

    name, methods = "multivariate_normal", ("logpdf", "pdf", "entropy")
    entry = registry[_density]

    def __call__(self, mean: Any = None, cov: Any = 1, allow_singular: bool = False, seed: Any = None) -> Held:
        """The distribution with these parameters, whose methods take x alone."""
        return Held(self, _given(mean=mean, cov=cov, allow_singular=allow_singular or None, seed=seed))

    def logpdf(self, x: Array, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The logarithm of the density at x."""
        return self._method("logpdf", x, mean, cov, allow_singular)

    def pdf(self, x: Array, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """The density at x."""
        return self._method("pdf", x, mean, cov, allow_singular)

    def _method(self, of: str, x: Array, mean: Any, cov: Any, allow_singular: bool) -> Any:
        if allow_singular:
            raise NotImplementedError(
                f"multivariate_normal.{of}: allow_singular=True has no derivative here; add a small multiple of the "
                "identity to cov, or project x to the directions in which it varies"
            )
        return number(_call(x, mean, cov, of=of))

    def entropy(self, mean: Any = None, cov: Any = 1) -> Any:
        """The differential entropy."""
        return number(_call(None, mean, cov, of="entropy"))


def _given(**parameters: Any) -> dict[str, Any]:
    """The parameters that are not None."""
    return {name: value for name, value in parameters.items() if value is not None}


multivariate_normal = MultivariateNormal()


def _student(x: Array, loc: Any = None, shape: Any = 1, df: Any = 1, of: str = "logpdf") -> Array:
    """``scipy.stats.multivariate_t``: density c (1 + (x - m)^T S^-1 (x - m) / df)^(-(df + n) / 2) / sqrt(det(S)).

    x is (..., n), the location m (n,), the shape S a number, a vector or (n, n), and positive definite; df is a number.
    """
    if of not in ("logpdf", "pdf"):
        raise ValueError(f"multivariate_t: of={of!r}; the methods are logpdf, pdf")
    if np.shape(df):
        raise ValueError(f"multivariate_t: df has shape {np.shape(df)}, and must be a number")
    squares, widths, size, places = _whitened("multivariate_t", x, loc, shape, ("loc", "shape"))
    df = squares.dtype.type(df) if type(df) in (int, float) else as_array(df)
    df = df * np.where(df > 0, squares.dtype.type(1.0), squares.dtype.type(math.nan))
    half = squares.dtype.type(0.5 * size)  # a Python number would make betaln's result double
    constant = math.lgamma(0.5 * size) - special.betaln(0.5 * df, half) - 0.5 * size * np.log(math.pi * df)
    value = constant - widths - 0.5 * (df + size) * np.log1p(squares / df)
    value = np.squeeze(np.reshape(value, places))  # as SciPy's
    return value if of == "logpdf" else bounded_exp(value)


_student.__name__ = _student.__qualname__ = "multivariate_t"
_call_student = composed(
    examples=[
        example(sample(2, 2), sample(2), sample(2, 2, make=definite), sample(domain=Domain(1.0, 5.0))),
        example(sample(2), None, sample(2, 2, make=definite), 3, of="pdf"),
    ],
    errors=[
        example(sample(3), sample(2), sample(2, 2, make=definite)),
        example(sample(2), sample(2), sample(2, 2, make=definite), sample(2, domain=Domain(1.0, 5.0))),
        example(sample(2), of="cdf"),
    ],
)(_student)


class MultivariateT(Joint):
    """``scipy.stats.multivariate_t``, whose ``logpdf`` and ``pdf`` take Tensors.

    >>> from autodiff import grad
    >>> grad(multivariate_t.logpdf)(np.array([1.0, 2.0]), np.zeros(2), np.eye(2), 3.0).round(4).tolist()
    [-0.625, -1.25]
    """

    name, methods = "multivariate_t", ("logpdf", "pdf")
    entry = registry[_student]

    def __call__(self, loc: Any = None, shape: Any = 1, df: Any = 1) -> Held:
        """The distribution with these parameters, whose methods take x alone."""
        return Held(self, _given(loc=loc, shape=shape, df=df))

    def logpdf(self, x: Array, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
        """The logarithm of the density at x."""
        return self._method("logpdf", x, loc, shape, df)

    def pdf(self, x: Array, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
        """The density at x."""
        return self._method("pdf", x, loc, shape, df)

    def _method(self, of: str, x: Array, loc: Any, shape: Any, df: Any) -> Any:
        if isinstance(df, int | float) and df == math.inf:
            return number(_call(x, loc, shape, of=of))
        if isinstance(df, int | float) and not df > 0:
            raise ValueError(f"multivariate_t.{of}: df={df!r} must be above 0")
        return number(_call_student(x, loc, shape, df, of=of))


multivariate_t = MultivariateT()
