"""The normal distribution of vectors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from autodiff import grad
from autodiff.scipy.stats import multivariate_normal

X, M = np.linspace(-1.0, 2.0, 12).reshape(4, 3) ** 2, np.array([0.1, 0.2, 0.3])
C = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])


@pytest.mark.parametrize(
    "arguments",
    [(X, M, C), (X[0], M, C), (X, None, C), (X, M, 2.0), (X, M, M + 1.0), (M, 0.5, 2.0), (1.5,), (X[None], M, C)],
)
def test_values_are_scipys(arguments):
    for method in ("logpdf", "pdf"):
        expected = getattr(scipy.stats.multivariate_normal, method)(*arguments)
        found = getattr(multivariate_normal, method)(*arguments)
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_gradients_are_those_of_the_formula():
    by_x, by_mean, by_cov = grad(lambda *p: multivariate_normal.logpdf(*p), (0, 1, 2))(X[3], M, C)
    pulled = np.linalg.solve(C, X[3] - M)
    np.testing.assert_allclose(by_x, -pulled, rtol=1e-13)
    np.testing.assert_allclose(by_mean, pulled, rtol=1e-13)
    np.testing.assert_allclose(by_cov, 0.5 * (np.outer(pulled, pulled) - np.linalg.inv(C)), rtol=1e-12)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"^multivariate_normal: x has shape \(4, 3\), mean \(2,\), cov \(3, 3\)"):
        multivariate_normal.logpdf(X, M[:2], C)
    with pytest.raises(NotImplementedError, match="allow_singular=True has no derivative"):
        multivariate_normal.logpdf(X, M, C, allow_singular=True)
    with pytest.raises(np.linalg.LinAlgError):
        multivariate_normal.logpdf(X, M, -C)
    assert multivariate_normal.entropy(M, C) == scipy.stats.multivariate_normal.entropy(M, C)
