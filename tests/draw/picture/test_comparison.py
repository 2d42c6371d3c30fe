"""The difference of two pictures."""

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.models import Transformer, tokens


def states(drawing):
    return {b.name or b.label: b.state for b in drawing.picture.boxes}


def test_two_equal_graphs_have_no_difference():
    a, b = (draw(Transformer(2), tokens()) for _ in range(2))
    assert set(states(a.compare(b)).values()) == {""}
    assert a.compare(b).picture.facts[0].startswith("0 added, 0 removed, 0 changed")


def test_what_was_added_removed_and_changed_is_marked():
    def first(x):
        return np.sum(np.tanh(x))

    def second(x):
        return np.sum(np.sin(x) * 2.0)

    difference = draw(first, np.ones(3)).compare(draw(second, np.ones(4)))
    assert states(difference) == {
        "x": "changed", "tanh": "removed", "sin": "added", "multiply(·, 2)": "added", "output": "changed"
    }  # fmt: skip
    assert "was (3,) float64" in str(difference)
    assert difference.svg()
    assert difference.html()
    assert difference.dot()
    assert difference.mermaid()


def test_two_steps_of_a_training_are_compared_by_values_and_gradients():
    def loss(w):
        return np.sum(w * w)

    difference = draw(loss, np.ones(2), gradients=True).compare(draw(loss, 2 * np.ones(2), gradients=True))
    w = difference.picture.boxes[0]
    assert w.state == "changed"
    assert w.message == "‖g‖ was 2.83"


def test_a_comparison_of_an_operation_that_turned_around():
    x, y = Tensor(1.0), Tensor(2.0)
    one, other = draw(np.sin(np.cos(x)) + y), draw(np.cos(np.sin(x)) + y)
    difference = one.compare(other)
    assert all(p < i for i, b in enumerate(difference.picture.boxes) for p in b.parents)
    assert difference.svg()


def test_an_operation_that_is_the_output_no_more_is_the_same():
    before = draw(lambda x: np.sin(x * 2.0), 1.0)
    after = draw(lambda x: np.cos(np.sin(x * 2.0)), 1.0)
    states = {b.operation: b.state for b in before.compare(after).picture.boxes}
    assert states == {"": "", "multiply": "", "sin": "", "cos": "added"}


def test_folded_pictures_of_different_depth_are_compared():
    deep, shallow = (draw(Transformer(n), tokens(), gradients=True) for n in (12, 10))
    for before, after, fact in ((deep, shallow, "0 added, 90 removed"), (shallow, deep, "90 added, 0 removed")):
        difference = before.compare(after)
        assert difference.picture.facts[0].startswith(fact)
        assert difference.svg()
        assert difference.html()
