"""vmap and derivatives: per-example gradients, outer variables, nested mappings, and any index."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff import Tensor, grad, hessian, index_add, index_update, jacobian, no_grad, vjp, vmap


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


# -- derivatives -------------------------------------------------------------------------------------------------


def mlp(p, x, label):
    h = np.tanh(x @ p["w"] + p["b"])
    scores = h @ p["v"]
    return np.log(np.sum(np.exp(scores))) - scores[label]


def test_per_example_gradients_of_a_network(rng):
    p = {"w": rng.normal(size=(4, 5)), "b": rng.normal(size=5), "v": rng.normal(size=(5, 3))}
    xs, labels = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    found = vmap(grad(mlp), in_axes=(None, 0, 0))(p, xs, labels)
    expected = [grad(mlp)(p, x, int(k)) for x, k in zip(xs, labels, strict=True)]
    for name in p:
        np.testing.assert_allclose(found[name], np.stack([e[name] for e in expected]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda w, i: w[i] ** 2,
        lambda w, i: np.sum(np.take(w, i) ** 2) * w[0],
        lambda w, i: np.sum(w[np.stack([i, i])] ** 3),
        lambda w, i: np.sum((2.0 * w)[i] ** 2) * np.sum(np.sin(w)),
        lambda w, i: np.sum(index_add(w, i, w[0]) ** 2),
        lambda w, i: np.sum(index_update(w, i, 3.0 * w[1]) ** 2),
        lambda w, i: vjp(lambda w: w[i] * w, w)[1](np.ones(3))[0][i],
        lambda w, i: np.interp(i + 0.25 * w[0], np.arange(3.0), w),
        lambda w, i: np.interp(i + 0.25 * w[0], np.arange(3.0), np.array([1.0, 4.0, 9.0])),
    ],
)
def test_a_table_that_is_the_same_for_all_is_looked_up_by_each_example(f):
    """Per-example gradients of a table are each example's own; from outside it is the same table, and they add up."""
    w, i = np.array([1.5, 2.0, 3.0]), np.array([0, 2, 2, 1])
    for transform in (grad, jacobian, hessian, lambda f: jacobian(jacobian(f))):
        by_loop = np.stack([transform(lambda w, k=k: f(w, k))(w) for k in i])
        same(vmap(transform(f), (None, 0))(w, i), by_loop)
        same(vmap(transform(f), (0, None))(np.stack([w, w, w, w]), i[1]), by_loop[[1, 1, 1, 1]])
        same(transform(lambda w: np.sum(vmap(f, (None, 0))(w, i)))(w), np.sum(by_loop, axis=0))
        same(transform(lambda w: np.sum(vmap(functools.partial(f, w))(i)))(w), np.sum(by_loop, axis=0))


def test_float32_stays_float32():
    x = np.ones((2, 3), np.float32)
    assert vmap(lambda x: np.mean(x * 2.0))(x).dtype == np.float32
    assert vmap(grad(lambda x: np.mean(np.sin(x) * 0.5)))(x).dtype == np.float32
    assert grad(lambda w: np.sum(vmap(lambda x: x * w)(x)))(np.float32(2.0)).dtype == np.float32


def orders(f):
    """First, second and third derivatives of a scalar function."""
    yield grad(f)
    yield lambda w: grad(lambda w: np.sum(grad(f)(w) ** 2))(w)
    yield lambda w: grad(lambda w: np.sum(grad(lambda w: np.sum(grad(f)(w) ** 2))(w) ** 2))(w)


XS = np.array([[0.3, -0.2], [0.5, 0.9], [-0.4, 0.1]])
W = np.array([0.7, -0.3])


