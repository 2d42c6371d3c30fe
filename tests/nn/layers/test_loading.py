"""A state is loaded into a model whole or not at all."""

import itertools

import numpy as np
import pytest

from autodiff import GraphError, Tensor
from nn import Linear, Module, Sequential
from tests.interruption import interrupted_at

SIZE = 40_000


def test_a_state_that_is_interrupted_at_any_line_was_loaded_or_not():
    model = Sequential(Linear(2, 2, rng=0), Linear(2, 1, rng=1))
    model.constants = [np.zeros(2), np.ones(3)]
    old = model.state_dict()
    new = {name: value + 1 for name, value in old.items()}
    outcomes = set()
    for line in itertools.count():
        model.load_state_dict(old)
        raised = interrupted_at(line, lambda: model.load_state_dict(new))
        found = model.state_dict()
        loaded = {all(np.array_equal(found[name], state[name]) for name in old) for state in (old, new)}
        assert loaded == {True, False}, line
        outcomes.add(np.array_equal(found["1.weight"], new["1.weight"]))
        if not raised:
            break
    assert outcomes == {True, False}


class Scaled(Module):
    """Constants of three types that a rule saves, each larger than what is compared byte by byte."""

    def __init__(self):
        self.weight = Tensor(np.ones(SIZE))
        self.scale = np.ones(SIZE)
        self.order = np.arange(SIZE)
        self.mask = np.zeros(SIZE, bool)


USES = {
    "scale": lambda model: model.weight * model.scale,
    "order": lambda model: model.weight[model.order] * 2.0,
    "mask": lambda model: np.where(model.mask, model.weight, 0.0),
}


@pytest.mark.parametrize("name", USES)
def test_a_constant_that_a_graph_holds_is_not_loaded_in_silence(name):
    model = Scaled()
    state = model.state_dict()
    place = SIZE - 7  # one element that no sample has
    state[name][place] = {"scale": 2.0, "order": 0, "mask": True}[name]
    loss = np.sum(USES[name](model))
    model.load_state_dict(state)
    with pytest.raises(GraphError, match="changed in place afterwards"):
        loss.backward()
    np.sum(USES[name](model)).backward()  # a graph that is younger is right
    assert model.weight.grad[place] == {"scale": 2.0, "order": 0.0, "mask": 1.0}[name]


def test_a_constant_that_cannot_be_written_leaves_the_model_as_it_was():
    model = Sequential(Linear(2, 2, rng=0))
    model.constant = np.zeros(2)
    model.constant.flags.writeable = False
    old = model.state_dict()
    model.load_state_dict(old)
    with pytest.raises(ValueError, match="read-only"):
        model.load_state_dict({name: value + 1 for name, value in old.items()})
    assert all(np.array_equal(old[name], value) for name, value in model.state_dict().items())
