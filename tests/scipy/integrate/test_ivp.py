"""solve_ivp: SciPy's values, and derivatives by everything that a solution depends on."""

import numpy as np
import pytest
import scipy.integrate

import autodiff as ad
from autodiff import GraphError, Tensor, grad, hessian
from autodiff.scipy import integrate
from autodiff.scipy.integrate.tableaus import tableau

P = np.array([1.5, 1.0, 3.0, 1.0])
Y0 = np.array([1.0, 2.0])
TIGHT = {"rtol": 1e-9, "atol": 1e-11}


def prey(t, y, p):
    a, b, c, d = p
    return [a * y[0] - b * y[0] * y[1], d * y[0] * y[1] - c * y[1]]


def swing(t, y, w):
    return w * np.stack([y[1], -y[0]])


@pytest.mark.parametrize("name", ["RK23", "RK45", "Tsit5", "DOP853", "Radau"])
def test_tableau_is_consistent_and_its_polynomials_end_where_the_step_ends(name):
    m = tableau(name)
    np.testing.assert_allclose(m.A.sum(1), m.c, atol=1e-13)
    np.testing.assert_allclose(m.weights(1.0), m.b, atol=1e-12)
    np.testing.assert_allclose(m.weights(np.array([0.3, 0.7])).sum(1), [0.3, 0.7], atol=1e-12)
    step = 1e-6
    np.testing.assert_allclose(m.slopes(0.4), (m.weights(0.4 + step) - m.weights(0.4 - step)) / (2 * step), atol=1e-7)


def test_tsitouras_method_has_order_five_an_estimate_of_order_four_and_a_polynomial_of_order_four():
    """The order conditions, from the trees with up to five vertices."""
    m, error = tableau("Tsit5"), integrate.Tsit5.E
    a, c = m.A, m.c
    trees = [
        (np.ones(7), 1, 1), (c, 2, 2), (c**2, 3, 3), (a @ c, 3, 6), (c**3, 4, 4), (c * (a @ c), 4, 8),
        (a @ c**2, 4, 12), (a @ a @ c, 4, 24), (c**4, 5, 5), (c**2 * (a @ c), 5, 10), ((a @ c) ** 2, 5, 20),
        (c * (a @ c**2), 5, 15),
        (c * (a @ a @ c), 5, 30), (a @ c**3, 5, 20), (a @ (c * (a @ c)), 5, 40), (a @ a @ c**2, 5, 60),
        (a @ a @ a @ c, 5, 120),
    ]  # fmt: skip
    for tree, order, density in trees:
        assert m.b @ tree == pytest.approx(1 / density, abs=1e-14)
        if order < 5:
            assert error @ tree == pytest.approx(0.0, abs=1e-14)
            assert m.weights(0.3) @ tree == pytest.approx(0.3**order / density, abs=1e-14)
    assert np.max([abs(error @ tree) for tree, order, _ in trees if order == 5]) > 1e-5


@pytest.mark.parametrize("method", ["BDF", "LSODA"])
def test_a_stiff_equation_whose_steps_have_no_derivative_has_the_continuous_one(method):
    def slow(k):
        fast = lambda t, y, k: np.stack([-k * y[0], 300.0 * (y[0] - y[1])])  # noqa: E731
        r = integrate.solve_ivp(fast, (0.0, 1.0), np.ones(2), method, args=(k,), adjoint="continuous", **TIGHT)
        return r.y[1, -1]

    rate = 300.0 / 298.7
    truth = np.exp(-1.3) * (300.0 / 298.7**2 - rate)
    assert grad(slow)(1.3) == pytest.approx(truth, rel=1e-5)


@pytest.mark.parametrize("method", ["RK23", "RK45", "Tsit5", "DOP853", "Radau", "BDF", "LSODA"])
def test_values_are_scipys_to_the_last_bit(method):
    def low(t, y, p):
        return y[0] - 1.0

    for options in ({}, {"t_eval": [0.0, 0.3, 1.1]}, {"events": low, "dense_output": True}):
        mine = integrate.solve_ivp(prey, (0.0, 1.5), Y0, method, args=(P,), **options)
        named = integrate.Tsit5 if method == "Tsit5" else method
        theirs = scipy.integrate.solve_ivp(prey, (0.0, 1.5), Y0, named, args=(P,), **options)
        assert np.array_equal(mine.t, theirs.t)
        assert np.array_equal(mine.y, theirs.y)
        assert (mine.nfev, mine.status, mine.message) == (theirs.nfev, theirs.status, theirs.message)
        if "events" in options:
            assert np.array_equal(mine.t_events[0], theirs.t_events[0])
            assert np.array_equal(mine.y_events[0], theirs.y_events[0])
            assert np.array_equal(mine.sol(0.7), theirs.sol(0.7))


