"""What is recorded is what was computed: views, writes in place, draws, numbers, and results that are the caller's."""

import functools
import operator

import numpy as np
import pytest

import autodiff as ad
from autodiff import CaptureError, PathError, Tensor, capture, jit
from autodiff.program.instruction import Guard
from tests.program.agreement import agree, assert_same, normal


def check(f, *calls):
    agree(lambda: (f, list), calls)


def items_in(x):
    return x[0].item() * x


def vectors(n=4, size=3):
    return [(normal(size, seed=seed),) for seed in range(n)]


# -- memory ------------------------------------------------------------------------------------------------------------


def written_views(x):
    y = x * 1
    v = y[:2]
    w = v[::-1]
    y *= 3
    z = w + 0
    v[0] = 8
    return z, w * 1, y * 1, v


def before_and_after(x):
    y = x * 1
    one = np.exp(y)
    same = np.exp(y)
    y[0] = 5
    return one, same, np.exp(y)


def kept_view(x):
    a = np.exp(x)
    c = a.reshape(3, 1).T
    a = a * 0 + 5
    d = np.exp(a)
    return c * 1, np.sin(d) + np.exp(d)


def returned_views(x):
    a = np.exp(x)
    parts = np.split(a, 3)
    b = np.broadcast_to(a, (2, 3))
    return a[1:], parts, b, np.squeeze(a), np.atleast_1d(a), a.astype(float, copy=False), np.sin(np.sin(a))


def copies_that_are_none(x):
    a = np.exp(x) + 0
    b = a.astype(float, copy=False)
    c = np.exp(a * 2)
    b += 1
    return a * 1, b * 1, c


def broadcast_arrays(x):
    a = np.exp(x) + 0
    b = np.broadcast_arrays(a, a)[0]
    c = np.cos(np.cos(np.sin(a * 2)))
    return b + c


def rooms(x):
    y = np.empty_like(x)
    np.add(x, 1, out=y)
    v = np.ravel(y)
    w = np.transpose(a=y)
    np.multiply(y, 2, out=y)
    return v * 1, w * 1, y


def rooms_in_part(x):
    y = np.empty_like(x)
    np.add(x, 1, out=y, where=x > 0)
    np.copyto(y, 0, where=x <= 0)
    return y


def two_outs(x):
    a, b = np.empty_like(x), np.empty_like(x)
    np.modf(x, out=(a, b))
    return a * 1, np.divmod(x, 2.0, out=(a, None)), a, b


def argument_in_place(x):
    old = x
    v = x[1:]
    v *= 2
    x = x + 1
    x += 2
    old *= 2
    v[0] = 7
    return x, old, v


def fancy(x):
    y = x * 1
    w = y[[0, 1]]
    y[[0, 1]] += 1
    y[y > 9] *= 2
    np.add.at(y, [0, 0, 1], 1.0)
    return y, w


def written_by_methods(x):
    y = x.copy()
    z = y * 1
    y.sort()
    u = y * 1
    y.partition(1)
    y.fill(3.0)
    y.put([0], [9.0])
    return z, u, y


def out_by_position(x):
    y = x * 1
    a = y * 2
    np.cumsum(x, 0, None, y)
    b = y * 2
    np.take(x, [2, 1, 0], 0, y)
    c = y * 2
    np.clip(x, 0, 1, y)
    return a, b, c, y * 2


def out_of_a_method(x):
    y = x * 1
    a = y * 2
    x.clip(-0.5, 0.5, out=y)
    b = y * 2
    x.cumsum(out=y)
    return a, b, y * 2


def out_that_is_not_used(x):
    x.clip(0, 1, out=x)
    np.clip(x, 0.1, 0.5, x)


def constant_that_is_written(x):
    y = np.zeros(3)
    z = x + y
    y[0] = 5.0
    w = x + y
    y[1] = np.nan
    return z, w, x + y, x * y


def without_a_copy(x):
    y = x / 0.0
    z = y * 1
    np.nan_to_num(y, copy=False)
    return z, y * 1


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("f", [
    written_views, before_and_after, kept_view, returned_views, copies_that_are_none, broadcast_arrays, rooms,
    rooms_in_part, two_outs, argument_in_place, fancy, written_by_methods, out_by_position, out_of_a_method,
    out_that_is_not_used, without_a_copy, constant_that_is_written,
])  # fmt: skip
def test_memory(f):
    check(f, *vectors())


def test_results_do_not_change_in_later_runs():
    kept = agree(lambda: (returned_views, list), vectors(6))
    for got, then, expected in kept:
        assert_same(got, then)
        assert_same(got, expected)


def test_one_array_for_two_arguments():
    def f(x, y):
        x += 1
        return x * y

    a = np.ones(3)
    check(f, (a, a), (a, a), (normal(3), normal(3)))


# -- numbers -----------------------------------------------------------------------------------------------------------


