"""Every mode around every transform and inside of it: values stay, the mode does its work, nothing stays on."""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil

import numpy as np
import pytest

from autodiff import Tensor, elementwise, grad, stop_gradient, vmap
from autodiff.draw import draw
from autodiff.mode import Mode, current, is_recording
from autodiff.structural import is_tracking
from autodiff.testing import AnomalyError, check_graph, detect_anomaly, gradcheck
from autodiff.testing.rounding.monte_carlo import _Moving
from autodiff.transforms.calling import now
from autodiff.unrecorded import Unrecorded
from tests.modes import BASES, HIDING, MODES, Seen
from tests.places import PLACES, TRANSFORMS, X, smooth
from tests.testing.seeds import in_turn

ROWS = np.stack([X, X + 0.25])
EVERY_PLACE = [(outer, name, place) for outer, places in PLACES.items() for name, place in places.items()]
EVERY_MODE = pytest.mark.parametrize("kind", MODES, ids=[kind.__name__.strip("_") for kind in MODES])
EVERY_OUTER = pytest.mark.parametrize("outer", PLACES)


def subclasses(kind):
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_mode_of_the_library_is_here():
    for package in ("autodiff", "nn"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    assert {one for one in subclasses(Mode) if one.__module__.startswith(("autodiff.", "nn."))} == {*MODES, *BASES}


@pytest.fixture(autouse=True)
def nothing_is_left_on():
    errors = np.geterr()
    yield
    assert current() is None
    assert is_recording()
    assert not is_tracking()
    assert now.get() == math.inf
    assert np.geterr() == errors


def plain(value):
    return np.asarray(value.data if isinstance(value, Tensor) else value)


def same(found, expected, *what):
    np.testing.assert_allclose(plain(found), plain(expected), rtol=1e-11, atol=1e-13, err_msg=", ".join(what))


# -- values ----------------------------------------------------------------------------------------------------------


@functools.cache  # every mode is compared with the same
def without_a_mode(outer, name, cut=False):
    return plain(PLACES[outer][name]((lambda z: stop_gradient(smooth(z))) if cut else smooth)(X))


@functools.cache
def gradient_without_a_mode(outer, name):
    f = PLACES[outer][name](smooth)
    return grad(lambda x: np.sum(f(x)))(X)


@functools.cache
def rows_without_a_mode(outer, name):
    f = PLACES[outer][name](smooth)
    return np.stack([plain(f(row)) for row in ROWS])


@EVERY_MODE
def test_values_around(kind):
    for outer, name, place in EVERY_PLACE:
        f = place(smooth)
        found = MODES[kind](lambda f=f: f(X))
        same(found, without_a_mode(outer, name), outer, name)
        assert not isinstance(found, Tensor) or not found._node.active, (outer, name)


@EVERY_MODE
def test_values_inside(kind):
    cut = issubclass(kind, Unrecorded)
    for outer, name, place in EVERY_PLACE:
        found = place(lambda z: MODES[kind](lambda: smooth(z)))(X)
        same(found, without_a_mode(outer, name, cut), outer, name)


@EVERY_MODE
def test_a_variable_from_outside_of_the_mode(kind):
    """Results stay differentiable, unless nothing is to be recorded."""
    for outer, name, place in EVERY_PLACE:
        f = place(smooth)
        expected = 0.0 * X if issubclass(kind, Unrecorded) else gradient_without_a_mode(outer, name)
        same(grad(lambda x, f=f: MODES[kind](lambda: np.sum(f(x))))(X), expected, outer, name)


@EVERY_MODE
def test_in_a_mapping(kind):
    for outer, name, place in EVERY_PLACE:
        f = place(smooth)
        found = vmap(lambda row, f=f: MODES[kind](lambda: f(row)))(ROWS)
        same(found, rows_without_a_mode(outer, name), outer, name)


def looked_at(row):
    """Functions that look at values, which a mapping computes example by example."""
    return np.quantile(X, row[0] / 10.0) + np.sum(np.histogram(row, 3, (0.0, 2.0))[0] * row) + np.nanmedian(row)


@EVERY_MODE
def test_what_is_mapped_example_by_example(kind):
    rows = ROWS
    weight = Tensor(np.ones(3))
    for h in (looked_at, lambda row: np.sum(np.roots(row))):
        expected = np.stack([h(row) for row in rows])
        same(vmap(lambda row, h=h: MODES[kind](lambda: h(row)))(rows), expected)
        same(MODES[kind](lambda h=h: vmap(h)(rows)), expected)
    found = vmap(lambda row: MODES[kind](lambda: np.quantile(weight, row[0] / 10.0)))(rows)
    if not issubclass(kind, Unrecorded):
        np.sum(found).backward()
        assert np.sum(weight.grad) == pytest.approx(2.0)  # shared by both examples, and counted once for each


@EVERY_MODE
@pytest.mark.parametrize("other", MODES, ids=[kind.__name__.strip("_") for kind in MODES])
def test_a_mode_in_a_mode(kind, other):
    cut = issubclass(other, Unrecorded) or (issubclass(kind, Unrecorded) and other is not _Moving)
    expected = 0.0 * X if cut else grad(lambda x: np.sum(smooth(x)))(X)
    same(grad(lambda x: MODES[kind](lambda: MODES[other](lambda: np.sum(smooth(x)))))(X), expected)
    for name, transform in TRANSFORMS.items():
        f = transform(smooth)
        same(MODES[kind](lambda f=f: MODES[other](lambda: f(X))), f(X), name)


# -- what modes are for ----------------------------------------------------------------------------------------------


OURS = ("sin", "cos", "exp")
"""What :func:`smooth` and its derivatives are made of."""


@functools.cache
def seen_without_a_mode(outer, name):
    with Seen() as seen:
        PLACES[outer][name](smooth)(X)
    return [n for n in seen.names if n in OURS]


@EVERY_MODE
def test_a_mode_inside_passes_on_to_the_one_around(kind):
    """Whoever watches sees every operation, whatever is on inside, and every pass that is recorded."""
    for outer, name, place in EVERY_PLACE:
        with Seen() as seen:
            place(lambda z: MODES[kind](lambda: smooth(z)))(X)
        if kind in HIDING:
            assert "exp" not in seen.names, (outer, name)
        else:
            assert [n for n in seen.names if n in OURS] == seen_without_a_mode(outer, name), (outer, name)


def planted(factor):
    """A sine whose derivative is this much of what it is."""
    return elementwise(lambda x: np.sin(x), lambda g, x: g * factor * np.cos(x), name="planted")


def of(function):
    return lambda z: function(z) * np.exp(z * 0.5)


@EVERY_MODE
def test_checks_in_every_mode(kind):
    start = list(MODES).index(kind)
    for number, (outer, transform) in enumerate(in_turn(list(TRANSFORMS.items()), start, 4), start):
        good = transform(of(planted(1.0)))
        assert MODES[kind](lambda f=good: gradcheck(f, X)).correct, outer
        for factor in in_turn((1.0, 1.1), number):
            f = transform(of(planted(factor)))
            report = MODES[kind](lambda f=f: check_graph(f, X))
            assert report.verdict == ("correct" if factor == 1.0 else "wrong"), outer
            assert report.correct or report.function.startswith("planted "), report
    for outer in in_turn(("grad", "vmap", "checkpoint"), start):
        bad = TRANSFORMS[outer](of(planted(1.1)))
        assert MODES[kind](lambda f=bad: gradcheck(f, X)).verdict == "wrong", outer


@EVERY_OUTER
def test_checks_of_every_place(outer):
    start = list(PLACES).index(outer)
    for name, place in in_turn(list(PLACES[outer].items()), start, 4):
        assert gradcheck(place(smooth), X).correct, name
    for number, (name, place) in enumerate(PLACES[outer].items(), start):
        for factor in in_turn((1.0, 1.1), number):
            report = check_graph(place(of(planted(factor))), X)
            assert report.verdict == ("correct" if factor == 1.0 else "wrong"), name
            assert report.correct or report.function.startswith("planted "), report


@EVERY_OUTER
def test_checks_inside_of_every_place(outer):
    right, wrong = of(planted(1.0)), of(planted(1.1))

    def checked(z):
        for check in (gradcheck, check_graph):
            assert check(right, X).correct
            assert check(wrong, X).verdict == "wrong"
            if check is gradcheck and outer == "vmap":
                assert "check from outside what is mapped" in check(smooth, z).reason
                continue
            assert check(right, z).correct
            assert check(wrong, z).verdict == "wrong"
        return smooth(z)

    same(TRANSFORMS[outer](checked)(X), TRANSFORMS[outer](smooth)(X))


# -- pictures --------------------------------------------------------------------------------------------------------


@EVERY_OUTER
def test_pictures_of_every_place(outer):
    for name, place in PLACES[outer].items():
        f = place(smooth)
        picture = draw(lambda x, f=f: np.sum(f(x)), X, values=True, gradients=True, memory=True).picture
        whole = [box for box in picture.boxes if box.size or box.shape == ()]  # not of several outputs
        assert [box.title for box in whole if box.value is None] == [], name
        assert [box.title for box in whole if box.gradient is None and box.active] == [], name
        (x,) = [box for box in picture.boxes if box.name == "x"]
        assert x.gradient.norm == pytest.approx(np.linalg.norm(grad(lambda x, f=f: np.sum(f(x)))(X)), rel=1e-9), name
        assert picture.boxes[picture.outputs[0]].value.mean == pytest.approx(np.sum(f(X)), rel=1e-9), name
        assert any(box.operation in ("sin", "checkpoint") for box in picture.boxes), name
        assert draw(lambda x, f=f: np.sum(f(x)), X, backward=True).picture.operations >= picture.operations, name


@EVERY_OUTER
@pytest.mark.parametrize("options", [{}, {"values": True, "gradients": True}, {"backward": True}], ids=str)
def test_pictures_inside_of_every_place(outer, options):
    drawn = []

    def seen(z):
        for shown in (X, z):
            drawn.append(draw(smooth, shown, **options))
            assert [box.operation for box in drawn[-1].picture.boxes if box.operation == "sin"] == ["sin"]
        y = smooth(z)
        if isinstance(y, Tensor) and y._node.active:
            drawn.append(draw(np.sum(y), **options))
        return y

    same(TRANSFORMS[outer](seen)(X), TRANSFORMS[outer](smooth)(X))
    for drawing in drawn:
        assert drawing.svg().startswith("<svg")
        if "values" in options:
            assert all(box.value is not None for box in drawing.picture.boxes if box.operation == "sin")


@EVERY_MODE
def test_pictures_in_every_mode(kind):
    expected = draw(smooth, X, values=True, gradients=True).picture
    found = MODES[kind](lambda: draw(smooth, X, values=True, gradients=True)).picture
    assert [box.title for box in found.boxes] == [box.title for box in expected.boxes]
    for one, other in zip(found.boxes, expected.boxes, strict=True):
        assert one.value.mean == pytest.approx(other.value.mean)
        assert one.gradient.norm == pytest.approx(other.gradient.norm)
    y = np.sum(smooth(Tensor(X)))
    assert MODES[kind](lambda: draw(y, backward=True)).picture.operations > 5


# -- anomalies -------------------------------------------------------------------------------------------------------

BAD = np.array([4.0, 1.0, 0.0])


def logarithm(z):
    return np.exp(np.log(z - 0.5))  # not a number at 0


def root(z):
    return np.exp(np.sqrt(z))  # a slope at 0 that is infinite


@EVERY_OUTER
@pytest.mark.parametrize(("h", "operation"), [(logarithm, "log"), (root, "sqrt")])
def test_an_anomaly_is_found_at_every_place(outer, h, operation):
    for name, place in PLACES[outer].items():
        f = place(h)
        with np.errstate(all="ignore"), pytest.raises(AnomalyError) as caught, detect_anomaly():
            np.sum(f(Tensor(BAD))).backward()
        assert caught.value.operation == operation, name
        assert caught.value.phase == ("forward" if h is logarithm else "backward"), name
        assert caught.value.source.file == __file__, name
        assert f"np.{operation}" in str(caught.value.source), name


@EVERY_OUTER
@pytest.mark.parametrize("kind", [kind for kind in MODES if kind not in HIDING])
def test_an_anomaly_is_found_through_every_mode(kind, outer):
    f = TRANSFORMS[outer](lambda z: MODES[kind](lambda: logarithm(z)))
    with np.errstate(all="ignore"), pytest.raises(AnomalyError) as caught, detect_anomaly():
        np.sum(f(Tensor(BAD))).backward()
    assert caught.value.operation == "log"
    assert "np.log" in str(caught.value.source)


@EVERY_OUTER
def test_an_anomaly_is_found_inside_of_every_place(outer):
    def inside(z):
        with detect_anomaly():
            return logarithm(z)

    for name, place in PLACES[outer].items():
        with np.errstate(all="ignore"), pytest.raises(AnomalyError) as caught:
            place(inside)(Tensor(BAD))
        assert caught.value.operation == "log", name
        assert "np.log" in str(caught.value.source), name
