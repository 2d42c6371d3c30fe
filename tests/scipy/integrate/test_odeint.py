"""odeint: SciPy's convention, over any nesting."""

import numpy as np
import pytest
import scipy.integrate

from autodiff import Tensor, checkpoint, draw, grad, hessian, vjp
from autodiff.scipy import integrate

TIMES = np.linspace(0.0, 2.0, 5)


def decay(y, t, k=1.0):
    return -k * y


@pytest.mark.parametrize("y0", [1.0, [1.0, 2.0], np.float32(1.0), np.ones(3, np.float32), np.zeros(0)])
def test_values_and_shapes_are_scipys(y0):
    found = integrate.odeint(decay, y0, TIMES)
    right = np.exp(-TIMES)[:, None] * np.atleast_1d(y0)
    assert found.shape == right.shape
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, right, atol=3e-8)
    if np.size(y0):
        np.testing.assert_allclose(found, scipy.integrate.odeint(decay, y0, TIMES), atol=1e-6)


@pytest.mark.parametrize("t", [[], [0.5], [0.0, 0.0, 1.0], [1.0, 0.5, 0.5], [0.3, 0.3]])
def test_times_may_be_few_equal_or_descending(t):
    t = np.array(t)

    def f(y0):
        return integrate.odeint(decay, y0, t, (2.0,))

    value, pull = vjp(f, np.ones(2))
    right = np.exp(-2.0 * (t - t[:1])) if t.size else t
    np.testing.assert_allclose(value, right[:, None] * np.ones(2), atol=1e-7)
    np.testing.assert_allclose(pull(np.ones((len(t), 2)))[0], np.sum(right) * np.ones(2), atol=1e-6)


def test_a_nesting_in_and_out():
    def f(k):
        y = integrate.odeint(
            lambda y, t, k: {"a": -k["k"] * y["b"], "b": y["a"]}, {"a": np.ones((2, 2)), "b": np.zeros((2, 2))}, TIMES,
            ({"k": k},),
        )  # fmt: skip
        assert y["a"].shape == (5, 2, 2)
        return np.sum(y["a"][-1])

    root = 2.0**0.5
    assert grad(f)(2.0) == pytest.approx(-4 * np.sin(2 * root) / root, abs=1e-6)


def test_times_have_derivatives():
    found = grad(lambda t: np.sum(integrate.odeint(decay, np.ones(2), t)))(np.array([0.0, 1.0]))
    np.testing.assert_allclose(found, [2 * np.exp(-1.0), -2 * np.exp(-1.0)], atol=1e-7)


@pytest.mark.parametrize("adjoint", ["discrete", "continuous"])
def test_complex_states(adjoint):
    def f(y0):
        y = integrate.odeint(lambda y, t: 1j * y * np.conj(y), y0, np.array([0.0, 0.5]), adjoint=adjoint)
        return np.abs(y[-1, 0]) ** 2

    z, e = np.array([0.3 + 0.2j]), 1e-5
    by_re, by_im = (f(z + e) - f(z - e)) / (2 * e), (f(z + 1j * e) - f(z - 1j * e)) / (2 * e)
    np.testing.assert_allclose(grad(f)(z), [by_re - 1j * by_im], atol=1e-6)


def test_many_steps_are_pulled_back_by_a_program_with_the_same_result():
    def f(k, most):
        return np.sum(integrate.odeint(lambda y, t, k: np.sin(k * y), np.ones(2), TIMES, (k,), hmax=most, rtol=1e-10))

    assert grad(f)(1.3, 0.025) == pytest.approx(grad(f)(1.3, 0.1), rel=1e-8)  # 80 and 20 steps


def test_single_precision_variables_get_gradients_of_their_own():
    y0 = Tensor(np.ones(2, np.float32))
    np.sum(integrate.odeint(decay, y0, TIMES)).backward()
    assert y0.grad.dtype == np.float32
    np.testing.assert_allclose(y0.grad, np.sum(np.exp(-TIMES)), rtol=1e-6)


def test_inside_of_a_checkpoint_and_in_pictures():
    def f(k):
        return integrate.odeint(decay, np.ones(1), TIMES, (k,))[-1, 0]

    assert grad(checkpoint(f))(1.0) == grad(f)(1.0)
    assert hessian(f)(1.0) == pytest.approx(4 * np.exp(-2.0), rel=1e-6)
    assert "odeint" in str(draw(f(Tensor(1.0))))


def test_a_stiff_equation_without_an_implicit_method_says_what_to_write():
    with pytest.raises(RuntimeError, match="method='Radau'"):
        integrate.odeint(lambda y, t: -1e6 * y, np.ones(1), TIMES, mxstep=50)
    with pytest.raises(RuntimeError, match="stopped at"):
        integrate.odeint(lambda y, t: y * np.nan, np.ones(1), TIMES)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: integrate.odeint(decay, 1.0, TIMES, full_output=True), "solve_ivp"),
        (lambda: integrate.odeint(decay, 1.0, [0.0, 2.0, 1.0]), "ascend"),
        (lambda: integrate.odeint(decay, 1.0, 2.0), "vector"),
        (lambda: integrate.odeint(decay, {"a": 1.0, "b": 1j}, TIMES), "complex"),
        (lambda: integrate.odeint(decay, "x", TIMES), "array of numbers"),
    ],
)
def test_what_does_not_fit_is_refused(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()
