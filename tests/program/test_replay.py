"""What a program computes is what its function computes, to the last bit: every line of the table, to second order."""

import threading

import numpy as np
import pytest

import autodiff as ad
from autodiff import PathError, Tensor, capture
from autodiff.primitive import registry
from autodiff.program import lines, straight
from autodiff.program.exporting import called
from autodiff.program.passes import direct
from autodiff.program.passes.buffers import LARGE
from autodiff.program.replay import LONG
from autodiff.program.straight import Straight
from autodiff.scipy import load
from autodiff.testing.table.samples import calls
from autodiff.tree import flatten
from tests.blocks import of_each
from tests.program.samples import failures_in_threads, gradient

load()
INTEGERS = ("bitwise_and", "bitwise_or", "bitwise_xor", "invert")  # whose arguments are no variables
ENTRIES = {}
for function, entry in registry.items():
    if entry.name not in INTEGERS:  # SciPy has some of NumPy's names
        ENTRIES[called(function) if entry.name in ENTRIES else entry.name] = entry


def pulled(f):
    """The value and the cotangents for a cotangent of ones."""

    def derivative(*arrays):
        value, pull = ad.vjp(lambda *x: f(*x), *arrays)
        parts, rebuild = flatten(value)
        kinds = [getattr(p, "dtype", np.dtype(float)).kind for p in parts]
        ones = [np.ones_like(p) if kind in "fc" else p for p, kind in zip(parts, kinds, strict=True)]
        return value, pull(rebuild(ones))

    return derivative


def to_second_order(f):
    """The value, the cotangents, and the cotangents of both."""
    return pulled(pulled(f))


ORDERS = {"forward": lambda f: f, "to second order": to_second_order}


def same(one, other):
    """The same type, shape, dtype and bits, part for part."""
    ones, others = flatten(one)[0], flatten(other)[0]
    assert len(ones) == len(others)
    for a, b in zip(ones, others, strict=True):
        assert type(a) is type(b)
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())


@of_each("name", ENTRIES)
def test_every_function_is_replayed_to_the_last_bit(name):
    for number, call in enumerate(calls(ENTRIES[name])):  # a derivative of second order holds all that is below it
        of_order = list(ORDERS.values())[number % 2 - 1]
        function = of_order(lambda *arrays, call=call: call(*arrays))
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


@pytest.mark.parametrize("hold", [lambda a: a, lambda a: a[5:], lambda a: a.reshape(2, -1).T, memoryview])
def test_memory_of_a_result_is_used_again_when_nobody_holds_it(hold):
    f = lambda x: np.exp(x) * 2.0  # noqa: E731
    program = capture(f, np.ones(LARGE))
    x = np.linspace(0.0, 1.0, LARGE)
    held = [hold(program(x)) for _ in range(3)]
    addresses = [np.asarray(h).__array_interface__["data"][0] for h in held]
    assert len(set(addresses)) == 3
    for n in range(4):
        program(x + n)
    same([np.asarray(h) for h in held], [np.asarray(hold(f(x)))] * 3)
    held.clear()
    again = {program(x).__array_interface__["data"][0] for _ in range(10)}
    assert len(again) <= 2


def test_memory_that_lies_in_another_order_is_not_used_again_under_a_view():
    program = capture(lambda x: np.exp(x) * 2.0, np.ones((4, LARGE)).T)
    x = np.ones((4, LARGE)).T
    held = [program(x + n)[1:] for n in range(4)]
    assert [view[0, 0] for view in held] == [2.0 * np.exp(1.0 + n) for n in range(4)]


