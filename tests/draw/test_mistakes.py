"""What people try who come from other libraries that draw graphs gets an answer."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.dialects import DRAWINGS, SHOWING
from autodiff.draw import draw


@pytest.fixture
def y():
    return np.sum(Tensor(np.ones(3)) * 2.0)


@pytest.mark.parametrize("word", DRAWINGS)
def test_keywords_of_other_libraries(word, y):
    with pytest.raises(TypeError, match=f"^draw: '{word}' is .*(write|leave it out)"):
        draw(y, **{word: 1})
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        draw(y, nonsense=1)


@pytest.mark.parametrize("name", SHOWING)
def test_methods_of_other_libraries(name, y):
    with pytest.raises(AttributeError, match=f"^'Drawing' object has no attribute '{name}'; use "):
        getattr(draw(y), name)


def test_a_drawing_is_still_plain_data(y):
    drawing = draw(y)
    assert str(copy.deepcopy(drawing)) == str(pickle.loads(pickle.dumps(drawing))) == str(drawing)


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


def test_names_of_the_callers_variables_are_found_as_before():
    weights = Tensor(np.ones(3))
    assert "weights" in str(draw(np.sum(weights * 2.0)))


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
