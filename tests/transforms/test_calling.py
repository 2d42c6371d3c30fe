"""What all transforms share: nestings, argument numbers, auxiliary values, outer variables, wrong input."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff import (
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


# -- everything at once ------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("f", [lambda x: x > 0, lambda x: bool(x > 0), lambda x: np.allclose(x, 1.0)])
def test_a_bool_has_no_gradient(f):
    with pytest.raises(TypeError, match="grad: the function returned a bool, which has no gradient"):
        grad(f)(2.0)


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