@pytest.mark.parametrize(
    ("method", "adjoint"),
    [
        *(
            (method, adjoint)
            for method in ("RK45", "Tsit5", "DOP853", "Radau")
            for adjoint in ("discrete", "continuous")
        ),
        ("BDF", "continuous"),
        ("LSODA", "continuous"),
    ],
)
def test_derivatives_of_an_oscillation_are_those_of_its_closed_form(method, adjoint):
    times = np.array([0.5, 1.0, 2.0])

    def last(w, y0, times, t0):
        r = integrate.solve_ivp(swing, (t0, 2.0), y0, method, times, args=(w,), adjoint=adjoint, rtol=1e-7, atol=1e-9)
        return np.sum(r.y[0] * np.array([1.0, 2.0, 3.0]))

    def truth(w, y0, times, t0):
        phase = w * (times - t0)
        return np.sum((y0[0] * np.cos(phase) + y0[1] * np.sin(phase)) * np.array([1.0, 2.0, 3.0]))

    at = (1.3, Y0, times, 0.2)
    for found, right in zip(grad(last, range(4))(*at), grad(truth, range(4))(*at), strict=True):
        np.testing.assert_allclose(found, right, rtol=3e-4, atol=3e-4)


@pytest.mark.parametrize(("method", "closed"), [("RK45", True), ("DOP853", False)])
def test_gradient_is_that_of_the_steps_taken(method, closed):
    """A coarse solution: the pullback of arrays, step by step, has the derivative of the recorded steps to rounding."""
    options = {"rtol": 1e-3, "atol": 1e-3, "t_eval": np.array([0.1, 0.7, 1.0])}

    def f(w):
        if closed:
            r = integrate.solve_ivp(lambda t, y: swing(t, y, w), (0.0, 1.0), Y0, method, **options)
        else:
            r = integrate.solve_ivp(swing, (0.0, 1.0), Y0, method, args=(w,), **options)
        return np.sum(np.sin(r.y))

    assert grad(f)(1.7) == pytest.approx(ad.jvp(f, (1.7,), (1.0,))[1], rel=1e-11)


