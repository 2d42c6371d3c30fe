"""Every transform inside of a checked function, with a right rule and with a wrong one, under every mode.

A right rule meets every transform under every mode.  With a wrong one, which costs ten times as much, each transform
takes the modes in turn.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from autodiff import checkpoint, elementwise, grad, hessian, hvp, jacobian, jvp, no_grad, stop_gradient, vjp, vmap
from autodiff.testing import check_graph, detect_anomaly, gradcheck, record
from tests.testing.seeds import in_turn

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
EVERY_NAME = pytest.mark.parametrize("name", TRANSFORMS)
NUMBERS = {name: number for number, name in enumerate(TRANSFORMS)}
MODES = {"no mode": nullcontext, "no_grad": no_grad, "record": record, "detect_anomaly": detect_anomaly}


def sine(factor):
    return elementwise(lambda x: np.sin(x), lambda g, x: g * factor * np.cos(x), name="sine")


@EVERY_TRANSFORM
def test_a_right_gradient(transform):
    right = sine(1.0)
    for name, mode in MODES.items():
        with mode():
            assert gradcheck(lambda x: np.sum(transform(right, x)), X).correct, name
            assert check_graph(lambda x: np.sum(transform(right, x)), X).correct, name


@EVERY_NAME
def test_a_wrong_gradient(name):
    transform, wrong = TRANSFORMS[name], sine(1.1)
    for mode in in_turn(list(MODES), NUMBERS[name]):
        with MODES[mode]():
            report = gradcheck(lambda x: np.sum(transform(wrong, x)), X)
            assert report.verdict == "wrong", f"{mode}: {report}"
            report = check_graph(lambda x: np.sum(transform(wrong, x)), X)
        assert report.verdict == "wrong", f"{mode}: {report}"
        assert report.function.startswith("sine "), f"{mode}: {report}"
        assert "test_transforms_inside.py" in report.notes[0]


@EVERY_NAME
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_modes_inside_of_f(name, factor):
    transform, sine_of = TRANSFORMS[name], sine(factor)

    def inside(mode, z):
        with mode():
            return sine_of(z)

    def around(mode, x):
        with mode():
            return np.sum(transform(sine_of, x))

    def functions(mode):
        return [lambda x: around(mode, x), lambda x: np.sum(transform(lambda z: inside(mode, z), x))]

    expected = "correct" if factor == 1.0 else "wrong"
    every = [*functions(record), *functions(detect_anomaly)]
    for f in every if expected == "correct" else in_turn(every, NUMBERS[name]):
        for check in (gradcheck, check_graph):
            report = check(f, X)
            assert report.verdict == expected, report


@EVERY_TRANSFORM
def test_second_derivatives(transform):
    assert gradcheck(lambda x: np.sum(transform(np.sin, x)), X, order=2).correct
    wrong = elementwise(lambda x: np.sin(x), lambda g, x: g * stop_gradient(np.cos(x)))
    assert gradcheck(lambda x: np.sum(transform(wrong, x)), X, order=2).verdict == "wrong"


@EVERY_NAME
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


def wrong_in(cast):
    return elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * (1.5 if x.dtype == cast else 1.0))


def cast_inside(transform, h, cast):
    return lambda x: np.sum(transform(lambda z: h(z.astype(cast)), x))


@EVERY_NAME
def test_a_rule_that_is_wrong_in_one_precision_alone(name):
    for cast in in_turn((np.float32, np.float16), NUMBERS[name]):
        report = gradcheck(cast_inside(TRANSFORMS[name], wrong_in(cast), cast), X)
        right = gradcheck(cast_inside(TRANSFORMS[name], np.sin, cast), X)
        if cast is np.float32:
            assert report.verdict == "wrong", report
            assert right.correct, right
        else:  # whose rounding hides much
            assert not report.correct, report
            assert right.verdict != "wrong", right
