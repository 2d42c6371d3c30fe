"""A program whose calls of numbers are made group by group gives the bits of the function, and its errors."""

import warnings

import numpy as np
import pytest

from autodiff import PathError, Tensor, capture, grad
from autodiff.program.scalars import LevelReplay, levelled
from tests.program.scalars.programs import between_arrays, drawn, of_numbers

KINDS = [[np.float64] * 4, [np.float64, np.float64, float, np.float32], [float] * 4, [np.float32] * 4]


def bits(value):
    """What must be the same; NaN is NaN, whatever its sign."""
    array = np.asarray(value)
    nan = np.isnan(array)
    return type(value), array.dtype, array.shape, nan.tolist(), np.where(nan, 0, array).tobytes()


def outcome(function):
    """The results, or the type of the error."""
    with np.errstate(all="ignore"):
        try:
            return list(map(bits, function()))
        except (ArithmeticError, TypeError, ValueError) as error:
            return type(error)


def replayed(program):
    found = levelled(program, 0)
    replay = LevelReplay(found)
    return lambda *args: program.nested(replay(list(args)))


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("kinds", KINDS, ids=["double", "mixed", "Python", "single"])
def test_random_functions_of_numbers(kinds):
    compared = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        function = of_numbers(seed)
        given = drawn(rng, kinds)
        if isinstance(outcome(lambda f=function, g=given: f(*g)), type):  # of Python's numbers
            continue
        with np.errstate(all="ignore"):
            run = replayed(capture(function, *given))
        for _ in range(2):
            given = drawn(rng, kinds)
            expected, got = (outcome(lambda f=f, g=given: f(*g)) for f in (function, run))
            if got is not ValueError:  # a power that is complex now
                assert got == expected, (seed, given)
                compared += not isinstance(got, type)
    assert compared > 5


@pytest.mark.usefixtures("_always")
def test_numbers_between_arrays():
    regions = 0
    for seed in range(6):
        function, rng = between_arrays(seed), np.random.default_rng(seed)
        mine, others = np.random.default_rng(5), np.random.default_rng(5)

        def recorded(x, number, function=function, mine=mine):
            return function(x, number, mine)

        x, number = rng.normal(size=2), float(rng.normal())
        program = capture(recorded, x, number)
        function(x, number, others)
        found = levelled(program, 0)
        regions += len(found.regions)
        replay = LevelReplay(found)
        for _ in range(2):
            x, number = rng.normal(size=2), float(rng.normal())
            numbers, arrays = program.nested(replay([x, number]))
            expected = function(x, number, others)
            assert list(map(bits, numbers + arrays)) == list(map(bits, expected[0] + expected[1])), seed
    assert regions > 12


@pytest.mark.usefixtures("_always")
def test_what_numpy_says_is_the_same():
    def f(x, y):
        return [x / y, np.log(x), x * y + y]

    run = replayed(capture(f, np.float64(1.0), np.float64(2.0)))
    for x, y in [(1.0, 0.0), (-1.0, 1.0), (np.inf, 0.0), (1e308, 1e308)]:
        said = []
        for g in (f, run):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                g(np.float64(x), np.float64(y))
            said.append([str(w.message) for w in caught])
        assert said[0] == said[1] != []
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="scalar divide"):
        run(np.float64(1.0), np.float64(0.0))


@pytest.mark.usefixtures("_always")
def test_numbers_of_python_raise_as_they_do():
    run = replayed(capture(lambda x, y: (x / y, x * y), 1.0, 2.0))
    assert run(3.0, 4.0) == (0.75, 12.0)
    with pytest.raises(ZeroDivisionError):
        run(1.0, 0.0)
    power = replayed(capture(lambda x, y: (x**y, x + y), 2.0, 0.5))
    assert power(2.0, 3.0) == (8.0, 5.0)
    with pytest.raises(ZeroDivisionError):
        power(0.0, -1.0)
    with pytest.raises(ValueError, match="is complex"):
        power(-1.0, 0.5)


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize(
    ("decide", "now"), [(lambda x: bool(x > 1), 0.5), (float, 3.0), (lambda x: int(x * 2), 3.0), (float, -2.0)]
)
def test_what_decides_is_checked(decide, now):
    def f(x):
        return x * x * (2.0 if decide(x * 1.0) else 1.0)

    run = replayed(capture(f, np.float64(2.0)))
    assert run(np.float64(2.0)) == f(np.float64(2.0))
    with pytest.raises(PathError, match="test_levelling"):
        run(np.float64(now))


