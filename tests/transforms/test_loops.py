"""Loops that are one operation: values, derivatives to second order, transforms around and inside, memory, errors."""

import gc
import weakref

import numpy as np
import pytest

from autodiff import Tensor, checkpoint, cond, fori_loop, grad, hvp, jvp, scan, switch, vmap, while_loop

RNG = np.random.default_rng(0)
XS = RNG.normal(size=(7, 2, 3))
H = RNG.normal(size=(2, 3))
MATRIX = RNG.normal(size=(3, 3))
WAYS = [{}, {"checkpoint": True}, {"checkpoint": 3}, {"reverse": True}, {"reverse": True, "checkpoint": 3}]


def by_hand(f, init, xs, reverse=False, **_):
    ys = []
    for t in reversed(range(len(xs))) if reverse else range(len(xs)):
        init, y = f(init, xs[t])
        ys.append(y)
    return init, np.stack(ys[::-1] if reverse else ys)


def loss_of(loop, way):
    def loss(w, h, xs):
        def step(h, x):
            return np.tanh(h @ w + x), h * x

        last, ys = loop(step, h, xs, **way)
        return np.sum(last**2) + np.sum(ys**3)

    return loss


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_derivatives_are_those_of_a_loop_of_python(way):
    loss, expected = loss_of(scan, way), loss_of(by_hand, way)
    for mine, theirs in zip(
        grad(loss, argnums=(0, 1, 2))(MATRIX, H, XS), grad(expected, argnums=(0, 1, 2))(MATRIX, H, XS), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13, atol=1e-13)
    tangent = np.cos(MATRIX)
    second, other = (hvp(lambda w, f=f: f(w, H, XS), (MATRIX,), (tangent,))[0] for f in (loss, expected))
    np.testing.assert_allclose(second, other, rtol=1e-12)


def test_a_variable_that_the_body_closes_over_is_found_and_arrays_give_arrays():
    w = Tensor(MATRIX)
    last, ys = scan(lambda h, x: (np.tanh(h @ w + x), h), H, XS)
    (np.sum(last) + np.sum(ys)).backward()
    expected = Tensor(MATRIX)
    last, ys = by_hand(lambda h, x: (np.tanh(h @ expected + x), h), H, XS)
    (np.sum(last) + np.sum(ys)).backward()
    np.testing.assert_array_equal(w.grad, expected.grad)
    plain, _ = scan(lambda h, x: (np.tanh(h @ MATRIX + x), h), H, XS)
    assert type(plain) is np.ndarray
    np.testing.assert_array_equal(plain, last.data)


@pytest.mark.parametrize("way", WAYS[:2], ids=str)
def test_transforms_around_and_inside(way):
    loss, expected = loss_of(scan, way), loss_of(by_hand, way)
    many = np.stack([XS, 2 * XS])
    for transform in (lambda f: vmap(grad(f)), lambda f: grad(lambda xs: np.sum(vmap(f)(xs)))):
        one, two = (transform(lambda xs, f=f: f(MATRIX, H, xs))(many) for f in (loss, expected))
        np.testing.assert_allclose(one, two, rtol=1e-13)
    one, two = (jvp(lambda h, f=f: f(MATRIX, h, XS), (H,), (H,)) for f in (loss, expected))
    np.testing.assert_allclose(one, two, rtol=1e-13)
    np.testing.assert_allclose(
        grad(checkpoint(lambda h: loss(MATRIX, h, XS)))(H), grad(lambda h: expected(MATRIX, h, XS))(H), rtol=1e-13
    )


