"""What makes a function unfit for a check is said in words of its own, never as a mismatch."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autodiff import Tensor, elementwise, no_grad, stop_gradient
from autodiff.primitive import registry
from autodiff.testing import gradcheck

X = np.array([0.5, 1.0, 2.0])


def assigns(x):
    x.data = x.data * 2.0
    return x * 1.0


def writes_into_a_dict(p):
    p["w"].data[:] = 0.0
    return p["w"] * 1.0


def writes_into_counts(x, counts):
    counts[0] += 1
    return x * counts[0]


def without_grad(x):
    with no_grad():
        total = np.sum(x)
    return x * total


@pytest.mark.parametrize(
    ("f", "args", "message"),
    [
        (assigns, (X,), "writes into its argument x"),
        (writes_into_a_dict, ({"w": X},), "writes into its argument p['w']"),
        (writes_into_counts, (X, np.zeros(2, int)), "writes into its argument of int64"),
        (lambda x: None, (X,), "did it forget its return"),
        (lambda x: (), (X,), "holds no number"),
        (lambda m, w: np.sum(m(X)) + np.sum(w), (nn.Linear(3, 2, rng=0),), None),
    ],
)
def test_it_is_said(f, args, message):
    if message is None:  # a parameter that is passed beside its module
        args, message = (args[0], args[0].weight), "m.weight and w share memory"
    report = gradcheck(f, *args)
    assert report.verdict == "inconclusive", report
    assert message in report.reason


def test_a_rule_that_draws_random_numbers():
    rng = np.random.default_rng(0)
    f = elementwise(
        lambda x: x * 2.0, lambda g, x: g * (2.0 + rng.random()), parameters=("x",), name="random_rule", method=""
    )
    report = gradcheck(f, X)
    assert report.verdict == "inconclusive"
    assert "the gradient is not deterministic" in report.reason


def sine(rule):
    """The sine with a rule of one's own, outside of the table."""
    f = elementwise(lambda x: np.sin(x), rule, parameters=("x",), name="own_sine", method="")
    del registry[next(function for function, entry in registry.items() if entry.name == "own_sine")]
    return f


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


@pytest.mark.parametrize("seed", range(12))
def test_dropout_of_a_single_number(seed):
    dropout = nn.Dropout(0.5, rng=seed)
    report = gradcheck(lambda x: dropout(x), np.ones(3))
    assert report.verdict == "inconclusive"
    assert "not deterministic" in report.reason


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x.data,
        lambda x: x * x[0].item(),
        lambda x: x * sum(x.tolist()),
        lambda x: x * stop_gradient(x),
        lambda x: np.sum(x * x.detach()),
        without_grad,
        lambda x: Tensor(x.data) * 2.0,
    ],
)
def test_what_leaves_the_graph_is_said(f):
    report = gradcheck(lambda x: f(x), X)
    assert report.verdict == "wrong"
    assert report.reason.startswith("detached:")


def test_a_wrong_rule_is_not_called_detached():
    f = elementwise(lambda x: np.sin(x), lambda g, x: g * 2.0 * np.cos(x), parameters=("x",), name="wrong", method="")
    report = gradcheck(lambda x: np.sum(f(x) * x.T + np.stack(list(x))[0] + f(x)[np.array([0, 1])][0]), X)
    assert report.verdict == "wrong"
    assert "detached" not in report.reason