def arithmetic(x):
    return (
        x * 2, x + x, x / 3, x**2, -x, x % 2, x // 2, abs(x), x > 1, divmod(x, 2), divmod(2, x), np.exp(x), np.sum(x),
        np.mean(x), x * np.float32(2), x * np.float64(2), x * np.ones(2, np.float32), 2.0 - x, 1 / (x + 2),
    )  # fmt: skip


NUMBERS = [
    lambda i: i + 0.5, lambda i: np.float32(i + 0.5), lambda i: np.float64(i + 0.5), lambda i: np.float16(i + 0.5),
    lambda i: np.array(i + 0.5), lambda i: np.array(i + 0.5, np.float32), lambda i: np.array([i + 0.5, -1.0], "f2"),
    lambda i: np.array([i + 1, 5]), lambda i: np.array([i + 1, 250], np.uint8), lambda i: np.array([[i + 1.0], [3.0]]),
    lambda i: np.zeros((0, 2)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", NUMBERS)
def test_kinds_of_numbers(number):
    check(arithmetic, *[(number(i),) for i in range(4)])


@pytest.mark.parametrize("number", [lambda i: complex(i, 0.5), lambda i: np.complex64(i + 0.5j),
                                    lambda i: np.array([i + 0.5j, 2.0])])  # fmt: skip
def test_complex_numbers(number):
    check(
        lambda z: (z * 2, z**2, z.real, z.imag, abs(z), np.conj(z), np.exp(z), z * 1j, np.sum(z)),
        *[(number(i),) for i in range(4)],
    )


def matrices(x):
    return (
        x.sum(0), np.swapaxes(x, 0, 1), np.swapaxes(x, -1, 0), np.swapaxes(x, 1, 1), x.T, np.transpose(x, (1, 0)),
        np.sum(x, axis=-1), np.add.reduce(x), np.add.reduce(x, axis=None), np.add.reduce(x, axis=1, keepdims=True),
        x.mean(), np.mean(x), np.mean(x, axis=0), np.mean(x, keepdims=True), np.reshape(x, (-1,)), np.max(x, axis=-1),
        np.reshape(x, (3, 2), order="F"), np.ravel(x, order="F"), x.reshape(3, 2, order="F"), np.matmul(x, x.T),
        x.T @ x, np.copy(x, order="F"), np.sum(x * 1j), x**2.0, x**0.5, x.T**2, np.sum(x, where=x > 0),
        np.sum(x, initial=2.0), x.max(initial=0.0), x.mean(dtype=np.float32), np.any(x), np.all(x > 0, axis=-1),
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8"])
def test_reductions_and_products(dtype):
    check(matrices, *[((4 * normal(2, 3, seed=seed)).astype(dtype),) for seed in range(3)])


@pytest.mark.parametrize("lie", [np.asfortranarray, lambda x: x[::-1], lambda x: np.repeat(x, 2, axis=1)[:, ::2],
                                 lambda x: np.broadcast_to(x[0], x.shape)])  # fmt: skip
def test_arguments_that_lie_otherwise(lie):
    def f(s):
        e = np.exp(s)
        return s @ s.T, (s * 2) @ s.T, e.T @ s, np.sum(e, axis=0), np.ravel(e), e[::-1] + s, np.add.reduce(e[::-1])

    x = normal(17, 17)
    program = capture(f, x)
    assert_same(program(lie(x)), f(lie(x)))
    assert_same(program(x), f(x))
    program = capture(f, lie(x))
    assert_same(program(x), f(x))


@pytest.mark.parametrize("f", [
    lambda x: [v * 2 for v in x], lambda x: sum(x), lambda x: x[len(x) - 1] * x.size, lambda x: list(reversed(x)),
    lambda x: np.where(x > 0, x, 0) * (x > 0), lambda x: np.sort(x)[np.argsort(x)], lambda x: x.shape[0] * x,
    lambda x: np.linalg.eigvalsh(np.outer(x, x)), lambda x: ad.vmap(lambda r: np.sum(r * x))(np.ones((2, 3))),
    lambda x: ad.hessian(lambda y: np.sum(y**3))(x), lambda x: np.frexp(x), lambda x: (None, "a", [x, {"x": x}]),
    lambda x: x[0].is_integer(), lambda x: np.array_equal(x, x), items_in,
])  # fmt: skip
def test_functions(f):
    check(f, *vectors())


def test_under_no_grad():
    w = Tensor(np.ones(3))

    def f(x):
        with ad.no_grad():
            return np.exp(w * x)

    program = capture(f, np.ones(3))
    w.data[...] = 2.0
    assert_same(program(np.ones(3)), f(np.ones(3)).data)


@pytest.mark.parametrize("decide", [
    lambda x: x * 2 if np.sum(x) > 0 else x * 3, lambda x: x * float(x[0]), lambda x: x[x > 0],
    lambda x: np.nonzero(x > 0),      lambda x: x * round(x[0], 1),
    lambda x: x * len(f"{x[0]:.3f}"), lambda x: x * len(str(x)),
    lambda x: x * int(x[0]), lambda x: np.arange(3)[x > 0], lambda x: max(x),
    lambda x: x * x.tolist()[0], lambda x: [v for v in x if v > 0],
])  # fmt: skip
def test_what_decided_decides_the_same_or_is_refused(decide):
    program = capture(decide, normal(3))
    refused = 0
    for seed in range(20):
        x = 9 * normal(3, seed=seed)
        try:
            got = program(x)
        except PathError:
            refused += 1
        else:
            assert_same(got, decide(x))
    assert refused


# -- draws -------------------------------------------------------------------------------------------------------------

DRAWS = {
    "random": lambda g, x: g.random(3), "number": lambda g, x: g.random() * x,
    "integers": lambda g, x: g.integers(9, size=3),
    "choice": lambda g, x: g.choice(x, 2, replace=False), "positions": lambda g, x: x[g.choice(3, 2)],
    "permutation": lambda g, x: g.permutation(x), "order": lambda g, x: x[g.permutation(3)],
    "permuted": lambda g, x: g.permuted(np.outer(x, x), axis=1), "normal": lambda g, x: g.normal(x, np.abs(x)),
    "single": lambda g, x: g.standard_normal(3, dtype=np.float32), "uniform": lambda g, x: g.uniform(-1, x[0] ** 2, 3),
    "exponential": lambda g, x: g.exponential(x**2), "multivariate": lambda g, x: g.multivariate_normal(x, np.eye(3)),
    "dirichlet": lambda g, x: g.dirichlet(x**2 + 1), "binomial": lambda g, x: g.binomial(5, 0.5, 3),
    "poisson": lambda g, x: g.poisson(x**2), "gamma": lambda g, x: g.gamma(x**2 + 1),
    "beta": lambda g, x: g.beta(1, 2, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_draws(name):
    def make():
        rng = np.random.default_rng(0)
        return functools.partial(DRAWS[name], rng), lambda: [rng]

    agree(make, vectors())


def into(rng, kept, x):
    y = np.empty_like(x)
    before = kept * 1
    rng.random(out=kept)
    middle = kept * 1
    rng.standard_normal(3, np.float64, y)
    rng.shuffle(x)
    rng.shuffle(kept)
    rng.permuted(kept, out=kept)
    return before, middle, kept * 1, y, x


def test_draws_into_arrays():
    def make():
        rng, kept = np.random.default_rng(0), np.zeros(3)
        return (lambda x: into(rng, kept, x)), lambda: [rng, kept]

    agree(make, vectors())


@pytest.mark.parametrize(("x", "other"), [(np.ones(2), np.zeros(2)), (1.5, 2.5), (np.float32(1.5), np.float32(2.5))])
def test_a_recorded_array_is_an_instance_of_what_it_stands_for(x, other):
    def f(x):
        kinds = [isinstance(x, kind) for kind in (np.ndarray, float, np.float32, np.generic, list)]
        return x * 2.0 ** kinds.index(True)

    program = capture(f, x)
    assert np.array_equal(program(x), f(x))
    assert np.array_equal(program(other), f(other))


@pytest.mark.parametrize("f", [operator.and_, np.logical_and, np.logical_or])
def test_two_conditions_of_numbers(f):
    """There are but two numbers of NumPy's type bool: that a result is an operand's object says nothing."""
    program = capture(lambda x, y: f(x > 0, y > 0) * 1.0, 1.0, np.float64(1.0))
    given = [(1.0, np.float64(-1.0)), (-1.0, np.float64(1.0)), (-1.0, np.float64(-1.0))]
    assert [program(x, y) for x, y in given] == [f(x > 0, y > 0) * 1.0 for x, y in given]


def test_a_gradient_that_is_a_number_is_checked_itself():
    variable = Tensor(2.0)

    def step():
        variable.grad = None
        (variable * variable).backward()
        return variable.grad

    program = capture(step)
    assert [i.function.read for i in program.instructions if isinstance(i.function, Guard)] == ["NaN"]
    assert not any(i.function is np.vdot for i in program.instructions)
    variable.data = np.nan
    with pytest.raises(PathError, match="NaN"):
        program()


def test_what_is_behind_a_function_that_is_jitted():
    w = Tensor(np.ones(2))
    program = capture(jit(lambda x: (w * x).data), np.ones(2))
    w.data[...] = 5.0
    assert program(np.ones(2)).tolist() == [5.0, 5.0]


def test_texts_of_arrays_are_those_of_the_arrays():
    def lengths(x):
        return x * len(f"{x}") + len(f"{x!r}") + len(str(x[0])) + float(f"{x[0]:.2f}")

    x = np.array([1.0, 2.0])
    program = capture(lengths, x)
    assert_same(program(x), lengths(x))
    with pytest.raises(PathError):
        program(np.array([1.0, 2.25]))


def test_a_coroutine_is_refused():
    async def later(x):
        return x

    with pytest.raises(CaptureError, match="returns a coroutine, into which a program cannot look"):
        capture(later, np.ones(2))
