"""The text of a program: it runs where this library cannot be imported, and gives the same bits."""

import json
import subprocess
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff import capture
from autodiff.primitive import registry
from autodiff.testing.table.samples import calls
from autodiff.tree import flatten
from tests.blocks import of_each
from tests.program.samples import run
from tests.program.test_replay import ENTRIES, pulled, same


def plain(value):
    """The value with tuples in the place of NumPy's named ones."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value


@of_each("name", ENTRIES)
def test_the_text_of_every_function_gives_the_same_bits(name):
    assert ENTRIES[name] in registry.values()
    for call in calls(ENTRIES[name])[:2]:
        function = pulled(call)
        arrays = call.arrays(np.random.default_rng(0))
        expected = function(*arrays)
        same(run(capture(function, *arrays), *arrays), plain(expected))


SCRIPT = """
import json, sys
sys.modules["autodiff"] = sys.modules["nn"] = None
import numpy as np
import step
x = np.random.default_rng(3).normal(size=(5, 3))
value, gradients = step.loss({"w": np.full((3, 4), 0.25), "b": np.arange(4.0)}, x)
print(json.dumps([value, gradients["w"].tobytes().hex(), gradients["b"].tobytes().hex()]))
"""


def test_a_saved_program_runs_without_this_library(tmp_path):
    def loss(p, x):
        h = np.tanh(x @ p["w"] + p["b"])
        return np.mean((h - 1.0) ** 2)

    f = ad.value_and_grad(loss)
    rng = np.random.default_rng(0)
    program = capture(f, {"w": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}, rng.normal(size=(5, 3)))
    program.save(tmp_path / "step.py")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    value, w, b = json.loads(done.stdout)
    expected, gradients = f(
        {"w": np.full((3, 4), 0.25), "b": np.arange(4.0)}, np.random.default_rng(3).normal(size=(5, 3))
    )
    assert (value, w, b) == (expected, gradients["w"].tobytes().hex(), gradients["b"].tobytes().hex())


def test_it_reads_as_a_person_would_write_it():
    def loss(w, x):
        h = np.tanh(x @ w)
        total = np.sum(h)
        return total * 1.0

    text = str(capture(ad.value_and_grad(loss), np.ones((3, 20)), np.ones((4, 3))))
    assert "    total = np.sum(h" in text
    assert text.startswith('import numpy as np\n\n\ndef loss(w, x):\n    """w: float64[3, 20]; x: float64[4, 3]"""\n')
    assert "    h = np.tanh(x @ w)\n" in text
    assert "    # -- backward --\n" in text
    assert "autodiff" not in text


def test_different_values_have_different_names():
    def f(x):
        for _ in range(3):
            x = np.sin(x)
        lambda_ = x + 1.0
        return lambda_, x

    program = capture(f, np.ones(2))
    assert "    x2 = np.sin(x)\n    x3 = np.sin(x2)\n    x4 = np.sin(x3)\n" in str(program)
    assert "    lambda_ = x4 + 1.0\n    return lambda_, x4\n" in str(program)
    same(run(program, np.ones(2)), f(np.ones(2)))


@pytest.mark.parametrize("constant", [
    np.arange(50), np.full((3, 40), 0.1, np.float32), np.random.default_rng(0).normal(size=(9, 9)), np.array(True),
    np.array([1.5 + 2j]), np.zeros((0, 3)), np.array([np.nan, np.inf, -0.0]), np.arange(40, dtype=">f8"),
])  # fmt: skip
def test_constants_of_every_kind(constant):
    raw, kind, shape = (
        constant.tobytes(),
        constant.dtype,
        constant.shape,
    )  # an array would be an argument of the program

    def f(x):
        return x * np.frombuffer(raw, kind).reshape(shape)

    same(run(capture(f, np.ones(())), np.array(2.0)), f(np.array(2.0)))


def test_nested_arguments_and_results():
    def f(pair, options, flag):
        return {"sum": pair[0] + options["b"][0], "rest": [pair[1] * 2.0, None, flag]}

    args = ((np.ones(2), 3.0), {"b": [np.arange(2.0)], "unused": np.ones(1)}, "on")
    program = capture(f, *args)
    same(run(program, *args)["sum"], f(*args)["sum"])
    assert run(program, *args)["rest"] == [6.0, None, "on"]
    assert flatten(program(*args))[0][1:] == flatten(f(*args))[0][1:]
