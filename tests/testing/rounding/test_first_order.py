"""What rounding inside of a function is said to do to its values."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import checkpoint, grad, vmap
from autodiff.testing.problem import Problem
from autodiff.testing.rounding.first_order import rounding_inside

X = np.array([0.5, 1.25, 2.0])


@pytest.mark.parametrize(
    "f",
    [np.sin, checkpoint(np.sin), vmap(np.sin), grad(lambda x: np.sum(np.sin(x)))],
    ids=["plain", "checkpoint", "vmap", "grad"],
)
def test_it_is_of_the_size_of_the_values(f):
    problem = Problem(f, (X,))
    found = rounding_inside(problem, np.ones(3))
    size = np.linalg.norm(f(X)) * np.finfo(float).eps
    assert not found.narrow
    assert 0.1 * size < found.size < 10 * size


def test_the_cancellation_of_large_numbers_is_seen():
    assert rounding_inside(Problem(lambda x: (x + 1e6) - 1e6, (X,)), np.ones(3)).size > 1e-11


def test_what_is_computed_in_single_precision_is_narrow():
    found = rounding_inside(Problem(lambda x: np.sin(x.astype(np.float32)), (X,)), np.ones(3))
    assert found.narrow
    assert found.size > 1e-8


def test_a_function_of_arrays_alone_is_not_asked():
    def of_arrays(x):
        return np.sum(np.sin(x.data[:0] if hasattr(x, "_node") else x, out=np.empty(3)))

    assert rounding_inside(Problem(of_arrays, (X,), np.cos), np.ones(1)) is None


def test_an_error_is_not_taken_for_an_answer():
    def broken(x):
        raise KeyError("x")

    with pytest.raises(KeyError):
        rounding_inside(Problem(broken, (X,)), np.ones(3))
