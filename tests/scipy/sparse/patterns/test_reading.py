"""The pattern that is read off a program: it has every entry of the Jacobian, and no more where a rule is known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import autodiff
from autodiff import capture, grad, jacobian
from autodiff.scipy.sparse import matmul
from autodiff.scipy.sparse.patterns import pattern_of
from autodiff.scipy.sparse.patterns.sets import DenseError, Sets

rng = np.random.default_rng(0)
X, V = rng.normal(size=(4, 3)), rng.normal(size=6)
INDEX = np.array([0, 2, 2, 1])
BAND = np.eye(4) * 2 - np.eye(4, k=1)
SPARSE = scipy.sparse.csr_array(BAND)
MASK = np.array([True, False, True, False])


def both(f, *args):
    """The pattern, and where the Jacobian is not zero."""

    def flat(*a):
        return np.ravel(f(*a))

    found = pattern_of(capture(flat, *args), args).toarray()
    blocks = jacobian(flat, argnums=tuple(range(len(args))))(*args)
    return found, np.concatenate([np.reshape(b, (len(found), -1)) for b in blocks], axis=1) != 0


EXACT = {
    "elementwise": lambda x: np.sin(x) * 2 + x**2,
    "broadcasting": lambda x: x * x[0] + x[:, :1],
    "gather": lambda x: x[INDEX] * x,
    "mask": lambda x: x[MASK],
    "sum": lambda x: np.sum(x, axis=1),
    "sum of all": lambda x: np.sum(x * x),
    "mean": lambda x: x.mean(axis=0, keepdims=True) - x,
    "logsumexp": lambda x: autodiff.logsumexp(x, axis=1),
    "norm": lambda x: np.linalg.norm(x, axis=1),
    "cumsum": lambda x: np.cumsum(x, axis=1)[:, ::-1],
    "diff": lambda x: np.diff(x, axis=0),
    "matmul with zeros": lambda x: BAND @ x,
    "matmul": lambda x: x @ x[:3],
    "mul by zeros": lambda x: x * BAND[:, :3],
    "einsum": lambda x: np.einsum("ij,jk->k", BAND, x) * np.einsum("...k->k...", x)[:, 0],
    "outer": lambda x: np.outer(x[0], x[:, 1]),
    "dot": lambda x: np.dot(x, x[0]) * np.tensordot(x, x[:, 0], axes=(0, 0))[1],
    "convolve": lambda x: np.convolve(x[:, 0], np.array([1.0, 0.0, 2.0]), "same"),
    "sparse product": lambda x: matmul(SPARSE, x) * matmul(x[:, 0], SPARSE)[0],
    "where": lambda x: np.where(BAND[:, :3] > 0, x, x[::-1]),
    "shapes": lambda x: np.swapaxes(np.reshape(np.roll(x, 1, axis=0), (2, 2, 3)), 0, 2)[..., None],
    "concatenate": lambda x: np.concatenate([x[1:], np.stack([x[0], x[1] * x[2]])]),
    "scatter": lambda x: autodiff.index_add(np.zeros((5, 3)), INDEX, x),
    "set": lambda x: autodiff.index_update(x, (slice(None), 0), x[:, 1]),
    "inverse": lambda x: np.linalg.inv(x[:3] + 3 * np.eye(3)),
    "max of zero derivative": lambda x: np.floor(x) + np.sign(x) * x,
    "gradient of a gather": grad(lambda x: np.sum(np.sin(x[INDEX]) * x[::-1])),
    "gradient of a chain": grad(lambda x: np.sum((x[1:] - x[:-1] ** 2) ** 2)),
}


@pytest.mark.parametrize("name", EXACT)
def test_the_pattern_is_that_of_the_jacobian(name):
    found, truth = both(EXACT[name], X)
    np.testing.assert_array_equal(found, truth)


CONSERVATIVE = {
    "max": lambda x: np.max(x, axis=0) + x,
    "sort": lambda x: np.sort(x, axis=0),
    "where of values": lambda x: np.where(x > 0, x, x[::-1]),
    "fft": lambda x: np.real(np.fft.fft(x, axis=0)),
    "median": lambda x: np.median(x, axis=1),
}


@pytest.mark.parametrize("name", CONSERVATIVE)
def test_where_values_decide_the_pattern_has_all_that_may_be(name):
    found, truth = both(CONSERVATIVE[name], X)
    assert found.sum() > truth.sum()
    assert not (truth & ~found).any()


def test_of_an_unknown_function_everything_depends_on_everything():
    program = capture(lambda x: np.unwrap(x[:2, 0]) * x[2, :2], X)
    found = pattern_of(program, (X,)).toarray()
    np.testing.assert_array_equal(np.flatnonzero(found[0]), [0, 3, 6])
    np.testing.assert_array_equal(np.flatnonzero(found[1]), [0, 3, 7])


def test_several_arguments_lie_side_by_side():
    found, truth = both(lambda x, v: x[:, 0] * v[:4], X, V)
    np.testing.assert_array_equal(found, truth)
    assert found.shape == (4, 18)


def test_equal_sets_have_one_label():
    sets = Sets(5)
    a, b = sets.inputs(0, (5,)), sets.inputs(0, (5,))[::-1]
    one, other = sets.either(a, b), sets.either(b, a)
    np.testing.assert_array_equal(one, other)
    assert one[0] == one[4]
    np.testing.assert_array_equal(sets.either(one, a), one)
    assert sets.table(one).sum() == 2 * 5 - 1


def test_more_entries_than_memory_has_room_for_is_an_error(monkeypatch):
    monkeypatch.setattr("autodiff.scipy.sparse.patterns.sets.MOST", 20)
    sets = Sets(10)
    with pytest.raises(DenseError, match="more than 20 inputs"):
        sets.either(sets.inputs(0, (10,))[:, None], sets.inputs(0, (10,)))


@pytest.mark.parametrize("chunk", [1, 3, 1 << 24])
def test_unions_in_parts_are_the_unions(monkeypatch, chunk):
    monkeypatch.setattr("autodiff.scipy.sparse.patterns.sets.CHUNK", chunk)
    found, truth = both(lambda x: np.sum(x[INDEX] * x[:, ::-1], axis=0) * x, X)
    np.testing.assert_array_equal(found, truth)
