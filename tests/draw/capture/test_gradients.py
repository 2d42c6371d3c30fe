"""The gradients that a picture shows are the engine's."""

import numpy as np
import pytest

from autodiff import Tensor, grad
from autodiff.draw import draw
from tests.draw.examples import boxes
from tests.draw.models import random


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_are_those_of_the_engine(dtype):
    x = random.normal(size=(3, 4)).astype(dtype)

    def f(x):
        h = np.tanh(x)
        return np.sum(h * h + x)

    found = boxes(draw(f, x, gradients=True))
    assert found["x"].gradient.norm == pytest.approx(np.linalg.norm(grad(f)(x)), rel=1e-5)
    assert found["output"].gradient.norm == 1


def test_gradients_of_a_freed_graph_are_those_of_its_variables():
    w = Tensor([3.0, 4.0])
    loss = np.sum(w * w)
    loss.backward()
    drawing = draw(loss, gradients=True)
    assert boxes(drawing)["w"].gradient.norm == 10
    assert any("freed" in fact for fact in drawing.picture.facts)


def test_drawing_leaves_graph_and_gradients_as_they_were():
    w = Tensor([3.0, 4.0])
    loss = np.sum(w * w)
    draw(loss, values=True, gradients=True, memory=True, times=True, backward=True)
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [6.0, 8.0]


def test_dead_vanishing_exploding_and_not_finite():
    def f(a, b, c, d):
        return np.sum(a * 0.0) + np.sum(b * 1e-9) + np.sum(c * 1e5) + np.sum(np.sqrt(d))

    with np.errstate(all="ignore"):
        drawing = draw(f, np.ones(2), np.ones(2), np.ones(2), np.zeros(2), gradients=True)
    states = {name: box.state for name, box in boxes(drawing).items()}
    assert (states["a"], states["b"], states["c"], states["d"]) == ("dead", "vanishing", "exploding", "inf")
    nan = draw(lambda x: np.sum(x * np.array([np.nan, 1.0])), np.ones(2), values=True, gradients=True)
    assert [b.state for b in nan.picture.boxes] == ["nan", "nan", "nan"]
    assert "✖ NaN" in str(nan)
    assert "✖ NaN" in nan.svg()
