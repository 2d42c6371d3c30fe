"""A finished graph, and its backward pass."""

import numpy as np
import pytest

from autodiff import GraphError, Tensor, no_grad
from autodiff.draw import draw
from tests.draw.examples import boxes


def test_the_backward_pass_is_a_group_of_its_own():
    w = Tensor([1.0, 2.0])
    loss = np.sum(w * w * w)
    drawing = draw(loss, backward=True)
    late = next(g for g in drawing.picture.groups if g.kind == "pass")
    assert late.operations >= 3
    assert "∂/∂w" in boxes(drawing)
    ages = [b.group != 0 for b in drawing.picture.boxes if b.operation]
    assert ages == sorted(ages)


def test_a_constant_is_refused():
    with no_grad():
        y = Tensor(1.0) * 2.0
    with pytest.raises(GraphError, match="no_grad"):
        draw(y)
