"""Distributions of shares that add up to 1."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import scipy.stats

from autodiff import grad, jit, vmap
from autodiff.scipy.stats import dirichlet, multinomial

ALPHA = np.array([0.7, 1.0, 2.5])
X = np.array([[0.2, 0.5, 0.1], [0.3, 0.25, 0.1], [0.5, 0.25, 0.8]])


@pytest.mark.parametrize(
    "x", [X, X[:, 0], X[:2], X[:2, 1], X[:, :1], np.array([0.5, 0.0, 0.5]), np.array([0.5, 0.5, 0.0])]
)
def test_values_are_scipys(x):
    for method in ("logpdf", "pdf"):
        expected = getattr(scipy.stats.dirichlet, method)(x, ALPHA)
        for found in (getattr(dirichlet, method)(x, ALPHA), getattr(dirichlet(ALPHA), method)(x)):
            assert np.shape(found) == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=1e-13)
    np.testing.assert_allclose(dirichlet(ALPHA).entropy(), scipy.stats.dirichlet.entropy(ALPHA), rtol=1e-13)
    np.testing.assert_array_equal(dirichlet(ALPHA).mean(), scipy.stats.dirichlet.mean(ALPHA))


def test_gradients_are_those_of_the_formula():
    x, psi = X[:, 0], scipy.special.psi
    by_x, by_alpha = grad(dirichlet.logpdf, (0, 1))(x, ALPHA)
    np.testing.assert_allclose(by_x, (ALPHA - 1.0) / x, rtol=1e-13)
    np.testing.assert_allclose(by_alpha, psi(np.sum(ALPHA)) - psi(ALPHA) + np.log(x), rtol=1e-12)
    density = scipy.stats.dirichlet.pdf(x, ALPHA)
    np.testing.assert_allclose(grad(dirichlet.pdf)(x, ALPHA), density * by_x, rtol=1e-12)


def test_at_an_edge_of_the_support_the_gradient_is_a_number():
    assert grad(dirichlet.logpdf)(np.array([0.5, 0.0, 0.5]), ALPHA)[1] == 0.0
    for method in (dirichlet.logpdf, dirichlet.pdf):
        np.testing.assert_array_equal(grad(method)(np.array([0.5, 0.5, 0.0]), ALPHA), np.zeros(3))


def test_single_precision_stays():
    x, alpha = np.array([0.1, 0.2, 0.7], np.float32), ALPHA.astype(np.float32)
    assert dirichlet.logpdf(x, alpha).dtype == np.float32
    assert {g.dtype for g in grad(dirichlet.logpdf, (0, 1))(x, alpha)} == {np.dtype(np.float32)}


def test_examples_and_programs():
    each = vmap(dirichlet.logpdf, (1, None))(X, ALPHA)
    np.testing.assert_allclose(each, scipy.stats.dirichlet.logpdf(X, ALPHA), rtol=1e-13)
    recorded = jit(dirichlet.logpdf)
    for column in range(3):
        np.testing.assert_allclose(recorded(X[:, column], ALPHA), dirichlet.logpdf(X[:, column], ALPHA), rtol=1e-13)
    assert np.isnan(recorded(2.0 * X[:, 0], ALPHA))  # not a wrong number, where values are not looked at
    np.testing.assert_array_equal(np.isnan(vmap(dirichlet.logpdf, (1, None))(X * [1.0, 2.0, 1.0], ALPHA)), [0, 1, 0])


@pytest.mark.parametrize(
    ("x", "alpha", "said"),
    [
        (X[:, 0], ALPHA[:2].repeat(3), r"x has shape \(3,\), alpha \(6,\)"),
        (X[:, 0], X, r"alpha has shape \(3, 3\), and must be a vector"),
        (2.0 * X[:, 0] - 0.2, ALPHA, "x must be between 0 and 1|sum 1"),
        (X[:, 0] * 0.5, ALPHA, "the entries of x must have the sum 1"),
        (X[:, 0], -ALPHA, "alpha must be above 0"),
        (np.array([0.0, 0.5, 0.5]), ALPHA, "x must be above 0 where alpha is below 1"),
    ],
)
def test_what_does_not_fit_is_refused(x, alpha, said):
    with pytest.raises(ValueError, match=f"^dirichlet: {said}"):
        dirichlet.logpdf(x, alpha)


P = np.array([0.2, 0.3, 0.5])
COUNTS = np.array([[1, 0, 3], [4, 0, 0], [2, 1, 1], [1, 1, 1]])


@pytest.mark.parametrize(
    ("x", "n", "p"),
    [
        (COUNTS, 4, P),
        (COUNTS, np.array([4, 4, 4, 3]), P),
        (COUNTS[0], np.array([4, 5]), P),
        (COUNTS[0] + 0.5, 4, P),
        (np.array([-1, 2, 3]), 4, P),
        (COUNTS[0], -4, P),
        (COUNTS, 4, np.array([0.0, 0.0, 1.0])),
        (COUNTS[0], 4, np.array([P, P[::-1]])),
        (COUNTS[0], 4, np.array([-0.5, 0.5, 1.0])),
    ],
)
def test_probabilities_of_counts_are_scipys(x, n, p):
    for method in ("logpmf", "pmf"):
        expected = getattr(scipy.stats.multinomial, method)(x, n, p)
        for found in (getattr(multinomial, method)(x, n, p), getattr(multinomial(n, p), method)(x)):
            assert np.shape(found) == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_gradients_by_probabilities_are_those_of_the_formula():
    x = COUNTS[0]
    np.testing.assert_allclose(grad(multinomial.logpmf, 2)(x, 4, P), x / P, rtol=1e-13)
    expected = scipy.stats.multinomial.pmf(x, 4, P) * x / P
    np.testing.assert_allclose(grad(multinomial.pmf, 2)(x, 4, P), expected, rtol=1e-12)
    np.testing.assert_array_equal(grad(lambda x: multinomial.logpmf(x, 4, P))(x / 1.0), np.zeros(3))
    np.testing.assert_array_equal(grad(multinomial.logpmf, 2)(x, 5, P), np.zeros(3))  # no such counts


def test_a_probability_of_zero_has_a_slope():
    p = np.array([0.0, 0.4, 0.6])
    by_p = grad(multinomial.pmf, 2)(np.array([1, 0, 3]), 4, p)
    np.testing.assert_allclose(by_p, [4 * 0.6**3, 0.0, 0.0], rtol=1e-13)
    np.testing.assert_allclose(grad(multinomial.logpmf, 2)(np.array([0, 1, 3]), 4, p), [0.0, 1 / 0.4, 5.0])


def test_probabilities_that_are_none_and_wrong_shapes():
    assert np.isnan(multinomial.logpmf(COUNTS[0], 4, 0.5 * P))
    assert np.all(np.isnan(grad(multinomial.pmf, 2)(COUNTS[0], 4, 0.5 * P)))
    with pytest.raises(ValueError, match=r"^multinomial: x has shape \(4, 3\), p \(2,\)"):
        multinomial.logpmf(COUNTS, 4, P[:2])
    single = multinomial.logpmf(COUNTS.astype(np.float32), 4, P.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(
        vmap(multinomial.logpmf, (0, None, None))(COUNTS, 4, P), multinomial.logpmf(COUNTS, 4, P), rtol=1e-13
    )
