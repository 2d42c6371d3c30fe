"""The function draw: what it takes, refuses, and answers to users of other libraries."""

import subprocess
import sys

import numpy as np
import pytest

from autodiff import GraphError, Tensor
from autodiff.dialects import DRAWINGS
from autodiff.draw import Drawing, draw
from tests.draw.models import Linear, random


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: draw(3), TypeError, "give a Tensor"),
        (lambda: draw(np.ones(3)), TypeError, "got ndarray"),
        (lambda: draw([]), GraphError, "no variable leads"),
        (lambda: draw(Linear(2, 2)), TypeError, r"draw\(linear, x\)"),
        (lambda: draw(Tensor(1.0) * 2.0, 1.0), TypeError, "takes no arguments"),
        (lambda: draw(lambda x: 3, 1.0), GraphError, "returned a value of type int"),
        (lambda: draw(Tensor(1.0) * 2.0, max_nodes=1), ValueError, "at least 4"),
        (lambda: draw(Tensor(1.0) * 2.0, names=3), TypeError, "names must be"),
        (lambda: draw(Tensor(1.0) * 2.0, mark=3), TypeError, "names no node"),
        (lambda: draw(Tensor(1.0) * 2.0, focus="a"), TypeError, "a pair"),
        (lambda: draw(Tensor(1.0) * 2.0, focus=("nothing", "multiply")), ValueError, "nothing is called 'nothing'"),
        (lambda: draw(Tensor(1.0) * 2.0).save("g.docx"), ValueError, "must be one of"),
        (lambda: draw(ValueError("x")), TypeError, "carries no graph"),
        (lambda: draw(Tensor(1.0) * 2.0).svg(scheme="pink"), ValueError, "not 'pink'"),
    ],
)
def test_bad_input_is_refused_with_a_reason(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_importing_the_library_does_not_import_drawing():
    code = "import sys, autodiff; print(any(n.startswith('autodiff.draw.') for n in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_package_is_the_function_too():
    import autodiff.draw as package

    assert package(Tensor(2.0) * 3.0).picture.operations == 1
    assert package.Drawing is Drawing


def test_every_primitive_can_be_drawn():
    from autodiff.primitive import Primitive, Sample, registry

    def filled(value):
        if isinstance(value, Sample):
            low, high = value.domain.low, value.domain.high
            return Tensor(low + (high - low) * random.uniform(0.1, 0.9, value.shape))
        return type(value)(map(filled, value)) if type(value) in (list, tuple) else value

    drawn = set()
    for entry in registry.values():
        for example in entry.examples if isinstance(entry, Primitive) else ():
            args, kwargs = [filled(a) for a in example.args], {k: filled(v) for k, v in example.kwargs.items()}
            try:
                result = entry.call(*args, **kwargs)
            except (np.linalg.LinAlgError, ValueError):  # a random matrix need not be what a factorisation asks for
                continue
            outputs = list(result) if isinstance(result, tuple | list) else [result]
            with np.errstate(all="ignore"):
                drawing = draw(outputs, values=True, gradients=True, memory=True, times=True)
            assert entry.name in {b.operation for b in drawing.picture.boxes}
            assert drawing.svg()
            drawn.add(entry.name)
    assert len(drawn) > 50


@pytest.fixture
def y():
    return np.sum(Tensor(np.ones(3)) * 2.0)


@pytest.mark.parametrize("word", DRAWINGS)
def test_keywords_of_other_libraries(word, y):
    with pytest.raises(TypeError, match=f"^draw: '{word}' is .*(write|leave it out)"):
        draw(y, **{word: 1})
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        draw(y, nonsense=1)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"depth": "a"}, "depth is 'a'; give a number of levels, or None"),
        ({"depth": True}, "depth is True"),
        ({"max_nodes": "a"}, "max_nodes is 'a'; give a number of boxes"),
        ({"max_nodes": 10.5}, r"max_nodes is 10\.5"),
        ({"hide": 3}, "hide is 3; give names"),
    ],
)
def test_wishes_of_the_wrong_kind(wishes, words, y):
    with pytest.raises(TypeError, match=f"^draw: {words}"):
        draw(y, **wishes)
