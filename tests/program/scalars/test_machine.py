"""The machine in C: the bits of NumPy where IEEE defines them, a few units in the last place elsewhere."""

import warnings

import numpy as np
import pytest

from autodiff import PathError, Tensor, capture
from autodiff.program.c import compiler
from autodiff.program.scalars import LevelReplay, levelled, machine
from tests.program.compiling import IS_THERE
from tests.program.scalars.programs import SPECIAL, training_step

EXACT = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.less, np.less_equal, np.greater,
         np.greater_equal, np.equal, np.not_equal, np.negative, np.absolute, np.sqrt, np.square]  # fmt: skip
NEAR = [np.exp, np.log, np.tanh, np.sin, np.cos, np.log1p, np.expm1, np.power]


def replayed(program):
    """The program with its numbers in C, and how many steps C makes; NumPy, where nothing can be compiled."""
    found = levelled(program, 0)
    replay = LevelReplay(found, "c")
    plans = [region._plan for region in found.regions]
    steps = sum(len(plan.machine.at if IS_THERE else plan.steps) for plan in plans)
    assert all((plan.machine is not None) == IS_THERE for plan in plans)
    return lambda *args: program.nested(replay(list(args))), steps


def test_every_operation_is_compared():
    assert {*EXACT, *NEAR} == machine._OPERATIONS.keys()


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("function", [*EXACT, *NEAR], ids=lambda f: f.__name__)
def test_operations(function):
    rng = np.random.default_rng(0)
    values = [*map(np.float64, SPECIAL), *rng.normal(size=8) * 10.0 ** rng.uniform(-3, 2, 8)]
    pairs = [(x, y) for x in values for y in values[2:-3]] if function.nin == 2 else [(x, x) for x in values]

    def f(*numbers):
        given = [n * 1.0 for n in numbers]
        count = len(given) // 2
        made = [function(*pair[: function.nin]) for pair in zip(given[:count], given[count:], strict=True)]
        return [m * 1.0 for m in made]

    numbers = [x for x, _ in pairs] + [y for _, y in pairs]
    with np.errstate(all="ignore"):
        run, steps = replayed(capture(f, *numbers))
        assert steps >= 2  # the products are made with the sum
        numbers = [n * 1.5 for n in numbers]
        expected, got = np.array(f(*numbers)), np.array(run(*numbers))
    if function in EXACT:
        assert np.where(np.isnan(expected), 0, expected).tobytes() == np.where(np.isnan(got), 0, got).tobytes()
    else:
        np.testing.assert_array_max_ulp(expected, got, 4)
        assert np.signbit(expected[expected == 0]).tolist() == np.signbit(got[expected == 0]).tolist()


@pytest.mark.usefixtures("_always")
def test_sums_are_added_in_their_order():
    rng = np.random.default_rng(0)

    def f(*x):
        return [sum(x[i + 1 : i + 9], x[i]) for i in range(8)] + [sum(x[1:], x[0] * 1.0)]

    run, steps = replayed(capture(f, *map(np.float64, range(20))))
    assert steps > 1
    for numbers in (list(rng.normal(size=20) * 10.0 ** rng.uniform(-9, 9, 20)), [np.float64(-0.0)] * 20):
        assert [x.tobytes() for x in run(*numbers)] == [x.tobytes() for x in f(*numbers)]


@pytest.mark.usefixtures("_always")
def test_what_numpy_says_is_the_same():
    def f(x, y):
        return [x / y, x * y, np.sqrt(x)]

    run, _ = replayed(capture(f, np.float64(1.0), np.float64(2.0)))
    for x, y in [(1.0, 0.0), (1e200, 1e200), (-1.0, 2.0), (1.0, 3.0)]:
        said = []
        for g in (f, run):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                g(np.float64(x), np.float64(y))
            said.append([str(w.message) for w in caught])
        assert said[0] == said[1]
    with np.errstate(under="raise"), pytest.raises(FloatingPointError, match="underflow"):
        run(np.float64(1e-200), np.float64(1e-200))


@pytest.mark.usefixtures("_always")
def test_checks_and_numbers_that_c_does_not_compute():
    def f(x, y, z):
        condition = bool(x * 1.0 > 0)
        return np.arctan2(x, y) * np.tanh(z) + condition, np.where(x > y, x, y) * 2.0

    run, _ = replayed(capture(f, np.float64(1.0), np.float64(2.0), np.float32(0.5)))
    given = np.float64(0.25), np.float64(-2.0), np.float32(1.5)
    np.testing.assert_allclose(run(*given), f(*given), rtol=1e-15)
    with pytest.raises(PathError):
        run(np.float64(-1.0), *given[1:])


def training(**options):
    weights = [Tensor(0.01 * i) for i in range(200)]
    return weights, capture(training_step(weights)).compiled(**options)


def test_a_step_with_a_compiler_and_without(monkeypatch):
    weights, program = training(backend="c")
    losses = [program() for _ in range(3)]
    monkeypatch.setenv("CC", "there-is-no-such-compiler")
    machine._machine.cache_clear()
    monkeypatch.setattr(compiler, "_warned", set())
    others, beside = training(backend="c")
    with pytest.warns(RuntimeWarning, match="no C compiler"):
        assert [beside() for _ in range(3)] == losses
    machine._machine.cache_clear()
    assert [w.data.tobytes() for w in weights] == [w.data.tobytes() for w in others]
    assert training(backend="auto")[1]() is not None
