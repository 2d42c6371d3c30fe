"""Roots and fixed points: values beside SciPy's, derivatives beside closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from autodiff import CaptureError, GraphError, Tensor, capture, grad, hessian, jacobian, vmap
from autodiff.scipy.optimize import brentq, fixed_point, root, root_scalar
from autodiff.tensor import value_of


def circle(p, r):
    return {"on it": p["x"] ** 2 + p["y"] ** 2 - r**2, "diagonal": p["x"] - p["y"]}


@pytest.mark.parametrize("method", ["hybr", "lm", "krylov", "broyden1"])
def test_a_root_of_a_nesting_by_each_method(method):
    def x(r):
        return root(circle, {"x": 1.0, "y": 0.5}, args=(r,), method=method, tol=1e-10).x["x"]

    assert x(2.0) == pytest.approx(np.sqrt(2.0), rel=1e-6)
    assert grad(x)(2.0) == pytest.approx(np.sqrt(0.5), rel=1e-6)


def test_to_second_order_and_by_what_is_closed_over():
    def f(p):
        return np.sum(root(lambda u: np.exp(u) * p - np.ones(2), np.zeros(2), tol=1e-13).x)

    p = np.array([0.5, 2.0])
    np.testing.assert_allclose(grad(f)(p), -1 / p, rtol=1e-8)
    np.testing.assert_allclose(hessian(f)(p), np.diag(1 / p**2), rtol=1e-7)


def test_exact_jacobians_take_fewer_evaluations():
    def f(x):
        return x**3 - np.arange(1.0, 31.0)

    assert root(f, np.ones(30)).nfev + 29 < scipy.optimize.root(f, np.ones(30)).nfev


def test_examples_of_vmap():
    found = vmap(lambda r: root(circle, {"x": 1.0, "y": 0.5}, args=(r,)).x["y"])(np.array([1.0, 2.0]))
    np.testing.assert_allclose(found, np.sqrt([0.5, 2.0]))
    roots = vmap(lambda a: root_scalar(lambda x, a: x**2 - a, args=(a,), x0=1.0).root)(np.array([4.0, 9.0]))
    np.testing.assert_allclose(roots, [2.0, 3.0])
    np.testing.assert_allclose(vmap(lambda a: fixed_point(lambda x, a: np.cos(x) * a, 0.5, args=(a,)))(np.ones(2)),
                               0.7390851332)  # fmt: skip


def test_no_root_and_what_is_refused():
    found = root(lambda x: x**2 + 1.0, 1.0)
    assert not found.success
    p = Tensor(1.0)
    found = root(lambda x: x**2 + p, 1.0)
    with pytest.raises(GraphError, match="root:"):
        found.x.backward()
    with pytest.raises(TypeError, match="root: jac is computed from fun"):
        root(lambda x: x, 1.0, jac=True)
    with pytest.raises(CaptureError, match="root: a program does not hold the steps"):
        capture(lambda r: root(circle, {"x": 1.0, "y": 0.5}, args=(r,)).x["x"], 1.0)
    with pytest.raises(CaptureError, match="brentq: a program does not hold the steps"):
        capture(lambda c: brentq(lambda x: x - c, 0.0, 5.0), 1.0)
    with pytest.raises(GraphError, match="the function does not depend on x0"):
        root(value_of, np.ones(2))
    with pytest.raises(ValueError, match="2 equations for 1 unknowns"):
        grad(lambda p: root(lambda x: np.stack([x, x]) - p, 1.0, method="lm").x)(1.0)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nan_at_the_start():
    with pytest.raises(ValueError, match="root: the function is NaN at x0"):
        root(np.log, np.array([-1.0]))
    with pytest.raises(ValueError, match="brentq: the function is NaN at -1"):
        brentq(np.log, -1.0, 2.0)


@pytest.mark.parametrize("method", ["del2", "iteration"])
def test_a_fixed_point_of_a_nesting(method):
    def f(x, a):
        return {"u": 0.5 * np.cos(x["v"]) * a, "v": 0.5 * np.sin(x["u"])}

    def given(a):
        return fixed_point(f, {"u": np.zeros(2), "v": np.zeros(2)}, args=(a,), method=method, xtol=1e-12)["u"]

    a = np.array([0.7, 1.1])

    def by_root(a):
        return root(lambda u: u - 0.5 * np.cos(0.5 * np.sin(u)) * a, np.zeros(2), tol=1e-13).x

    np.testing.assert_allclose(given(a), by_root(a), rtol=1e-9)
    np.testing.assert_allclose(jacobian(given)(a), jacobian(by_root)(a), rtol=1e-8, atol=1e-14)
    with pytest.raises(RuntimeError, match="Failed to converge"):
        fixed_point(lambda x: x + 1.0, 0.0, method="iteration", maxiter=5)


@pytest.mark.parametrize(
    "options",
    [{"x0": 1.0}, {"x0": 1.0, "method": "halley"}, {"x0": 1.0, "x1": 2.0}, {"bracket": (0.5, 3.0)},
     {"bracket": (0.5, 3.0), "method": "toms748"}],
)  # fmt: skip
def test_a_root_of_one_number(options):
    def f(a):
        return root_scalar(lambda x, a: x**3 - a, args=(a,), **options).root

    assert f(8.0) == pytest.approx(2.0)
    assert grad(f)(8.0) == pytest.approx(1 / 12)
    assert grad(grad(f))(8.0) == pytest.approx(-1 / 144)


def test_brents_method_and_what_it_tells():
    e = Tensor(0.5)
    found, told = brentq(lambda x, e: x - e * np.sin(x) - 1.0, 0.0, 3.0, args=(e,), full_output=True)
    assert told.converged
    found.backward()
    x = found.data.item()
    assert e.grad == pytest.approx(np.sin(x) / (1 - 0.5 * np.cos(x)))
    with pytest.raises(ValueError, match="different signs"):
        brentq(lambda x: x, 1.0, 2.0)
    with pytest.raises(ValueError, match="must return one number, got 2"):
        brentq(lambda x: np.ones(2) * x, -1.0, 2.0)
    with pytest.raises(TypeError, match="fprime and fprime2 are computed"):
        root_scalar(lambda x: x, x0=1.0, fprime=True)
