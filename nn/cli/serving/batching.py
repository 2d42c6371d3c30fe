"""Requests that come within a few milliseconds go through the model together."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from .measures import Measures

Array = Any


class _Waiting(NamedTuple):
    """The inputs of a request, when they came, and where their outputs go."""

    inputs: Array
    since: float
    outputs: asyncio.Future[Array]


class Batches:
    """Calls ``predict`` with the inputs of several requests, joined along the first axis, in a thread of its own.

    A pass begins when ``most`` examples wait, or when the first of them has waited ``wait`` seconds; what comes during
    a pass belongs to the next one.  A request is never divided, and one with more than ``most`` examples has a pass
    of its own.  Inputs of different shapes or dtypes are not joined.

    Used as an asynchronous context; at its end, what waits is still answered.
    """

    def __init__(self, predict: Callable[[Array], Array], *, most: int, wait: float, measures: Measures) -> None:
        self.predict = predict
        self.most = most
        self.wait = wait
        self.measures = measures
        self._queue: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._ended = False

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, "forward")
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended = True
        self._news.set()
        await self._task
        self._thread.shutdown()

    async def outputs(self, inputs: Array) -> Array:
        """The outputs for these inputs, as soon as they are computed.  Raises what ``predict`` raises."""
        if self._ended:
            raise RuntimeError("serve: a request came after the end")
        future: asyncio.Future[Array] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(inputs, time.monotonic(), future))
        self._news.set()
        return await future

    async def _work(self) -> None:
        while True:
            if not self._queue:
                if self._ended:
                    return
                await self._heard(None)
                continue
            left = self._queue[0].since + self.wait - time.monotonic()
            if left > 0 and not self._ended and sum(len(one.inputs) for one in self._queue) < self.most:
                await self._heard(left)
                continue
            await self._pass(self._taken())

    async def _heard(self, seconds: float | None) -> None:
        """Wait for news, at most so long."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def _taken(self) -> list[_Waiting]:
        """The requests for the next pass: as many as fit, in their order."""
        first = self._queue.popleft()
        taken, examples = [first], len(first.inputs)
        while self._queue:
            other = self._queue[0].inputs
            examples += len(other)
            if examples > self.most or (other.shape[1:], other.dtype) != (first.inputs.shape[1:], first.inputs.dtype):
                break
            taken.append(self._queue.popleft())
        return taken

    async def _pass(self, requests: list[_Waiting]) -> None:
        """Compute the outputs of these requests, and hand each its own."""
        inputs = [one.inputs for one in requests]
        joined = inputs[0] if len(inputs) == 1 else np.concatenate(inputs)
        start = time.perf_counter()
        try:
            outputs = await asyncio.get_running_loop().run_in_executor(self._thread, self.predict, joined)
        except Exception as error:
            for one in requests:
                if not one.outputs.done():  # whoever waited may have gone
                    one.outputs.set_exception(error)
            return
        finally:
            self.measures.passed(len(joined), time.perf_counter() - start)
        at = 0
        for one in requests:
            after = at + len(one.inputs)
            if not one.outputs.done():
                one.outputs.set_result(outputs[at:after])
            at = after