@pytest.mark.parametrize("method", ["RK23", "RK45", "Tsit5", "DOP853"])
def test_steps_of_one_size_are_differentiated_exactly(method):
    """With steps that no value can change, differences of the solution itself tell the derivative."""
    options = {"rtol": 10.0, "atol": 10.0, "first_step": 0.25, "max_step": 0.25, "t_eval": [0.1, 0.6, 1.0]}

    def f(p):
        return np.sum(np.sin(integrate.solve_ivp(prey, (0.0, 1.0), Y0, method, args=(p,), **options).y))

    found, step = grad(f)(P), 1e-4
    for i, d in enumerate(np.eye(4) * step):
        slope = (8 * (f(P + d) - f(P - d)) - f(P + 2 * d) + f(P - 2 * d)) / (12 * step)
        assert found[i] == pytest.approx(slope, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("method", ["RK23", "DOP853", "Radau"])
def test_second_derivatives(method):
    times = np.array([0.4, 1.0])

    def f(p):
        r = integrate.solve_ivp(swing, (p[1], 1.0), Y0, method, times * p[2], args=(p[0],), rtol=1e-6, atol=1e-8)
        return np.sum(r.y**2 * np.array([[1.0, 2.0], [3.0, 4.0]]))

    def truth(p):
        phase = p[0] * (times * p[2] - p[1])
        c, s = np.cos(phase), np.sin(phase)
        y = np.stack([Y0[0] * c + Y0[1] * s, Y0[1] * c - Y0[0] * s])
        return np.sum(y**2 * np.array([[1.0, 2.0], [3.0, 4.0]]))

    at = np.array([1.2, 0.1, 1.0])
    np.testing.assert_allclose(hessian(f)(at), hessian(truth)(at), rtol=2e-2, atol=2e-2)


def test_errors_shrink_with_the_tolerance():
    def f(w, tol):
        return integrate.solve_ivp(swing, (0.0, 3.0), Y0, args=(w,), rtol=tol, atol=tol).y[0, -1]

    right = -3 * Y0[0] * np.sin(3.0) + 3 * Y0[1] * np.cos(3.0)
    errors = [abs(grad(f)(1.0, tol) - right) for tol in (1e-3, 1e-6, 1e-9)]
    assert errors[0] > 50 * errors[1] > 2500 * errors[2]


def test_times_given_as_tensors_move_the_ends():
    def f(t0, t1):
        r = integrate.solve_ivp(swing, (t0, t1), Y0, args=(1.0,), **TIGHT)
        assert isinstance(r.t, Tensor)
        return np.sum(r.y[:, -1]) + r.t[-1] - r.t[0]

    c, s = np.cos(1.5), np.sin(1.5)
    slope = Y0[0] * (-s - c) + Y0[1] * (c - s)
    assert grad(f, (0, 1))(0.5, 2.0) == pytest.approx((-slope - 1, slope + 1), abs=1e-7)
    assert grad(f, 1)(2.0, 0.5) == pytest.approx(Y0[0] * (s - c) + Y0[1] * (c + s) + 1, abs=1e-7)  # backward in time


def fall(t, y, g):
    return np.stack([y[1], -g])


def floor(t, y, g):
    return y[0]


floor.terminal, floor.direction = True, -1  # type: ignore[attr-defined]


def thrown(v, g, **options):
    return integrate.solve_ivp(fall, (0.0, 9.0), np.stack([0.0 * v, v]), args=(g,), events=floor, **TIGHT, **options)


def test_a_bouncing_ball_hits_the_floor_as_the_closed_form_says():
    v, g = 3.0, 9.8

    def when(p):
        return thrown(p[0], p[1]).t_events[0][0]

    assert thrown(v, g).status == 1
    np.testing.assert_allclose(grad(when)(np.array([v, g])), [2 / g, -2 * v / g**2], rtol=1e-9)
    right = [[0.0, -2 / g**2], [-2 / g**2, 4 * v / g**3]]
    np.testing.assert_allclose(hessian(when)(np.array([v, g])), right, atol=1e-10)
    for speed in (lambda v, g: thrown(v, g).y[1, -1], lambda v, g: thrown(v, g).y_events[0][-1, 1]):
        np.testing.assert_allclose(grad(speed, (0, 1))(v, g), [-1.0, 0.0], atol=1e-9)

    def second(v):  # after a bounce that keeps 0.8 of the speed
        first = thrown(v, g)
        start = np.stack([1e-9, -0.8 * first.y[1, -1]])
        r = integrate.solve_ivp(fall, (first.t[-1], 9.0), start, args=(g,), events=floor, **TIGHT)
        return r.t[-1]

    assert grad(second)(v) == pytest.approx(2 / g + 2 * 0.8 / g, rel=1e-6)


def test_an_event_that_closes_over_a_tensor_is_differentiated_by_it():
    def when(level):
        r = integrate.solve_ivp(lambda t, y: -y, (0.0, 5.0), np.ones(1), events=lambda t, y: y[0] - level, **TIGHT)
        return r.t_events[0][0]

    assert grad(when)(0.5) == pytest.approx(-2.0, rel=1e-6)


def test_dense_output_is_differentiable_by_everything():
    def f(v, g, t):
        return np.sum(thrown(v, g, dense_output=True).sol(t)[0])

    by_v, by_g, by_t = grad(f, (0, 1, 2))(3.0, 9.8, np.array([0.3, 0.5]))
    assert (by_v, by_g) == pytest.approx((0.8, -(0.09 + 0.25) / 2))
    np.testing.assert_allclose(by_t, [3 - 9.8 * 0.3, 3 - 9.8 * 0.5], rtol=1e-9)
    sol = thrown(Tensor(3.0), 9.8, dense_output=True).sol
    assert sol(np.zeros(0)).shape == (2, 0)
    assert sol(0.1).shape == (2,)
    assert sol.t_min == 0.0
    with pytest.raises(ValueError, match="1-D"):
        sol(np.zeros((2, 2)))


def test_van_der_pol_with_a_stiffness_of_1000():
    def vdp(t, y, mu):
        return np.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])

    def f(mu):
        return integrate.solve_ivp(
            vdp, (0.0, 400.0), np.array([2.0, 0.0]), "Radau", args=(mu,), rtol=1e-8, atol=1e-8
        ).y[0, -1]

    step = 0.5
    assert grad(f)(1000.0) == pytest.approx((f(1000 + step) - f(1000 - step)) / (2 * step), rel=1e-4)


def test_robertson():
    def robertson(t, y, k):
        one, two, three = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
        return np.stack([three - one, one - two - three, two])

    def f(k):
        start = np.array([1.0, 0.0, 0.0])
        return integrate.solve_ivp(robertson, (0.0, 40.0), start, "Radau", args=(k,), rtol=1e-5, atol=1e-9).y[2, -1]

    k = np.array([0.04, 3e7, 1e4])
    steps = np.diag(k * 1e-2)
    np.testing.assert_allclose(grad(f)(k) * k, [(f(k + d) - f(k - d)) / 0.02 for d in steps], rtol=1e-3)


