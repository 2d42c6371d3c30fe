"""A zero that is the value of a product is none of selection: derivatives are right, NaN or infinite, never wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff import checkpoint, grad, hessian, vjp, vmap
from tests.test_structural import quick, transforms


def twice(function):
    """The product of a function with itself, by an operation that multiplies two arrays."""
    return lambda x: function(x) * function(x)


def pairs(x):
    return np.stack([x, x], axis=-1)


def uneven(x):
    return np.stack([x, x * 0.5], axis=-1)


ROOT = np.sqrt
PROGRAMS = {  # of each element; all are x where x >= 0
    "square of root": lambda x: ROOT(x) ** 2,
    "square": lambda x: np.square(ROOT(x)),
    "product": twice(ROOT),
    "product of powers": lambda x: x**0.25 * x**0.75,
    "exp of log": lambda x: np.exp(np.log(x)),
    "exp2 of log2": lambda x: np.exp2(np.log2(x)),
    "expm1 of log": lambda x: np.expm1(np.log(x)) + 1.0,
    "cube of cube root": lambda x: np.cbrt(x) ** 3,
    "inverse of inverse": lambda x: 1.0 / (1.0 / x),
    "reciprocals": lambda x: np.reciprocal(np.reciprocal(x)),
    "gamma": lambda x: (x ** (1 / 2.2)) ** 2.2,
    "quotient": lambda x: x**1.5 / x**0.5,
    "maximum": lambda x: np.maximum(ROOT(x), 0.0) ** 2,
    "maximum, twice": lambda x: np.maximum(ROOT(x), 0.5 * ROOT(x)) ** 2,
    "clip": lambda x: np.clip(ROOT(x), 0.0, 3.0) ** 2,
    "clip from above": lambda x: np.clip(-ROOT(x), -3.0, 0.0) ** 2,
    "abs": lambda x: np.abs(ROOT(x)) ** 2,
    "hypot": lambda x: np.hypot(ROOT(x), 0.0) ** 2,
    "length": lambda x: np.linalg.norm(pairs(ROOT(x)), axis=-1) ** 2 / 2.0,
    "power norm": lambda x: np.linalg.norm(pairs(x ** (1 / 3)), 3, axis=-1) ** 3 / 2.0,
    "sum of squares": lambda x: np.sum(pairs(ROOT(x)) ** 2, axis=-1) / 2.0,
    "prod": lambda x: np.prod(pairs(ROOT(x)), axis=-1),
    "cumprod": lambda x: np.cumprod(pairs(ROOT(x)), axis=-1)[..., 1],
    "einsum": lambda x: np.einsum("...i,...i->...", pairs(ROOT(x)), pairs(ROOT(x))) / 2.0,
    "vecdot": lambda x: np.vecdot(pairs(ROOT(x)), pairs(ROOT(x))) / 2.0,
    "matmul": lambda x: np.squeeze(pairs(ROOT(x))[..., None, :] @ pairs(ROOT(x))[..., :, None], (-2, -1)) / 2.0,
    "max": lambda x: np.max(uneven(ROOT(x)), axis=-1) ** 2,
    "sort": lambda x: np.sort(uneven(ROOT(x)), axis=-1)[..., 1] ** 2,
    "where that takes it": lambda x: np.where(x > -1.0, ROOT(x) * ROOT(x), 5.0),
    "mask that takes it": lambda x: (ROOT(x) * (x > -1.0)) ** 2,
    "index that takes it": lambda x: pairs(ROOT(x))[..., 0] * pairs(ROOT(x))[..., 1],
    "checkpointed root": lambda x: checkpoint(ROOT)(x) ** 2,
    "checkpointed square": lambda x: checkpoint(lambda r: r**2)(ROOT(x)),
    "both checkpointed": lambda x: checkpoint(lambda r: r**2)(checkpoint(ROOT)(x)),
    "nested checkpoints": lambda x: checkpoint(lambda v: checkpoint(ROOT)(v) ** 2)(x),
    "a mapped root": lambda x: vmap(ROOT)(np.reshape(x, (-1,))).reshape(np.shape(x)) ** 2,
}
POINT = np.array([0.0, 0.5, 0.0, 1.25])


def is_right_or_not_finite(found, truth, rtol):
    found = np.asarray(found)
    right = np.isclose(found, truth, rtol=rtol, atol=rtol)
    return bool(np.all(right | ~np.isfinite(found)))


def check(f, x, truth, ways):
    """Derivatives of the sum over x, a function of each element with this slope and a second derivative of 0."""
    rtol = 1e-3 if x.dtype == np.float32 else 1e-8
    with np.errstate(all="ignore"):
        gradients, hessians = ways(lambda v: np.sum(f(v)), x)
    for how, found in gradients.items():
        assert is_right_or_not_finite(found, truth, rtol), (how, found)
        regular = np.asarray(found)[..., x > 0]
        np.testing.assert_allclose(regular, truth, rtol=rtol, err_msg=how)  # elements do not spoil each other
    for how, found in hessians.items():
        assert is_right_or_not_finite(found, 0.0, rtol), (how, found)
        np.testing.assert_allclose(np.diag(found)[x > 0], 0.0, atol=rtol, err_msg=how)


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_derivative_is_finite_and_wrong(name):
    check(PROGRAMS[name], POINT, 1.0, transforms)


@pytest.mark.parametrize("name", PROGRAMS)
def test_nor_in_single_precision(name):
    check(PROGRAMS[name], POINT.astype(np.float32), 1.0, quick)


@pytest.mark.parametrize("name", PROGRAMS)
def test_nor_of_a_single_number(name):
    f = PROGRAMS[name]
    with np.errstate(all="ignore"):
        for found in (grad(f)(0.0), vjp(f, 0.0)[1](1.0)[0], vmap(grad(f))(np.zeros(2)), grad(checkpoint(f))(0.0)):
            assert is_right_or_not_finite(found, 1.0, 1e-12)
        for found in (grad(grad(f))(0.0), hessian(f)(0.0), vmap(grad(grad(f)))(np.zeros(2))):
            assert is_right_or_not_finite(found, 0.0, 1e-12)


def test_a_nan_that_matters_stays_a_nan():
    with np.errstate(all="ignore"):
        assert np.isnan(grad(lambda x: np.sqrt(x * x))(0.0))


# -- random programs ---------------------------------------------------------------------------------------------

STEPS = {  # functions, each singular or flat at one of the points, and smooth elsewhere
    "sqrt": np.sqrt, "cbrt": np.cbrt, "square": np.square, "cube": lambda x: x * x * x, "log": np.log, "exp": np.exp,
    "reciprocal": lambda x: 1.0 / x, "power": lambda x: x**0.7, "large power": lambda x: x**2.5,
    "expm1": np.expm1, "log1p": np.log1p, "sin": np.sin, "one less": lambda x: x - 1.0, "negative": np.negative,
    "arcsin": np.arcsin, "arccosh": np.arccosh, "tanh": np.tanh, "arctan": np.arctan, "itself": lambda x: x * x,
    "with its root": lambda x: x * np.sqrt(x), "mask": lambda x: x * (x > -7.3),
    "where": lambda x: np.where(x < 7.3, x, 0.0),
    "other": lambda x: np.where(x < 7.3, x, np.log(x - 7.3)), "clip": lambda x: np.clip(x, -7.3, 7.3),
    "maximum": lambda x: np.maximum(x, -7.3), "checkpoint": checkpoint(lambda x: np.sqrt(x)),
    "pair": lambda x: np.stack([x, x * 0.5])[0],
}  # fmt: skip


def composed(names):
    def f(x):
        for name in names:
            x = STEPS[name](x)
        return x

    return f


def slopes(f, p):
    """One-sided difference quotients, in extended precision, where they have settled."""
    p = np.longdouble(p)
    found = []
    for sign in (1.0, -1.0):
        quotients = [(f(p + sign * h) - f(p)) / (sign * h) for h in (np.longdouble(10.0) ** -k for k in (5, 6, 7))]
        found.append(quotients)
    return found


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=5), st.sampled_from([0.0, 1.0, -1.0, 2.0]))
def test_a_finite_derivative_of_a_random_program_is_that_of_one_side(names, p):
    f = composed(names)
    with np.errstate(all="ignore"):
        value = f(np.float64(p))
        found = np.float64(grad(f)(p))
        mapped = vmap(grad(f))(np.array([p, p]))[0]
        if not np.isfinite(value) or not np.isfinite(found):
            return
        sides = slopes(f, p)
    np.testing.assert_allclose(mapped, found, rtol=1e-12)
    sides = [side for side in sides if np.all(np.isfinite(side))]
    tolerance = 1e-3 * (1.0 + abs(found))
    assert not sides or any(abs(side[-1] - found) < tolerance + 2.0 * abs(side[-1] - side[-2]) for side in sides)


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=5), st.sampled_from([0.0, 1.0, -1.0, 2.0]))
def test_and_a_finite_second_derivative_is_that_of_the_program_close_by(names, p):
    f = composed(names)
    with np.errstate(all="ignore"):
        second = grad(grad(f))
        found = second(p)
        if not np.isfinite(f(np.float64(p))) or not np.isfinite(found):
            return
        assert hessian(f)(p) == found
        sides = [[second(p + sign * h) for h in (1e-4, 1e-5, 1e-6)] for sign in (1.0, -1.0)]
    sides = [side for side in sides if np.all(np.isfinite(side))]
    tolerance = 1e-3 * (1.0 + abs(found))
    assert not sides or any(abs(side[-1] - found) < tolerance + 2.0 * abs(side[-1] - side[-2]) for side in sides)
