"""Arguments so small that steps of their own size move nothing."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise
from autodiff.testing import gradcheck

SMOOTH = {
    "log1p(exp)": lambda x: np.log1p(np.exp(x)),
    "logaddexp": lambda x: np.logaddexp(0.0, x),
    "exp": np.exp,
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "sqrt": lambda x: np.sqrt(1.0 + x),
    "sum of exp": lambda x: np.sum(np.exp(x)),
}
EVERY_FUNCTION = pytest.mark.parametrize("f", SMOOTH.values(), ids=SMOOTH)


@EVERY_FUNCTION
@pytest.mark.parametrize("size", [1e-8, 1e-14, 1e-20, 1e-40, 1e-150, 1e-300])
def test_a_small_argument(f, size):
    for seed, x in enumerate((size, -size, np.full(3, size), np.array([size, 0.3]), np.array([size, size / 8.0]))):
        report = gradcheck(f, x, rng=seed)
        assert report.correct, report
        assert report.resolution <= 0.01


@EVERY_FUNCTION
@pytest.mark.parametrize("size", [1e-8, 1e-20, 1e-150])
def test_a_wrong_gradient_at_one_is_not_called_correct(f, size):
    twice = elementwise(lambda x: x * 1.0, lambda g: 1.02 * g)
    assert gradcheck(lambda x: f(twice(x)), size).verdict != "correct"
    assert gradcheck(lambda x: f(twice(x)), np.full(3, size)).verdict != "correct"


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1.0, 1e20])
def test_the_table_of_steps_is_in_units_of_the_argument(size):
    for report in (gradcheck(lambda x: 3.0 * x, size), gradcheck(lambda x: 3.0 * x + 1e18 * size - 1e18 * size, size)):
        assert report.steps
        for step, left, right, central in report.steps:
            assert step < 1e15 * size
            for slope in (left, right, central):
                assert abs(abs(slope) - 3.0) < 1e-3 or abs(slope) * step <= 1e3 * size, report.steps


def test_so_are_the_numbers_of_elements_that_are_wrong_together():
    first = elementwise(
        lambda x: np.max(x), lambda g, x: g * (x == np.max(x)), name="first", analytic=False
    )  # counts a tie twice
    for size in (1e-12, 1.0, 1e12):
        report = gradcheck(lambda x: first(x) * 1.0, np.full(2, size))
        assert report.verdict == "wrong", report
        assert report.analytic == pytest.approx(2.0), report
        assert report.numeric == pytest.approx(1.0), report
