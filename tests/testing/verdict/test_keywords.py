"""Checks that are called as another library's: one TypeError that says what to write."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff.testing import assert_gradcheck, check_graph, gradcheck
from autodiff.testing.verdict.keywords import INSTEAD
from tests.blocks import of_each

X, Y = np.array([0.5, 1.0]), np.array([2.0, 3.0])


def product(a, b):
    return np.sum(a * b)


class Layer:
    def __call__(self, a, b=2.0):
        return np.sum(a * b)


@pytest.mark.parametrize("check", [gradcheck, assert_gradcheck, check_graph])
@of_each("name", [*INSTEAD, "axis", "ordre"], size=64)
def test_a_keyword_of_another_library(check, name):
    with pytest.raises(TypeError, match=f"'{name}'") as error:
        check(np.sin, X, **{name: 1})
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith(("gradcheck: ", "check_graph: "))
    assert "rng" in said
    assert "{" not in said
    assert ("write" in said) or ("leave it out" in said) or ("(" in said)


@pytest.mark.parametrize("check", [gradcheck, check_graph])
@pytest.mark.parametrize("together", [(X, Y), [X, Y]])
@pytest.mark.parametrize("f", [product, lambda a, b: np.sum(a * b), np.multiply], ids=["def", "lambda", "ufunc"])
def test_arguments_in_one_tuple(check, together, f):
    with pytest.raises(TypeError, match=r"arguments follow the function one by one: \w+\(\w+, \w+, \w+\)"):
        check(f, together)
    assert check(f, *together).correct


@pytest.mark.parametrize("check", [gradcheck, check_graph])
def test_one_argument_in_a_tuple(check):
    with pytest.raises(TypeError) as error:
        check(lambda x: x / 2.0, (X,))
    assert any("one by one" in note for note in error.value.__notes__)


@pytest.mark.parametrize("check", [gradcheck, check_graph])
def test_nestings_are_arguments_as_ever(check):
    assert check(lambda pair: np.sum(pair[0] * pair[1]), (X, Y)).correct
    assert check(lambda *pair: np.sum(pair[0][0] * pair[0][1]), (X, Y)).correct
    assert check(Layer(), X).correct


def test_what_is_no_function():
    with pytest.raises(TypeError, match="gradcheck: the first argument must be a function"):
        gradcheck(np.sin(X), X)


def test_other_errors_of_f_have_no_note():
    with pytest.raises(TypeError) as error:
        gradcheck(product, X)
    assert not getattr(error.value, "__notes__", [])
