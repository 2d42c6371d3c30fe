"""Filters and values between elements: SciPy's in every mode, and the derivatives of those."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.ndimage

from autodiff import Tensor, capture, grad, jacobian, vjp
from autodiff.scipy import ndimage
from autodiff.scipy.ndimage.sampling import MODES, _coefficients, _filter_back, _net
from autodiff.testing import gradcheck

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))
W = RNG.normal(size=(3, 2))


def check(name, *args, **options):
    """Values are SciPy's, and the cotangents of the arrays are those of a linear function of each."""
    theirs = getattr(scipy.ndimage, name)
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    rest = args[len(arrays) :]
    expected = theirs(*args, **options)
    y, pull = vjp(lambda *a: getattr(ndimage, name)(*a, *rest, **options), *arrays)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)
    g = RNG.normal(size=y.shape)
    for i, (found, array) in enumerate(zip(pull(g), arrays, strict=True)):
        zero = theirs(*[np.zeros_like(a) if j == i else a for j, a in enumerate(arrays)], *rest, **options)
        units = [e.reshape(array.shape) for e in np.eye(array.size)]
        moved = [theirs(*[e if j == i else a for j, a in enumerate(arrays)], *rest, **options) for e in units]
        slopes = np.reshape([np.vdot(g, m - zero) for m in moved], array.shape)
        np.testing.assert_allclose(found, slopes, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("mode", MODES)
def test_filters_are_linear_in_both_in_every_mode(mode):
    check("correlate", X, W, mode=mode, cval=0.5)
    check("convolve", X, W, mode=mode, cval=0.5, origin=(1, -1))
    check("correlate1d", X, W[:, 0], axis=0, mode=mode, cval=0.5, origin=-1)
    check("convolve1d", X, W[0], axis=0, mode=mode, cval=0.5)
    check("uniform_filter", X, (3, 2), mode=mode, cval=0.5, origin=(1, 0))
    check("gaussian_filter", X, 0.7, mode=mode, cval=0.5, order=(1, 0))


def test_weights_longer_than_the_array_and_one_number():
    check("correlate1d", X[0], RNG.normal(size=9), mode="reflect")
    check("correlate1d", X[0], RNG.normal(size=9), mode="constant")
    check("correlate", X[:1], RNG.normal(size=(5, 7)), mode="constant")
    check("gaussian_filter", X, (0.0, 3.0), truncate=2.0)


def test_axes():
    cube = RNG.normal(size=(2, 3, 2))
    theirs = np.stack([scipy.ndimage.correlate(c, W, mode="wrap") for c in cube])
    np.testing.assert_allclose(ndimage.correlate(Tensor(cube), W, mode="wrap", axes=(1, 2)).data, theirs)
    turned = ndimage.convolve(Tensor(cube), W.T, mode="wrap", axes=(2, 1)).data
    np.testing.assert_allclose(turned, [scipy.ndimage.convolve(c, W, mode="wrap") for c in cube])
    check("gaussian_filter", cube, 0.5, axes=(0, 2))
    check("uniform_filter", cube, 2, axes=1)


@pytest.mark.parametrize("order", range(6))
def test_values_between_elements_in_every_mode(order):
    places = np.stack([RNG.uniform(-9, 13, 30), RNG.uniform(-7, 9, 30)])
    for mode, prefilter in itertools.product(MODES, (True, False)):
        options = {"order": order, "mode": mode, "prefilter": prefilter}
        check_sampled(places, **options)
        found = _net(places, X.shape, order, mode, prefilter)
        c = _coefficients(X, order, mode, 0.5, prefilter)
        y = found.values(c - 0.5) + 0.5 if mode in ("grid-constant", "constant") else found.values(c)
        if mode == "constant":
            y = np.where(found.inside, found.values(c), 0.5)
        np.testing.assert_allclose(
            y, scipy.ndimage.map_coordinates(X, places, cval=0.5, **options), rtol=1e-9, atol=1e-9
        )


def check_sampled(places, **options):
    """The gradient by the array, and by the coordinates where no other polynomial begins."""
    y, pull = vjp(lambda x, p: ndimage.map_coordinates(x, p, **options), X, places)
    np.testing.assert_array_equal(y, scipy.ndimage.map_coordinates(X, places, **options))
    g = RNG.normal(size=y.shape)
    dx, dp = pull(g)
    v, u = RNG.normal(size=X.shape), RNG.normal(size=places.shape)
    along = scipy.ndimage.map_coordinates(v, places, **options)
    np.testing.assert_allclose(np.vdot(dx, v), np.vdot(g, along), rtol=1e-8, atol=1e-9)
    if options["order"]:
        h = 1e-6
        ends = [scipy.ndimage.map_coordinates(X, places + s * h * u, **options) for s in (1, -1)]
        np.testing.assert_allclose(np.vdot(dp, u), np.vdot(g, (ends[0] - ends[1]) / (2 * h)), rtol=1e-4, atol=1e-5)
    else:
        assert not dp.any()


@pytest.mark.parametrize("order", range(2, 6))
def test_the_filter_of_coefficients_is_transposed_on_short_and_long_axes(order):
    for mode, n in itertools.product(MODES, (1, 2, 3, 70)):
        matrix = scipy.ndimage.spline_filter1d(np.eye(n), order, 0, mode=mode)
        g = RNG.normal(size=n)
        np.testing.assert_allclose(_filter_back(g, order, 0, mode), matrix.T @ g, rtol=1e-8, atol=1e-8)


def test_a_shift_is_found_by_the_slope_of_the_coordinates_and_a_width_by_that_of_sigma():
    x = np.exp(-0.5 * (np.arange(20.0) - 9.0) ** 2 / 4.0)
    place = np.arange(3.0, 17.0)
    seen = np.exp(-0.5 * (place - 9.7) ** 2 / 4.0)
    shift = 0.0
    for _ in range(100):
        shift -= 0.2 * grad(lambda s: np.sum((ndimage.map_coordinates(x, (place - s)[None]) - seen) ** 2))(shift)
    assert shift == pytest.approx(0.7, abs=1e-2)
    slope = grad(lambda s: np.sum(ndimage.gaussian_filter1d(x, s) ** 2))(1.3)
    ends = [np.sum(scipy.ndimage.gaussian_filter1d(x, 1.3 + h) ** 2) for h in (1e-5, -1e-5)]
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


RECENT = tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 17)
"""Before, the last bits of places were others, which are felt where an image has a jump."""


