"""Interpolators: SciPy's values, and derivatives by values, places, knots and points."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate

from autodiff import Tensor, grad
from autodiff.scipy import interpolate
from autodiff.testing import gradcheck

RNG = np.random.default_rng(0)
KNOTS = np.array([0.0, 0.5, 1.5, 2.0, 3.5, 4.0])
P = np.array([[-0.4, 0.2, 1.1], [1.9, 2.7, 4.9]])
ENDS = {
    "not-a-knot": "not-a-knot",
    "natural": "natural",
    "clamped": "clamped",
    "periodic": "periodic",
    "values": ((2, np.array([0.3, 1.0])), (1, np.array([-1.0, 0.0]))),
    "both": ("not-a-knot", (2, np.ones(2))),
}


# -- cubic polynomials -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_a_cubic_spline_is_scipys_to_the_last_bit(ends, n):
    x, y = KNOTS[:n], RNG.normal(size=(n, 2))
    if ends == "periodic":
        y[-1] = y[0]
    theirs = scipy.interpolate.CubicSpline(x, y, bc_type=ENDS[ends])
    ours = interpolate.CubicSpline(x, Tensor(y), bc_type=ENDS[ends])
    for nu in range(5):
        np.testing.assert_array_equal(ours(P, nu).data, theirs(P, nu))
    beyond = interpolate.CubicSpline(x, y, bc_type=ENDS[ends], extrapolate=False)(P)
    np.testing.assert_array_equal(beyond, theirs(P, extrapolate=False))


def test_a_cubic_spline_along_another_axis_and_of_complex_values():
    y = RNG.normal(size=(2, 6)) + 1j * RNG.normal(size=(2, 6))
    for bc_type in ("not-a-knot", "natural"):
        theirs = scipy.interpolate.CubicSpline(KNOTS, y, 1, bc_type)(P)
        np.testing.assert_allclose(interpolate.CubicSpline(KNOTS, Tensor(y), 1, bc_type)(P).data, theirs, rtol=1e-14)


RECENT = tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 17)
"""Before, Akima's polynomials differed in the last bits, and two points were not joined by a straight line."""


@pytest.mark.parametrize("method", [None, "akima", "makima"])
@pytest.mark.parametrize("n", [2, 3, 4, 6] if RECENT else [3, 4, 6])
def test_local_polynomials_are_scipys_to_the_last_bit(method, n):
    name = "PchipInterpolator" if method is None else "Akima1DInterpolator"
    options = {} if method is None else {"method": method}
    y = np.stack([RNG.normal(size=n), np.round(RNG.normal(size=n)), np.ones(n)])
    for more in ({}, {"extrapolate": True}, {"extrapolate": "periodic"}):
        theirs = getattr(scipy.interpolate, name)(KNOTS[:n], y, 1, **options, **more)
        ours = getattr(interpolate, name)(KNOTS[:n], Tensor(y), 1, **options, **more)
        for nu in range(4):
            if more.get("extrapolate") == "periodic" or not RECENT:
                np.testing.assert_allclose(ours(P, nu).data, theirs(P, nu), rtol=1e-12, atol=1e-12)
            else:
                np.testing.assert_array_equal(ours(P, nu).data, theirs(P, nu))


