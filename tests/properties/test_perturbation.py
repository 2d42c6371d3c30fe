"""Perturbation confusion: one derivative's variable mistaken for another's.

The cases of the literature, each through every transform that can be nested:
J. M. Siskind and B. A. Pearlmutter, "Perturbation confusion and referential transparency: correct functional
implementation of forward-mode AD", 2005; O. Manzyuk, B. A. Pearlmutter, A. A. Radul, D. R. Rush and J. M. Siskind,
"Perturbation confusion in forward automatic differentiation of higher-order functions", 2019.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autodiff import GraphError, Tensor, checkpoint, grad, hvp, jacobian, jvp, vjp, vmap


def by_map(f):
    return lambda x: vmap(grad(f))(np.reshape(x, (1,)))[0]


DERIVATIVES = {
    "grad": grad,
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
    "jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "jacobian": jacobian,
    "checkpoint": lambda f: grad(checkpoint(f)),
    "vmap": by_map,
}
PAIRS = list(itertools.product(DERIVATIVES, DERIVATIVES))


def value(result):
    return float(np.asarray(result))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_inner_variable_is_not_the_outer_one(outer, inner):
    """d/dx (x · d/dy (x + y) at y = 1) at x = 1 is 1; confused, it is 2."""
    d, e = DERIVATIVES[outer], DERIVATIVES[inner]
    assert value(d(lambda x: x * e(lambda y: x + y)(1.0))(1.0)) == 1.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_inner_derivative_is_taken_at_the_outer_variable(outer, inner):
    """d/dx [d/dy y (x - y) at y = x] = d/dx (-x) = -1; with one variable for both it is 0."""
    d, e = DERIVATIVES[outer], DERIVATIVES[inner]
    assert value(d(lambda x: e(lambda y: y * (x - y))(x))(1.0)) == -1.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_a_constant_inner_function(outer, inner):
    """d/dx (x · d/dy x at y) is 0, since x does not change with y."""
    d, e = DERIVATIVES[outer], DERIVATIVES[inner]
    assert value(d(lambda x: x * e(lambda y: x * x + 0.0 * y)(3.0))(2.0)) == 0.0


@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_derivative_operator_made_by_derivation(name):
    """With s(u)(f)(x) = f(x + u), the operator D̂ = s'(0) is differentiation: D̂(D̂ exp)(1) = e; confused, it is 0."""
    d = DERIVATIVES[name]

    def operator(f):
        return lambda x: d(lambda u: f(x + u))(0.0)

    assert value(operator(operator(np.exp))(1.0)) == pytest.approx(np.e, rel=1e-15)
    assert value(operator(operator(operator(np.exp)))(1.0)) == pytest.approx(np.e, rel=1e-14)


def test_a_function_is_no_output_to_differentiate():
    """Where a derivative of a function-valued function is asked for, the answer is an error, not a wrong number."""
    with pytest.raises(TypeError, match="single number, got a function"):
        grad(lambda u: lambda f: lambda x: f(x + u))(0.0)


def test_a_variable_that_escapes_is_a_constant_for_later_derivatives():
    escaped = []

    def f(x):
        escaped.append(x)
        return x * x

    assert grad(f)(3.0) == 6.0
    assert grad(lambda y: y * escaped[0])(5.0) == 3.0
    assert grad(lambda y: grad(lambda z: z * y * escaped[0])(1.0))(5.0) == 3.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_three_levels(outer, inner):
    """d/dx d/dy d/dz (x² y³ z⁴) taken one inside the other."""
    d, e = DERIVATIVES[outer], DERIVATIVES[inner]
    assert value(d(lambda x: e(lambda y: d(lambda z: x**2 * y**3 * z**4)(2.0))(3.0))(5.0)) == 2 * 5 * 3 * 9 * 4 * 8


def test_the_imperative_style_inside_and_outside():
    x = Tensor(1.0)
    (x * grad(lambda y: x + y)(1.0)).backward()
    assert x.grad == 1.0
    x = Tensor(1.0)
    grad(lambda y: y * (x - y))(x).backward()
    assert x.grad == -1.0


def test_imperative_gradients_inside_a_transform_do_not_mix_with_it():
    def f(x):
        w = Tensor(2.0)
        (w * w * x.item()).backward()
        return x * float(w.grad)

    assert grad(f)(3.0) == 12.0


def test_hvp_inside_grad_and_grad_inside_hvp():
    assert grad(lambda x: hvp(lambda y: x * y**3, (x,), (1.0,))[0])(2.0) == pytest.approx(24.0)
    assert hvp(lambda x: grad(lambda y: x * y**3)(x), (2.0,), (1.0,))[0] == pytest.approx(36.0)


def test_a_pullback_used_inside_another_derivative():
    """The pullback was made outside, so its point is a constant inside."""
    _, pull = vjp(lambda x: x**3, 2.0)
    assert grad(lambda g: pull(g * g)[0])(5.0) == 120.0
    assert vmap(lambda g: pull(g)[0])(np.array([1.0, 2.0])).tolist() == [12.0, 24.0]


def test_a_pullback_of_an_outer_variable_belongs_to_its_derivative():
    def f(x):
        _, pull = vjp(lambda y: y**3, x)
        return pull(x)[0]  # 3 x³

    assert grad(f)(2.0) == 36.0
    assert grad(grad(f))(2.0) == 36.0


def test_an_exception_leaves_nothing_behind():
    def fails(x):
        raise RuntimeError("on purpose")

    for transform in (grad, jacobian, vmap):
        with pytest.raises(RuntimeError, match="on purpose"):
            transform(fails)(np.ones(2))
    with pytest.raises(GraphError):
        grad(lambda x: vmap(lambda y: y)(x))(np.ones(2))
    assert grad(lambda x: x * x)(3.0) == 6.0
    x = Tensor(2.0)
    (x * x).backward()
    assert x.grad == 4.0
