"""Recording and not recording: nested, decorated, in generators and coroutines, and in several threads at once."""

import asyncio
import threading

import numpy as np
import pytest

import autodiff
from autodiff import GraphError, Tensor, no_grad


def records():
    return (Tensor(2.0) * 2.0)._node.active


def test_no_grad_records_nothing_and_leaves_again():
    x = Tensor(2.0)
    with no_grad():
        y = x * x
        with no_grad():
            pass
        z = x * x
    assert not y._node.active
    assert not z._node.active
    assert (x * x)._node.active
    with pytest.raises(GraphError, match="no variable"):
        y.backward()


def test_no_grad_is_a_decorator_and_survives_an_exception():
    @no_grad()
    def f(x):
        if x is None:
            raise KeyError
        return x * x

    x = Tensor(2.0)
    with pytest.raises(KeyError):
        f(None)
    assert not f(x)._node.active
    assert (x * x)._node.active


def test_threads_do_not_see_each_others_mode():
    x = Tensor(2.0)
    inside, done = threading.Event(), threading.Event()
    seen = []

    def without():
        with no_grad():
            inside.set()
            done.wait(10)
            seen.append((x * x)._node.active)

    thread = threading.Thread(target=without)
    thread.start()
    inside.wait(10)
    assert (x * x)._node.active
    done.set()
    thread.join()
    assert seen == [False]


def test_two_threads_run_backward_through_one_graph():
    x = Tensor(np.ones(50))
    shared = np.exp(x)
    tails = [np.sum(shared * float(k)) for k in range(1, 5)]
    found = {}

    def work(k):
        found[k] = autodiff.backpropagation.backward({tails[k]._node: np.float64(1.0)}, retain=True)[x._node]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_array_equal(found[k], np.exp(np.ones(50)) * (k + 1))


def test_one_no_grad_serves_several_threads():
    mode, seen = no_grad(), []
    barrier = threading.Barrier(2)

    def work():
        for _ in range(50):
            barrier.wait(10)
            with mode:
                barrier.wait(10)
                seen.append(records())
            seen.append(not records())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 200
    assert not any(seen)


def test_suspended_generators_may_be_closed_in_any_order():
    def suspended():
        with no_grad():
            yield
            yield

    first, second = suspended(), suspended()
    next(first)
    next(second)
    first.close()
    second.close()
    assert records()


def test_a_decorated_generator_is_not_recorded_and_its_caller_is():
    @no_grad()
    def steps():
        given = yield records()
        try:
            yield given, records()
        except KeyError:
            yield "caught", records()
        return "the end", records()

    running = steps()
    assert next(running) is False
    assert records()
    assert running.send("value") == ("value", False)
    assert running.throw(KeyError()) == ("caught", False)
    assert records()
    with pytest.raises(StopIteration) as caught:
        next(running)
    assert caught.value.value == ("the end", False)
    closed = steps()
    next(closed)
    closed.close()
    assert records()


def test_a_decorated_coroutine_is_not_recorded_and_its_neighbours_are():
    @no_grad()
    async def without():
        await asyncio.sleep(0.001)
        return records()

    async def within():
        await asyncio.sleep(0.001)
        return records()

    async def both():
        return await asyncio.gather(without(), within(), without())

    assert asyncio.run(both()) == [False, True, False]


def test_an_asynchronous_generator_is_refused():
    with pytest.raises(TypeError, match=r"no_grad: stream is an asynchronous generator.*'with no_grad\(\):' inside it"):

        @no_grad()
        async def stream():
            yield 1


def test_it_decorates_without_brackets():
    @no_grad
    def doubled(x):
        """Twice x."""
        return x * 2

    assert not doubled(Tensor(1.0))._node.active
    assert doubled.__doc__ == "Twice x."
    assert records()
