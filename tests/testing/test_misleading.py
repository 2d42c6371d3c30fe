"""Functions whose differences mislead: a right gradient is never called wrong, and no fault passes beside them."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import grad
from autodiff.primitive import registry
from autodiff.testing import gradcheck
from tests.testing.planted import planted, result

special = pytest.importorskip("scipy.special")


@pytest.mark.parametrize("x", [3e4, 36184.590906140846, 3.01846291e5, 430241.0915328741, 4.6e6, 3.38e6, 9e7])
def test_waves_shorter_than_the_steps(x):
    for f in (lambda x: special.fresnel(x)[0], lambda x: np.sum(np.stack(special.fresnel(x)))):
        assert gradcheck(f, np.array([x])).verdict != "wrong"


@pytest.mark.parametrize("factor", [1.01, -1.0])
def test_a_fault_where_the_waves_are_longer_is_found(factor):
    def f(x):
        return special.fresnel(x)[0]

    x = np.array(300.25)
    assert gradcheck(f, x, gradient=lambda x: factor * grad(f)(x)).verdict == "wrong"
    assert gradcheck(f, x, gradient=grad(f)).verdict == "correct"


@pytest.mark.parametrize("frequency", [1.0, 30.0])
@pytest.mark.parametrize("amplitude", [1e-6, 1e-3, 1.0, 10.0])
def test_a_function_that_is_lost_in_noise(frequency, amplitude):
    for seed in range(8):
        x = np.random.default_rng(seed).uniform(0.2, 2.0, 3)
        report = gradcheck(lambda x: 1e14 + np.sin(frequency * x) * amplitude, x, rng=seed)
        assert report.verdict != "wrong", report


def test_orders_of_extrapolation_that_agree_by_luck():
    """On a number that is wrong in its fourth digit: other steps tell."""
    small = np.array([[0.0, 4.57522695, 3.33293713], [-3.90598096, 0.0, 2.68248908], [4.50096422, 1.59213247, 0.0]])
    for seed in range(260, 280):
        a = (np.diag([2.0, 3.0, 4.0]) + small * 1e-8).astype(np.float32)
        report = gradcheck(lambda a: np.linalg.svdvals(a), a, rng=seed)
        assert report.verdict != "wrong", report


def test_a_rule_that_compares_with_its_result_is_not_excused():
    """np.min's rule looks for its result among its arguments: a random rounding of copies would leave it no gradient,
    and everything wrong with it would look like rounding."""
    bad = planted(registry[np.min], 0, result(lambda c: c * 1.02))
    mask = np.array([[True, False, True], [True, True, False]])
    a = np.array([[1.33, 0.48, -3.07], [3.62, 2.62, 1.9]])
    report = gradcheck(lambda a: np.cumulative_prod(bad.call(a, axis=1, where=mask, initial=0.25)), a)
    assert (report.verdict, report.index) == ("wrong", (0, 2))


def test_a_point_between_infinities_has_no_slope():
    """1 / gamma is zero at each of these integers, and overflows at everything between."""
    x = np.array(-19599008.0)
    assert special.rgamma(x) == 0.0
    assert not np.isfinite(special.rgamma(x + 0.3))
    report = gradcheck(special.rgamma, x)
    assert report.verdict == "inconclusive"
    assert "not finite on both sides" in report.reason
