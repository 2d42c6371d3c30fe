"""``jacobian(f, sparsity=...)`` and ``hessian``: equal to the dense ones, and checked in each call."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import sparse

from autodiff import CaptureError, capture, grad, hessian, jacobian, jit, vmap

rng = np.random.default_rng(1)
V = rng.normal(size=12)


def chain(v):
    return v[1:] - v[:-1] ** 2


def rosenbrock(v):
    return np.sum(100 * chain(v) ** 2 + (1 - v[:-1]) ** 2)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("options", [{}, {"vectorize": False}, {"chunk_size": 1}], ids=str)
def test_jacobian(mode, options):
    found = jacobian(chain, sparsity="detect", mode=mode, **options)(V)
    assert isinstance(found, sparse.csr_array)
    assert found.nnz == 22
    np.testing.assert_allclose(found.toarray(), jacobian(chain)(V), rtol=1e-15)


def test_of_a_nesting_and_several_arguments_it_is_a_nesting_of_blocks():
    def f(p, v):
        return {"r": p["a"] * v[:3], "s": np.sum(p["b"])}, "aux"

    p = {"a": rng.normal(size=3), "b": rng.normal(size=(2, 2))}
    dense, _ = jacobian(f, argnums=(0, 1), has_aux=True)(p, V)
    found, aux = jacobian(f, argnums=(0, 1), has_aux=True, sparsity="detect")(p, V)
    assert aux == "aux"
    assert found["r"][0]["b"].shape == (3, 4)
    assert found["s"][1].nnz == 0
    np.testing.assert_array_equal(found["r"][0]["a"].toarray(), dense["r"][0]["a"])
    np.testing.assert_array_equal(found["r"][1].toarray(), dense["r"][1])
    np.testing.assert_array_equal(found["s"][0]["b"].toarray(), dense["s"][0]["b"].reshape(1, 4))


@pytest.mark.parametrize("f", [rosenbrock, lambda v: np.sum(v**2 * v[0]), lambda v: np.prod(np.sin(v[:4]))])
def test_hessian(f):
    found = hessian(f, sparsity="detect")(V)
    np.testing.assert_allclose(found.toarray(), hessian(f)(V), rtol=1e-13, atol=1e-13)


def test_hessian_of_several_arguments():
    def f(a, b):
        return np.sum(a * b[0] ** 2) + np.sum(b**3)

    args = V[:3], V[3:5]
    dense, found = hessian(f, argnums=(0, 1))(*args), hessian(f, argnums=(0, 1), sparsity="detect")(*args)
    for i, j in np.ndindex(2, 2):
        np.testing.assert_allclose(found[i][j].toarray(), dense[i][j], rtol=1e-14)


def test_a_hessian_at_a_kink_is_nan_where_the_dense_one_is():
    def f(x):
        return np.sum(np.abs(x) * x[::-1] ** 2)

    x = np.array([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(hessian(f, sparsity="detect")(x).toarray(), hessian(f)(x))


def test_single_precision_stays():
    found = jacobian(chain, sparsity="detect")(V.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.toarray(), jacobian(chain)(V), rtol=1e-6)


def test_no_elements_and_no_axes():
    assert jacobian(lambda x: x[:0] * 2.0, sparsity="detect")(V).shape == (0, 12)
    assert jacobian(lambda x: np.concatenate([x, np.ones(2)]), sparsity="detect")(np.zeros(0)).shape == (2, 0)
    assert jacobian(lambda x: np.ones(2), sparsity="detect")(V).nnz == 0
    np.testing.assert_array_equal(jacobian(np.sin, sparsity="detect")(2.0).toarray(), [[np.cos(2.0)]])


def test_an_infinite_derivative_stays_in_its_place():
    found = jacobian(np.sqrt, sparsity="detect")(np.array([0.0, 4.0]))
    np.testing.assert_array_equal(found.toarray(), [[np.inf, 0.0], [0.0, 0.25]])


def branching(x):
    return x * x if x[0] > 0 else x[::-1] * x[0]


def by_index(x):
    return x[np.argsort(x.data if hasattr(x, "data") else x)] * 2.0


@pytest.mark.parametrize("f", [branching, by_index])
def test_a_pattern_that_depends_on_values_is_read_again(f):
    derivative = jacobian(f, sparsity="detect")
    for x in ([1.0, 2.0, 3.0], [-1.0, 5.0, 3.0], [3.0, 1.0, 2.0]):
        np.testing.assert_array_equal(derivative(np.array(x)).toarray(), jacobian(f)(np.array(x)))


def test_a_pattern_is_read_once():
    seen = []

    def f(x):
        seen.append(isinstance(x, np.ndarray))  # as it is recorded
        return chain(x)

    derivative = jacobian(f, sparsity="detect")
    for _ in range(3):
        derivative(V)
    assert seen.count(True) <= 2
    assert seen.count(False) == 3


def test_a_given_pattern():
    pattern = sparse.coo_array(jacobian(chain)(V) != 0)
    for given in (pattern, pattern.toarray()):
        found = jacobian(chain, sparsity=given)(V)
        np.testing.assert_allclose(found.toarray(), jacobian(chain)(V))
    with pytest.raises(RuntimeError, match=r"jacobian: .* in row \d+, so sparsity= lacks entries"):
        jacobian(chain, sparsity=np.eye(11, 12))(V)
    with pytest.raises(ValueError, match=r"sparsity has shape \(3, 3\), and there are 11 numbers in the output and 12"):
        jacobian(chain, sparsity=np.eye(3))(V)
    with pytest.raises(TypeError, match="sparsity is 'detect', or a sparse array"):
        jacobian(chain, sparsity="auto")(V)


def test_what_cannot_be_recorded_says_what_to_give():
    def f(x):
        return x * float(np.asarray(x.data)[0]) if isinstance(x, np.ndarray) else x * x[0]

    with pytest.raises(CaptureError, match="give the pattern: sparsity=a sparse array"):
        jacobian(f, sparsity="detect")(V)


def test_refusals():
    with pytest.raises(TypeError, match="inside of vmap"):
        vmap(jacobian(np.sin, sparsity="detect"))(np.ones((2, 3)))
    with pytest.raises(TypeError, match="real"):
        jacobian(np.sin, sparsity="detect")(np.ones(3) * 1j)
    with pytest.raises(TypeError, match="return"):
        jacobian(lambda x: None, sparsity="detect")(V)


def test_it_is_differentiated():
    def total(make):
        return grad(lambda x: np.sum(make(x) ** 3))(V)

    found = total(lambda x: jacobian(chain, sparsity="detect")(x).toarray())
    np.testing.assert_allclose(found, total(jacobian(chain)), rtol=1e-14)


def test_it_is_recorded_and_checked_in_each_run():
    derivative = jacobian(branching, sparsity="detect")
    x = np.array([1.0, 2.0, 3.0])
    with pytest.raises(CaptureError, match="call the function once"):
        capture(derivative, x)
    derivative(x)
    program = capture(derivative, x)
    np.testing.assert_array_equal(program(2 * x).toarray(), jacobian(branching)(2 * x))
    fast = jit(derivative)
    for sign in (1, 1, 1, -1, -1, 1, -1):
        np.testing.assert_array_equal(fast(sign * x).toarray(), jacobian(branching)(sign * x))
    assert fast.programs


def test_two_threads():
    derivative, found = jacobian(chain, sparsity="detect"), {}

    def work(n):
        found[n] = derivative(V + n).toarray()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(4):
        np.testing.assert_array_equal(found[n], jacobian(chain)(V + n))
