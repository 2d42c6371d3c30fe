"""A program beside its function: the same results, arguments and state after each call, to the last bit."""

import copy

import numpy as np

from autodiff import Tensor, capture
from autodiff.program.recorded import Recorded


def leaves(value):
    """All that is in a nesting, with the values of variables."""
    if isinstance(value, Tensor):
        return [np.asarray(value.data)[()]]
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in [key, *leaves(part)]]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def assert_same(one, other):
    """The same kinds, shapes, dtypes and bits."""
    ones, others = leaves(one), leaves(other)
    assert len(ones) == len(others)
    for a, b in zip(ones, others, strict=True):
        assert type(a) is not Recorded
        assert type(b) is not Recorded
        assert type(a) is type(b)
        if isinstance(a, np.random.Generator):
            a, b = a.bit_generator.state, b.bit_generator.state
        if isinstance(a, np.ndarray | np.generic | float | complex):
            a, b = np.asarray(a), np.asarray(b)
            assert (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
        else:
            assert a == b


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def agree(make, calls, change=lambda state, call: None):
    """Call the function and a program of it, each with a state of its own; ``make()`` is the function and its state.

    ``change(state, call)`` is what somebody else does to the state before a call.
    """
    function, state = make()
    twin, beside = make()
    first, *others = calls
    one, two = copy.deepcopy(first), copy.deepcopy(first)
    function(*one)
    program = capture(twin, *two)
    assert_same((one, state()), (two, beside()))
    kept = []
    for number, call in enumerate(others):
        change(state(), number)
        change(beside(), number)
        one, two = copy.deepcopy(call), copy.deepcopy(call)
        expected, got = function(*one), program(*two)
        assert_same(expected, got)
        assert_same((one, state()), (two, beside()))
        kept.append((got, copy.deepcopy(got), expected))
    return kept