def test_threads_keep_what_they_are_given():
    program = capture(lambda x: x * 2.0, np.ones(LARGE))
    failed = []

    def run(i):
        kept = [(n, program(np.full(LARGE, float(i + n)))) for n in range(40)]
        failed.extend(n for n, result in kept if not (result == 2.0 * (i + n)).all())

    threads = [threading.Thread(target=run, args=(1000 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("known", [True, False])
def test_errors_of_floating_point_are_said_as_in_the_function(known, monkeypatch):
    if not known:  # as with a NumPy that keeps its state elsewhere
        monkeypatch.setattr(lines, "STATE", None)
        monkeypatch.setattr(straight, "STATE", None)

    def f(x):
        with np.errstate(divide="raise", over="ignore", under="ignore", invalid="ignore"):
            y = np.log(x)
        return y / x

    program = capture(f, np.ones(2))
    assert program(np.array([1.0, 2.0])).tolist() == f(np.array([1.0, 2.0])).tolist()
    with pytest.raises(FloatingPointError, match="divide by zero"):
        program(np.zeros(2))
    with np.errstate(all="raise"), pytest.raises(PathError, match="geterr"):
        program(np.array([1.0, 2.0]))
    with np.errstate(divide="warn"):  # another block, and the same state
        assert program(np.array([1.0, 2.0])).tolist() == f(np.array([1.0, 2.0])).tolist()
    assert np.geterr()["divide"] == "warn"


@pytest.mark.parametrize("number", [0.1, -0.0, 0, 3, 1e-46, 1e39, 2**25 + 1, True, float("inf")])
def test_a_number_beside_an_array_gives_the_same_bits(number):
    for dtype in (np.float16, np.float32, np.float64, np.complex64):

        def f(x, number=number):
            return x * number, number - x, np.maximum(x.real, number), x.real > number, x / (number or 1)

        x = np.array([1.5, -0.0, 3.1], dtype)
        with np.errstate(all="ignore"):
            same(capture(f, np.ones(3, dtype))(x), f(x))


def test_threads_share_a_program():
    assert failures_in_threads(capture(gradient, np.ones(3000)), gradient) == []


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


def checked(program):
    """What is checked for NaN by its factors, in the text that is run."""
    program._replay = None
    text = Straight(direct(program), lambda found: None, ()).text
    return sum(line.strip().startswith("if not ") and "1e+" in line for line in text.splitlines())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_is_checked_for_nan_by_its_factors(dtype):
    rng = np.random.default_rng(0)
    w, b, x = rng.normal(size=(40, 30)).astype(dtype), np.zeros(30, dtype), rng.normal(size=(4, 40)).astype(dtype)
    f = ad.grad(lambda w, b, x: np.sum(np.tanh(x @ w + b) * np.sqrt(x[:, :30])), argnums=(0, 1))
    x = np.abs(x)
    program = capture(f, w, b, x)
    assert checked(program) == 2
    same(program(w, b, x), f(w, b, x))
    large = np.finfo(dtype).max
    for bad in (np.nan, np.inf, large, large**0.5, 0.0):
        y = x.copy()
        y[1, 2] = bad
        with np.errstate(all="ignore"):
            expected = f(w, b, y)
            is_nan = any(np.isnan(part).any() for part in expected)
            if is_nan:
                with pytest.raises(PathError, match="NaN"):
                    program(w, b, y)
            else:
                same(program(w, b, y), expected)


def test_factors_that_are_larger_or_lie_otherwise_are_not_looked_at():
    grad_of = ad.grad(lambda w, x: np.sum(np.tanh(x @ w)))
    assert checked(capture(grad_of, np.ones((40, 30)), np.ones((4, 40)))) == 1
    assert checked(capture(grad_of, np.ones((4, 3)), np.ones((40, 4)))) == 0
    assert checked(capture(grad_of, np.ones((40, 30)), np.ones((4, 80))[:, ::2])) == 0
    assert checked(capture(grad_of, np.ones((40, 30), np.float16), np.ones((4, 40), np.float16))) == 0


def test_what_each_run_writes_is_found_by_a_graph_that_has_saved_it():
    w, x = Tensor(np.ones(3)), np.ones(3)

    def step(a):
        w.data -= 0.5
        a[1:] += 1.0

    program = capture(step, x)
    for _ in range(3):
        program(x)
        squares, products = np.sum(w * w), np.sum(Tensor(np.ones(3)) * x)
        program(x)
        for graph in (squares, products):
            with pytest.raises(ad.GraphError, match="changed in place"):
                graph.backward()
        w.data = w.data.copy()  # another array in the place


def test_the_order_of_additions_where_an_index_names_an_element_twice():
    rng = np.random.default_rng(0)

    def uses(w, i, j):
        once, twice = np.sum(np.tanh(w[i])), np.sum(np.sin(w[j])[..., :2])
        return once * twice + np.sum((w @ w.T) ** 2) + np.sum(np.exp(w[1:]) * w[:-1]) + np.sum(w[i + 0] ** 3)

    w, i, j = rng.normal(size=(5, 4)), rng.integers(0, 5, 12), rng.integers(0, 5, (3, 4))
    program = capture(ad.grad(uses), w, i, j)
    for _ in range(20):
        w, i, j = rng.normal(size=(5, 4)), rng.permutation(i), rng.integers(0, 5, (3, 4))
        assert program(w, i, j).tobytes() == ad.grad(uses)(w, i, j).tobytes()


def test_an_index_of_several_axes_into_one_axis():
    """NumPy 2.4 reads beyond the end of the values in ``ufunc.at``, with the index in a tuple as without it."""
    x, index = np.array([-3.0, 2.0]), np.array([[1, -2], [-1, 1], [-2, 1]])
    for key in (index, (index,)):
        program = capture(ad.value_and_grad(lambda x, key=key: np.sum(ad.index_add(x, key, np.sin(x)) ** 2)), x)
        for z in (x, x / 2):
            value, slope = ad.value_and_grad(lambda x: np.sum(ad.index_add(x, index, np.sin(x)) ** 2))(z)
            assert program(z)[0] == value
            assert program(z)[1].tobytes() == slope.tobytes()


def test_a_variable_of_no_axes_is_a_number():
    """A power of numbers and one of arrays differ in the last bit on some processors."""
    rng = np.random.default_rng(0)
    f = ad.value_and_grad(lambda a, c: c**a, argnums=(0, 1))
    program = capture(f, np.array(0.17), np.array(1.78))
    for _ in range(30):
        a, c = np.array(rng.normal()), np.array(rng.uniform(0.1, 3.0))
        assert program(a, c) == f(a, c)


VIEWS = {
    "diagonal by einsum": lambda a: np.einsum("ii->i", a),
    "transpose by einsum": lambda a: np.einsum("ij->ji", a),
    "diagonal": np.diagonal,
    "diag": np.diag,
    "transpose": np.transpose,
    "swapaxes": lambda a: np.swapaxes(a, 0, 1),
    "moveaxis": lambda a: np.moveaxis(a, 0, 1),
    "matrix_transpose": np.matrix_transpose,
    "reshape": lambda a: np.reshape(a, (-1,)),
    "ravel": np.ravel,
    "squeeze": lambda a: np.squeeze(a[None]),
    "expand_dims": lambda a: np.expand_dims(a, 0),
    "atleast_3d": np.atleast_3d,
    "broadcast_to": lambda a: np.broadcast_to(a, (2, 3, 3)),
    "split": lambda a: np.split(a, 3)[1],
    "unstack": lambda a: np.unstack(a)[1],
    "flip": np.flip,
    "rot90": np.rot90,
    "real": np.real,
    "windows": lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, axis=0),
    "index": lambda a: a[1:, ::2],
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_an_intermediate_array_is_not_written_over(name):
    def f(x):
        seen = VIEWS[name](2.0 * np.tanh(x))
        later = np.exp(3.0 * x) + np.sin(np.cos(x) * 2.0)
        return seen, later * later

    x = np.linspace(-1.0, 1.0, 9).reshape(3, 3)
    program = capture(f, x)
    for z in (x, x / 3):
        assert [part.tobytes() for part in program(z)] == [part.tobytes() for part in f(z)]
