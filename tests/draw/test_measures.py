"""What is measured: values, gradients, bytes, times."""

import tracemalloc

import numpy as np
import pytest

from autodiff import Tensor, grad, primitive
from autodiff.draw import draw
from tests.draw.models import Transformer, random
from tests.draw.test_drawing import boxes


def test_values_are_whole_if_small_and_summaries_if_large():
    found = boxes(draw(lambda x: np.sum(x) * 2.0, np.arange(10.0), values=True))
    assert found["x"].value.text == "0 … 4.5 … 9"
    assert found["output"].value.text == "90."
    with np.errstate(all="ignore"):
        output = boxes(draw(lambda x: x / x, np.array([0.0, 1.0] + 10 * [2.0]), values=True))["output"]
    assert output.value.text == "1 … 1 … 1 (1 NaN)"
    assert output.state == "nan"


def test_values_of_a_finished_graph_are_those_that_rules_kept():
    x = Tensor(np.arange(3.0))
    drawing = draw(np.sum(np.tanh(x)), values=True)
    assert [b.value is not None for b in drawing.picture.boxes] == [True, True, False]
    assert any("1 of 3 were not kept" in fact for fact in drawing.picture.facts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_are_those_of_the_engine(dtype):
    x = random.normal(size=(3, 4)).astype(dtype)

    def f(x):
        h = np.tanh(x)
        return np.sum(h * h + x)

    found = boxes(draw(f, x, gradients=True))
    assert found["x"].gradient.norm == pytest.approx(np.linalg.norm(grad(f)(x)), rel=1e-5)
    assert found["output"].gradient.norm == 1


def test_gradients_of_a_freed_graph_are_those_of_its_variables():
    w = Tensor([3.0, 4.0])
    loss = np.sum(w * w)
    loss.backward()
    drawing = draw(loss, gradients=True)
    assert boxes(drawing)["w"].gradient.norm == 10
    assert any("freed" in fact for fact in drawing.picture.facts)


def test_drawing_leaves_graph_and_gradients_as_they_were():
    w = Tensor([3.0, 4.0])
    loss = np.sum(w * w)
    draw(loss, values=True, gradients=True, memory=True, times=True, backward=True)
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [6.0, 8.0]


def test_dead_vanishing_exploding_and_not_finite():
    def f(a, b, c, d):
        return np.sum(a * 0.0) + np.sum(b * 1e-9) + np.sum(c * 1e5) + np.sum(np.sqrt(d))

    with np.errstate(all="ignore"):
        drawing = draw(f, np.ones(2), np.ones(2), np.ones(2), np.zeros(2), gradients=True)
    states = {name: box.state for name, box in boxes(drawing).items()}
    assert (states["a"], states["b"], states["c"], states["d"]) == ("dead", "vanishing", "exploding", "inf")
    nan = draw(lambda x: np.sum(x * np.array([np.nan, 1.0])), np.ones(2), values=True, gradients=True)
    assert [b.state for b in nan.picture.boxes] == ["nan", "nan", "nan"]
    assert "✖ NaN" in str(nan)
    assert "✖ NaN" in nan.svg()


@pytest.mark.parametrize("finished", [True, False])
def test_bytes_are_what_tracemalloc_sees(finished):
    model = Transformer(3, size=64)
    x = random.normal(size=(8, 32, 64))
    output = model(x)  # imports and caches are no part of a graph
    del output
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    output = np.sum(model(x))
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    picture = draw(output, memory=True).picture if finished else draw(model, x, memory=True).picture
    assert picture.groups[0].kept == pytest.approx(used, rel=0.05)


def scalars():
    y = Tensor(1.0)
    for _ in range(20_000):  # so many that those the interpreter keeps in reserve do not count
        y = np.sin(y) * 1.5
    return y


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.linalg.svd(x)[1]),
        lambda x: np.sum(np.concatenate([x, x * 2]) ** 3.0),
        lambda x: np.sum(x.reshape(-1)[::2] * x.T.reshape(-1)[1::2]),
        lambda x: np.sum(np.cumsum(np.sort(x, axis=0), axis=1) ** 2),
        lambda x: scalars(),
    ],
)
def test_bytes_of_every_kind_of_operation_are_what_tracemalloc_sees(f):
    x = Tensor(random.normal(size=(150, 150)))
    output = f(x)
    del output
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    output = f(x)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert draw(output, memory=True).picture.groups[0].kept == pytest.approx(used, rel=0.05)


class Mute:
    """An object that answers nothing."""

    def __repr__(self):
        raise RuntimeError("no repr")

    def __eq__(self, other):
        raise RuntimeError("no eq")

    def __len__(self):
        raise RuntimeError("no len")

    __str__ = __repr__
    __hash__ = None


@pytest.mark.parametrize("option", [Mute(), [Mute()], {"a": Mute()}, slice(Mute(), None), "x" * 100_000, float("nan")])
def test_options_may_be_anything(option):
    @primitive(lambda g: g * 2)
    def scaled(x, option=None):
        return x * 2

    everything = {"values": True, "gradients": True, "memory": True, "times": True}
    finished = np.sum(scaled(Tensor(np.ones(3)), option=option))
    for drawing in (draw(lambda x: np.sum(scaled(x, option)), np.ones(3), **everything), draw(finished, **everything)):
        bundle = drawing._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
        assert "could not" not in bundle["text/plain"]
        assert drawing.json()


def test_times_are_there_when_asked_for():
    with_times = draw(lambda x: np.sum(np.sin(x)), np.ones(3), times=True).picture
    operations = [b for b in with_times.boxes if b.operation]
    assert all(b.forward > 0 and b.backward > 0 for b in operations)
    assert all(b.gradient is None for b in operations)
    assert all(b.forward is None for b in draw(lambda x: np.sum(x), np.ones(3)).picture.boxes)
