"""What is seen of a call: modules, functions, lines, options, times."""

import numpy as np
import pytest

from autodiff import Tensor, primitive
from autodiff.draw import draw
from tests.draw.models import Transformer, tokens


class Mute:
    """An object that answers nothing."""

    def __repr__(self):
        raise RuntimeError("no repr")

    def __eq__(self, other):
        raise RuntimeError("no eq")

    def __len__(self):
        raise RuntimeError("no len")

    __str__ = __repr__
    __hash__ = None


@pytest.mark.parametrize("option", [Mute(), [Mute()], {"a": Mute()}, slice(Mute(), None), "x" * 100_000, float("nan")])
def test_options_may_be_anything(option):
    @primitive(lambda g: g * 2)
    def scaled(x, option=None):
        return x * 2

    everything = {"values": True, "gradients": True, "memory": True, "times": True}
    finished = np.sum(scaled(Tensor(np.ones(3)), option=option))
    for drawing in (draw(lambda x: np.sum(scaled(x, option)), np.ones(3), **everything), draw(finished, **everything)):
        bundle = drawing._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
        assert "could not" not in bundle["text/plain"]
        assert drawing.json()


def test_times_are_there_when_asked_for():
    with_times = draw(lambda x: np.sum(np.sin(x)), np.ones(3), times=True).picture
    operations = [b for b in with_times.boxes if b.operation]
    assert all(b.forward > 0 and b.backward > 0 for b in operations)
    assert all(b.gradient is None for b in operations)
    assert all(b.forward is None for b in draw(lambda x: np.sum(x), np.ones(3)).picture.boxes)


def test_a_module_is_nested_groups_with_parameters_by_path():
    model = Transformer(2)
    picture = draw(model, tokens()).picture
    groups = {g.name: g for g in picture.groups}
    assert {"blocks.0", "blocks.0.attention", "blocks.0.attention.query", "head"} <= set(groups)
    query = groups["blocks.0.attention.query"]
    assert (query.type, query.operations, query.parameters) == ("Linear", 2, 20)
    assert picture.groups[query.parent].name == "blocks.0.attention"
    assert sum(g.parameters for g in [picture.groups[0]]) == sum(p.size for _, p in model.named_parameters())
    names = {b.name for b in picture.boxes if b.kind == "variable"}
    assert names == {name for name, _ in model.named_parameters()}
    assert [b.name for b in picture.boxes if b.kind == "input"] == ["x"]


def test_a_shared_parameter_stands_outside_of_its_users():
    model = Transformer(1)
    model.blocks[0].up.weight = model.blocks[0].down.weight = Tensor(np.eye(4))
    model.blocks[0].up.bias = Tensor(np.zeros(4))
    picture = draw(model, tokens()).picture
    weights = [b for b in picture.boxes if b.name.endswith("weight") and "attention" not in b.name]
    shared = next(b for b in weights if picture.groups[b.group].name == "blocks.0")
    assert sum(picture.boxes[p] is shared for b in picture.boxes for p in b.parents) == 2


def test_functions_of_the_caller_are_groups():
    def layer(x, w):
        return np.tanh(x @ w)

    def network(x, w):
        for _ in range(2):
            x = layer(x, w)
        return np.sum(x)

    picture = draw(network, np.ones((2, 2)), np.ones((2, 2))).picture
    assert [g.name for g in picture.groups[1:] if g.children] == ["layer", "layer"]


def test_lines_of_code_are_known_of_a_call():
    box = draw(lambda x: np.sin(x), 1.0).picture.boxes[-1]
    assert box.line.startswith("test_tracer.py:")
    assert "np.sin(x)" in box.line
