"""A cotangent of exactly zero gives a gradient of zero, however infinite the local derivative is."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import grad

UNTAKEN = [
    (lambda x: np.where(x > 0, np.log(x), 0.0), [-1.0, 0.0, 2.0], [0.0, 0.0, 0.5]),
    (lambda x: np.where(x > 0, np.sqrt(x), x), [-1.0, 0.0, 4.0], [1.0, 1.0, 0.25]),
    (lambda x: np.where(x > 0, x**0.5, 0.0), [0.0, 4.0], [0.0, 0.25]),
    (lambda x: np.where(x != 0, 1.0 / x, 7.0), [0.0, 2.0], [0.0, -0.25]),
    (lambda x: np.where(x < 100, np.exp(x), 0.0), [1000.0, 0.0], [0.0, 1.0]),
    (lambda x: np.where(np.abs(x) < 1, np.arcsin(x), 0.0), [1.0, 2.0, 0.0], [0.0, 0.0, 1.0]),
    (lambda x: np.where(x > 0, np.sqrt(x) * np.sqrt(x), 0.0), [-1.0, 4.0], [0.0, 1.0]),
]


@pytest.mark.parametrize(("f", "at", "expected"), UNTAKEN)
def test_an_untaken_branch_gives_zero_however_steep_it_is(f, at, expected):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(grad(lambda x: np.sum(f(x)))(np.array(at)), expected, rtol=1e-15)


@pytest.mark.parametrize(("f", "at", "expected"), UNTAKEN)
def test_and_so_does_its_second_derivative(f, at, expected):
    def slope_sum(x):
        return np.sum(grad(lambda v: np.sum(f(v)))(x))

    with np.errstate(all="ignore"):
        second = grad(slope_sum)(np.array(at))
    assert np.isfinite(second).all()
    assert not second[np.array(expected) == 0.0].any()


def test_an_untaken_row_of_a_product_gives_zero():
    weights = np.array([[np.inf, 1.0], [1.0, 1.0]])

    def f(x):
        return np.sum(np.where(np.array([False, True]), x @ weights, 0.0))

    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(grad(f)(np.array([1.0, 2.0])), [1.0, 1.0])


def test_a_nan_that_matters_stays_a_nan():
    with np.errstate(all="ignore"):
        assert np.isnan(grad(lambda x: np.sqrt(x * x))(0.0))
