"""A scan in a program: recorded as a loop, and the same to the last bit as the function; or step by step."""

import numpy as np
import pytest

from autodiff import CaptureError, PathError, Tensor, capture, checkpoint, cond, fori_loop, grad, hvp, jit, scan, vmap
from autodiff.program.loops import Back, Loop
from autodiff.program.unrolling import unrolled

RNG = np.random.default_rng(0)
W, H, XS = RNG.normal(size=(4, 4)), RNG.normal(size=(2, 4)), RNG.normal(size=(9, 2, 4))


def loss(w, h, xs, **way):
    def step(carry, x):
        h, n = carry
        h = np.tanh(h @ w + x)
        return (h, n + 1.0), {"y": h * x, "n": n}

    (h, n), ys = scan(step, (h, np.zeros(())), xs, **way)
    return np.sum(h**2) + np.sum(ys["y"] ** 3) + n


SLOPE = grad(loss, argnums=(0, 1, 2))


def loops(program):
    return [i.function for i in program.instructions if isinstance(i.function, Loop | Back)]


def same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_is_a_loop_of_the_program_and_of_its_text(reverse):
    def slope(w, h, xs):
        return grad(lambda *args: loss(*args, reverse=reverse), argnums=(0, 1, 2))(w, h, xs)

    program = capture(slope, W, H, XS)
    assert [(type(loop), loop.body is not None) for loop in loops(program)] == [(Loop, True), (Back, True)]
    assert len(program.instructions) == len(capture(slope, W, H, XS[:5]).instructions)
    for factor in (1.0, -0.5):
        args = (W * factor, H + factor, XS * factor)
        same(program(*args), slope(*args))
    text, found = str(program), {}
    assert text.count("for ") == 2
    exec(compile(text, "text", "exec"), found)
    same(found["slope"](W, H, XS), slope(W, H, XS))


def test_jit_replays_and_audits_it():
    slope = jit(SLOPE)
    for n in range(9):
        same(slope(W, H + n, XS), SLOPE(W, H + n, XS))
    assert len(slope.programs) == 1
    assert len(loops(slope.programs[0])) == 2
    same(slope(W, H, XS[:6]), SLOPE(W, H, XS[:6]))  # another length is another program


def test_c_computes_around_it():
    program = capture(SLOPE, W, H, XS).compiled("c")
    for mine, expected in zip(program(W, H, XS), SLOPE(W, H, XS), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-13)


def test_what_the_body_closes_over_and_a_step_of_training():
    w = Tensor(W.copy())

    def train(xs):
        w.grad = None
        last, _ = scan(lambda h, x: (np.tanh(h @ w + x), None), H, xs)
        np.sum(last**2).backward()
        w.data -= 0.1 * w.grad
        return last

    fast = jit(train)
    expected = []
    for _ in range(5):
        expected.append(train(XS).data)
    after = w.data.copy()
    w.data[...] = W
    found = [fast(XS).data for _ in range(5)]
    same(found, expected)
    same([w.data], [after])
    assert any(len(loops(program)) == 2 for program in fast.programs)


def test_a_generator_draws_in_each_step():
    def drawn(rng, w, xs):
        def step(h, x):
            noise = rng.normal(size=2)
            return np.sin(h * w) + noise * x, noise

        last, noise = scan(step, np.zeros(2), xs)
        return np.sum(last), noise

    def both(rng, w, xs):
        return grad(lambda w: drawn(rng, w, xs)[0])(w)

    xs = np.arange(6.0)
    program = capture(both, np.random.default_rng(1), 0.7, xs)
    assert len(loops(program)) == 2
    fast, first, second = jit(both), np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(5):
        assert fast(first, 0.7, xs) == both(second, 0.7, xs)
    assert first.random() == second.random()


def test_a_second_derivative_is_recorded_step_by_step_and_right():
    def product(w, v):
        return hvp(lambda w: loss(w, H, XS), (w,), (v,))[0]

    np.testing.assert_allclose(capture(product, W, W)(2 * W, H[:1] * W), product(2 * W, H[:1] * W), rtol=1e-13)


