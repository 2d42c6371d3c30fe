"""Batches: what is computed together, and what each request gets."""

import asyncio
import threading

import numpy as np
import pytest

from nn.cli.serving.batching import Batches
from nn.cli.serving.measures import Measures


class Model:
    """Doubles, and notes how many examples came together; with ``held`` it waits for leave."""

    def __init__(self, held=False):
        self.sizes = []
        self.leave = threading.Event()
        if not held:
            self.leave.set()

    def __call__(self, x):
        self.sizes.append(len(x))
        assert self.leave.wait(10)
        if (x < 0).any():
            raise ArithmeticError("negative")
        return 2 * x


def batches(model, most=64, wait=30.0):
    return Batches(model, most=most, wait=wait, measures=Measures())


def answered(model, inputs, **options):
    async def scenario():
        async with batches(model, **options) as found:
            return await asyncio.gather(*(found.outputs(x) for x in inputs), return_exceptions=True)

    return asyncio.run(scenario())


def examples(*sizes):
    return [np.arange(n, dtype=float)[:, None] + 10 * i for i, n in enumerate(sizes)]


def test_requests_of_one_window_are_one_pass():
    model, inputs = Model(), examples(1, 2, 1)
    for x, y in zip(inputs, answered(model, inputs, most=4), strict=True):
        assert y.tolist() == (2 * x).tolist()
    assert model.sizes == [4]  # and none of the 30 seconds was waited


def test_a_window_ends():
    model = Model()
    assert answered(model, examples(1, 1), wait=0.001)[1].tolist() == [[20.0]]
    assert model.sizes == [2]


def test_requests_are_not_divided():
    model = Model()
    found = answered(model, examples(3, 3, 9, 1), most=4, wait=0.0)
    assert [len(y) for y in found] == [3, 3, 9, 1]
    assert model.sizes == [3, 3, 9, 1]


def test_each_by_itself():
    model = Model()
    answered(model, examples(1, 1, 1), most=1)
    assert model.sizes == [1, 1, 1]


def test_what_comes_during_a_pass_is_the_next_one():
    model = Model(held=True)

    async def scenario():
        async with batches(model, wait=0.0) as found:
            first = asyncio.create_task(found.outputs(np.ones((1, 1))))
            while not model.sizes:
                await asyncio.sleep(0.001)
            others = [asyncio.create_task(found.outputs(np.ones((1, 1)))) for _ in range(5)]
            await asyncio.sleep(0)
            model.leave.set()
            await asyncio.gather(first, *others)

    asyncio.run(scenario())
    assert model.sizes == [1, 5]


def test_shapes_are_not_mixed():
    model = Model()
    found = answered(model, [np.ones((1, 2)), np.ones((2, 3)), np.ones((1, 3), np.float32)], wait=0.0)
    assert [y.shape for y in found] == [(1, 2), (2, 3), (1, 3)]
    assert [y.dtype for y in found] == [float, float, np.float32]
    assert model.sizes == [1, 2, 1]


def test_a_failing_pass_fails_its_requests_alone():
    model = Model()
    found = answered(model, [np.ones((1, 1)), -np.ones((1, 2)), np.ones((1, 3))], wait=0.0)
    assert isinstance(found[1], ArithmeticError)
    assert found[0].tolist() == [[2.0]]
    assert found[2].tolist() == [[2.0, 2.0, 2.0]]


def test_whoever_goes_away_leaves_the_others_their_answers():
    model = Model(held=True)

    async def scenario():
        async with batches(model, wait=0.0) as found:
            tasks = [asyncio.create_task(found.outputs(x)) for x in examples(1, 1, 1)]
            while not model.sizes:
                await asyncio.sleep(0.001)
            tasks[1].cancel()
            model.leave.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(scenario())
    assert isinstance(found[1], asyncio.CancelledError)
    assert found[2].tolist() == [[40.0]]


def test_the_end_answers_what_waits():
    model = Model()

    async def scenario():
        async with batches(model) as found:
            tasks = [asyncio.create_task(found.outputs(x)) for x in examples(1, 2)]
            await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="after the end"):
            await found.outputs(np.ones((1, 1)))
        return [task.result() for task in tasks]

    assert [len(y) for y in asyncio.run(scenario())] == [1, 2]
    assert model.sizes == [3]
