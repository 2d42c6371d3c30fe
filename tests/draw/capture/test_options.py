"""Marks: Tensors that are drawn as wrong."""

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.examples import boxes


def test_a_marked_tensor_is_drawn_as_wrong():
    x = Tensor(2.0)
    guilty = x * 3.0
    drawing = draw(np.sin(guilty), mark={guilty: "off by 3"})
    box = boxes(drawing)["guilty"]
    assert (box.state, box.message) == ("guilty", "off by 3")
    assert "wrong derivative" in drawing.svg()


def test_a_mark_that_is_not_in_the_graph_is_said_to_be_missing():
    x = Tensor(1.0)
    drawing = draw(np.sin(x), mark=x * 2.0)
    assert "mark: 1 of 1 marked nodes are not in this graph" in drawing.picture.facts
