"""``minimize`` and ``minimize_scalar``: classical problems by each method, nestings, limits, derivatives of minima."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

from autodiff import CaptureError, GraphError, Tensor, capture, grad, hessian, jacobian, jit, vmap
from autodiff.scipy.optimize import minimize, minimize_scalar
from autodiff.tensor import value_of
from tests.scipy.optimize.differences import differences

Q = np.array([[2.0, 0.5, 0.0], [0.5, 2.0, 0.3], [0.0, 0.3, 1.0]])
A, B = np.random.default_rng(0).normal(size=(20, 5)), np.random.default_rng(1).normal(size=20)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def powell(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def ridge(w, c):
    return np.sum((A @ w - B) ** 2) + np.exp(c) * np.sum(w**2)


def shrunk(c):
    return np.linalg.solve(A.T @ A + np.exp(c) * np.eye(5), A.T @ B)


GRADIENT = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP"]
SECOND = ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr", "dogleg", "trust-exact"]


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYQA", *GRADIENT, *SECOND])
def test_rosenbrock_in_two_dimensions(method):
    found = minimize(rosenbrock, [1.05, 1.1] if method == "dogleg" else [-1.2, 1.0], method=method)
    assert found.success
    np.testing.assert_allclose(found.x, 1.0, atol=3e-2)


@pytest.mark.parametrize("method", [*GRADIENT, *SECOND])
def test_rosenbrock_in_a_hundred_dimensions(method):
    start = np.full(100, 1.01 if method == "dogleg" else 1.2)
    found = minimize(rosenbrock, start, method=method, jit=False, options={} if method == "TNC" else {"maxiter": 1000})
    assert found.success
    np.testing.assert_allclose(found.x, 1.0, atol=2e-2)


def test_exact_products_take_fewer_evaluations_than_differences():
    exact = minimize(rosenbrock, np.full(100, 1.2), method="Newton-CG")
    values = [0]

    def counted(x):
        values[0] += 1
        return rosenbrock(x)

    scipy.optimize.minimize(counted, np.full(100, 1.2), method="BFGS")
    assert exact.success
    assert exact.nfev < 60 < 10_000 < values[0]


def test_powells_singular_function():
    found = minimize(powell, np.array([3.0, -1.0, 0.0, 1.0]), method="trust-exact", tol=1e-10)
    np.testing.assert_allclose(found.x, 0.0, atol=1e-2)
    assert found.fun < 1e-8


@dataclass
class Line:
    slope: Any
    offset: Any


def test_a_nesting_with_each_dtype_a_part_held_and_an_absent_one():
    start = {"a": np.zeros(2, np.float32), "line": Line(0.5, np.ones((1, 2))), "none": None, "count": np.array([1, 2])}

    def f(p):
        fit = np.sum((p["a"] - 1.0) ** 2) + (p["line"].slope - p["a"][0]) ** 2
        return fit + np.sum((p["line"].offset - 3.0) ** 2) + np.sum((p["count"] - 0.5) ** 2)

    held = {"a": np.array([True, False]), "line": Line(False, True), "none": None, "count": False}
    found = minimize(f, start, fixed=held)
    assert found.x["a"].dtype == np.float32
    assert found.x["count"].dtype == float
    assert type(found.x["line"].slope) is float
    assert found.x["line"].offset.tolist() == [[1.0, 1.0]]
    assert found.x["none"] is None
    np.testing.assert_allclose(found.x["a"], [0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(found.x["count"], 0.5, atol=1e-5)
    assert found.jac["line"].offset.tolist() == [[0.0, 0.0]]
    assert start["a"].tolist() == [0.0, 0.0]


def test_what_is_held_may_be_a_tensor():
    def f(c):
        return minimize(lambda p: (p["a"] - 2 * p["b"]) ** 2, {"a": 0.0, "b": c}, fixed={"a": False, "b": True})

    assert grad(lambda c: f(c).x["a"])(1.5) == pytest.approx(2.0)


# -- derivatives of minima ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("solve", ["dense", "iterative", "lstsq"])
def test_ridge_by_its_strength_to_second_order(solve):
    def given(c):
        return np.sum((A @ minimize(ridge, np.zeros(5), args=(c,), method="trust-exact", solve=solve).x) ** 2)

    def closed(c):
        return np.sum((A @ shrunk(c)) ** 2)

    assert grad(given)(0.3) == pytest.approx(grad(closed)(0.3), rel=1e-9)
    assert hessian(given)(0.3) == pytest.approx(hessian(closed)(0.3), rel=1e-8)


def test_a_tensor_that_is_closed_over_and_the_value_of_the_minimum():
    c = Tensor(0.3)
    found = minimize(lambda w: ridge(w, c), np.zeros(5), method="trust-exact")
    assert isinstance(found.fun, Tensor)
    found.fun.backward()
    np.testing.assert_allclose(c.grad, np.exp(0.3) * np.sum(shrunk(0.3) ** 2), rtol=1e-9)


def test_many_unknowns_by_products_alone():
    slopes = np.linspace(1.0, 3.0, 400)

    def x(c):
        return minimize(lambda x: 0.5 * np.sum(slopes * x**2) - c * np.sum(x) + np.sum(x[1:] * x[:-1]) * 0.1,
                               np.zeros(400), method="Newton-CG", tol=1e-12, jit=False).x  # fmt: skip

    matrix = np.diag(slopes) + 0.1 * (np.eye(400, k=1) + np.eye(400, k=-1))
    expected = np.sum(np.linalg.solve(matrix, np.ones(400)))
    assert grad(lambda c: np.sum(x(c)))(2.0) == pytest.approx(expected, rel=1e-8)
    assert grad(grad(lambda c: np.sum(x(c) ** 2)))(2.0) == pytest.approx(
        2 * np.sum(np.linalg.solve(matrix, np.ones(400)) ** 2), rel=1e-7
    )


def bounded(c, method, **bounds):
    return minimize(lambda x: 0.5 * x @ Q @ x - c @ x, np.full(3, 0.5), method=method, tol=1e-10, **bounds).x


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "trust-constr", "TNC"])
def test_bounds_that_hold_the_minimum(method):
    c = np.array([3.0, 0.7, -1.0])
    found = jacobian(lambda c: bounded(c, method, bounds=[(0, 1)] * 3))(c)
    np.testing.assert_allclose(found, np.diag([0.0, 0.5, 0.0]), atol=1e-8)


def test_the_derivative_by_a_bound_that_holds_it():
    c = np.array([3.0, 0.7, -1.0])
    found = jacobian(lambda high: bounded(c, None, bounds=(0.0, high)))(0.9)
    np.testing.assert_allclose(found, [1.0, -0.25, 0.0], atol=1e-9)


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "trust-constr"])
def test_a_minimum_on_a_bound_that_does_not_hold_it_has_no_derivative(method):
    def f(c):
        return np.sum(bounded(c, method, bounds=Bounds(0, 1)))

    with pytest.raises(GraphError, match="lies on a bound that does not hold it there"):
        grad(f)(np.array([3.0, 0.5, -1.0]))


def test_many_bounds():
    slopes, pulls = np.linspace(1.0, 2.0, 500), np.sin(1.0 + np.arange(500))

    def f(c):
        start = np.full(500, 0.5)
        return minimize(lambda x: np.sum(slopes * x**2 / 2 - c * pulls * x), start, bounds=(0.0, 0.7), tol=1e-13).x

    free = (pulls > 0) & (1.1 * pulls < 0.7 * slopes)
    np.testing.assert_allclose(grad(lambda c: np.sum(f(c)))(1.1), np.sum((pulls / slopes)[free]), rtol=1e-7)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_by_the_conditions_of_karush_kuhn_and_tucker(method):
    c = np.array([3.0, 0.7, 1.0])

    def ball(c):
        return minimize(
            lambda x: -c @ x, np.ones(3) / 4, method=method, tol=1e-11,
            constraints=NonlinearConstraint(lambda x: np.sum(x**2) * c[1], -np.inf, 1.0),
        ).x  # fmt: skip

    def closed(c):
        return c / np.sqrt(np.sum(c * c) * c[1])

    np.testing.assert_allclose(jacobian(ball)(c), jacobian(closed)(c), rtol=1e-4, atol=2e-6)

    def plane(c):
        return minimize(
            lambda x: 0.5 * x @ Q @ x, np.zeros(3), method=method, tol=1e-11,
            constraints=[{"type": "eq", "fun": lambda x, s: np.sum(x) - s, "args": (c[0],)},
                         {"type": "ineq", "fun": lambda x: x[2] + 50.0}],
        ).x  # fmt: skip

    direction = np.linalg.solve(Q, np.ones(3))
    np.testing.assert_allclose(jacobian(plane)(c)[:, 0], direction / np.sum(direction), atol=1e-6)


def test_constraints_of_a_nesting():
    def f(p):
        return np.sum((p["a"] - 2.0) ** 2) + (p["b"] - 1.0) ** 2

    linear = LinearConstraint([[1.0, 1.0, 1.0]], -np.inf, 2.0)
    found = minimize(f, {"a": np.zeros(2), "b": 0.0}, constraints=linear, bounds={"b": (0.5, None)})
    np.testing.assert_allclose(found.x["a"], 0.75, atol=1e-6)
    assert found.x["b"] == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"a LinearConstraint of shape \(1, 2\) for x0 of 3 numbers"):
        minimize(f, {"a": np.zeros(2), "b": 0.0}, constraints=LinearConstraint([[1.0, 1.0]], 0, 1))


def test_a_minimum_inside_of_the_objective_of_another():
    def inner(x):
        return minimize(lambda y: (y - x**2) ** 2 + 0.1 * y**4, 0.5, tol=1e-11)

    def outer(p):
        return minimize(lambda x: inner(x).fun + (x - p) ** 2 + inner(x).x, 0.3, tol=1e-8).x

    assert grad(outer)(0.7) == pytest.approx(float(differences(outer, 0.7, 1e-4)), rel=1e-5)


def test_examples_of_vmap_are_searched_for_one_by_one():
    strengths = np.array([-1.0, 0.0, 1.0])
    each = vmap(lambda c: minimize(ridge, np.zeros(5), args=(c,), method="trust-exact").x)
    np.testing.assert_allclose(each(strengths), np.stack([shrunk(c) for c in strengths]), rtol=1e-8)
    slopes = vmap(grad(lambda c: np.sum(minimize(ridge, np.zeros(5), args=(c,), method="trust-exact").x)))(strengths)
    np.testing.assert_allclose(slopes, [grad(lambda c: np.sum(shrunk(c)))(c) for c in strengths], rtol=1e-7)


def test_in_a_program_it_is_refused_and_jit_goes_on_without_one():
    def f(c):
        return minimize(ridge, np.zeros(5), args=(c,)).fun

    with pytest.raises(CaptureError, match="minimize: a program does not hold the steps"):
        capture(f, 0.3)
    with pytest.raises(CaptureError, match="minimize: a program does not hold the steps"):
        capture(lambda c: minimize(lambda w: ridge(w, c), np.zeros(5)).fun, 0.3)
    assert capture(lambda c: c * minimize(lambda x: (x - 1.0) ** 2, 0.0).x, 1.0)(2.0) == pytest.approx(2.0)
    recorded = jit(grad(f))
    assert recorded(0.3) == recorded(0.3) == pytest.approx(np.exp(0.3) * np.sum(shrunk(0.3) ** 2), rel=1e-6)


def test_where_it_did_not_converge_the_derivative_is_refused_and_the_result_is_not():
    start = np.array([-1.2, 1.0])

    def f(c, **more):
        return minimize(lambda x: rosenbrock(x) + c * x[0], start, method="BFGS",
                                       options={"maxiter": 3}, **more)  # fmt: skip

    found = f(Tensor(0.1))
    assert not found.success
    assert found.nit == 3
    with pytest.raises(GraphError, match="minimize: did not converge .*Maximum number of iterations"):
        found.x.sum().backward()
    assert np.isfinite(grad(lambda c: np.sum(f(c, unconverged="allow").x))(0.1))


def test_a_direction_in_which_the_minimum_can_move():
    def f(c):
        return np.sum(minimize(lambda x: (x[0] + x[1] - c) ** 2, np.zeros(2)).x)

    with pytest.raises(GraphError, match=r"minimize: .*singular .*fixed="):
        grad(f)(1.0)


def test_a_minimum_at_a_kink_has_no_derivative():
    def f(c):
        return minimize(lambda x: np.abs(x) + 0.5 * (x - c) ** 2, 1.0, method="Nelder-Mead").x

    with pytest.raises(GraphError):
        grad(f)(0.5)


# -- what is refused, and what is seen -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "start", "error", "words"),
    [
        (lambda x: np.log(x), -1.0, ValueError, "the objective is NaN at x0"),
        (lambda x: np.sqrt(x * x) * np.inf * 0, 0.0, ValueError, "NaN at x0"),
        (lambda x: x**2, np.ones(2), ValueError, r"the objective returned an array of shape \(2,\)"),
        (lambda x: None, 1.0, TypeError, "returned a NoneType, no number; does it lack its 'return'"),
        (lambda x: "no", 1.0, TypeError, "returned a str, no number"),
        (lambda x: value_of(x) ** 2, 1.0, GraphError, "the objective does not depend on x0"),
        (lambda x: 1j * x, 1.0, TypeError, "the objective is complex"),
        (lambda x: x, 1j, TypeError, "x0 is complex"),
        (lambda x: x, {"a": "text"}, TypeError, r"x0\['a'\] is a str"),
        (lambda x: x, [], ValueError, "x0 has no numbers in it"),
        (lambda x: x, np.zeros((0, 3)), ValueError, "x0 has no numbers in it"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_objectives_and_starts_that_cannot_be(f, start, error, words):
    with pytest.raises(error, match=words):
        minimize(f, start)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"jac": True}, TypeError, "jac is computed from fun, exactly; leave it away; fun returns the value alone"),
        ({"jac": grad(rosenbrock)}, TypeError, "minimize: jac is computed"),
        ({"hess": hessian(rosenbrock)}, TypeError, "minimize: hess is computed"),
        ({"hessp": print}, TypeError, "minimize: hessp is computed"),
        ({"method": "BGFS"}, ValueError, "there is no method 'BGFS'"),
        ({"method": "BFGS", "bounds": (0, 1)}, ValueError, "BFGS takes no bounds"),
        ({"method": "CG", "constraints": {"type": "eq", "fun": np.sum}}, ValueError, "CG takes no constraints"),
        ({"bounds": (2, 1)}, ValueError, r"a lower bound of 2\.0 is above its upper bound of 1\.0"),
        ({"bounds": [(0, 1)] * 3}, ValueError, r"bounds: give \(low, high\) for the array of shape \(2,\)"),
        ({"fixed": True}, ValueError, "everything in x0 is fixed"),
        ({"fixed": np.array([1.0, 0.0])}, TypeError, "fixed must be True, False or an array of them"),
        ({"constraints": [np.sum]}, TypeError, "a constraint is a NonlinearConstraint"),
        ({"constraints": {"fun": np.sum}}, ValueError, "a constraint needs 'type'"),
        ({"solve": "lu"}, ValueError, "solve is one of"),
    ],
)
def test_options_that_cannot_be(options, error, words):
    with pytest.raises(error, match=words):
        minimize(rosenbrock, np.ones(2), **options)


def test_the_function_comes_first():
    with pytest.raises(TypeError, match="minimize: the first argument must be a function, got ndarray"):
        minimize(np.ones(2), np.ones(2))


def test_a_function_that_numpy_does_not_know_needs_no_derivative():
    found = minimize(lambda x: float(x[0].item() ** 2 + (float(x[1]) - 1) ** 2), np.ones(2), method="Nelder-Mead")
    np.testing.assert_allclose(found.x, [0.0, 1.0], atol=1e-4)


def test_differences_where_they_are_asked_for():
    exact, by_differences = (minimize(rosenbrock, np.zeros(2), jac=jac) for jac in (None, "2-point"))
    assert by_differences.nfev > 2 * exact.nfev


@pytest.mark.parametrize("method", ["BFGS", "SLSQP", "TNC", "trust-constr", "L-BFGS-B", "Nelder-Mead"])
def test_the_callback_gets_the_nesting(method, capsys):
    seen = []
    minimize(lambda p: (p["a"] - 1.0) ** 2, {"a": 3.0}, method=method, callback=seen.append, progress=True)
    assert seen
    assert all(list(one) == ["a"] and type(one["a"]) is float for one in seen)
    assert "minimize: iteration 1, value" in capsys.readouterr().err


def test_a_callback_asks_for_the_result_by_name_and_stops():
    def stop(intermediate_result):
        assert intermediate_result.x["a"] < 4.0
        assert intermediate_result.fun >= 0.0
        raise StopIteration

    found = minimize(lambda p: (p["a"] - 1.0) ** 4, {"a": 3.0}, callback=stop)
    assert not found.success
    assert "StopIteration" in found.message


@pytest.mark.parametrize("record", [True, None])
def test_a_recorded_objective_gives_the_same_to_the_last_bit(record):
    for method in ("BFGS", "Newton-CG", "trust-exact"):
        plain, recorded = (minimize(rosenbrock, np.full(5, 1.5), method=method, jit=jit) for jit in (False, record))
        assert plain.x.tolist() == recorded.x.tolist()
        assert plain.nfev == recorded.nfev


def test_an_objective_that_a_program_cannot_hold_goes_on_without_one():
    count = [0]

    def f(x):
        count[0] += 1
        return np.sum((x - float(count[0] > 0)) ** 2) + (0.0 if x[0].item() > 0.5 else 1.0)

    found = minimize(f, np.full(3, 3.0), jit=True)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-5)


@pytest.mark.parametrize("last", [4, 6, 40])
def test_an_objective_that_changes_after_it_was_recorded_is_searched_again(last):
    class Drifting:  # a class is nothing that a program looks at
        calls, shift = 0, "xxx"

    def f(x):
        Drifting.calls += 1
        if Drifting.calls >= last:
            Drifting.shift = "x"
        return rosenbrock(x + 1.0 - float(len(Drifting.shift)))

    found = minimize(f, np.zeros(4), jit=True, options={"maxiter": 20 + last})
    np.testing.assert_allclose(f(found.x), found.fun)


def test_two_threads():
    found: dict[float, float] = {}

    def one(c):
        found[c] = grad(lambda c: minimize(lambda x, c: (x - 3.0) ** 2 + c * x**2, 0.0, args=(c,)).x)(c)

    threads = [Thread(target=one, args=(c,)) for c in (1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == pytest.approx({1.0: -0.75, 2.0: -1 / 3}, rel=1e-6)


@pytest.mark.parametrize("options", [{}, {"method": "golden"}, {"bracket": (0.0, 1.0)}, {"bounds": (0.0, 2.0)}])
def test_the_minimum_over_one_number(options):
    def f(c):
        return minimize_scalar(lambda x, c: np.exp(x) - c * x, args=(c,), **options)

    assert f(2.0).x == pytest.approx(np.log(2), abs=1e-5)
    assert grad(lambda c: f(c).x)(2.0) == pytest.approx(0.5, rel=1e-4)
    assert grad(lambda c: f(c).fun)(2.0) == pytest.approx(-np.log(2), rel=1e-4)
    np.testing.assert_allclose(vmap(lambda c: f(c).x)(np.array([2.0, 3.0])), np.log([2.0, 3.0]), atol=1e-5)


def test_a_bound_that_holds_the_minimum_over_one_number():
    def f(high):
        return minimize_scalar(lambda x: (x - 5.0) ** 2, bounds=(0.0, high), options={"xatol": 1e-8}).x

    assert grad(f)(2.0) == pytest.approx(1.0)
