"""Programs of layers: what is a part of the program, what is followed, and what is computed once."""

import numpy as np

import nn
from autodiff import Tensor, capture, grad
from autodiff.program.passes.common import shared
from autodiff.program.reach import reached


def names(program):
    return [getattr(i.function, "__name__", "") for i in program.instructions]


def test_the_integers_of_a_layer_are_parts_of_a_program_and_its_numbers_are_followed():
    layer = nn.Conv2d(2, 4, 3, padding=1, rng=0)
    norm = nn.BatchNorm1d(3, momentum=0.2)
    optimizer = nn.optim.Adam(layer.parameters(), lr=0.1)
    places = {place.path for place in reached([("layer", layer), ("norm", norm), ("optimizer", optimizer)]).places}
    assert {"layer.weight", "norm.momentum", "norm.eps", "norm.running_mean", "norm.num_batches_tracked"} <= places
    assert not any(path.startswith(("layer.kernel_size", "layer.padding", "norm.num_features")) for path in places)
    assert any(path.startswith("optimizer.") and "lr" in path for path in places)

    class Scaled(nn.Module):
        def __init__(self):
            self.times = 3

    assert [place.path for place in reached([("scaled", Scaled())]).places if "times" in place.path] == ["scaled.times"]


def test_the_rows_of_a_variable_are_one_operation_in_the_backward_pass():
    x = np.random.default_rng(0).normal(size=(40, 3))
    gradient = grad(lambda x: sum(np.sum(np.sin(row)) for row in x))
    program = capture(gradient, x)
    assert names(program).count("zeros_like") == 0
    assert names(program).count("stack") == 1
    np.testing.assert_array_equal(program(2.0 * x), gradient(2.0 * x))


def test_the_windows_of_a_convolution_are_copied_once():
    layer = nn.Conv2d(2, 3, 3, padding=1, rng=0)
    x = np.random.default_rng(0).normal(size=(2, 2, 5, 5)).astype(np.float32)

    def step(x):
        layer.zero_grad()
        np.sum(nn.MaxPool2d(2)(layer(x)) ** 2).backward()
        return layer.weight.grad

    step(x)
    step(x)
    program = capture(step, x)
    again = 2.0 * x
    expected = step(again).copy()
    assert names(shared(program)).count("sliding_window_view") == 1  # the writes of the pooling do not touch it
    np.testing.assert_array_equal(program(again), expected)
    assert isinstance(layer.weight, Tensor)
