"""The error function: as exact as the C library's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import autodiff
from autodiff import Tensor, erf, grad


def points(rng):
    return np.concatenate([
        rng.uniform(-7.0, 7.0, 40_000), rng.normal(size=20_000) * 0.01, 10.0 ** rng.uniform(-300.0, 1.0, 10_000),
        np.arange(-3100, 3101) / 512, np.nextafter(np.arange(-3100, 3101) / 512, 9.0),
    ])  # fmt: skip


@pytest.mark.parametrize(("dtype", "units"), [(np.float64, 2.0), (np.float32, 2.0), (np.float16, 1.0)])
def test_it_is_within_two_units_in_the_last_place(dtype, units, rng):
    x = points(rng).astype(dtype)
    x = x[np.abs(x) > np.finfo(dtype).tiny]
    exact = np.array([math.erf(v) for v in x.tolist()])
    found = erf(x)
    assert found.dtype == dtype
    apart = np.abs(found.astype(float) - exact) / np.spacing(np.abs(exact).astype(dtype)).astype(float)
    assert np.max(apart) <= units


def test_it_is_scipys(rng):
    x = points(rng)
    np.testing.assert_allclose(erf(x), special.erf(x), rtol=1e-15)
    np.testing.assert_allclose(erf(x.astype(np.float32)), special.erf(x.astype(np.float32)), rtol=4e-7)


def test_ends_signs_and_what_is_no_number():
    np.testing.assert_array_equal(erf(np.array([np.inf, -np.inf, 6.5, -30.0])), [1.0, -1.0, 1.0, -1.0])
    assert np.isnan(erf(np.array([np.nan, 1.0]))).tolist() == [True, False]
    assert np.signbit(erf(np.array([-0.0, 0.0]))).tolist() == [True, False]
    assert erf(5e-324) == 5e-324
    assert erf(2) == erf(2.0) == math.erf(2.0)
    assert erf(np.zeros((0, 2))).shape == (0, 2)


def test_its_derivative_is_the_bell_curve(rng):
    x = np.array([-7.0, -1.25, 0.0, 0.5, 40.0])
    np.testing.assert_allclose(grad(lambda x: np.sum(erf(x)))(x), 2.0 / np.sqrt(np.pi) * np.exp(-x * x), rtol=1e-15)
    np.testing.assert_allclose(autodiff.vmap(grad(erf))(x), grad(lambda x: np.sum(erf(x)))(x), rtol=1e-15)
    assert Tensor(0.5).erf().item() == math.erf(0.5)
