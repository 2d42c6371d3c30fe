"""What goes on inside of a function: other precisions, iterations that stop early, staircases, numbers out of range."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise, stop_gradient
from autodiff.testing import gradcheck
from tests.testing.seeds import seeds

F = np.float32
X = np.array([0.5, -1.0, 2.0, 0.1])


def faulty():
    return elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * 1.01)


def verdicts(f, *args, most=6, **options):
    return {gradcheck(f, *args, rng=seed, **options).verdict for seed in seeds(most)}


# -- single precision inside of a function of double precision ----------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.mean(np.tanh(x.astype(F)).astype(float) ** 2),
        lambda x: np.tanh(x.astype(F)).astype(float) * 1.1,
        lambda x: np.sum(np.tanh(x).astype(F).astype(float)),
        lambda x: np.mean((np.tanh(x.astype(F) * F(2)).astype(float) - 0.3) ** 2) + 0.01 * np.sum(x**2),
        lambda x: np.sum(np.tanh(x.astype(F))) * 1.0 + 0.1 * np.sum(x**2),
    ],
)
def test_single_precision_inside_is_no_fault(f):
    assert "wrong" not in verdicts(f, X, most=8)


def test_single_precision_inside_hides_no_fault():
    sine = faulty()
    assert verdicts(lambda x: np.sum(sine(x.astype(F))) * 1.0 + 0.1 * np.sum(x**2), X) == {"wrong"}
    assert "correct" not in verdicts(lambda x: np.mean(sine(x.astype(F)).astype(float) ** 2), X)


@pytest.mark.parametrize("factor", [0.0, 1.0, 2.0])
def test_single_precision_in_a_function_without_tensors(factor):
    def f(x):
        return float(np.mean(np.tanh(x.astype(F)))) * 1.1

    found = verdicts(f, X, gradient=lambda x: factor * (1.0 - np.tanh(x) ** 2) * 1.1 / x.size)
    assert found == ({"wrong"} if factor == 2.0 else {"inconclusive"})


# -- iterations and staircases ------------------------------------------------------------------------------------


def bisection(e, steps):
    """The root y of y = e sin(y) + 1."""
    low, high = np.zeros_like(e), np.full_like(e, 4.0)
    for _ in range(steps):
        middle = (low + high) / 2.0
        below = middle - e * np.sin(middle) < 1.0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2.0


@pytest.mark.parametrize("steps", [25, 30, 40, 50])
def test_an_implicit_gradient_of_an_iteration_is_not_called_wrong(steps):
    def root(factor):
        return elementwise(
            lambda x: bisection(x, steps), lambda g, x, y: factor * g * np.sin(y) / (1.0 - x * np.cos(y))
        )

    right, wrong, e = root(1.0), root(1.01), np.array([0.5, 0.9, 0.1])
    assert "wrong" not in verdicts(lambda x: np.sum(right(x)), e)
    assert "correct" not in verdicts(lambda x: np.sum(wrong(x)), e)


@pytest.mark.parametrize("bits", range(0, 32, 4))
@pytest.mark.parametrize("power", [1, 2])
def test_a_straight_through_gradient_is_not_called_correct(bits, power):
    height = 2.0**-bits
    straight = elementwise(lambda x: np.round(x / height) * height, lambda g, x: 1.0 * g)
    found = verdicts(lambda x: np.sum(straight(x) ** power), X + 0.013, most=3)
    assert found == ({"wrong"} if bits < 14 else {"inconclusive"})


# -- numbers that leave the range of the given precision ----------------------------------------------------------


@pytest.mark.parametrize("x", [-50.0, -60.0, -70.0, -80.0, -86.0])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1.0 / (1.0 + np.exp(-x)),
        lambda x: np.sum(x / (1.0 + np.exp(-x))),
        lambda x: np.sum(-np.log(1.0 - 1.0 / (1.0 + np.exp(-x)))),
        lambda x: np.sum(1.0 / np.cosh(x)),
    ],
)
def test_numbers_that_become_too_small_inside_are_no_fault(f, x):
    assert "wrong" not in verdicts(f, np.array([x, 0.5], F), most=3)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.exp(x) / np.sum(np.exp(x)), np.array([-93.0, -92.0, -93.5], F)),
        (lambda x: np.mean((x - np.mean(x)) ** 4) / np.var(x) ** 2, np.array([1e-10, 2e-10, -3e-10, 5e-11], F)),
        (lambda x: x / np.sqrt(np.sum(x * x)), np.array([0.5e-25, -1e-25], F)),
        (lambda x: np.sqrt(np.sum(x * x)), np.array([0.5e20, -1e20], F)),
    ],
)
def test_a_gradient_that_is_lost_is_said_to_leave_the_range(f, x):
    report = gradcheck(f, x)
    assert report.verdict == "inconclusive"
    assert "leaves the range of float32" in report.reason


def test_a_wrong_rule_in_single_precision_is_not_excused_by_a_constant_that_follows_it():
    sine = elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * (1.01 if x.dtype == F else 1.0))
    for f in (
        lambda x: np.sum(sine(x) + 1000 * np.finfo(x.dtype).eps),
        lambda x: np.sqrt(np.mean(sine(x) ** 2) + np.finfo(x.dtype).eps),
        lambda x: np.sum(sine(x) * 1e-30),
    ):
        assert verdicts(f, X.astype(F)) == {"wrong"}


# -- outputs of very different sizes -------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [9.0, 9.5, 10.0, 10.25, 10.5, 11.0, 11.25, 11.5, 12.0, 13.0])
def test_no_size_of_an_output_hides_its_fault(exponent):
    size, sine = 10.0**-exponent, faulty()
    for f in (
        lambda x: (np.sum(np.exp(x)), size * stop_gradient(np.abs(x))),
        lambda x: (np.tanh(x), size * sine(x)),
    ):
        assert "correct" not in verdicts(f, X, most=8)
    assert verdicts(lambda x: (np.tanh(x), size * np.sin(x)), X) == {"correct"}


def test_an_array_that_is_not_resolved_at_all_leaves_the_question_open():
    assert verdicts(lambda x: (1e8 * np.tanh(x), 1.0 + 1e-12 * np.sin(x)), X) == {"inconclusive"}


def test_a_stale_rule_in_a_small_output():
    kept = {}
    stale = elementwise(lambda x: np.sin(x), lambda g, x: g * kept.setdefault(x.shape, np.cos(x)))
    assert gradcheck(lambda x: (1e9 * np.sum(np.exp(x)), stale(x)), X).verdict == "inconclusive"


# -- the rest -------------------------------------------------------------------------------------------------------


def test_many_equal_terms_round_to_the_same_side():
    for f, shape in ((lambda x: np.sum(np.max(x, axis=0)), (100, 100)), (lambda x: np.mean(np.max(x, -1)), (20000, 3))):
        assert gradcheck(f, np.ones(shape)).correct


@pytest.mark.parametrize("f", [np.log, np.sqrt, lambda x: 1.0 / x])
def test_elements_of_very_different_sizes(f):
    assert verdicts(lambda x: np.sum(f(x)), np.array([1e8, 1e-8])) == {"correct"}


def test_a_small_difference_is_shown():
    report = gradcheck(lambda x: x**2, 3.0, gradient=lambda x: 2.0 * x * (1.0 + 1e-9))
    assert report.verdict == "wrong"
    assert report.reason == "analytic / numeric = 1 + 1e-09"


def test_a_gradient_given_by_hand_is_of_first_order():
    with pytest.raises(ValueError, match="gives the first derivative alone"):
        gradcheck(lambda x: x**2, 3.0, gradient=lambda x: 2.0 * x, order=2)