@pytest.mark.parametrize(
    "body",
    [
        lambda w, x: np.sum(np.sin(w * x)),
        lambda w, x: np.sum(np.sin(w)) + 0.0 * x[0],  # inside, nothing differs between examples
        lambda w, x: np.sum(grad(lambda v: np.sum(np.sin(v * w) * x))(x)),
        lambda w, x: np.sum(grad(lambda v: np.sum(np.sin(v * w) * x))(w)),
        lambda w, x: np.sum(vmap(lambda y: y * w[0] * x)(w)),
        lambda w, x: np.sum(vmap(grad(lambda y: np.sum(y**3 * w * x)))(w)),
        lambda w, x: np.sum(jacobian(lambda v: np.tanh(v * w))(x)),
        lambda w, x: np.sum(vjp(lambda v: np.tanh(v * w), x)[1](w)[0]),
        lambda w, x: np.sum(index_update(x, 0, w[1]) ** 3) * np.sum(index_add(w, [0, 0], x)),
    ],
)
def test_an_outer_variable_to_third_order(body):
    for by_map, by_loop in zip(
        orders(lambda w: np.sum(np.cos(vmap(lambda x: body(w, x))(XS)))),
        orders(lambda w: sum(np.cos(body(w, x)) for x in XS)),
        strict=True,
    ):
        np.testing.assert_allclose(by_map(W), by_loop(W), rtol=1e-9)


def test_the_imperative_style_inside_and_outside():
    w = Tensor(2.0)
    np.sum(vmap(lambda x: np.sin(x) * w)(XS)).backward()
    assert w.grad == pytest.approx(np.sum(np.sin(XS)))
    w.grad = None
    out = vmap(lambda x: np.sum(x * w))(XS)
    with pytest.raises(Exception, match="single number"):
        out.backward()
    out.backward(np.ones(3))
    assert w.grad == pytest.approx(np.sum(XS))


def test_nested_mappings_and_hessians():
    np.testing.assert_allclose(vmap(lambda a: vmap(lambda b: a @ b)(XS))(XS), XS @ XS.T)
    np.testing.assert_allclose(vmap(vmap(np.sin), in_axes=1, out_axes=1)(XS), np.sin(XS))
    f = lambda x: np.sum(x**3) * x[0]  # noqa: E731
    np.testing.assert_allclose(vmap(hessian(f))(XS), np.stack([hessian(f)(x) for x in XS]))
    g = lambda a, b: np.sum(np.sin(a) * b)  # noqa: E731
    found = vmap(lambda a: vmap(grad(g, (0, 1)), (None, 0))(a, XS))(XS)
    for k in (0, 1):
        expected = np.stack([np.stack([grad(g, k)(a, b) for b in XS]) for a in XS])
        np.testing.assert_allclose(found[k], expected)


def test_recording_off_around_and_inside():
    with no_grad():
        np.testing.assert_allclose(vmap(grad(lambda x: np.sum(x**2)))(XS), 2 * XS)
        out = vmap(lambda x: x * Tensor(2.0))(XS)
    np.testing.assert_allclose(out, 2 * XS)

    def inside(x):
        with no_grad():
            scale = np.sum(x)
        return np.sum(x) * scale

    np.testing.assert_allclose(vmap(grad(inside))(XS), XS.sum(1, keepdims=True) * np.ones(2))


def test_a_zero_cotangent_wins_over_an_infinite_derivative():
    xs = np.array([[0.0, 2.0], [1.0, 0.0]])
    with np.errstate(divide="ignore"):
        found = vmap(grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0))))(xs)
    np.testing.assert_array_equal(found, [[0.0, 0.5], [1.0, 0.0]])


def test_the_caller_s_array_is_not_written_into():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="read-only"):
        vmap(lambda row: row.data.__setitem__(0, 5.0))(x)
    assert np.all(x == 1.0)


# -- indices -----------------------------------------------------------------------------------------------------

SHAPE = (3, 4, 2)