def moved_as(found, expected, order, mode):
    """To the last bit, or as near as older versions are, where there are no jumps between pixels or at the border."""
    if RECENT:
        np.testing.assert_array_equal(found, expected)
    elif order and mode not in ("constant", "wrap"):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert found.shape == expected.shape


@pytest.mark.parametrize("mode", MODES)
def test_images_are_moved_magnified_sheared_and_turned_as_scipys_to_the_last_bit(mode):
    matrix, cube = np.array([[0.9, 0.3], [-0.2, 1.1]]), RNG.normal(size=(3, 2, 4))
    for order in (0, 1, 3, 4):
        options = {"order": order, "mode": mode, "cval": 0.5}
        for call in (
            lambda m, x: m.shift(x, (0.6, -1.3), **options),  # noqa: B023
            lambda m, x: m.zoom(x, (1.7, 0.6), **options),  # noqa: B023
            lambda m, x: m.zoom(x, 2, grid_mode=True, **{**options, "mode": "nearest"}),  # noqa: B023
            lambda m, x: m.affine_transform(x, matrix, (0.3, -0.4), **options),  # noqa: B023
            lambda m, x: m.affine_transform(x, np.array([0.7, 1.2]), 0.2, (5, 2), **options),  # noqa: B023
            lambda m, x: m.affine_transform(x, np.c_[matrix, [0.1, 0.2]], **options),  # noqa: B023
            lambda m, x: m.rotate(x, 33.0, **options),  # noqa: B023
            lambda m, x: m.rotate(x, -90.0, reshape=False, **options),  # noqa: B023
        ):
            moved_as(call(ndimage, Tensor(X)).data, call(scipy.ndimage, X), order, mode)
    theirs = scipy.ndimage.rotate(cube, 70.0, (0, 2), mode=mode)
    moved_as(ndimage.rotate(Tensor(cube), 70.0, (-3, 2), mode=mode).data, theirs, 3, mode)