@pytest.mark.usefixtures("_always")
def test_a_zero_that_was_read_has_its_sign():
    program = capture(lambda x: x * float(x * 1.0), np.float64(0.0))
    for run in (program, replayed(program)):
        assert run(np.float64(0.0)) == 0.0
        with pytest.raises(PathError):
            run(np.float64(-0.0))


@pytest.mark.usefixtures("_always")
def test_the_first_check_that_fails_is_told():
    def f(x, y):
        first, second = bool(x * 1 > 0), bool(y * 1 > 0)
        return x * first + y * second

    run = replayed(capture(f, np.float64(1.0), np.float64(1.0)))
    with pytest.raises(PathError) as error:
        run(np.float64(-1.0), np.float64(-1.0))
    assert error.value.guard.line.number == f.__code__.co_firstlineno + 1


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("transform", [grad, lambda f: grad(grad(f))], ids=["first", "second"])
def test_derivatives(transform):
    derivative = transform(lambda x: np.sin(x) * np.exp(-x) + x**3)
    run = replayed(capture(derivative, 0.5))
    assert [run(x) for x in (1.5, -2.5, 0.0)] == [derivative(x) for x in (1.5, -2.5, 0.0)]


def test_a_short_program_is_left_as_it_is():
    program = capture(lambda x: x * x, 2.0)
    assert levelled(program, 5000) is None
    assert program(3.0) == 9.0


def deep(x, n):
    for _ in range(n):
        x = x * 1.0000001 - 1e-9
    return x


def test_a_long_chain_is_run_one_by_one_without_recursion():
    program = capture(lambda x: deep(x, 4_000), np.float64(1.0))
    assert program(np.float64(2.0)) == deep(np.float64(2.0), 4_000)
    (region,) = [i.function for i in program._replay.program.instructions]
    assert region.groups == 0
    assert "8000 instructions" in repr(program)


def test_the_derivative_of_a_chain_of_sums():
    weights = [Tensor(float(i)) for i in range(400)]

    def step():
        total = weights[0] * 1.0
        for w in weights:
            w.grad = None
            total = total + w * w
        total.backward()
        for w in weights:
            w.data = w.data - 0.25 * w.grad
        return total.item()

    program = capture(step)
    expected = [float(w.data) for w in weights]
    value = program()
    (region,) = [i.function for i in program._replay.program.instructions if hasattr(i.function, "groups")]
    assert 0 < region.groups < 20
    total = np.float64(expected[0])
    for w in expected:
        total = total + np.float64(w) * w
    assert value == total
    assert [float(w.data) for w in weights] == [w - 0.25 * (w + w + (i == 0)) for i, w in enumerate(expected)]


def test_state_is_as_it_was_after_a_failed_check():
    weights = [Tensor(1.0 + i) for i in range(400)]

    def step():
        for w in weights:
            w.grad = None
        total = sum(w * w for w in weights)
        total.backward()
        return total.item()

    step()
    program = capture(step)
    program()
    weights[7].data = np.nan
    before = [w.grad for w in weights]
    with pytest.raises(PathError, match="NaN"):
        program()
    assert all(w.grad is g for w, g in zip(weights, before, strict=True))
    weights[7].data = 8.0
    weights[9]._value = np.float32(1.0)  # of another type
    with pytest.raises(ValueError, match="captured for shape"):
        program()


def test_places_of_other_kinds():
    numbers = [np.float64(i) for i in range(500)]

    def step(rate):
        for i in range(len(numbers)):
            numbers[i] = numbers[i] * numbers[i] - rate

    program = capture(step, 0.5)
    expected = [n * n - 0.25 for n in numbers]
    program(0.25)
    assert program._replay._left
    assert list(map(bits, numbers)) == list(map(bits, expected))
