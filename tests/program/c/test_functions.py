"""Every elementwise function and reduction in C, within 4 units in the last place of NumPy's."""

import functools

import numpy as np
import pytest

from autodiff.program.c import elements

from .together import in_c, ulps

SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 88.7, -87.5, -103.9, 709.7, -745.1,
           1e-45, -1e-45, 1e-40, 3e38, -3e38, 1.0 + 2**-23, 1e-8, 30.0, -30.0, 0.625, 0.7, 5e-324, 1e308]  # fmt: skip
UFUNCS = sorted({*elements.OF_FLOATS, *elements.OF_ALL}, key=lambda f: f.__name__)
DTYPES = np.float32, np.float64


def numbers(dtype, n=257):
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        some = np.concatenate([rng.normal(size=n), 10 * rng.normal(size=n), np.exp(20 * rng.normal(size=n))])
        return np.concatenate([SPECIAL, some]).astype(dtype)


def arguments(function, dtype):
    """Each special number with each other one, if there are two."""
    x = numbers(dtype)
    if function.nin == 1:
        return (x,)
    special = np.array(SPECIAL).astype(dtype)
    left, right = (part.ravel() for part in np.meshgrid(special, special))
    return np.concatenate([x, left]), np.concatenate([x[::-1], right])


@pytest.fixture(scope="module")
def ufuncs():
    with np.errstate(all="ignore"):
        cases = {(f, d): arguments(f, d) for f in UFUNCS for d in DTYPES}
        programs = in_c([(f, args) for (f, _), args in cases.items()])
    return {case: (args, *pair) for (case, args), pair in zip(cases.items(), programs, strict=True)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", UFUNCS, ids=lambda f: f.__name__)
def test_every_ufunc(ufuncs, function, dtype):
    args, program, compiled = ufuncs[function, dtype]
    with np.errstate(all="ignore"):
        expected, got = program(*args), compiled(*args)
        exact = function(*[np.astype(a, np.longdouble) for a in args]).astype(expected.dtype)
    assert ulps(got, expected) <= 4 or ulps(got, exact) <= 1
    if expected.dtype.kind == "f":
        zero = expected == 0
        assert np.array_equal(np.signbit(expected[zero]), np.signbit(got[zero])) or function in AT_ZERO


AT_ZERO = {np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2}
"""Whose zero may be either: NumPy takes one of two by the length of the array, or has lost what was below zero."""


REDUCTIONS = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod, "any": np.any, "all": np.all,
    "var": np.var, "std": np.std,
}  # fmt: skip
AXES = (None, 0, 1, -1, (0, 2), (1, 2))
KEPT = (1, -1, (0, 2))
"""Axes that stay, with a length of 1."""


@pytest.fixture(scope="module")
def reductions():
    rng = np.random.default_rng(0)
    cases = {}
    for dtype in DTYPES:
        for name, function in REDUCTIONS.items():
            x = rng.normal(size=(5, 7, 33)).astype(dtype)
            if name == "prod":  # a product of many numbers has an error of many units, unless it has none
                x = rng.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0], size=x.shape).astype(dtype)
            for axis in AXES:
                reduce = functools.partial(function, axis=axis, keepdims=axis in KEPT)
                cases[name, dtype, axis] = (reduce, (x,))
    programs = zip(cases.items(), in_c(cases.values()), strict=True)
    return {case: (*given, *pair) for (case, given), pair in programs}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_reduction(reductions, name, dtype):
    for axis in AXES:
        function, (x,), program, compiled = reductions[name, dtype, axis]
        size = np.max(function(np.abs(x))) if name in ("sum", "mean") else 0.0  # of terms that may cancel
        assert ulps(compiled(x), program(x), of=size) <= 4, axis
        bad = x.copy()
        bad[2, 3, 4], bad[1, 1, 1] = np.nan, np.inf
        with np.errstate(all="ignore"):
            assert np.array_equal(np.isfinite(compiled(bad)), np.isfinite(program(bad))), axis
            assert np.array_equal(np.isnan(compiled(bad)), np.isnan(program(bad))), axis