def test_a_failure_is_scipys_status_and_no_gradient_is_invented():
    def blow(t, y, a):
        return a * y**2

    r = integrate.solve_ivp(blow, (0.0, 2.0), np.ones(1), args=(Tensor(1.0),))
    assert r.status == -1
    assert not r.success
    assert "step size" in r.message
    r = integrate.solve_ivp(lambda t, y: y * np.nan, (0.0, 1.0), Tensor(np.ones(1)))
    assert r.status == -1
    assert r.y.shape == (1, 1)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"method": "Euler"}, ValueError, "must be one of"),
        ({"method": "BDF"}, ValueError, "adjoint='continuous'.*Radau"),
        ({"vectorized": True}, TypeError, "vectorized"),
        ({"tolerance": 1}, TypeError, "no option"),
        ({"adjoint": "both"}, ValueError, "continuous"),
        ({"checkpoints": 1}, ValueError, "2 or more"),
        ({"t_eval": [0.5, 0.1]}, ValueError, "sorted"),
        ({"t_eval": [2.0]}, ValueError, "within"),
        ({"args": 3.0}, TypeError, "unpacked"),
        ({"adjoint": "continuous", "dense_output": True}, TypeError, "keeps no steps"),
    ],
)
def test_what_does_not_fit_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        integrate.solve_ivp(lambda t, y, *a: -y, (0.0, 1.0), Tensor(np.ones(2)), **options)


def test_wrong_shapes_and_kinds_are_refused():
    for f, text in ((lambda t, y: y[:1], "shape"), (lambda t, y: 1j * y, "complex")):
        with pytest.raises((ValueError, TypeError), match=text):
            integrate.solve_ivp(f, (0.0, 1.0), np.ones(2))
    with pytest.raises(ValueError, match="first and a last"):
        integrate.solve_ivp(lambda t, y: y, (0.0, np.nan), np.ones(1))
    with pytest.raises(ValueError, match="1-dimensional"):
        integrate.solve_ivp(lambda t, y: y, (0.0, 1.0), 1.0)


def test_a_variable_met_late_is_found():
    late = Tensor(2.0)

    def f(t, y):
        return -late * y if t > 0.5 else -y

    r = integrate.solve_ivp(f, (0.0, 1.0), np.ones(1), max_step=0.05, **TIGHT)
    r.y[0, -1].backward()
    assert late.grad == pytest.approx(-0.5 * np.exp(-1.5), rel=1e-2)


def test_a_parameter_that_was_changed_before_backward_is_an_error():
    w = np.array([1.0])
    y0 = Tensor(np.ones(1))
    r = integrate.solve_ivp(lambda t, y: -w * y, (0.0, 1.0), y0)
    w[0] = 2.0
    with pytest.raises(GraphError, match="something else"):
        r.y[0, -1].backward()


def test_memory_is_bounded_by_the_checkpoints():
    from autodiff.scipy.integrate.discrete import Sweep

    seen = []
    run = Sweep.run

    def watched(self, *args):
        out = run(self, *args)
        seen.append((len(self.trace.sizes), len(self.trace.states), self.most))
        return out

    def f(w, k):
        return integrate.solve_ivp(swing, (0.0, 5.0), Y0, args=(w,), checkpoints=k, max_step=0.05).y[0, -1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "run", watched)
        few, many = grad(f)(1.0, 4), grad(f)(1.0, 1000)
    assert few == pytest.approx(many, rel=1e-12)
    steps, states, alive = seen[0]
    assert steps >= 100
    assert states <= 8
    assert alive <= 4 * 4


def test_no_grad_capture_jit_and_vmap():
    y0 = Tensor(np.ones(1))

    def f(y0):
        return integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), y0).y[0, -1]

    with ad.no_grad():
        assert not isinstance(f(y0), Tensor) or not f(y0)._node.active
    with pytest.raises(ad.CaptureError, match="number of steps"):
        ad.capture(f, np.ones(1))
    quick = ad.jit(grad(f))
    assert [quick(np.ones(1))[0] for _ in range(3)] == [grad(f)(np.ones(1))[0]] * 3
    assert "number of steps" in quick.explain()
    with pytest.raises(ad.BatchingError, match="one more axis"):
        ad.vmap(f)(np.ones((3, 1)))
