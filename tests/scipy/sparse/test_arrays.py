"""Products with sparse arrays and solutions of sparse equations: values of SciPy's, derivatives of the dense ones."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from autodiff import Tensor, capture, checkpoint, grad, hessian, jacobian, jit, vmap
from autodiff.scipy import sparse
from autodiff.scipy.sparse import linalg, matmul

rng = np.random.default_rng(0)
DENSE = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 4.0]])
A = scipy.sparse.csr_array(DENSE)
X, M = rng.normal(size=3), rng.normal(size=(3, 2))
ROW, COL = A.nonzero()


def of(values):
    return sparse.coo_array((values, (ROW, COL)), shape=(3, 3))


def dense(values):
    from autodiff import index_add

    return np.reshape(index_add(np.zeros(9), ROW * 3 + COL, values), (3, 3))


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "dia", "bsr", "lil", "dok"])
def test_a_constant_of_any_format(kind):
    for constant in (A.asformat(kind), scipy.sparse.csr_matrix(DENSE).asformat(kind)):
        found = grad(lambda x, c=constant: np.sum(matmul(c, x) ** 3) + np.sum(matmul(x, c) ** 2))(X)
        truth = grad(lambda x: np.sum((DENSE @ x) ** 3) + np.sum((x @ DENSE) ** 2))(X)
        np.testing.assert_allclose(found, truth, rtol=1e-14)


@pytest.mark.parametrize("constant", [A, scipy.sparse.coo_array(A), scipy.sparse.csc_matrix(DENSE)], ids=repr)
def test_operators(constant):
    def f(x):
        return np.sum((constant @ x) ** 3) + np.sum((x @ constant) ** 2) + np.sum(np.matmul(constant, x))

    def truth(x):
        return np.sum((DENSE @ x) ** 3) + np.sum((x @ DENSE) ** 2) + np.sum(DENSE @ x)

    np.testing.assert_allclose(grad(f)(X), grad(truth)(X), rtol=1e-13)
    np.testing.assert_allclose(hessian(f)(X), hessian(truth)(X), rtol=1e-13)
    np.testing.assert_allclose(capture(grad(f), X)(2 * X), grad(truth)(2 * X), rtol=1e-13)
    found = jacobian(lambda x: constant @ x, sparsity="detect")(X)
    assert found.nnz == 5
    np.testing.assert_array_equal(found.toarray(), DENSE)
    np.testing.assert_allclose(vmap(lambda x: constant @ x)(np.stack([X, 2 * X])), np.stack([DENSE @ X, DENSE @ X * 2]))


def test_a_tensor_times_a_sparse_array_of_tensors():
    x, a = Tensor(X), of(Tensor(A.data))
    np.testing.assert_allclose((x @ a).data, X @ DENSE)
    np.testing.assert_allclose((a @ x).data, DENSE @ X)
    np.testing.assert_allclose((a * x[0]).toarray().data, X[0] * DENSE)


FUNCTIONS = {
    "matvec": lambda a: a @ X,
    "matmat": lambda a: a @ M,
    "vecmat": lambda a: X @ a,
    "matrix on the left": lambda a: M.T @ a,
    "transposed": lambda a: a.T @ X,
    "sum": lambda a: a.sum(),
    "rows": lambda a: a.sum(axis=1) * X,
    "columns": lambda a: a.sum(axis=0) * X,
    "diagonal": lambda a: a.diagonal(),
    "above": lambda a: a.diagonal(2),
    "scaled": lambda a: (-(a * 2.0) / 3.0) @ X,
    "by elements": lambda a: (a * np.outer(X, X)) @ X,
    "solution": lambda a: linalg.spsolve(a, X) if not hasattr(a, "at") else np.linalg.solve(a, X),
    "solutions": lambda a: linalg.spsolve(a, M) if not hasattr(a, "at") else np.linalg.solve(a, M),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_by_stored_values_to_second_order(name):
    def loss(make):
        return lambda v: np.sum(np.sin(FUNCTIONS[name](make(v))))

    values = A.data
    np.testing.assert_allclose(grad(loss(of))(values), grad(loss(dense))(values), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(hessian(loss(of))(values), hessian(loss(dense))(values), rtol=1e-10, atol=1e-12)


def test_derivatives_by_both_at_once():
    def f(v, x):
        return np.sum((of(v) @ x) ** 2)

    found = jacobian(grad(f, argnums=(0, 1)), argnums=1)(A.data, X)
    truth = jacobian(grad(lambda v, x: np.sum((dense(v) @ x) ** 2), argnums=(0, 1)), argnums=1)(A.data, X)
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_one_factorization_serves_all_solutions(monkeypatch):
    count = []
    original = scipy.sparse.linalg.splu
    monkeypatch.setattr("autodiff.scipy.sparse.products.splu", lambda a: count.append(1) or original(a))
    solve = linalg.factorized(A)
    found = grad(lambda x: np.sum(solve(x) ** 2) + np.sum(solve(2 * x)))(X)
    assert len(count) == 1
    np.testing.assert_allclose(
        found, grad(lambda x: np.sum(np.linalg.solve(DENSE, x) ** 2) + np.sum(np.linalg.solve(DENSE, 2 * x)))(X)
    )


def test_transforms():
    xs = rng.normal(size=(4, 3))
    np.testing.assert_allclose(vmap(lambda x: matmul(A, x))(xs), xs @ DENSE.T)
    np.testing.assert_allclose(vmap(lambda x: linalg.spsolve(A, x))(xs), np.linalg.solve(DENSE, xs.T).T)
    values = A.data * np.ones((4, 1))
    np.testing.assert_allclose(vmap(lambda v: of(v) @ X)(values), np.tile(DENSE @ X, (4, 1)))
    f = grad(lambda v: np.sum(checkpoint(lambda w: of(w) @ X)(v) ** 2))
    np.testing.assert_allclose(f(A.data), grad(lambda v: np.sum((dense(v) @ X) ** 2))(A.data))
    fast = jit(grad(lambda v, x: np.sum(linalg.spsolve(of(v), x) ** 2)))
    slow = grad(lambda v, x: np.sum(np.linalg.solve(dense(v), x) ** 2))
    for k in range(1, 5):
        np.testing.assert_allclose(fast(A.data * k, X * k), slow(A.data * k, X * k), rtol=1e-12)
    assert fast.programs


def test_the_text_of_a_program_needs_scipy_alone():
    program = capture(grad(lambda x: np.sum(matmul(A, x) ** 2)), X)
    text = program.source()
    assert "autodiff" not in text
    space: dict[str, object] = {}
    exec(text, space)
    stored = {"data": A.data, "indices": A.indices, "indptr": A.indptr}
    np.testing.assert_array_equal(space["program"](X, **stored), program(X))


def test_a_sparse_array_is_an_argument():
    found = grad(lambda a: np.sum((a @ X) ** 2))(A)
    assert isinstance(found, scipy.sparse.csr_array)
    np.testing.assert_allclose(found.data, grad(lambda v: np.sum((dense(v) @ X) ** 2))(A.data))


def test_values_stored_twice_are_added():
    data, row, col = Tensor([1.0, 2.0, 3.0]), np.array([1, 0, 1]), np.array([0, 1, 0])
    a = sparse.coo_array((data, (row, col)), shape=(2, 3))
    np.testing.assert_array_equal(a.toarray().data, [[0, 2, 0], [4, 0, 0]])
    again = sparse.csr_array((data, np.array([2, 0, 0]), np.array([0, 1, 3])), shape=(2, 3))
    np.testing.assert_array_equal(again.toarray().data, [[0, 0, 1], [5, 0, 0]])


def test_precision_complex_numbers_and_nothing():
    single = A.astype(np.float32)
    assert grad(lambda x: np.sum(linalg.spsolve(single, matmul(single, x))))(X.astype(np.float32)).dtype == np.float32
    z = X + 1j * X[::-1]
    for f, g in ((lambda x: matmul(A, x), lambda x: DENSE @ x),
                 (lambda x: linalg.spsolve(A, x), lambda x: np.linalg.solve(DENSE, x))):  # fmt: skip
        found = grad(lambda x, f=f: np.sum(np.abs(f(x)) ** 2))(z)
        np.testing.assert_allclose(found, grad(lambda x, g=g: np.sum(np.abs(g(x)) ** 2))(z), rtol=1e-13)
    empty = sparse.coo_array((Tensor(np.zeros(0)), (np.zeros(0, int), np.zeros(0, int))), shape=(0, 3))
    assert (empty @ X).shape == (0,)
    assert empty.toarray().shape == (0, 3)


def test_plain_arrays_give_scipys():
    assert isinstance(sparse.csr_array((A.data, A.indices, A.indptr)), scipy.sparse.csr_array)
    assert isinstance(sparse.coo_array((A.data, (ROW, COL))), scipy.sparse.coo_array)
    np.testing.assert_array_equal(matmul(A, X), A @ X)
    np.testing.assert_allclose(linalg.spsolve(A, X), scipy.sparse.linalg.spsolve(A.tocsc(), X))


def test_refusals():
    with pytest.raises(ValueError, match=r"matmul: shapes \(3, 3\) and \(4,\) do not fit"):
        matmul(A, np.ones(4))
    with pytest.raises(TypeError, match="one of the two is sparse"):
        matmul(A, A)
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        linalg.spsolve(scipy.sparse.csr_array(np.zeros((2, 2))), np.ones(2))
    with pytest.raises(ValueError, match="square"):
        linalg.splu(A[:2])
    with pytest.raises(TypeError, match=r"needs a sparse array, got a ndarray"):
        linalg.spsolve(DENSE, X)
    with pytest.raises(ValueError, match="right side of shape"):
        linalg.spsolve(A, np.ones(2))
    with pytest.raises(ValueError, match="exceed"):
        sparse.coo_array((Tensor([1.0]), ([5], [0])), shape=(2, 2))
