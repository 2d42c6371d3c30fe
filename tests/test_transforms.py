"""jvp, jacobian, hessian, hvp, and what all transforms share: nestings, argument numbers, wrong input."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff import (
    BatchingError,
    GraphError,
    Tensor,
    checkpoint,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
    vmap,
)

Pair = namedtuple("Pair", "left right")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    weight: Any
    bias: Any = None

    def __post_init__(self):
        if isinstance(self.weight, Tensor):
            raise AssertionError("a copy with Tensors must not run checks made for arrays")


class Plain:
    """A container of one's own."""

    def __init__(self, value):
        self.value = value


autodiff.register_container(Plain, lambda p: ([p.value], lambda children: Plain(*children)))


def smooth(x):
    return np.tanh(x @ np.arange(6.0).reshape(3, 2) * 0.3) + np.sum(np.sin(x))


X = np.array([0.3, -0.5, 0.8])


# -- nestings and argument numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nest",
    [
        lambda a, b: {"a": a, "b": b},
        lambda a, b: {"b": b, "a": a},
        lambda a, b: [a, (b,)],
        lambda a, b: (a, [b, None]),
        lambda a, b: Pair(a, b),
        lambda a, b: Layer(weight=a, bias=b),
        lambda a, b: OrderedDict(a=a, b={"c": b}),
        lambda a, b: [Plain(a), Layer(weight=b)],
    ],
)
def test_gradients_have_the_nesting_of_the_argument(nest):
    a, b = np.array([1.0, 2.0]), 3.0

    def leaves(tree):
        return autodiff.tree.flatten(tree)[0]

    def f(tree):
        first, second = sorted(leaves(tree), key=lambda t: -np.ndim(t))
        return np.sum(first**2) * second

    got = grad(f)(nest(a, b))
    expected = nest(2 * a * b, np.sum(a**2))
    assert type(got) is type(expected)
    for one, two in zip(leaves(got), leaves(expected), strict=True):
        np.testing.assert_allclose(one, two)


def test_none_is_an_empty_nesting():
    gradient = grad(lambda p: p["w"] * 2.0 if p["bias"] is None else 0.0)
    assert gradient({"w": 1.0, "bias": None}) == {"w": 2.0, "bias": None}


@pytest.mark.parametrize(
    ("argnums", "expected"), [(0, 2.0), (1, 3.0), (-1, 5.0), ((0, -1), (2.0, 5.0)), ([1], (3.0,)), ((), ())]
)
def test_argnums(argnums, expected):
    assert grad(lambda x, y, z: 2.0 * x + 3.0 * y + 5.0 * z, argnums)(1.0, 6.0, 1.0) == expected


@pytest.mark.parametrize(
    ("argnums", "error"), [(2, TypeError), (-3, TypeError), ((0, -2), ValueError), (True, TypeError), ("x", TypeError)]
)
def test_wrong_argnums(argnums, error):
    with pytest.raises(error, match="argnums"):
        grad(lambda x, y: x * y, argnums)(1.0, 2.0)


def test_has_aux_gives_plain_values_and_keeps_the_nesting():
    both = value_and_grad(lambda x: (x * x, {"twice": x * 2, "name": "f", "none": None}), has_aux=True)
    (value, aux), gradient = both(3.0)
    assert (value, gradient) == (9.0, 6.0)
    assert aux == {"twice": 6.0, "name": "f", "none": None}
    assert type(aux["twice"]) is float
    assert grad(lambda x: (x * x, x), has_aux=True)(3.0) == (6.0, 3.0)
    with pytest.raises(TypeError, match="a pair"):
        value_and_grad(lambda x: x, has_aux=True)(1.0)


def test_aux_that_depends_on_an_outer_variable_alone_is_not_cut_off():
    def outer(w):
        _, aux = grad(lambda x: (x * x, w * 5.0), has_aux=True)(1.0)
        return aux

    assert grad(outer)(2.0) == 5.0


def test_a_variable_made_inside_is_not_an_outer_one():
    assert type(grad(lambda x: x * Tensor(3.0))(2.0)) is float
    w = Tensor(3.0)
    assert type(grad(lambda x: x * w)(2.0)) is Tensor


