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
