"""``pullback draw``: targets, inputs, files, and one line for each mistake."""

import json
import sys

import pytest

from nn import cli

SOURCE = """
import numpy as np
from autodiff import Tensor, jit
import nn

def loss(x, w, scale=2.0):
    return np.sum(np.tanh(x @ w) * scale)

def made():
    return np.sin(Tensor(1.0))

def failing(x):
    return np.sum(np.tanh(x) @ x)

class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 2, rng=0)

    def forward(self, x):
        return self.inner(x)

class Needy(Small):
    def __init__(self, size):
        super().__init__()

recorded = jit(loss)
recorded(np.ones((2, 3)), np.ones((3, 4)))
program = recorded.programs[0]
network = nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU())
value = np.cos(Tensor(2.0))
text = "no graph"
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "drawn_model.py"
    path.write_text(SOURCE, encoding="utf-8")
    yield path
    sys.modules.pop("drawn_model", None)


def test_a_function_with_shapes(source, capsys, tmp_path):
    outputs = [f"-o{tmp_path / name}" for name in ("g.svg", "g.json", "g.html")]
    assert cli.main(["draw", f"{source}::loss", "--shape", "2,3", "--shape", "w=3,4", "--gradients", *outputs]) == 0
    out = capsys.readouterr().out
    assert "matmul(x, w)" in out
    assert "(2, 4) float64" in out
    assert out.count("wrote ") == 3
    boxes = json.loads((tmp_path / "g.json").read_text(encoding="utf-8"))["boxes"]
    assert all(b["gradient"] for b in boxes)


@pytest.mark.parametrize(("name", "shown"), [("made", "sin("), ("value", "cos(")])
def test_a_function_without_arguments_and_a_tensor(source, capsys, name, shown):
    assert cli.main(["draw", f"{source}::{name}"]) == 0
    assert shown in capsys.readouterr().out


def test_a_tensor_has_its_name(source, capsys):
    assert cli.main(["draw", f"{source}::value"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("value")


def test_a_class_is_made_if_it_can_be(source, capsys):
    assert cli.main(["draw", f"{source}::Small", "--shape", "2,4"]) == 0
    assert "inner.weight" in capsys.readouterr().out
    assert cli.main(["draw", f"{source}::Needy", "--shape", "2,4"]) == 2
    assert "Needy() failed: TypeError" in capsys.readouterr().err


def test_a_module(source, capsys):
    assert cli.main(["draw", f"{source}::network", "--shape", "2,4", "--dtype", "float32"]) == 0
    out = capsys.readouterr().out
    assert "0: Linear" in out
    assert "0.weight" in out


def test_a_module_of_the_path(source, capsys, monkeypatch):
    monkeypatch.chdir(source.parent)
    assert cli.main(["draw", "drawn_model:loss", "--shape", "2,3", "--shape", "3,1", "--hide", "tanh"]) == 0
    assert "tanh" not in capsys.readouterr().out


def test_what_was_computed_before_a_failure_is_shown(source, capsys, tmp_path):
    assert cli.main(["draw", f"{source}::failing", "--shape", "2,3", "-o", str(tmp_path / "g.svg")]) == 1
    streams = capsys.readouterr()
    assert "✖ failed" in streams.out
    assert len(streams.err.splitlines()) == 1
    assert "matmul" in streams.err
    assert (tmp_path / "g.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["{}"], 2, "is no target"),
        (["nowhere.py::f"], 2, "there is no file nowhere.py"),
        (["no_such_module:f"], 2, "cannot import no_such_module"),
        (["{}::nothing"], 2, "has no 'nothing'; it has np, Tensor, jit, nn, loss"),
        (["{}::loss"], 2, "give a shape for x, w: --shape x=3,4"),
        (["{}::loss", "--shape", "2,x"], 2, "'2,x' is no shape"),
        (["{}::made", "--shape", "q=2"], 2, "no parameter for --shape q"),
        (["{}::loss", "--shape", "2", "--shape", "2", "--shape", "q=2"], 2, "no parameter for --shape q"),
        (["{}::text"], 1, "got str"),
        (["{}::made", "-o", "g.docx"], 1, "the ending must be one of"),
        (["{}::made", "-o", "/no/such/folder/g.svg"], 1, "cannot write"),
        (["{}::made", "--focus", "a", "b"], 1, "nothing is called 'a'"),
    ],
)
def test_each_mistake_gets_one_line(source, capsys, arguments, code, says):
    assert cli.main(["draw", *[a.format(source) for a in arguments]]) == code
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("name", ["recorded", "program"])
def test_a_program_and_a_function_that_keeps_one(source, capsys, name):
    assert cli.main(["draw", f"{source}::{name}"]) == 0
    assert "tanh(%1)" in capsys.readouterr().out


def test_a_function_that_keeps_programs_with_shapes(source, capsys):
    assert cli.main(["draw", f"{source}::recorded", "--shape", "2,3", "--shape", "3,4"]) == 0
    assert "matmul(x, w)" in capsys.readouterr().out