def test_keyword_arguments_are_passed_on():
    assert grad(lambda x, *, power: x**power)(2.0, power=3) == 12.0
    assert jacobian(lambda x, *, power: x**power)(2.0, power=3) == 12.0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: grad(lambda x: x)(3), TypeError, "write 3.0"),
        (lambda: grad(lambda x: x)(np.arange(3)), TypeError, "floating-point"),
        (lambda: grad(lambda x: x)("a"), TypeError, "got a str"),
        (lambda: grad(lambda x: (x, x))(1.0), TypeError, "single number"),
        (lambda: grad(lambda x: "s")(1.0), TypeError, "single number"),
        (lambda: grad(lambda x: x)(np.ones(2)), GraphError, r"shape \(2,\)"),
        (lambda: vjp(lambda x: {"a": x, "b": x}, 1.0)[1]({"a": 1.0, "c": 1.0}), ValueError, "keys"),
        (lambda: vjp(lambda x: [x, x], 1.0)[1]([1.0]), ValueError, "list of 1 where a list of 2"),
        (lambda: vjp(lambda x: x, np.ones(2))[1](1.0), ValueError, r"shape \(\) where \(2,\)"),
        (lambda: jvp(np.sin, 1.0, 1.0), TypeError, r"jvp\(f, \(x,\), \(dx,\)\)"),
        (lambda: jvp(np.sin, (1.0,), ()), ValueError, "1 arguments but 0 tangents"),
        (lambda: jvp(np.sin, (np.ones(2),), (np.ones(3),)), ValueError, r"\(3,\) where \(2,\)"),
        (lambda: jvp(np.sin, (1,), (1.0,)), TypeError, "write 1.0"),
        (lambda: hvp(np.sin, 1.0, 1.0), TypeError, r"hvp\(f, \(x,\), \(v,\)\)"),
        (lambda: hvp(lambda x: x, (np.ones(2),), (np.ones(2),)), GraphError, "single number"),
        (lambda: jacobian(np.sin)(np.ones(2) + 1j), TypeError, "np.real and np.imag"),
        (lambda: jacobian(np.sin)(1), TypeError, "write 1.0"),
    ],
)
def test_wrong_input_says_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_cotangents_are_matched_by_key_not_by_order():
    _, pull = vjp(lambda x: {"a": x * 2.0, "b": x * 3.0}, 1.0)
    assert pull({"b": 0.0, "a": 1.0}) == (2.0,)
    assert pull({"a": 0.0, "b": 1.0}) == (3.0,)


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


@pytest.mark.usefixtures("own_primitives")
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


@pytest.mark.usefixtures("own_primitives")
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


def test_outer_variables_go_through_every_transform():
    w = 0.7

    def through(transform):
        return grad(lambda w: np.sum(transform(lambda x: np.tanh(x * w))))(w)

    def by_hand(transform, h=1e-6):
        above, below = (np.sum(transform(lambda x, w=w: np.tanh(x * w))) for w in (w + h, w - h))
        return (above - below) / (2 * h)

    for transform in (
        lambda f: jacobian(f)(X),
        lambda f: jacobian(f, vectorize=False)(X),
        lambda f: hessian(lambda x: np.sum(f(x) ** 2))(X),
        lambda f: jvp(f, (X,), (X,))[1],
        lambda f: hvp(lambda x: np.sum(f(x) ** 2), (X,), (X,))[0],
        lambda f: vjp(f, X)[1](X)[0],
        lambda f: grad(lambda x: np.sum(f(x)))(X),
    ):
        result = through(transform)
        assert type(result) is float
        assert result == pytest.approx(by_hand(transform), rel=1e-6)


def test_the_imperative_style_sees_through_transforms():
    w = Tensor(0.7)
    loss = np.sum(jacobian(lambda x: np.tanh(x * w))(X))
    loss.backward()
    h = 1e-6
    total = lambda w: np.sum(jacobian(lambda x: np.tanh(x * w))(X))  # noqa: E731
    assert float(w.grad) == pytest.approx((total(0.7 + h) - total(0.7 - h)) / (2 * h), rel=1e-7)


def test_transforms_work_where_recording_is_off_and_give_constants():
    w = Tensor(2.0)
    with no_grad():
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert jvp(np.sin, (0.0,), (1.0,)) == (0.0, 1.0)
        assert hvp(lambda x: x**3, (2.0,), (1.0,)) == (12.0,)
        np.testing.assert_array_equal(jacobian(lambda x: x * x)(np.ones(2)), 2 * np.eye(2))
        assert grad(lambda x: x * x * w)(w) == 8.0
        _, pull = vjp(lambda x: x * w, 3.0)
    assert pull(1.0) == (2.0,)


def test_two_threads_differentiate_at_once():
    results = {}

    def work(name, k):
        for _ in range(30):
            results[name] = hessian(lambda x: np.sum(x**k))(X)

    threads = [threading.Thread(target=work, args=(k, k)) for k in (2, 3)]
    with no_grad():
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    np.testing.assert_allclose(results[2], 2 * np.eye(3))
    np.testing.assert_allclose(results[3], np.diag(6 * X))


@pytest.mark.parametrize(
    "f", [lambda x: x * x, lambda x: 3.0, lambda x: np.sin(1.0)], ids=["square", "number", "array"]
)
def test_the_gradient_of_a_number_is_a_number_also_where_it_does_not_matter(f):
    assert type(grad(f)(2.0)) is float


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


@pytest.mark.usefixtures("own_primitives")
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


