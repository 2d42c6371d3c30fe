"""Losses of yes and no: formulas, certainty, extreme logits, weights."""

import math

import numpy as np
import pytest

from autodiff import Tensor, grad
from nn import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_binary_cross_entropy(check_gradient, rng, reduction):
    p, t = rng.uniform(0.1, 0.9, (3, 2)), np.array([[0.0, 1.0], [1.0, 0.3], [0.5, 0.0]])
    losses = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]
    np.testing.assert_allclose(binary_cross_entropy(p, t, reduction=reduction), expected, rtol=1e-13)
    check_gradient(lambda p: binary_cross_entropy(p, t, reduction=reduction), p)
    logits = np.log(p / (1 - p))
    np.testing.assert_allclose(binary_cross_entropy_with_logits(logits, t, reduction=reduction), expected, rtol=1e-12)
    check_gradient(lambda x: binary_cross_entropy_with_logits(x, t, reduction=reduction), logits)
    check_gradient(grad(lambda x: binary_cross_entropy_with_logits(x, t)), logits)
    inside = np.clip(t, 0.1, 0.9)
    check_gradient(binary_cross_entropy, p, inside)
    check_gradient(binary_cross_entropy_with_logits, logits, inside)


def test_certain_and_right_costs_nothing_certain_and_wrong_everything():
    p = Tensor(np.array([0.0, 1.0]))
    loss = binary_cross_entropy(p, np.array([0.0, 1.0]))
    assert loss.item() == 0.0
    loss.backward()
    assert p.grad.tolist() == [0.5, -0.5]
    with np.errstate(divide="ignore"):
        assert binary_cross_entropy(np.array([0.0]), np.array([1.0])).item() == np.inf


def test_binary_cross_entropy_at_extreme_logits():
    for dtype in (np.float32, np.float64):
        x = Tensor(np.array([1e4, -1e4, 1e4, 0.0, 30.0], dtype=dtype))
        t = np.array([1.0, 1.0, 0.5, 1.0, 1.0])
        losses = binary_cross_entropy_with_logits(x, t, reduction="none")
        np.testing.assert_allclose(losses.data, [0.0, 1e4, 5e3, math.log(2), math.exp(-30)], rtol=1e-6)
        np.sum(losses).backward()
        np.testing.assert_allclose(x.grad[:4], [0.0, -1.0, 0.5, -0.5], rtol=1e-6)


def test_pos_weight(check_gradient, rng):
    x, t, w = rng.normal(size=(3, 2)), np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]), np.array([2.0, 0.5])
    s = 1 / (1 + np.exp(-x))
    expected = -(w * t * np.log(s) + (1 - t) * np.log(1 - s)).mean()
    np.testing.assert_allclose(binary_cross_entropy_with_logits(x, t, pos_weight=w), expected, rtol=1e-12)
    check_gradient(lambda x: binary_cross_entropy_with_logits(x, t, pos_weight=w), x)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"a prediction lies outside \[0, 1\] .*use binary_cross_entropy_with_logits"):
        binary_cross_entropy(np.array([1.5]), np.array([1.0]))
    with pytest.raises(ValueError, match=r"binary_cross_entropy: a target lies outside \[0, 1\]"):
        binary_cross_entropy(np.array([0.5]), np.array([2.0]))
    with pytest.raises(ValueError, match=r"binary_cross_entropy_with_logits: a target lies outside \[0, 1\]"):
        binary_cross_entropy_with_logits(np.array([0.5]), np.array([-1.0]))
