"""Dask arrays inside of Tensors: values, gradients, and that nothing is computed before somebody asks."""

from __future__ import annotations

import itertools
import re
import tomllib
import traceback

import dask
import dask.array as da
import numpy as np
import pytest

import autodiff
from autodiff import Tensor
from autodiff.primitive import registry
from docs.__main__ import spelled
from docs.arrays import (
    ONE_CHUNK,
    PAGE,
    SEVERAL_CHUNKS,
    ComputedError,
    OtherResultError,
    UncomputableError,
    attempt,
    chunked,
    lazily,
    root,
    row,
    rows,
    tried,
)
from tests.blocks import of_each
from tests.differences import calls
from tests.foreign.contract import ENTRIES
from tests.testing.seeds import in_turn, is_deep

ROWS = frozenset(rows())
OF_PAGE = re.search(r"^Dask (\d+\.\d+)\.\d+\. ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)[1]
"""The version of Dask that the page is of."""
NAMED = frozenset(line.split(" | ")[0] for line in ROWS)
NUMBERS = {entry.function: number for number, entry in enumerate(ENTRIES)}


def is_dasks_own(error):
    """Whether it was raised in Dask, or says that Dask has no such function, or is a result that only Dask can change.

    What the engine or a rule raises for want of a method or a value is none of these.
    """
    first = root(error)
    if isinstance(first, ComputedError | OtherResultError | UncomputableError):
        return True
    places = [frame.filename for frame in traceback.extract_tb(first.__traceback__)]
    return "/dask/" in places[-1] or any("/dask/" in p for p in places) or "NotImplemented" in str(first)


@of_each("entry", ENTRIES)
def test_value_and_gradient_without_computing(entry):
    """A call works, or the page says that there are some that Dask cannot do; in a deep run every call is tried.

    Of rules alone a strict array says the same in less time, so here the calls are taken in turn.
    """
    made = in_turn(calls(entry), NUMBERS[entry.function])
    found = tried(entry, made)
    for error in found.errors:
        assert is_dasks_own(error), "".join(traceback.format_exception(error))
    line = row(spelled(entry), found)
    if not dask.__version__.startswith(f"{OF_PAGE}."):  # Dask itself can do more, or less
        return
    if is_deep():
        assert line in ROWS if line else f"| {spelled(entry)}" not in NAMED, "write it again with 'python -m docs'"
    else:
        assert not line or f"| {spelled(entry)}" in NAMED, "write it again with 'python -m docs'"


def test_the_page_is_of_the_version_that_the_tests_ask_for():
    project = tomllib.loads((PAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (asked,) = (line for line in project["optional-dependencies"]["test"] if line.startswith("dask"))
    assert asked.startswith(f"dask[array]>={OF_PAGE},<")


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, x: np.asarray(g) * np.cos(np.asarray(x)),
        lambda g, x: g * np.cos(x) if np.all(x < 9) else g,
        lambda g, x: np.add.reduce(np.stack([g * np.cos(x)]), axis=0),
        lambda g, x: g * np.cos(x).mT.mT,
    ],
)
def test_a_rule_that_is_not_for_every_array_turns_red(rule):
    def planted(x):
        return np.sin(x)

    autodiff.primitive(rule, examples=[autodiff.example(autodiff.sample(2, 3))])(planted)
    entry = registry[planted]
    (call,) = calls(entry)
    with pytest.raises((TypeError, FutureWarning, AttributeError, ComputedError, AssertionError, OtherResultError)):
        attempt(entry, call, call.arrays(np.random.default_rng(0)), ONE_CHUNK)


class Counted:
    """Data whose parts count how often each is read."""

    def __init__(self, values, chunks):
        self.reads = 0
        self.array = chunked(values, chunks).map_blocks(self._read, meta=np.zeros((0,) * np.ndim(values)))

    def _read(self, part):
        self.reads += 1
        return part


def network(x, w, v):
    """The loss of two layers, with a bias that is broadcast and a mean."""
    hidden = np.tanh(x @ w)
    return np.mean((hidden @ v - np.max(hidden, axis=1)) ** 2)


def test_backward_computes_nothing_and_the_forward_part_is_computed_once():
    rng = np.random.default_rng(0)
    values, first, second = rng.normal(size=(8, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    x = Counted(values, (2, 3))
    w, v = Tensor(chunked(first, 2)), Tensor(chunked(second, ONE_CHUNK))
    with lazily():
        loss = network(x.array, w, v)
        loss.backward()
    assert x.reads == 0
    found = dask.compute(loss.data, w.grad, v.grad, scheduler="sync")
    assert x.reads == 4  # four parts, each once
    expected, gradients = autodiff.value_and_grad(lambda w, v: network(values, w, v), (0, 1))(first, second)
    for one, two in zip(found, (expected, *gradients), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_the_part_of_the_loss_is_computed_once_for_loss_and_gradient():
    """Not only the data: what the forward pass makes of it is shared with the backward pass."""
    x = Counted(np.arange(6.0), 2)
    t = Tensor(chunked(np.ones(6), 2))
    exponentials = []

    def exp(part):
        exponentials.append(part.shape)
        return np.exp(part)

    def slow(a):
        return da.map_blocks(exp, a, dtype=float, meta=np.zeros(0))

    recorded = autodiff.primitive(lambda g, y: g * y)(slow)
    with lazily():
        loss = np.sum(recorded(x.array * t))
        loss.backward()
    dask.compute(loss.data, t.grad, scheduler="sync")
    assert (len(exponentials), x.reads) == (3, 3)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_cotangents_of_both_kinds_meet_in_one_variable(order):
    """Of results that are NumPy's and results that are Dask's, in any order, from slices and from whole arrays."""
    weights = np.arange(4.0)
    parts = [lambda w: np.sum(w[:2] * 3.0), lambda w: np.sum(w * w), lambda w: np.sum(w * chunked(weights, 2) * w)]
    twice = [parts[i] for i in (*order, *order)]
    results, pull = autodiff.vjp(lambda w: tuple(part(w) for part in twice), weights)
    (found,) = pull(tuple(np.ones_like(result) for result in results))
    expected = 2.0 * (3.0 * (weights < 2.0) + 2.0 * weights + 2.0 * weights * weights)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12)


@pytest.mark.parametrize("index", [[0, 2, 2], [True, False, True, True]])
def test_an_ndarray_that_is_read_at_the_positions_of_a_dask_array(index):
    index = np.array(index)
    found = autodiff.grad(lambda w: np.sum(w[da.from_array(index)] ** 2))(np.arange(4.0))
    np.testing.assert_array_equal(found, autodiff.grad(lambda w: np.sum(w[index] ** 2))(np.arange(4.0)))


def test_a_gradient_of_a_gradient_computes_nothing_and_holds_ndarrays():
    """No array of the engine's own, that knows which zeros a selection left, gets into a graph of Dask's."""
    x, x_is_odd = np.array([-1.0, 0.5, 2.0]), np.array([True, False, False])

    def loss(x):
        chosen = np.where(x > 0, x, 0.0) + x * x_is_odd
        return np.sum(chosen**3 + np.abs(x) ** 2) + np.max(x)

    with lazily():
        found = autodiff.grad(lambda x: np.sum(autodiff.grad(loss)(x) ** 2))(chunked(x, 2))
    values = found.compute(scheduler="sync")
    assert type(values) is np.ndarray
    np.testing.assert_allclose(values, autodiff.grad(lambda x: np.sum(autodiff.grad(loss)(x) ** 2))(x), rtol=1e-12)


def test_halves_are_added_in_single_precision():
    """NumPy's running sum of ones in half precision stays at 2,048."""
    values = np.random.default_rng(0).uniform(0.5, 1.5, (3000, 2)).astype(np.float16)
    expected = np.sum(values, axis=0, dtype=np.float32).astype(np.float16)
    index = np.zeros(3000, int)
    for f in (lambda b: np.sum(chunked(values, 3000) * b), lambda b: np.sum(np.reshape(b, (1, 2))[index] * values)):
        b = Tensor(chunked(np.ones(2, np.float16), ONE_CHUNK))
        f(b).backward()
        np.testing.assert_array_equal(b.grad.compute(scheduler="sync"), expected)


def test_training_with_dask_is_training_with_numpy():
    rng = np.random.default_rng(1)
    values, start, end = rng.normal(size=(6, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)

    def train(of, settle):
        w, v = Tensor(of(start)), Tensor(of(end))
        for _ in range(3):
            network(of(values), w, v).backward()
            for t in (w, v):
                t.data = settle(t.data - 0.1 * t.grad)
                t.grad = None
        return np.asarray(w.data), np.asarray(v.data)

    ours = train(lambda a: chunked(a, SEVERAL_CHUNKS), lambda a: a.persist(scheduler="sync"))
    for one, two in zip(ours, train(np.asarray, np.asarray), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_a_batch_of_labels_may_be_dasks_too():
    logits, labels = np.arange(12.0).reshape(4, 3) % 5, np.array([0, 2, 1, 1])
    t = Tensor(chunked(logits, 2))
    with lazily():
        autodiff.softmax_cross_entropy(t, chunked(labels, 2), mean=True).backward()
    expected = autodiff.grad(lambda x: autodiff.softmax_cross_entropy(x, labels, mean=True))(logits)
    np.testing.assert_allclose(t.grad.compute(scheduler="sync"), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda t: t.item(), 2.0),
        (lambda t: t.tolist(), 2.0),
        (lambda t: f"{t:.2f}", "2.00"),
        (bool, True),
        (lambda t: 2.0 in t, True),
    ],
)
def test_who_asks_for_a_value_gets_it(ask, answer):
    assert ask(np.sum(Tensor(chunked(np.ones(2), 1)))) == answer


def test_looking_at_a_tensor_computes_nothing():
    t = Tensor(chunked(np.ones((2, 3)), 1))
    with lazily():
        assert "dask.array" in repr(t * 2.0)
        assert (np.size(t), np.shape(t), t.ndim, len(t)) == (6, (2, 3), 2, 2)
