"""What repeats itself is drawn once, and nothing else is."""

import numpy as np

from autodiff.draw import draw
from autodiff.draw.picture.repeats import runs
from autodiff.draw.picture.scene import scene
from tests.draw.examples import sight
from tests.draw.models import Linear, Module, Transformer, tokens


def test_a_deep_model_fits_in_forty_boxes_and_its_layers_are_drawn_once():
    drawing = draw(Transformer(24), tokens())
    assert sight(drawing) <= 40
    repeats = [g for g in drawing.picture.groups if g.kind == "repeat" and g.copies == 24]
    assert [g.title for g in repeats] == ["blocks.0 … blocks.23: Block × 24"]
    assert "Block × 24" in str(drawing)
    assert "Block × 24" in drawing.svg()
    assert "Block × 24" in drawing.html()
    one = draw(Transformer(1), tokens()).picture.operations - 2
    assert repeats[0].operations == 24 * one


def test_three_layers_with_different_tasks_are_not_a_repeat():
    drawing = draw(Transformer(12), tokens())
    names = {g.title for g in drawing.picture.groups}
    assert {"blocks.0.attention.query: Linear", "blocks.0.attention.key: Linear"} <= names
    assert not any("query …" in name for name in names)


def test_layers_that_stand_side_by_side_are_a_repeat():
    class Ensemble(Module):
        def __init__(self):
            self.members = [Linear(4, 4) for _ in range(30)]

        def forward(self, x):
            return np.sum(np.stack([member(x) for member in self.members]))

    drawing = draw(Ensemble(), tokens())
    assert "members.0 … members.29: Linear × 30" in {g.title for g in drawing.picture.groups}


def test_a_loop_is_a_repeat_of_its_operations():
    def f(x, w):
        for _ in range(50):
            x = np.tanh(x @ w) * 0.5
        return np.sum(x)

    picture = draw(f, np.ones((2, 2)), np.ones((2, 2))).picture
    repeat = next(g for g in picture.groups if g.kind == "repeat")
    assert (repeat.name, repeat.copies, repeat.operations) == ("matmul → tanh → multiply", 50, 150)


def testruns_are_found_at_any_period():
    assert runs([5] * 7, 3) == [(0, 1, 7)]
    assert runs([1, 2, 3] * 4 + [9], 3) == [(0, 3, 4)]
    assert runs([1, 2, 3, 4], 3) == []
    assert runs([1, 1], 3) == []
    assert runs([0, *[1, 2] * 3, 0, 7, 7, 7, 7], 3) == [(1, 2, 3), (8, 1, 4)]


def chain(x, weights):
    for w in weights:
        x = np.tanh(x @ w) * 1.0
    return np.sum(x)


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
