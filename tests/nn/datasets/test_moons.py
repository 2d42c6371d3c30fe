"""Two half moons."""

import numpy as np
import pytest

from nn import datasets


def test_moons_without_noise_are_half_circles():
    points, labels = datasets.moons(101, noise=0.0, rng=0)
    assert points.shape == (101, 2)
    assert points.dtype == np.float64
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [50, 51]
    upper, lower = points[labels == 0], points[labels == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-14)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, rtol=1e-14)
    assert np.all(upper[:, 1] >= 0)
    assert np.all(lower[:, 1] <= 0.5)
    assert np.ptp(upper[:, 0]) > 1.8  # the angles fill the half circle
    assert np.ptp(lower[:, 0]) > 1.8


def test_moons_are_the_same_for_the_same_seed_and_noise_is_its_deviation():
    clean, _ = datasets.moons(4000, noise=0.0, rng=3)
    noisy, _ = datasets.moons(4000, noise=0.25, rng=3)
    np.testing.assert_array_equal(noisy, datasets.moons(4000, noise=0.25, rng=np.random.default_rng(3))[0])
    assert abs(np.std(noisy - clean) - 0.25) < 0.01
    assert datasets.moons(4, rng=0, dtype=np.float32)[0].dtype == np.float32


@pytest.mark.parametrize("n", [0, 1])
def test_moons_of_few_points(n):
    points, labels = datasets.moons(n, rng=0)
    assert points.shape == (n, 2)
    assert labels.shape == (n,)


@pytest.mark.parametrize(("n", "noise"), [(-1, 0.1), (4, -0.1), (4, np.nan)])
def test_moons_refuse_what_is_negative(n, noise):
    with pytest.raises(ValueError, match="moons: n is"):
        datasets.moons(n, noise=noise)
