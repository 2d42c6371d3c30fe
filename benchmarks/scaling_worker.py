"""What each process of a scaling benchmark does: ``mpiexec -n 2 python -m benchmarks.scaling_worker steps 0``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import nn
from nn.training.shared import Shared

from .networks import PROBLEMS, Problem, Pullback
from .processes import forget_peak, peak_resident, resident
from .scaling_model import Link

Array = Any
BUDGET, ROUND, LEAST = 20.0, 0.004, 5
"""Seconds of a measurement, and of a round, many and short so that some are undisturbed; the least number of them."""
SIZES = (8, 1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 22)


class Counting:
    """A group that counts what it sums."""

    def __init__(self, group: Any) -> None:
        self.group, self.rank, self.size = group, group.rank, group.size
        self.sums, self.bytes = 0, 0

    def start(self, array: Array) -> Any:
        self.sums += 1
        self.bytes += array.nbytes
        return self.group.start(array)

    def total(self, array: Array) -> Array:
        self.sums += 1
        self.bytes += array.nbytes
        return self.group.total(array)

    def wait(self, request: Any) -> None:
        self.group.wait(request)


class Emulated:
    """A group whose sums come when a link would have brought them, without work for this processor.

    The numbers stay as they are: it is about time.  Without a link they come at once.
    """

    def __init__(self, rank: int, size: int, link: Link | None = None) -> None:
        self.rank, self.size, self.link = rank, size, link
        self.free = 0.0

    def start(self, array: Array) -> Any:
        if self.link is None:
            return SimpleNamespace(Test=lambda: True)
        end = self.free = max(self.free, time.perf_counter()) + self.link.allreduce(self.size, array.nbytes)
        return SimpleNamespace(Test=lambda: time.perf_counter() >= end)

    def total(self, array: Array) -> Array:
        self.wait(self.start(array))
        return array.copy()

    def wait(self, request: Any) -> None:
        while not request.Test():
            time.sleep(0)


class AtTheEnd(Shared):
    """The step that begins to communicate when the backward pass has ended."""

    def differentiate(self, x: Array, y: Array, counted: int, first: bool) -> Any:
        self._ready = None
        return super().differentiate(x, y, counted, first)


def made(problem: Problem, group: Any, kind: type[Shared] = Shared, *, recorded: bool = False) -> Callable[[], Any]:
    """A step of the network with the part of the batch that this process has."""
    net = Pullback(problem)
    part = slice(group.rank * problem.batch // group.size, (group.rank + 1) * problem.batch // group.size)
    x, y = net.x[part], net.labels[part]
    update = kind(group, "step", net.model, net.criterion, net.optimizer, None, None)
    step = update.recorded() if recorded else update
    return lambda: step(x, y, len(x))


def timed(
    group: Any, contestants: dict[str, Callable[[], Any]], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Seconds a step, the best of rounds in turn; of all processes that of the slowest."""
    until, calls, best = time.monotonic() + BUDGET, {}, dict.fromkeys(contestants, float("inf"))
    for name, call in contestants.items():
        for _ in range(8):  # what is recorded is compared with itself at first
            call()
        once = min(_once(group, call, 1, time.perf_counter) for _ in range(3))
        calls[name] = max(1, int(ROUND / max(once, 1e-6)))
    turn = 0
    while group.told(time.monotonic() < until) or turn < LEAST:
        turn += 1
        for name, call in contestants.items():
            best[name] = min(best[name], _once(group, call, calls[name], clock))
    return best


def _once(group: Any, call: Callable[[], Any], repeats: int, clock: Callable[[], float]) -> float:
    group.any(True)  # all begin together
    start = clock()
    for _ in range(repeats):
        call()
    return max(group.all((clock() - start) / repeats))


def steps(index: int) -> dict[str, Any]:
    """Times, messages and memory of a step of one network."""
    group, problem = nn.Processes(timeout=120), PROBLEMS[index]
    forget_peak()
    before = resident()
    counting = Counting(group)
    call = made(problem, counting)
    for _ in range(3):
        call()
    memory = max(group.all(peak_resident() - before))
    counting.sums = counting.bytes = 0
    call()
    found = {"memory": memory, "sums": counting.sums, "bytes": counting.bytes}
    contestants = {
        "compute": made(problem, Emulated(group.rank, group.size)),
        "overlapped": made(problem, group),
        "at the end": made(problem, group, AtTheEnd),
        "recorded": made(problem, group, recorded=True),
    }
    return found | timed(group, contestants)


def messages() -> dict[str, Any]:
    """Seconds of a sum of so many bytes."""
    group = nn.Processes(timeout=120)
    contestants = {str(size): _sum(group, size) for size in SIZES}
    return timed(group, contestants)


def _sum(group: Any, size: int) -> Callable[[], Any]:
    array = np.zeros(size // 8)
    return lambda: group.wait(group.start(array))


def emulated(index: int, size: int, latency: float, bandwidth: float) -> dict[str, Any]:
    """A step of one process whose sums take the time of a link: hidden behind the backward pass, or not."""
    group, link = nn.Processes(), Link(latency, bandwidth)
    whole = PROBLEMS[index]._replace(batch=128 * size)  # of which this process has 128 examples
    contestants = {
        "compute": made(whole, Emulated(0, size)),
        "overlapped": made(whole, Emulated(0, size, link)),
        "at the end": made(whole, Emulated(0, size, link), AtTheEnd),
    }
    return timed(group, contestants)


def ready(index: int) -> dict[str, Any]:
    """When each bucket of a step is known, as a share of the step, and its bytes; and the step by size of the batch."""
    group, problem = nn.Processes(), PROBLEMS[index]
    best: list[Any] = [float("inf"), []]
    call, watch = _watched(problem)
    for _ in range(100 if index < 3 else 20):
        start = time.process_time()
        call()
        total = time.process_time() - start
        found, watch[:] = [((moment - start) / total, size) for moment, size in watch], []
        best = min(best, [total, found], key=lambda one: one[0])
    batches = [problem.batch // 16, problem.batch // 4, problem.batch]
    sizes = {str(b): made(problem._replace(batch=b), Emulated(0, 1)) for b in batches if b}
    return {"buckets": best[1], "batches": timed(group, sizes, time.process_time)}


def _watched(problem: Problem) -> tuple[Callable[[], Any], list[tuple[float, int]]]:
    watch: list[tuple[float, int]] = []
    group = Emulated(0, 1)
    start = group.start

    def watched(array: Array) -> Any:
        if array.dtype != np.float64:  # a bucket
            watch.append((time.process_time(), array.nbytes))
        return start(array)

    group.start = watched  # type: ignore[method-assign]
    return made(problem, group), watch


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    answer = {"steps": steps, "messages": messages, "emulated": emulated, "ready": ready}[what](
        *[int(a) if a.isdigit() else float(a) for a in arguments]
    )
    if nn.Processes().leads:
        print(json.dumps(answer), flush=True)
