"""A few numbers in the place of an array."""

import numpy as np
import pytest

from autodiff.draw import draw
from autodiff.draw.picture.measure import measure, merged
from tests.draw.examples import boxes


def test_values_are_whole_if_small_and_summaries_if_large():
    found = boxes(draw(lambda x: np.sum(x) * 2.0, np.arange(10.0), values=True))
    assert found["x"].value.text == "0 … 4.5 … 9"
    assert found["output"].value.text == "90"
    with np.errstate(all="ignore"):
        output = boxes(draw(lambda x: x / x, np.array([0.0, 1.0] + 10 * [2.0]), values=True))["output"]
    assert output.value.text == "1 … 1 … 1 (1 NaN)"
    assert output.state == "nan"


def test_merged_measures_are_those_of_one_array(rng):
    parts = [rng.normal(size=n) for n in (3, 50, 7)]
    parts[1][4], parts[2][0] = np.nan, np.inf
    a, b = merged([measure(p) for p in parts]), measure(np.concatenate(parts))
    for name in ("size", "nan", "infinite", "zero"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("low", "mean", "high", "norm", "typical"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-12)
    assert measure(np.full(10, np.nan)).text == "nothing finite (10 NaN)"
    assert merged([measure(np.full(9, np.nan)), measure(np.ones(9))]).mean == 1.0


def test_numbers_have_signs_and_small_matrices_are_whole():
    assert measure(np.float32(-0.25)).text == "-0.25"
    assert measure(np.array(-np.inf)).text == "-inf"
    assert measure(np.ones((3, 3))).text == "[[1., 1., 1.], [1., 1., 1.], [1., 1., 1.]]"
    assert measure(np.ones((2, 5))).text == "1 … 1 … 1"
    drawing = draw(lambda x, w: np.sum(w * 3.0) - 2.0 * x, 1.0, np.ones((3, 3)), values=True, gradients=True)
    assert "g -2" in str(drawing)
    assert drawing.svg().count(">[1., 1., 1.]<") == 3


@pytest.mark.parametrize(
    ("array", "cells"),
    [
        (np.linspace(-1, 1, 9), ("012345678",)),
        (np.zeros((2, 5)), ("44444", "44444")),
        (np.array([[1.0, np.nan, -2.0, 0.0]] * 2), ("6x04", "6x04")),
        (np.arange(8) > 3, ("44448888",)),
        (np.ones((2, 2, 2), complex), ("88", "88", "88", "88")),
        (np.ones((600, 1000)), ("8" * 16,) * 6),
    ],
    ids=["line", "zeros", "nan", "bool", "complex", "large"],
)
def test_heat_maps(array, cells):
    assert measure(array, cells=True).cells == cells
    assert measure(array).cells == ()
