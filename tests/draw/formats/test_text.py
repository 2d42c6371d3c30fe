"""Text: what print shows."""

import re

from tests.draw.examples import example


def test_text_names_what_each_operation_takes():
    lines = str(example()).splitlines()
    assert [re.split(r"\s{2,}", line)[:2] for line in lines[-5:]] == [
        ["w", "variable"], ["x", "variable"], ["%1", "multiply(w, x)"], ["%2", "tanh(%1)"], ["%3", "sum(%2)"]
    ]  # fmt: skip
