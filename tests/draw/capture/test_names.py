"""The names that the caller gave."""

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.examples import boxes
from tests.draw.models import Linear


def test_variables_of_the_caller_have_their_names():
    w = Tensor([1.0, 2.0])
    layers = {"first": [Tensor(2.0)]}
    scaled = w * layers["first"][0]
    loss = np.sum(scaled)
    found = boxes(draw(loss))
    assert set(found) == {"w", "layers['first'][0]", "scaled", "loss"}
    assert found["w"].shape == (2,)
    assert found["w"].dtype == "float64"
    assert found["loss"].operation == "sum"
    assert "given" in boxes(draw(loss, names={"given": w}))


def test_a_loop_variable_does_not_hide_the_path_of_a_parameter():
    model = Linear(2, 3)
    for _, parameter in model.named_parameters():
        assert parameter.shape
    loss = np.sum(np.ones((1, 2)) @ model.weight + model.bias)
    assert {"model.weight", "model.bias"} <= set(boxes(draw(loss)))


def test_names_of_the_callers_variables_are_found_as_before():
    weights = Tensor(np.ones(3))
    assert "weights" in str(draw(np.sum(weights * 2.0)))
