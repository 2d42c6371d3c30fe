"""What surely shares no memory: where it says so of a call, no result lies in the memory of an operand."""

import operator

import numpy as np
import pytest

from autodiff import capture
from autodiff.program.instruction import Method
from autodiff.program.passes.memory import is_fresh

FRESH = [
    *[lambda x, f=f: f(x) for f in (np.exp, np.positive, np.conjugate, operator.pos, operator.neg, abs)],
    *[lambda x, f=f: f(x, x) for f in (np.add, operator.matmul, operator.pow, np.dot, np.vdot, np.linalg.solve)],
    *[lambda x, f=f: f(x) for f in (np.zeros_like, np.ones_like, np.linalg.inv, np.linalg.cholesky)],
    *[lambda x, f=f: f(x, axis=()) for f in (np.sum, np.max, np.min, np.prod, np.mean)],
    *[lambda x, f=f: f(x, axis=()) for f in (np.add.reduce, np.maximum.reduce, np.logical_or.reduce)],
    *[lambda x, name=name: Method(name)(x) for name in ("copy", "flatten", "cumsum", "argmax")],
    *[lambda x, name=name: Method(name)(x, axis=()) for name in ("sum", "mean", "prod", "max", "min", "any", "all")],
    lambda x: np.add.accumulate(x), lambda x: np.multiply.outer(x, x), lambda x: np.where(x > 0, x, x),
    lambda x: np.concatenate([x]), lambda x: np.stack([x]), lambda x: np.add(x, x, dtype=float),
    lambda x: np.einsum("ij,jk->ik", x, x),
]  # fmt: skip
OTHERS = [
    lambda x: x.T, lambda x: x[:1], lambda x: np.einsum("ij->ji", x), lambda x: np.broadcast_to(x, (2, *x.shape)),
    lambda x: np.real(x)[None], lambda x: np.diagonal(x), lambda x: x.view(), lambda x: np.split(x, 1)[0],
]  # fmt: skip
LAYOUTS = [np.eye(2), np.eye(2)[::-1, ::-1], np.asfortranarray(np.eye(2)), np.ones((1, 1))]


def calls_of(function):
    """The calls of a program, and whether the result of the function itself shares memory, for each layout."""
    for x in LAYOUTS:
        yield capture(function, x).instructions[-1], np.may_share_memory(function(x), x)


@pytest.mark.parametrize("function", FRESH)
def test_what_is_fresh_shares_no_memory(function):
    assert [(is_fresh(call), shares) for call, shares in calls_of(function)] == [(True, False)] * len(LAYOUTS)


@pytest.mark.parametrize("function", OTHERS)
def test_what_may_be_a_view_is_not_fresh(function):
    assert [(is_fresh(call), shares) for call, shares in calls_of(function)] == [(False, True)] * len(LAYOUTS)
