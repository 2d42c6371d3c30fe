"""jvp, jacobian, hessian, hvp: values, shapes, third derivatives, and that each costs what it says."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff
from autodiff import BatchingError, grad, hessian, hvp, jacobian, jvp, vjp


def smooth(x):
    return np.tanh(x @ np.arange(6.0).reshape(3, 2) * 0.3) + np.sum(np.sin(x))


X = np.array([0.3, -0.5, 0.8])


# -- jvp ---------------------------------------------------------------------------------------------------------


def directional(f, x, v, h=1e-6):
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


def test_jvp_is_the_directional_derivative():
    v = np.array([1.0, -2.0, 0.5])
    y, dy = jvp(smooth, (X,), (v,))
    np.testing.assert_array_equal(y, smooth(X))
    np.testing.assert_allclose(dy, directional(smooth, X, v), rtol=1e-8)


def test_jvp_and_vjp_are_adjoint(rng):
    v, g = rng.normal(size=3), rng.normal(size=2)
    _, dy = jvp(smooth, (X,), (v,))
    _, pull = vjp(smooth, X)
    np.testing.assert_allclose(g @ dy, pull(g)[0] @ v, rtol=1e-13)


def test_jvp_keeps_nestings_shapes_and_types():
    point, direction = {"a": np.ones(2, np.float32), "b": 2.0}, {"b": 1.0, "a": np.zeros(2)}
    y, dy = jvp(lambda p: [p["a"] * p["b"], {"c": p["a"]}], (point,), (direction,))
    assert dy[1]["c"].dtype == np.float32
    np.testing.assert_array_equal(dy[0], [1.0, 1.0])
    assert y[0].shape == dy[0].shape == (2,)
    assert jvp(lambda x: x * 2, (np.float32(1),), (np.float32(3),))[1].dtype == np.float32
    empty = jvp(np.sin, (np.zeros((0, 3)),), (np.zeros((0, 3)),))[1]
    assert empty.shape == (0, 3)


def test_jvp_of_an_output_that_does_not_depend_on_the_input_is_zero():
    y, dy = jvp(lambda x: (x, 3.0, np.ones(2, np.float32), np.argmax(x), autodiff.stop_gradient(x)), (X,), (X,))
    np.testing.assert_array_equal(dy[0], X)
    assert dy[1] == 0.0
    assert dy[2].dtype == np.float32
    assert dy[2].tolist() == [0.0, 0.0]
    assert (y[3], dy[3]) == (2, 0.0)
    assert dy[4].tolist() == [0.0, 0.0, 0.0]


def test_jvp_of_the_identity_and_of_one_output_given_twice():
    assert jvp(lambda x: (x, x), (1.0,), (2.0,)) == ((1.0, 1.0), (2.0, 2.0))
    assert jvp(lambda x, y: y, (1.0, 2.0), (5.0, 7.0)) == (2.0, 7.0)


def test_jvp_where_a_zero_meets_an_infinite_derivative():
    _, dy = jvp(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), (np.array([0.0, 2.0]),), (np.ones(2),))
    np.testing.assert_allclose(dy, [0.0, 0.5])
    with np.errstate(divide="ignore"):
        _, dy = jvp(lambda x: np.where(x > 0, np.log(x), 0.0), (np.array([0.0, 2.0]),), (np.ones(2),))
    np.testing.assert_allclose(dy, [0.0, 0.5])


def test_jvp_nests_and_mixes_with_grad():
    d = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]  # noqa: E731
    assert d(d(d(lambda x: x**4)))(2.0) == pytest.approx(48.0)
    assert grad(lambda a: jvp(lambda x: x**3 * a, (a,), (a,))[1])(2.0) == pytest.approx(96.0)
    assert d(grad(np.sin))(0.3) == pytest.approx(-np.sin(0.3))
    assert grad(lambda v: jvp(np.sin, (0.3,), (v,))[1])(1.0) == pytest.approx(np.cos(0.3))


def test_the_cost_of_jvp_does_not_grow_with_the_number_of_arguments():
    calls = []

    def counted(x):
        calls.append(1)
        return np.sum(np.sin(x)) * x

    jvp(counted, (np.ones(500),), (np.ones(500),))
    assert len(calls) == 1


# -- jacobian, hessian, hvp --------------------------------------------------------------------------------------


@pytest.mark.parametrize("vectorize", [True, False, None])
def test_jacobian_against_differences(vectorize):
    rows = [directional(smooth, X, e) for e in np.eye(3)]
    np.testing.assert_allclose(jacobian(smooth, vectorize=vectorize)(X), np.stack(rows, axis=1), rtol=1e-7)


@pytest.mark.parametrize("vectorize", [True, False])
def test_jacobian_shapes(vectorize):
    def jac(f, *args, argnums=0):
        return jacobian(f, argnums, vectorize=vectorize)(*args)

    m = np.arange(1.0, 7.0).reshape(2, 3)
    assert jac(lambda x: x * 2.0, 1.0) == 2.0
    assert jac(lambda x: np.sum(x), m).shape == (2, 3)
    assert jac(lambda x: x.T, m).shape == (3, 2, 2, 3)
    assert jac(lambda x: x, np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert jac(lambda x: np.ones(4), m).shape == (4, 2, 3)
    assert not np.any(jac(lambda x: np.ones(4), m))
    assert jac(lambda x: x * x, np.ones(2, np.float32)).dtype == np.float32
    both = jac(lambda a, b: np.outer(a, b), np.ones(2), np.ones(3), argnums=(0, 1))
    assert [b.shape for b in both] == [(2, 3, 2), (2, 3, 3)]
    nested = jac(lambda p: {"u": p["a"] * p["b"], "v": [p["b"]]}, {"a": np.ones(2), "b": 3.0})
    np.testing.assert_array_equal(nested["u"]["a"], 3.0 * np.eye(2))
    assert nested["u"]["b"].shape == (2,)
    assert nested["v"][0]["b"] == 1.0
    assert nested["v"][0]["a"].tolist() == [0.0, 0.0]


def test_jacobian_calls_the_function_once_and_the_rules_once():
    calls, pulls = [], []

    def cube(x):
        calls.append(1)
        return x * x * x

    def rule(g, x):
        pulls.append(1)
        return g * 3.0 * x * x

    result = jacobian(autodiff.elementwise(cube, rule))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(result, np.diag([3.0, 12.0, 27.0]))
    assert (len(calls), len(pulls)) == (1, 1)


def test_a_rule_that_cannot_be_mapped_makes_jacobian_go_row_by_row():
    @autodiff.primitive(lambda g, x: np.array([float(v) * 2.0 for v in g]))
    def doubled(x):
        return 2.0 * x

    np.testing.assert_array_equal(jacobian(doubled)(np.ones(2)), 2.0 * np.eye(2))
    with pytest.raises(BatchingError, match="float"):
        jacobian(doubled, vectorize=True)(np.ones(2))


def test_hessian_is_symmetric_and_right():
    def f(x):
        return np.sum(np.exp(x) * x[::-1]) + x[0] ** 2 * x[1]

    for vectorize in (True, False):
        h = hessian(f, vectorize=vectorize)(X)
        np.testing.assert_allclose(h, h.T, rtol=1e-13)
        np.testing.assert_allclose(h, np.stack([directional(grad(f), X, e) for e in np.eye(3)]), rtol=1e-7)


def test_hessian_of_several_arguments_is_a_nesting_of_nestings():
    blocks = hessian(lambda a, p: np.sum(a * p["s"]) ** 2, (0, 1))(np.ones(2), {"s": 3.0})
    np.testing.assert_allclose(blocks[0][0], np.full((2, 2), 18.0))
    np.testing.assert_allclose(blocks[0][1]["s"], [24.0, 24.0])
    np.testing.assert_allclose(blocks[1]["s"][0], [24.0, 24.0])
    np.testing.assert_allclose(blocks[1]["s"][1]["s"], 8.0)


def test_hessian_of_several_outputs_has_theirs_first():
    f = lambda x: {"cubes": x**3, "sum": np.sum(x**2)}  # noqa: E731
    for vectorize in (True, False):
        found = hessian(f, vectorize=vectorize)(X)
        assert found["cubes"].shape == (3, 3, 3)
        for i, row in enumerate(found["cubes"]):
            np.testing.assert_allclose(row, hessian(lambda x, i=i: x[i] ** 3)(X))
        np.testing.assert_allclose(found["sum"], 2 * np.eye(3))
    assert hessian(lambda x: np.reshape(np.sum(x**2), (1,)))(X).shape == (1, 3, 3)
    assert hessian(lambda x: 3.0)(X).tolist() == np.zeros((3, 3)).tolist()


def test_hvp_is_the_hessian_times_the_vector(rng):
    def f(x, p):
        return np.sum(np.tanh(x) ** 2 * p["w"]) * np.sum(np.sin(p["w"]))

    x, p = X, {"w": rng.normal(size=3)}
    v, q = rng.normal(size=3), {"w": rng.normal(size=3)}
    h = hessian(f, (0, 1))(x, p)
    got = hvp(f, (x, p), (v, q))
    np.testing.assert_allclose(got[0], h[0][0] @ v + h[0][1]["w"] @ q["w"], rtol=1e-12)
    np.testing.assert_allclose(got[1]["w"], h[1]["w"][0] @ v + h[1]["w"][1]["w"] @ q["w"], rtol=1e-12)
    assert hvp(lambda x: x * 2.0, (1.0,), (1.0,)) == (0.0,)
    assert hvp(lambda x: x**3, (2.0,), (1.0,)) == (12.0,)
    assert hvp(lambda x: np.sum(x**3), (X.astype(np.float32),), (X.astype(np.float32),))[0].dtype == np.float32


def test_third_derivatives():
    def f(x):
        return np.sum(np.sin(x) * x**2) + x[0] * x[1] * x[2]

    third = jacobian(hessian(f))(X)
    for other in (hessian(lambda x: grad(f)(x)[0])(X), jacobian(jacobian(lambda x: grad(f)(x)[0]))(X)):
        np.testing.assert_allclose(third[0], other, rtol=1e-12)
    for order in ((1, 0, 2), (2, 1, 0)):
        np.testing.assert_allclose(third, np.transpose(third, order), rtol=1e-12)
    np.testing.assert_allclose(third, np.stack([directional(hessian(f), X, e) for e in np.eye(3)]), rtol=1e-6)
    d = grad(grad(grad(np.sin)))
    assert d(0.7) == pytest.approx(-np.cos(0.7), rel=1e-15)
    assert grad(d)(0.7) == pytest.approx(np.sin(0.7), rel=1e-15)


@pytest.mark.parametrize("point", [2.0, np.float64(2.0), np.array(2.0)], ids=["float", "scalar", "0-d array"])
@pytest.mark.parametrize("vectorize", [True, False, None])
def test_derivatives_of_one_number_are_numbers(point, vectorize):
    cube = lambda x: x**3  # noqa: E731
    assert type(grad(cube)(point)) is type(jacobian(cube, vectorize=vectorize)(point)) is float
    assert type(hessian(cube, vectorize=vectorize)(point)) is type(jacobian(jacobian(jacobian(cube)))(point)) is float
    assert (jacobian(cube)(point), hessian(cube)(point), jacobian(jacobian(jacobian(cube)))(point)) == (12.0, 12.0, 6.0)
    nested = hessian(lambda p: p["a"] * p["b"] ** 2)({"a": point, "b": point})
    assert nested == {"a": {"a": 0.0, "b": 4.0}, "b": {"a": 4.0, "b": 4.0}}
    assert jacobian(cube)(np.float32(2.0)).dtype == np.float32


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 5, 100])
def test_jacobian_in_chunks(chunk_size):
    f = lambda x: {"a": np.outer(np.sin(x), x), "b": np.sum(x), "c": x[:0]}  # noqa: E731
    whole, parts = jacobian(f)(X), jacobian(f, chunk_size=chunk_size, vectorize=True)(X)
    for name in whole:
        np.testing.assert_array_equal(parts[name], whole[name])
    g = lambda x: np.sum(np.sin(x) * np.prod(x))  # noqa: E731
    np.testing.assert_allclose(hessian(g, chunk_size=chunk_size)(X), hessian(g)(X), rtol=1e-14)
    third = lambda c: jacobian(hessian(g, chunk_size=c), chunk_size=c)(X)  # noqa: E731
    np.testing.assert_allclose(third(chunk_size), third(None), rtol=1e-14)


def test_a_chunk_is_how_many_rows_a_pass_computes():
    pulled = []

    def rule(g, x):
        pulled.append(getattr(g, "held", g).shape)
        return g * 2.0

    def doubled(x):
        return 2.0 * x

    jacobian(autodiff.elementwise(doubled, rule), chunk_size=2)(np.ones(5))
    assert [shape[0] for shape in pulled] == [2, 2, 1]


@pytest.mark.parametrize("chunk_size", [0, -1, 2.0, "all"])
def test_a_chunk_has_at_least_one_row(chunk_size):
    with pytest.raises(ValueError, match="chunk_size is a number of rows"):
        jacobian(np.sin, chunk_size=chunk_size)
