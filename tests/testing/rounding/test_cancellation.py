"""Functions in which most of the digits cancel, or whose fine steps show another slope than larger ones."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise, stop_gradient
from autodiff.testing import gradcheck
from tests.differences import calls
from tests.testing import magnitudes
from tests.testing.seeds import seeds

special = pytest.importorskip("scipy.special")
F, H = np.float32, np.float16
X = np.array([0.5, -1.0, 2.0, 0.1])
A = np.random.default_rng(0).normal(size=(10, 4))
Q = np.array([1.0, 2.0, -1.0, 0.5])


def verdicts(f, *args, most=6, **options):
    return {gradcheck(f, *args, rng=seed, **options).verdict for seed in seeds(most)}


def entropy(p):
    return p * np.log(p) + (1.0 - p) * np.log(1.0 - p)


def divergence(x):
    p = np.exp(x) / np.sum(np.exp(x))
    return np.sum(p * (np.log(p) - np.log(0.25)))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: 0.5 * x * (1.0 + special.erf(x / 2**0.5)), np.array([-8.0, 1.0])),
        (lambda x: 0.5 * x * (1.0 + special.erf(x / 2**0.5)), np.array([-7.0, 1.0])),
        (lambda x: x * np.tanh(np.log(1.0 + np.exp(x))), np.array([-25.0, 1.0])),
        (lambda x: entropy(1.0 / (1.0 + np.exp(-x))), np.array([-25.0, 1.0])),
        (lambda x: x * (1.0 - 1.0 / (1.0 + np.exp(x))), np.array([-36.0, -30.0, 1.0])),
        (lambda x: x * (1.0 - np.cos(x)), 1e-4),
        (lambda x: x * (1.0 - np.exp(-x * x)), 1e-4),
        (lambda x: x * ((1.0 + 1e-12 * x) - 1.0), 3.0),
        (lambda x: (1.0 - np.cos(x)) / x**2, 1e-4),
        (lambda m, s: np.sum(0.5 * (np.exp(s) + m * m - 1.0 - s)), (X * 1e-3, X[::-1] * 1e-3)),
        (lambda s: np.sum(np.exp(s) - 1.0 - s), np.array([1e-3, -2e-3, 5e-4])),
        (divergence, X * 3e-3),
        (lambda a: 1.0 - a @ X / np.sqrt((a @ a) * (X @ X)), X + 1e-4 * X[::-1]),
        (lambda x: np.mean((np.tanh(x) - np.tanh(X)) ** 2), X + 1e-5 * X[::-1]),
        (lambda x: np.mean((A @ x - A @ Q) ** 2), Q + 1e-6),
        (lambda x: np.linalg.slogdet(np.outer(x, x) + np.eye(4))[1], X * 1e-3),
    ],
)
def test_what_cancels_inside_is_no_fault(f, x):
    assert verdicts(f, *(x if isinstance(x, tuple) else (x,)), most=10) == {"correct"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_output_that_fine_steps_do_not_move_beside_one_that_they_do(dtype):
    """A saturated gate: nearly all of the slope is that of an output whose digits cancel, which moves in jumps."""
    (entry,) = (entry for entry in magnitudes.entries() if entry.name == "lstm_packed")
    assert magnitudes.verdict(entry.name, calls(entry), dtype, 574)[0] == "correct"


@pytest.mark.parametrize("x", [1e-3, 1e-4])
def test_a_detached_factor_that_cancels_is_not_called_correct(x):
    assert "correct" not in verdicts(lambda x: x * stop_gradient(1.0 - np.cos(x)), x)


# -- staircases beside other terms and outputs -----------------------------------------------------------------------


def bisection(e):
    """The root y of y = e sin(y) + 1, to 25 bits."""
    low, high = np.zeros_like(e), np.full_like(e, 4.0)
    for _ in range(25):
        middle = (low + high) / 2.0
        below = middle - e * np.sin(middle) < 1.0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2.0


@pytest.mark.parametrize(("factor", "never"), [(1.0, "wrong"), (0.0, "correct")])
def test_an_iteration_beside_what_moves(factor, never):
    root = elementwise(lambda x: bisection(x), lambda g, x, y: factor * g * np.sin(y) / (1.0 - x * np.cos(y)))
    e = np.array([0.5, 0.9, 0.1])
    for f in (root, lambda e: root(e) + e, lambda e: (root(e), e), lambda e: 1.0 - e * np.cos(root(e))):
        assert never not in verdicts(f, e, most=4)


@pytest.mark.parametrize("inner", [lambda x: np.tanh(np.asarray(x, F)), lambda x: np.round(np.tanh(x), 8)])
def test_a_factor_with_few_digits_in_a_function_of_arrays(inner):
    def f(x):
        return float(np.sum(x * inner(x)))

    assert "wrong" not in verdicts(f, X, gradient=lambda x: np.tanh(x) + x * (1.0 - np.tanh(x) ** 2))
    assert "correct" not in verdicts(f, X, gradient=np.tanh)


@pytest.mark.parametrize("join", [np.add, np.multiply])
def test_a_detached_part_in_single_precision(join):
    assert "correct" not in verdicts(lambda x: join(x, stop_gradient(np.tanh(x.astype(F)))), X)


@pytest.mark.parametrize("x", [1e6 + 0.3, 1e7 + 0.3, 1e8 + 0.3, 1e8])
def test_a_true_staircase_of_large_numbers(x):
    for f in (np.floor, np.rint, lambda x: (np.sum(x**2), np.floor(x))):
        assert "wrong" not in verdicts(f, x, most=3)


def test_the_signs_of_singular_vectors_may_change_near_by():
    small = np.array([[-6, -2.97197771, -3.34813368], [3.33697717, 7, -7.35214212], [6.22583370, 2.47579912, -2]])
    for seed in range(450, 460):
        report = gradcheck(lambda a: tuple(np.linalg.svd(a)), np.diag([2.0, 3.0, 4.0]) + small * 1e-8, rng=seed)
        assert report.verdict != "wrong", report


# -- half precision, and half precision inside ------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0, 1.1, 1.02])
@pytest.mark.parametrize("size", [1.0, 1e-3, 5e-4])
def test_a_rule_that_is_wrong_in_half_precision_alone(factor, size):
    sine = elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * (factor if x.dtype == H else 1.0))
    assert "correct" not in verdicts(lambda x: np.sum(sine(x)) * size, X.astype(H), most=4)


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.1])
@pytest.mark.parametrize(("kind", "gate"), [(F, 60.0), (H, 8.0)])
def test_a_wrong_rule_behind_a_gate_that_is_nearly_shut(factor, kind, gate):
    sine = elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * (factor if x.dtype == kind else 1.0))
    assert "correct" not in verdicts(lambda x: sine(x) / (1.0 + np.exp(gate - x)), X.astype(kind), most=4)


def test_half_precision_inside_is_no_fault():
    many, w = np.linspace(-1.0, 1.0, 1000).astype(F), np.random.default_rng(0).normal(size=(8, 8)).astype(F)
    for f, x in (
        (lambda x: np.mean(np.tanh(x.astype(H)).astype(F) ** 2), many),
        (lambda w: np.mean((np.tanh(w.astype(H) @ w.astype(H)).astype(F) @ w) ** 2), w),
        (lambda x: x * np.tanh(x.astype(H)), X * 1e-3),
        (lambda x: 1e-40 * np.sum(np.tanh(x.astype(F)).astype(float)), X),
    ):
        assert "wrong" not in verdicts(f, x, most=4)


def test_a_rule_that_is_not_linear_is_still_found_beside_half_precision():
    square = elementwise(lambda x: np.sin(x), lambda g, x: g * g * np.cos(x))
    assert verdicts(lambda x: np.sum(3.0 * square(x.astype(H)).astype(float)), X) == {"wrong"}
