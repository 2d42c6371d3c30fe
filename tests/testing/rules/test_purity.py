"""A rule that remembers, draws, writes or is not linear is said to be so, never a mismatch."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise
from autodiff.testing import gradcheck

X = np.array([0.5, 1.0, 2.0])


def test_a_rule_that_draws_random_numbers():
    rng = np.random.default_rng(0)
    f = elementwise(
        lambda x: x * 2.0, lambda g, x: g * (2.0 + rng.random()), parameters=("x",), name="random_rule", method=""
    )
    report = gradcheck(f, X)
    assert report.verdict == "inconclusive"
    assert "the gradient is not deterministic" in report.reason


def sine(rule):
    """The sine with a rule of one's own."""
    return elementwise(lambda x: np.sin(x), rule, parameters=("x",), name="own_sine", method="")


def writes_into_its_cotangent(g, x):
    result = g * np.cos(x)
    g *= 2.0
    return result


def writes_into_its_argument(g, x):
    result = g * np.cos(x)
    x[...] = 0.0
    return result


@pytest.mark.parametrize("rule", [writes_into_its_cotangent, writes_into_its_argument])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_rule_that_writes_into_what_it_is_given(rule, dtype):
    f = sine(rule)
    for function in (f, lambda x: f(x) * 2.0, lambda x: np.sum(f(x) + x)):  # the last hands on a read-only cotangent
        report = gradcheck(function, X.astype(dtype))
        assert report.verdict == "wrong", report
        assert "writes into" in report.reason
        assert "own_sine" in report.reason


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_rule_that_counts_its_calls(every):
    calls = []

    def counts(g, x):
        calls.append(1)
        return g * np.cos(x) * (2.0 if len(calls) > 1 and len(calls) % every == 0 else 1.0)

    report = gradcheck(sine(counts), X)
    assert report.verdict == "inconclusive", report
    assert "the gradient is not deterministic" in report.reason


def test_a_rule_that_remembers_its_first_answer():
    kept = []
    report = gradcheck(sine(lambda g, x: kept.append(g * np.cos(x)) or kept[0]), X)
    assert report.verdict == "wrong"
    assert "not linear in the cotangent" in report.reason


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, x: g * g * np.cos(x),
        lambda g, x: np.abs(g) * np.cos(x),
        lambda g, x: np.cos(x) + g * 0.0,
        lambda g, x: np.where(g > 0.0, g, 0.0) * np.cos(x),
    ],
)
@pytest.mark.parametrize("x", [X, np.array(0.5)])
def test_a_rule_that_is_not_linear_in_its_cotangent(rule, x):
    """With a cotangent of 1 each of them is right."""
    f = sine(rule)
    report = gradcheck(lambda x: np.sum(f(x)), x)
    assert report.verdict == "wrong"
    assert "not linear in the cotangent" in report.reason
    assert "own_sine: its rule for 'x'" in report.reason


def test_a_large_gradient_is_not_called_impure():
    f = sine(lambda g, x: g * np.cos(x))
    assert gradcheck(lambda x: np.sum(f(x)) * 2.0**-1022, X).correct
    assert gradcheck(lambda x: np.sum(f(x)) * 1e307, X * 1e-3).correct
    # -2 times the cotangent overflows on its way
    assert gradcheck(lambda x: np.sum(f(x)) * 1e308 - np.sum(f(x)) * 0.9e308, X * 1e-3).verdict != "wrong"
