"""Losses of classes: indices and probabilities, weights, smoothing, any axis, extreme logits."""

import math

import numpy as np
import pytest

import nn
from autodiff import Tensor, grad
from nn import (
    cross_entropy,
    nll_loss,
)


def softmax(row):
    e = [math.exp(v - max(row)) for v in row]
    return [v / sum(e) for v in e]


def test_cross_entropy_of_indices(check_gradient, rng):
    x, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    expected = [-math.log(softmax(row)[k]) for row, k in zip(x.tolist(), labels, strict=True)]
    np.testing.assert_allclose(cross_entropy(x, labels, reduction="none"), expected, rtol=1e-13)
    np.testing.assert_allclose(cross_entropy(x, labels), np.mean(expected), rtol=1e-13)
    np.testing.assert_allclose(nll_loss(nn.log_softmax(x), labels), np.mean(expected), rtol=1e-13)
    check_gradient(lambda x: cross_entropy(x, labels), x)
    check_gradient(grad(lambda x: cross_entropy(x, labels)), x)
    check_gradient(lambda x: nll_loss(x, labels), x)


OPTIONS = [
    {}, {"weight": np.array([0.5, 2.0, 0.0])}, {"label_smoothing": 0.25},
    {"weight": np.array([0.5, 2.0, 1.0]), "label_smoothing": 0.1}, {"label_smoothing": 1.0},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_of_indices_with_options(check_gradient, rng, options, reduction):
    x, labels = rng.normal(size=(4, 3)), np.array([0, 2, 1, 1])
    smooth, weight = options.get("label_smoothing", 0.0), options.get("weight", np.ones(3))
    logs = np.log([softmax(row) for row in x.tolist()])
    target = np.eye(3)[labels] * (1 - smooth) + smooth / 3
    losses = -(target * weight * logs).sum(axis=1)
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / weight[labels].sum()}[reduction]
    np.testing.assert_allclose(cross_entropy(x, labels, reduction=reduction, **options), expected, rtol=1e-12)
    check_gradient(lambda x: cross_entropy(x, labels, reduction=reduction, **options), x)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_of_probabilities(check_gradient, rng, options, reduction):
    x = rng.normal(size=(2, 3))
    target = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    smooth, weight = options.get("label_smoothing", 0.0), options.get("weight", np.ones(3))
    logs = np.log([softmax(row) for row in x.tolist()])
    losses = -((target * (1 - smooth) + smooth / 3) * weight * logs).sum(axis=1)
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]
    np.testing.assert_allclose(cross_entropy(x, target, reduction=reduction, **options), expected, rtol=1e-12)
    check_gradient(lambda x: cross_entropy(x, target, reduction=reduction, **options), x)


def test_the_gradient_reaches_a_target_that_is_a_tensor(check_gradient, rng):
    def soft(x, t):
        return cross_entropy(x, nn.softmax(t))

    check_gradient(soft, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))