MOVED = {
    "shift": (lambda x, s: ndimage.shift(x, s, mode="mirror"), np.array([0.6, -1.3])),
    "one shift": (lambda x, s: ndimage.shift(x, s, order=2, mode="wrap"), np.array(0.35)),
    "affine_transform": (
        lambda x, m: ndimage.affine_transform(x, m, (0.3, -0.4), mode="nearest"), np.array([[0.9, 0.3], [-0.2, 1.1]])
    ),
    "offset": (lambda x, o: ndimage.affine_transform(x, 0.8 * np.eye(2), o, mode="reflect"), np.array([0.3, 0.2])),
    "diagonal": (lambda x, m: ndimage.affine_transform(x, m, 0.3, mode="mirror"), np.array([0.9, 0.7])),
    "homogeneous": (
        lambda x, m: ndimage.affine_transform(x, np.concatenate([m, np.eye(3)[2:]]), mode="mirror"),
        np.array([[0.9, 0.3, 0.2], [-0.2, 1.1, 0.1]]),
    ),
    "rotate": (lambda x, a: ndimage.rotate(x, a, reshape=False, mode="mirror"), np.array(33.0)),
    "larger": (lambda x, a: ndimage.rotate(x, a, mode="nearest"), np.array(50.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVED)
def test_the_gradient_by_the_array_and_by_how_it_is_moved(name):
    assert gradcheck(MOVED[name][0], X, MOVED[name][1], order=2).correct


def test_the_transpose_of_a_magnified_array():
    check("zoom", X, (1.7, 0.6), mode="mirror")
    assert ndimage.zoom(Tensor(X), 1).shape == X.shape
    with pytest.raises(TypeError, match=r"zoom|item|float"):
        grad(lambda z: np.sum(ndimage.zoom(X, z)))(1.5)


def test_single_precision_programs_and_nothing():
    x = X.astype(np.float32)
    gradient = grad(lambda x: np.sum(ndimage.gaussian_filter(x, 1.0) ** 2))
    assert gradient(x).dtype == np.float32
    program = capture(gradient, X)
    assert "scipy.ndimage.correlate1d(" in str(program)
    np.testing.assert_allclose(program(2.0 * X), gradient(2.0 * X))
    places = np.zeros((2, 0))
    assert jacobian(lambda x: ndimage.map_coordinates(x, places))(X).shape == (0, 4, 3)


def test_wrong_calls_are_refused_by_name():
    t = Tensor(X)
    for call, words in (
        (lambda: ndimage.gaussian_filter(t, 1.0, output=X), "gaussian_filter: out|'output'"),
        (lambda: ndimage.correlate1d(t, W[0], mode="nowhere"), "correlate1d: mode='nowhere'"),
        (lambda: ndimage.map_coordinates(t, X[:, 0]), r"map_coordinates: .*shape \(4,\)"),
        (lambda: ndimage.map_coordinates(t, X[:2], order=7), "map_coordinates: order=7"),
        (lambda: ndimage.correlate1d(t, W[0], cval=Tensor(1.0)), "'cval' is not an argument to differentiate"),
        (lambda: ndimage.correlate(t, W, axes=(0, 0)), "correlate: axes=.* twice"),
        (lambda: ndimage.shift(t, (1.0,)), "shift: shift has 1 elements"),
        (lambda: ndimage.affine_transform(t, np.eye(3)[:2, :1]), r"affine_transform: a matrix of shape \(2, 1\)"),
        (lambda: ndimage.affine_transform(t, np.ones((3, 3))), "affine_transform: the last row"),
        (lambda: ndimage.rotate(t, 10.0, (0, 0)), r"rotate: axes=\(0, 0\)"),
        (lambda: ndimage.rotate(t, (0.0, 1.0)), r"rotate: the angle has shape \(2,\)"),
        (lambda: ndimage.rotate(t[0], 10.0), "rotate: .*2 axes or more"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            call()
