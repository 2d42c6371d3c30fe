"""What is true of every distribution of one number: SciPy's values and calls, edges, wrong parameters, precision."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from autodiff import Tensor, grad, jacobian, jit, vmap
from autodiff.scipy import stats
from tests.blocks import of_each

SHAPES = {
    "norm": {},
    "lognorm": {"s": 0.7},
    "expon": {},
    "uniform": {},
    "laplace": {},
    "cauchy": {},
    "weibull_min": {"c": 1.7},
    "pareto": {"b": 2.5},
    "gamma": {"a": 1.7},
    "chi2": {"df": 3.5},
    "beta": {"a": 1.7, "b": 0.6},
    "t": {"df": 2.5},
    "poisson": {"mu": 3.5},
    "binom": {"n": 17.0, "p": 0.3},
    "nbinom": {"n": 2.5, "p": 0.3},
    "bernoulli": {"p": 0.3},
}
DISCRETE = ("poisson", "binom", "nbinom", "bernoulli")
CASES = [(name, method) for name in SHAPES for method in getattr(stats, name).methods]
X = np.array([-1e8, -300.0, -30.0, -2.0, -0.3, 0.0, 0.2, 0.9, 1.0, 1.25, 3.0, 30.0, 300.0, np.inf, -np.inf])


def named(case):
    return ".".join(case)


def own(name, loc, scale):
    """The location, and the scale of a distribution that has one."""
    return {"loc": loc} if name in DISCRETE else {"loc": loc, "scale": scale}


def ours(case):
    return getattr(getattr(stats, case[0]), case[1])


def theirs(case):
    return getattr(getattr(scipy.stats, case[0]), case[1])


@of_each("case", CASES, label=named)
def test_values_are_scipys(case):
    shapes = SHAPES[case[0]]
    for more in ({}, own(case[0], 1.0 if case[0] in DISCRETE else 0.25, 2.0)):
        with np.errstate(all="ignore"):
            expected = theirs(case)(X, **shapes, **more)
            found = ours(case)(X, **shapes, **more)
        known = ~((np.abs(X) >= 300.0) & np.isinf(expected)) & ~np.isnan(expected)  # where SciPy's overflows
        rounding = 3e-16 if case[1] in ("logcdf", "logsf") else 1e-300  # SciPy's is the logarithm of a number near 1
        np.testing.assert_allclose(found[known], expected[known], rtol=1e-12, atol=rounding)
        assert not np.any(np.isnan(found))


@of_each("case", CASES, label=named)
def test_no_derivative_is_nan_and_outside_of_the_support_it_is_zero(case):
    shapes = list(SHAPES[case[0]].values())
    with np.errstate(all="ignore"):
        every = [*shapes, *own(case[0], 0.0, 2.0).values()]
        value = ours(case)(X, *every)
        slopes = [grad(lambda x: np.sum(ours(case)(x, *every)))(X)]
        for place in range(len(every)):
            slopes.append(
                jacobian(lambda p, place=place: ours(case)(X, *every[:place], p, *every[place + 1 :]))(every[place])
            )
    low, high = getattr(scipy.stats, case[0]).support(*every)
    outside = (low > X) | (high < X)
    for slope in slopes:
        assert not np.any(np.isnan(slope)), (X[np.isnan(slope)], value[np.isnan(slope)])
        assert not np.any(slope[outside])


@of_each("case", CASES, label=named)
def test_single_precision_stays(case):
    x, loc = np.array([1.0, 2.0, 40.0], np.float32), np.float32(0.0 if case[0] in DISCRETE else 0.25)
    every = [*SHAPES[case[0]].values(), *own(case[0], loc, 1.5).values()]
    with np.errstate(all="ignore"):
        found = ours(case)(x, *every)
        slope = grad(lambda x: np.sum(ours(case)(x, *every)))(x)
        expected = theirs(case)(x.astype(float), *every)
    assert found.dtype == slope.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-28)
    assert np.all(np.isfinite(slope))


@of_each("case", CASES, label=named)
def test_parameters_that_are_not_allowed_give_nan_and_a_gradient_of_nan(case):
    distribution, shapes = getattr(stats, case[0]), list(SHAPES[case[0]].values())
    every = [*shapes, *own(case[0], 0.0, 1.0).values()]
    for k, name in enumerate(distribution.parameters):
        if name == "loc" or (case[0], name) == ("binom", "n"):  # n counts, and has no derivative
            continue
        before, after = every[:k], every[k + 1 :]
        with np.errstate(all="ignore"):
            value = ours(case)(1.0, *before, -1.0, *after)
            slope = grad(lambda p, before=before, after=after: ours(case)(1.0, *before, p, *after))(-1.0)
        assert np.isnan(value)
        assert np.isnan(slope), distribution.parameters[k]


@pytest.mark.parametrize("name", SHAPES)
def test_a_frozen_distribution_is_the_same(name):
    distribution, shapes = getattr(stats, name), SHAPES[name]
    more = own(name, 0.0, 2.0)
    frozen = distribution(**shapes, **more)
    for method in distribution.methods:
        assert getattr(frozen, method)(1.0) == getattr(distribution, method)(1.0, **shapes, **more)
    assert frozen.median() == getattr(scipy.stats, name)(**shapes, **more).median()
    assert distribution.median(**shapes) == getattr(scipy.stats, name).median(**shapes)
    before = [*shapes.values(), *more.values()][:-1]
    slope = grad(lambda last: distribution(*before, last).logsf(1.0))(0.0 if name in DISCRETE else 2.0)
    assert slope == grad(lambda last: distribution.logsf(1.0, *before, last))(0.0 if name in DISCRETE else 2.0)
    assert repr(frozen).startswith(f"autodiff.scipy.stats.{name}(")
    assert "loc=0.0" in repr(frozen)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: stats.norm.logpdf(1.0, 2.0, 3.0, 4.0), r"^norm\.logpdf: got 3 parameters; they are loc, scale"),
        (lambda: stats.norm.cdf(1.0, mean=2.0), r"^norm\.cdf: has no parameter 'mean'"),
        (lambda: stats.norm.cdf(1.0, 2.0, loc=2.0), r"^norm\.cdf: got two values for 'loc'"),
        (lambda: stats.lognorm.pdf(1.0), r"^lognorm\.pdf: missing s; the parameters are s, loc, scale"),
        (lambda: stats.norm(1.0, 2.0, 3.0), r"^norm\(\): got 3 parameters"),
        (lambda: stats.norm.logpdf("a"), r"^norm: takes real numbers"),
        (lambda: stats.norm.logpdf(None), r"^norm: takes real numbers"),
        (lambda: stats.norm.logpdf(1.0, 1j), r"^norm: takes real numbers, and got an array of complex128"),
        (lambda: stats.norm.logpdf(np.ones(2), np.ones(3)), r"^norm: .*\(2,\).*\(3,\)"),
        (lambda: stats.norm.ppf(Tensor(0.5)), r"^scipy\.stats\.norm\.ppf: .*write loc"),
        (lambda: scipy.stats.norm.logpdf(Tensor(0.5)), r"write autodiff\.scipy\.stats\.norm\.logpdf\(x, loc, scale\)"),
    ],
)
def test_a_wrong_call_is_named(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        call()


def test_a_method_that_does_not_exist_is_an_attribute_error():
    assert not hasattr(stats.norm, "logpdff")
    assert not hasattr(stats.norm(0.0, 1.0), "logpdff")


def test_lists_and_integers_are_numbers():
    np.testing.assert_allclose(stats.norm.logpdf([1, 2], [0, 0], 2), scipy.stats.norm.logpdf([1, 2], 0, 2))
    assert grad(lambda loc: np.sum(stats.norm.logpdf([1, 2], loc)))(0.5) == pytest.approx(2.0)
    assert stats.norm.logpdf(np.zeros((0, 2)), np.zeros(2)).shape == (0, 2)


def test_parameters_broadcast_and_get_gradients_of_their_shapes():
    x, loc, scale = np.linspace(0.0, 1.0, 6).reshape(2, 3), np.zeros((2, 1)), np.array([1.0, 2.0, 3.0])
    slopes = grad(lambda *p: np.sum(stats.norm.logpdf(*p)), (0, 1, 2))(x, loc, scale)
    np.testing.assert_allclose(slopes[0], -(x - loc) / scale**2)
    np.testing.assert_allclose(slopes[1], np.sum((x - loc) / scale**2, axis=1, keepdims=True))
    np.testing.assert_allclose(slopes[2], np.sum((x - loc) ** 2 / scale**3 - 1 / scale, axis=0))


def test_recorded_and_mapped_it_is_the_same():
    x = np.array([0.5, 1.5, 2.5])
    slope = grad(lambda x, s: np.sum(stats.lognorm.logsf(x, s)), (0, 1))
    recorded = jit(slope)
    for _ in range(3):
        for found, expected in zip(recorded(x, 0.8), slope(x, 0.8), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-15)
    each = vmap(grad(lambda x, s: stats.lognorm.logsf(x, s), 1), (0, None))(x, 0.8)
    np.testing.assert_allclose(np.sum(each), slope(x, 0.8)[1], rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "x", "value", "slope"),
    [  # from formulas in 40 digits
        (lambda x: stats.norm.logsf(x), 30.0, -454.32124395634319711, -30.033259667433668737),
        (lambda x: stats.cauchy.logcdf(x), -1e12, -28.775751001777948385, 1e-12),
        (lambda x: stats.cauchy.logpdf(x), 1e200, -922.17876708346767378, -2e-200),
        (lambda x: stats.laplace.logsf(x), 1e8, -100000000.69314718056, -1.0),
        (lambda x: stats.weibull_min.logcdf(x, 2.0), 1e-200, -921.03403719761827361, 2e200),
        (lambda x: stats.pareto.logsf(x, 3.0), 1e100, -690.77552789821370521, -3e-100),
        (lambda x: stats.expon.logcdf(x), 40.0, -4.2483542552915889953e-18, 4.2483542552915889953e-18),
    ],
)
def test_far_tails_have_all_digits(call, x, value, slope):
    assert call(x) == pytest.approx(value, rel=1e-14)
    assert grad(call)(x) == pytest.approx(slope, rel=1e-12)


def test_the_slope_of_a_distribution_function_is_the_density_at_a_kink_of_the_density_too():
    assert grad(stats.laplace.cdf)(0.0) == 0.5
    assert grad(stats.laplace.logpdf)(0.0) == 0.0
    assert grad(stats.uniform.cdf, 2)(0.5, 0.0, 2.0) == -0.125
