"""Dropout: what it keeps, what it scales, and its generator."""

import math

import numpy as np
import pytest

from autodiff import Tensor
from nn import Dropout, Linear


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