@pytest.mark.parametrize(("shape", "axis"), [((2, 3, 4), 1), ((2, 3, 4), 0), ((3, 4), 0), ((3, 2, 2), -1), ((4,), -1)])
def test_classes_along_any_axis(check_gradient, rng, shape, axis):
    x = rng.normal(size=shape)
    last = np.moveaxis(x, axis, -1)
    labels = rng.integers(0, shape[axis], last.shape[:-1])
    flat = cross_entropy(last.reshape(-1, shape[axis]), labels.ravel(), reduction="none")
    np.testing.assert_allclose(cross_entropy(x, labels, axis=axis, reduction="none"), flat.reshape(labels.shape))
    one_hot = np.moveaxis(np.eye(shape[axis])[labels], -1, axis)
    np.testing.assert_allclose(cross_entropy(x, one_hot, axis=axis), flat.mean())
    np.testing.assert_allclose(nll_loss(nn.log_softmax(x, axis), labels, axis=axis), flat.mean())
    check_gradient(lambda x: cross_entropy(x, labels, axis=axis), x)
    check_gradient(lambda x: cross_entropy(x, labels, axis=axis, label_smoothing=0.1, weight=np.ones(shape[axis])), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_at_extreme_logits(dtype):
    x = np.array([[1e4, 1e4 - 1, 0.0], [-1e4, 1e4, 0.0], [30.0, 0.0, 0.0]], dtype=dtype)
    labels = np.array([0, 0, 0])
    exact = np.array([math.log1p(math.exp(-1)), 2e4, math.log1p(2 * math.exp(-30))])
    t = Tensor(x)
    losses = cross_entropy(t, labels, reduction="none")
    assert losses.dtype == dtype
    # the first is a difference of two logits of 1e4: it has all its digits only if the largest is subtracted first
    np.testing.assert_allclose(losses.data[:2], exact[:2], rtol=1e-6)
    assert abs(losses.data[2] - exact[2]) < np.finfo(dtype).eps
    np.sum(losses).backward()
    assert np.isfinite(t.grad).all()
    assert t.grad.dtype == dtype
    one_hot = cross_entropy(x, np.eye(3, dtype=dtype)[labels], reduction="none")
    np.testing.assert_allclose(one_hot, losses.data, rtol=1e-6, atol=np.finfo(dtype).eps)


def test_a_masked_class_costs_nothing_where_its_probability_is_zero():
    x = Tensor(np.array([[0.0, -np.inf, 0.0]]))
    for target in (np.array([0]), np.array([[1.0, 0.0, 0.0]])):
        x.grad = None
        loss = cross_entropy(x, target)
        assert loss.item() == pytest.approx(math.log(2))
        loss.backward()
        np.testing.assert_allclose(x.grad, [[-0.5, 0.0, 0.5]], rtol=1e-15)


def test_wrong_labels():
    x = np.zeros((3, 4))
    for loss, who in ((cross_entropy, "cross_entropy"), (nll_loss, "nll_loss")):
        with pytest.raises(IndexError, match=rf"{who}: labels reach from 0 to 4, but there are 4 classes \(0 to 3\)"):
            loss(x, np.array([0, 1, 4]))
        with pytest.raises(IndexError, match=f"{who}: labels reach from -1 to 1"):
            loss(x, np.array([0, 1, -1]))
        with pytest.raises(ValueError, match=r"have shape \(3, 4\), classes last, so the labels must have \(3,\)"):
            loss(x, np.array([0, 1]))
        with pytest.raises(ValueError, match=r"they have \(3, 4\); for one-hot rows or probabilities pass floating"):
            loss(x, np.zeros((3, 4), dtype=int))
        with pytest.raises(ValueError, match="the logits are a single number"):
            loss(np.float64(0.0), np.array(0))
        with pytest.raises(ValueError, match="the batch is empty"):
            loss(np.zeros((0, 4)), np.zeros(0, dtype=int))
    with pytest.raises(TypeError, match=r"nll_loss: class indices must be integers, got float64; write target.astype"):
        nll_loss(x, np.array([0.0, 1.0, 2.0]))
    with pytest.raises(TypeError, match="nll_loss: the target is a Tensor; class indices are a plain integer array"):
        nll_loss(x, Tensor(np.zeros(3)))
    with pytest.raises(ValueError, match=r"floating-point target \(3,\).*indices must be integers: target.astype"):
        cross_entropy(x, np.array([0.0, 1.0, 2.0]))
    with pytest.raises(TypeError, match="cross_entropy: the target is bool"):
        cross_entropy(x, np.ones((3, 4), dtype=bool))


@pytest.mark.parametrize("label", [4, -1])
def test_wrong_labels_with_options(label):
    for options in ({"label_smoothing": 0.1}, {"weight": np.ones(4)}):
        with pytest.raises(IndexError, match="cross_entropy: labels reach from"):
            cross_entropy(np.zeros((1, 4)), np.array([label]), **options)


def test_wrong_probabilities_and_options():
    x = np.zeros((1, 2))
    with pytest.raises(ValueError, match=r"target lies outside \[0, 1\] \(smallest -0.5, largest 1.5\)"):
        cross_entropy(x, np.array([[-0.5, 1.5]]))
    with pytest.raises(ValueError, match="must sum to 1 along axis -1; one sum is 0.8"):
        cross_entropy(x, np.array([[0.3, 0.5]]))
    with pytest.raises(ValueError, match="label_smoothing is 2"):
        cross_entropy(x, np.array([0]), label_smoothing=2)
    with pytest.raises(ValueError, match=r"weight has shape \(3,\); one number a class is \(2,\)"):
        cross_entropy(x, np.array([0]), weight=[1, 2, 3])
    with pytest.raises(ValueError, match="weight has negative numbers"):
        cross_entropy(x, np.array([0]), weight=[1, -1])
    with pytest.raises(ValueError, match="all targets have weight 0"):
        cross_entropy(x, np.array([0]), weight=[0, 1])
