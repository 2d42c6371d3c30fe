"""Kinks of many elements, and of elements that tie: what is right is a generalized gradient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autodiff import elementwise, primitive
from autodiff.primitive import registry
from autodiff.testing import gradcheck
from tests.testing import magnitudes
from tests.testing.seeds import in_turn

SEEDS = range(4)
COUNTS = [2, 3, 4, 5, 20, 51]
VALUES = [0.0, 1.0, 0.3]


def sparse(size, zeros):
    w = np.ones(size)
    w[zeros:] = 0.0
    return w


def test_smooth_arguments_beside_many_kinks_are_checked():
    twice = elementwise(lambda x: np.sin(x), lambda g, x: 2.0 * g * np.cos(x))
    for seed in SEEDS:
        report = gradcheck(
            lambda w, b: np.sum(np.abs(w)) + np.sum(twice(b)), sparse(200, 20), np.array([0.3, 0.7]), rng=seed
        )
        assert (report.verdict, report.argument) == ("wrong", "b")
    report = gradcheck(lambda w, b: np.sum(np.abs(w)) + np.sum(np.sin(b)), sparse(200, 20), np.array([0.3, 0.7]))
    assert report.correct
    assert any("180 elements at a kink" in note for note in report.notes)


def test_a_smooth_element_among_many_kinks_is_found():
    x = np.linspace(0.1, 1.0, 1000)
    x[::10] = 0.0
    f = elementwise(
        lambda x: np.maximum(x, 0.0) + x,
        lambda g, x: g * np.where(np.arange(1000) == 951, 100.0, 1.0) * ((x > 0) + 1.0),
        parameters=("x",),
        name="f",
    )
    report = gradcheck(lambda x: np.sum(f(x)), x)
    assert (report.verdict, report.index) == ("wrong", (951,))


@pytest.mark.parametrize(
    "f",
    [np.max, np.min, np.median, lambda x: np.sort(x) * np.arange(len(x)), lambda x: np.quantile(x, [0.1, 0.5, 0.77])],
    ids=["max", "min", "median", "sort", "quantile"],
)
def test_ties_that_share_are_never_wrong(f):
    for number, n in enumerate(COUNTS):
        for value, seed in in_turn(list(itertools.product(VALUES, SEEDS)), number, 1 if n > 20 else 2):
            report = gradcheck(f, np.full(n, value), rng=seed)
            assert report.verdict != "wrong", f"{n} elements of {value}, seed {seed}: {report}"


@pytest.mark.parametrize(
    "rule", [lambda g, x, y: g * (x == y), lambda g, x, y: 0.0 * g * x, lambda g, x, y: g * 0.4 * (x == y)]
)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_ties_that_share_more_or_less_than_there_is_are_wrong(rule, value):
    @primitive(rule)
    def top(x):
        return np.max(x)

    for seed in SEEDS:
        report = gradcheck(top, np.full(3, value), rng=seed)
        assert report.verdict == "wrong", report
        assert "move together" in report.reason


def test_a_kink_inside_of_a_smooth_function_is_no_excuse():
    def relu(x):
        return np.maximum(x, 0.0)

    relu = elementwise(relu, lambda g, x: g * (x > 0))
    for seed in SEEDS:
        assert gradcheck(lambda x: relu(x) - relu(-x), np.zeros(3), rng=seed).verdict == "wrong"


def test_a_function_that_only_changes_fast_has_no_kink():
    for seed in SEEDS:
        report = gradcheck(
            lambda x: np.sin(3e4 * x), np.array(1.0), gradient=lambda x: 2.9e4 * np.cos(3e4 * x), rng=seed
        )
        assert report.verdict == "wrong"


def test_kinks_nearer_to_x_than_most_steps_are_not_at_x():
    """The absolute values of 1e-9 in a condition number, beside numbers that are as large as 4."""
    ((_, verdict, reason, _),) = magnitudes.verdicts(registry[np.linalg.cond], "float64", [449])
    assert verdict != "wrong", reason
