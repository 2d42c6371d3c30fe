"""Parts of a picture: focus and hide."""

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.models import Transformer, tokens


def test_focus_keeps_paths_alone():
    x, y = Tensor(1.0), Tensor(2.0)
    start = x * y
    left, right = np.sin(start), np.cos(y)
    end = left + right
    drawing = draw(end, focus=(start, end))
    assert [b.operation for b in drawing.picture.boxes] == ["multiply", "sin", "add"]
    assert draw(end, focus=("y", "cos")).picture.operations == 1
    with pytest.raises(ValueError, match="no path"):
        draw(end, focus=(right, left))
    inside = draw(Transformer(3), tokens(), focus=("blocks.1", "blocks.1")).picture
    assert {g.name.split(".")[1] for g in inside.groups if g.kind == "module" and g.operations} == {"1"}


def test_hide_lets_arrows_through():
    x = Tensor(np.ones((2, 2)))
    y = np.sum(np.sin(np.reshape(x, 4)))
    drawing = draw(y, hide="reshape")
    assert [(b.operation, b.parents) for b in drawing.picture.boxes] == [("", []), ("sin", [0]), ("sum", [1])]
    assert draw(y, hide=("variable", "sum")).picture.operations == 2
    assert draw(y, hide=lambda box: box.shape == (4,)).picture.operations == 1
    diamond = Tensor(1.0)
    for _ in range(40):
        diamond = diamond + diamond
    assert draw(diamond * 1.0, hide="add").picture.boxes[-1].parents == [0]
