"""Complex numbers: the convention, and every rule that can meet them."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor, grad
from autodiff.primitive import Primitive, registry
from autodiff.scipy import load
from tests.blocks import of_each
from tests.differences import Template, cotangents, total, weights
from tests.differences import central as differences

load()  # the same functions whatever was collected before
UNARY = [e for e in registry.values() if isinstance(e, Primitive) and e.elementwise and len(e.parameters) == 1]
BINARY = [e for e in registry.values() if isinstance(e, Primitive) and e.elementwise and len(e.parameters) == 2]
POINTS = np.array([0.3 + 0.4j, -0.6 + 0.25j, 0.7 - 0.35j, -0.45 - 0.8j])


def takes_complex(entry, *arrays):
    """Whether the function computes with complex numbers and gives numbers back."""
    try:
        return entry.function(*arrays).dtype.kind in "fc"
    except TypeError:
        return False


def check(entry, arrays, rng):
    call = Template(entry.call, (), {})
    call.__class__ = type("Direct", (Template,), {"__call__": lambda self, *a: entry.call(*a)})
    seeds = weights([entry.function(*arrays)], rng, np.float64)
    found = cotangents(call, arrays, seeds)
    for i, cotangent in enumerate(found):
        if entry.rules[i] is None:
            continue
        expected = differences(lambda moved: total(entry.function, moved, seeds), arrays, i)
        assert cotangent.dtype == arrays[i].dtype
        np.testing.assert_allclose(cotangent, expected, rtol=1e-7, atol=1e-8)


HOLOMORPHIC = [e for e in UNARY if takes_complex(e, POINTS) and not e.flat]


@of_each("entry", HOLOMORPHIC)
def test_unary(entry, rng):
    try:
        check(entry, [POINTS], rng)
    except TypeError as refusal:
        # NumPy's functions are differentiated; one of SciPy's may say that its slope is unknown
        if "not known at complex points" not in str(refusal) or getattr(np, entry.name, None) is entry.function:
            raise


@of_each("entry", [e for e in BINARY if takes_complex(e, POINTS, POINTS) and not e.flat and e.analytic])
def test_binary_with_complex_and_real_arguments(entry, rng):
    other = np.array([0.5 - 0.2j, 0.8 + 0.3j, -0.4 + 0.6j, 0.9 + 0.1j])
    check(entry, [POINTS, other], rng)
    check(entry, [np.abs(POINTS), other], rng)
    check(entry, [POINTS, np.abs(other)], rng)


def test_what_scipy_cannot_compute_at_complex_points_is_refused():
    special = pytest.importorskip("scipy.special")
    z = 1.5 + 0.5j
    assert grad(lambda z: np.real(special.loggamma(z)))(z) == pytest.approx(special.psi(z))
    for f in (lambda z: np.real(special.psi(z)), lambda z: np.abs(grad(lambda z: np.real(special.gamma(z)))(z))):
        with pytest.raises(TypeError, match="psi: its derivative is not known at complex points"):
            grad(f)(z)


def test_the_convention_is_the_conjugate_of_the_steepest_ascent():
    """L = |z|² = a² + b²: dL/da - i dL/db = 2a - 2ib, the conjugate of the direction of steepest ascent 2z."""
    assert grad(lambda z: np.abs(z) ** 2)(3.0 + 4.0j) == pytest.approx(6.0 - 8.0j)
    assert grad(lambda z: np.real(z))(1.0 + 2.0j) == 1.0
    assert grad(lambda z: np.imag(z))(1.0 + 2.0j) == -1.0j
    assert grad(lambda z: np.real(z**3))(1.0 + 2.0j) == pytest.approx(3 * (1.0 + 2.0j) ** 2)


def test_descent_along_the_conjugate_finds_the_minimum():
    z, goal = 2.0 - 1.0j, 0.5 + 1.5j
    for _ in range(100):
        z = z - 0.1 * np.conj(grad(lambda z: np.abs(z - goal) ** 2)(z))
    assert z == pytest.approx(goal)


def test_a_real_argument_of_a_complex_computation_has_a_real_gradient():
    gradient = grad(lambda t: np.real(np.exp(1j * t) * (1.0 + 1.0j)))(0.5)
    assert isinstance(gradient, float)
    assert gradient == pytest.approx(-np.sin(0.5) - np.cos(0.5))


def test_single_precision_stays_single():
    z = Tensor(np.array([1.0 + 1.0j], dtype=np.complex64))
    loss = np.sum(np.abs(np.fft.fft(z * 2.0)))
    assert loss.dtype == np.float32
    loss.backward()
    assert z.grad.dtype == np.complex64


def test_abs_angle_and_sign_at_zero():
    assert grad(lambda z: np.abs(z))(0.0j) == 0.0
    assert grad(lambda z: np.angle(z))(0.0j) == 0.0
    with pytest.raises(TypeError, match=r"x / np\.abs\(x\)"):
        np.sign(Tensor(1.0 + 1.0j))


def test_second_order():
    """Laplacian of Re(z³) is zero; of |z|⁴ it is 16 |z|²."""

    def laplacian(f, a, b):
        h_aa = grad(grad(lambda a: f(a + 1j * b)))(a)
        h_bb = grad(grad(lambda b: f(a + 1j * b)))(b)
        return h_aa + h_bb

    assert laplacian(lambda z: np.real(z**3), 0.7, -0.4) == pytest.approx(0.0, abs=1e-12)
    assert laplacian(lambda z: np.abs(z) ** 4, 0.7, -0.4) == pytest.approx(16 * (0.7**2 + 0.4**2))


def test_a_complex_loss_is_refused():
    with pytest.raises((TypeError, RuntimeError), match="complex"):
        grad(lambda z: z * z)(1.0 + 1.0j)
