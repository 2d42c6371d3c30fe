"""What no row of the table says: degenerate matrices, the triangles that are read, phases."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.linalg import LinAlgError

from autodiff import Tensor, grad
from autodiff.ops.linalg import expm
from tests.differences import central

EQUAL = np.diag([2.0, 2.0, 5.0])


def slopes(f, a):
    """Central differences of a function of one array."""
    return central(lambda moved: f(moved[0]), [a], 0)


def test_eigenvectors_of_equal_eigenvalues_are_refused_and_eigenvalues_are_not():
    with pytest.raises(LinAlgError, match="eigh: two eigenvalues are equal"):
        grad(lambda a: np.linalg.eigh(a)[1][0, 0])(EQUAL)
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.eigh(a)[0]))(EQUAL), np.eye(3), atol=1e-14)
    np.testing.assert_allclose(
        grad(lambda a: np.prod(np.linalg.eigvalsh(a)))(EQUAL), np.diag([10.0, 10.0, 4.0]), atol=1e-13
    )


def test_an_eigenvector_that_is_unique_has_its_derivative_though_others_are_not():
    gradient = grad(lambda a: np.linalg.eigh(a).eigenvectors[0, 2] ** 2)(EQUAL + 0.0)
    assert np.all(np.isfinite(gradient))


def test_a_matrix_function_through_eigh_at_equal_eigenvalues_is_refused_not_wrong():
    """Its derivative there is f', which a formula that skips the pair would miss."""

    def square(a):
        w, v = np.linalg.eigh(a)
        return np.sum(((v * w * w) @ v.T) * np.arange(9.0).reshape(3, 3))

    with pytest.raises(LinAlgError):
        grad(square)(EQUAL)


def test_only_the_triangle_that_is_read_has_a_gradient():
    a = np.array([[2.0, 0.0], [0.5, 3.0]])
    for upper, UPLO in ((False, "L"), (True, "U")):
        x = a.T if upper else a
        gradient = grad(lambda x: np.linalg.eigvalsh(x, UPLO)[0])(x)  # noqa: B023
        np.testing.assert_allclose(gradient, slopes(lambda x: np.linalg.eigvalsh(x, UPLO)[0], x), rtol=1e-8)  # noqa: B023
        assert gradient[(1, 0) if upper else (0, 1)] == 0
    symmetric = grad(lambda x: np.linalg.eigvalsh((x + x.T) / 2)[0])(a + a.T)
    np.testing.assert_allclose(symmetric, symmetric.T)


def test_singular_values_that_are_equal_or_zero():
    for matrix in (np.eye(3), np.diag([1.0, 1.0, 0.0])):
        assert np.all(np.isfinite(grad(lambda a: np.sum(np.linalg.svdvals(a)))(matrix)))
        with pytest.raises(LinAlgError, match="two singular values are equal"):
            grad(lambda a: np.linalg.svd(a)[0][0, 1])(matrix)
    assert not np.any(grad(lambda a: np.linalg.norm(a, "nuc"))(np.zeros((2, 3))))


def test_vectors_of_a_matrix_without_full_rank_are_refused():
    flat = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(LinAlgError, match="singular value is zero"):
        grad(lambda a: np.linalg.svd(a, full_matrices=False)[0][2, 1])(flat)
    with pytest.raises(LinAlgError, match="full rank"):
        grad(lambda a: np.linalg.qr(a)[0][0, 1])(flat)


def test_full_matrices_differentiate_as_far_as_the_vectors_are_defined():
    a = np.array([[1.0, 0.2], [0.4, 2.0], [0.3, -0.5]])
    np.testing.assert_allclose(
        grad(lambda a: np.linalg.svd(a)[0][2, 1] ** 2)(a),
        slopes(lambda a: np.linalg.svd(a)[0][2, 1] ** 2, a),
        rtol=1e-7,
    )
    with pytest.raises(LinAlgError, match="full_matrices=False"):
        grad(lambda a: np.linalg.svd(a)[0][0, 2])(a)


def test_a_defective_matrix_is_refused():
    for f in (np.linalg.eigvals, lambda a: np.linalg.eig(a)[0]):
        with pytest.raises(LinAlgError, match="defective"):
            grad(lambda a: np.real(f(a)[0]))(np.array([[1.0, 1.0], [0.0, 1.0]]))  # noqa: B023


