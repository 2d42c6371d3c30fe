import numpy as np
import pytest

import nn
from autodiff import Tensor, grad, vmap
from autodiff.testing import UpcastError, detect_upcast

X = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (lambda x: x * np.sqrt(8), "multiply"),
        (lambda x: np.float64(2.0) + x, "add"),
        (lambda x: x @ np.ones((3, 2)), "matmul"),
        (lambda x: np.concatenate([x, np.ones((2, 3))]), "concatenate"),
        (lambda x: np.sum(x, dtype=np.float64), "sum"),
        (lambda x: x * np.arange(3), "multiply"),
    ],
)
def test_the_operation_and_its_line_are_named(function, operation):
    for run in (lambda: function(Tensor(X)), lambda: grad(lambda x: np.sum(function(x)))(X)):
        with pytest.raises(UpcastError) as caught, detect_upcast():
            run()
        assert caught.value.operation == operation
        assert "a float32 Tensor of shape (2, 3) became float64" in str(caught.value)
        assert "test_upcast.py" in str(caught.value)


def test_what_stays_in_its_precision_or_is_cast_passes():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.GELU(), nn.LayerNorm(4), nn.Softmax())
    with detect_upcast():
        y = model(np.ones((2, 3)))
        np.sum(y * 2.0**0.5).backward()
        Tensor(X).astype(np.float64) * np.sqrt(2)
        vmap(grad(lambda x: np.sum(x * 0.5)))(X)
        Tensor(np.ones(2)) * X[:, :2]
    assert y.dtype == np.float32
    assert all(p.grad.dtype == np.float32 for p in model.parameters())
