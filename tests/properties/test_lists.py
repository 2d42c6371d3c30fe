"""Beside a Tensor, a list is the array of its numbers; a sparse array is multiplied, or refused by name."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse

from autodiff import Tensor, grad
from autodiff.primitive import registry
from autodiff.protocol import WRONG
from autodiff.scipy import load
from autodiff.testing.table.samples import calls
from tests.blocks import of_each
from tests.differences import outputs

load()
ENTRIES = list({id(entry): entry for entry in registry.values()}.values())


def pairs(entry, rng):
    """Calls, arrays for them, and the places of a Tensor and of something else."""
    for call in calls(entry)[:2]:
        given = call.arrays(rng)
        for i in range(len(given)):
            for j, other in enumerate(given):
                if i != j and isinstance(other, np.ndarray) and isinstance(given[i], np.ndarray):
                    yield call, given, i, j


def replaced(given, j, value):
    return [value if k == j else v for k, v in enumerate(given)]


def accepted(call, given):
    """Whether a function takes these arguments, none of which is a Tensor."""
    try:
        call(*given)
    except (*WRONG, AssertionError, NotImplementedError, np.linalg.LinAlgError):
        return False
    return True


@of_each("entry", ENTRIES, size=16)
def test_a_list_is_the_array_of_its_numbers(entry, rng):
    for call, given, i, j in pairs(entry, rng):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listed = replaced(given, j, given[j].tolist())
            if not accepted(call.with_call(entry.function), listed):
                continue

            def total(v, rest, call=call, i=i):
                return sum(np.sum(np.real(part)) for part in outputs(call(*replaced(rest, i, v))))

            try:
                expected = grad(lambda v: total(v, given))(given[i])  # noqa: B023
            except (*WRONG, np.linalg.LinAlgError):
                continue
            found = grad(lambda v: total(v, listed))(given[i])  # noqa: B023
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14, err_msg=f"{entry.name}, {i}, {j}")


MULTIPLIED = {"matmul", "linalg_matmul", "dot", "multi_dot", "lstm_cell"}
"""Functions of which a sparse array is a factor."""


@of_each("entry", ENTRIES, size=16)
def test_a_sparse_array_never_makes_an_array_of_objects(entry, rng):
    for call, given, i, j in pairs(entry, rng):
        if given[j].ndim != 2:
            continue
        mixed = replaced(replaced(given, i, Tensor(given[i])), j, scipy.sparse.csr_array(given[j]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                results = outputs(call(*mixed))
            except (*WRONG, NotImplementedError):
                continue
        assert entry.name in MULTIPLIED
        assert all(result.dtype.kind in "fc" for result in results)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t, a: np.kron(t, a), r"kron: b is a csr_array, which is sparse .*toarray\(\)"),
        (lambda t, a: np.outer(t, a), r"outer: b is a csr_array, which is sparse .*toarray\(\)"),
        (lambda t, a: np.hstack([t, a]), r"hstack: tup is a csr_array, which is sparse .*toarray\(\)"),
        (lambda t, a: np.select([np.eye(2) > 0, np.eye(2) > 0], [a, t]), r"select: .*toarray\(\)"),
    ],
)
def test_the_refusal_says_what_to_write(call, words):
    with pytest.raises(TypeError, match=words):
        call(Tensor(np.eye(2)), scipy.sparse.csr_array(np.eye(2)))


def test_what_makes_no_array_is_refused_by_the_operation():
    with pytest.raises(ValueError, match=r"add: .*inhomogeneous"):
        np.add(Tensor([1.0, 2.0]), [1.0, [2.0]])
    with pytest.raises(TypeError, match="add: b is a list with the text 'a'"):
        np.add(Tensor([1.0]), ["a"])
    assert np.convolve(Tensor([1.0, 2.0]), [1.0, 1.0]).data.tolist() == [1.0, 3.0, 2.0]
