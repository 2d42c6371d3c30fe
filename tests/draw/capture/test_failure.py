"""Pictures of what failed: the graph so far, with the operation that failed and its shapes."""

import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from autodiff import GraphError, Tensor, elementwise, grad, jacobian, vmap
from autodiff.draw import draw
from autodiff.testing import AnomalyError, check_graph, detect_anomaly, record


def test_a_call_that_writes_a_tensor_into_an_array_ends_in_our_words_and_has_its_drawing():
    def assigned(x):
        a = np.zeros(3)
        a[0] = x[0] * 2.0
        return np.sum(a)

    with pytest.raises(TypeError, match=r"setitem: would cut(.|\n)*np\.stack") as caught:
        draw(assigned, Tensor(np.ones(3)))
    (failure,) = [line for line in str(caught.value.drawing).splitlines() if "FAILED" in line]
    assert re.search(
        r"FAILED: TypeError: setitem: would cut this Tensor .* a\[i\] = t writes plain numbers\. …$", failure
    )
    assert "multiply" in str(caught.value.drawing)


def failing(x, w):
    h = np.tanh(x @ w)
    return np.sum(h @ w)


def test_an_exception_in_a_drawn_call_carries_the_graph_so_far():
    with pytest.raises(ValueError, match="matmul") as caught:
        draw(failing, np.ones((2, 3)), np.ones((3, 4)))
    drawing = caught.value.drawing
    last = drawing.picture.boxes[-1]
    assert (last.operation, last.state) == ("matmul", "failed")
    assert [drawing.picture.boxes[p].type for p in last.parents] == ["(2, 4) float64", "(3, 4) float64"]
    assert "FAILED" in str(drawing)
    assert "✖ failed" in drawing.svg()
    assert "(3, 4) float64" in drawing.dot()
    assert drawing.html()
    assert drawing.json()
    assert any("error.drawing" in note for note in caught.value.__notes__)
    assert draw(caught.value).picture.boxes[-1].state == "failed"


def test_any_exception_of_an_operation_can_be_drawn_afterwards():
    x, w = Tensor(np.ones((2, 3))), Tensor(np.ones((3, 4)))
    with pytest.raises(ValueError, match="matmul") as caught:
        failing(x, w)
    picture = draw(caught.value).picture
    assert [b.operation for b in picture.boxes if b.operation] == ["matmul", "tanh", "matmul"]
    assert picture.boxes[-1].state == "failed"
    assert {"x", "w", "h"} <= {b.name for b in picture.boxes}


def test_an_exception_in_a_rule_can_be_drawn():
    def broken(x):
        return x * 1.0

    broken = elementwise(broken, lambda g, x: g[0, 0, 0])
    w = Tensor(np.ones(3))
    loss = np.sum(broken(w) * 2.0)
    with pytest.raises(IndexError) as caught:
        loss.backward(retain_graph=True)
    states = {b.operation: b.state for b in draw(caught.value).picture.boxes}
    assert states == {"": "", "broken": "failed", "multiply": "", "sum": ""}
    drawing = draw(loss, gradients=True)  # asked for the gradients, draw meets the same failure and shows it
    assert {b.operation for b in drawing.picture.boxes if b.state == "failed"} == {"broken"}
    assert "backward FAILED" in str(drawing)


def test_an_exception_of_the_callers_own_code_shows_what_was_done():
    def f(x):
        y = np.sin(x)
        raise KeyError(y.shape)

    with pytest.raises(KeyError) as caught:
        draw(f, 1.0)
    assert [b.operation for b in caught.value.drawing.picture.boxes] == ["", "sin"]


def test_the_report_of_check_graph_and_an_anomaly_are_drawn():
    def slope(x):
        return np.sin(x) * 1.0

    slope = elementwise(slope, lambda g, x: g * 1.1 * np.cos(x))
    with record():
        y = np.sum(slope(Tensor([0.3, 0.5])) * 2.0)
        report = check_graph(y)
    for drawing in (draw(y, mark=report), draw(report)):
        assert {b.operation for b in drawing.picture.boxes if b.state == "guilty"} == {"slope"}
    x = Tensor([0.0, 1.0])
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        np.sum(np.sqrt(x) * 2.0).backward()
    assert {b.operation: b.state for b in draw(caught.value).picture.boxes}["sqrt"] == "failed"


def states(drawing):
    return {box.operation: box.state for box in drawing.picture.boxes if box.state}


