"""checkpoint: the same gradients with less kept, and a refusal where the second evaluation would differ."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

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
from tests.garbage import left_by

W = np.array([[0.3, -0.2, 0.5], [0.1, 0.7, -0.4], [-0.6, 0.2, 0.1]])
X = np.array([[0.5, -1.0, 0.3], [1.2, 0.4, -0.7]])


def layer(x, w=W):
    return np.tanh(x @ w) * x


def test_it_is_the_same_function_with_the_same_gradient():
    part = checkpoint(layer)
    plain = value_and_grad(lambda x, w: np.sum(layer(layer(layer(x, w), w), w) ** 2), (0, 1))(X, W)
    again = value_and_grad(lambda x, w: np.sum(part(part(part(x, w), w), w) ** 2), (0, 1))(X, W)
    assert plain[0] == again[0]
    for one, two in zip(plain[1], again[1], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-14)


def test_gradients_reach_captured_variables():
    w, b = Tensor(W), Tensor(np.zeros(3))
    twice = b * 2.0  # a captured result of an operation, not a leaf

    def f(x):
        return np.tanh(x @ w + twice)

    results = []
    for part in (f, checkpoint(f)):
        w.grad = b.grad = None
        np.sum(part(part(X)) ** 2).backward(retain_graph=True)
        results.append((w.grad.copy(), b.grad.copy()))
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-13)


def test_it_nests():
    inner = checkpoint(layer)
    outer = checkpoint(lambda x: inner(inner(x)))
    expected = grad(lambda x: np.sum(layer(layer(layer(layer(x))))))(X)
    np.testing.assert_allclose(grad(lambda x: np.sum(outer(outer(x))))(X), expected, rtol=1e-13)


def test_every_transform_goes_through_it():
    part = checkpoint(layer)

    def scalar(f):
        return lambda x: np.sum(f(x) ** 2)

    for transform in (
        lambda f: grad(scalar(f))(X),
        lambda f: hessian(scalar(f))(X),
        lambda f: jacobian(f)(X),
        lambda f: jacobian(hessian(scalar(f)))(X[:1]),
        lambda f: jvp(f, (X,), (X,))[1],
        lambda f: hvp(scalar(f), (X,), (X,))[0],
        lambda f: vjp(f, X)[1](X)[0],
        lambda f: vmap(f)(X),
        lambda f: vmap(grad(scalar(f)))(X),
        lambda f: grad(lambda x: np.sum(grad(scalar(f))(x) ** 3))(X),
    ):
        np.testing.assert_allclose(transform(part), transform(layer), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("wrap", [lambda f: vmap(checkpoint(f)), lambda f: checkpoint(vmap(f))])
def test_a_captured_variable_under_vmap_to_second_order(wrap):
    def loss(w, wrap):
        return np.sum(wrap(lambda x: np.sum(np.sin(layer(x, w))))(X))

    for order in (lambda f: grad(f)(W), lambda f: grad(lambda w: np.sum(grad(f)(w) ** 2))(W)):
        expected = order(lambda w: loss(w, vmap))
        np.testing.assert_allclose(order(lambda w: loss(w, wrap)), expected, rtol=1e-12)


def test_nestings_constants_and_unused_outputs():
    def f(p, *, scale):
        return {"a": p["x"] * scale, "b": [p["x"] * p["y"], 3.0, np.argmax(p["x"])], "c": "name"}

    part = checkpoint(f)
    out, pull = vjp(lambda p: part(p, scale=2.0)["a"], {"x": X, "y": 4.0})
    np.testing.assert_array_equal(out, 2 * X)
    (found,) = pull(np.ones_like(X))
    np.testing.assert_array_equal(found["x"], np.full_like(X, 2.0))
    assert found["y"] == 0.0
    whole = part({"x": Tensor(X), "y": 4.0}, scale=2.0)
    assert whole["b"][1] == 3.0
    assert whole["b"][2].item() == np.argmax(X)
    assert whole["c"] == "name"


def test_an_output_that_is_an_input_or_given_twice():
    part = checkpoint(lambda x: (x, x * 2.0, x))
    assert grad(lambda x: sum(part(x)))(3.0) == 4.0

    def twice(x):
        y = x * 3.0
        return y, y

    assert grad(lambda x: sum(checkpoint(twice)(x)))(1.0) == 6.0


def test_plain_arrays_and_no_grad():
    part = checkpoint(layer)
    np.testing.assert_array_equal(part(X), layer(X))
    x = Tensor(X)
    with no_grad():
        out = part(x)
    with pytest.raises(GraphError, match="no variable leads to"):
        np.sum(out).backward()
    assert grad(checkpoint(lambda x: Tensor(2.0) * 3.0 + 0.0 * x.item()))(1.0) == 0.0


def test_dtype_and_shape_are_kept():
    x = X.astype(np.float32)
    part = checkpoint(lambda x: np.sin(x))
    value, pull = vjp(part, x)
    assert value.dtype == pull(x)[0].dtype == np.float32
    assert vjp(part, np.zeros((0, 2)))[1](np.zeros((0, 2)))[0].shape == (0, 2)
    assert grad(part)(0.0) == 1.0


def test_a_zero_cotangent_still_wins_over_an_infinite_derivative():
    part = checkpoint(lambda x: np.where(x > 0, np.log(x), 0.0))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(grad(lambda x: np.sum(part(x)))(np.array([0.0, 2.0])), [0.0, 0.5])


# -- the second evaluation -----------------------------------------------------------------------------------------


def test_random_numbers_of_a_named_generator_are_drawn_again():
    rng, same = np.random.default_rng(7), np.random.default_rng(7)

    def dropout(x, rng):
        return x * (rng.random(x.shape) < 0.5) * 2.0

    part = checkpoint(lambda x: dropout(x, rng), rng=rng)
    got = grad(lambda x: np.sum(part(part(x))))(np.ones(50))
    np.testing.assert_array_equal(got, grad(lambda x: np.sum(dropout(dropout(x, same), same)))(np.ones(50)))
    assert rng.random() == same.random()  # the backward pass leaves the generator where it was


def test_a_generator_among_the_arguments_is_found():
    part = checkpoint(lambda x, rng: x * rng.normal(size=x.shape))
    got = grad(lambda x: np.sum(part(x, np.random.default_rng(3))))(np.ones(4))
    np.testing.assert_array_equal(got, np.random.default_rng(3).normal(size=4))
    got = grad(lambda x: np.sum(part(x, rng=np.random.default_rng(3))))(np.ones(4))
    np.testing.assert_array_equal(got, np.random.default_rng(3).normal(size=4))


@pytest.mark.parametrize("x", [np.ones(5), np.zeros(5)], ids=["outputs differ", "outputs agree, slopes differ"])
def test_random_numbers_of_an_unknown_generator_are_refused(x):
    rng = np.random.default_rng(0)
    part = checkpoint(lambda x: x * rng.normal(size=x.shape))
    with pytest.raises(GraphError, match=r"checkpoint\(f, rng=generator\)"):
        grad(lambda x: np.sum(part(x)))(x)


def test_a_large_permutation_is_refused_too():
    rng = np.random.default_rng(0)
    x = np.arange(5000.0)
    part = checkpoint(lambda x: x * rng.permutation(5000.0 + np.arange(5000)))
    with pytest.raises(GraphError, match="something else the second time"):
        grad(lambda x: np.sum(part(x)))(x)


def test_a_decision_that_changes_is_refused():
    calls = []

    def f(x):
        calls.append(1)
        return np.sin(x) if len(calls) == 1 else np.cos(x)

    with pytest.raises(GraphError, match="something else the second time"):
        grad(checkpoint(f))(1.0)


def test_a_captured_array_that_was_changed_is_refused():
    scale = np.array([1.0, 2.0])
    x = Tensor(np.ones(2))
    loss = np.sum(checkpoint(lambda x: x * scale)(x))
    scale[0] = 5.0
    with pytest.raises(GraphError, match="was changed before backward"):
        loss.backward()
    assert x.grad is None


@pytest.mark.parametrize("change", ["assigned", "in place", "behind the back"])
def test_a_variable_that_was_updated_is_refused(change):
    w = Tensor(W.copy())
    loss = np.sum(checkpoint(lambda x: np.tanh(x @ w))(Tensor(X)))
    if change == "assigned":
        w.data = w.data * 2.0
    elif change == "in place":
        w.data -= 0.1
    else:
        w.data[0, 0] = 9.0
    with pytest.raises(GraphError, match="changed"):
        loss.backward()


@pytest.mark.parametrize("rng", [3, [np.random], "x"])
def test_rng_must_be_generators(rng):
    with pytest.raises(TypeError, match="numpy.random.Generator"):
        checkpoint(layer, rng=rng)


# -- what is kept ------------------------------------------------------------------------------------------------


def kept_bytes(part, depth, x):
    """What a chain of parts keeps alive between forward and backward."""
    tracemalloc.start()
    try:
        t = Tensor(x)
        start = tracemalloc.get_traced_memory()[0]
        y = t
        for _ in range(depth):
            y = part(y)
        return tracemalloc.get_traced_memory()[0] - start, np.sum(y)
    finally:
        tracemalloc.stop()


def test_it_keeps_one_array_a_part():
    x = np.linspace(0.0, 1.0, 20_000)

    def part(x):
        for _ in range(10):
            x = np.sin(x)
        return x

    plain, _ = kept_bytes(part, 4, x)
    short, loss = kept_bytes(checkpoint(part), 4, x)
    assert plain > 39 * x.nbytes
    assert short < 4.5 * x.nbytes
    loss.backward()


def test_a_freed_graph_says_so_and_a_retained_one_accumulates():
    x = Tensor(X)
    loss = np.sum(checkpoint(layer)(x))
    loss.backward(retain_graph=True)
    first = x.grad.copy()
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * first)
    with pytest.raises(GraphError, match="freed by an earlier backward"):
        loss.backward()


def test_no_garbage_is_left():
    x = Tensor(X)
    part = checkpoint(layer)
    np.sum(part(x)).backward()
    assert left_by(lambda: np.sum(part(part(x))).backward()) == 0
