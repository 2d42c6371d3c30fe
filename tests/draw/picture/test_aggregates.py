"""What the blocks of a repeat have together."""

import numpy as np
import pytest

from autodiff.draw import draw
from tests.draw.models import Linear, Module


def test_the_first_of_a_repeat_speaks_for_all_of_them():
    class Deep(Module):
        def __init__(self):
            self.layers = [Linear(4, 4) for _ in range(30)]
            for k, layer in enumerate(self.layers):
                layer.weight.data = np.eye(4) * (1 + k / 100)
                layer.bias.data = np.arange(4.0) / 100

        def forward(self, x):
            for layer in self.layers:
                x = np.tanh(layer(x))
            return x

    drawing = draw(Deep(), np.full((2, 4), 0.1), values=True, gradients=True, memory=True, times=True)
    picture = drawing.picture
    weight = next(b for b in picture.boxes if b.name == "layers.0.weight")
    assert weight.value.high == 1.0
    all_weights = [b for b in picture.boxes if b.name.endswith("weight")]
    together = weight.together
    assert (together.copies, together.value.low, together.value.high) == (30, 0.0, 1.29)
    assert together.value.mean == pytest.approx(np.mean([b.value.mean for b in all_weights]))
    assert together.gradient.norm == pytest.approx(np.linalg.norm([b.gradient.norm for b in all_weights]))
    assert together.gradients[0] == min(b.gradient.typical for b in all_weights)
    assert "all 30 together:" in drawing.svg()
    assert "all 30 together:" in str(drawing)
    assert "the first is drawn" in drawing.svg()
    matmul = next(b for b in picture.boxes if b.operation == "matmul")
    assert matmul.together.kept == sum(b.kept for b in picture.boxes if b.operation == "matmul")