def test_a_loop_in_a_loop_and_a_gradient_in_the_body():
    def outer(loop):
        def fitted(x, rate):  # gradient descent to x, inside of the body
            return loop(lambda z, _: (z - rate * grad(lambda z: (z - x) ** 2)(z), z), 0.0 * x, np.zeros(3))

        def step(total, x):
            last, path = fitted(x, 0.25)
            return total + last**2, np.sum(path)

        return lambda xs: sum(map(np.sum, loop(step, 0.0, xs)))

    xs = np.array([1.0, 2.0, -3.0])
    np.testing.assert_allclose(grad(outer(scan))(xs), grad(outer(by_hand))(xs), rtol=1e-14)
    # z_3 = (1 - 1/8) x, and the path sums to (1/2 + 3/4) x
    np.testing.assert_allclose(grad(outer(scan))(xs), 2 * 0.875**2 * xs + 1.25, rtol=1e-14)


def test_any_nesting_and_numbers_of_python():
    def step(carry, x):
        return {"n": carry["n"] + 1, "sum": (carry["sum"][0] + x["a"] * x["b"],), "none": None}, (carry["n"], x["a"])

    xs = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}
    last, (counts, values) = scan(step, {"n": 0, "sum": (0.0,), "none": None}, xs)
    assert last == {"n": 2, "sum": (11.0,), "none": None}
    assert counts.tolist() == [0, 1]
    assert values.tolist() == [1.0, 2.0]
    single = scan(lambda c, x: (c + x, x), 0.0, np.ones(3, np.float32))
    assert single[0].dtype == np.float32


def test_no_steps_give_the_shapes_of_the_ys():
    last, ys = scan(lambda c, x: (c + x.sum(), {"y": x * 2, "n": 1}), 3.0, np.zeros((0, 4), np.float32))
    assert last == 3.0
    assert ys["y"].shape == (0, 4)
    assert ys["y"].dtype == np.float32
    assert ys["n"].shape == (0,)
    assert grad(lambda c: scan(lambda c, x: (c + x, x), c, np.zeros(0))[0])(2.0) == 1.0
    assert fori_loop(3, 1, lambda i, v: v + i, 5) == 5


def test_checkpoint_keeps_the_square_root_of_the_steps():
    def alive(**way):
        made = []

        def step(h, x):
            inner = np.exp(h)  # which the rules of exp and sin save
            made.extend([weakref.ref(inner.data)])
            return np.sin(inner), None

        last, _ = scan(step, Tensor(np.zeros(2)), np.zeros(100), **way)
        gc.collect()
        kept = sum(ref() is not None for ref in made)
        last.sum().backward()
        return kept, sum(ref() is not None for ref in made)

    assert alive() == (100, 0)
    assert alive(checkpoint=True) == (0, 0)


def test_the_backward_pass_computes_a_few_steps_at_a_time():
    live, most, backwards = 0, 0, False

    def gone():
        nonlocal live
        live -= 1

    def step(h, x):
        nonlocal live, most
        inner = np.exp(h)
        live += 1
        most = max(most, live) if backwards else 0
        weakref.finalize(inner.data, gone)
        return np.sin(inner), None

    last, _ = scan(step, Tensor(np.zeros(2)), np.zeros(100), checkpoint=True)
    assert live == 0
    backwards = True
    last.sum().backward()
    assert most == 10


def test_a_generator_draws_the_same_again():
    def loss(w, **way):
        rng = np.random.default_rng(3)

        def step(h, x):
            return np.sin(h * w + rng.normal()), None

        return scan(step, 0.5, np.zeros(6), rng=rng, **way)[0]

    assert grad(lambda w: loss(w, checkpoint=2))(0.7) == pytest.approx(grad(loss)(0.7), rel=1e-14)


@pytest.mark.parametrize("way", [{}, {"checkpoint": True}, {"checkpoint": 2}, {"max_steps": 10}], ids=str)
def test_a_while_loop_has_a_derivative_in_reverse(way):
    def doubled(x):
        return while_loop(lambda v: v < 100, lambda v: v * x, x, **way)

    assert doubled(3.0) == 243.0
    assert grad(doubled)(3.0) == 5 * 3.0**4
    assert grad(grad(doubled))(3.0) == 20 * 3.0**3
    assert vmap(doubled)(np.array([3.0, 100.0, 11.0])).tolist() == [243.0, 100.0, 121.0]
    assert vmap(grad(doubled))(np.array([3.0, 100.0, 11.0])).tolist() == [405.0, 1.0, 22.0]


