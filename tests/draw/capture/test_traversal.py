"""From nodes to boxes: each operation once, with its constants."""

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw


def test_values_of_a_finished_graph_are_those_that_rules_kept():
    x = Tensor(np.arange(3.0))
    drawing = draw(np.sum(np.tanh(x)), values=True)
    assert [b.value is not None for b in drawing.picture.boxes] == [True, True, False]
    assert any("1 of 3 were not kept" in fact for fact in drawing.picture.facts)


def doubled(times):
    y = Tensor(1.0)
    for _ in range(times):
        y = y + y
    return y


def test_each_operation_is_there_once():
    y = doubled(16)
    picture = draw(y).picture
    assert [b.operation for b in picture.boxes] == [""] + 16 * ["add"]
    assert [b.parents for b in picture.boxes[1:]] == [[i, i] for i in range(16)]
    assert picture.depth == 16
    assert picture.operations + len(picture.boxes) == 33  # where operations and arrays each have a box


def test_constants_and_options_are_part_of_the_operation():
    x = Tensor(np.ones((2, 3)))
    labels = [
        b.label for b in draw(lambda x: np.sum(np.maximum(x * 2.0, 0.5), axis=1)[0], np.ones((2, 3))).picture.boxes
    ]
    assert labels == ["", "multiply(·, 2)", "maximum(·, 0.5)", "sum(axis=1)", "getitem(·, 0)"]
    with_array = draw(np.sum(x * np.ones(3, dtype=np.float32))).picture.boxes[1]
    assert with_array.label == "multiply(·, float32[3])"


def test_constants_that_no_rule_kept_are_not_passed_over():
    x = Tensor(1.0)
    y = x * 1.000001 + 2.0
    assert [b.label for b in draw(y).picture.boxes] == ["", "multiply(·, 1.000001)", "add(·, …)"]
    assert "add(%1, …)" in str(draw(y))
    assert [b.label for b in draw(lambda x: x * 1.000001 + np.float32(0.1), 1.0).picture.boxes] == [
        "", "multiply(·, 1.000001)", "add(·, 0.1)"
    ]  # fmt: skip


def test_operations_without_gradient_are_drawn_and_told_apart():
    drawing = draw(lambda x: np.sum(x * np.sign(x)), np.ones(3))
    assert [(b.operation, b.active) for b in drawing.picture.boxes] == [
        ("", True), ("sign", False), ("multiply", True), ("sum", True)
    ]  # fmt: skip
    assert "stroke-dasharray" in drawing.svg()
