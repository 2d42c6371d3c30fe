import math

import numpy as np
import pytest

from nn import init
from nn.random import draw, generator

DRAWN = [
    lambda **k: init.uniform((400, 300), -0.5, 0.5, **k),
    lambda **k: init.normal((400, 300), 1.0, 0.5, **k),
    lambda **k: init.xavier_uniform((400, 300), **k),
    lambda **k: init.xavier_normal((400, 300), **k),
    lambda **k: init.kaiming_uniform((400, 300), **k),
    lambda **k: init.kaiming_normal((400, 300), mode="fan_out", **k),
]
MEAN_AND_STD = [
    (0.0, 1 / math.sqrt(12)), (1.0, 0.5), (0.0, math.sqrt(2 / 700)), (0.0, math.sqrt(2 / 700)),
    (0.0, math.sqrt(2 / 400)), (0.0, math.sqrt(2 / 300)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "moments"), list(zip(DRAWN, MEAN_AND_STD, strict=True)))
def test_moments_are_those_of_the_formula(make, moments):
    values = make(rng=0, dtype=np.float64)
    mean, std = moments
    assert abs(values.mean() - mean) < 5 * std / math.sqrt(values.size)
    assert abs(values.std() - std) < 0.01 * std


@pytest.mark.parametrize("make", DRAWN)
def test_the_same_seed_gives_the_same_numbers(make):
    assert np.array_equal(make(rng=5), make(rng=np.random.default_rng(5)))
    assert not np.array_equal(make(rng=5), make(rng=6))
    assert make(rng=5).dtype == np.float32
    assert make(rng=5, dtype=np.float16).dtype == np.float16


def test_bounds_and_stacks_of_filters():
    values = init.xavier_uniform((5, 4, 3), gain=2.0, rng=0, dtype=np.float64)
    bound = 2.0 * math.sqrt(6 / (4 * 3 + 5 * 3))  # fan_in and fan_out of filters (out, in, kernel)
    assert 0.8 * bound < np.abs(values).max() <= bound


def test_constants():
    assert init.zeros(3).tolist() == [0.0] * 3
    assert init.ones((1, 2)).dtype == np.float32
    assert init.constant(2, 1.5, dtype=np.float64).tolist() == [1.5, 1.5]


def test_gains():
    assert init.gain("relu") == math.sqrt(2)
    assert init.gain("leaky_relu", 1.0) == 1.0
    with pytest.raises(ValueError, match="unknown nonlinearity 'swish'; known: linear, sigmoid"):
        init.gain("swish")


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"xavier_uniform: a weight has at least two axes .* got shape \(3,\)"):
        init.xavier_uniform((3,))
    with pytest.raises(ValueError, match=r"kaiming_normal: the shape \(0, 3\) has no elements"):
        init.kaiming_normal((0, 3))
    with pytest.raises(ValueError, match="mode is 'in'"):
        init.kaiming_uniform((2, 3), mode="in")
    with pytest.raises(ValueError, match=r"low 1.0 is not below high 0.0"):
        init.uniform(3, 1.0, 0.0)
    with pytest.raises(ValueError, match="standard deviation is -1"):
        init.normal(3, 0.0, -1)
    with pytest.raises(TypeError, match="rng: expected a numpy.random.Generator or a seed, got RandomState"):
        init.normal(3, rng=np.random.RandomState(0))


def test_a_generator_is_used_as_it_is():
    rng = np.random.default_rng(0)
    assert generator(rng) is rng
    first = draw(rng, "random", (4,))
    assert not np.array_equal(first, draw(rng, "random", (4,)))
    assert first.dtype == np.float32
    assert draw(rng, "standard_normal", (2,), np.longdouble).dtype == np.longdouble
