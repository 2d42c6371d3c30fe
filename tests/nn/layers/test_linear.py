import math

import numpy as np
import pytest

from autodiff import Tensor
from nn import Flatten, Linear


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