def test_the_report_of_a_graph_inside_a_module_is_drawn_in_its_module():
    def tilt(x):
        return x * 1.0

    tilt = elementwise(tilt, lambda g, x: g * 1.5)

    class Tilted(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 3, rng=0, dtype=np.float64)

        def forward(self, x):
            return tilt(self.inner(x))

    model = Tilted()
    with record():
        loss = np.sum(model(np.ones((2, 4))) * 2.0)
        report = check_graph(loss)
    drawing = draw(loss, mark=report)
    assert states(drawing) == {"tilt": "guilty"}
    assert "model.inner: Linear" in {g.title for g in drawing.picture.groups}


def test_a_module_that_refuses_its_input_is_drawn_with_its_call():
    model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(7, 3, rng=1))
    with pytest.raises(ValueError, match="last axis must have length 7") as caught:
        model(np.ones((5, 4), np.float32))
    drawing = draw(caught.value)
    assert states(drawing) == {"matmul": "failed"}
    assert [drawing.picture.boxes[p].type for p in drawing.picture.boxes[-1].parents] == [
        "(5, 8) float32", "(7, 3) float32"
    ]  # fmt: skip
    assert {"model.0: Linear", "model.2: Linear"} <= {g.title for g in drawing.picture.groups}


@pytest.mark.parametrize(
    ("loss", "target"),
    [(nn.cross_entropy, np.zeros(7, int)), (nn.mse_loss, np.zeros(7)), (nn.binary_cross_entropy, np.full((5, 3), 2.0))],
)
def test_a_loss_stands_for_what_it_calls_to_check_its_target(loss, target):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        loss(Tensor(np.full((5, 3), 0.5)), target)
    assert states(draw(caught.value)) == {loss.__name__: "failed"}


def test_a_function_that_refuses_tensors_before_any_operation_stands_for_one():
    scores = Tensor(np.ones((5, 3))) * 2.0
    with pytest.raises(ValueError, match="labels") as caught:
        nn.cross_entropy(scores, np.zeros(7, int))
    drawing = draw(caught.value)
    assert states(drawing) == {"cross_entropy": "failed"}
    assert drawing.picture.boxes[-1].parents == [1]
    assert "(5, 3) float64" in drawing.svg()


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda t: t[7], "getitem"),
        (lambda t: t.reshape(7), "reshape"),
        (lambda t: np.concatenate([t, np.ones((2, 2)) * t[0]]), "concatenate"),
        (lambda t: np.einsum("i,ij->j", t, np.ones((2, 2))), "einsum"),
        (lambda t: vmap(lambda x: x @ np.ones(4))(np.ones((2, 3))), "matmul"),
    ],
)
def test_every_kind_of_operation_is_marked_where_it_fails(call, operation):
    with pytest.raises((ValueError, IndexError)) as caught:
        call(Tensor(np.ones(3)) * 2.0)
    drawing = draw(caught.value)
    assert states(drawing) == {operation: "failed"}
    assert drawing.picture.boxes[-1].parents or operation == "matmul"  # of a mapped call, which has its own arrays
    assert drawing.html()
    assert json.loads(drawing.json())["boxes"][-1]["message"]


@pytest.mark.parametrize("of", [grad, jacobian, lambda f: lambda x: f(Tensor(x)).backward()])
def test_a_rule_that_fails_is_marked_whoever_asked_for_the_gradient(of):
    def shapeless(x):
        return x * 1.0

    shapeless = elementwise(shapeless, lambda g, x: np.zeros((9, 9)))
    with pytest.raises(GraphError, match="returns the shape of its argument") as caught:
        of(lambda x: np.sum(shapeless(x * 2.0)))(np.ones(3))
    assert states(draw(caught.value)) == {"shapeless": "failed"}


def test_a_freed_graph_says_where_it_was_freed():
    loss = np.sum(Tensor(np.ones(3)) * 2.0)
    loss.backward()
    with pytest.raises(GraphError, match="freed") as caught:
        loss.backward()
    assert "sum" in states(draw(caught.value))


def test_a_notebook_shows_the_picture_above_the_traceback(monkeypatch):
    shown = []
    shell = SimpleNamespace(
        kernel=object(), InteractiveTB=SimpleNamespace(structured_traceback=lambda kind, error, traceback: [str(error)])
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    with pytest.raises(ValueError, match="matmul") as caught:
        draw(failing, np.ones((2, 3)), np.ones((3, 4)))
    assert shown == []  # it may be caught
    assert "matmul" in caught.value._render_traceback_()[0]
    caught.value._render_traceback_()
    assert shown == [caught.value.drawing]
