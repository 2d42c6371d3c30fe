"""Sums of products in C: which products are made where they are added, and that no bit changes."""

import numpy as np
import pytest

from autodiff import Tensor, capture
from autodiff.program.scalars import LevelReplay, levelled
from tests.program.compiling import IS_THERE
from tests.program.scalars.programs import SPECIAL, training_step


def replayed(f, count):
    """The function in C, and the steps that C makes."""
    program = capture(f, *map(np.float64, range(1, count + 1)))
    found = levelled(program, 0)
    replay = LevelReplay(found, "c")
    (region,) = found.regions
    return lambda *args: program.nested(replay(list(args))), region._plan.steps


def sums(seed, count):
    """A function that adds products, numbers and both, and uses some of them twice."""
    rng = np.random.default_rng(seed)
    plan = rng.integers(0, count, (60, 2)).tolist(), rng.integers(0, 60, (12, 9)).tolist(), rng.random((12, 9)) < 0.8

    def f(*x):
        products = [x[a] * x[b] for a, b in plan[0]]
        totals = []
        for row, is_product in zip(plan[1], plan[2].tolist(), strict=True):
            terms = [products[n] if p else x[n % count] for n, p in zip(row, is_product, strict=True)]
            totals.append(sum(terms[1:], terms[0]))
        return [*totals, products[3], totals[0] * totals[1] + totals[2] * totals[3]]

    return f


@pytest.mark.usefixtures("_always")
@pytest.mark.parametrize("seed", range(4))
def test_no_bit_changes(seed):
    f = sums(seed, 8)
    run, steps = replayed(f, 8)
    assert any(step.products for step in steps) == IS_THERE
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        for _ in range(10):
            usual = rng.normal(size=8) * 10.0 ** rng.uniform(-160, 160, 8)
            x = [np.float64(v) for v in np.where(rng.random(8) < 0.2, rng.choice(SPECIAL, 8), usual)]
            expected, got = np.array(f(*x)), np.array(run(*x))
            nan = np.isnan(expected)
            assert np.array_equal(nan, np.isnan(got))
            assert expected[~nan].tobytes() == got[~nan].tobytes()


@pytest.mark.usefixtures("_always")
def test_products_that_others_need_stay():
    def dot(*x):
        return x[0] * x[4] + x[1] * x[5] + x[2] * x[6] + x[3] * x[7]

    def also_result(*x):
        first = x[0] * x[4]
        return first + x[1] * x[5] + x[2] * x[6] + x[3] * x[7], first

    def under_another_state(*x):
        with np.errstate(over="ignore"):
            first = x[0] * x[4]
        return first + x[1] * x[5] + x[2] * x[6] + x[3] * x[7]

    def left(f):
        """How many products lie on the tape."""
        return sum(step.stop - step.start for step in replayed(f, 8)[1] if step.operation.name == "multiply")

    assert [left(f) for f in (dot, also_result, under_another_state)] == ([0, 1, 1] if IS_THERE else [4, 4, 4])


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_numbers_that_somebody_else_writes_are_read_again(backend):
    """Numbers are not read again where the same objects are: a new one, or an array that is written to, is."""
    weights, others = ([Tensor(0.01 * i) for i in range(200)] for _ in range(2))
    eager = training_step(others)
    program = capture(training_step(weights)).compiled(backend)
    eager()

    def change(to):
        for variables in (weights, others):
            to(variables)

    def new(variables):
        variables[7].data = np.float64(-0.0)

    def swapped(variables):
        variables[3].data, variables[4].data = variables[4].data, variables[3].data

    changes = [None, new, swapped, None, lambda v: v[0].data, lambda v: setattr(v[5], "data", np.array(0.25))]
    for to in changes:
        if to is not None:
            change(to)
        assert program() == eager()
        assert [w.data.tobytes() for w in weights] == [w.data.tobytes() for w in others]
        assert [w.grad.tobytes() for w in weights] == [w.grad.tobytes() for w in others]


@pytest.mark.usefixtures("_always")
def test_numbers_that_are_the_same_objects_are_read_once():
    weights = [Tensor(0.01 * i) for i in range(200)]
    found = levelled(capture(training_step(weights)), 0)
    replay = LevelReplay(found)
    (values,) = [family for family in found.given if family.slots[0].value.kind is np.float64]
    for _ in range(2):
        replay([])
        now = values.read()
        assert now.tolist() == [w.item() for w in weights]
        assert values.read() is now
    weights[9].data = np.float64(5.0)
    assert values.read()[9] == 5.0
