"""Colours: no two columns of one colour meet in a row, few of them, and every entry of a Hessian can be read."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from autodiff.scipy.sparse.coloring import colored, greedy, symmetric
from autodiff.scipy.sparse.plan import Plan

rng = np.random.default_rng(0)


def pattern(dense):
    return sparse.csr_array(np.asarray(dense, bool))


RANDOM = pattern(rng.random((40, 60)) < 0.06)
ARROW = pattern(np.eye(30) + np.eye(30)[0] + np.eye(30)[:, :1])
BAND = pattern(np.abs(np.subtract.outer(np.arange(30), np.arange(30))) <= 1)


def read(plan, matrix):
    """The entries of a matrix from its products with the seeds of a plan."""
    columns, rows = plan.seeds()
    parts = []
    if columns is not None:
        parts.append(columns[:-1] @ matrix.T)
    if rows is not None:
        parts.append((rows if parts else rows[:-1]) @ matrix)
    return np.concatenate([np.ravel(p) for p in parts])[plan.places]


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize(
    "kind",
    [RANDOM, ARROW, BAND, RANDOM.T.tocsr(), pattern(np.zeros((3, 2)))],
    ids=["random", "arrow", "band", "random.T", "empty"],
)
def test_every_entry_is_read_from_the_products(kind, mode):
    matrix = rng.normal(size=kind.shape) * kind.toarray()
    np.testing.assert_array_equal(read(Plan(kind, colored(kind, mode)), matrix), matrix[kind.nonzero()])


@pytest.mark.parametrize(
    "kind", [ARROW, BAND, RANDOM[:, :40] + RANDOM[:, :40].T + pattern(np.eye(40))], ids=["arrow", "band", "random"]
)
def test_every_entry_of_a_hessian_is_read(kind):
    kind = sparse.csr_array(kind)
    kind.sort_indices()
    matrix = rng.normal(size=kind.shape) * kind.toarray()
    matrix += matrix.T
    np.testing.assert_array_equal(read(Plan(kind, symmetric(kind)), matrix), matrix[kind.nonzero()])


def test_a_band_needs_as_many_colours_as_it_is_wide():
    assert greedy(BAND).max() + 1 == 3
    assert colored(BAND, "auto").counts == (3, 0)


def test_one_dense_row_is_computed_as_a_row():
    dense_row = pattern(np.eye(30) + np.eye(30)[:, :1])
    assert colored(dense_row, "auto").counts in ((1, 1), (0, 2))
    assert sum(colored(dense_row, "forward").counts) == 30
    assert sum(colored(ARROW, "auto").counts) == 3  # a dense column, too


def test_a_hessian_with_a_dense_row_and_column_needs_two_products():
    assert symmetric(ARROW).counts == (0, 2)
