"""JSON: strict, and with everything in it."""

import json
import re

import numpy as np

from autodiff.draw import draw
from tests.draw.examples import example


def test_json_holds_everything():
    drawing = example()
    data = json.loads(drawing.json())
    assert [b["operation"] for b in data["boxes"]] == ["", "", "multiply", "tanh", "sum"]
    assert data["boxes"][2]["parents"] == [0, 1]
    assert data["boxes"][2]["arguments"] == ["a", "b"]
    assert data["boxes"][0]["value"]["mean"] == 1.0
    assert data["boxes"][3]["kept_bytes"] > 48


def test_json_is_strict_where_numbers_are_not_finite():
    with np.errstate(all="ignore"):
        drawing = draw(lambda x: np.log(x) * 2.0, np.zeros(3), values=True, gradients=True)
    assert "NaN" not in re.sub(r'"[^"]*"', "", drawing.json())
    assert json.loads(drawing.json())["boxes"][1]["state"] == "inf"
