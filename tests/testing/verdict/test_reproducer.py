"""The code in a report makes the same check again when it is pasted into a new interpreter."""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from autodiff.primitive import registry
from autodiff.registering import elementwise
from autodiff.testing import check_graph, gradcheck

ROOT = Path(__file__).resolve().parents[3]
MODULE = """
import numpy as np
import nn
from autodiff import elementwise

bad = elementwise(
    lambda x: np.sin(x), lambda g, x: g * np.cos(x) * 1.01, parameters=("x",), name="bad_sine", method=""
)


def loss(w, x):
    return np.sum(bad(w) * x)


class Model(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(2, 2, rng=0)

    def __call__(self, x):
        return bad(self.linear(x))

    def total(self, x):
        return np.sum(self(x))


class Plain:
    @staticmethod
    def fixed(x):
        return np.sum(bad(x))

    def __call__(self, x):
        return np.sum(bad(x))


def closure(k):
    return lambda x: np.sum(bad(x) * k)


from_lambda = lambda x: np.sum(bad(x))
model, plain = Model(), Plain()
"""
X = np.array([0.5, 1.0])


@pytest.fixture
def user(tmp_path, monkeypatch):
    (tmp_path / "user_code.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("user_code")
    del sys.modules["user_code"]


def pasted(code, tmp_path):
    path = f"{tmp_path}:{ROOT}"
    run = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize(
    "name", ["loss", "from_lambda", "model", "model.total", "plain", "Plain.fixed", "bad"], ids=lambda name: name
)
def test_it_says_the_same(user, tmp_path, name):
    f = functools.reduce(getattr, name.split("."), user)
    report = gradcheck(f, *[X] if name != "loss" else [X, X + 1.0], rng=3)
    assert report.verdict == "wrong"
    assert pasted(report.code, tmp_path) == str(report)


@pytest.mark.parametrize("make", [lambda user: user.closure(2.0), lambda user: functools.partial(user.loss, x=X)])
def test_what_cannot_be_imported_is_named(user, make):
    f = make(user)
    report = gradcheck(f, X)
    assert "put your function here" in report.code
    printed = []
    exec(report.code, {"print": printed.append, "f": f})  # where f is known, it runs as it stands
    assert str(printed[0]) == str(report)


def test_arguments_that_are_too_long(user):
    args = (np.full(100, 0.3),)
    report = gradcheck(user.from_lambda, *args)
    printed = []
    exec(report.code, {"print": printed.append, "args": args})
    assert str(printed[0]) == str(report)


def test_one_operation_of_a_graph(user, tmp_path):
    report = check_graph(user.loss, X, X + 1.0)
    assert "bad_sine" in report.function
    said = pasted(report.code, tmp_path)
    assert f"analytic {report.analytic:.15g}" in said
    assert any(entry.name == "bad_sine" for entry in registry.values())


def test_the_code_of_a_graph_check_takes_the_operation_itself_and_not_its_namesake():
    first = elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x), parameters=("x",), name="twin")
    second = elementwise(lambda x: np.cos(x), lambda g, x: g * np.sin(x), parameters=("x",), name="twin")
    report = check_graph(lambda x: np.sum(second(first(x))), X)
    assert report.verdict == "wrong"
    printed: list[object] = []
    exec(report.code, {"print": printed.append})
    assert printed[0].verdict == "wrong"
