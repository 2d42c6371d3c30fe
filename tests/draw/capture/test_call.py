"""A call: its arguments, its outputs, and in several threads."""

import threading

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.examples import boxes


def test_arguments_of_a_function_are_variables_and_have_the_names_of_its_parameters():
    def loss(weights, inputs, *, power=2):
        return np.sum(np.abs(inputs @ weights["w"]) ** power)

    drawing = draw(loss, {"w": np.ones((3, 2))}, np.ones((4, 3)))
    assert {(b.name, b.kind) for b in drawing.picture.boxes if not b.operation} == {
        ("weights", "variable"), ("inputs", "variable")
    }  # fmt: skip
    assert drawing.picture.title == "loss"


def test_integers_stay_what_they_are():
    drawing = draw(lambda table, rows: np.sum(table[rows]), np.ones((4, 2)), np.array([0, 0, 3]))
    assert [b.kind for b in drawing.picture.boxes] == ["variable", "operation", "operation"]


def test_several_outputs():
    x = Tensor(np.eye(3) * 2.0)
    drawing = draw({"sum": np.sum(x), "more": [np.sin(x)]})
    assert [b.operation for b in drawing.picture.boxes] == ["", "sum", "sin"]
    qr = draw(lambda a: sum(np.sum(t) for t in np.linalg.qr(a)), np.eye(3), gradients=True, values=True, memory=True)
    assert "qr" in {b.operation for b in qr.picture.boxes}
    assert qr.html()
    assert qr.svg()
    assert str(qr)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1, 1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_any_shape_and_dtype(shape, dtype):
    drawing = draw(lambda x: np.sum(np.abs(x * 2.0)), np.ones(shape, dtype), values=True, gradients=True, memory=True)
    assert boxes(drawing)["x"].shape == shape
    assert drawing.svg()
    assert drawing.html()
    assert drawing.dot()
    assert drawing.json()
    assert drawing.mermaid()
    assert str(drawing)


def test_two_threads_do_not_see_each_other():
    results = {}

    def work(name, count):
        def f(x):
            for _ in range(count):
                x = np.sin(x)
            return x

        results[name] = [draw(f, 1.0).picture.operations for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k, 5 * k + 3)) for k in range(2)]
    for thread in threads:
        thread.start()
    x = Tensor(1.0)
    for _ in range(1000):
        x = x * 1.0
    for thread in threads:
        thread.join()
    assert results == {0: 20 * [3], 1: 20 * [8]}
    assert draw(x).picture.operations == 1000


def names(drawing):
    return [box.name for box in drawing.picture.boxes if not box.operation]


def test_entries_have_the_keys_that_they_have_in_the_program():
    p = {"w": np.ones((3, 2)), "layers": [np.ones(2), (np.ones(2), 2.0)]}
    drawing = draw(lambda p: np.sum(np.ones(3) @ p["w"] * p["layers"][0] * p["layers"][1][0] * p["layers"][1][1]), p)
    assert names(drawing) == ["p['w']", "p['layers'][0]", "p['layers'][1][0]", "p['layers'][1][1]"]


def test_a_single_leaf_has_the_name_of_its_argument():
    assert names(draw(lambda p: p["w"] * 2.0, {"w": 1.0})) == ["p"]


def test_results_have_the_names_that_the_function_gives_them():
    def f(x):
        hidden = np.tanh(x)
        parts = [hidden * 2.0, hidden * 3.0]
        return parts[0] + parts[1]

    names = [box.name for box in draw(f, np.ones(3)).picture.boxes]
    assert names == ["x", "hidden", "parts[0]", "parts[1]", "output"]


def test_arrays_that_are_no_variables_are_drawn_if_asked_for():
    data = np.arange(3.0)

    def f(x, index):
        return np.sum(x[index] * data + np.ones(3))

    few = {box.name for box in draw(f, np.ones(5), np.array([1, 2, 3])).picture.boxes}
    drawing = draw(f, np.ones(5), np.array([1, 2, 3]), constants=True, values=True)
    found = {box.name: box for box in drawing.picture.boxes}
    assert {"data", "index"} <= found.keys() - few
    assert (found["index"].kind, found["index"].type) == ("input", "(3,) int64")
    assert found["data"].value.text == "[0., 1., 2.]"
    assert [box.kind for box in drawing.picture.boxes].count("input") == 3
    with pytest.raises(ValueError, match="a finished graph does not know"):
        draw(np.sum(Tensor(np.ones(3)) * data), constants=True)


def test_a_function_that_is_written_with_others_is_a_frame_with_its_name():
    from_matrix = draw(lambda x: np.sum(np.diag(x)), np.ones((3, 3))).picture
    assert [(g.kind, g.title, g.operations) for g in from_matrix.groups[1:] if g.operations] == [
        ("composite", "diag", 2)
    ]
    to_matrix = draw(lambda x: np.sum(np.diag(x)), np.ones(3)).picture
    assert [box.label for box in to_matrix.boxes] == ["", "diag", "sum"]
