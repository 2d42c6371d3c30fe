"""First mistakes with ``nn``, and what is said to them."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn.layers.dialects import HINTS


def first_mistakes():
    model = nn.Linear(2, 3, rng=0)
    x = np.ones((4, 2), np.float32)
    return {
        "a path for a state": (lambda: model.load_state_dict("a.safetensors"), r"load_state_dict\(load_file\('a.saf"),
        "a Path for a state": (lambda: model.load_state_dict(pathlib.Path("a")), "read the file first"),
        "a module for a state": (lambda: model.load_state_dict(model), r"load_state_dict\(other.state_dict\(\)\)"),
        "a list for a state": (lambda: model.load_state_dict([1]), "expected names and arrays, got list"),
        "a method for parameters": (lambda: nn.optim.SGD(model.parameters), r"a method; call it: model.parameters\(\)"),
        "the rate first": (lambda: nn.optim.SGD(0.1, model.parameters()), "SGD: got a float; parameters come first"),
        "a state for parameters": (lambda: nn.optim.SGD(model.state_dict()), "SGD: got a dict; parameters come first"),
        "names and parameters": (lambda: nn.optim.SGD(model.named_parameters()), "gives? them without names"),
        "the loss of a class": (
            lambda: nn.CrossEntropyLoss(model(x), np.zeros(4, int)), r"call it: CrossEntropyLoss\(\)\("),
        "the name of a layer": (lambda: nn.Sequential(model)["0"], r"has a number, not the name '0'; write model\[0\]"),
        "a path for an optimizer": (
            lambda: nn.optim.SGD([Tensor(1.0)]).load_state_dict("a"), "SGD.load_state_dict: .*, got a str"),
        "a file of a path and arrays": (lambda: nn.safetensors.save_file("a", {}), r"save_file\(arrays, path\)"),
        "a file of a module": (lambda: nn.safetensors.save_file(model, "a"), r"pass its state: model.state_dict\(\)"),
    }  # fmt: skip


@pytest.mark.parametrize("mistake", first_mistakes())
def test_first_mistakes_say_what_to_write(mistake):
    make, message = first_mistakes()[mistake]
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize("name", HINTS)
def test_names_of_other_libraries_say_what_it_is_called_here(name):
    model = nn.Sequential(nn.Linear(2, 3))
    assert not hasattr(model, name)
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute") as caught:
        getattr(model, name)
    assert str(caught.value).endswith(f"'{name}'; {HINTS[name]}")


def test_a_name_that_is_nearly_right_is_suggested():
    root = pathlib.Path(nn.__file__).parents[1]
    code = "import nn; nn.Linear(2, 3).wieght"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert "'Linear' object has no attribute 'wieght'. Did you mean: 'weight'?" in run.stderr


def test_functions_in_a_row_are_shown():
    class Scale:
        def __call__(self, x):
            return x

    text = repr(nn.Sequential(nn.Linear(2, 3), np.tanh, lambda x: x, Scale(), nn.Sequential(np.exp)))
    for line in ("  1: tanh", "  2: <lambda>", "  3: Scale()", "    0: exp"):
        assert line in text.splitlines()
    assert repr(nn.Sequential(np.tanh)) == "Sequential(\n  0: tanh\n)  0 parameters"