def test_a_loss_that_depends_on_a_phase_is_refused_and_one_that_does_not_is_right():
    a = np.array([[2.0, 0.3 + 0.4j], [0.3 - 0.4j, 1.0]])
    with pytest.raises(LinAlgError, match="phase"):
        grad(lambda a: np.imag(np.linalg.eigh(a)[1][1, 0]))(a)
    for f in (lambda a: np.linalg.eigh(a)[1], lambda a: np.linalg.svd(a)[0], lambda a: np.linalg.svd(a)[2]):
        g = grad(lambda a: np.sum(np.abs(f(a))[0] ** 4))(a)  # noqa: B023
        np.testing.assert_allclose(g, slopes(lambda a: np.sum(np.abs(f(a))[0] ** 4), a), rtol=1e-7, atol=1e-9)  # noqa: B023


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_det_of_a_singular_matrix_has_its_derivative(rank):
    a = np.diag([1.0, 2.0, 3.0]) * (np.arange(3) < rank) + 0.0
    np.testing.assert_allclose(grad(np.linalg.det)(a), slopes(np.linalg.det, a), atol=1e-12)
    second = grad(lambda a: np.sum(grad(np.linalg.det)(a) * np.arange(9.0).reshape(3, 3)))(a)
    expected = slopes(lambda a: np.sum(grad(np.linalg.det)(a) * np.arange(9.0).reshape(3, 3)), a)
    np.testing.assert_allclose(second, expected, atol=1e-10)


def test_slogdet_of_a_singular_matrix_is_refused():
    with pytest.raises(LinAlgError, match="slogdet: the matrix is singular"):
        grad(lambda a: np.linalg.slogdet(a)[1])(np.zeros((2, 2)))


def test_every_norm_has_derivative_zero_at_zero():
    for order in (None, 1, 2, 3, 0.5, np.inf, -np.inf):
        assert not np.any(grad(lambda x: np.linalg.norm(x, order))(np.zeros(3))), order  # noqa: B023
    for order in ("fro", "nuc", 1, 2, np.inf):
        assert not np.any(grad(lambda x: np.linalg.norm(x, order))(np.zeros((2, 2)))), order  # noqa: B023
    assert np.isnan(grad(grad(lambda x: np.linalg.norm(x * np.ones(2))))(0.0))  # a convention is none for the second


def test_expm_is_the_exponential_to_second_order():
    a = np.array([[0.1, 2.0], [-1.5, 0.3]])
    w, v = np.linalg.eig(a)
    np.testing.assert_allclose(expm(a), np.real((v * np.exp(w)) @ np.linalg.inv(v)), rtol=1e-13)
    for scale in (0.0, 1.0, 30.0):
        f = lambda x: np.sum(expm(x) * np.array([[1.0, -2.0], [0.5, 3.0]]))  # noqa: E731
        expected = slopes(f, a * scale)
        np.testing.assert_allclose(grad(f)(a * scale), expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())
    assert expm(np.eye(2, dtype=np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match="square"):
        expm(np.ones((2, 3)))


def test_named_results_keep_their_names():
    t = Tensor(np.diag([1.0, 2.0]))
    assert np.linalg.eigh(t).eigenvalues.shape == (2,)
    assert np.linalg.slogdet(t).logabsdet.item() == pytest.approx(np.log(2.0))
    assert np.linalg.svd(t).Vh.shape == (2, 2)


def test_keywords_that_no_rule_knows_are_refused_by_name():
    t = Tensor(np.eye(2))
    for call, keyword in (
        (lambda: np.linalg.svd(t, hermitian=True), "hermitian"),
        (lambda: np.linalg.pinv(t, hermitian=True), "hermitian"),
        (lambda: np.linalg.qr(t, mode="raw"), "raw"),
        (lambda: np.nanmean(t, out=np.zeros(())), "out="),
        (lambda: np.median(t, overwrite_input=True), "overwrite_input"),
        (lambda: np.quantile(t, 0.5, weights=[1.0]), "weights"),
    ):
        with pytest.raises((TypeError, ValueError), match=keyword):
            call()
