"""Ties, NaN, zeros and what is refused, beyond what the table's examples show."""

from __future__ import annotations

import io

import numpy as np
import pytest

from autodiff import Tensor, grad, jacobian, logsumexp, stop_gradient
from autodiff.primitive import refusals
from autodiff.testing import gradcheck

TIED = np.array([2.0, 1.0, 2.0, 2.0])


def test_ties_share_the_gradient_of_sorted_elements():
    weights = np.array([1.0, 10.0, 20.0, 60.0])
    np.testing.assert_allclose(grad(lambda x: np.sum(np.sort(x) * weights))(TIED), [30.0, 1.0, 30.0, 30.0])
    np.testing.assert_allclose(grad(lambda x: np.median(x))(np.ones(3)), [1 / 3] * 3)
    np.testing.assert_allclose(grad(lambda x: np.partition(x, 1)[3])(TIED), [1 / 3, 0.0, 1 / 3, 1 / 3])


def test_nan_is_left_out_or_carried():
    x = np.array([1.0, np.nan, 3.0, 2.0])
    np.testing.assert_allclose(grad(lambda x: np.nanmedian(x))(x), [0, 0, 0, 1])
    np.testing.assert_allclose(grad(lambda x: np.nanmean(x))(x), [1 / 3, 0, 1 / 3, 1 / 3])
    assert np.isnan(np.median(Tensor(x)).data)
    with pytest.warns(RuntimeWarning, match="empty slice"):
        assert np.isnan(np.nanmean(Tensor(x * np.nan)).data)
    with pytest.warns(RuntimeWarning, match="All-NaN"):
        assert np.isnan(np.nanmax(Tensor(x * np.nan)).data)


def test_cumprod_is_right_where_elements_are_zero():
    x = np.array([2.0, 0.0, 3.0, 0.0, 4.0])
    np.testing.assert_allclose(grad(lambda x: np.sum(np.cumprod(x)))(x), [1.0, 8.0, 0.0, 0.0, 0.0])


def test_nanstd_and_corrcoef_at_their_edges():
    assert not np.any(grad(lambda x: np.nanstd(x))(np.ones(3)))
    perfect = np.array([[1.0, 2.0, 3.5], [2.0, 4.0, 7.0]])
    assert np.all(np.isfinite(grad(lambda x: np.corrcoef(x)[0, 1])(perfect)))


@pytest.mark.parametrize("function", list(refusals), ids=[f.__name__ for f in refusals])
def test_what_has_no_derivative_is_refused_with_what_to_write(function):
    t, file = Tensor(np.array([1.0, 2.0])), io.BytesIO()
    arguments = {
        "fill_diagonal": (Tensor(np.eye(2)), 1.0), "put": (t, [0], [1.0]), "put_along_axis": (t, np.array([0]), 1.0, 0),
        "place": (t, np.array([True, False]), [1.0]), "putmask": (t, np.array([True, False]), [1.0]),
        "histogram2d": (t, t), "union1d": (t, t), "intersect1d": (t, t), "setdiff1d": (t, t), "setxor1d": (t, t),
        "isin": (t, t), "in1d": (t, t), "nextafter": (t, 3.0), "polydiv": (t, t), "save": (file, t),
        "savetxt": (file, t), "savez": (file, t), "savez_compressed": (file, t),
    }.get(function.__name__, (t,))  # fmt: skip
    with pytest.raises(TypeError, match=f"^{function.__name__}: "):
        function(*arguments)
    np.testing.assert_array_equal(t.data, [1.0, 2.0])
    assert file.getvalue() == b""


def test_an_unknown_function_names_the_nearest_supported():
    with pytest.raises(TypeError, match=r"nearest supported: .*packbits|no derivative is registered"):
        np.packbits(Tensor(np.ones(3)))


def test_quantiles_refuse_what_they_cannot_do():
    t = Tensor(np.arange(4.0))
    with pytest.raises(ValueError, match="outside"):
        np.quantile(t, 1.5)
    with pytest.raises(TypeError, match="probabilities"):
        np.quantile(t, Tensor(0.5))
    with pytest.raises(ValueError, match="no elements"):
        np.median(Tensor(np.zeros((0, 2))), axis=0)


def test_a_tensor_is_a_sequence_of_its_rows():
    gradient = grad(lambda x: np.sum(np.concatenate(x) * np.arange(4.0)))(np.ones((2, 2)))
    np.testing.assert_array_equal(gradient, [[0.0, 1.0], [2.0, 3.0]])


