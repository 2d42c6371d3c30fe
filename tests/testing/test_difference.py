"""How far two results lie apart."""

import numpy as np
import pytest

import nn
from autodiff import Tensor
from autodiff.testing import difference


def test_it_is_relative_to_the_largest_element_of_the_reference():
    assert difference(np.array([1.0, 2.0, -4.0]), np.array([1.0, 3.0, -4.0])) == 0.25
    assert difference(np.array([1.0, 3.0, -4.0]), np.array([1.0, 2.0, -4.0])) == 0.25
    assert difference(1.5, 1.0) == 0.5


def test_it_is_absolute_where_the_reference_is_zero():
    assert difference(np.array([0.0, 0.125]), np.zeros(2)) == 0.125


def test_of_a_nesting_it_is_the_largest_of_its_arrays_each_in_its_own_scale():
    ours = {"large": np.array([1000.0]), "small": [np.array([1.5]), (2.0,)]}
    theirs = {"small": [np.array([1.0]), (2.0,)], "large": np.array([1001.0])}  # keys match, whatever their order
    assert difference(ours, theirs) == 0.5
    assert difference([], []) == 0.0


def test_leaves_may_be_tensors_numbers_modules_integers_and_complex_numbers():
    assert difference(Tensor([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0
    assert difference(np.array([1, 2], np.uint8), np.array([2, 2], np.uint8)) == 0.5
    assert difference(np.array([3 + 4j]), np.array([0 + 0j])) == 5.0
    assert difference(np.array([True]), np.array([False])) == 1.0
    assert difference(nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=0)) == 0.0
    assert difference(nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=1)) > 0.1


def test_float32_is_compared_without_rounding_the_difference():
    one, next_one = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    assert difference(next_one, one) == 2.0**-23


@pytest.mark.parametrize(
    ("ours", "reference", "expected"),
    [
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([-np.inf, 1.0], [np.inf, 1.0], np.inf),
        ([2.0, 1.0], [np.inf, 1.0], np.inf),
        ([np.inf, 1.0], [2.0, 1.0], np.inf),
        ([np.nan, 1.0], [1.0, 1.0], np.nan),
        ([1.0, 1.0], [np.nan, 1.0], np.nan),
        ([np.nan], [np.nan], np.nan),
        ([np.inf], [np.inf], 0.0),
    ],
)
def test_infinities_and_nan_are_never_near(ours, reference, expected):
    np.testing.assert_equal(difference(np.array(ours), np.array(reference)), expected)


def test_a_nan_is_not_lost_beside_other_arrays():
    assert np.isnan(difference([1.0, np.nan, 2.0], [1.0, 1.0, 2.0]))
    assert np.isnan(difference([np.nan, 5.0], [1.0, 1.0]))


def test_empty_arrays_do_not_differ():
    assert difference(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


@pytest.mark.parametrize(
    ("ours", "reference", "words"),
    [
        (np.zeros((3, 1)), np.zeros(3), r"difference: the shapes are \(3, 1\) and \(3,\)"),
        (0.0, np.zeros(3), "reshape"),
        ({"a": 1.0}, {"b": 1.0}, "difference: the keys are"),
        ([1.0], [1.0, 2.0], "difference: got a list of 1 where a list of 2"),
    ],
)
def test_what_does_not_correspond_is_refused(ours, reference, words):
    with pytest.raises(ValueError, match=words):
        difference(ours, reference)
