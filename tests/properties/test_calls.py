"""Calls as NumPy takes them: positional arguments in its order, its keywords, its defaults written out."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from autodiff import Tensor, grad, logsumexp, scatter_add
from autodiff.primitive import Primitive, registry

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.5]])
MASK = np.array([[True, False, True], [True, True, False]])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, 0, None, None, True),
        lambda x: np.max(x, 0, None, True),
        lambda x: np.amin(x, 1, None, True),
        lambda x: np.prod(x, 1, None, None, True),
        lambda x: np.mean(x, 0, None, None, True),
        lambda x: np.var(x, 0, None, None, 1),
        lambda x: np.std(x, 0, None, None, 1, True),
        lambda x: np.ptp(x, 1, None, True),
        lambda x: np.nansum(x, 0, None, None, True),
        lambda x: np.nanmax(x, 0, None, True),
        lambda x: np.median(x, 0, None, False, True),
        lambda x: np.quantile(x, 0.3, 1, None, False, "hazen"),
        lambda x: np.cumsum(x, 1, None, None),
        lambda x: np.sort(x, 1, None, None),
        lambda x: np.take(x, [0, 2], 1, None, "wrap"),
        lambda x: np.clip(x, -1.0, 2.0, None),
        lambda x: np.trace(x, 0, 0, 1, None, None),
        lambda x: np.compress([True, False], x, 0, None),
        lambda x: np.sum(x, initial=2.0, where=MASK),
        lambda x: np.max(x, axis=1, initial=2.0, where=MASK),
        lambda x: np.nanmin(x, axis=1, initial=0.0, where=MASK),
        lambda x: np.prod(x, axis=0, where=MASK, initial=3.0),
        lambda x: np.var(x, axis=1, correction=1),
        lambda x: np.reshape(x, (3, 2), "F"),
        lambda x: np.ravel(x, "F"),
        lambda x: np.copy(x, "C"),
        lambda x: np.concatenate((x, x), 0, None, dtype=np.float64),
        lambda x: np.vstack((x, x), dtype=np.float64, casting="unsafe"),
        lambda x: np.stack((x, x), 1, None, dtype=np.float64),
        lambda x: np.einsum("ij->j", x, out=None),
        lambda x: np.nan_to_num(x=x),
        lambda x: np.pad(x, ((1, 2), (0, 1)), "reflect"),
        lambda x: np.pad(x, 1, mode="symmetric", reflect_type="even"),
        lambda x: np.pad(x[:, 1], 4, "wrap"),
        lambda x: np.pad(x, 1, "constant", constant_values=x[0, 0]),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)),
        lambda x: np.real(np.emath.sqrt(x)) + np.imag(np.emath.log(x)) + np.imag(np.emath.arcsin(1.3 * x)),
    ],
)
def test_numpys_arguments_mean_what_they_mean_to_numpy(call):
    expected = call(X)
    got = call(Tensor(X))
    np.testing.assert_array_equal(got.data, expected)
    weights = np.cos(np.arange(np.size(expected))).reshape(np.shape(expected))
    slopes = grad(lambda x: np.sum(call(x) * weights))(X)
    for index in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[index] = 1e-6
        difference = (np.sum(call(X + step) * weights) - np.sum(call(X - step) * weights)) / 2e-6
        assert slopes[index] == pytest.approx(difference, abs=1e-8)


@pytest.mark.parametrize("function", [np.sum, np.mean, np.prod, np.var, np.std, np.cumsum, np.cumprod, np.nansum])
def test_the_type_to_compute_in_does_not_change_the_type_of_the_gradient(function):
    x = X.astype(np.float32)
    result = function(Tensor(x), dtype=np.float64)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result.data, function(x, dtype=np.float64))
    assert grad(lambda x: np.sum(function(x, dtype=np.float64)))(x).dtype == np.float32


def test_masks_count_as_integers():
    assert np.sum(Tensor(X) > 0, dtype=int).item() == 4
    assert np.any(Tensor(X) > 2, axis=1, where=MASK).data.tolist() == [False, True]


def test_an_initial_value_that_ties_takes_its_share():
    np.testing.assert_array_equal(grad(lambda x: np.max(x, initial=3.0))(X), [[0, 0, 0], [0.5, 0, 0]])
    np.testing.assert_array_equal(grad(lambda x: np.max(x, initial=4.0))(X), np.zeros_like(X))


def test_the_variance_of_complex_numbers_has_the_conjugate_as_its_derivative():
    z = np.array([1.0 + 2.0j, -0.5 + 0.25j, 2.0 - 1.0j])
    for function in (np.var, np.std, np.nanvar, np.nanstd):
        slopes = grad(function)(z)
        for i in range(3):
            step = np.zeros(3, complex)
            step[i] = 1e-6
            along = (function(z + step) - function(z - step)) / 2e-6
            across = (function(z + 1j * step) - function(z - 1j * step)) / 2e-6
            assert slopes[i] == pytest.approx(along - 1j * across, abs=1e-8)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t.max(0, 1, 2, 3, 4, 5, 6, 7), r"^max: takes \d+ positional arguments, got 9"),
        (lambda t: t.max(0, axis=1), "^max: got two values for 'axis'"),
        (lambda t: np.cov(t, rowvar=True, nonsense=1), "nonsense"),
        (lambda t: t.var(ddof=1, correction=2), "^var: ddof and correction"),
        (lambda t: np.nanmax(t, where=MASK), "^nanmax: where= needs initial="),
        (lambda t: np.max(t, axis=5), r"^max: axis 5 is out of bounds .*float64 \(2, 3\)"),
        (lambda t: np.split(t, 2, axis=5), "^split: "),
        (lambda t: np.cumsum(t, dtype=int), "^cumsum: the result would be int64"),
        (lambda t: np.pad(t, 1, mode="mean"), "^pad: mode='mean' is not differentiated; use"),
        (lambda t: np.pad(t, 1, mode="edge", constant_values=1.0), "^pad: constant_values= goes with"),
        (lambda t: np.pad(t, 1, mode="reflect", reflect_type="odd"), "^pad: reflect_type="),
        (lambda t: np.pad(t, 1, constant_values=t[0]), "^pad: a Tensor as constant_values"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_the_function(call, words):
    with pytest.raises((TypeError, ValueError, IndexError), match=words):
        call(Tensor(X))


def test_an_axis_that_is_not_there_is_numpys_error():
    with pytest.raises(np.exceptions.AxisError, match="^sum: "):
        np.sum(Tensor(X), axis=2)


def test_no_function_reads_a_positional_argument_as_another():
    """What stands in NumPy's order may be passed on as it is; the rest must be keyword arguments by then."""
    for function, entry in registry.items():
        if isinstance(function, np.ufunc) or not function.__module__.startswith("numpy"):
            continue
        if isinstance(entry, Primitive) and entry.variadic:
            continue
        try:
            theirs = list(inspect.signature(function).parameters)
        except ValueError:
            continue
        for ours, name in zip(entry.parameters[: entry.agreed], theirs, strict=False):
            assert ours == name or (ours not in theirs and name not in entry.parameters), entry.name


