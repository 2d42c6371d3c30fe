"""Arguments that share memory, with one another, with a variable, with a result: as in the function itself."""

import numpy as np
import pytest

from autodiff import Tensor, grad, jit
from tests.program.agreement import assert_same


def apart(base):
    return base[:4].copy(), base[4:8].copy()


def twice_the_same(base):
    return base[:4], base[:4]


def overlapping(base):
    return base[:4], base[1:5]


def reversed_view(base):
    return base[:4], base[3::-1]


def strided(base):
    return base[:8:2], base[1::2][:4]


def nothing_is_written(x, y):
    return np.exp(x) * y + x @ y


def the_first_is_written(x, y):
    before = y * 2
    x += 1
    return before, y * 2, x * y


def both_are_written(x, y):
    x *= 2
    y += x
    z = x - y
    x[1:] = z[:-1]
    return x, y * 1, z


def a_view_is_written_and_returned(x, y):
    v = x[1:]
    np.multiply(y[:-1], 3.0, out=v)
    return v, np.cumsum(x), np.cumsum(y)


def gradients(x, y):
    found = grad(lambda a, b: np.sum(a * a * b), argnums=(0, 1))(x, y)
    x -= 0.1 * found[0]
    return found, y * 1


def an_argument_comes_back(x, y):
    return y, x[::2], x.reshape(2, 2).T


FUNCTIONS = [nothing_is_written, the_first_is_written, both_are_written, a_view_is_written_and_returned, gradients,
             an_argument_comes_back]  # fmt: skip
PAIRS = [apart, twice_the_same, overlapping, reversed_view, strided]


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("first", [apart, twice_the_same, overlapping])
def test_arguments_that_share_memory(f, first):
    function = jit(f)
    for call, pair in enumerate([first, first, *PAIRS, *PAIRS]):
        base = np.random.default_rng(call).normal(size=10)
        ours, theirs = base.copy(), base.copy()
        x, y = pair(ours)
        a, b = pair(theirs)
        assert_same(function(x, y), f(a, b))
        assert_same((x, y, ours), (a, b, theirs))


def test_what_comes_back_shares_memory_with_an_argument():
    function = jit(an_argument_comes_back)
    x, y = np.ones(4), np.ones(4)
    for _ in range(5):
        same, view, turned = function(x, y)
        assert same is y
        assert np.shares_memory(view, x)
        assert np.shares_memory(turned, x)


@pytest.mark.parametrize("argument", [lambda w: w.data, lambda w: w.data[::-1], lambda w: np.ones(4)])
def test_an_argument_that_is_a_variable(argument):
    def make():
        w = Tensor(np.arange(4.0))

        def f(x):
            w.data += 1
            x *= 2
            return w.data * x

        return f, w

    (f, w), (g, v) = make(), make()
    function = jit(f)
    for call in range(9):
        x, y = (argument(w), argument(v)) if call % 2 else (np.full(4, 2.0), np.full(4, 2.0))
        assert_same(function(x), g(y))
        assert_same((x, w), (y, v))


def test_results_are_the_callers():
    function = jit(lambda x: (np.exp(x), np.zeros_like(x), x * 2))
    kept = [function(np.full(3, float(i))) for i in range(20)]
    for i, (one, two, three) in enumerate(kept):
        assert_same((one, two, three), function.function(np.full(3, float(i))))
        two[...] = 5.0
