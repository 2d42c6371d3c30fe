"""``implicit``: derivatives of solutions against closed forms, to third order, with and without the matrix."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff
from autodiff import GraphError, Tensor, checkpoint, grad, hessian, hvp, jacobian, no_grad, vmap
from autodiff.scipy.optimize import implicit
from autodiff.tensor import value_of

WAYS = [{}, {"solve": "iterative"}, {"solve": "iterative", "symmetric": True}, {"solve": "lstsq"}]


def logs(p, **options):
    """log(p), as what exp takes to p, coupled by nothing."""
    return implicit(lambda u: np.exp(u) - p, np.log(value_of(p)), **options)


@pytest.mark.parametrize("options", WAYS)
def test_to_second_order_it_is_the_closed_form(options):
    p = np.array([0.5, 1.5, 2.0])

    def found(p):
        return np.sum(np.sin(logs(p, **options)) * p[::-1])

    def closed(p):
        return np.sum(np.sin(np.log(p)) * p[::-1])

    np.testing.assert_allclose(grad(found)(p), grad(closed)(p), rtol=1e-12)
    np.testing.assert_allclose(hessian(found)(p), hessian(closed)(p), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(hvp(found, (p,), (p,))[0], hvp(closed, (p,), (p,))[0], rtol=1e-10)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_both_modes_of_a_jacobian(mode):
    p = np.array([0.5, 1.5])
    np.testing.assert_allclose(jacobian(logs, mode=mode)(p), np.diag(1 / p), rtol=1e-12)


def test_third_order():
    p = np.array([0.5, 1.5])
    found = jacobian(hessian(lambda p: np.sum(logs(p))))(p)
    expected = np.zeros((2, 2, 2))
    expected[[0, 1], [0, 1], [0, 1]] = 2 / p**3
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_equations_that_are_coupled_and_not_symmetric():
    A = np.array([[2.0, 1.0], [0.5, 3.0]])
    b = np.array([1.0, 2.0])
    for options in WAYS[:2]:

        def x(b, A, options=options):
            return implicit(lambda x: A @ x - b, np.linalg.solve(value_of(A), value_of(b)), **options)

        np.testing.assert_allclose(jacobian(x)(b, A), np.linalg.inv(A), rtol=1e-12)
        expected = jacobian(lambda A: np.linalg.solve(A, b))(A)
        np.testing.assert_allclose(jacobian(x, argnums=1)(b, A), expected, rtol=1e-10, atol=1e-14)


def test_a_checkpoint_inside_of_the_equations_and_around_them():
    p = np.array([0.5, 1.5])

    def inside(p):
        return np.sum(implicit(lambda u: checkpoint(lambda u: np.exp(u) - p)(u), np.log(value_of(p))))

    around = checkpoint(lambda p: np.sum(logs(p)))
    for f in (inside, around):
        np.testing.assert_allclose(grad(f)(p), 1 / p, rtol=1e-12)
        np.testing.assert_allclose(hessian(f)(p), np.diag(-1 / p**2), rtol=1e-12)


def test_one_solution_in_the_equations_of_another():
    def outer(p):
        return implicit(lambda v: v - logs(p) * p, np.log(value_of(p)) * value_of(p))

    p = np.array([0.5, 1.5])
    np.testing.assert_allclose(jacobian(outer)(p), np.diag(1 + np.log(p)), rtol=1e-12)
    np.testing.assert_allclose(hessian(lambda p: np.sum(outer(p)))(p), np.diag(1 / p), rtol=1e-12)


def test_backward_of_tensors_and_a_graph_that_is_drawn():
    p = Tensor(np.array([0.5, 1.5]))
    total = np.sum(logs(p))
    total.backward(retain_graph=True)
    np.testing.assert_allclose(p.grad, 1 / p.data)
    assert "implicit" in autodiff.draw(total).to_mermaid() if hasattr(autodiff.draw(total), "to_mermaid") else True


def test_without_variables_it_is_the_array_in_its_nesting_and_dtype():
    x = {"a": np.float32(2.0), "b": [np.ones(2, np.float32)]}
    same = implicit(lambda x: x, x)
    assert type(same["b"][0]) is np.ndarray
    assert same["a"].dtype == same["b"][0].dtype == np.float32
    with no_grad():
        assert type(logs(Tensor(np.ones(2)))) is np.ndarray


def test_float32_parameters_and_solution():
    p = Tensor(np.array([0.5, 1.5], np.float32))
    x = implicit(lambda u: np.exp(u) - p, np.log(p.data))
    assert x.dtype == np.float32
    np.sum(x).backward()
    assert p.grad.dtype == np.float32
    np.testing.assert_allclose(p.grad, 1 / p.data, rtol=1e-6)


def test_a_point_that_is_no_solution_is_refused_unless_it_is_asked_for():
    def far(**options):
        return grad(lambda p: implicit(lambda u: u**2 - p, 1.5, **options))

    with pytest.raises(GraphError, match=r"implicit: .*about 0\.03 of its size away"):
        far()(2.0)
    np.testing.assert_allclose(far(unconverged="allow")(2.0), 1 / 3.0)


def test_singular_equations_are_an_error_with_the_way_out():
    def equal(p, **options):
        return np.sum(implicit(lambda u: (u[0] + u[1] - p) * np.ones(2), np.ones(2), **options))

    with pytest.raises(GraphError, match=r"is singular .*solve='lstsq'"):
        grad(equal)(2.0)
    np.testing.assert_allclose(grad(lambda p: equal(p, solve="lstsq"))(2.0), 1.0)


def test_as_many_equations_as_unknowns():
    with pytest.raises(ValueError, match="implicit: 2 equations for 1 unknowns"):
        grad(lambda p: implicit(lambda u: np.stack([u, u]) - p, 1.0))(1.0)


def test_what_changes_after_the_solution_is_found_out():
    shift = [0.0]

    def found(p):
        x = implicit(lambda u: np.exp(u) - p + shift[0], np.log(value_of(p)))
        shift[0] += 1.0
        return np.sum(x)

    np.testing.assert_allclose(grad(found)(np.ones(2)), 1.0)  # the graph of the solution knows what it was
    shift[0] = 0.0
    with pytest.raises(GraphError, match="computed something else the second time"):
        hessian(found)(np.ones(2))


def test_wrong_options():
    with pytest.raises(ValueError, match="solve is one of 'auto', 'dense', 'iterative', 'lstsq'"):
        implicit(lambda u: u, 0.0, solve="cg")
    with pytest.raises(ValueError, match="unconverged is 'refuse' or 'allow'"):
        implicit(lambda u: u, 0.0, unconverged=True)


def test_inside_of_vmap_examples_that_are_closed_over_are_refused():
    with pytest.raises(NotImplementedError, match="pass what differs between examples by args="):
        vmap(lambda p: implicit(lambda u: u - p, 1.0))(np.ones(2))
