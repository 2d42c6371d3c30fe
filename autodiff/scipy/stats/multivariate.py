"""Distributions of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from ...arrays import as_array, owned
from ...domain import example, sample
from ...ops.decompositions import definite
from ...primitive import registry
from ..compiled import composed
from .parts import bounded_exp

Array = Any


def _density(x: Array, mean: Any = None, cov: Any = 1, of: str = "logpdf") -> Array:
    """``scipy.stats.multivariate_normal``: density exp(-(x - m)^T C^-1 (x - m) / 2) / sqrt(det(2 pi C)).

    x is (..., n), the mean (n,), the covariance C a number, a vector or (n, n), and positive definite.
    """
    if of not in ("logpdf", "pdf"):
        raise ValueError(f"multivariate_normal: of={of!r}; the methods are logpdf, pdf")
    x, cov = as_array(x), as_array(cov)
    if x.dtype.kind not in "fiub" or cov.dtype.kind not in "fiub":
        raise TypeError(f"multivariate_normal: takes real numbers, and got arrays of {x.dtype} and {cov.dtype}")
    shape = np.shape(cov)
    if len(shape) > 2 or (len(shape) == 2 and shape[0] != shape[1]):
        raise ValueError(
            f"multivariate_normal: cov has shape {shape}, and must be a number, a vector or a square matrix"
        )
    mean = None if mean is None else as_array(mean)
    size = shape[0] if shape else 1 if mean is None or not np.shape(mean) else np.shape(mean)[0]
    if not np.shape(x):
        x = np.reshape(x, (1,))
    elif len(np.shape(x)) == 1 and size == 1:
        x = np.reshape(x, (-1, 1))
    if np.shape(x)[-1] != size or (mean is not None and np.shape(mean) not in ((), (size,))):
        places = "" if mean is None else f", mean {np.shape(mean)}"
        raise ValueError(f"multivariate_normal: x has shape {np.shape(x)}{places}, cov {shape}; they do not fit")
    if len(shape) < 2:
        cov = cov * owned(np.eye(size, dtype=cov.dtype if cov.dtype.kind == "f" else float), cov)
    lower = np.linalg.cholesky(0.5 * (cov + np.swapaxes(cov, 0, 1)))
    offset = x if mean is None else x - mean
    white = np.linalg.solve(lower, np.reshape(offset, (-1, size)).T)
    widths = np.sum(np.log(np.diagonal(lower)))
    value = -0.5 * np.sum(np.square(white), axis=0) - widths - 0.5 * size * math.log(2.0 * math.pi)
    value = np.squeeze(np.reshape(value, np.shape(offset)[:-1]))  # as SciPy's
    return value if of == "logpdf" else bounded_exp(value)


_density.__name__ = _density.__qualname__ = "multivariate_normal"
_call = composed(
    examples=[
        example(sample(2, 2), sample(2), sample(2, 2, make=definite)),
        example(sample(2), None, sample(2, 2, make=definite), of="pdf"),
        example(sample(3), sample(), sample(make=lambda v: np.abs(v) + 1.0)),
    ],
    errors=[
        example(sample(3), sample(2), sample(2, 2, make=definite)),
        example(sample(2), sample(2), sample(2, 3)),
        example(sample(2), of="cdf"),
    ],
)(_density)


class MultivariateNormal:
    """``scipy.stats.multivariate_normal``, whose ``logpdf`` and ``pdf`` take Tensors; other methods are SciPy's."""

    entry = registry[_density]

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
        value = _call(x, mean, cov, of=of)
        return value[()] if type(value) is np.ndarray and not value.shape else value

    def __getattr__(self, name: str) -> Any:
        """A method without a derivative, of SciPy's object."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(stats.multivariate_normal, name)


multivariate_normal = MultivariateNormal()
