"""Half precision: what counts or adds up many elements must not do it in float16, which ends at 65,504."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from autodiff import Tensor, grad, softmax_cross_entropy, vjp
from autodiff.backpropagation import backward
from autodiff.primitive import registry
from tests.blocks import of_each

MANY = 70_000
VALUES = np.full(MANY, 0.75)
VALUES[::1000] = 0.25  # so that 69,930 elements tie for the largest, and more than 65,520 for the median


def value(function, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(x)


def reduces(entry):
    """Whether a function of the table makes one number of a vector, with nothing else given."""
    try:
        result = value(entry.function, np.array([0.75, 0.5, 0.25]))
    except Exception:  # it needs more than a vector, or is no function of floating-point numbers
        return False
    return isinstance(result, np.float64)


REDUCTIONS = [e for e in registry.values() if reduces(e)]


def slope(entry, x):
    """The gradient of the result, in the dtype of x, or None if none flows."""
    t = Tensor(x)
    result = value(entry.call, t)
    return backward({result._node: np.ones((), result.dtype)}).get(t._node) if result._node.active else None


def test_there_are_reductions_to_try():
    assert {
        "sum", "mean", "average", "std", "var", "max", "min", "ptp", "median", "nansum", "nanmean", "nanstd", "nanvar",
        "nanmax", "nanmedian", "norm", "logsumexp",
    } <= {e.name for e in REDUCTIONS}  # fmt: skip


@of_each("entry", REDUCTIONS)
def test_a_reduction_of_70000_halves_has_the_value_and_the_gradient_of_doubles(entry):
    half = VALUES.astype(np.float16)
    theirs = value(entry.function, half)
    found = value(entry.call, Tensor(half))
    assert found.dtype == theirs.dtype
    np.testing.assert_allclose(found.data.astype(float), np.asarray(theirs, float), rtol=1e-2)
    if np.isfinite(theirs):
        expected = slope(entry, VALUES)
        got = slope(entry, half)
        assert got is None if expected is None else got.dtype == np.float16
        if expected is not None:
            np.testing.assert_allclose(got.astype(float), expected, rtol=1e-2, atol=1e-7)


@pytest.mark.parametrize("by", [0, 1], ids=["the values", "the weights"])
def test_so_has_an_average_with_weights(by):
    def average(*arrays):
        return 1000.0 * np.average(arrays[0], weights=arrays[1])

    weights = np.where(VALUES == 0.25, 2.0, 1.0)  # NumPy's sum of these overflows
    expected = grad(average, by)(VALUES, weights)
    found = grad(average, by)(VALUES.astype(np.float16), weights.astype(np.float16))
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype(float), expected, rtol=1e-2, atol=1e-6)
    assert (
        value(lambda w: np.average(Tensor(VALUES.astype(np.float16)), weights=w, returned=True)[1], weights) == 70_070
    )


def test_elements_named_many_times_get_the_sum_of_all():
    places = np.zeros(5000, dtype=int)
    for function in (lambda x: x[places], lambda x: np.take(x, places), lambda x: np.repeat(x, 5000)):
        found = grad(lambda x, function=function: np.sum(function(x)))(np.ones(1, np.float16))
        assert found.tolist() == [5000.0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.ones((5000, 1), np.float16) * x,
        lambda x: np.ones((5000, 2, 1), np.float16) + x,
        lambda x: np.broadcast_to(x, (5000, 1)),
        lambda x: np.tile(x, (5000, 1)),
        lambda x: np.add.outer(np.ones(5000, np.float16), x),
    ],
)
@pytest.mark.parametrize("recorded", [False, True])
def test_what_is_repeated_many_times_gets_the_sum_of_all(function, recorded):
    x = Tensor(np.ones(1, np.float16))
    y = function(x)
    seed = np.ones(y.shape, np.float16)
    found = vjp(function, x if recorded else x.data)[1](seed)[0]
    assert np.asarray(found.data if recorded else found).tolist() == [float(y.size)]


def test_a_running_sum_of_halves_has_the_sum_of_all_later_cotangents():
    _, pull = vjp(np.cumsum, np.ones(5000, np.float16))
    np.testing.assert_allclose(pull(np.ones(5000, np.float16))[0], 5000.0 - np.arange(5000.0), rtol=1e-3)


def test_a_mean_of_losses_over_70000_rows():
    logits, labels = np.zeros((MANY, 2)), np.zeros(MANY, dtype=int)
    expected = grad(lambda x: softmax_cross_entropy(x, labels, True))(logits)
    found = grad(lambda x: softmax_cross_entropy(x, labels, True))(logits.astype(np.float16))
    np.testing.assert_allclose(found.astype(float), expected, rtol=1e-2)
    assert softmax_cross_entropy(logits.astype(np.float16), labels, True) == np.float16(np.log(2.0))


SPREAD_OUT = ["mean", "average", "std", "var", "median", "nanmean", "nanstd", "nanvar", "nanmedian", "logsumexp"]


@pytest.mark.parametrize("name", SPREAD_OUT)
def test_what_a_sum_is_only_on_the_way_to_does_not_overflow(name):
    """NumPy's own value is infinite here for a variance, and for the mean that leaves NaN out."""
    entry = next(e for e in REDUCTIONS if e.name == name)
    x = np.linspace(1.0, 2.0, MANY).astype(np.float16)
    wide = x.astype(float)
    found, expected = value(entry.call, Tensor(x)), value(entry.call, Tensor(wide))
    assert found.dtype == np.float16
    np.testing.assert_allclose(float(found.data), float(expected.data), rtol=2e-3)
    np.testing.assert_allclose(slope(entry, x).astype(float), slope(entry, wide), rtol=1e-2, atol=1e-7)
