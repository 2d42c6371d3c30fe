import math

import numpy as np
import pytest

import nn
from autodiff import Tensor, grad
from nn import GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh, log_softmax, softmax

X = np.array([[-3.0, -0.7, -0.1], [0.2, 0.9, 4.0]])

FORMULAS = [
    (ReLU(), lambda x: max(x, 0.0)),
    (LeakyReLU(0.1), lambda x: x if x > 0 else 0.1 * x),
    (Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
    (Tanh(), math.tanh),
    (GELU(), lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2)))),
    (GELU("tanh"), lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    (SiLU(), lambda x: x / (1 + math.exp(-x))),
    (Softplus(), lambda x: math.log1p(math.exp(x))),
    (Softplus(3.0), lambda x: math.log1p(math.exp(3 * x)) / 3),
]
LAYERS = [*[layer for layer, _ in FORMULAS], Softmax(), LogSoftmax(), Softmax(0), LogSoftmax(0)]


def name(layer):
    return repr(layer) if isinstance(layer, nn.Module) else "formula"


@pytest.mark.parametrize(("layer", "formula"), FORMULAS, ids=name)
def test_the_formula(layer, formula):
    np.testing.assert_allclose(layer(X), np.vectorize(formula)(X), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer", LAYERS, ids=name)
def test_gradients_of_first_and_second_order(check_gradient, layer):
    check_gradient(layer, X)
    check_gradient(grad(lambda x: np.sum(layer(x) * np.arange(1.0, 7.0).reshape(2, 3))), X, atol=1e-7)


@pytest.mark.parametrize("layer", LAYERS, ids=name)
def test_dtype_and_shape_stay(layer):
    for shape in ((2, 3), (1,), (0, 3) if getattr(layer, "axis", -1) else (3, 0)):
        y = layer(Tensor(np.ones(shape, dtype=np.float32)))
        assert y.dtype == np.float32
        assert y.shape == shape
    assert np.ndim(LAYERS[0](np.float32(2.0))) == 0


@pytest.mark.parametrize("layer", LAYERS, ids=name)
def test_extremes_give_finite_values_and_gradients(layer):
    x = np.array([[-1e4, 1e4, 0.0], [1e4, 1e4, -1e4]])
    for dtype in (np.float64, np.float32):
        t = Tensor(x.astype(dtype))
        y = layer(t)
        np.sum(y * np.arange(1.0, 4.0, dtype=dtype)).backward()
        assert np.isfinite(y.data).all()
        assert np.isfinite(t.grad).all()


def test_kinks():
    assert grad(lambda x: np.sum(ReLU()(x)))(np.zeros(1)).tolist() == [0.0]
    assert grad(lambda x: np.sum(LeakyReLU(0.25)(x)))(np.zeros(1)).tolist() == [0.25]


def test_softmax_sums_to_one_and_is_exact_far_from_zero():
    x = np.array([[0.0, 1.0, 2.0], [1e4, 1e4 + 1, 1e4 + 2], [-1e4, -1e4 + 1, -1e4 + 2]], dtype=np.float32)
    p = softmax(x)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(p[1], p[0], rtol=1e-6)  # the float32 differences are exact, so the results must be
    np.testing.assert_allclose(log_softmax(x)[2], log_softmax(x)[0], rtol=1e-6)
    np.testing.assert_allclose(softmax(x.T, axis=0), p.T)


def test_a_masked_class_has_probability_zero():
    x = Tensor(np.array([0.0, -np.inf, 0.0]))
    p = softmax(x)
    np.testing.assert_allclose(p.data, [0.5, 0.0, 0.5], rtol=1e-15)
    np.sum(p * np.array([1.0, 2.0, 3.0])).backward()
    np.testing.assert_allclose(x.grad, [-0.5, 0.0, 0.5], rtol=1e-15)


def test_wrong_options():
    with pytest.raises(ValueError, match="LeakyReLU: negative_slope is nan; it must be a finite number"):
        LeakyReLU(float("nan"))
    with pytest.raises(ValueError, match="Softplus: beta is 0; it must be positive"):
        Softplus(0)
    with pytest.raises(ValueError, match="Softplus: beta is 'a'"):
        Softplus("a")


def test_an_axis_that_is_not_there_is_an_error_of_softmax():
    for function in (nn.softmax, nn.log_softmax):
        for x in (np.ones((2, 3)), Tensor(np.ones((2, 3)))):
            with pytest.raises(np.exceptions.AxisError, match=rf"^{function.__name__}: axis 5 .*\(2, 3\)"):
                function(x, axis=5)


def test_the_two_forms_of_gelu():
    x = np.linspace(-8.0, 8.0, 1001)
    assert 1e-4 < np.max(np.abs(GELU()(x) - GELU(approximate="tanh")(x))) < 5e-4
    assert repr(GELU()) == "GELU()"
    assert repr(GELU("tanh")) == "GELU(approximate='tanh')"
    with pytest.raises(ValueError, match="GELU: approximate is True; it must be 'none' or 'tanh'"):
        GELU(True)