def test_branches():
    def f(x):
        return cond(x > 0, lambda x: x**2, lambda x: -x, x)

    assert [grad(f)(x) for x in (3.0, -2.0)] == [6.0, -1.0]
    assert vmap(grad(f))(np.array([3.0, -2.0])).tolist() == [6.0, -1.0]
    functions = [lambda x: x, lambda x: 2 * x, lambda x: 3 * x]
    assert [switch(i, functions, 1.0) for i in (-5, 0, 1, 2, 9)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert vmap(lambda i: switch(i, functions, 1.0))(np.arange(-1, 4)).tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert cond(False, lambda x: 1 / x, lambda x: 0.0, 0.0) == 0.0  # only one is called


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: scan(lambda c, x: (np.stack([c, c]), x), np.zeros(3), XS), TypeError, r"float64 of shape \(2, 3\)"),
        (lambda: scan(lambda c, x: (c * 1j, x), {"h": np.zeros(3)}["h"], XS), TypeError, "astype.complex128"),
        (lambda: scan(lambda c, x: ((c, c), x), 0.0, XS), ValueError, "got a tuple where one array belongs"),
        (lambda: scan(lambda c, x: ({"b": 1.0}, x), {"a": 1.0}, XS), ValueError, r"keys are \['b'\]"),
        (lambda: scan(lambda c, x: (c + 0.5, x), 0, XS), TypeError, "was a Python int, and step 0"),
        (lambda: scan(lambda c, x: (c, x), 0.0), ValueError, "pass length="),
        (lambda: scan(lambda c, x: (c, x), 0.0, XS, length=3), ValueError, "length is 3, and the arrays of xs have 7"),
        (lambda: scan(lambda c, x: (c, x), 0.0, (XS, H)), ValueError, r"xs\[0\] has 7, xs\[1\] has 2"),
        (lambda: scan(lambda c, x: (c, x), 0.0, 3.0), TypeError, "a first axis to go along"),
        (lambda: scan(lambda c, x: c, 0.0, XS), TypeError, "a pair"),
        (lambda: scan(lambda c, x: (c, "y"), 0.0, XS), TypeError, "returned a str in its y"),
        (lambda: scan(lambda c, x: (c + 1, np.ones(c)), 0, XS), ValueError, r"shape \(1,\) in step 1, and \(0,\)"),
        (lambda: scan(lambda c, x: (c, x), 0.0, XS, checkpoint=0), TypeError, "checkpoint must be True"),
        (lambda: scan(XS, 0.0, XS), TypeError, "must be a function"),
        (lambda: while_loop(lambda v: v < 3, lambda v: v + 1, H), TypeError, r"np\.all"),
        (lambda: while_loop(lambda v: True, lambda v: v, 0.0, max_steps=4), RuntimeError, "max_steps=4"),
        (lambda: while_loop(lambda v: True, lambda v: (v, v), 0.0), ValueError, "step 0"),
        (lambda: fori_loop(0, 2.5, lambda i, v: v, 0.0), TypeError, "upper must be a whole number"),
        (lambda: cond(H > 0, lambda: 1, lambda: 2), TypeError, r"np\.any"),
        (lambda: switch(0, []), ValueError, "empty"),
        (lambda: switch(True, [abs], 1.0), TypeError, "use cond"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_an_error_in_the_body_names_the_step():
    with pytest.raises(ZeroDivisionError) as caught:
        scan(lambda c, x: (c + 1, 1 / (2 - c)), 0, XS)
    assert caught.value.__notes__ == ["in step 2 of scan (of 7, counted from 0)"]
