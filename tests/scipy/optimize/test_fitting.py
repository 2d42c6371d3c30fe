"""least_squares and curve_fit: SciPy's values, derivatives of fits by their data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from autodiff import Tensor, grad, hessian, jacobian, vmap
from autodiff.scipy.optimize import curve_fit, least_squares
from autodiff.scipy.optimize.fitting import LOSSES
from tests.scipy.optimize.differences import differences

X = np.linspace(0.0, 2.0, 8)
Y = np.exp(-0.8 * X) * 1.3 + 0.05 * np.cos(9 * X)
TIGHT = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}


def decay(p, y):
    return p["a"] * np.exp(-p["k"] * X) - y


def fitted(y, **options):
    return least_squares(decay, {"a": 1.0, "k": 0.5}, args=(y,), **TIGHT, **options)


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_and_its_derivative(loss):
    found = fitted(Y, loss=loss, f_scale=0.1)
    flat = scipy.optimize.least_squares(
        lambda p: p[0] * np.exp(-p[1] * X) - Y, [1.0, 0.5], loss=loss, f_scale=0.1, **TIGHT
    )
    np.testing.assert_allclose([found.x["a"], found.x["k"]], flat.x, rtol=1e-6)

    def k(y):
        return fitted(y, loss=loss, f_scale=0.1).x["k"]

    np.testing.assert_allclose(grad(k)(Y), differences(k, Y, 1e-3), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_each_method_second_order_and_the_cost(method):
    def k(y):
        return fitted(y, method=method).x["k"]

    np.testing.assert_allclose(hessian(k)(Y), differences(grad(k), Y, 1e-3), rtol=1e-3, atol=1e-4)

    def cost(y):
        return fitted(y, method=method).cost

    np.testing.assert_allclose(grad(cost)(Y), -decay(fitted(Y).x, Y), rtol=1e-6, atol=1e-9)


def test_bounds_in_the_nesting():
    lower, upper = {"a": 0.0, "k": 0.9}, np.inf

    def k(y):
        return fitted(y, bounds=(lower, upper)).x

    assert k(Y)["k"] == pytest.approx(0.9)
    np.testing.assert_allclose(grad(lambda y: k(y)["k"])(Y), 0.0, atol=1e-12)
    e = np.exp(-0.9 * X)
    np.testing.assert_allclose(grad(lambda y: k(y)["a"])(Y), e / (e @ e), rtol=1e-7)
    found = least_squares(lambda p: p - np.array([3.0, -1.0]), [0.5, 0.5], bounds=([0, 0], [1, 1]))
    np.testing.assert_allclose(found.x, [1.0, 0.0], atol=1e-6)


def test_examples_and_keywords_of_the_function():
    stack = np.stack([Y, Y * 1.1])
    found = vmap(lambda y: fitted(y).x["a"])(stack)
    np.testing.assert_allclose(found, [fitted(y).x["a"] for y in stack])
    scaled = least_squares(lambda x, by=1.0: x * by - 6.0, 1.0, kwargs={"by": 2.0}, fixed=False)
    assert scaled.x == pytest.approx(3.0)


def test_what_least_squares_refuses():
    with pytest.raises(TypeError, match="least_squares: jac is computed from fun"):
        least_squares(lambda x: x, 1.0, jac=lambda x: x)
    with pytest.raises(ValueError, match="loss is one of linear, soft_l1"):
        least_squares(lambda x: x, 1.0, loss="absolute")
    with pytest.raises(ValueError, match=r"bounds are a pair \(lower, upper\)"):
        least_squares(lambda x: x, 1.0, bounds=3.0)


# -- curve_fit -----------------------------------------------------------------------------------------------------


def model(x, a, k):
    return a * np.exp(-k * x)


SIGMAS = [None, 0.1, np.linspace(0.1, 0.2, 8), np.diag(np.linspace(0.1, 0.2, 8)) + 0.01]


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("absolute", [False, True])
def test_popt_and_pcov_are_scipys(sigma, absolute):
    ours = curve_fit(model, X, Y, sigma=sigma, absolute_sigma=absolute, **TIGHT)
    theirs = scipy.optimize.curve_fit(model, X, Y, sigma=sigma, absolute_sigma=absolute, **TIGHT)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    y = Tensor(Y)
    p, covariance = curve_fit(model, X, y, sigma=sigma, absolute_sigma=absolute, **TIGHT)
    np.testing.assert_allclose(p.data, ours[0])
    np.testing.assert_allclose(covariance.data, ours[1], rtol=1e-6)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_derivatives_by_the_data(sigma):
    for part in (0, 1):

        def of_y(y, part=part):
            return curve_fit(model, X, y, sigma=sigma, **TIGHT)[part]

        np.testing.assert_allclose(jacobian(of_y)(Y), differences(of_y, Y, 1e-3), rtol=1e-3, atol=2e-5)

    def of_x(x):
        return curve_fit(model, x, Y, sigma=sigma, **TIGHT)[0]

    np.testing.assert_allclose(jacobian(of_x)(X), differences(of_x, X, 1e-3), rtol=1e-3, atol=2e-5)


def test_the_derivative_by_the_standard_deviations():
    def of_sigma(sigma):
        return curve_fit(model, X, Y, sigma=sigma, **TIGHT)[0]

    sigma = SIGMAS[2]
    np.testing.assert_allclose(jacobian(of_sigma)(sigma), differences(of_sigma, sigma, 1e-3), rtol=1e-3, atol=1e-5)


def test_parameters_in_a_nesting_bounds_and_what_scipy_tells():
    def nested(x, p):
        return p["a"] * np.exp(-p["k"][0] * x)

    start = {"a": 1.0, "k": np.array([0.5])}
    found = curve_fit(nested, X, Y, start, full_output=True)
    assert len(found) == 5
    flat = curve_fit(model, X, Y)
    assert found[0]["a"] == pytest.approx(flat[0][0], rel=1e-6)
    np.testing.assert_allclose(found[1], flat[1], rtol=1e-5)
    low = curve_fit(nested, X, Y, {"a": 1.0, "k": np.array([1.0])}, bounds=({"a": 0.0, "k": 0.9}, np.inf))[0]
    assert low["k"] == pytest.approx([0.9])
    row = curve_fit(model, X, Y, p0=[1.0, 1.0], bounds=([0.0, 0.9], np.inf))[0]
    assert row[1] == pytest.approx(0.9)


def test_lists_of_data():
    found = curve_fit(lambda x, a, b: a + b * x, [0, 1, 2, 3], [1.0, 3.0, 5.0, 7.0])[0]
    np.testing.assert_allclose(found, [1.0, 2.0])


def test_examples_and_errors():
    found = vmap(lambda y: curve_fit(model, X, y)[0])(np.stack([Y, 2 * Y]))
    np.testing.assert_allclose(found[1], found[0] * [2.0, 1.0], rtol=1e-6)
    with pytest.raises(TypeError, match="curve_fit: jac is computed from f"):
        curve_fit(model, X, Y, jac=model)
    with pytest.raises(ValueError, match="Unable to determine number of fit parameters"):
        curve_fit(lambda x, *p: x, X, Y)
    with pytest.raises(RuntimeError, match="Optimal parameters not found"):
        curve_fit(model, X, Y, maxfev=2)
    with pytest.raises(TypeError, match="leave out what is NaN before"):
        grad(lambda y: np.sum(curve_fit(model, X, y, nan_policy="omit")[0]))(Y)
