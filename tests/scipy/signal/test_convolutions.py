"""Convolutions: SciPy's values in every mode, and cotangents that are the adjoint's, whatever the shapes."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import scipy.signal

from autodiff import Tensor, capture, grad, hessian, vjp, vmap
from autodiff.scipy import signal

MODES = ("full", "same", "valid")
SHAPES = [((4,), (3,)), ((3,), (4,)), ((1,), (1,)), ((), ()), ((0,), (2,)), ((3, 2), (2, 2)), ((2, 5), (2, 1))]
NAMES = ("convolve", "correlate", "fftconvolve", "oaconvolve")


def by_difference(f, x, v, g):
    """<g, f(x) v> for a function that is linear in x, one unit at a time."""
    return np.reshape([np.vdot(g, f(e.reshape(x.shape), v)) for e in np.eye(x.size)], x.shape)


@pytest.mark.parametrize("name", NAMES)
def test_values_are_scipys_and_cotangents_those_of_a_linear_function(name):
    theirs, ours = getattr(scipy.signal, name), getattr(signal, name)
    rng = np.random.default_rng(0)
    for (shape, other), mode in itertools.product(SHAPES, MODES):
        x, v = rng.normal(size=shape), rng.normal(size=other)
        try:
            expected = theirs(x, v, mode)
        except ValueError:  # np.convolve of nothing
            with pytest.raises(ValueError, match="cannot be empty"):
                ours(Tensor(x), v, mode)
            continue
        np.testing.assert_array_equal(ours(x, v, mode), expected)
        y, pull = vjp(lambda x, v, mode=mode: ours(x, v, mode), x, v)
        np.testing.assert_array_equal(y, expected)
        g = rng.normal(size=np.shape(expected))
        dx, dv = pull(g)
        np.testing.assert_allclose(dx, by_difference(lambda a, b, mode=mode: theirs(a, b, mode), x, v, g), atol=1e-12)
        np.testing.assert_allclose(dv, by_difference(lambda b, a, mode=mode: theirs(a, b, mode), v, x, g), atol=1e-12)


@pytest.mark.parametrize("axes", [None, 0, (1,), (-1, 0)])
@pytest.mark.parametrize("mode", MODES)
def test_axes_that_are_not_convolved_broadcast(mode, axes):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4))
    v = rng.normal(size=(2, 2) if axes in (None, (-1, 0)) else (2, 1) if axes == 0 else (1, 2))
    for name in ("fftconvolve", "oaconvolve"):
        theirs = getattr(scipy.signal, name)
        y, pull = vjp(lambda x, v, name=name: getattr(signal, name)(x, v, mode, axes), x, v)
        g = rng.normal(size=y.shape)
        for found, expected in zip(pull(g), (
            by_difference(lambda a, b, theirs=theirs: theirs(a, b, mode, axes), x, v, g),
            by_difference(lambda b, a, theirs=theirs: theirs(a, b, mode, axes), v, x, g),
        ), strict=True):  # fmt: skip
            np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
def test_second_order_single_precision_and_lists(method):
    x, v = np.array([0.5, -1.0, 2.0], np.float32), np.array([1.0, 3.0], np.float32)
    gradient = grad(lambda v: np.sum(signal.convolve(x, v, method=method) ** 2))(v)
    assert gradient.dtype == np.float32
    second = hessian(lambda v: np.sum(signal.correlate(x, v, "same", method) ** 2))(v.astype(np.float64))
    np.testing.assert_allclose(second, [[2.5, -5.0], [-5.0, 10.5]], atol=1e-5)
    np.testing.assert_allclose(grad(lambda a: np.sum(signal.convolve(a, [1, 2], method=method)))(x), 3.0, rtol=1e-6)


def test_a_program_is_scipys_call_and_examples_are_mapped():
    x, v = np.arange(4.0), np.array([1.0, 2.0])
    program = capture(grad(lambda x: np.sum(signal.fftconvolve(x, v) ** 2)), x)
    assert "scipy.signal.fftconvolve(" in str(program)
    np.testing.assert_allclose(program(x), grad(lambda x: np.sum(signal.fftconvolve(x, v) ** 2))(x))
    rows = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(
        vmap(lambda x: signal.convolve(x, v))(rows), [scipy.signal.convolve(row, v) for row in rows]
    )


def test_what_does_not_fit_is_refused_with_the_name():
    t = Tensor(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"^convolve: .*\(2, 3\)"):
        signal.convolve(t, np.ones(3))
    with pytest.raises(ValueError, match="^convolve: .*mode"):
        signal.convolve(t, t, "middle")
    with pytest.raises(TypeError, match="^fftconvolve: .*'rubbish'"):
        signal.fftconvolve(t, t, rubbish=1)


def test_a_zero_that_was_left_out_stays_zero_beside_an_infinite_slope():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = grad(lambda x: np.sum(signal.convolve(np.sqrt(x), np.ones(2), "valid")[1:]))(np.array([0.0, 1.0, 4.0]))
    np.testing.assert_allclose(got, [0.0, 0.5, 0.25])