# -- a ufunc's other methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "fmin", "logaddexp", "subtract", "hypot", "divide"])
@pytest.mark.parametrize(
    "method",
    [
        lambda u, x: u.reduce(x),
        lambda u, x: u.reduce(x, axis=-1, keepdims=True),
        lambda u, x: u.reduce(x[0], axis=None, dtype=np.float64),
        lambda u, x: u.accumulate(x),
        lambda u, x: u.accumulate(x, 1),
        lambda u, x: u.reduceat(x, [0, 2, 1], axis=1),
        lambda u, x: u.outer(x[0], x[1]),
        lambda u, x: u.reduce(x[:1]),
    ],
)
def test_methods_of_ufuncs(name, method):
    ufunc, x = getattr(np, name), np.abs(X) + 0.5
    expected = method(ufunc, x)
    result = method(ufunc, Tensor(x))
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.data, expected, rtol=1e-14)
    weights = np.cos(np.arange(expected.size)).reshape(expected.shape)
    slopes = grad(lambda x: np.sum(method(ufunc, x) * weights))(x)
    second = grad(lambda x: np.sum(grad(lambda x: np.sum(method(ufunc, x) * weights))(x) * x))(x)
    assert np.all(np.isfinite(second))
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        difference = (np.sum(method(ufunc, x + step) * weights) - np.sum(method(ufunc, x - step) * weights)) / 2e-6
        assert slopes[index] == pytest.approx(difference, abs=1e-8)


