"""What no row of the table says: structures, triangles, factors, stacks, degenerate matrices, programs."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.linalg
from numpy.linalg import LinAlgError

from autodiff import Tensor, capture, checkpoint, grad, hessian, vmap
from autodiff.scipy import linalg
from tests.differences import central

IN_STACKS = hasattr(scipy.linalg.cholesky, "__wrapped__")
"""Whether SciPy computes stacks of matrices: not before 1.16."""

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4)) * 0.3 + np.diag([2.0, 3.0, 4.0, 5.0])
S = A @ A.T
B = RNG.normal(size=(4, 2))
C = A + 0.3j * RNG.normal(size=(4, 4))
H = C @ C.conj().T
W = RNG.normal(size=(4, 4))


def near(f, *arrays, tolerance=2e-7):
    """The gradients are those of differences."""
    found = grad(lambda *a: f(*a), tuple(range(len(arrays))))(*arrays)
    for i, g in enumerate(found):
        assert np.asarray(g).dtype == arrays[i].dtype
        expected = central(lambda moved: f(*moved), list(arrays), i)
        np.testing.assert_allclose(g, expected, rtol=tolerance, atol=tolerance * np.max(np.abs(expected), initial=1e-3))


def weighed(x):
    """A real number that depends on every element."""
    weights = np.cos(np.arange(np.size(x.data if isinstance(x, Tensor) else x), dtype=float)).reshape(np.shape(x))
    return np.sum(np.real(x) * weights) + np.sum(np.imag(x) * np.flip(weights))


# -- systems -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "options"),
    [
        (S, {"assume_a": "sym"}),
        (S, {"assume_a": "sym", "lower": True}),
        (S, {"assume_a": "pos"}),
        (C + C.T, {"assume_a": "sym", "lower": True}),
        (H, {"assume_a": "her", "lower": True}),
        (H, {"assume_a": "pos"}),
        (A, {"assume_a": "gen", "transposed": True}),
        (A, {"assume_a": "upper triangular"}),
        (A, {"assume_a": "lower triangular", "transposed": True}),
        (A, {"assume_a": "diagonal"}),
        (A, {"assume_a": "tridiagonal"}),
        (np.tril(A), {"assume_a": "banded"}),
        (np.diag(np.diag(A)), {}),
    ],
)
def test_a_system_of_each_structure(matrix, options):
    np.testing.assert_array_equal(linalg.solve(matrix, B, **options), scipy.linalg.solve(matrix, B, **options))
    near(lambda a, b: weighed(linalg.solve(a, b, **options)), matrix, B.astype(matrix.dtype))


def test_elements_that_are_not_read_have_no_gradient():
    lower = grad(lambda a: weighed(linalg.solve(a, B, lower=True, assume_a="pos")))(S)
    assert not np.any(np.triu(lower, 1))
    np.testing.assert_array_equal(
        np.triu(grad(lambda a: weighed(linalg.solve_triangular(a, B, lower=True, unit_diagonal=True)))(A)), 0.0
    )


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
def test_triangular_systems(trans):
    for matrix, lower in ((A, True), (C, False), (np.asfortranarray(C), True)):
        near(
            lambda a, b, lower=lower: weighed(linalg.solve_triangular(a, b, trans, lower)),
            matrix,
            B[:, 0] + 0 * matrix[0],
        )


def test_a_cotangent_that_is_nan_is_a_nan_and_no_error():
    g = grad(lambda a: np.sum(linalg.solve(a, B) * np.nan))(A)
    assert np.isnan(g).all()


@pytest.mark.filterwarnings("ignore:Matrix is singular")
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: linalg.solve(Tensor([[2.0]]), np.ones(3)), ValueError, "solve: a has 1 rows and b has shape"),
        (lambda: linalg.solve(Tensor(2.0), 1.0), ValueError, "solve: a has shape .*square"),
        (lambda: linalg.solve_triangular(Tensor(A), B, trans=3), ValueError, "trans=3"),
        (lambda: linalg.solve(Tensor(A), B, assume_a="round"), (ValueError, KeyError), "solve: .*round"),
        (lambda: linalg.qr(Tensor(A), mode="raw"), ValueError, "'raw' is not differentiated"),
        (lambda: linalg.eigh(Tensor(S), subset_by_index=[0, 1]), TypeError, "'subset_by_index' is not differentiated"),
        (lambda: linalg.eigh(Tensor(S), S, type=2), ValueError, r"eigh\(a, inv\(b\)\)"),
        (lambda: linalg.lu_solve((Tensor(A), np.arange(4)), B, 5), ValueError, "trans=5"),
        (lambda: linalg.sqrtm(Tensor(B)), ValueError, "sqrtm: A has shape .*square"),
        (lambda: linalg.logm(np.zeros((2, 2))), LinAlgError, "logm: the matrix is singular"),
        (lambda: linalg.cholesky(Tensor(-S)), LinAlgError, "cholesky: .*positive definite"),
        (lambda: linalg.expm(Tensor(A), 3), TypeError, "expm: takes"),
        (lambda: linalg.cho_factor(np.ones((2, 2, 3, 4))), ValueError, "cholesky: "),
        (lambda: linalg.solve_discrete_lyapunov(A, A, "fast"), ValueError, "method='fast'"),
    ],
)
def test_wrong_calls(call, error, words):
    with pytest.raises(error, match=words):
        call()


# -- factors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("matrix", [S, H], ids=["real", "complex"])
def test_cho_solve_through_its_factor_reads_one_triangle(matrix, lower):
    b = B.astype(matrix.dtype)
    c, kept = linalg.cho_factor(Tensor(matrix), lower)
    assert kept is lower
    expected = scipy.linalg.cho_solve(scipy.linalg.cho_factor(matrix, lower), b)
    np.testing.assert_allclose(linalg.cho_solve((c, kept), b).data, expected, rtol=1e-10)
    near(lambda a, b: weighed(linalg.cho_solve(linalg.cho_factor(a, lower), b)), matrix, b)
    near(lambda c, b: weighed(linalg.cho_solve((c, lower), b)), scipy.linalg.cho_factor(matrix, lower)[0], b)
    near(lambda c, b: weighed(linalg.cho_solve((c, lower), b)), matrix, b[:, 0])


def test_what_scipy_leaves_in_the_other_triangle_has_no_gradient():
    c, _ = linalg.cho_factor(Tensor(S))
    np.testing.assert_array_equal(np.tril(c.data, -1), 0.0)
    assert not np.any(np.tril(grad(lambda a: np.sum(linalg.cho_factor(a)[0]))(S), -1))
    rubbish = scipy.linalg.cho_factor(S)[0] + np.tril(np.full((4, 4), 1e9), -1)
    g = grad(lambda c: weighed(linalg.cho_solve((c, False), B)))(rubbish)
    np.testing.assert_array_equal(np.tril(g, -1), 0.0)
    np.testing.assert_allclose(g, grad(lambda c: weighed(linalg.cho_solve((c, False), B)))(np.triu(rubbish)))


@pytest.mark.parametrize("trans", [0, 1, 2])
@pytest.mark.parametrize("matrix", [A[::-1], C[[2, 0, 3, 1]]], ids=["real", "complex"])
def test_lu_solve_through_its_factors_with_pivots(matrix, trans):
    b = B.astype(matrix.dtype)
    expected = scipy.linalg.lu_solve(scipy.linalg.lu_factor(matrix), b, trans)
    np.testing.assert_allclose(linalg.lu_solve(linalg.lu_factor(Tensor(matrix)), b, trans).data, expected, rtol=1e-10)
    near(lambda a, b: weighed(linalg.lu_solve(linalg.lu_factor(a), b, trans)), matrix, b)


@pytest.mark.parametrize("shape", [(4, 4), (4, 2), (2, 4)])
@pytest.mark.parametrize(
    "parts",
    [
        lambda a: linalg.lu(a)[1:],
        lambda a: linalg.lu(a, permute_l=True),
        lambda a: linalg.lu(a, p_indices=True)[1:],
        lambda a: linalg.lu_factor(a)[:1],
        lambda a: linalg.qr(a, mode="economic"),
        lambda a: linalg.qr(a, mode="economic", pivoting=True)[:2],
        lambda a: linalg.qr(a, mode="r", pivoting=True)[:1],
        lambda a: linalg.qr(a)[1:],
    ],
)
def test_factors_with_exchanged_rows_and_columns(parts, shape):
    for matrix in (A[::-1, ::-1], C[::-1]):
        near(lambda a: sum(weighed(part) for part in parts(a)), matrix[: shape[0], : shape[1]])


def test_columns_that_lapack_adds_have_no_derivative():
    near(lambda a: weighed(linalg.qr(a)[0][:, :2]), A[:, :2])
    with pytest.raises(LinAlgError, match="columns of q beyond the first 2"):
        grad(lambda a: weighed(linalg.qr(a)[0]))(A[:, :2])


@pytest.mark.filterwarnings("ignore:Diagonal number")
def test_singular_matrices_have_no_factors_that_are_differentiated():
    for f in (lambda a: linalg.lu(a)[2], lambda a: linalg.lu_factor(a)[0]):
        with pytest.raises(LinAlgError, match="lu: the matrix is singular"):
            grad(lambda a: np.sum(f(a)))(np.zeros((2, 2)))  # noqa: B023
    singular = np.diag([1.0, 2.0, 0.0])
    np.testing.assert_allclose(grad(linalg.det)(singular), np.diag([0.0, 0.0, 2.0]), atol=1e-14)


@pytest.mark.parametrize("driver", ["gelsd", "gelss"])
def test_least_squares_of_any_shape_and_rank(driver):
    flat = B @ RNG.normal(size=(2, 3))
    for a, cond in ((A[:, :2], None), (A[:2], None), (C[:2], None), (flat, 1e-8), (A, 0.6)):
        b = B[: len(a)].astype(a.dtype)
        x, residuals, rank, values = linalg.lstsq(a, b, cond, lapack_driver=driver)
        expected = scipy.linalg.lstsq(a, b, cond, lapack_driver=driver)
        np.testing.assert_array_equal(x, expected[0])
        assert (rank, residuals.shape, values.shape) == (expected[2], expected[1].shape, expected[3].shape)
        near(lambda b, a=a, cond=cond: weighed(linalg.lstsq(a, b, cond, lapack_driver=driver)[0]), b)
        if a is not flat:  # whose rank a change makes larger
            near(lambda a, b=b, cond=cond: weighed(linalg.lstsq(a, b, cond, lapack_driver=driver)[0]), a)
    near(lambda a, b: linalg.lstsq(a, b)[1] + np.sum(linalg.lstsq(a, b)[3] ** 2), A[:, :2], B[:, 0])


def test_a_pseudo_inverse_whose_singular_values_are_cut_off():
    for a in (A, A[:, :3], C[:3]):
        near(lambda a: weighed(linalg.pinv(a, rtol=0.6)), a)
        near(lambda a: weighed(linalg.pinv(a, atol=3.0)), a)


# -- eigenvalues -------------------------------------------------------------------------------------------------


def test_a_pencil_of_matrices():
    for a, b in ((S, A @ A.T + np.eye(4)), (H, np.eye(4) + H.conj())):
        for lower in (True, False):
            near(lambda a, b, lower=lower: weighed(linalg.eigh(a, b, lower=lower, eigvals_only=True)), a, b)
            near(lambda a, b, lower=lower: weighed(np.abs(linalg.eigh(a, b, lower=lower)[1]) ** 2), a, b)


def test_equal_values_are_as_in_numpy():
    equal = np.diag([2.0, 2.0, 5.0])
    np.testing.assert_allclose(grad(lambda a: np.sum(linalg.eigvalsh(a)))(equal), np.eye(3), atol=1e-14)
    for f in (lambda a: linalg.eigh(a)[1], lambda a: linalg.eigh(a, np.eye(3))[1], lambda a: linalg.svd(a)[0]):
        with pytest.raises(LinAlgError, match="are equal"):
            grad(lambda a: f(a)[0, 1])(equal)  # noqa: B023


# -- functions of matrices ---------------------------------------------------------------------------------------

NEARLY = [np.array([[2.0, 1.0], [delta, 2.0]]) for delta in (0.0, 1e-16, 1e-9, 1e-4)]
JORDAN = 3.0 * np.eye(4) + np.eye(4, k=1)


@pytest.mark.parametrize("f", [linalg.logm, linalg.sqrtm, linalg.expm])
@pytest.mark.parametrize("matrix", [*NEARLY, JORDAN, C, A, np.array([[0.0, -4.0], [1.0, 0.0]])])
def test_functions_of_nearly_defective_matrices(f, matrix):
    near(lambda a: weighed(f(a)), matrix, tolerance=5e-7)


def test_the_logarithm_is_scipys():
    for matrix in (A, C, JORDAN, 1e3 * S, 1e-6 * S, np.eye(3) * (1.0 + 1e-9), np.array([[1.0, 1e4], [0.0, 2.0]]), -A):
        expected = scipy.linalg.logm(matrix)
        found = linalg.logm(matrix)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * np.max(np.abs(expected)))
    assert linalg.logm(A.astype(np.float32)).dtype == np.float32
    assert linalg.logm(np.zeros((0, 0))).shape == (0, 0)


def test_the_function_and_its_inverse_have_inverse_derivatives():
    for there, back in ((linalg.logm, linalg.expm), (linalg.sqrtm, lambda x: x @ x)):
        g = grad(lambda a: np.sum(back(there(a)) * W))(A)  # noqa: B023
        np.testing.assert_allclose(g, W, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("f", [linalg.logm, linalg.sqrtm])
def test_negative_eigenvalues(f):
    """Simple ones have a complex value and a derivative; where two are equal the function jumps."""
    matrix = np.array([[-2.0, 0.5], [0.2, 3.0]])
    assert f(matrix).dtype == np.complex128
    near(lambda a: weighed(f(a)), matrix)
    near(lambda a: weighed(f(a)), np.array([[-2.0, 0.5], [0.2, -3.0]]))
    with pytest.raises(LinAlgError, match="equal eigenvalues on the negative real axis"):
        grad(lambda a: weighed(f(a)))(-np.eye(2))


@pytest.mark.filterwarnings("ignore:Matrix is singular")
def test_a_singular_matrix_has_no_derivative_of_its_root():
    with pytest.raises(LinAlgError, match="sqrtm: the equation has no unique solution"):
        grad(lambda a: np.sum(linalg.sqrtm(a)))(np.diag([0.0, 1.0]))
    with pytest.raises(LinAlgError, match="solve_sylvester: the equation has no unique solution"):
        grad(lambda q: np.sum(linalg.solve_sylvester(np.eye(2), -np.eye(2), q)))(np.ones((2, 2)))


def test_the_second_derivative_of_a_function_of_a_matrix():
    x, u = np.array([[2.0, 1.0], [0.0, 2.0]]), np.array([[0.3, -0.2], [0.5, 0.1]])
    for f in (linalg.expm, linalg.logm, linalg.sqrtm):
        of = lambda t, f=f: np.sum(f(x + t * u) * W[:2, :2])  # noqa: E731
        h = 1e-4
        expected = (of(h) - 2 * of(0.0) + of(-h)) / h**2
        assert hessian(of)(0.0) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_expm_frechet_is_the_derivative():
    value, along = linalg.expm_frechet(A, W)
    expected = scipy.linalg.expm_frechet(A, W)
    np.testing.assert_allclose(value, expected[0], rtol=1e-13)
    np.testing.assert_allclose(along, expected[1], rtol=1e-12)
    near(lambda a, e: weighed(linalg.expm_frechet(a, e)[1]) + weighed(linalg.expm_frechet(a, e)[0]), A, W)


# -- structured matrices -----------------------------------------------------------------------------------------


def test_structured_matrices():
    c, r = np.array([1.0, 2.0, 3.0]), np.array([9.0, 5.0, 6.0, 7.0])
    for f in (linalg.toeplitz, linalg.hankel):
        near(lambda c, r, f=f: weighed(f(c, r)), c, r)
        assert grad(lambda r, f=f: np.sum(f(c, r)))(r)[0] == 0.0
    z = c + 1j * r[:3]
    for f in (linalg.toeplitz, linalg.circulant, linalg.hankel):
        near(lambda c, f=f: weighed(f(c)), z)
        assert f(np.ones(2, np.float32)).dtype == np.float32
        assert grad(lambda c, f=f: np.sum(f(c)))(np.zeros(0)).shape == (0,)
    for one, two in (((), (3,)), ((0,), (2, 1)), ((2, 3), (0, 2))):
        x, y = np.ones(one), np.full(two, 2.0)
        np.testing.assert_array_equal(linalg.block_diag(Tensor(x), y).data, scipy.linalg.block_diag(x, y))
        near(lambda x, y: weighed(linalg.block_diag(x, y, x)), x, y)


# -- stacks, transforms, programs --------------------------------------------------------------------------------

STACK = np.stack([A, A.T + 0.1, A @ A])
OF_STACKS = {
    "solve": lambda a: linalg.solve(a, B),
    "solve of a vector": lambda a: linalg.solve(a, B[:, 0]),
    "solve by pos": lambda a: linalg.solve(a @ np.swapaxes(a, -1, -2), B, assume_a="pos"),
    "solve_triangular": lambda a: linalg.solve_triangular(a, B[:, 0], 1),
    "cholesky": lambda a: linalg.cholesky(a @ np.swapaxes(a, -1, -2)),
    "cho_solve": lambda a: linalg.cho_solve(linalg.cho_factor(a @ np.swapaxes(a, -1, -2)), B),
    "lu": lambda a: linalg.lu(a)[2],
    "lu_solve": lambda a: linalg.lu_solve(linalg.lu_factor(a), B),
    "qr": lambda a: linalg.qr(a, pivoting=True)[1],
    "eigh": lambda a: linalg.eigh(a)[0],
    "svd": lambda a: linalg.svd(a)[1],
    "inv": linalg.inv,
    "det": linalg.det,
    "pinv": linalg.pinv,
    "expm": linalg.expm,
    "expm_frechet": lambda a: linalg.expm_frechet(a, W)[1],
    "sqrtm": linalg.sqrtm,
    "logm": linalg.logm,
    "solve_sylvester": lambda a: linalg.solve_sylvester(a, A, W),
    "solve_continuous_lyapunov": lambda a: linalg.solve_continuous_lyapunov(a, W),
    "solve_discrete_lyapunov": lambda a: linalg.solve_discrete_lyapunov(a, W),
}


@pytest.mark.parametrize("name", OF_STACKS)
def test_stacks_are_computed_where_scipy_does_that(name):
    f = OF_STACKS[name]
    each = [grad(lambda a: weighed(f(a)))(a) for a in STACK]
    expected = np.stack(each)
    np.testing.assert_allclose(vmap(grad(lambda a: weighed(f(a))))(STACK), expected, rtol=1e-8, atol=1e-10)
    if IN_STACKS or name in ("det", "expm"):
        found = grad(lambda stack: sum(weighed(x) for x in f(stack)))(STACK)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
    else:
        with pytest.raises(ValueError, match=r"matrix|square|2-D|2D|dim|stacks since 1.16"):
            grad(lambda stack: sum(weighed(x) for x in f(stack)))(STACK)


def test_a_program_prints_scipys_calls_and_runs_without_the_library():
    def loss(a, b):
        return np.sum(linalg.cho_solve(linalg.cho_factor(a, True), b) ** 2)

    program = capture(grad(loss), S, B)
    text = str(program)
    assert "scipy.linalg.cholesky(a, lower=True)" in text
    assert "scipy.linalg.solve_triangular(" in text
    assert "autodiff" not in text
    space = {}
    exec(text, space)
    (function,) = [v for k, v in space.items() if callable(v) and k not in ("np", "SimpleNamespace")]
    np.testing.assert_allclose(function(S, B), grad(loss)(S, B), rtol=1e-12)


def test_checkpoints_and_threads_have_the_same_gradients():
    loss = lambda a: weighed(linalg.lu_solve(linalg.lu_factor(linalg.expm(a)), B))  # noqa: E731
    expected = grad(loss)(A)
    np.testing.assert_array_equal(grad(checkpoint(loss))(A), expected)
    found = []
    threads = [threading.Thread(target=lambda: found.append(grad(loss)(A))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [np.array_equal(g, expected) for g in found] == [True, True]
