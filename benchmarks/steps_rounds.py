"""The rounds of every library on one network, in a process of its own: ``python -m benchmarks.steps_rounds 0``.

Prints JSON: by library, microseconds of the best round and of the round in the middle, and milliseconds until the
third step is done, compilation and all.  BENCHMARK_THREADS says how many threads all of them have.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

from .measuring import PEERS, installed, take_turns
from .networks import LIBRARIES, PROBLEMS, Problem, Products, assert_equal_steps

ONLY_DESCENT = ("autograd", "MyGrad")
"""Libraries without an optimizer."""
PRODUCTS = "products alone"


def available(problem: Problem) -> list[str]:
    """The libraries that are installed here and can make the step."""
    peers = {name: "PyTorch" if name == "torch.compile" else name for name in LIBRARIES}
    names = [name for name, peer in peers.items() if peer not in PEERS or installed(peer)]
    return [name for name in names if problem.optimizer == "SGD" or name not in ONLY_DESCENT]


def prepared(problem: Problem) -> tuple[dict[str, Any], dict[str, float]]:
    """The contestants, and how long each takes to be made and to make its first step, in milliseconds."""
    contestants, took = {}, {}
    for name in available(problem):
        start = time.perf_counter()
        contestant = contestants[name] = LIBRARIES[name](problem)
        took[name] = 1e3 * (time.perf_counter() - start)

        def first(name: str = name, contestant: Any = contestant) -> Any:
            del contestant.step  # this function, so that the class's own comes next
            start = time.perf_counter()
            loss = contestant.step()
            took[name] += 1e3 * (time.perf_counter() - start)
            return loss

        contestant.step = first
    return contestants, took


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    problem = PROBLEMS[int(sys.argv[1])]
    contestants, took = prepared(problem)
    assert_equal_steps(problem, contestants)
    for name, contestant in contestants.items():
        start = time.perf_counter()
        for _ in range(2):  # a program is compiled when it is used again; the first step makes Adam's state
            contestant.step()
        took[name] += 1e3 * (time.perf_counter() - start)
    steps = {name: contestant.step for name, contestant in contestants.items()}
    long = problem.sizes[0] * problem.batch > 500_000
    rounds, seconds = (10, 0.1) if long else (200, 0.005)
    timings = take_turns({PRODUCTS: Products(problem).step, **steps}, rounds=rounds, seconds=seconds)
    print(json.dumps({n: [t.best * 1e6, t.median * 1e6, took.get(n, 0.0)] for n, t in timings.items()}))


if __name__ == "__main__":
    main()
