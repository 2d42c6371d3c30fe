"""A state is loaded into a model whole or not at all."""

import itertools

import numpy as np
import pytest

from nn import Linear, Sequential
from tests.interruption import interrupted_at


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


def test_a_constant_that_cannot_be_written_leaves_the_model_as_it_was():
    model = Sequential(Linear(2, 2, rng=0))
    model.constant = np.zeros(2)
    model.constant.flags.writeable = False
    old = model.state_dict()
    model.load_state_dict(old)
    with pytest.raises(ValueError, match="read-only"):
        model.load_state_dict({name: value + 1 for name, value in old.items()})
    assert all(np.array_equal(old[name], value) for name, value in model.state_dict().items())
