"""Limits on gradients."""

import math

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import optim

GRADIENTS = np.random.default_rng(5).normal(size=(6, 3, 2))


def with_gradients(*gradients):
    parameters = [Tensor(np.zeros_like(g)) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g.copy()
    return parameters


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
def test_clipping_by_norm(p):
    gradients = [GRADIENTS[0], GRADIENTS[1, 0]]
    total = float(np.linalg.norm(np.concatenate([g.ravel() for g in gradients]), p))
    parameters = [*with_gradients(*gradients), Tensor(1.0)]
    assert optim.clip_grad_norm_(parameters, 0.5, norm_type=p) == pytest.approx(total, rel=1e-12)
    for w, g in zip(parameters, gradients, strict=False):
        np.testing.assert_allclose(w.grad, g * 0.5 / (total + 1e-6), rtol=1e-12)
    assert parameters[-1].grad is None
    parameters = with_gradients(*gradients)
    optim.clip_grad_norm_(iter(parameters), total * 2, norm_type=p)
    assert np.array_equal(parameters[0].grad, gradients[0])  # below the limit nothing changes


def test_norms_of_numbers_whose_squares_overflow_or_vanish():
    for size in (1e30, 1e-30):
        parameters = with_gradients(np.full(4, size, dtype=np.float32))
        assert optim.clip_grad_norm_(parameters, 1.0) == pytest.approx(2 * size, rel=1e-6)
        assert parameters[0].grad.dtype == np.float32
    parameters = with_gradients(np.full(4, 1e30, dtype=np.float32))
    optim.clip_grad_norm_(parameters, 1.0)
    np.testing.assert_allclose(parameters[0].grad, 0.5, rtol=1e-6)


def test_a_nan_is_not_hidden_by_clipping():
    parameters = with_gradients(np.array([1.0, np.nan]), np.array([1.0]))
    assert math.isnan(optim.clip_grad_norm_(parameters, 1.0))
    assert math.isnan(parameters[1].grad[0])


def test_clipping_by_value():
    parameters = with_gradients(np.array([3.0, -0.5, -7.0]))
    array = parameters[0].grad
    optim.clip_grad_value_(parameters, 1.0)
    assert parameters[0].grad is array
    assert array.tolist() == [1.0, -0.5, -1.0]
    scalar = Tensor(1.0)
    scalar.grad = np.float64(-4.0)
    optim.clip_grad_value_(scalar, 2.0)
    assert scalar.grad == -2.0
    optim.clip_grad_norm_(scalar, 1.0)
    assert scalar.grad == pytest.approx(-1.0)


def test_clipping_nothing_and_with_wrong_limits():
    assert optim.clip_grad_norm_([], 1.0) == 0.0
    assert optim.clip_grad_norm_([Tensor(1.0)], 1.0) == 0.0
    with pytest.raises(ValueError, match="clip_grad_norm_: max_norm is -1"):
        optim.clip_grad_norm_([], -1)
    with pytest.raises(ValueError, match="clip_grad_norm_: norm_type is 0"):
        optim.clip_grad_norm_([], 1, norm_type=0)
    with pytest.raises(ValueError, match="clip_grad_value_: clip_value is nan"):
        optim.clip_grad_value_([], float("nan"))
    with pytest.raises(TypeError, match="clip_grad_value_: got a module"):
        optim.clip_grad_value_(nn.Linear(1, 1), 1.0)
