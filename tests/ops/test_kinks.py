"""Second derivatives at kinks: right, or NaN; never a finite number that is wrong."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from autodiff import checkpoint, grad, hessian, hvp, jacobian, jvp, logsumexp, stop_gradient
from autodiff.primitive import Composite, Primitive, registry
from autodiff.scipy import load
from autodiff.testing.table.samples import kink_calls
from tests.blocks import of_each
from tests.testing.seeds import in_turn

load()
ENTRIES = [e for e in registry.values() if kink_calls(e) and not (isinstance(e, Primitive) and e.flat)]
AROUND = {  # what a kink is part of
    "alone": lambda y: y,
    "squared": lambda y: y * y,
    "in a smooth function": lambda y: np.sin(y) + 0.5 * y * y,
}
NEAR = 1e-7
NEARER = 1e-12
"""For second derivatives that go to their limit as slowly as the root of the distance."""


def scalar(call, around, arrays, i):
    """The weighted sum of the outputs, as a function of the i-th array."""

    def f(x):
        results = call(*arrays[:i], x, *arrays[i + 1 :])
        total = 0.0
        for part in results if isinstance(results, list | tuple) else [results]:
            weights = 1.0 + 0.5 * np.arange(np.size(part)).reshape(np.shape(part))
            total = total + np.sum(around(np.real(part)) * weights)
        return total

    return f


def second(f, x):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return hessian(f)(x)


def pieces(f, x, near):
    """The second derivatives of the smooth pieces that meet at x."""
    directions = np.random.default_rng(0).uniform(0.3, 1.0, (24, *x.shape))
    signs = np.random.default_rng(1).choice([-1.0, 1.0], directions.shape)
    return np.stack([second(f, x + near * d) for d in directions * signs])


def products(f, x):
    """The Hessian, a column at a time."""
    basis = np.eye(x.size).reshape(x.size, *x.shape)
    with np.errstate(all="ignore"):
        return np.stack([np.ravel(hvp(f, (x,), (e,))[0]) for e in basis], axis=-1)


def check(f, x, near=NEAR):
    """A finite second derivative is that of a piece, and of all of them if they agree."""
    around = pieces(f, x, near).reshape(-1, x.size, x.size)
    smooth = np.all(np.isclose(around[0], around, rtol=1e-4, atol=1e-5), axis=0)
    for found in (np.reshape(second(f, x), (x.size, x.size)), products(f, x)):
        fits = np.isclose(found, around, rtol=1e-4, atol=1e-5)
        right = np.where(smooth, np.all(fits, axis=0), np.any(fits, axis=0))
        assert np.all(right | ~np.isfinite(found)), (found, around[:3])


@of_each("entry", ENTRIES, size=8)
def test_a_second_derivative_at_a_kink_is_right_or_nan(entry, rng):
    for number, call in enumerate(kink_calls(entry), len(entry.name)):
        arrays = call.arrays(rng)
        for i in range(len(arrays)):
            for around in in_turn(list(AROUND.values()), number + i, 2):
                check(scalar(call, around, arrays, i), arrays[i])


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.std(x) ** 2, np.ones(3)),
        (lambda x: np.nanstd(x) ** 2, np.ones(3)),
        (lambda x: np.linalg.norm(x) ** 2, np.zeros(2)),
        (lambda x: np.linalg.norm(x, 3) ** 2, np.zeros(2)),
        (lambda x: np.linalg.norm(x, 1.5) ** 2, np.array([0.0, 1.0])),
        (lambda x: np.linalg.norm(x, np.inf) ** 2, np.ones(2)),
        (lambda x: np.linalg.norm(x, "nuc") ** 2, np.zeros((1, 1))),
        (lambda x: np.abs(x) ** 2, np.zeros(())),
        (lambda x: np.abs(x + 0.0j) ** 2, np.zeros(())),
        (lambda x: np.fabs(x) ** 2, np.zeros(())),
        (lambda x: np.copysign(x, 2.0) ** 2, np.zeros(())),
        (lambda x: np.hypot(x[0], x[1]) ** 2, np.zeros(2)),
        (lambda x: np.arctan2(x[0], x[1]) ** 2, np.zeros(2)),
        (lambda x: np.max(x) ** 2, np.array([1.0, 0.5, 1.0])),
        (lambda x: np.maximum(x[0], x[1]) ** 2, np.ones(2)),
        (lambda x: np.sum(np.sort(x) ** 2), np.array([1.0, 0.5, 1.0])),
        (lambda x: np.median(x) ** 2, np.array([1.0, 1.0, 0.5])),
    ],
)
def test_a_convention_for_the_first_derivative_is_none_for_the_second(f, x):
    assert np.all(np.isfinite(grad(f)(x)))
    check(f, x, NEARER if x.tolist() == [0.0, 1.0] else NEAR)
    with np.errstate(all="ignore"):
        assert np.isnan(hvp(f, (x,), (np.ones_like(x),))).any()


ACROSS = {  # functions of p with a kink in p[0], or at p[0] = p[1], whose slope changes with p[2] outside of it
    "absolute": lambda p: np.abs(p[0]) * p[2],
    "fabs": lambda p: np.fabs(p[0]) * p[2],
    "complex": lambda p: np.abs(p[0] * (1.0 + 2.0j)) * p[2],
    "copysign": lambda p: np.copysign(p[0], 1.0) * p[2],
    "maximum": lambda p: np.maximum(p[0], p[1]) * p[2],
    "fmin": lambda p: np.fmin(p[0], p[1]) * p[2],
    "max": lambda p: np.max(p[:2]) * p[2],
    "min": lambda p: np.exp(np.min(p[:2]) * p[2]),
    "ptp": lambda p: np.ptp(p[:2]) * p[2],
    "sort": lambda p: np.sort(p[:2])[0] * p[2],
    "median": lambda p: np.median(np.stack([p[0], p[1], p[1] + 1.0])) * p[2],
    "std": lambda p: np.std(p[:2]) * p[2],
    "hypot": lambda p: np.hypot(p[0], p[1]) * p[2],
    "norm": lambda p: np.linalg.norm(p[:2]) * p[2],
    "norm of order 1": lambda p: np.linalg.norm(p[:2], 1) * p[2],
    "norm of order 3": lambda p: np.linalg.norm(p[:2], 3) * p[2],
    "sum of sizes": lambda p: np.sum(np.abs(p)) ** 2,
    "arctan2": lambda p: np.arctan2(p[0], p[1]) * p[2],
    "singular value": lambda p: np.linalg.svd(p[:1, None], compute_uv=False)[0] * p[2],
}


@pytest.mark.parametrize("f", ACROSS.values(), ids=ACROSS)
def test_a_convention_is_no_factor_of_a_second_derivative(f):
    p = np.array([0.0, 0.0, 1.5])
    first = grad(f)(p)
    assert np.all(np.isfinite(first))
    with np.errstate(all="ignore"):
        assert np.isnan(jacobian(grad(f), mode="reverse")(p)[0, 2])
        assert np.isnan(jacobian(grad(f), mode="forward")(p)[0, 2])
        assert np.isnan(hvp(f, (p,), (np.array([1.0, 0.0, 0.0]),))[0][2])
        assert np.isnan(jvp(grad(f), (p,), (np.array([0.0, 0.0, 1.0]),))[1][0])
        for found in (hessian(f)(p), hessian(checkpoint(f))(p), products(f, p), products(checkpoint(f), p)):
            assert np.isnan([found[0, 2], found[2, 0]]).all()
        # but of a first one, whichever way it is computed, and whatever else is differentiated around it
        np.testing.assert_allclose(jacobian(f, mode="forward")(p), first)
        changes = []

        def along(p):
            change = jvp(f, (p,), (np.ones(3),))[1]
            changes.append(stop_gradient(change))
            return np.sum(change)

        assert np.isnan(grad(along)(p)).any()
    np.testing.assert_allclose(changes[0].data, np.sum(first))


@pytest.mark.parametrize("p", [[0.0, 1.0], [0.0, 0.0], [0.0, 2.0], [0.0, 3.0], [2.0, 0.0], [-2.0, 2.0]])
def test_second_derivatives_of_a_power_are_symmetric_where_they_are_numbers(p):
    found = second(lambda p: p[0] ** p[1], np.array(p))
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.sum(np.where(x != 0, np.abs(x), 0.0) ** 2), [0.0, 2.0], [[0.0, 0.0], [0.0, 2.0]]),
        (lambda x: np.sum(np.where(x != 0, np.abs(x), x * x)), [0.0, 2.0], [[2.0, 0.0], [0.0, 0.0]]),
        (lambda x: np.where(np.sum(x * x) > 0, np.linalg.norm(x), 0.0), [0.0, 0.0], [[0.0, 0.0], [0.0, 0.0]]),
        (lambda x: x[1] ** 2 + np.where(x[0] == x[1], 0.0, np.maximum(x[0], x[1])), [1.0, 1.0], [[0, 0], [0, 2.0]]),
        (lambda x: np.sort(x)[0] ** 2, [2.0, 1.0], [[0.0, 0.0], [0.0, 2.0]]),
        (lambda x: np.sum(np.clip(x, 0.0, 1.0) ** 2), [0.0, 0.5], [[0.0, 0.0], [0.0, 2.0]]),
    ],
)
def test_a_kink_that_is_not_chosen_is_none(f, x, expected):
    np.testing.assert_allclose(second(f, np.array(x)), expected)


def test_a_logarithm_of_a_sum_keeps_its_second_derivative_where_all_are_equal():
    p = np.full(3, 1 / 3)
    np.testing.assert_allclose(hessian(logsumexp)(np.zeros(3)), np.diag(p) - np.outer(p, p), atol=1e-15)


def test_every_entry_with_a_kink_is_here():
    assert {"absolute", "maximum", "max", "std", "norm", "sort", "hypot", "relu", "limit"} <= {e.name for e in ENTRIES}
    assert all(isinstance(e, Primitive | Composite) for e in ENTRIES)
