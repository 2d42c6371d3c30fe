"""check_graph: the guilty operation and the user's line."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autodiff import GraphError, Tensor, elementwise
from autodiff.testing import check_graph, record


@pytest.fixture
def bad():
    return elementwise(lambda x: np.tanh(x), lambda g, x: g * (1 - np.tanh(x)), parameters=("x",), name="bad")


def long_program(x, bad):
    for _ in range(120):
        x = np.sin(x) + 0.5
    x = bad(x)  # the guilty line
    for _ in range(79):
        x = np.cos(x) * 0.5
    return np.sum(x)


def test_one_wrong_rule_of_many_is_named(bad):
    x = Tensor([0.5, 1.0])
    with record():
        loss = long_program(x, bad)
    report = check_graph(loss)
    assert report.verdict == "wrong"
    assert report.function.startswith("bad (operation 241 of")
    assert "the guilty line" in report.notes[0]
    assert __file__ in report.notes[0]
    assert report.node.primitive.name == "bad"
    assert "guilty line" in str(report)
    assert "node" not in report.as_dict()


def test_a_function_can_be_given(bad):
    assert check_graph(lambda x: long_program(x, bad), np.array([0.5])).verdict == "wrong"
    report = check_graph(lambda x: np.sum(np.stack([x, x * 2.0]) @ x), np.array([0.5, 1.0]))
    assert report.correct
    assert report.function == "4 operations"


def test_operations_with_several_outputs_and_kinks(rng):
    def f(a):
        values, vectors = np.linalg.eigh(a + a.T)
        return np.sum(values) + np.max(vectors[0]) + np.sum(np.abs(a - a))

    report = check_graph(f, rng.standard_normal((3, 3)))
    assert report.correct, report
    assert any("0 in [-1, 1]" in kink for kink in report.kinks)


def test_a_graph_without_records_teaches():
    with pytest.raises(GraphError, match="write") as caught:
        check_graph(np.sum(Tensor([1.0]) * 2.0))
    assert "with autodiff.testing.record():" in str(caught.value)
    with pytest.raises(GraphError, match="no variable leads"):
        check_graph(Tensor([1.0]).detach())


def test_arguments_have_the_names_of_the_operation(bad):
    assert check_graph(lambda x: np.sum(bad(x) * x), np.array([0.5])).argument == "x"


def test_a_module_is_a_function(bad):
    class Layer(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 2, rng=0)

        def __call__(self, x):
            return bad(self.linear(x)) + x  # inside of a layer

    report = check_graph(nn.Sequential(nn.Linear(2, 2, rng=1), Layer()), np.array([[0.5, 1.0]]))
    assert report.function.startswith("bad (")
    assert "inside of a layer" in report.notes[0]
