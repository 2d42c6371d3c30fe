"""The classical problems at small sizes: eager, recorded, written by hand and differences agree."""

import numpy as np
import pytest

from autodiff import grad
from benchmarks import classics

CASES = classics.cases(small=True)


@pytest.mark.parametrize("title", list(CASES))
def test_each_problem_is_recorded_and_gives_the_same_numbers(title):
    make, point = CASES[title]
    call = make(classics.pullback())
    recorded = classics.pullback_jit().finish(make(classics.pullback()))
    expected = call(*point)
    for _ in range(3):
        np.testing.assert_array_equal(recorded(*point), expected)
    assert len(recorded.programs) == 1, recorded.explain()
    assert recorded.explain().count("call of the function itself") == 0
    written = classics.by_hand(title)
    if written is not None:
        np.testing.assert_allclose(written(*point), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("title", [title for title in CASES if title.endswith("gradient")])
def test_each_gradient_is_that_of_differences(title):
    make, point = CASES[title]
    library = classics.pullback()
    slope = make(library)(*point)
    outermost = iter([lambda f: f])
    library.grad = lambda f: next(outermost, grad)(f)  # the value of the problem, with gradients inside
    problem = make(library)
    step = np.random.default_rng(1).normal(size=point[0].shape) * 1e-5
    value = [problem(point[0] + sign * step, *point[1:]) for sign in (1, -1)]
    np.testing.assert_allclose(np.sum(slope * step), (value[0] - value[1]) / 2, rtol=1e-6)
