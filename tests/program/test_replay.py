"""What a program computes is what its function computes, to the last bit: every line of the table, to second order."""

import threading

import numpy as np
import pytest

import autodiff as ad
from autodiff import PathError, capture
from autodiff.primitive import registry
from autodiff.program.replay import LONG
from autodiff.testing.table.samples import calls
from autodiff.tree import flatten

INTEGERS = ("bitwise_and", "bitwise_or", "bitwise_xor", "invert")  # whose arguments are no variables
ENTRIES = {entry.name: entry for entry in registry.values() if entry.name not in INTEGERS}


def forward(call):
    return lambda *arrays: call(*arrays)


def pulled(f):
    """The value and the cotangents for a cotangent of ones."""

    def derivative(*arrays):
        value, pull = ad.vjp(lambda *x: f(*x), *arrays)
        parts, rebuild = flatten(value)
        kinds = [getattr(p, "dtype", np.dtype(float)).kind for p in parts]
        ones = [np.ones_like(p) if kind in "fc" else p for p, kind in zip(parts, kinds, strict=True)]
        return value, pull(rebuild(ones))

    return derivative


def pulled_twice(f):
    """The cotangents of the cotangents."""
    return pulled(lambda *arrays: pulled(f)(*arrays)[1])


ORDERS = {"forward": forward, "vjp": pulled, "second order": pulled_twice}


def same(one, other):
    """The same type, shape, dtype and bits, part for part."""
    ones, others = flatten(one)[0], flatten(other)[0]
    assert len(ones) == len(others)
    for a, b in zip(ones, others, strict=True):
        assert type(a) is type(b)
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", ENTRIES)
def test_every_function_is_replayed_to_the_last_bit(name, order):
    for call in calls(ENTRIES[name]):
        function = ORDERS[order](call)
        first, then = (call.arrays(np.random.default_rng(seed)) for seed in (0, 1))
        expected = function(*first), function(*then)
        program = capture(function, *first)
        same(program(*first), expected[0])
        try:
            got = program(*then)
        except PathError:
            assert name == "poly"  # whose result is complex or not, by its argument
        else:
            same(got, expected[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_special_values(dtype):
    def f(x):
        return np.exp(x) * x - x / 3, np.where(np.abs(x) > 1, x, x * x)

    program = capture(f, np.ones(6, dtype))
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e30], dtype)
    with np.errstate(all="ignore"):
        same(program(x), f(x))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,)])
def test_shapes_without_elements_and_numbers(shape):
    f = ad.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2))
    program = capture(f, np.ones(shape))
    same(program(np.full(shape, 0.5)), f(np.full(shape, 0.5)))


def test_a_number_of_pythons_does_not_widen():
    def f(scale, x):
        return scale * x

    program = capture(f, 2.0, np.ones(3, np.float32))
    same(program(0.1, np.ones(3, np.float32)), f(0.1, np.ones(3, np.float32)))
    program = capture(ad.grad(f := lambda x: 3 * np.sin(x) * x), 2.0)
    same(program(3.0), ad.grad(f)(3.0))
    same(program(3), ad.grad(f)(3.0))


def test_an_argument_that_lies_otherwise_in_memory():
    def f(a, b):
        product = np.tanh(a @ b)
        return product @ product.T

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(17, 23)), rng.normal(size=(23, 31))
    program = capture(f, a, b)
    for layout in (np.ascontiguousarray, np.asfortranarray, lambda x: np.repeat(x, 2, axis=1)[:, ::2]):
        same(program(layout(a), b), f(layout(a), b))
        same(program(a, layout(b)), f(a, layout(b)))


def test_results_belong_to_the_caller():
    program = capture(lambda x: (np.sin(x), np.cos(np.exp(x)) + 1), np.ones(4))
    first = program(np.ones(4))
    kept = [a.copy() for a in first]
    program(np.zeros(4))
    same(list(first), kept)
    first[0][...] = 7.0
    same(program(np.ones(4)), tuple(kept))


def test_a_constant_that_is_returned_is_a_copy():
    program = capture(lambda x: (x, np.arange(3.0)), np.ones(2))
    program(np.ones(2))[1][...] = 9.0
    assert program(np.ones(2))[1].tolist() == [0.0, 1.0, 2.0]


def test_intermediate_arrays_are_not_allocated_again():
    program = capture(lambda x: np.sum(np.exp(np.sin(np.cos(x * 2.0) + 1.0) - 3.0)), np.ones(1000))
    assert program.memory == (8 * 1000, 8 * 6000)


def test_threads_share_a_program():
    f = ad.grad(lambda x: np.sum(np.exp(np.sin(x)) * np.cos(x)))
    program = capture(f, np.ones(2000))
    inputs = [np.random.default_rng(seed).normal(size=2000) for seed in range(8)]
    expected, failed = [f(x) for x in inputs], []

    def run(i):
        for _ in range(50):
            if program(inputs[i]).tobytes() != expected[i].tobytes():
                failed.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_long_program():
    def f(x):
        for _ in range(LONG):
            x = x * 1.0001
        return x

    program = capture(f, np.ones(2))
    assert len(program.instructions) == LONG
    same(program(np.array([0.5, 2.0])), f(np.array([0.5, 2.0])))
    long = capture(lambda x: f(f(x)), np.ones(2))
    same(long(np.array([0.5, 2.0])), f(f(np.array([0.5, 2.0]))))


@pytest.mark.parametrize("transform", [
    ad.grad, ad.value_and_grad, ad.hessian, ad.jacobian, lambda f: ad.vmap(ad.grad(f)),
    lambda f: ad.grad(ad.checkpoint(f)),
    lambda f: lambda x: ad.hvp(f, (x,), (x,)), lambda f: lambda x: ad.jvp(f, (x,), (x,)),
    lambda f: ad.vmap(ad.hessian(f)), lambda f: ad.grad(lambda x: np.sum(ad.vmap(ad.grad(f))(x) ** 2)),
])  # fmt: skip
def test_transforms(transform):
    def f(x):
        return np.sum(np.where(x > 0, np.log(np.abs(x) + 1.0), np.sin(x)) * np.max(x, axis=-1, keepdims=True))

    function = transform(f)
    x = np.random.default_rng(0).normal(size=(3, 4))
    program = capture(function, x)
    other = np.random.default_rng(1).normal(size=(3, 4))
    same(program(other), function(other))
