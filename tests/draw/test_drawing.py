"""What is in a picture: operations, names, shapes, groups, values, gradients, bytes, times."""

import copy
import pickle

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.dialects import SHOWING
from autodiff.draw import Drawing, draw
from tests.draw.examples import example


def test_a_notebook_gets_all_forms_and_never_an_exception(monkeypatch):
    drawing = example()
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    assert bundle["text/html"].startswith("<iframe")
    assert bundle["text/html"].count("<") == 2
    assert set(drawing.static._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}
    monkeypatch.setattr("autodiff.draw.formats.svg.svg", lambda *a, **k: 1 / 0)
    monkeypatch.setattr("autodiff.draw.formats.text.text", lambda *a, **k: 1 / 0)
    broken = drawing._repr_mimebundle_()
    assert "ZeroDivisionError" in broken["text/plain"]
    assert "text/html" in broken


def test_a_drawing_keeps_no_array_alive():
    import gc
    import weakref

    x = np.ones(1000)
    watched = weakref.ref(x)
    drawing = draw(lambda x: np.sum(np.sin(x)), x, values=True, gradients=True)
    del x
    gc.collect()
    assert watched() is None
    assert isinstance(drawing, Drawing)


@pytest.fixture
def y():
    return np.sum(Tensor(np.ones(3)) * 2.0)


@pytest.mark.parametrize("name", SHOWING)
def test_methods_of_other_libraries(name, y):
    with pytest.raises(AttributeError, match=f"^'Drawing' object has no attribute '{name}'; use "):
        getattr(draw(y), name)


def test_a_drawing_is_still_plain_data(y):
    drawing = draw(y)
    assert str(copy.deepcopy(drawing)) == str(pickle.loads(pickle.dumps(drawing))) == str(drawing)
