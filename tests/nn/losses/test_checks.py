"""What losses check alike, and in which dtype they answer."""

import numpy as np
import pytest

from autodiff import Tensor
from nn import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)

REGRESSION = [mse_loss, l1_loss, huber_loss]


@pytest.mark.parametrize("loss", [*REGRESSION, binary_cross_entropy, binary_cross_entropy_with_logits])
def test_what_is_compared_must_agree_in_shape(loss):
    name = loss.__name__
    with pytest.raises(ValueError, match=rf"{name}: the prediction has shape \(4, 1\), the target \(4,\)"):
        loss(Tensor(np.full((4, 1), 0.5)), np.full(4, 0.5))
    with pytest.raises(TypeError, match=f"{name}: the prediction is a list"):
        loss([0.5], np.array([0.5]))
    with pytest.raises(TypeError, match=f"{name}: the prediction is int64; it must be floating-point"):
        loss(np.array([1]), np.array([1.0]))
    with pytest.raises(ValueError, match=f"{name}: reduction is 'average'; it must be 'mean', 'sum' or 'none'"):
        loss(np.full(2, 0.5), np.full(2, 0.5), reduction="average")
    with pytest.raises(ValueError, match=rf"{name}: the batch is empty \(losses of shape \(0,\)\)"):
        loss(np.zeros(0), np.zeros(0))
    assert float(loss(np.zeros(0), np.zeros(0), reduction="sum")) == 0.0
    assert loss(np.zeros((0, 2)), np.zeros((0, 2)), reduction="none").shape == (0, 2)


@pytest.mark.parametrize("loss", [*REGRESSION, binary_cross_entropy, binary_cross_entropy_with_logits])
def test_a_loss_has_the_dtype_of_the_prediction(loss):
    p = Tensor(np.full((3, 2), 0.25, dtype=np.float32))
    for target in (np.ones((3, 2)), np.ones((3, 2), dtype=int), np.ones((3, 2), dtype=bool), [[1, 0]] * 3):
        value = loss(p, target)
        assert value.dtype == np.float32
        value.backward()
        assert p.grad.dtype == np.float32


@pytest.mark.parametrize("target", [np.array([1j, 0j]), np.array(["a", "b"]), np.array([None, 1.0])], ids=str)
def test_a_target_that_is_no_real_number_is_refused(target):
    with pytest.raises(TypeError, match="mse_loss: the target is .*, the prediction float64; give real numbers"):
        mse_loss(np.ones(2), target)


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss, mse_loss])
def test_a_prediction_that_is_a_list_is_refused(loss):
    with pytest.raises(TypeError, match="is a list; it must be an array or a Tensor"):
        loss([[0.0, 1.0]], np.array([0]))