def test_an_imaginary_constant_times_a_double():
    assert (1j * Tensor(2.0)).dtype == np.complex128


def test_the_mixed_second_derivative_of_a_power_at_exponent_zero():
    """d/db d/da a^b = a^(b - 1) (1 + b log a), which is 1 / a at b = 0."""
    assert grad(lambda b: grad(lambda a: a**b)(0.2))(0.0) == pytest.approx(5.0)
    assert grad(lambda a: a**0.0)(0.0) == 0.0


def test_zeros_are_trimmed_along_every_axis():
    x = np.zeros((4, 5))
    x[1:3, 2:4] = [[1.0, 2.0], [0.0, 3.0]]
    along_rows = np.trim_zeros(x, axis=0)
    np.testing.assert_array_equal(np.trim_zeros(Tensor(x), axis=(0,)).data, along_rows)  # NumPy 2.2.0 takes no tuple
    for kwargs in ({}, {"axis": 0}, {"axis": 1}, {"trim": "f"}, {"trim": "B"}):
        np.testing.assert_array_equal(np.trim_zeros(Tensor(x), **kwargs).data, np.trim_zeros(x, **kwargs))
    assert np.trim_zeros(Tensor(np.zeros((2, 3)))).shape == np.trim_zeros(np.zeros((2, 3))).shape
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.trim_zeros(x)))(x)[1:3, 2:4], np.ones((2, 2)))


def test_a_median_beside_an_infinity_is_numpys():
    x = np.array([[1.0, np.inf], [-np.inf, 2.0]])
    for function in (np.median, np.nanmedian):
        np.testing.assert_array_equal(function(Tensor(x), axis=0).data, function(x, axis=0))
    np.testing.assert_array_equal(grad(lambda x: np.median(x))(np.array([3.0, 1.0, 2.0, 9.0])), [0.5, 0.0, 0.5, 0.0])


def test_what_has_no_order_or_no_range_has_no_histogram():
    with pytest.raises(TypeError, match="complex numbers have no order"):
        np.histogram(Tensor(np.array([1j, 2.0])))
    with pytest.raises(ValueError, match=r"histogram.*not finite"):
        np.histogram(Tensor(np.array([1.0, np.nan])))
    with pytest.raises(ValueError, match="^roots: .*vector"):
        np.roots(Tensor(np.ones((2, 2))))
    assert np.linalg.matrix_rank(Tensor(np.ones(3))).item() == 1


@pytest.mark.parametrize("p", [[2.0, 3.0, 0.0], [1.0, 2.0, 3.0, 0.0], [0.0, 1.0, -3.0, 2.0], [1.0, 0.0, 1.0]])
def test_zero_coefficients_move_roots_as_well(p):
    """NumPy strips leading and trailing zeros; p(r) = 0 says how much a root moves with each of them all the same."""
    p = np.array(p)
    r = np.roots(p)
    found = jacobian(lambda p: np.real(np.roots(p)))(p)
    wanted = np.real(-np.vander(r, len(p)) / np.polyval(np.polyder(p), r)[:, None])
    np.testing.assert_allclose(found, wanted, atol=1e-14)
    if p[0]:
        assert gradcheck(lambda p: np.sum(np.real(np.roots(p)) ** 2 - np.imag(np.roots(p)) ** 2), p, order=2).correct


@pytest.mark.parametrize("p", [[1.0, -2.0, 1.0], [1.0, 0.0, 0.0], [1.0, -6.0, 12.0, -8.0], [1.0, 4.0, 6.0, 4.0, 1.0]])
def test_equal_roots_have_no_derivative(p):
    with pytest.raises(np.linalg.LinAlgError, match="roots: two roots are equal, at"):
        grad(lambda p: np.sum(np.real(np.roots(p))))(np.array(p))
    assert grad(lambda p: np.sum(np.real(np.roots(p))))(np.array([0.0, 0.0, 2.0])).tolist() == [0.0, 0.0, 0.0]


def test_close_roots_are_not_equal():
    p = np.poly([1.0, 1.001, -2.0])
    assert np.all(np.isfinite(jacobian(lambda p: np.real(np.roots(p)))(p)))


@pytest.mark.parametrize("a", [[], [0.0, 0.0], [0.0, 1.0, 2.0], [3.0], 2.0])
@pytest.mark.parametrize("b", [[], [0.0], [1.0, 1.0], [0.0, 0.0, 4.0]])
def test_a_product_of_polynomials_is_as_long_as_numpys(a, b):
    a, b = np.array(a), np.array(b)
    np.testing.assert_array_equal(np.polymul(Tensor(a), Tensor(b)).data, np.polymul(a, b), strict=True)


