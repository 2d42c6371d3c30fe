"""Interpolators: SciPy's values, and derivatives by values and points."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate

from autodiff import Tensor, grad
from autodiff.scipy import interpolate
from autodiff.testing import gradcheck

RNG = np.random.default_rng(0)
KNOTS = np.array([0.0, 0.5, 1.5, 2.0, 3.5])
P = np.array([[-0.4, 0.2, 1.1], [1.9, 2.7, 3.9]])


@pytest.mark.parametrize("bc_type", ["not-a-knot", "natural", "clamped"])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_cubic_spline(bc_type, axis):
    y = RNG.normal(size=(5, 2) if axis == 0 else (2, 5))
    theirs = scipy.interpolate.CubicSpline(KNOTS, y, axis, bc_type)
    ours = interpolate.CubicSpline(KNOTS, Tensor(y), axis, bc_type)
    for nu in range(5):
        np.testing.assert_allclose(ours(P, nu).data, theirs(P, nu), rtol=1e-10, atol=1e-11)
    assert gradcheck(lambda y, p: interpolate.CubicSpline(KNOTS, y, axis, bc_type)(p), y, P, order=2).correct
    slope = grad(lambda p: np.sum(interpolate.CubicSpline(KNOTS, y, axis, bc_type)(p)))(0.7)
    assert slope == pytest.approx(np.sum(theirs(0.7, 1)))
    beyond = interpolate.CubicSpline(KNOTS, y, axis, bc_type, extrapolate=False)(P)
    np.testing.assert_array_equal(np.isnan(beyond), np.isnan(theirs(P, extrapolate=False)))


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_a_grid(method):
    grid, values = (KNOTS, np.array([0.0, 1.0, 3.0])), RNG.normal(size=(5, 3, 2))
    points = np.stack([RNG.uniform(-1, 4, (4, 2)), RNG.uniform(-1, 4, (4, 2))], axis=-1)
    for fill in (None, 7.0):
        options = {"method": method, "bounds_error": False, "fill_value": fill}
        theirs = scipy.interpolate.RegularGridInterpolator(grid, values, **options)(points)
        ours = interpolate.RegularGridInterpolator(grid, Tensor(values), **options)(Tensor(points))
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-12, atol=1e-13)
    inside = np.array([[0.3, 0.4], [2.2, 2.5]])
    f = lambda v, p: interpolate.RegularGridInterpolator(grid, v, method)(p)  # noqa: E731
    if method == "linear":
        assert gradcheck(f, values, inside, order=2).correct
    else:
        assert not grad(lambda p: np.sum(f(Tensor(values), p)))(inside).any()


def test_wrong_calls():
    with pytest.raises(TypeError, match="CubicSpline: 'x' are knots"):
        interpolate.CubicSpline(Tensor(KNOTS), KNOTS)
    with pytest.raises(ValueError, match="CubicSpline: bc_type='periodic'"):
        interpolate.CubicSpline(KNOTS, KNOTS, bc_type="periodic")
    with pytest.raises(ValueError, match="beyond the grid"):
        interpolate.RegularGridInterpolator((KNOTS,), KNOTS)(Tensor([[9.0]]))
    with pytest.raises(ValueError, match="method='cubic'"):
        interpolate.RegularGridInterpolator((KNOTS,), KNOTS, "cubic")