SMOOTH = {
    "CubicSpline": lambda x, y, p: interpolate.CubicSpline(x, y)(p),
    "CubicSpline, natural": lambda x, y, p: interpolate.CubicSpline(x, y, bc_type="natural")(p, 1),
    "CubicSpline, periodic": lambda x, y, p: interpolate.CubicSpline(
        x, np.concatenate([y[:-1], y[:1]]), bc_type="periodic"
    )(p),
    "CubicSpline of a condition": lambda x, y, p: interpolate.CubicSpline(x, y, bc_type=((1, y[2]), (2, y[3])))(p),
    "CubicSpline of three": lambda x, y, p: interpolate.CubicSpline(x[:3], y[:3])(p),
    "PchipInterpolator": lambda x, y, p: interpolate.PchipInterpolator(x, np.cumsum(y**2, axis=0))(p),
    "Akima1DInterpolator": lambda x, y, p: interpolate.Akima1DInterpolator(x, y, extrapolate=True)(p),
    "makima": lambda x, y, p: interpolate.Akima1DInterpolator(x, y, method="makima", extrapolate=True)(p),
    "CubicHermiteSpline": lambda x, y, p: interpolate.CubicHermiteSpline(x, y, y[::-1])(p),
    "interp1d": lambda x, y, p: interpolate.interp1d(x, y, axis=0, fill_value="extrapolate")(p),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_gradient_by_places_values_and_points(name):
    assert gradcheck(SMOOTH[name], KNOTS, RNG.normal(size=(6, 2)), P, order=2).correct


def test_where_values_rise_and_fall_the_slope_is_zero():
    f = interpolate.PchipInterpolator(np.arange(4.0), Tensor([0.0, 1.0, 0.0, 0.0]))
    assert f(1.0, 1).item() == f(2.5).item() == 0.0
    g = grad(lambda y: interpolate.PchipInterpolator(np.arange(4.0), y)(1.0, 1))(np.array([0.0, 1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(g, 0.0)


def test_the_slope_is_the_derivative_by_the_point():
    y = RNG.normal(size=6)
    for ours in (interpolate.CubicSpline(KNOTS, y), interpolate.PchipInterpolator(KNOTS, y)):
        assert grad(lambda p, f=ours: f(p))(0.7) == pytest.approx(ours(0.7, 1), rel=1e-13)


# -- B-splines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(6))
def test_a_spline_by_its_coefficients(k):
    t = np.sort(np.r_[[0.0] * (k + 1), 0.7, 1.5, 1.5, 2.2, [3.0] * (k + 1)])
    c = RNG.normal(size=(2, t.size - k - 1))
    for extrapolate in (True, False, "periodic"):
        theirs = scipy.interpolate.BSpline(t, c, k, extrapolate, axis=1)
        ours = interpolate.BSpline(t, Tensor(c), k, extrapolate, axis=1)
        for nu in range(k + 2):
            expected = theirs(P, nu)
            scale = np.nanmax(np.abs(expected), initial=1.0)
            np.testing.assert_allclose(ours(P, nu).data, expected, rtol=1e-12, atol=1e-13 * scale)
    if k > 1:
        f = lambda t, c, p: interpolate.BSpline(t, c, k, axis=1)(p)  # noqa: E731
        assert gradcheck(lambda c, p: f(t, c, p), c, P, order=2).correct
        inner = np.flatnonzero((t > 0.0) & (t < 3.0) & (t != 1.5))
        assert gradcheck(
            lambda u: f(np.concatenate([t[: k + 1], u[:1], [1.5, 1.5], u[1:], t[-k - 1 :]]), c, P), t[inner]
        ).correct


@pytest.mark.parametrize("k", range(6))
def test_a_spline_through_values(k):
    y = RNG.normal(size=(2, 6))
    theirs, ours = (
        m.make_interp_spline(KNOTS, v, k, axis=1) for m, v in ((scipy.interpolate, y), (interpolate, Tensor(y)))
    )
    np.testing.assert_array_equal(ours.t, theirs.t)
    np.testing.assert_allclose(ours(P).data, theirs(P), rtol=1e-12, atol=1e-12)
    assert gradcheck(lambda y: interpolate.make_interp_spline(KNOTS, y, k, axis=1)(P), y).correct
    if k == 3:
        t = np.array([0.0] * 4 + [1.0, 2.5] + [4.0] * 4)
        expected = scipy.interpolate.make_interp_spline(KNOTS, y[0], 3, t)(P)
        np.testing.assert_allclose(interpolate.make_interp_spline(KNOTS, y[0], 3, t)(P), expected, rtol=1e-12)


# -- one axis ----------------------------------------------------------------------------------------------------

KINDS = ["linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic", 5]


@pytest.mark.parametrize("kind", KINDS)
def test_values_along_one_axis(kind):
    y, order = RNG.normal(size=(2, 6)), np.array([3, 0, 5, 1, 4, 2])
    inside = np.r_[KNOTS, 0.5 * (KNOTS[1:] + KNOTS[:-1]), 1.23]
    pairs = (scipy.interpolate, y), (interpolate, Tensor(y))
    theirs, ours = (m.interp1d(KNOTS[order], v[:, order], kind)(inside) for m, v in pairs)
    np.testing.assert_allclose(ours.data, theirs, rtol=1e-13, atol=1e-13)
    for fill in ("extrapolate", 7.0, (1.0, 2.0), np.nan):
        theirs, ours = (m.interp1d(KNOTS, v, kind, bounds_error=False, fill_value=fill)(P) for m, v in pairs)
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-11, atol=1e-11)
    f = lambda y, p: interpolate.interp1d(KNOTS, y, kind, fill_value="extrapolate")(p)  # noqa: E731
    if kind in ("linear", "slinear", "quadratic", "cubic"):
        assert gradcheck(f, y, P).correct
    else:
        assert gradcheck(lambda y: f(y, P[0, 1:]), y).correct
    if kind in ("nearest", "nearest-up", "previous", "next", "zero"):
        assert not grad(lambda p: np.sum(f(Tensor(y), p)))(P[0, 1:]).any()


# -- grids -------------------------------------------------------------------------------------------------------

METHODS = ["linear", "nearest", "slinear", "cubic", "quintic", "pchip"]
LEGACY = {name: f"{name}_legacy" for name in ("slinear", "cubic", "quintic")}
"""SciPy solves for the coefficients of these directly, and by iterations otherwise."""


@pytest.mark.parametrize("method", METHODS)
def test_a_grid(method):
    grid = KNOTS, np.array([0.0, 1.0, 2.0, 3.5, 4.0, 5.0, 6.0])
    values = RNG.normal(size=(6, 7, 2))
    points = np.stack([RNG.uniform(-0.3, 4.3, (2, 3)), RNG.uniform(-0.3, 6.3, (2, 3))], axis=-1)
    for fill in (None, 7.0):
        options = {"bounds_error": False, "fill_value": fill}
        theirs = scipy.interpolate.RegularGridInterpolator(grid, values, LEGACY.get(method, method), **options)(points)
        ours = interpolate.RegularGridInterpolator(grid, Tensor(values), method, **options)(Tensor(points))
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-10, atol=1e-11)
    falling = interpolate.RegularGridInterpolator((grid[0][::-1], grid[1]), Tensor(values[::-1]), method, False, 7.0)
    np.testing.assert_allclose(falling(points).data, ours.data, rtol=1e-12, atol=1e-12)
    f = lambda v, p: interpolate.RegularGridInterpolator(grid, v, method, False, None)(p)  # noqa: E731
    if method == "nearest":
        assert not grad(lambda p: np.sum(f(Tensor(values), p)))(points).any()
    else:
        assert gradcheck(f, values, points, order=2).correct


def test_a_grid_of_one_axis_and_of_three():
    line = interpolate.RegularGridInterpolator((KNOTS,), Tensor(KNOTS**2), "pchip")
    np.testing.assert_allclose(
        line([[1.0], [2.0]]).data,
        scipy.interpolate.RegularGridInterpolator((KNOTS,), KNOTS**2, "pchip")([[1.0], [2.0]]),
    )
    cube, values = (KNOTS[:4], KNOTS[:5], KNOTS[:4]), RNG.normal(size=(4, 5, 4))
    points = RNG.uniform(0.0, 2.0, (5, 3))
    for method in ("cubic", "pchip"):
        theirs = scipy.interpolate.RegularGridInterpolator(cube, values, LEGACY.get(method, method))(points)
        ours = interpolate.RegularGridInterpolator(cube, Tensor(values), method)(points)
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-10, atol=1e-11)


# -- calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: interpolate.CubicSpline(KNOTS[::-1], KNOTS), ValueError, "CubicSpline: x has .* increase"),
        (lambda: interpolate.CubicSpline(KNOTS, KNOTS[:2]), ValueError, r"6 places, and y has shape \(2,\)"),
        (lambda: interpolate.CubicSpline(KNOTS, KNOTS, bc_type="round"), ValueError, "bc_type='round'"),
        (lambda: interpolate.CubicSpline(KNOTS, KNOTS, bc_type="periodic"), ValueError, "needs equal values"),
        (lambda: interpolate.CubicSpline(KNOTS, KNOTS, bc_type=((3, 0.0), "natural")), ValueError, "order 3"),
        (lambda: interpolate.CubicSpline(KNOTS, KNOTS)(1.0, -1), ValueError, "CubicSpline: nu=-1"),
        (lambda: interpolate.PchipInterpolator(KNOTS, 1j * KNOTS), ValueError, "PchipInterpolator: y is complex"),
        (lambda: interpolate.Akima1DInterpolator(KNOTS, KNOTS, method="old"), ValueError, "method='old'"),
        (lambda: interpolate.CubicHermiteSpline(KNOTS, KNOTS, KNOTS[:2]), ValueError, r"dydx \(2,\)"),
        (lambda: interpolate.BSpline(KNOTS, KNOTS, 3), ValueError, "make 2 basis functions.*8 knots"),
        (lambda: interpolate.BSpline(KNOTS[::-1], KNOTS, 1), ValueError, "does not decrease"),
        (lambda: interpolate.make_interp_spline(KNOTS, KNOTS, bc_type="natural"), ValueError, "write CubicSpline"),
        (lambda: interpolate.make_interp_spline(Tensor(KNOTS), KNOTS), TypeError, "x.data"),
        (lambda: interpolate.interp1d(KNOTS, KNOTS, "smooth"), NotImplementedError, "kind='smooth'"),
        (lambda: interpolate.interp1d(KNOTS, KNOTS)(9.0), ValueError, "a point at 9 is beyond"),
        (lambda: interpolate.interp1d(Tensor(KNOTS), KNOTS, "cubic"), TypeError, "write CubicSpline"),
        (lambda: interpolate.interp1d(KNOTS, KNOTS, True), NotImplementedError, "kind=True"),
        (lambda: interpolate.interp1d(KNOTS, KNOTS, 6), ValueError, "needs at least 7"),
        (
            lambda: interpolate.interp1d(KNOTS, KNOTS, bounds_error=True, fill_value="extrapolate"),
            ValueError,
            "exclude",
        ),
        (lambda: interpolate.RegularGridInterpolator((KNOTS,), KNOTS)(Tensor([[9.0]])), ValueError, "beyond the grid"),
        (lambda: interpolate.RegularGridInterpolator((KNOTS,), KNOTS, "smooth"), ValueError, "method='smooth'"),
        (lambda: interpolate.RegularGridInterpolator((KNOTS[:3],), KNOTS[:3], "cubic"), ValueError, "'cubic' needs 4"),
        (lambda: interpolate.RegularGridInterpolator((Tensor(KNOTS),), KNOTS), TypeError, "p.data"),
    ],
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words):
        call()