def test_a_product_of_polynomials_changes_with_a_leading_zero():
    found = jacobian(lambda a: np.polymul(a, np.array([1.0, 5.0])))(np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(found, [[5.0, 1.0, 0.0], [0.0, 5.0, 1.0], [0.0, 0.0, 5.0]])


@pytest.mark.parametrize("where", [True, np.array([True, False, True])])
def test_the_deviation_of_equal_elements_has_derivative_zero_though_their_mean_is_rounded(where, rng):
    for value in (0.1, *rng.uniform(0.0, 1.0, 100)):
        a = np.full(3, value)
        np.testing.assert_allclose(grad(lambda a: np.std(a, where=where))(a), 0.0, atol=1e-14)
        np.testing.assert_allclose(grad(lambda a: np.nanstd(a, where=where))(a), 0.0, atol=1e-14)


@pytest.mark.parametrize(
    ("a", "b", "by_a", "by_b"),
    [  # what JAX gives
        (0.0, 0.0, 0.0, 0.0), (0.0, 1.0, 1.0, 0.0), (0.0, 2.0, 0.0, 0.0), (0.0, 0.5, np.inf, 0.0),
        (np.inf, 0.0, 0.0, np.inf), (-np.inf, 0.0, 0.0, np.nan), (np.nan, 0.0, 0.0, np.nan), (np.inf, 1.0, 1.0, np.inf),
        (np.inf, 2.0, np.inf, np.inf), (-2.0, 3.0, 12.0, np.nan), (-2.0, 2.0, -4.0, np.nan), (-2.0, 0.0, 0.0, np.nan),
        (-2.0, -1.0, -0.25, np.nan), (1.0, np.inf, np.inf, 0.0), (2.0, 0.0, 0.0, np.log(2.0)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("power", [np.power, np.float_power])
def test_the_edges_of_a_power(power, a, b, by_a, by_b):
    with np.errstate(all="ignore"):
        slopes = grad(lambda a, b: np.sum(power(a, b)), (0, 1))(np.array([a]), np.array([b]))
        np.testing.assert_allclose(slopes, ([by_a], [by_b]))
        assert grad(lambda a: power(a, b))(a) == by_a
        if float(b).is_integer():
            assert grad(lambda a: a ** int(b))(a) == by_a


@pytest.mark.parametrize("function", [np.var, np.std, np.nanvar, np.nanstd])
@pytest.mark.parametrize(("x", "ddof"), [([2.0], 1), ([2.0, 2.0], 2), ([1.0, 3.0], 2), ([[1.0], [2.0]], 1)])
@pytest.mark.filterwarnings("ignore:Degrees of freedom", "ignore:invalid value", "ignore:divide by zero")
def test_without_degrees_of_freedom_there_is_no_gradient(function, x, ddof):
    x = np.array(x)
    axis = x.ndim - 1
    assert not np.any(np.isfinite(function(Tensor(x), axis=axis, ddof=ddof).data))
    assert np.isnan(grad(lambda x: np.sum(function(x, axis=axis, ddof=ddof)))(x)).all()


def test_the_logarithm_of_a_sum_of_complex_exponentials_is_on_the_principal_branch(rng):
    for x in ([1 + 2j, 3 - 4j, -2 + 9j], rng.normal(size=7) * 9 + 20j * rng.normal(size=7)):
        x = np.array(x)
        np.testing.assert_allclose(logsumexp(x), np.log(np.sum(np.exp(x))), rtol=1e-14)
        assert gradcheck(lambda x: np.real(logsumexp(x)) + 2.0 * np.imag(logsumexp(x)), x).correct


def test_the_logarithm_of_a_sum_of_nothing():
    for x in (np.zeros(0), np.zeros((2, 0)), np.zeros((0, 2))):
        for axis in (0, -1, None):
            expected = np.logaddexp.reduce(x, axis=axis)
            np.testing.assert_array_equal(logsumexp(Tensor(x), axis=axis).data, expected)
            assert grad(lambda x, axis=axis: np.sum(logsumexp(x, axis=axis)))(x).shape == x.shape


def test_truth_values_are_detached_and_copied():
    positive = Tensor([1.0, -1.0]) > 0
    for result in (positive.detach(), stop_gradient(positive), stop_gradient(positive.data), np.copy(positive)):
        assert result.dtype == bool
        assert result.tolist() == [True, False]
    assert stop_gradient(positive.data) is not positive.data
