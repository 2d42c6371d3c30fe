"""What leaves the graph is told from a wrong rule."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor, elementwise, no_grad, stop_gradient
from autodiff.testing import gradcheck

X = np.array([0.5, 1.0, 2.0])


def without_grad(x):
    with no_grad():
        total = np.sum(x)
    return x * total


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x.data,
        lambda x: x * x[0].item(),
        lambda x: x * sum(x.tolist()),
        lambda x: x * stop_gradient(x),
        lambda x: np.sum(x * x.detach()),
        without_grad,
        lambda x: Tensor(x.data) * 2.0,
    ],
)
def test_what_leaves_the_graph_is_said(f):
    report = gradcheck(lambda x: f(x), X)
    assert report.verdict == "wrong"
    assert report.reason.startswith("detached:")


def test_a_wrong_rule_is_not_called_detached():
    f = elementwise(lambda x: np.sin(x), lambda g, x: g * 2.0 * np.cos(x), parameters=("x",), name="wrong", method="")
    report = gradcheck(lambda x: np.sum(f(x) * x.T + np.stack(list(x))[0] + f(x)[np.array([0, 1])][0]), X)
    assert report.verdict == "wrong"
    assert "detached" not in report.reason
