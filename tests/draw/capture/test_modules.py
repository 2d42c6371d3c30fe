"""Modules of finished graphs, told by their parameters; and what the blocks of a repeat have together."""

import numpy as np
import pytest

import nn
from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.picture.measure import measure, merged
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


# -- names ---------------------------------------------------------------------------------------------------------


def test_names_are_read_inside_their_modules():
    svg = draw(Transformer(1), tokens(), depth=5).svg()
    assert ">query: Linear · 20 parameters<" in svg
    assert ">gain<" in svg
    assert "<title>blocks.0.norm.gain | " in svg  # what the pointer shows is the whole path


def test_long_options_have_a_line_of_their_own():
    box = draw(lambda x: np.mean(x, axis=1, keepdims=True), np.ones((2, 2)))
    assert ">output = mean<" in box.svg()
    assert ">(axis=1, keepdims=True)<" in box.svg()


def test_an_array_that_is_taken_twice_is_said_to_be():
    x = Tensor(2.0)
    drawing = draw(x * x)
    assert scene(drawing.picture).times[("box", 0), ("box", 1)] == 2
    assert ">×2<" in drawing.svg()
    assert 'label="×2"' in drawing.dot()
    assert "-->|×2|" in drawing.mermaid()
    assert "x has added up 2 cotangents" in drawing.frames()[-1]


# -- repeats -------------------------------------------------------------------------------------------------------


def chain(x, weights):
    for w in weights:
        x = np.tanh(x @ w) * 1.0
    return np.sum(x)


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


def test_a_layer_that_is_not_like_the_others_is_not_folded_away():
    def f(x, weights):
        return chain(x, weights)

    weights = [np.eye(4) * 0.5 for _ in range(60)]
    weights[31] = np.full((4, 4), np.nan)
    with np.errstate(all="ignore"):
        drawing = draw(f, np.ones((2, 4)), weights, values=True)
    states = {drawing.picture.boxes[i].state for what, i in scene(drawing.picture).items if what == "box"}
    inside = {drawing.picture.groups[i].state for what, i in scene(drawing.picture).items if what == "group"}
    assert "nan" in states | inside


def test_merged_measures_are_those_of_one_array(rng):
    parts = [rng.normal(size=n) for n in (3, 50, 7)]
    parts[1][4], parts[2][0] = np.nan, np.inf
    a, b = merged([measure(p) for p in parts]), measure(np.concatenate(parts))
    for name in ("size", "nan", "infinite", "zero"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("low", "mean", "high", "norm", "typical"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-12)
    assert measure(np.full(10, np.nan)).text == "nothing finite (10 NaN)"
    assert merged([measure(np.full(9, np.nan)), measure(np.ones(9))]).mean == 1.0


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
