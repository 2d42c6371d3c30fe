"""Losses of numbers: their formulas, their kinks, infinite targets."""

import math

import numpy as np
import pytest

from autodiff import grad
from nn import (
    huber_loss,
    l1_loss,
    mse_loss,
)

REGRESSION = [mse_loss, l1_loss, huber_loss]


@pytest.mark.parametrize(
    ("loss", "each"),
    [
        (mse_loss, lambda e: e * e),
        (l1_loss, abs),
        (
            lambda p, t, **k: huber_loss(p, t, delta=0.5, **k),
            lambda e: e * e / 2 if abs(e) <= 0.5 else 0.5 * (abs(e) - 0.25),
        ),
    ],
)
def test_regression_formulas(loss, each, check_gradient, rng):
    p, t = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    expected = np.vectorize(each)(p - t)
    np.testing.assert_allclose(loss(p, t, reduction="none"), expected, rtol=1e-13)
    np.testing.assert_allclose(loss(p, t, reduction="sum"), expected.sum(), rtol=1e-13)
    np.testing.assert_allclose(loss(p, t), expected.mean(), rtol=1e-13)
    for reduction in ("none", "sum", "mean"):
        check_gradient(lambda p, t, r=reduction: loss(p, t, reduction=r), p, t)


def test_huber_at_zero_and_at_its_bounds():
    slope = grad(lambda p: huber_loss(p, np.zeros(4), reduction="sum"))
    assert slope(np.array([0.0, 1.0, -1.0, 3.0])).tolist() == [0.0, 1.0, -1.0, 1.0]
    second = grad(lambda p: np.sum(slope(p)))
    assert second(np.array([0.0, 0.5, 2.0, 3.0])).tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("loss", REGRESSION)
def test_infinite_targets_give_infinite_losses(loss):
    assert float(loss(np.array([1.0]), np.array([np.inf]))) == np.inf
    assert math.isnan(float(loss(np.array([1.0]), np.array([np.nan]))))
