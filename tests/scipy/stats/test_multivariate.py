"""The normal distribution of vectors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from autodiff import grad
from autodiff.scipy.stats import multivariate_normal, multivariate_t

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


def test_entropy_and_held_parameters():
    expected = scipy.stats.multivariate_normal.entropy(M, C)
    np.testing.assert_allclose(multivariate_normal(M, C).entropy(), expected, rtol=1e-14)
    by_cov = grad(lambda cov: multivariate_normal.entropy(M, cov))(C)
    np.testing.assert_allclose(by_cov, 0.5 * np.linalg.inv(C), rtol=1e-13)
    np.testing.assert_allclose(multivariate_normal(M, C).logpdf(X), multivariate_normal.logpdf(X, M, C), rtol=0)


@pytest.mark.parametrize(
    "arguments",
    [(X, M, C, 3.0), (X[0], M, C, 3), (X, None, C), (X, M, 2.0, 0.5), (X, M, M + 1.0, 4.0), (M, 0.5, 2.0, 1e3), (1.5,)],
)
def test_values_of_student_are_scipys(arguments):
    for method in ("logpdf", "pdf"):
        expected = getattr(scipy.stats.multivariate_t, method)(*arguments)
        for found in (
            getattr(multivariate_t, method)(*arguments),
            getattr(multivariate_t(*arguments[1:]), method)(arguments[0]),
        ):
            assert np.shape(found) == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_without_an_end_of_freedom_student_is_normal():
    expected = multivariate_normal.logpdf(X, M, C)
    np.testing.assert_array_equal(multivariate_t.logpdf(X, M, C, np.inf), expected)
    np.testing.assert_allclose(multivariate_t.logpdf(X, M, C, 1e12), expected, rtol=1e-10)


def test_gradients_of_student_are_those_of_the_formula():
    by_x, by_loc, by_df = grad(multivariate_t.logpdf, (0, 1, 3))(X[3], M, C, 3.0)
    pulled = np.linalg.solve(C, X[3] - M)
    slope = 6.0 * pulled / (3.0 + (X[3] - M) @ pulled)
    np.testing.assert_allclose(by_x, -slope, rtol=1e-13)
    np.testing.assert_allclose(by_loc, slope, rtol=1e-13)
    step = 1e-5
    at = [scipy.stats.multivariate_t.logpdf(X[3], M, C, 3.0 + h) for h in (step, -step)]
    np.testing.assert_allclose(by_df, (at[0] - at[1]) / (2.0 * step), rtol=1e-7)
    single = multivariate_t.logpdf(X.astype(np.float32), M.astype(np.float32), C.astype(np.float32), 3.0)
    assert single.dtype == np.float32


def test_what_does_not_fit_student_is_refused():
    with pytest.raises(ValueError, match=r"^multivariate_t: x has shape \(4, 3\), loc \(2,\), shape \(3, 3\)"):
        multivariate_t.logpdf(X, M[:2], C)
    with pytest.raises(ValueError, match=r"^multivariate_t: df has shape \(2,\)"):
        multivariate_t.logpdf(X, M, C, M[:2])
    with pytest.raises(ValueError, match=r"^multivariate_t\.pdf: df=-1 must be above 0"):
        multivariate_t.pdf(X, M, C, -1)
