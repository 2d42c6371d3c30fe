"""Sums and products of many numbers are one group each."""

import functools
import operator

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.picture.model import REDUCTION
from tests.draw.picture.scalars.numbers import dot


def numbers(n):
    return [Tensor(0.1 * k + 0.5) for k in range(n)]


def reductions(output):
    return {g.name: g for g in draw(output).picture.groups if g.kind == REDUCTION}


@pytest.mark.parametrize(
    ("make", "name", "operations"),
    [
        (lambda x, y: dot(x, y), "dot product of 50", 99),
        (lambda x, y: dot(x, y) + 1.0, "dot product of 50, plus 1", 100),
        (lambda x, y: dot(x, x), "sum of 50 squares", 99),
        (lambda x, y: sum(x[1:], x[0]), "sum of 50", 49),
        (lambda x, y: functools.reduce(operator.mul, x), "product of 50", 49),
        (lambda x, y: functools.reduce(np.maximum, x), "maximum of 50", 49),
        (lambda x, y: sum([a * 2.0 for a in x[1:]], x[0] * 2.0), "dot product of 50", 99),
    ],
)
def test_a_reduction_has_its_name(make, name, operations):
    found = reductions(np.tanh(make(numbers(50), numbers(50))))
    assert list(found) == [name]
    assert found[name].operations == operations


def test_what_something_else_uses_too_is_not_inside():
    x = numbers(60)
    half = sum(x[1:30], x[0])
    whole = sum(x[30:], half)
    found = reductions(whole * half)
    assert sorted(found) == ["sum of 30", "sum of 31"]


def test_an_output_is_not_inside():
    x = numbers(60)
    half = sum(x[1:30], x[0])
    assert sorted(reductions([sum(x[30:], half), half])) == ["sum of 30", "sum of 31"]


def test_a_closed_sum_shows_its_value_and_its_gradient():
    x, y = numbers(50), numbers(50)

    def f(x, y):
        return [np.tanh(dot(x, y)), np.sin(dot(y, x))]

    drawing = draw(f, x, y, values=True, gradients=True, depth=0)
    value = sum((0.1 * k + 0.5) ** 2 for k in range(50))
    assert f"{value:.4g}" in drawing.svg()
    assert f"g {np.cos(value):.4g}" in drawing.svg()
