"""States of PyTorch's models compute here what they compute there, and do not load untransposed."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import nn
from autodiff import Tensor
from tests.nn.references import torch_models
from tests.nn.references.compare import outputs
from tests.nn.references.torch_models import MODELS

REFERENCES = np.load(Path(torch_models.__file__).with_name("torch_states.npz"))


def reference(name):
    """The state and the outputs of a model of PyTorch."""
    state, found = {}, []
    for key in REFERENCES.files:
        model, kind, rest = key.split("/")
        if model == name and kind == "state":
            state[rest] = REFERENCES[key]
        elif model == name:
            found.append(REFERENCES[key])
    return state, found


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_pytorch_computes_the_same_here(name):
    build, given = MODELS[name]
    state, wanted = reference(name)
    model = build(nn, np.float64).eval()
    model.load_state_dict(nn.from_torch(state, model))
    found = outputs(model(*given))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(getattr(a, "data", a)), b, rtol=1e-11, atol=1e-13)


class Fake:
    """A tensor as torch has it."""

    __module__ = "torch"

    def __init__(self, array, dtype="torch.float32"):
        self.array, self.dtype = array, dtype

    def detach(self):
        return self

    cpu = detach

    def float(self):
        return Fake(self.array)

    def numpy(self):
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


def test_tensors_of_torch_and_prefixes():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 3))
    own = {name: a + 1 for name, a in model.state_dict().items()}
    theirs = {f"module._orig_mod.{name}": Fake(a.T, "torch.bfloat16") for name, a in own.items()}
    found = nn.from_torch(theirs, model)
    assert all(found[name].tobytes() == own[name].tobytes() for name in own)
    assert found["0.weight"].flags.c_contiguous


def test_of_parameters_that_are_shared_one_name_is_enough():
    class Tied(nn.Module):
        def __init__(self):
            self.a = nn.Embedding(3, 3)
            self.b = nn.Conv1d(3, 3, 1, bias=False)
            self.b.weight = self.a.weight

    model = Tied()
    found = nn.from_torch({"b.weight": np.arange(9.0).reshape(3, 3)}, model)
    model.load_state_dict(found)
    assert np.array_equal(model.a.weight.data, np.arange(9.0).reshape(3, 3))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weight": np.ones((2, 3))}, "missing: bias"),
        ({"weight": np.ones((2, 3)), "bias": np.ones(2), "more": 1}, "unexpected: more"),
        ({"weight": np.ones((3, 2)), "bias": np.ones(2)}, r"\(3, 2\), and PyTorch's would have \(2, 3\), which is"),
        ({"weight": Tensor(np.ones((2, 3))), "bias": np.ones(2)}, "a Tensor of autodiff"),
        ({"state_dict": {}}, r"pass the part: state\['state_dict'\]"),
        ("model.pt", "torch.load"),
        (nn.Linear(2, 2), "pass its state_dict"),
    ],
)
def test_what_does_not_fit(state, message):
    with pytest.raises((TypeError, ValueError), match=message):
        nn.from_torch(state, nn.Linear(3, 2))


def test_a_model_is_needed():
    with pytest.raises(TypeError, match="model is a dict"):
        nn.from_torch({}, {})


def test_a_file_that_says_it_is_pytorchs_is_not_loaded(tmp_path):
    model = nn.Linear(2, 2, rng=0)
    own = model.state_dict()
    theirs = {"weight": np.ascontiguousarray(own["weight"].T + 1), "bias": own["bias"] + 1}
    safetensors.numpy.save_file(theirs, tmp_path / "model.safetensors", {"format": "pt"})
    state = nn.safetensors.load_file(tmp_path / "model.safetensors")
    with pytest.raises(TypeError, match="state is PyTorch's"):
        model.load_state_dict(state)
    model.load_state_dict(nn.from_torch(state, model))
    assert np.array_equal(model.weight.data, own["weight"] + 1)


def test_a_state_that_says_it_is_pytorchs_is_not_loaded():
    model = nn.Linear(2, 2, rng=0)
    before = model.state_dict()
    with_metadata = OrderedDict(before)
    with_metadata._metadata = OrderedDict()
    for state in ({name: Fake(a) for name, a in before.items()}, with_metadata):
        with pytest.raises(TypeError, match=r"state is PyTorch's; .*nn\.from_torch\(state, model\)"):
            model.load_state_dict(state)
    with pytest.raises(ValueError, match="nn.from_torch"):
        nn.Linear(3, 2).load_state_dict({"weight": np.ones((2, 3)), "bias": np.ones(2)})
    assert all(np.array_equal(a, before[name]) for name, a in model.state_dict().items())
