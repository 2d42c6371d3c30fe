"""Ctrl-C anywhere in a transform, a mode, a picture or a checkpoint leaves nothing on."""

from __future__ import annotations

import contextvars
import sys

import numpy as np
import pytest

from autodiff import Tensor, checkpoint, grad, hvp, jacobian, jvp, no_grad, vjp, vmap
from autodiff.draw import draw
from autodiff.mode import _state, current, entered
from autodiff.structural import is_tracking, tracking
from autodiff.testing import detect_anomaly, record
from autodiff.transforms.calling import now, recording
from tests.modes import Seen

# what runs when something dies (a generator, an entry of a weak dictionary) raises to nobody
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
X = np.array([0.5, 1.25])


def interrupted(act, number):
    """Raise KeyboardInterrupt at the number-th place where the interpreter looks for signals; how many there were.

    It looks at the beginning of each function, and after each call of a function that is written in C.
    """
    count = 0

    def look(frame, event, argument):
        nonlocal count
        if event in ("call", "c_return"):
            count += 1
            if count == number:
                sys.setprofile(None)
                raise KeyboardInterrupt

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def block(make):
    def use():
        with make():
            np.sin(Tensor(X))

    return use


def smooth(x):
    return np.sum(np.sin(x) * x)


def kinked(x):
    """Its gradient is made twice: a NaN is looked at with zeros that know where they come from."""
    return np.sum(np.where(x > 1.0, np.sqrt(x - 0.5), 0.0))


ACTS = {
    "no_grad": block(no_grad),
    "record": block(record),
    "detect_anomaly": block(detect_anomaly),
    "recording in no_grad": lambda: no_grad()(lambda: block(recording)())(),
    "tracking": block(tracking),
    "entered": block(lambda: entered(Seen())),
    "grad": lambda: grad(smooth)(X),
    "grad, twice": lambda: grad(kinked)(X),
    "grad of grad": lambda: grad(lambda x: np.sum(grad(smooth)(x)))(X),
    "grad in no_grad": lambda: no_grad()(lambda: grad(smooth)(X))(),
    "vjp": lambda: vjp(np.sin, X)[1](X),
    "jvp": lambda: jvp(np.sin, (X,), (X,)),
    "hvp": lambda: hvp(smooth, (X,), (X,)),
    "jacobian": lambda: jacobian(np.sin)(X),
    "vmap": lambda: vmap(lambda z: np.sin(z) * z)(X),
    "vmap of grad": lambda: vmap(grad(lambda z: np.sin(z) * z))(X),
    "checkpoint": lambda: grad(checkpoint(smooth))(X),
    "no_grad in vmap": lambda: vmap(no_grad(lambda z: np.sin(z) * z))(X),
    "record in grad": lambda: grad(lambda x: record_of(smooth, x))(X),
    "draw": lambda: draw(smooth, X, values=True, gradients=True),
}
EVERY_ACT = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)


def record_of(f, x):
    with record():
        return f(x)


def interrupt_everywhere(act, check):
    """Interrupt it at every place, and check each time, while the traceback is kept as a shell keeps it."""
    act()
    act()  # what is only done once has been done
    events = contextvars.copy_context().run(interrupted, act, 0)
    assert events > 5
    step = 1 + events // 400

    def once(number):
        try:
            interrupted(act, number)
        except KeyboardInterrupt as error:
            check(number)
            return error
        return None

    for number in range(1, events + 1, step):
        contextvars.copy_context().run(once, number)  # NumPy's errstate, interrupted where it ends, would stay on


@EVERY_ACT
def test_nothing_is_left_on(act):
    def check(number):
        assert current() is None, number
        assert not is_tracking(), number
        assert now.get() == np.inf, number
        assert np.array_equal(grad(smooth)(X), np.sin(X) + X * np.cos(X)), number
        assert np.array_equal(vmap(np.sin)(X), np.sin(X)), number
        assert np.sin(Tensor(X))._node.active, number

    interrupt_everywhere(act, check)


@EVERY_ACT
def test_what_was_on_goes_on(act):
    seen = Seen()

    def check(number):
        seen.names.clear()
        assert np.cos(Tensor(X))._node.active, number
        assert seen.names == ["cos"], number

    with seen:
        interrupt_everywhere(act, check)
    assert _state.get() is None

    def check_no_grad(number):
        assert not np.cos(Tensor(X))._node.active, number

    with no_grad():
        interrupt_everywhere(act, check_no_grad)
    assert _state.get() is None