def test_has_aux_everywhere():
    f = lambda x: (np.sin(x), {"twice": x * 2.0, "note": "n"})  # noqa: E731
    expected = {"twice": pytest.approx(2.0 * X), "note": "n"}
    assert jacobian(f, has_aux=True)(X)[1] == expected
    np.testing.assert_allclose(jacobian(f, has_aux=True)(X)[0], np.diag(np.cos(X)))
    y, pull, aux = vjp(f, X, has_aux=True)
    assert (y.tolist(), aux) == (np.sin(X).tolist(), expected)
    np.testing.assert_allclose(pull(np.ones(3))[0], np.cos(X))
    _, dy, aux = jvp(f, (X,), (np.ones(3),), has_aux=True)
    assert (pytest.approx(np.cos(X)), expected) == (dy, aux)
    h, aux = hessian(lambda x: (np.sum(x**3), x * 2.0), has_aux=True)(X)
    np.testing.assert_allclose(h, np.diag(6 * X))
    assert type(aux) is np.ndarray
    for fails in (lambda: vjp(np.sin, X, has_aux=True), lambda: jacobian(np.sin, has_aux=True)(X)):
        with pytest.raises(TypeError, match=r"\(value, anything\), a pair"):
            fails()


def test_auxiliary_values_keep_the_history_that_they_have_outside():
    def f(w):
        _, aux = jacobian(lambda x: (x * w, w * w), has_aux=True)(X)
        return aux

    assert grad(f)(3.0) == 6.0


@dataclasses.dataclass
class Sides:
    left: object
    right: object


@pytest.mark.parametrize(
    ("argument", "place"),
    [
        ({"a": 1.0, "b": 2}, r"argument 0\['b'\]: got the int 2.*write 2\.0"),
        ({"a": [np.ones(2), np.arange(3)]}, r"argument 0\['a'\]\[1\]: got an array of int64, shape \(3,\).*astype"),
        (Sides(1.0, {"deep": (1.0, "text")}), r"argument 0\.right\['deep'\]\[1\]: got a str"),
        (True, "argument 0: got the bool True"),
        ([np.array([True])], r"argument 0\[0\]: got an array of bool"),
        (Sides(1.0, Tensor(1.0) > 0), r"argument 0\.right: got an array of bool"),
    ],
)
def test_what_cannot_be_differentiated_is_named_with_its_place(argument, place):
    for transform in (
        lambda: grad(lambda p: 1.0)(argument),
        lambda: jacobian(lambda p: 1.0)(argument),
        lambda: vjp(lambda p: 1.0, argument),
        lambda: jvp(lambda p: 1.0, (argument,), (argument,)),
    ):
        with pytest.raises(TypeError, match=place):
            transform()
    with pytest.raises(TypeError, match=place.replace("argument 0", "argument 1")):
        grad(lambda a, b: 1.0, (0, 1))(1.0, argument)


WITH_POINTS = [lambda f: vjp(f, 1.0), lambda f: jvp(f, (), ()), lambda f: hvp(f, (), ())]


@pytest.mark.parametrize("transform", [grad, jacobian, hessian, vmap, checkpoint, *WITH_POINTS])
def test_the_first_argument_is_a_function(transform):
    with pytest.raises(TypeError, match=r"must be a function, got float; pass f itself, not f\(x\)"):
        transform(3.0)


def test_argnums_of_numpy():
    f = lambda a, b: a * b * b  # noqa: E731
    assert grad(f, np.int64(1))(2.0, 3.0) == 12.0
    assert grad(f, (np.int64(0), -1))(2.0, 3.0) == (9.0, 12.0)
    assert jacobian(f, np.int32(-1))(2.0, 3.0) == 12.0
    with pytest.raises(TypeError, match="argnums must be an integer"):
        grad(f, (1.0,))(2.0, 3.0)


def test_a_complex_direction_of_a_real_argument_is_refused():
    with pytest.raises(TypeError, match=r"jvp: a complex tangent where float64 belongs; take np\.real"):
        jvp(np.sin, (X,), (1j * X,))
    with pytest.raises(TypeError, match="vjp: a complex cotangent where float64"):
        vjp(np.sin, X)[1](1j * X)


@pytest.mark.usefixtures("own_primitives")
@pytest.mark.parametrize(
    "differentiate",
    [grad, jacobian, hessian, lambda f: lambda x: vjp(f, x)[1](1.0), lambda f: lambda x: f(Tensor(x)).backward()],
)
def test_a_rule_that_forgets_to_return_is_no_rule_that_says_zero(differentiate):
    def forgetful(x):
        return 0.5 * x * x

    def rule(g, x):
        g * x

    with pytest.raises(GraphError, match="forgetful: its rule for 'x' returned a NoneType; return an array of shape"):
        differentiate(autodiff.elementwise(forgetful, rule))(3.0)
