"""Rows or columns: jacobian and hessian have the same numbers in every mode, for every entry, in and around all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import autodiff
from autodiff import GraphError, checkpoint, elementwise, grad, hessian, hvp, jacobian, jvp, no_grad, vjp, vmap
from autodiff.primitive import Primitive, registry
from autodiff.scipy import load
from autodiff.testing import detect_anomaly
from autodiff.testing.strategies import programs
from autodiff.transforms import jacobians
from autodiff.tree import flatten
from tests.blocks import of_each
from tests.differences import STEP, calls, central, dot, outputs

load()
ENTRIES = [e for e in registry.values() if not (isinstance(e, Primitive) and e.flat)]
MODES = ["forward", "reverse", "auto"]
X = np.array([0.3, -0.5, 0.8])


def agree(found, expected, noise=0.0):
    """To rounding, measured at the largest number beside it; and to ``noise``, what rounding alone may change."""
    scale = np.max(np.abs(expected), initial=1e-30)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * scale + 16.0 * noise)


def largest(array):
    return float(np.max(np.abs(array), initial=0.0))


def spread(f, arrays):
    """How far each array that f returns moves when its arguments move by one unit in the last place.

    No algorithm knows an ill-conditioned result better: a parabola through three points that are 0.01 apart has
    coefficients to 12 digits; where they should be 0, two ways of computing them share no digit.
    """
    rng = np.random.default_rng(0)
    here = f(*arrays)
    furthest = [0.0] * len(here)
    for _ in range(4):
        signs = [rng.choice([-1.0, 1.0], np.shape(a)) for a in arrays]
        there = f(*[a * (1.0 + s * np.finfo(np.float64).eps) for a, s in zip(arrays, signs, strict=True)])
        moved = [np.max(np.abs(b - a), initial=0.0) for a, b in zip(here, there, strict=True)]
        furthest = list(map(max, furthest, moved))
    return furthest


# -- the same numbers --------------------------------------------------------------------------------------------


def parts(f):
    """A function with the real and the imaginary parts of its floating-point outputs in their place."""

    def real(*args):
        found = [y for y in outputs(f(*args)) if y.dtype.kind in "fc"]
        return [np.real(y) for y in found], [np.imag(y) for y in found if y.dtype.kind == "c"]

    return real


@of_each("entry", ENTRIES)
def test_every_entry_has_the_same_jacobian_forward_and_in_reverse(entry, rng):
    for call in calls(entry):
        arrays = call.arrays(rng)
        if any(map(np.iscomplexobj, arrays)):
            continue
        every = tuple(range(len(arrays)))
        f = parts(call)
        forward = jacobian(f, every, mode="forward")(*arrays)
        reverse = jacobian(f, every, mode="reverse")(*arrays)
        for ours, theirs in zip(flatten(forward)[0], flatten(reverse)[0], strict=True):
            assert np.shape(ours) == np.shape(theirs)
            agree(ours, theirs)


def check_every_mode(f, arrays):
    """The Jacobians of a list of outputs, in every mode: equal to each other, and to differences of values."""
    every = tuple(range(len(arrays)))
    found = {mode: jacobian(f, every, mode=mode)(*arrays) for mode in MODES}
    rounding = spread(lambda *args: flatten(jacobian(f, every, mode="reverse")(*args))[0], arrays)
    noise = np.reshape(rounding, (-1, len(arrays)))
    top = max(map(largest, arrays)) or 1.0
    for k, output in enumerate(f(*arrays)):
        # terms of a derivative that cancel, as in that of x / x, have the size of output / argument
        noise[k] += [np.finfo(np.float64).eps * largest(output) / (largest(a) or top) for a in arrays]
        for i in every:
            assert np.shape(found["forward"][k][i]) == np.shape(output) + np.shape(arrays[i])
            for mode in ("forward", "auto"):
                agree(found[mode][k][i], found["reverse"][k][i], noise[k, i])
    weights = [np.cos(np.arange(np.size(y))).reshape(np.shape(y)) for y in f(*arrays)]
    (jitter,) = spread(lambda *args: [dot(f(*args), weights)], arrays)
    values = list(map(np.asarray, arrays))
    for i in every:
        got = sum(np.tensordot(w, found["forward"][k][i], np.ndim(w)) for k, w in enumerate(map(np.asarray, weights)))
        scale = max(1.0, *[np.max(np.abs(found["forward"][k][i]), initial=0.0) for k in range(len(weights))])
        # what is steep turns soon: a step that is right for arctan(x) is far too long for arctan(3000 x)
        steep = 2.0 ** np.floor(np.log2(scale))

        def along(moved, i=i, steep=steep):
            return dot(f(*moved[:i], moved[i] / steep, *moved[i + 1 :]), weights) * steep

        slope = central(along, [*values[:i], np.asarray(values[i] * steep), *values[i + 1 :]], i)
        np.testing.assert_allclose(got, slope, rtol=1e-5, atol=1e-6 * scale + float(16.0 * jitter * steep / STEP))


def test_a_steep_function_is_compared_over_short_steps():
    """By steps of the usual length the slope of this one was 0.8 % too small."""
    check_every_mode(lambda a, b: [b + 0.1 * np.arctan(np.rad2deg(np.rad2deg(a)))], [np.array(0.0), np.zeros(1)])


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(max_depth=8))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_programs_have_the_same_derivatives_in_every_mode_as_differences(program):
    check_every_mode(lambda *args: outputs(program(*args)), program.arrays)


def test_a_result_that_rounding_decides_is_compared_as_far_as_it_is_known():
    close = np.array([0.0, 0.01, -0.01])
    check_every_mode(lambda a: [np.polyfit(a, a, 2)], [close])  # (0, 1, 0) for every a: all derivatives are rounding
    check_every_mode(lambda a, b: [np.polyfit(a, b, 2)], [close, np.array([0.5, 0.2, 0.3])])
    check_every_mode(lambda a: [np.linalg.cond(a, "fro")], [np.array([[2.00125]])])  # 1 for every a
    wrong = elementwise(lambda x: x * 2.0, lambda g, x: g * (2.0 + 1e-5 * x))
    with pytest.raises(AssertionError):  # well-conditioned: nothing is forgiven
        check_every_mode(lambda a: [wrong(a), np.polyfit(a, a, 2)], [np.array([3.0, 1.0, 2.0])])


def wide(x):
    """Two outputs of which one has many numbers; x is of three."""
    return {"many": np.outer(np.sin(x), np.arange(1.0, 5.0)) * x[1] ** 3, "one": np.sum(np.exp(x)) * x[0]}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("vectorize", [True, False, None])
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_the_options_change_no_number(mode, vectorize, chunk_size):
    options = {"mode": mode, "vectorize": vectorize, "chunk_size": chunk_size}
    expected = jacobian(wide, mode="reverse")(X)
    found = jacobian(wide, **options)(X)
    second, twice = hessian(wide, **options)(X), hessian(wide, mode="reverse")(X)
    for name, block in expected.items():
        assert found[name].shape == block.shape
        np.testing.assert_allclose(found[name], block, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(second[name], twice[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_shapes_nestings_arguments_and_types(mode):
    def jac(f, *args, argnums=0, **options):
        return jacobian(f, argnums, mode=mode, **options)(*args)

    m = np.arange(1.0, 7.0).reshape(2, 3)
    assert type(jac(lambda x: x * 2.0, 1.0)) is float
    assert jac(lambda x: np.ones(50) * x**2, 3.0).tolist() == [6.0] * 50
    assert jac(np.sum, m).shape == (2, 3)
    np.testing.assert_array_equal(jac(lambda x: x.T, m), np.einsum("ik,jl->jikl", np.eye(2), np.eye(3)))
    assert jac(lambda x: x, np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert jac(lambda x: x[:, :0], m).shape == (2, 0, 2, 3)
    assert jac(lambda x: np.sum(x) + m, np.zeros((0, 2))).shape == (2, 3, 0, 2)
    assert jac(lambda x: np.ones(4), m).tolist() == np.zeros((4, 2, 3)).tolist()
    assert jac(lambda x: (x, 3.0, np.argmax(x)), X)[1:] != []
    both = jac(lambda a, b: np.outer(a, b), np.ones(2), np.ones(30), argnums=(1, 0))
    assert [b.shape for b in both] == [(2, 30, 30), (2, 30, 2)]
    nested = jac(lambda p: {"u": p["a"] * p["b"], "v": [p["b"]]}, {"a": np.ones(2), "b": 3.0})
    np.testing.assert_array_equal(nested["u"]["a"], 3.0 * np.eye(2))
    assert nested["u"]["b"].tolist() == [1.0, 1.0]
    assert nested["v"][0]["b"] == 1.0
    assert nested["v"][0]["a"].tolist() == [0.0, 0.0]
    found, aux = jac(lambda x: (np.tile(x, 40), x[0] * 2.0), X, has_aux=True)
    np.testing.assert_array_equal(found, np.tile(np.eye(3), (40, 1)))
    assert float(aux) == 0.6
    keyword = jacobian(lambda x, *, k: np.tile(x, 40) * k, mode=mode)(X, k=2.0)
    np.testing.assert_array_equal(keyword, 2.0 * found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_derivatives_have_the_dtype_of_the_argument(mode, dtype):
    x = X.astype(dtype)
    for f in (lambda x: np.tile(np.sin(x), 30), lambda x: np.tile(x, 30).astype(np.float64) ** 2, np.sum):
        assert jacobian(f, mode=mode)(x).dtype == dtype
        assert hessian(f, mode=mode)(x).dtype == dtype


def test_a_complex_output_of_a_real_argument_has_columns():
    f = lambda x: np.exp(1j * np.outer(x, x)) * (2.0 + 1j)  # noqa: E731
    expected = jacobian(lambda x: np.real(f(x)), mode="reverse")(X) + 1j * jacobian(lambda x: np.imag(f(x)))(X)
    for mode in ("forward", "auto"):
        found = jacobian(f, mode=mode)(X)
        assert found.dtype == np.complex128
        agree(found, expected)
        assert jacobian(lambda x: f(x).astype(np.complex64), mode=mode)(X.astype(np.float32)).dtype == np.complex64
        assert jacobian(lambda x: np.ones(2) * 1j, mode=mode)(X).tolist() == np.zeros((2, 3)).tolist()
    with pytest.raises(TypeError, match="np.real and np.imag"):
        jacobian(f, mode="reverse")(X)
    for mode in MODES:
        with pytest.raises(TypeError, match="np.real and np.imag"):
            jacobian(np.sin, mode=mode)(X + 1j)


@pytest.mark.parametrize("mode", ["Forward", "", None, "both"])
def test_a_mode_that_there_is_not(mode):
    for transform in (jacobian, hessian):
        with pytest.raises(ValueError, match=rf"{transform.__name__}: mode is 'auto', 'forward' or 'reverse'; got"):
            transform(np.sin, mode=mode)


# -- what auto does ----------------------------------------------------------------------------------------------


@pytest.fixture
def passes(monkeypatch):
    """The shapes that a basis was pulled back from."""
    seen = []
    pulled = jacobians.basis_pulled
    monkeypatch.setattr(
        jacobians, "basis_pulled", lambda root, *rest: (seen.append(root.shape), pulled(root, *rest))[1]
    )
    return seen


def test_auto_goes_along_the_shorter_side_and_calls_the_function_once(passes):
    counted = []

    def tall(x):
        counted.append(1)
        return np.outer(np.sin(x), np.ones(1000))

    jacobian(tall)(X)
    jacobian(np.sum)(np.ones(1000))
    jacobian(np.sin)(np.ones(100))
    jacobian(lambda x: np.tile(x, 2), vectorize=False)(np.ones(4))
    jacobian(lambda x: np.tile(x, 2))(np.ones(4))  # so small that a pass more costs more
    jacobian(lambda x: (x, np.ones(5000)))(np.ones(4))  # what does not depend on x needs no rows
    jacobian(lambda a, b: np.outer(a, b), (0, 1))(np.ones(2), np.ones(50))  # 100 outputs, 52 variables
    assert passes == [(3,), (), (100,), (4,), (8,), (4,), (2, 50)]
    assert len(counted) == 1


def test_hessian_goes_forward_where_there_are_many_first_derivatives(passes):
    hessian(lambda x: np.sum(x**3))(X)
    assert passes == [(), (3,)]
    passes.clear()
    hessian(lambda x: np.sum(x**3), mode="forward")(X)
    assert passes == [(), (3,)]
    passes.clear()
    hessian(lambda x: np.outer(np.sin(x), np.ones(1000)))(X)
    assert passes == [(3,), (3,)]
    passes.clear()
    hessian(lambda x: np.outer(np.sin(x), np.ones(10)), mode="reverse")(X)
    assert passes == [(3, 10), (3, 10, 3)]


def test_auto_goes_in_reverse_where_a_rule_cannot_be_recorded():
    @autodiff.primitive(lambda g, x: np.array([float(v) for v in np.sum(g, axis=1)]))
    def spread(x):
        return np.outer(x, np.ones(1000))

    expected = np.broadcast_to(np.eye(3)[:, None], (3, 1000, 3))
    np.testing.assert_array_equal(jacobian(spread, vectorize=False)(X), expected)
    with pytest.raises(TypeError, match="float"):
        jacobian(spread, mode="forward")(X)


def test_a_rule_that_takes_the_numbers_out_of_its_cotangent_is_found():
    """It is right in reverse; recorded, its result would depend on nothing, and the derivative would be zero."""

    @autodiff.primitive(lambda g, x: np.array([sum(v) for v in g.tolist()]))
    def spread(x):
        return np.outer(x, np.ones(1000))

    expected = np.broadcast_to(np.eye(3)[:, None], (3, 1000, 3))
    np.testing.assert_array_equal(jacobian(spread, vectorize=False)(X), expected)
    for derivative in (lambda: jacobian(spread, mode="forward")(X), lambda: jvp(spread, (X,), (X,))):
        with pytest.raises(GraphError, match="spread: its rule for 'x' took the numbers out of the cotangent"):
            derivative()


# -- inside and around everything --------------------------------------------------------------------------------


def tall(x):
    """A function of three numbers and fifteen."""
    return np.sin(np.outer(np.arange(1.0, 6.0), x)) * np.exp(x[0]) * x**3


def first(f, mode):
    return jacobian(f, mode=mode)


def second(f, mode):
    return hessian(f, mode=mode)


def watched(d):
    def derivative(x):
        with detect_anomaly():
            return d(x)

    return derivative


INSIDE = {
    "grad": lambda d: grad(lambda x: np.sum(np.cos(d(x))))(X),
    "vjp": lambda d: vjp(d, X)[1](np.cos(d(X)))[0],
    "jvp": lambda d: jvp(d, (X,), (np.cos(X),))[1],
    "jacobian forward": lambda d: jacobian(d, mode="forward")(X),
    "jacobian reverse": lambda d: jacobian(d, mode="reverse")(X),
    "hessian": lambda d: hessian(lambda x: np.sum(d(x)), mode="forward")(X),
    "hvp": lambda d: hvp(lambda x: np.sum(np.sin(d(x))), (X,), (np.cos(X),))[0],
    "vmap": lambda d: vmap(d)(np.stack([X, 2 * X])),
    "vmap of grad": lambda d: vmap(grad(lambda x: np.sum(np.cos(d(x)))))(np.stack([X, 2 * X])),
    "grad of vmap": lambda d: grad(lambda x: np.sum(np.cos(vmap(d)(np.stack([x, 2 * x])))))(X),
    "checkpoint": lambda d: grad(lambda x: np.sum(np.cos(checkpoint(d)(x))))(X),
    "no_grad": lambda d: no_grad()(d)(X),
    "anomaly": lambda d: watched(d)(X),
}
AROUND = {
    "grad": lambda x: grad(lambda y: np.sum(np.sin(tall(y)) ** 2))(x),
    "vjp": lambda x: vjp(tall, x)[1](np.cos(tall(x)))[0],
    "jvp": lambda x: jvp(tall, (x,), (np.cos(x),))[1],
    "jacobian": lambda x: np.sum(jacobian(tall, mode="forward")(x) ** 2, axis=-1),
    "hessian": lambda x: hessian(lambda y: np.sum(tall(y) ** 2), mode="forward")(x),
    "hvp": lambda x: hvp(lambda y: np.sum(tall(y) ** 2), (x,), (np.cos(x),))[0],
    "vmap": lambda x: vmap(lambda y: tall(y * x))(np.stack([X, 2 * X])),
    "checkpoint": lambda x: checkpoint(tall)(x) ** 2,
}


@pytest.mark.parametrize("mode", ["forward", "auto"])
@pytest.mark.parametrize("derivative", [first, second])
@pytest.mark.parametrize("name", INSIDE)
def test_inside_of_every_transform(name, derivative, mode):
    expected = INSIDE[name](derivative(tall, "reverse"))
    agree(INSIDE[name](derivative(tall, mode)), expected)


@pytest.mark.parametrize("mode", ["forward", "auto"])
@pytest.mark.parametrize("derivative", [first, second])
@pytest.mark.parametrize("name", AROUND)
def test_around_every_transform(name, derivative, mode):
    expected = derivative(AROUND[name], "reverse")(X)
    agree(derivative(AROUND[name], mode)(X), expected)


@pytest.mark.parametrize("mode", MODES)
def test_an_outer_variable_by_differences(mode):
    """The mixed derivative: by a variable that the function closes over."""
    f = lambda w: np.sum(np.cos(jacobian(lambda x: tall(x * w) * w, mode=mode)(X)))  # noqa: E731
    slope = central(lambda moved: f(moved[0]), [np.array(0.7)], 0)
    assert grad(f)(0.7) == pytest.approx(float(slope), rel=1e-8)
    assert type(grad(f)(0.7)) is float
