"""Linear systems given as functions: values and derivatives beside those of a dense solver."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.linalg import aslinearoperator

from autodiff import GraphError, Tensor, grad, hessian, jacobian, vmap
from autodiff.scipy import sparse
from autodiff.scipy.sparse.linalg import bicgstab, cg, gmres

RNG = np.random.default_rng(0)
S = RNG.normal(size=(6, 6))
S = S @ S.T + 6 * np.eye(6)
U = RNG.normal(size=(6, 6)) + 6 * np.eye(6)
B = RNG.normal(size=6)
SOLVERS = [(cg, S), (gmres, U), (bicgstab, U)]


@pytest.mark.parametrize(("solver", "A"), SOLVERS)
def test_by_b_and_by_what_the_function_uses_to_second_order(solver, A):
    def f(p):
        return np.sum(solver(lambda x: A @ x + p[0] * x, B * p[1], rtol=1e-12)[0] ** 3)

    def dense(p):
        return np.sum(np.linalg.solve(A + p[0] * np.eye(6), B * p[1]) ** 3)

    p = np.array([0.7, 1.3])
    assert f(p) == pytest.approx(dense(p))
    np.testing.assert_allclose(grad(f)(p), grad(dense)(p), rtol=1e-8)
    np.testing.assert_allclose(hessian(f)(p), hessian(dense)(p), rtol=1e-7)


@pytest.mark.parametrize(("solver", "A"), SOLVERS)
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, aslinearoperator])
def test_each_form_of_a_matrix(solver, A, form):
    found = jacobian(lambda b: solver(form(A), b, rtol=1e-12)[0])(B)
    np.testing.assert_allclose(found, np.linalg.inv(A), rtol=1e-7, atol=1e-10)


def test_a_matrix_that_is_a_tensor():
    found = grad(lambda A: np.sum(gmres(A, B, rtol=1e-12)[0]))(U)
    np.testing.assert_allclose(found, grad(lambda A: np.sum(np.linalg.solve(A, B)))(U), rtol=1e-7, atol=1e-12)


def test_a_sparse_matrix_whose_stored_values_are_a_tensor():
    pattern = scipy.sparse.csr_array(np.triu(U))

    def f(values):
        A = sparse.csr_array((values, pattern.indices, pattern.indptr), shape=(6, 6))
        return np.sum(gmres(A, B, rtol=1e-12)[0])

    dense = grad(lambda A: np.sum(np.linalg.solve(np.triu(A), B)))(U)
    np.testing.assert_allclose(grad(f)(pattern.data), dense[np.triu_indices(6)], rtol=1e-7)


def test_more_unknowns_than_a_matrix_is_made_for():
    n = 400
    A = scipy.sparse.diags_array([np.full(n - 1, -1.0), np.full(n, 2.5), np.full(n - 1, -1.2)], offsets=[-1, 0, 1])
    found = grad(lambda b: np.sum(gmres(A.tocsr(), b, rtol=1e-12)[0] ** 2))(np.ones(n))
    x = np.linalg.solve(A.toarray(), np.ones(n))
    np.testing.assert_allclose(found, np.linalg.solve(A.toarray().T, 2 * x), rtol=1e-6)


def test_a_nesting_a_start_a_preconditioner_and_a_callback():
    seen = []

    def A(x):
        return {"u": 2 * x["u"] + x["v"], "v": 3 * x["v"] + np.sum(x["u"])}

    x, info = cg(
        A, {"u": np.ones(2), "v": 1.0}, {"u": np.zeros(2), "v": 0.5}, callback=seen.append, rtol=1e-12,
        M=lambda x: {"u": x["u"] / 2, "v": x["v"] / 3},
    )  # fmt: skip
    assert info == 0
    assert list(seen[0]) == ["u", "v"]
    made = A(x)
    np.testing.assert_allclose(made["u"], 1.0)
    assert made["v"] == pytest.approx(1.0)


def test_examples():
    stack = np.stack([B, 2 * B])
    found = vmap(lambda b: cg(S, b, rtol=1e-12)[0])(stack)
    np.testing.assert_allclose(found, np.linalg.solve(S, stack.T).T)
    slopes = vmap(grad(lambda b: np.sum(cg(S, b, rtol=1e-12)[0] ** 2)))(stack)
    np.testing.assert_allclose(slopes, [2 * np.linalg.solve(S, np.linalg.solve(S, b)) for b in stack])


def test_what_has_not_converged_and_what_cannot_be():
    b = Tensor(B)
    x, info = cg(S, b, maxiter=1)
    assert info == 1
    with pytest.raises(GraphError, match=r"cg: did not converge \(info is 1\)"):
        np.sum(x).backward()
    with pytest.raises(TypeError, match="cg: A is a matrix, an operator, or a function"):
        cg(3.0, B)
    with pytest.raises(ValueError, match="gmres: A makes 5 numbers of 6"):
        gmres(lambda x: x[1:], B)
    with pytest.raises(ValueError, match="cg: b: got"):
        cg(lambda x: x, B, {"a": B})
