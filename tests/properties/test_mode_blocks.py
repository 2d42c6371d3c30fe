"""Modes are on inside of their block and nowhere else, wherever Ctrl-C interrupts their being turned on and off."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack

import numpy as np
import pytest

from autodiff import Tensor, no_grad
from autodiff import mode as block
from autodiff.mode import _state
from autodiff.testing.rounding.monte_carlo import _Moving
from tests.modes import MAKERS, Seen

MODES = {
    **MAKERS,
    Seen: Seen,
    _Moving: lambda: _Moving(1e-3, np.random.default_rng(0), None),  # one that changes what is computed
}
EVERY_MODE = pytest.mark.parametrize("make", MODES.values(), ids=[kind.__name__ for kind in MODES])
X = Tensor(np.array([0.5, 1.0]))


def interrupted(function, number):
    """Call it, with a KeyboardInterrupt at event ``number`` in the code of modes; how many events there were."""
    count = 0

    def look(frame, event, argument):
        nonlocal count
        if frame.f_code.co_filename != block.__file__:
            return None
        frame.f_trace_opcodes = True
        count += 1
        if count == number:
            raise KeyboardInterrupt
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


@EVERY_MODE
def test_an_interrupt_anywhere_leaves_no_mode_on(make):
    mode = make()

    def use():
        with mode:
            np.sin(X)

    events = interrupted(use, 0)
    assert events > 50
    for number in range(1, events + 1):
        before = _state.get()
        with pytest.raises(KeyboardInterrupt) as caught:  # as a shell does, it keeps the traceback
            interrupted(use, number)
        assert np.array_equal(np.sin(X)._value, np.sin(X._value)), number  # nothing is moved
        assert _state.get() is before, number
        del caught


@EVERY_MODE
@pytest.mark.parametrize("outside", [Seen, lambda: ExitStack()], ids=["inside of another", "inside of none"])
def test_the_mode_around_goes_on(make, outside):
    mode, around = make(), outside()

    def use():
        with mode:
            np.sin(X)

    events = interrupted(use, 0)
    with around:
        for number in range(1, events + 1):
            with pytest.raises(KeyboardInterrupt):
                interrupted(use, number)
            np.cos(X)
            if isinstance(around, Seen):
                around.names.clear()
                np.cos(X)
                assert around.names == ["cos"], number
    assert _state.get() is None


def test_what_was_interrupted_sees_nothing_more():
    seen = Seen()

    def use():
        with seen:
            np.sin(X)

    for number in range(1, interrupted(use, 0) + 1):
        with pytest.raises(KeyboardInterrupt):
            interrupted(use, number)
        seen.names.clear()
        np.cos(X)
        np.sum(X * X).backward()
        assert seen.names == [], number


def test_blocks_nest_in_any_way():
    seen, other = Seen(), Seen()
    with seen:
        np.sin(X)
        with other, seen:
            np.cos(X)
            with no_grad():
                np.exp(X)
        np.tan(X)
    np.exp(X)
    assert seen.names == ["sin", "cos", "cos", "tan"]
    assert other.names == ["cos"]


def test_entered_by_hand_and_by_an_exit_stack():
    seen = Seen()
    seen.__enter__()
    np.sin(X)
    seen.__exit__(None, None, None)
    np.cos(X)
    with ExitStack() as stack:
        assert stack.enter_context(seen) is seen
        np.tan(X)
    np.cos(X)
    assert seen.names == ["sin", "tan"]
    assert _state.get() is None


def test_threads_share_a_mode():
    seen = Seen()
    entered, done = threading.Event(), threading.Event()

    def work():
        with seen:
            np.sin(X)
            entered.set()
            done.wait(10)
            np.sin(X)
        np.sin(X)

    thread = threading.Thread(target=work)
    thread.start()
    assert entered.wait(10)
    np.exp(X)
    with seen:
        np.cos(X)
    done.set()
    thread.join()
    np.exp(X)
    assert sorted(seen.names) == ["cos", "sin", "sin"]


def test_a_mode_says_whether_it_records():
    seen = Seen()
    with seen:
        assert _state.get().is_recording
    with no_grad(), seen:
        mode = _state.get()
        assert not mode.is_recording
        assert mode.recorded().is_recording
        assert mode.recorded().names is seen.names
        assert not np.sin(X)._node.active