@pytest.mark.parametrize(
    "make",
    [
        lambda: vmap(lambda xs: loss(W, H, xs)),
        lambda: lambda xs: grad(checkpoint(lambda h: loss(W, h, xs[0])))(H),
        lambda: lambda xs: grad(lambda h: loss(W, h, xs[0], checkpoint=3))(H),
        lambda: lambda xs: grad(lambda h: scan(lambda c, x: (c + scan(step, h, x)[0], x), h, xs)[0].sum())(H),
        lambda: lambda xs: scan(lambda n, x: (n + 1, x * n), 0, xs[0]),
        lambda: lambda xs: scan(lambda h, x: (cond(np.sum(x) > 0, np.sin, np.cos, h + x), h), H, xs[0]),
        lambda: lambda xs: grad(lambda h: np.sum(scan(lambda h, x: (h, h * x), h, xs[0])[1]))(H),
        lambda: lambda xs: scan(lambda h, x: (h + grad(lambda h: np.sum(np.sin(h * x)))(h), None), H, xs[0])[0],
        lambda: lambda xs: grad(lambda w: scan(lambda h, x: (w, h @ w), w, xs[0])[1].sum())(W),
        lambda: lambda xs: scan(lambda h, x: (h + x, h), H, xs[0][:0]),
        lambda: lambda xs: swapped(xs[0], xs[1]),
        lambda: lambda xs: grad(lambda xs: sum(map(np.sum, swapped(xs[0], xs[1]))))(xs),
    ],
)  # fmt: skip
def test_whatever_is_in_it_a_program_gives_the_same(make):
    f = make()
    xs = np.stack([XS, XS[::-1]])
    fast = jit(f)
    for n in range(3):
        for mine, expected in zip(leaves(fast(xs + n)), leaves(f(xs + n)), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-13)


def step(h, x):
    return np.tanh(h * x), None


def swapped(x, y):
    """The carries change places, and the body closes over one of them."""
    (x, y), z = scan(lambda c, _: ((c[1], c[0]), c[0] + x * c[1]), (x, y), None, length=5)
    return x, y, z


def leaves(result):
    return [getattr(r, "data", r) for r in (result if isinstance(result, tuple) else (result,))]


def test_a_loop_that_counts():
    def f(x, table):
        return fori_loop(2, 8, lambda i, v: np.sin(v * i) + table[i], x)

    slope = grad(lambda x, table: np.sum(f(x, table)), argnums=(0, 1))
    program = capture(slope, H, XS[:, 0, 0])
    assert len(loops(program)) == 2
    same(program(2 * H, XS[:, 1, 1]), slope(2 * H, XS[:, 1, 1]))
    found = {}
    exec(compile(str(program), "text", "exec"), found)
    same(found[program.name](2 * H, XS[:, 1, 1]), slope(2 * H, XS[:, 1, 1]))


@pytest.mark.parametrize("reverse", [False, True])
def test_for_exports_it_is_unrolled(reverse):
    def slope(w, h, xs):
        return grad(lambda *args: loss(*args, reverse=reverse), argnums=(0, 1, 2))(w, h, xs)

    program = capture(slope, W, H, XS)
    straight = unrolled(program)
    assert loops(straight) == []
    same(straight(2 * W, H, -XS), program(2 * W, H, -XS))


def test_a_value_that_decides_in_a_step_is_checked_in_each():
    def f(xs):
        return scan(lambda h, x: (h * 2 if x > 0 else h - 1, None), np.zeros(()), xs)[0]

    program = capture(f, np.ones(5))
    assert len(loops(program)) == 1
    with pytest.raises(PathError):
        program(np.array([1.0, 1.0, 1.0, -1.0, 1.0]))
    mixed = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    assert capture(f, mixed)(mixed) == f(mixed)


def test_carries_that_change_places_are_a_loop():
    program = capture(lambda x, y: swapped(x, y), H, XS[0])
    assert len(loops(program)) == 1
    same(program(XS[1], H), swapped(XS[1], H))


def test_a_body_that_changes_from_step_to_step_is_no_loop():
    def f(xs):
        numbers = iter(range(9))
        return scan(lambda h, x: (h * x + next(numbers), None), H, xs)[0]

    program = capture(f, XS)
    assert loops(program) == []
    same([program(-XS)], [f(-XS)])


def test_what_a_step_leaves_outside_is_an_error_or_computed_by_the_function():
    kept = []

    def f(xs):
        def step(h, x):
            kept.append(h * x)
            return h + x, None

        last, _ = scan(step, H, xs)
        return last + kept[1]

    with pytest.raises(CaptureError, match="leaves something outside"):
        capture(f, XS)


def test_an_error_names_the_step():
    def f(xs):
        return scan(lambda h, x: (h + x[:, [5]], None), H, xs)

    with pytest.raises(IndexError) as caught:
        capture(f, XS)
    assert "in step 0 of scan (of 9, counted from 0)" in caught.value.__notes__
