"""Modules inside one another, to any depth: what works, and what says that it cannot."""

import copy
import pickle
import traceback

import numpy as np
import pytest

import nn
from autodiff import Tensor, grad
from autodiff.draw import draw


class Scaled(nn.Sequential):
    """A row of layers with a parameter of its own, whose name is as long as it is deep."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.scale = Tensor(np.ones(1, np.float32))

    def forward(self, x):
        return super().forward(x) * self.scale


def nested(depth):
    model = nn.Linear(2, 2, rng=0)
    for _ in range(depth):
        model = Scaled(model)
    return model


JOBS = {
    "call": (lambda m: m(np.ones((1, 2), np.float32)), False),
    "draw": (lambda m: draw(m, np.ones((1, 2), np.float32)), False),
    "gradient": (lambda m: grad(lambda m: np.sum(m(np.ones((1, 2), np.float32))))(m.arrays()), False),
    "pickle": (pickle.dumps, False),
    "deepcopy": (copy.deepcopy, True),
    "repr": (repr, True),
    "parameters": (lambda m: list(m.parameters()), True),
    "modules": (lambda m: list(m.modules()), True),
    "state_dict": (lambda m: m.load_state_dict(m.state_dict()), True),
    "train": (lambda m: m.eval().train(), True),
    "freeze": (lambda m: m.freeze().unfreeze(), True),
    "arrays": (lambda m: m.arrays(), True),
    "zero_grad": (lambda m: m.zero_grad(), True),
}


@pytest.mark.parametrize("job", JOBS)
def test_two_thousand_modules_inside_one_another(job):
    """Python's own stack holds half as many."""
    do, possible = JOBS[job]
    do(nested(40))
    if possible:
        do(nested(2000))
        return
    with pytest.raises(RecursionError, match="modules stood inside one another|while pickling an object") as caught:
        do(nested(20_000 if job == "pickle" else 2000))  # the stack of pickle's compiled code is larger
    assert len("".join(traceback.format_tb(caught.value.__traceback__)).splitlines()) < 40  # and not a thousand


def test_a_forward_that_calls_itself_shows_its_lines():
    class Endless(nn.Module):
        def forward(self, x):
            return self.helper(x)

        def helper(self, x):
            return self.helper(x)

    with pytest.raises(RecursionError, match="maximum recursion depth exceeded") as caught:
        nn.Sequential(Endless())(1.0)
    assert "in helper" in "".join(traceback.format_exception(caught.value))


def test_a_deep_copy_keeps_what_is_shared_and_what_classes_say():
    class Counted(nn.Module):
        def __init__(self):
            self.weight = Tensor(np.ones(2))
            self.copies = 0

        def __deepcopy__(self, memo):
            new = Counted()
            new.copies = self.copies + 1
            return new

    class Stated(nn.Module):
        def __getstate__(self):
            return {"stated": True}

    layer = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(layer, {"again": layer}["again"], Counted(), Stated(), np.tanh)
    model.itself, model.note = model, {"layers": [layer]}
    new = copy.deepcopy(model)
    assert new is not model
    assert new.itself is new
    assert new[0] is new[1] is new.note["layers"][0]
    assert new[0] is not layer
    assert new[0].weight is not layer.weight
    assert np.array_equal(new[0].weight.data, layer.weight.data)
    assert new[2].copies == 1
    assert vars(new[3]) == {"stated": True}
    assert new[4] is np.tanh
    assert copy.deepcopy(new[2]).copies == 2
    assert copy.deepcopy([layer, layer])[0].weight.shape == (2, 2)
