"""Integrals: SciPy's values, derivatives by limits and parameters in closed form, to second order."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate

from autodiff import Tensor, grad, hessian
from autodiff.scipy import integrate


def test_value_error_and_limits():
    value, error = integrate.quad(np.exp, 0.0, 1.0)
    assert (value, error) == scipy.integrate.quad(np.exp, 0.0, 1.0)
    both = grad(lambda a, b: integrate.quad(lambda x: np.exp(2 * x), a, b)[0], (0, 1))(0.5, 1.0)
    np.testing.assert_allclose(both, [-np.exp(1.0), np.exp(2.0)])
    second = hessian(lambda b: integrate.quad(lambda x: np.exp(2 * x), b[0], b[1])[0])(np.array([0.5, 1.0]))
    np.testing.assert_allclose(second, np.diag([-2 * np.exp(1.0), 2 * np.exp(2.0)]))


def test_arguments_and_captured_tensors_are_parameters_to_second_order():
    p = 1.5
    for f in (
        lambda p: integrate.quad(lambda x, p: np.exp(-p * x), 0.0, np.inf, args=(p,))[0],
        lambda p: integrate.quad(lambda x: np.exp(-p * x), 0.0, np.inf)[0],
        lambda p: integrate.quad(lambda x, q: np.exp(-p * q * x / p), 0.0, np.inf, p)[0],
    ):
        assert f(p) == pytest.approx(1 / p)
        assert grad(f)(p) == pytest.approx(-1 / p**2, rel=1e-7)
        assert grad(grad(f))(p) == pytest.approx(2 / p**3, rel=1e-6)


def test_vectors_of_parameters_and_limits_that_depend_on_them():
    """d/dp of the integral of sum p_k x^k from 0 to p_0."""
    f = lambda p: integrate.quad(lambda x: p[0] + p[1] * x + p[2] * x**2, 0.0, p[0])[0]  # noqa: E731
    closed = lambda p: p[0] ** 2 + p[1] * p[0] ** 2 / 2 + p[2] * p[0] ** 3 / 3  # noqa: E731
    p = np.array([0.7, -0.3, 1.2])
    np.testing.assert_allclose(grad(f)(p), grad(closed)(p), rtol=1e-9)
    np.testing.assert_allclose(hessian(f)(p), hessian(closed)(p), rtol=1e-7, atol=1e-9)


def test_a_parameter_that_one_part_alone_uses_is_found():
    f = lambda p: integrate.quad(lambda x: p * x if x > 0.9 else 0.0, 0.0, 1.0, points=[0.9])[0]  # noqa: E731
    assert grad(f)(2.0) == pytest.approx(0.5 * (1 - 0.81))


def test_a_loss_is_walked_from_outside_and_infinite_limits_have_no_slope():
    w, b = Tensor(np.array([0.5, 2.0])), Tensor(np.inf)
    loss = 3.0 * integrate.quad(lambda x: np.sum(w * w) * np.exp(-x), 0.0, b)[0] ** 2
    loss.backward()
    np.testing.assert_allclose(w.grad, 12.0 * 4.25 * w.data)
    assert b.grad == 0.0


def test_wrong_calls():
    with pytest.raises(ValueError, match=r"quad: the integrand gave an array of shape \(2,\)"):
        integrate.quad(lambda x: Tensor(np.ones(2)) * x, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"quad: the limit b has shape \(2,\)"):
        integrate.quad(np.exp, 0.0, np.ones(2))
    with pytest.raises(TypeError, match="weight"):
        integrate.quad(np.exp, 0.0, 1.0, weight="cos")


@pytest.mark.parametrize("count", range(1, 8))
def test_samples(count):
    y, x = np.cos(np.arange(count) * 1.3), np.cumsum(0.5 + np.arange(count) % 3)
    for name in ("trapezoid", "simpson", "cumulative_trapezoid"):
        ours, theirs = getattr(integrate, name), getattr(scipy.integrate, name)
        for options in ({"x": x}, {"dx": 0.3}, {"x": Tensor(x)}):
            plain = {k: v.data if isinstance(v, Tensor) else v for k, v in options.items()}
            np.testing.assert_allclose(ours(Tensor(y), **options).data, theirs(y, **plain), rtol=1e-12, atol=1e-14)
