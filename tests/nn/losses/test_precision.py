"""Losses of 70,000 examples in half precision, in which a count of them is infinity."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autodiff import value_and_grad

MANY = 70_000
LABELS = np.arange(MANY) % 2
ROWS = np.stack([np.full(MANY, 0.25), np.full(MANY, 0.5)], axis=1)
ONES = np.ones(2)
LOSSES = {
    "mse_loss": lambda x: nn.mse_loss(x, np.zeros((MANY, 2))),
    "l1_loss": lambda x: nn.l1_loss(x, np.zeros((MANY, 2))),
    "huber_loss": lambda x: nn.huber_loss(x, np.zeros((MANY, 2))),
    "cross_entropy": lambda x: nn.cross_entropy(x, LABELS),
    "cross_entropy, weighted": lambda x: nn.cross_entropy(x, LABELS, weight=ONES),
    "cross_entropy, smoothed": lambda x: nn.cross_entropy(x, LABELS, label_smoothing=0.25),
    "nll_loss": lambda x: nn.nll_loss(x, LABELS),
    "nll_loss, weighted": lambda x: nn.nll_loss(x, LABELS, weight=ONES),
    "binary_cross_entropy": lambda x: nn.binary_cross_entropy(x, np.ones((MANY, 2))),
    "binary_cross_entropy_with_logits": lambda x: nn.binary_cross_entropy_with_logits(x, np.ones((MANY, 2))),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_mean_has_the_value_and_the_gradient_of_doubles(loss):
    expected, slopes = value_and_grad(LOSSES[loss])(ROWS)
    found, halves = value_and_grad(LOSSES[loss])(ROWS.astype(np.float16))
    assert halves.dtype == np.float16
    np.testing.assert_allclose(float(found), float(expected), rtol=5e-3)
    np.testing.assert_allclose(halves.astype(float), slopes, rtol=2e-2, atol=2e-7)
