"""Faults that are easily hidden: in small outputs, behind a gradient of zero, near a kink, in a cache."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise, primitive
from autodiff.testing import gradcheck


def faulty():
    return elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * 1.01)


def silent():
    return elementwise(lambda x: np.sin(x), lambda g, x: 0.0 * g)


def straight():
    return elementwise(lambda x: np.round(x), lambda g, x: 1.0 * g)


@pytest.mark.parametrize("make", [faulty, silent, straight])
@pytest.mark.parametrize("size", [1e8, 1e12, 1e15])
def test_a_fault_in_a_small_output(make, size):
    small = make()
    for seed in range(4):
        assert gradcheck(lambda x: np.stack([size * x, small(x / 10.0)]), 13.0, rng=seed).verdict == "wrong"
        assert gradcheck(lambda x: (x ** np.arange(15.0), small(x / 10.0)), 13.0, rng=seed).verdict == "wrong"


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.stack([1e12 * x, np.sin(x / 10.0)]), 13.0),
        (lambda x: np.stack([1e12 * x, 1e-12 * x, np.sin(x), 0.0 * x]), 13.0),
        (lambda x: np.exp(x) / np.sum(np.exp(x)), np.array([0.0, -10.0, -30.0, -60.0, 3.0])),
        (np.fft.fft, np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0])),
        (lambda x: (1e8 * x, x / 3.0 * 3.0 - x), 0.7),
        (lambda x: (1e12 * x, np.abs(x - 0.5)), np.array([0.5, 1.0])),
        (np.linalg.inv, np.diag([1e-9, 1.0, 1e9]) + 1e-11),
    ],
)
def test_small_outputs_that_are_right(f, x):
    for seed in range(6):
        report = gradcheck(f, x, rng=seed)
        assert report.correct, report


def test_small_outputs_that_are_rounding_alone_are_named():
    report = gradcheck(lambda x: np.stack([1e12 * x, np.sin(x) + 1e15 - 1e15]), 0.7)
    assert report.correct
    assert "1 output is too small beside the others to be resolved" in report.notes


def test_a_gradient_of_zero_beside_a_large_one():
    sine = silent()
    for seed in range(6):
        report = gradcheck(lambda x, y: 1e10 * x + sine(y), 0.3, 0.7, rng=seed)
        assert (report.verdict, report.argument) == ("wrong", "y")
        assert gradcheck(lambda x, y: 1e10 * x + np.sin(1.0) + 0.0 * y, 0.3, 0.7, rng=seed).correct


def test_a_kink_near_a_small_element_is_not_at_it():
    late = elementwise(lambda x: np.maximum(x, 0.0), lambda g, x: g * (x > 1e-6))
    x = np.array([1e-11, 1.0])
    for seed in range(6):
        for f in (late, lambda x: np.sum(late(x))):
            report = gradcheck(f, x, rng=seed)
            assert (report.verdict, report.index) == ("wrong", (0,))
        assert gradcheck(lambda x: np.maximum(x, 0.0), x, rng=seed).correct


@pytest.mark.parametrize("value", [1.001, -1.001])
def test_a_value_just_outside_of_a_kink(value):
    bent = elementwise(lambda x: np.abs(x), lambda g, x: g * np.where(x == 0.0, value, np.sign(x)))
    for seed in range(6):
        report = gradcheck(lambda x, y: np.sum(bent(x)) + np.sum(np.sin(y)), np.zeros(2), np.ones(3), rng=seed)
        assert report.verdict == "wrong"
        assert "[-1, 1]" in report.reason


def test_a_rule_that_keeps_what_it_was_given_first():
    def remembering():
        kept = {}
        return elementwise(lambda x: np.sin(x), lambda g, x: g * kept.setdefault(x.shape, np.cos(x)))

    for seed in range(6):
        report = gradcheck(remembering(), np.array([0.3, 0.7]), rng=seed)
        assert report.verdict == "inconclusive"
        assert "keeps what it was given first" in report.reason


def test_a_gradient_given_as_a_number_is_not_taken_for_one_that_was_kept():
    assert gradcheck(lambda x: x**2, 3.0, gradient=lambda x: 6.0).correct


def test_a_function_that_follows_the_precision():
    """It is another function in float32, which is no fault of its gradient."""
    p = np.array([1e-9, 0.5], np.float32)
    for f in (
        lambda p: -np.log(np.maximum(p, np.finfo(p.dtype).eps)),
        lambda p: -np.sum(np.log(p + np.finfo(p.dtype).eps)),
    ):
        report = gradcheck(f, p)
        assert report.verdict == "inconclusive"
        assert "other values in float32" in report.reason


def test_a_rule_that_is_wrong_in_float32_alone_is_not_excused():
    @primitive(lambda g, x: g * np.cos(x) * (1.001 if x.dtype == np.float32 else 1.0))
    def sine(x):
        return np.sin(x)

    assert gradcheck(sine, np.array([0.3, 0.7], np.float32)).verdict == "wrong"
    assert gradcheck(sine, np.array([0.3, 0.7])).correct
