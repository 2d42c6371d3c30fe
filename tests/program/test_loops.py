"""A scan in a program: recorded as a loop, and the same to the last bit as the function; or step by step."""

import numpy as np
import pytest

from autodiff import (
    CaptureError,
    PathError,
    Tensor,
    capture,
    checkpoint,
    cond,
    fori_loop,
    grad,
    hvp,
    jit,
    scan,
    vmap,
    while_loop,
)
from autodiff.program.loops import Back, Loop, Repeat
from autodiff.program.unrolling import unrolled
from tests.program.compiling import IS_THERE

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


def newton(a):
    """The square root, from the number itself."""
    return while_loop(lambda x: np.abs(x * x - a) > 1e-10 * a, lambda x: (x + a / x) / 2, a)


def turned(m, v, most=None):
    """A vector turned by a matrix until it hardly moves, how often, and the last distance."""

    def step(carry):
        v, n, _ = carry
        w = m @ v
        w = w / np.sqrt(np.sum(w * w))
        return w, n + 1, np.sum((w - v) ** 2)

    return while_loop(lambda carry: carry[2] > 1e-6, step, (v, 0, np.inf), max_steps=most)


def doubled(v):
    return while_loop(lambda v: np.sum(v) < 100.0, lambda v: v * 2.0, v)


M = W @ W.T + np.eye(4)
REPEATED = {
    "a number": (newton, [(50.0,), (2.0,), (1e6,)]),
    "its gradient": (grad(newton), [(50.0,), (2.0,), (1e6,)]),
    "an array": (doubled, [(H,), (H * 0 + 0.001,), (H * 0 + 1e9,)]),
    "a nesting": (turned, [(M, H[0]), (M + np.eye(4), H[0]), (M @ M, H[1])]),
    "a derivative by what it closes over": (
        grad(lambda m, v: np.sum(turned(m, v, 1000)[0] ** 3), argnums=(0, 1)),
        [(M, H[0]), (M + 3 * np.eye(4), H[1])],
    ),
    "a derivative without what steps have saved": (
        grad(lambda v: np.sum(doubled(v) ** 2)), [(H * 0 + 1.0,), (H * 0 + 0.001,), (H * 0 + 1e9,)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REPEATED)
def test_a_while_loop_is_a_loop_of_the_program_and_of_its_text(name):
    f, calls = REPEATED[name]
    program = capture(f, *calls[0])
    assert [type(loop) for loop in loops(program)] == [Repeat, Back][: 1 + ("deriv" in name or "grad" in name)]
    text, found = str(program), {}
    exec(compile(text, "text", "exec"), found)
    given = {slot.places[0].path: slot.places[0].now for slot in program.reads}
    for args in calls:  # of other numbers of steps
        expected = leaves(f(*args))
        same(leaves(program(*args)), expected)
        same(leaves(found[program.name](*args, **given)), expected)
    function = jit(f)
    for args in calls * 3:
        same(leaves(function(*args)), leaves(f(*args)))
    assert len(function.programs) == 1


def test_a_while_loop_of_no_steps_and_of_too_many():
    program = capture(doubled, H)
    none = np.full_like(H, 1e9)
    same([program(none)], [none])
    function = jit(grad(newton))  # the first step stays before the loop: without it the result is another program
    for a in (2.0, 1.0, 2.0, 1.0):
        np.testing.assert_array_equal(function(a), grad(newton)(a))
    assert len(function.programs) == 2
    steps = turned(M, H[0])[1]
    program = capture(lambda m, v: turned(m, v, steps + 2), M, H[0])
    assert loops(program)
    with pytest.raises(RuntimeError, match=rf"still holds after max_steps={steps + 2} steps"):
        program(np.diag([1.0, 1.001, 0.5, 0.2]), H[0])
    found = {}
    exec(compile(str(program), "text", "exec"), found)
    with pytest.raises(AssertionError, match=rf"still holds after max_steps={steps + 2} steps"):
        found[program.name](np.diag([1.0, 1.001, 0.5, 0.2]), H[0])
    with pytest.raises(RuntimeError, match="max_steps=5 "):
        capture(lambda m, v: turned(m, v, 5), M, H[0])


def test_a_while_loop_whose_condition_is_pythons_or_draws_is_made_step_by_step():
    def counted(x):
        turns = iter(range(4))
        return while_loop(lambda _: next(turns) < 3, lambda x: x * 2.0, x)

    def drawn(x, rng):
        return while_loop(lambda x: rng.random() > 0.0 and np.sum(x) < 50, lambda x: x * 2.0, x)

    program = capture(counted, H)
    assert loops(program) == []
    same([program(-H)], [counted(-H)])
    program = capture(drawn, np.ones(2), np.random.default_rng(0))
    assert loops(program) == []
    function = jit(lambda x: while_loop(lambda x: x[0] < 9.0, lambda x: x * (3.0 if x[1] > 0 else 2.0), x))
    for x in (np.array([1.0, 1.0]), np.array([1.0, -1.0]), np.array([0.1, 2.0])):  # a value decides in the body
        np.testing.assert_array_equal(function(x), function.function(x))


def test_a_second_derivative_of_a_while_loop_is_that_of_as_many_steps():
    program = capture(grad(grad(newton)), 50.0)
    np.testing.assert_allclose(program(50.0), -0.25 * 50.0**-1.5, rtol=1e-6)
    with pytest.raises(PathError):
        program(1e9)
    np.testing.assert_allclose(jit(grad(grad(newton)))(9.0), -0.25 * 9.0**-1.5, rtol=1e-6)


def test_another_condition_is_another_program():
    """The second record, which jit makes before it replays, sees that."""
    limit = [10.0]

    def f(v):
        return while_loop(lambda v: np.sum(v) < limit[0], lambda v: v * 2.0, v)

    assert capture(f, H).instructions[-1].function == capture(f, H).instructions[-1].function
    one = capture(f, H).instructions[-1].function
    limit[0] = 20.0
    assert one != capture(f, H).instructions[-1].function
    function = jit(f)
    for limit[0] in (20.0, 30.0, 40.0):
        np.testing.assert_array_equal(function(np.ones(3)), f(np.ones(3)))


@pytest.mark.parametrize("name", ["a derivative by what it closes over", "its gradient"])
def test_for_exports_as_many_steps_are_checked(name):
    f, calls = REPEATED[name]
    straight = unrolled(capture(f, *calls[0]))
    assert loops(straight) == []
    same(leaves(straight(*calls[0])), leaves(f(*calls[0])))
    with pytest.raises(PathError):
        straight(*calls[1])


def test_bodies_are_computed_in_c():
    function = jit(SLOPE, backend="c")
    for _ in range(4):
        for mine, expected in zip(function(W, H, XS), SLOPE(W, H, XS), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-12)
    if IS_THERE:
        (signature,) = function._signatures.values()
        assert min(loop.calls for loop in loops(signature.paths[0].replay.fused)) > 2
    f, calls = REPEATED["a derivative by what it closes over"]
    compiled = capture(f, *calls[0]).compiled("c")
    for args in calls:
        for mine, expected in zip(compiled(*args), f(*args), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-9)


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
