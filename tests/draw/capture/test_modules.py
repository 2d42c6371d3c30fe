"""Modules of finished graphs, told by their parameters; and what the blocks of a repeat have together."""

import numpy as np
import pytest

import nn
from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.picture.scene import scene
from tests.draw.models import Linear, Module, Transformer, tokens


def titles(drawing):
    picture = drawing.picture
    return [picture.groups[g].title for g in picture.preorder() if picture.groups[g].kind == "module"]


def home(drawing, operation):
    picture = drawing.picture
    return [picture.groups[b.group].name for b in picture.boxes if b.operation == operation]


def test_operations_stand_in_the_module_whose_parameters_they_take():
    model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 3, rng=1))
    loss = nn.cross_entropy(model(np.ones((5, 4), np.float32)), np.zeros(5, int))
    drawing = draw(loss)
    assert titles(drawing) == ["model: Sequential", "model.0: Linear", "model.2: Linear"]
    assert home(drawing, "matmul") == ["model.0", "model.2"]
    assert home(drawing, "relu") == ["model"]  # between the two, so in what holds both
    assert home(drawing, "softmax_cross_entropy") == [""]
    assert drawing.picture.groups[1].parameters == 4 * 8 + 8 + 8 * 3 + 3
    assert any("told by the parameters" in fact for fact in drawing.picture.facts)


def test_what_is_told_agrees_with_what_is_seen():
    model = Transformer(2)
    told = draw(np.sum(model(tokens())), names=model, depth=9)
    seen = draw(model, tokens(), depth=9)
    of = {id(g): g for g in seen.picture.groups}
    by_name = {g.name: g for g in of.values() if g.kind == "module"}
    for group in told.picture.groups:
        if group.kind == "module" and group.type in ("Linear", "Attention"):
            same = by_name[group.name]
            assert (group.type, group.operations, group.parameters) == (same.type, same.operations, same.parameters)


@pytest.mark.parametrize("layers", [12, 24, 60])
def test_a_finished_deep_model_fits_in_forty_boxes(layers):
    model = Transformer(layers)
    drawing = draw(np.sum(model(tokens())))
    assert len(scene(drawing.picture).items) <= 40
    assert f"× {layers - 1}" in str(drawing)


def test_each_call_of_a_module_is_a_group():
    layer = Linear(3, 3)
    y = layer(layer(np.ones((2, 3))))
    assert titles(draw(y)) == ["layer: Linear", "layer: Linear"]


def test_what_only_lies_between_in_time_is_in_no_module():
    first, second = nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1)
    pair = nn.Sequential(first, second)
    x, w = np.ones((2, 3), np.float32), Tensor(np.ones(3, np.float32))
    h = first(x)
    other = np.sin(w)
    drawing = draw([np.sum(second(h)), other], names={"pair": pair})
    assert home(drawing, "sin") == [""]


def test_a_strangers_object_is_no_reason_to_draw_nothing():
    class Strange:
        def named_parameters(self):
            raise RuntimeError("not now")

        def __repr__(self):
            raise RuntimeError("never")

        def __len__(self):
            raise RuntimeError("no")

    stranger = Strange()
    x = Tensor(1.0)
    assert draw(np.sin(x)).picture.operations == 1
    assert draw(lambda x: np.sin(x) if stranger is not None else x, 1.0).picture.operations == 1


class Recurrent(Module):
    def __init__(self):
        self.cell, self.head = Linear(3, 3), Linear(3, 1)

    def forward(self, x):
        for _ in range(4):
            x = np.tanh(self.cell(x))
        return self.head(x)


def test_a_cell_that_runs_again_and_again_stays_in_its_network():
    model = Recurrent()
    x = np.ones((2, 3))
    drawing = draw(np.sum(model(x)), depth=9)
    assert titles(drawing) == ["model: Recurrent", *4 * ["model.cell: Linear"], "model.head: Linear"]
    assert set(home(drawing, "tanh")) == {"model"}
    twice = draw(np.sum(model(x) * model(x + 1.0)), depth=9)
    assert titles(twice).count("model: Recurrent") == 2
