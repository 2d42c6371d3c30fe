"""Matrices of few diagonals, Toeplitz and circulant ones: SciPy's solutions, dense derivatives, corners, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.linalg import LinAlgError

from autodiff import Tensor, capture, grad, vmap
from autodiff.scipy import linalg
from autodiff.testing import gradcheck
from tests.scipy.linalg.test_linalg import near, weighed

RNG = np.random.default_rng(0)
N = 5
B = RNG.normal(size=(N, 2))


def drawn(rows, main, n=N, dtype=float):
    """Bands with a diagonal, in row ``main``, that is larger than the others; the corners are NaN."""
    ab = 0.3 * RNG.normal(size=(rows, n)).astype(dtype)
    if dtype is complex:
        ab += 0.3j * RNG.normal(size=(rows, n))
    ab[main] = 4.0 + ab[main].real
    for row in range(rows):
        beyond = slice(n - (row - main), n) if row > main else slice(0, main - row)
        ab[row, beyond] = np.nan
    return ab


def dense(ab, lower, upper):
    """The matrix of the bands."""
    n = ab.shape[1]
    i, j = np.indices((n, n))
    inside = (i - j <= lower) & (j - i <= upper)
    return np.where(inside, ab[np.clip(upper + i - j, 0, len(ab) - 1), j], 0.0)


def bands(a, lower, upper):
    n = len(a)
    found = np.zeros((lower + upper + 1, n), a.dtype)
    for i, j in np.ndindex(n, n):
        if -upper <= i - j <= lower:
            found[upper + i - j, j] = a[i, j]
    return found


@pytest.mark.parametrize(("lower", "upper"), [(1, 1), (2, 1), (0, 2), (3, 0), (0, 0), (4, 4)])
@pytest.mark.parametrize("dtype", [float, complex])
def test_banded_systems_are_dense_ones(lower, upper, dtype):
    ab, b = drawn(lower + upper + 1, upper, dtype=dtype), B.astype(dtype)
    solve = lambda ab, b: linalg.solve_banded((lower, upper), ab, b, check_finite=False)  # noqa: E731
    expected = scipy.linalg.solve_banded((lower, upper), ab, b, check_finite=False)
    np.testing.assert_array_equal(solve(ab, Tensor(b)).data, expected)
    by_bands, by_right = grad(lambda ab, b: weighed(solve(ab, b)), (0, 1))(ab, b)
    by_matrix, right = grad(lambda a, b: weighed(linalg.solve(a, b)), (0, 1))(dense(ab, lower, upper), b)
    np.testing.assert_allclose(by_bands, bands(by_matrix, lower, upper), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(by_right, right, rtol=1e-12, atol=1e-14)
    near(lambda b: weighed(solve(ab, b)), b[:, 0])


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("below", [0, 1, 2, 4])
@pytest.mark.parametrize("dtype", [float, complex])
def test_positive_definite_bands_are_dense_matrices(below, lower, dtype):
    main = 0 if lower else below
    ab, b = drawn(below + 1, main, dtype=dtype), B.astype(dtype)
    reach = (below, 0) if lower else (0, below)
    matrix = dense(ab, *reach)
    whole = matrix + matrix.conj().T - np.diag(np.diag(matrix))
    solve = lambda ab, b: linalg.solveh_banded(ab, b, lower=lower, check_finite=False)  # noqa: E731
    np.testing.assert_array_equal(
        solve(Tensor(ab), b).data, scipy.linalg.solveh_banded(ab, b, lower=lower, check_finite=False)
    )
    of_dense = grad(lambda a, b: weighed(linalg.solve(a, b, assume_a="pos", lower=lower)), (0, 1))(whole, b)
    found = grad(lambda ab, b: weighed(solve(ab, b)), (0, 1))(ab, b)
    np.testing.assert_allclose(found[0], bands(of_dense[0], *reach), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(found[1], of_dense[1], rtol=1e-11, atol=1e-14)

    c = linalg.cholesky_banded(Tensor(ab), lower=lower, check_finite=False).data
    expected = scipy.linalg.cholesky_banded(ab, lower=lower, check_finite=False)
    np.testing.assert_array_equal(c, expected)
    weights = np.cos(np.arange(c.size)).reshape(c.shape) + (0.5j if dtype is complex else 0.0)
    by_factor = grad(lambda ab: weighed(weights * linalg.cholesky_banded(ab, lower=lower)))(np.nan_to_num(ab))
    by_factor = np.where(np.isnan(ab), by_factor - corner(weights), by_factor)
    i, j = np.indices((N, N))
    row = np.clip(reach[1] + i - j, 0, below)

    def of_factor(a):
        return weighed_bands(linalg.cholesky(a, lower=lower), weights, row, j, reach)

    np.testing.assert_allclose(by_factor, bands(grad(of_factor)(whole), *reach), rtol=1e-11, atol=1e-14)

    pair = lambda ab, b: linalg.cho_solve_banded((ab, lower), b, check_finite=False)  # noqa: E731
    np.testing.assert_array_equal(
        pair(c, Tensor(b)).data, scipy.linalg.cho_solve_banded((c, lower), b, check_finite=False)
    )
    expected = grad(lambda c, b: weighed(linalg.cho_solve((c, lower), b)), (0, 1))(dense(c, *reach), b)
    found = grad(lambda c, b: weighed(pair(c, b)), (0, 1))(c, b)
    np.testing.assert_allclose(found[0], bands(expected[0], *reach), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-11, atol=1e-14)


def weighed_bands(c, weights, row, column, reach):
    """:func:`weighed` of the bands of a dense factor, times weights."""
    i = np.arange(len(column))[:, None]
    inside = (i - column <= reach[0]) & (column - i <= reach[1])
    places = row * column.shape[1] + column
    flat = np.cos(np.arange(weights.size, dtype=float)) * weights.ravel()
    turned = np.flip(np.cos(np.arange(weights.size, dtype=float)).reshape(weights.shape)).ravel()
    return np.sum(np.real(c * np.where(inside, flat[places], 0.0))) + np.sum(
        np.imag(c * np.where(inside, weights.ravel()[places], 0.0)) * turned[places]
    )


def corner(weights):
    """The slope of :func:`weighed` by an element that is handed through."""
    return grad(lambda c: weighed(weights * c))(np.zeros_like(weights))


@pytest.mark.parametrize("below", [1, 3, 40])
@pytest.mark.parametrize("lower", [False, True])
def test_the_factor_of_many_blocks_has_the_inverse_as_the_slope_of_its_determinant(below, lower):
    n = 75
    ab = drawn(below + 1, 0 if lower else below, n) / 4.0
    ab[0 if lower else below] += 0.2 * below
    main = 0 if lower else below
    found = grad(lambda ab: 2.0 * np.sum(np.log(linalg.cholesky_banded(ab, lower=lower, check_finite=False)[main])))(ab)
    matrix = dense(ab, *((below, 0) if lower else (0, below)))
    inverse = np.linalg.inv(matrix + matrix.T - np.diag(np.diag(matrix)))
    expected = bands(2.0 * inverse - np.diag(np.diag(inverse)), *((below, 0) if lower else (0, below)))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)


def test_second_derivatives():
    ab, b = np.nan_to_num(drawn(3, 1)), B
    upper = np.nan_to_num(drawn(3, 2))
    for f, arrays in (
        (lambda ab, b: linalg.solve_banded((1, 1), ab, b), (ab, b)),
        (lambda ab, b: linalg.solveh_banded(ab, b), (upper, b)),
        (lambda ab, b: linalg.cho_solve_banded((linalg.cholesky_banded(ab), False), b), (upper, b)),
        (lambda c, b: linalg.solve_toeplitz(c, b), (ab[1], b)),
        (lambda c, b: linalg.solve_circulant(c, b[:, 0]), (ab[1] * np.arange(1, 6), b)),
    ):
        assert gradcheck(f, *arrays, order=2).correct


# -- Toeplitz and circulant --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, complex])
def test_toeplitz_systems_are_dense_ones(dtype):
    c, r = (0.3 * RNG.normal(size=N).astype(dtype) for _ in range(2))
    c[0], r[0] = 4.0, 9.0
    if dtype is complex:
        c[1:] += 0.2j
        r[2:] -= 0.3j
    b = B.astype(dtype)
    for given, matrix in (((c, r), lambda c, r: linalg.toeplitz(c, r)), ((c,), lambda c: linalg.toeplitz(c))):
        ours = lambda *args: linalg.solve_toeplitz(args[:-1] if len(args) > 2 else args[0], args[-1])  # noqa: E731
        theirs = scipy.linalg.solve_toeplitz(given if len(given) > 1 else c, b)
        np.testing.assert_array_equal(ours(*given, Tensor(b)).data, theirs)
        for right in (b, b[:, 0]):
            places = tuple(range(len(given) + 1))
            found = grad(lambda *args: weighed(ours(*args)), places)(*given, right)  # noqa: B023
            expected = grad(lambda *args: weighed(linalg.solve(matrix(*args[:-1]), args[-1])), places)(  # noqa: B023
                *given, right
            )
            for one, two in zip(found, expected, strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-13)


def test_circulant_systems_over_any_axes():
    c, b = RNG.normal(size=(2, 4)) + 3.0 * np.eye(1, 4), RNG.normal(size=(4, 3))
    for options in ({}, {"outaxis": -1}, {"baxis": 1, "caxis": 1}):
        right = b.T if "baxis" in options else b
        one = c[:1]
        theirs = scipy.linalg.solve_circulant(one, right, **options)
        np.testing.assert_array_equal(linalg.solve_circulant(Tensor(one), right, **options).data, theirs)
        near(lambda c, b, options=options: weighed(linalg.solve_circulant(c, b, **options)), one, right)
    z = c[0] + 0.5j
    near(lambda c, b: weighed(linalg.solve_circulant(c, b)), z, b.astype(complex))


def test_a_singular_circulant_matrix():
    c, b = np.array([1.0, 1.0, 1.0, 1.0]), np.array([3.0, 1.0, 2.0, 2.0])
    with pytest.raises(LinAlgError, match="solve_circulant: near singular"):
        linalg.solve_circulant(Tensor(c), b)
    solve = lambda b: linalg.solve_circulant(c, b, singular="lstsq")  # noqa: E731
    np.testing.assert_array_equal(solve(b), scipy.linalg.solve_circulant(c, b, singular="lstsq"))
    near(lambda b: weighed(solve(b)), b)


# -- calls -------------------------------------------------------------------------------------------------------


def test_precision_stacks_and_programs():
    ab = np.nan_to_num(drawn(3, 1))
    assert grad(lambda ab: np.sum(linalg.solve_banded((1, 1), ab, B[:, 0].astype(np.float32))))(
        ab.astype(np.float32)
    ).dtype == np.float32  # fmt: skip
    stack = np.stack([ab, 2.0 * ab])
    loss = lambda ab: weighed(linalg.solve_banded((1, 1), ab, B))  # noqa: E731
    np.testing.assert_allclose(vmap(grad(loss))(stack), [grad(loss)(a) for a in stack], rtol=1e-12)
    program = capture(grad(loss), ab)
    assert "scipy.linalg.solve_banded((1, 1), a" in str(program)
    np.testing.assert_allclose(program(3.0 * ab), grad(loss)(3.0 * ab), rtol=1e-13)
    for f in (lambda c: linalg.solve_toeplitz(c, B), lambda c: linalg.solve_circulant(c, B[:, 0])):
        program = capture(grad(lambda c, f=f: weighed(f(c))), ab[1])
        np.testing.assert_allclose(program(2.0 * ab[1]), grad(lambda c, f=f: weighed(f(c)))(2.0 * ab[1]), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: linalg.solve_banded((1, 1), Tensor(np.ones((2, 3))), np.ones(3)), ValueError, r"3 rows.*\(2, 3\)"),
        (lambda: linalg.solve_banded((0, 0), Tensor(np.ones((1, 3))), np.ones(2)), ValueError, r"3 columns .*\(2,\)"),
        (lambda: linalg.solve_banded((0, 0), Tensor(np.ones((2, 1, 3))), np.ones(3)), ValueError, "autodiff.vmap"),
        (lambda: linalg.solveh_banded(Tensor(-np.ones((1, 3))), np.ones(3)), LinAlgError, "positive definite"),
        (lambda: linalg.cholesky_banded(Tensor(-np.ones((1, 3)))), LinAlgError, "positive definite"),
        (lambda: linalg.cho_solve_banded((Tensor(np.ones((1, 3))), True), np.ones(2)), ValueError, "cb has 3"),
        (lambda: linalg.solve_toeplitz(Tensor(np.ones((1, 3))), np.ones(3)), ValueError, r"shapes \(1, 3\), \(1, 3\)"),
        (lambda: linalg.solve_toeplitz(Tensor(np.zeros(3)), np.ones(3)), LinAlgError, "[Ss]ingular"),
        (lambda: linalg.solve_circulant(Tensor(np.ones(3)), np.ones(3), singular="no"), ValueError, "singular='no'"),
        (lambda: linalg.solve_circulant(Tensor(np.ones(3)), np.ones(2)), ValueError, r"\(3,\) and b \(2,\)"),
        (lambda: linalg.solve_circulant(Tensor(np.ones(3)), np.ones(3), caxis=1), ValueError, "no axis 1"),
    ],
)  # fmt: skip
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_nothing():
    assert grad(lambda ab: np.sum(linalg.cholesky_banded(ab)))(np.zeros((2, 0))).shape == (2, 0)
    assert linalg.solve_toeplitz(Tensor(np.zeros(0)), np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("lower", [True, False])
def test_no_bands_and_no_unknowns(lower):
    ab = np.zeros((0, 0))
    for b in (np.zeros(0), np.zeros((0, 2))):
        for f in (
            lambda a, b: linalg.solveh_banded(a, b, lower=lower),
            lambda a, b: linalg.cho_solve_banded((a, lower), b),
        ):
            assert f(ab, b).shape == b.shape
            assert [g.shape for g in grad(lambda a, b, f=f: np.sum(f(a, b)), argnums=(0, 1))(ab, b)] == [
                (0, 0),
                b.shape,
            ]