def test_methods_of_ufuncs_at_their_edges():
    empty = Tensor(np.zeros((0, 3)))
    np.testing.assert_array_equal(np.add.reduce(empty).data, np.zeros(3))
    np.testing.assert_array_equal(np.logaddexp2.reduce(empty).data, np.full(3, -np.inf))
    with pytest.raises(ValueError, match="^arctan2: nothing to reduce"):
        np.arctan2.reduce(empty)
    assert np.add.reduce(Tensor(X), initial=2.0, where=MASK, axis=None).item() == np.add.reduce(
        X, initial=2.0, where=MASK, axis=None
    )
    assert np.hypot.reduce(Tensor(X), initial=2.0).data.tolist() == np.hypot.reduce(X, initial=2.0).tolist()
    assert np.add.accumulate(empty).shape == (0, 3)
    np.testing.assert_array_equal(np.where(Tensor(X) > 0)[0], np.where(X > 0)[0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.add.at(t, [0], 1.0), r"^add: .*index_add"),
        (lambda t: np.greater.accumulate(t), r"^greater: np.greater.accumulate has no derivative"),
        (lambda t: np.subtract.reduce(t, axis=(0, 1)), "^subtract: .*along one axis"),
        (lambda t: np.subtract.reduce(t, axis=4), "^subtract: axis 4"),
        (lambda t: np.hypot.reduce(t, where=MASK), "^hypot: .* 'where'"),
        (lambda t: np.add.reduceat(t, [0, 5]), "^add: index 5 is out of range"),
        (lambda t: np.add.outer(t, t, casting="no"), "^add: .*'casting'"),
        (lambda t: np.add.accumulate(t, out=np.zeros((2, 3))), "^add: would write"),
        (lambda t: np.einsum(t, [0, "a"]), "^einsum: .*no subscripts"),
        (lambda t: np.einsum("ij,jk", t), "^einsum: "),
    ],
)
def test_methods_that_are_refused(call, words):
    with pytest.raises((TypeError, ValueError, IndexError), match=words):
        call(Tensor(X))


def test_einsum_with_lists_of_integers():
    y = np.arange(12.0).reshape(3, 4)
    for call in (
        lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]),
        lambda a, b: np.einsum(a, [0, 1], b, [1, 2]),
        lambda a, b: np.einsum(a, [Ellipsis, 1], b, [1, 2], [Ellipsis, 2]),
    ):
        np.testing.assert_array_equal(call(Tensor(X), y).data, call(X, y))
        np.testing.assert_allclose(grad(lambda b, call=call: np.sum(call(X, b)))(y), np.sum(X, 0)[:, None] * np.ones(4))


# -- numbers that have no gradient -------------------------------------------------------------------------------


def test_integers_and_truth_values_are_constants_that_numpy_may_have():
    x = np.array([1.5, 3.25])
    whole = Tensor(x).astype(int)
    assert whole.dtype == np.dtype(int)
    assert whole.data.tolist() == [1, 3]
    assert np.arange(5.0)[whole].tolist() == [1.0, 3.0]
    assert np.arange(2)[Tensor(x) > 2].tolist() == [1]
    assert np.asarray(Tensor(x) > 2, dtype=float).tolist() == [0.0, 1.0]
    assert np.array(np.argmax(Tensor(x))) == 1
    np.testing.assert_array_equal(grad(lambda x: np.sum(x[x.astype(int) % 2] * x.astype(int)))(x), [0.0, 4.0])
    with pytest.raises(TypeError, match="lose its gradient"):
        np.asarray(np.floor(Tensor(x)))


def test_functions_of_our_own_say_who_they_are_of_arrays_too():
    with pytest.raises(np.exceptions.AxisError, match="^logsumexp: axis 5"):
        logsumexp(X, axis=5)
    with pytest.raises(IndexError, match="^scatter_add: "):
        scatter_add(np.ones(1), np.array([5]), (2,))
