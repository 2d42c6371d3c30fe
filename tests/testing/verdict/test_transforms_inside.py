"""Every transform inside of a checked function, with a right rule and with a wrong one, under every mode."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from autodiff import checkpoint, elementwise, grad, hessian, hvp, jacobian, jvp, no_grad, stop_gradient, vjp, vmap
from autodiff.testing import check_graph, detect_anomaly, gradcheck, record

X = np.array([1.0, 2.0, 3.0])

TRANSFORMS = {
    "grad": lambda h, x: grad(lambda z: np.sum(h(z) * z))(x),
    "vjp": lambda h, x: vjp(h, x)[1](x * x)[0] * h(x),
    "jvp": lambda h, x: jvp(lambda z: h(z) * z, (x,), (x,))[1],
    "jacobian": lambda h, x: jacobian(lambda z: h(z) * z)(x),
    "hessian": lambda h, x: hessian(lambda z: np.sum(h(z) * z))(x) * h(x),
    "hvp": lambda h, x: hvp(lambda z: np.sum(h(z) * z), (x,), (x,))[0] * h(x),
    "vmap": lambda h, x: vmap(lambda z: h(z) * z)(x),
    "vmap, of rows": lambda h, x: vmap(lambda z: h(z) @ z)(np.outer(x, x)),
    "vmap, with a variable from outside": lambda h, x: vmap(lambda z: h(z * x) * z)(x),
    "checkpoint": lambda h, x: checkpoint(lambda z: h(z) * z)(x),
    "vmap of grad": lambda h, x: vmap(grad(lambda z: h(z) * z))(x),
    "vmap of jacobian": lambda h, x: vmap(jacobian(lambda z: h(z) * z))(np.outer(x, x)),
    "vmap of vmap": lambda h, x: vmap(vmap(lambda z: h(z) * z))(np.outer(x, x)),
    "vmap of checkpoint": lambda h, x: vmap(checkpoint(lambda z: h(z) * z))(x),
    "grad of vmap": lambda h, x: grad(lambda w: np.sum(vmap(lambda z: h(z * w) * z)(x)))(x) * h(x),
    "checkpoint of vmap": lambda h, x: checkpoint(vmap(lambda z: h(z) * z))(x),
    "checkpoint of grad": lambda h, x: checkpoint(grad(lambda z: np.sum(h(z) * z)))(x),
    "checkpoint of checkpoint": lambda h, x: checkpoint(lambda z: checkpoint(h)(z) * z)(x),
}
EVERY_TRANSFORM = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
MODES = {"no mode": nullcontext, "no_grad": no_grad, "record": record, "detect_anomaly": detect_anomaly}
EVERY_MODE = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def sine(factor):
    return elementwise(lambda x: np.sin(x), lambda g, x: g * factor * np.cos(x), name="sine")


@EVERY_TRANSFORM
@EVERY_MODE
def test_a_right_gradient(transform, mode):
    right = sine(1.0)
    with mode():
        assert gradcheck(lambda x: np.sum(transform(right, x)), X).correct
        assert check_graph(lambda x: np.sum(transform(right, x)), X).correct


@EVERY_TRANSFORM
@EVERY_MODE
def test_a_wrong_gradient(transform, mode):
    wrong = sine(1.1)
    with mode():
        report = gradcheck(lambda x: np.sum(transform(wrong, x)), X)
        assert report.verdict == "wrong", report
        report = check_graph(lambda x: np.sum(transform(wrong, x)), X)
        assert report.verdict == "wrong", report
        assert report.function.startswith("sine "), report
        assert "test_transforms_inside.py" in report.notes[0]


@EVERY_TRANSFORM
@pytest.mark.parametrize("mode", [record, detect_anomaly])
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_modes_inside_of_f(transform, mode, factor):
    sine_of = sine(factor)

    def inside(z):
        with mode():
            return sine_of(z)

    def around(x):
        with mode():
            return np.sum(transform(sine_of, x))

    expected = "correct" if factor == 1.0 else "wrong"
    for f in (around, lambda x: np.sum(transform(inside, x))):
        for check in (gradcheck, check_graph):
            report = check(f, X)
            assert report.verdict == expected, report


@EVERY_TRANSFORM
def test_second_derivatives(transform):
    assert gradcheck(lambda x: np.sum(transform(np.sin, x)), X, order=2).correct
    wrong = elementwise(lambda x: np.sin(x), lambda g, x: g * stop_gradient(np.cos(x)))
    assert gradcheck(lambda x: np.sum(transform(wrong, x)), X, order=2).verdict == "wrong"


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_part_that_is_cut_off(name):
    transform = TRANSFORMS[name]
    report = gradcheck(lambda x: np.sum(transform(np.sin, x) * (1.0 + 0.2 * stop_gradient(x))), X)
    assert report.verdict == "wrong", report
    assert "detached" in report.reason or "checkpoint" in name, report  # what is in one is seen by the verdict alone


@EVERY_TRANSFORM
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_arguments_of_another_type(transform, dtype):
    x = X.astype(dtype)

    def of_parts(h):
        if dtype is np.float32:
            return lambda x: np.sum(transform(h, x))
        return lambda x: np.sum(transform(h, np.real(x)) * np.imag(x + 1j))

    assert gradcheck(of_parts(np.sin), x).correct
    report = gradcheck(of_parts(sine(1.1)), x)
    assert report.verdict == "wrong", report


@EVERY_TRANSFORM
def test_a_rule_that_is_not_linear(transform):
    square = elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * g)
    report = gradcheck(lambda x: np.sum(0.5 * transform(square, x)), X)
    assert report.verdict == "wrong", report


@EVERY_TRANSFORM
@pytest.mark.parametrize("cast", [np.float32, np.float16])
def test_a_rule_that_is_wrong_in_one_precision_alone(transform, cast):
    def rule(g, x):
        return g * np.cos(x) * (1.5 if x.dtype == cast else 1.0)

    wrong = elementwise(lambda x: np.sin(x), rule)
    report = gradcheck(lambda x: np.sum(transform(lambda z: wrong(z.astype(cast)), x)), X)
    right = gradcheck(lambda x: np.sum(transform(lambda z: np.sin(z.astype(cast)), x)), X)
    if cast is np.float32:
        assert report.verdict == "wrong", report
        assert right.correct, right
    else:  # whose rounding hides much
        assert not report.correct, report
        assert right.verdict != "wrong", right
