"""Regions: what is fused, what stays in order, and what happens where C cannot go on."""

import itertools
import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff import PathError, Tensor, capture, jit
from autodiff.program.c import compiler
from autodiff.program.c.fuse import Fusion
from autodiff.program.passes import direct

from ..compiling import IS_THERE
from ..samples import failures_in_threads, gradient
from .together import in_c, ulps

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(5, 7)), RNG.normal(size=(5, 7))


def regions(function, *arguments, backend="c"):
    fusion = Fusion(direct(capture(function, *arguments)), backend)
    return fusion.regions, [i for i in fusion.instructions if i.function not in fusion.regions]


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_softmax(x):
    x = x - np.max(x, axis=-1, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


def network(w, b, x, y):
    h = np.maximum(x @ w + b, 0.0)
    return -np.mean(np.sum(y * log_softmax(h), axis=-1))


def test_a_chain_is_one_loop():
    (region,), others = regions(lambda x, y: np.where(x > 0, np.exp(x) * y, 1.0 / (1.0 + y * y)), A, B)
    assert region.text.count("for (") == 1
    assert region.storage.size == 0
    assert others == []


def test_a_softmax_is_one_nest_of_rows():
    (region,), others = regions(softmax, A)
    assert region.text.count("for (") == 4
    assert region.storage.size == 64  # of one row
    assert others == []


def test_a_gradient_is_one_region():
    arguments = RNG.normal(size=(7, 4)), np.zeros(4), A, np.full((5, 4), 0.25)
    (region,), others = regions(ad.value_and_grad(network, argnums=(0, 1)), *arguments)
    assert others == []
    assert len(region.guards) == 2


CASES = {
    "rows and columns": (lambda x, r, c: x * r + c, A, A[0], A[:, :1]),
    "softmax": (softmax, A),
    "log softmax": (log_softmax, A),
    "softmax of one row": (softmax, A[0]),
    "softmax over the first axis": (lambda x: np.exp(x) / np.sum(np.exp(x), axis=0), A),
    "layer norm": (lambda x: (x - np.mean(x, -1, keepdims=True)) / np.std(x, -1, keepdims=True), A),
    "a transpose": (lambda x, y: np.exp(x.T) + y.T * 2.0, A, B),
    "a transpose and none": (lambda x, y: x @ y.T + np.sin(x @ y.T).T, A, B),
    "every second, backwards": (lambda x: np.tanh(x[::-1, ::2]) + x[1:2, ::2], A),
    "a new axis": (lambda x, y: x[:, :, None] * y[:, None, :7], A, B),
    "reshaped": (lambda x: np.exp(x).reshape(7, 5) * 2.0 + x.reshape(7, 5), A),
    "reshaped with a copy": (lambda x: np.exp(x.T.reshape(-1)) + 1.0, A),
    "numbers": (lambda x, s: np.sum(x) * s + np.max(x) / 3.0, A, 2.5),
    "an array without axes": (lambda x: np.tanh(x) * x + 1.0, np.array(0.5)),
    "no elements": (lambda x: np.exp(x) + np.sum(x, axis=0), np.zeros((0, 3))),
    "empty rows": (lambda x: np.sum(np.exp(x), axis=1), np.zeros((3, 0))),
    "one element": (lambda x: np.sum(np.exp(x), axis=1, keepdims=True) * x, np.ones((1, 1))),
    "single and double": (lambda x, y: np.astype(x, np.float64) * y + x, A.astype(np.float32), B),
    "truth and whole numbers": (lambda x: (x > 0) * (x < 1) + np.sum(x > 0.5, axis=0), A),
    "four axes": (lambda x: x - np.mean(x, axis=(0, 2, 3), keepdims=True), RNG.normal(size=(2, 3, 4, 5))),
    "a view of a sum": (lambda x: np.sum(x, axis=0)[:, None] * x.T, A),
    "outer sums": (lambda x: np.sum(x * np.sum(x, axis=0), axis=1), A),
    "rows twice": (lambda x: np.max(x - np.mean(x, -1, keepdims=True), -1) - np.min(x, -1), A),
    "picked": (lambda x: x[np.arange(5), np.array([0, -1, 3, 2, 6])] * 2.0, A),
    "picked rows": (lambda x: np.exp(x[np.array([4, 0, -2])]), A),
    "powers": (lambda x: x**3 + np.abs(x) ** 0.5 + np.abs(x) ** 1.7 + x**-1, A),
    "a vector by a matrix": (lambda x: (x[0] @ x.T, x @ x[0], x[0] @ x[1]), A),
    "C's own words": (lambda double, int_: [exp := double * 2.0, exp + np.exp(int_), np.sin(exp)][1:], A, B),
    "sums of a product": (lambda x: np.vdot(x, x) + np.mean(x), A),
}


@pytest.fixture(scope="module")
def cases():
    return dict(zip(CASES, in_c([(f, args) for f, *args in CASES.values()]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_values_shapes_and_strides(cases, name):
    program, compiled = cases[name]
    args = CASES[name][1:]
    assert ulps(compiled(*args), program(*args), of=1.0) <= 4
    other = [np.multiply(a, 1.5, out=a.copy()) if isinstance(a, np.ndarray) else a for a in args]
    assert ulps(compiled(*other), program(*other), of=4.0) <= 4


def test_arithmetic_alone_keeps_its_bits(cases):
    program, compiled = cases["rows and columns"]
    args = CASES["rows and columns"][1:]
    assert compiled(*args).tobytes() == program(*args).tobytes()


def test_large_products_of_every_shape_and_order():
    def products(x, y):
        return x @ y, x.T @ x, y.T @ x.T, x[:, :1] @ y[:1], x[:1] @ y, x @ y[:, 0], x[::2] @ y[:, ::-1], x[0] @ y

    for dtype in (np.float32, np.float64):
        x, y = RNG.normal(size=(130, 150)).astype(dtype), RNG.normal(size=(150, 140)).astype(dtype)
        program = capture(products, x, y)
        assert ulps(program.compiled("c")(x, y), products(x, y), of=256.0) <= 4


# -- what is written -------------------------------------------------------------------------------------------------


def twice(x, y):
    x += y
    x *= 2.0
    z = np.exp(x)
    x -= z
    return x + z, np.sum(x)


def through_a_view(x, y):
    first = x[0]
    x *= 2.0
    total = np.sum(first)
    first += y[1]
    return x * total


def shifted(x, y):
    z = x * 1.0
    z[1:] += z[:-1]
    z += x[::-1]
    return z + y


@pytest.mark.parametrize("function", [twice, through_a_view, shifted])
def test_writing(function):
    program = capture(function, A.copy(), B.copy())
    compiled = program.compiled("c")
    one, other = A.copy(), A.copy()
    expected, got = program(one, B.copy()), compiled(other, B.copy())
    assert ulps(got, expected, of=4.0) <= 4
    assert ulps(other, one, of=4.0) <= 4


def test_arrays_that_share_memory_are_left_to_numpy():
    def f(x, y):
        x += y
        return x * 2.0

    program = capture(f, np.ones(8), np.ones(8)).compiled("c")
    memory = np.arange(9.0)
    expected = memory.copy()
    f(expected[1:], expected[:-1])
    assert program(memory[1:], memory[:-1]).tolist() == (expected[1:] * 2.0).tolist()
    assert memory.tolist() == expected.tolist()


def test_of_many_arrays_any_two_that_share_memory_are_found():
    def f(*arrays):
        for n, x in enumerate(arrays[:-1]):
            x += arrays[-1] * float(n + 1)

    program = capture(f, *[np.ones(4) for _ in range(6)]).compiled("c")
    for one, other in itertools.combinations(range(6), 2):
        memory = np.arange(32.0)
        views = [memory[4 * n : 4 * n + 4] for n in range(6)]
        views[other] = memory[4 * one + 1 : 4 * one + 5]
        expected = memory.copy()
        f(*[expected[(v.ctypes.data - memory.ctypes.data) // 8 :][:4] for v in views])
        program(*views)
        assert memory.tolist() == expected.tolist()


def test_what_python_calls_grows_with_the_number_of_arrays_that_are_written():
    def text(count):
        def f(*arrays):
            for x in arrays:
                x += 1.0

        (region,), _ = regions(f, *[np.ones(4) for _ in range(count)])
        return region.entry

    assert len(text(40)) < 2.5 * len(text(20))  # the time of a compiler, too


def test_an_array_that_may_not_be_written():
    def f(x):
        x += 1.0
        return x * 2.0

    program = capture(f, np.ones(8)).compiled("c")
    x = np.ones(8)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        program(x)


def test_an_array_that_is_not_aligned():
    program = capture(lambda x: np.exp(x) + 1.0, np.ones(8)).compiled("c")
    x = np.frombuffer(b"x" + A.tobytes()[:64], np.uint8)[1:].view(np.float64)
    assert not x.flags.aligned
    assert program(x).tobytes() == (np.exp(x) + 1.0).tobytes()  # by NumPy


def test_an_array_that_lies_otherwise():
    program = capture(lambda x: np.exp(x) * x, A).compiled("c")
    assert ulps(program(np.asfortranarray(A)), np.exp(np.asfortranarray(A)) * np.asfortranarray(A)) <= 4


def test_an_index_out_of_bounds_is_numpys_error():
    picked = jit(lambda x, rows: np.tanh(x[rows]) * 2.0, backend="c")
    x, rows = RNG.normal(size=(4, 3)), np.array([0, 3])
    for _ in range(3):
        assert ulps(picked(x, rows), np.tanh(x[rows]) * 2.0) <= 4
    with pytest.raises(IndexError, match="index 4 is out of bounds"):
        picked(x, np.array([0, 4]))


def test_results_belong_to_the_caller():
    program = capture(lambda x: (np.sin(x), np.cos(np.exp(x)) + 1), np.ones(4)).compiled("c")
    first = program(np.ones(4))
    kept = [a.copy() for a in first]
    program(np.zeros(4))
    assert [a.tolist() for a in first] == [a.tolist() for a in kept]


# -- guards ----------------------------------------------------------------------------------------------------------


def test_a_guard_in_the_region():
    def f(x):
        return np.exp(x) * 2.0 if np.sum(x) > 0 else np.exp(-x)

    program = capture(f, np.ones(3)).compiled("c")
    assert len(Fusion(direct(program), "c").regions[0].guards) == 1
    with pytest.raises(PathError, match="gave True when it was recorded, and gives False now"):
        program(-np.ones(3))


def test_a_gradient_that_is_not_a_number_is_the_functions_own():
    weight = Tensor(np.ones(3))

    def step(x):
        loss = np.sum(np.sqrt(weight * x))
        weight.grad = None
        loss.backward()
        weight.data -= 0.1 * weight.grad
        return loss.data

    compiled = jit(step, backend="c")
    for _ in range(3):
        compiled(np.ones(3))
    before = weight.data.copy()
    with np.errstate(all="ignore"):
        got, after = compiled(np.array([1.0, np.nan, 4.0])), weight.data.copy()
        weight.data[...] = before
        expected = step(np.array([1.0, np.nan, 4.0]))
    assert np.array_equal(got, expected, equal_nan=True)
    assert np.array_equal(after, weight.data, equal_nan=True)


def test_errors_that_somebody_waits_for():
    program = capture(lambda x: np.exp(x) + 1.0, np.ones(3)).compiled("c")
    x = np.full(3, 1e4)
    with np.errstate(**{} if IS_THERE else {"over": "ignore"}):
        assert np.all(np.isinf(program(x)))  # and no warning, unless NumPy computes it
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        program(x)
    with np.errstate(over="warn" if IS_THERE else "ignore"):
        assert np.all(np.isinf(program(x)))


# -- where and when --------------------------------------------------------------------------------------------------


def test_threads():
    program = capture(gradient, np.ones(3000)).compiled("c")
    assert failures_in_threads(program, program) == []


@pytest.fixture
def no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiler, "_zig", tuple)
    monkeypatch.setattr(compiler, "_warned", set())


def test_without_a_compiler(no_compiler):
    program = capture(softmax, A)
    with pytest.warns(RuntimeWarning, match="program: no C compiler was found .* it runs in NumPy"):
        assert program.compiled("c")(B).tobytes() == softmax(B).tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert program.compiled("auto")(B).tobytes() == softmax(B).tobytes()


def test_what_pays():
    large = np.ones(1000)
    assert regions(lambda x: x * 2.0, large, backend="auto")[0] == []
    assert regions(lambda x: np.sin(x) + np.sin(2.0 * x) + 1.0, large, backend="auto")[0] == []
    assert len(regions(lambda x: 1.0 / (1.0 + np.exp(-x)), large, backend="auto")[0]) == 1


def test_backends():
    with pytest.raises(ValueError, match="there is no backend 'cuda'; it is 'numpy', 'c' or 'auto'"):
        jit(softmax, backend="cuda")
    with pytest.raises(ValueError, match="there is no backend"):
        capture(softmax, A).compiled("fortran")

    @jit(backend="c")
    def double(x):
        return np.tanh(x) * 2.0

    assert [double(A).shape for _ in range(5)] == [(5, 7)] * 5


def test_the_text_is_read():
    text = capture(softmax, A).c_source
    assert "int softmax(const double *restrict x, double *restrict" in text
    assert "/* e = np.exp(x - np.max(x, axis=-1, keepdims=True)) */" in text
    assert "PURE double exp_f64(double x)" in text
    assert "tanh" not in text


def test_what_c_has_no_words_for_stays_with_numpy():
    def f(x):
        y = np.exp(x) * 2.0
        z = np.sort(y, axis=0)
        return np.tanh(z) + y

    made, others = regions(f, A)
    assert len(made) == 2
    assert [i.function.__name__ for i in others] == ["sort"]
    program = capture(f, A)
    assert ulps(program.compiled("c")(B), f(B)) <= 4


def test_loops_of_an_update_hold_everything_of_a_parameter():
    def adam(w, m, v, g):
        m *= 0.9
        m += 0.1 * g
        v *= 0.999
        v += 0.001 * (g * g)
        w -= 0.01 * m / (np.sqrt(v) + 1e-8)

    fusion = Fusion(direct(capture(adam, *[np.ones((3, 4)) for _ in range(4)])), "c")
    (region,) = fusion.regions
    assert region.text.count("for (") == 1
    assert region.storage.size == 0
