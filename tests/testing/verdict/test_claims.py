"""What a report claims is true: a fault in an element that is called resolved would have been found."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise
from autodiff.testing import gradcheck
from tests.blocks import of_each
from tests.testing.seeds import in_turn

COUNT = 10
SHAPES = {
    "a sum": lambda h: lambda x: np.sum(h(x)),
    "a sum of bent ones": lambda h: lambda x: np.sum(np.sin(h(x))),
    "an array": lambda h: h,
    "a sum and an array": lambda h: lambda x: (1e8 * np.sum(h(x)), h(x)),
    "beside kinks": lambda h: lambda x: np.sum(h(x)) + np.sum(np.abs(x[1:3] - x[1:3].data)),
}


def scaled(small, guilty):
    """Numbers times powers of ten, a single one of them small; its gradient is 50 % off."""
    factors, faults = np.ones(COUNT), np.ones(COUNT)
    factors[guilty], faults[guilty] = small, 1.5
    h = elementwise(lambda x: x * factors, lambda g: g * factors * faults)
    return h, np.linspace(1.0, 2.0, COUNT)


def square(small, guilty):
    """Squares, one of them of a small number; its gradient is 50 % off."""
    faults, x = np.ones(COUNT), np.linspace(1.0, 2.0, COUNT)
    faults[guilty], x[guilty] = 1.5, small
    return elementwise(lambda x: x * x, lambda g, x: g * 2 * x * faults), x


def exponential(small, guilty):
    """Exponentials, one of them small; its gradient is 50 % off."""
    faults, x = np.ones(COUNT), np.linspace(0.0, 1.0, COUNT)
    faults[guilty], x[guilty] = 1.5, np.log(small)
    return elementwise(lambda x: np.exp(x), lambda g, y: g * y * faults), x


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("make", [scaled, square, exponential])
@of_each("power", range(0, 25, 2))
def test_a_fault_is_found_or_its_element_is_not_called_resolved(shape, make, power):
    small = 2.0 * 10.0**-power
    for guilty in in_turn((3, 9), power // 2):
        h, x = make(small, guilty)
        report = gradcheck(shape(h), x, rng=power + guilty)
        if report.correct:
            assert report.resolved < report.elements, report
            assert f"of the {COUNT} elements" in str(report)
        if power <= 6:
            assert report.verdict == "wrong", report


@pytest.mark.parametrize("make", [scaled, square, exponential])
@pytest.mark.parametrize("power", range(0, 25, 4))
def test_a_right_gradient_is_no_fault(make, power):
    right = {"scaled": lambda x: x * factors, "square": np.square, "exponential": np.exp}[make.__name__]
    factors = np.ones(COUNT)
    _, x = make(2.0 * 10.0**-power, 3)
    factors[3] = 2.0 * 10.0**-power
    report = gradcheck(lambda x: np.sum(right(x)), x)
    assert report.verdict != "wrong", report
    if power <= 8:
        assert report.correct, report
        assert report.resolved == report.elements == COUNT, report
