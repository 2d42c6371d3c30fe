import math

import numpy as np
import pytest

from autodiff import Tensor
from nn import Dropout, Flatten, Linear


def test_the_formula(rng):
    layer = Linear(3, 2, rng=rng)
    for shape in ((5, 3), (3,), (4, 5, 3), (0, 3)):
        x = rng.normal(size=shape).astype(np.float32)
        y = layer(x)
        assert y.shape == (*shape[:-1], 2)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.data, x @ layer.weight.data + layer.bias.data, rtol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 4, 3)])
def test_gradients(check_gradient, rng, shape):
    def affine(x, weight, bias):
        layer = Linear(3, 2, rng=0)
        layer.weight, layer.bias = weight, bias
        return layer(x)

    check_gradient(affine, rng.normal(size=shape), rng.normal(size=(3, 2)), rng.normal(size=2))


def test_initial_values():
    layer = Linear(100, 50, rng=0)
    assert np.abs(layer.weight.data).max() <= 1 / math.sqrt(100)
    assert np.array_equal(layer.weight.data, Linear(100, 50, rng=0).weight.data)
    assert layer.weight.dtype == layer.bias.dtype == np.float32
    assert Linear(2, 2, dtype=np.float64).weight.dtype == np.float64


def test_without_bias():
    layer = Linear(3, 2, bias=False, rng=0)
    assert layer.bias is None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer(np.zeros((1, 3))).tolist() == [[0.0, 0.0]]


def test_a_frozen_layer_is_a_function_of_arrays():
    layer = Linear(3, 2, rng=0).freeze()
    assert isinstance(layer(np.ones((1, 3))), np.ndarray)
    x = Tensor(np.ones((1, 3)))
    np.sum(layer(x)).backward()
    np.testing.assert_allclose(x.grad[0], layer.weight.sum(axis=1))


def test_wrong_input():
    layer = Linear(3, 2)
    with pytest.raises(ValueError, match=r"Linear: the input has shape \(5, 4\), its last axis must have length 3"):
        layer(np.ones((5, 4)))
    with pytest.raises(ValueError, match=r"Linear: the input has shape \(\)"):
        layer(np.float32(1.0))
    with pytest.raises(ValueError, match=r"input has shape \(2,\)"):
        layer(Tensor(np.ones(2)))
    with pytest.raises(TypeError, match="Linear: the input is a str"):
        layer("text")
    with pytest.raises(ValueError, match="Linear: in_features is 0; it must be an integer of at least 1"):
        Linear(0, 2)
    with pytest.raises(ValueError, match=r"out_features is 2\.0"):
        Linear(2, 2.0)
    with pytest.raises(TypeError, match="dtype is int64; parameters are floating-point"):
        Linear(2, 2, dtype=np.int64)


def test_flatten(check_gradient, rng):
    assert Flatten()(np.zeros((2, 3, 4))).shape == (2, 12)
    assert Flatten()(np.zeros((0, 3, 4))).shape == (0, 12)
    assert Flatten()(np.zeros(3)).shape == (3, 1)
    check_gradient(Flatten(), rng.normal(size=(2, 3, 2)))
    with pytest.raises(ValueError, match="Flatten: the input is a single number"):
        Flatten()(np.float64(1.0))


def test_dropout_keeps_the_mean_and_scales(rng):
    layer = Dropout(0.25, rng=rng)
    x = Tensor(np.ones((400, 100), dtype=np.float32))
    y = layer(x)
    assert y.dtype == np.float32
    assert np.unique(y.data).tolist() == [0.0, np.float32(1 / 0.75)]
    assert abs(y.data.mean() - 1.0) < 5 * math.sqrt(0.25 / 0.75 / y.size)
    np.sum(y).backward()
    assert np.array_equal(x.grad, y.data)  # the same elements are dropped on the way back


def test_dropout_is_reproducible_and_new_each_time():
    x = np.ones(100)
    first, again = Dropout(0.5, rng=3), Dropout(0.5, rng=3)
    drawn = first(x)
    assert np.array_equal(drawn, again(x))
    assert not np.array_equal(drawn, first(x))


def test_dropout_at_its_ends():
    x = np.array([1.0, -2.0], dtype=np.float32)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert Dropout(1.0)(x).tolist() == [0.0, -0.0]
    for p in (-0.1, 1.1, float("nan"), "half"):
        with pytest.raises(ValueError, match=r"Dropout: p is .*must lie in \[0, 1\]"):
            Dropout(p)


@pytest.mark.parametrize(("x", "what"), [(np.ones(3, int), "int64"), ([1.0, 2.0], "list")])
def test_dropout_of_what_cannot_be_scaled(x, what):
    with pytest.raises(TypeError, match=f"Dropout: the input is {what}, and what is kept is scaled"):
        Dropout(0.3, rng=0)(x)


def test_a_negative_seed():
    with pytest.raises(ValueError, match="rng: the seed is -1; it must be 0 or more"):
        Linear(2, 1, rng=-1)
