"""Ctrl-C, or another exception, in the middle of a recorded step: a step is made as a whole, or not at all."""

import functools
import sys

import numpy as np
import pytest

import nn
from autodiff import Tensor, capture, jit
from autodiff.program.recorded import Recorded
from tests.interruption import interrupted_at

X, Y = np.ones((5, 3), np.float32), np.zeros((5, 1), np.float32)


def trainer(optimizer="Adam", width=2, **options):
    model = nn.Sequential(nn.Linear(3, width, rng=0), nn.Dropout(0.2, rng=3), nn.Linear(width, 1, rng=1))
    chosen = getattr(nn.optim, optimizer)(model.parameters(), lr=0.1, **options)

    def step(x, y):
        chosen.zero_grad()
        loss = nn.mse_loss(model(x), y)
        loss.backward()
        chosen.step()
        return loss.data

    def state():
        numbers = [{k: v.tobytes() if hasattr(v, "tobytes") else v for k, v in s.items()} for s in chosen.state]
        return [p.data.tobytes() for p in model.parameters()], numbers

    return step, state, model


def states_of(calls, **options):
    """The states after so many calls, and after one more."""
    step, state, _ = trainer(**options)
    found = []
    for _ in range(calls + 1):
        found.append(state())
        step(X, Y)
    return found[calls], state()


def lines_of(act):
    """How many lines of Python an act has."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def points(act, number):
    """Some lines of an act, evenly apart."""
    total = lines_of(act)
    return sorted({(2 * i + 1) * total // (2 * number) for i in range(number)})


# calls before: then it is recorded for the second time, recorded for an audit, made again, and audited in a rehearsal
@pytest.mark.parametrize(("calls", "number"), [(0, 7), (1, 7), (5, 20), (7, 5)])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_a_step_is_whole(calls, number, optimizer):
    before, after = states_of(calls, optimizer=optimizer)

    def prepared():
        step, state, model = trainer(optimizer)
        function = jit(step)
        for _ in range(calls):
            function(X, Y)
        return function, state, model

    function, state, model = prepared()
    hit = 0
    for line in points(functools.partial(function, X, Y), number):
        function, state, model = prepared()
        hit += interrupted_at(line, functools.partial(function, X, Y))
        assert state() in (before, after)
        assert not any(type(p.data) is Recorded for p in model.parameters())
        function(X, Y)  # nothing is in the way
    assert hit > number // 2


def test_rows_after_rows_are_finished():
    """Large arrays are changed in a loop over their rows."""
    w, m = Tensor(np.ones((8192, 64))), np.zeros((8192, 64))
    expected = np.ones((8192, 64))

    def f(x):
        m[...] = m * 0.5 + x
        w.data -= 0.1 * m
        w.data *= 0.5

    program = capture(f, 1.0)
    w.data[...], m[...] = 1.0, 0.0
    before = w.data.copy(), m.copy()
    f(1.0)
    expected = w.data.copy(), m.copy()
    program(1.0)
    assert "    for " in program._replay._straight.text
    seen = 0
    for line in points(lambda: program(1.0), 60):
        w.data[...], m[...] = before
        interrupted_at(line, lambda: program(1.0))
        done = [
            (np.array_equal(a, b), np.array_equal(a, c)) for a, b, c in zip((w.data, m), before, expected, strict=True)
        ]
        assert all(one for one, _ in done) or all(other for _, other in done)
        seen += all(other for _, other in done)
    assert seen > 3


def test_an_error_of_floating_point_comes_after_the_step():
    def make():
        w = Tensor(np.array([1e308, 1.0]))
        optimizer = nn.optim.SGD([w], lr=1.0)

        def step(x):
            optimizer.zero_grad()
            np.sum(w * x).backward()
            optimizer.step()

        return step, w

    (step, w), (twin, other) = make(), make()
    function = jit(step)
    for call in range(6):
        x = np.array([-1e308 if call == 5 else 0.0, 1.0])
        for run in (function, twin):
            with np.errstate(over="raise"):
                if call == 5:
                    with pytest.raises(FloatingPointError):
                        run(x)
                else:
                    run(x)
        assert w.data.tobytes() == other.data.tobytes()


def test_a_capture_that_is_interrupted_leaves_all_as_it_was():
    before, _ = states_of(1)
    step, _, _ = trainer()
    step(X, Y)
    for line in points(functools.partial(capture, step, X, Y), 9):
        step, state, model = trainer()
        step(X, Y)
        if interrupted_at(line, functools.partial(capture, step, X, Y)):
            assert state() == before
        assert not any(type(p.data) is Recorded or type(p.grad) is Recorded for p in model.parameters())
