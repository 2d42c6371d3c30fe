"""Functions whose differences mislead: a right gradient is never called wrong, and no fault passes beside them."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import elementwise, grad
from autodiff.primitive import registry
from autodiff.testing import gradcheck
from tests.testing.planted import planted, result

special = pytest.importorskip("scipy.special")


@pytest.mark.parametrize("x", [3e4, 36184.590906140846, 3.01846291e5, 430241.0915328741, 4.6e6, 3.38e6, 9e7])
def test_waves_shorter_than_the_steps(x):
    for f in (lambda x: special.fresnel(x)[0], lambda x: np.sum(np.stack(special.fresnel(x)))):
        assert gradcheck(f, np.array([x])).verdict != "wrong"


@pytest.mark.parametrize("seed", [127, 137, 187])
def test_rounding_that_falls_the_same_way_at_many_steps(seed):
    """That of the square inside: at steps of the same digits it looks like a slope that is 1e-6 away."""
    report = gradcheck(special.fresnel, np.array(4235.640625), rng=seed)
    assert report.verdict != "wrong", report


def test_waves_as_short_as_the_distance_of_two_numbers():
    """Each element seems to be at a kink, and all of them to be wrong together."""
    x = [[42083416.04450004, -75097999.83422406, 72714062.09745161]]
    x += [[59262974.87100205, 79109700.49009977, -18579653.32346409]]
    assert gradcheck(special.fresnel, np.array(x), rng=596).verdict == "inconclusive"


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


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda c: (-1e4 + np.sqrt(1e8 - 4.0 * c)) / 2.0, 1.0),
        (lambda x: 1.0 - np.cos(x), 1e-7),
        (lambda x: (np.exp(x) - np.exp(-x)) / 2.0, 1e-7),
        (lambda x: np.log(1.0 + x), 1e-11),
        (lambda x: np.log(1.0 + x), 1e-13),
        (lambda x: np.mean((x.astype(np.float32) * np.float32(3) - np.float32(3000)) ** 2), np.array([0.35, 0.82])),
        (lambda x: np.sin(x.astype(np.float32)) + np.float32(1e4), 0.3),
        (lambda x: np.sin(x) + 1e15, 0.3),
        (lambda x: np.sum(np.sin(x)) + 1e15, np.linspace(0.1, 0.5, 5)),
        (lambda x: np.sum(np.sin(x)) + 1e16, np.linspace(0.1, 0.5, 5)),
        (lambda x: 1e15 * np.sin(x[0]) + np.sin(x[1]), np.array([0.3, 0.7])),
        (lambda x: np.sin((x + 1e10) - 1e10), np.array([0.3, 0.7])),
        (lambda x: np.sum(((x + 1e8) - 1e8) ** 2), np.array([0.3, 0.7])),
    ],
)
def test_rounding_inside_of_a_function_is_not_taken_for_standing_still(f, x):
    for seed in range(6):
        report = gradcheck(f, x, rng=seed)
        assert report.verdict != "wrong", report


@pytest.mark.parametrize(
    ("f", "gradient", "x"),
    [
        (lambda x: np.round(x) * 1.0, lambda x: 1.0 + 0.0 * x, 2.3),
        (lambda x: np.floor(x * 1000.0) / 1000.0, lambda x: 1.0 + 0.0 * x, 0.3337),
        (lambda x: 1.0 - np.cos(x), lambda x: 5.0 * x, 1e-3),
        (lambda x: np.round(x * 1e5) / 1e5, lambda x: 1.0 + 0.0 * x, 0.3123456),
        (lambda c: (-1e4 + np.sqrt(1e8 - 4.0 * c)) / 2.0, lambda c: 2.0 * c, 1.0),
    ],
)
def test_nor_is_standing_still_taken_for_rounding(f, gradient, x):
    for seed in range(6):
        assert gradcheck(f, x, gradient=gradient, rng=seed).verdict == "wrong"


@pytest.mark.parametrize("frequency", [1e10, 1e11, 1e12])
def test_a_function_that_changes_over_the_finest_step(frequency):
    def f(x):
        return x**2 + np.sin(frequency * x) / frequency

    for seed in range(12):
        assert gradcheck(f, 0.7, rng=seed).verdict != "wrong"
        assert gradcheck(f, 0.7, gradient=lambda x: 4.0 * x, rng=seed).verdict == "wrong"


def test_a_straight_through_rule_is_no_rounding():
    straight = elementwise(lambda x: np.round(x), lambda g, x: 1.0 * g)
    for seed in range(6):
        assert gradcheck(lambda x: straight(x * 1e5) / 1e5, 0.3123456, rng=seed).verdict == "wrong"