@st.composite
def indices(draw, examples=3):
    """An index into an array of SHAPE: for each axis an integer, a slice, an array, or one that differs by example.

    Drawn as a function from the number of an example to its index, and the arrays that differ.
    """
    parts, mapped, count = [], [], draw(st.integers(1, 3))
    shape = draw(st.sampled_from([(), (2,), (2, 3), (1,)]))
    number = st.integers(-2, 1)  # right for any axis, wherever an ellipsis puts it
    for _ in range(count):
        kind = draw(st.sampled_from(["int", "slice", "array", "mapped", "none", "list"]))
        if kind == "int":
            parts.append(draw(number))
        elif kind == "slice":
            parts.append(draw(st.sampled_from([slice(None), slice(1, None), slice(None, None, -1), slice(0, 0)])))
        elif kind == "none":
            parts += [None, draw(number)]
        elif kind == "list":
            parts.append(draw(st.lists(number, min_size=1, max_size=1)))
        else:
            size = (examples, *shape) if kind == "mapped" else shape
            many = int(np.prod(size))
            array = np.array(draw(st.lists(number, min_size=many, max_size=many))).reshape(size)
            if kind == "mapped":
                mapped.append(array)
                parts.append(("mapped", len(mapped) - 1))
            else:
                parts.append(array)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    return parts, mapped


def filled(parts, arrays):
    return tuple(arrays[p[1]] if isinstance(p, tuple) else p for p in parts)


@given(indices())
def test_any_index_equals_a_loop(index):
    parts, mapped = index
    x = np.arange(3.0 * 24).reshape(3, *SHAPE)
    expected = [x[i][filled(parts, [m[i] for m in mapped])] for i in range(3)]
    found = vmap(lambda x, *arrays: x[filled(parts, arrays)])(x, *mapped)
    np.testing.assert_array_equal(found, np.stack(expected))
    weights = np.cos(np.arange(found.size)).reshape(found.shape)
    gradient = vmap(lambda x, w, *arrays: grad(lambda x: np.sum(x[filled(parts, arrays)] * w))(x))(x, weights, *mapped)
    by_loop = [
        grad(lambda v, i=i: np.sum(v[filled(parts, [m[i] for m in mapped])] * weights[i]))(x[i]) for i in range(3)
    ]
    np.testing.assert_allclose(gradient, np.stack(by_loop))


@given(indices())
def test_any_update_equals_a_loop(index):
    parts, mapped = index
    x = np.arange(3.0 * 24).reshape(3, *SHAPE)
    values = [np.cos(x[i][filled(parts, [m[i] for m in mapped])]) for i in range(3)]
    for update in (index_update, index_add):

        def changed(x, v, *arrays, update=update):
            return update(x, filled(parts, arrays), v)

        def loss(x, v, *arrays, changed=changed):
            return np.sum(np.sin(changed(x, v, *arrays)))

        expected = [changed(x[i], values[i], *[m[i] for m in mapped]) for i in range(3)]
        np.testing.assert_array_equal(vmap(changed)(x, np.stack(values), *mapped), np.stack(expected))
        by_loop = [grad(loss, (0, 1))(x[i], values[i], *[m[i] for m in mapped]) for i in range(3)]
        found = vmap(grad(loss, (0, 1)))(x, np.stack(values), *mapped)
        for k in (0, 1):
            np.testing.assert_allclose(found[k], np.stack([b[k] for b in by_loop]))


def test_rows_of_a_table_chosen_by_examples(rng):
    table, ids = rng.normal(size=(5, 2)), np.array([0, 3, 3])
    for look in (lambda t, i: t[i], lambda t, i: np.take(t, i, axis=0)):
        np.testing.assert_array_equal(vmap(look, (None, 0))(table, ids), table[ids])
        found = grad(lambda t, look=look: np.sum(vmap(lambda i: np.sin(look(t, i)))(ids)))(table)
        np.testing.assert_allclose(found, grad(lambda t: np.sum(np.sin(t[ids])))(table))


def test_an_ellipsis_of_no_axes_parts_the_arrays_of_an_index():
    """x[:, 0, ..., i] puts the axes of i first, also where the Ellipsis stands for nothing."""
    x, i = np.arange(36.0).reshape(2, 3, 2, 3), np.array([[0, 2], [1, 1]])
    found = vmap(lambda x, i: x[:, 0, ..., i])(x, i)
    np.testing.assert_array_equal(found, np.stack([x[0][:, 0, ..., i[0]], x[1][:, 0, ..., i[1]]]))
