"""The memory that a training step needs, beside hand-written NumPy and the peers, each in its own process."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
import warnings
from typing import Any

from .measuring import NOT_INSTALLED, PEERS, Table, installed, number, print_tables
from .networks import LIBRARIES, PROBLEMS, Problem
from .processes import ask, forget_peak, peak_resident, resident

TRACED = ("NumPy by hand", "pullback", "autograd", "MyGrad")
"""The libraries whose arrays are NumPy's, which reports them to tracemalloc."""

STEPS = 3


def measure(name: str, problem: Problem) -> dict[str, float]:
    """Bytes at the peak of a few steps, beyond those held before them: resident, and traced."""
    warnings.simplefilter("ignore")
    make = LIBRARIES[name]
    make(Problem((2, 3, 2), problem.activation, 5)).step()  # thread pools, lazy imports: not the step's memory
    contestant = make(problem)
    gc.collect()
    forget_peak()
    before = resident()
    for _ in range(STEPS):
        contestant.step()
    answer: dict[str, float] = {"resident": peak_resident() - before}
    if name in TRACED:
        contestant = make(problem)
        gc.collect()
        tracemalloc.start()
        for _ in range(STEPS):
            contestant.step()
        answer["traced"] = tracemalloc.get_traced_memory()[1]
    return answer


def row(name: str, problem: Problem) -> list[str]:
    """One library on one network."""
    if name in PEERS and not installed(name):
        return [name, NOT_INSTALLED, ""]
    answer: dict[str, Any] = ask("benchmarks.memory", name, str(PROBLEMS.index(problem)))
    if "failed" in answer:
        return [name, str(answer["failed"]), ""]
    traced = number(answer["traced"] / 2**20) if "traced" in answer else "-"
    return [name, number(answer["resident"] / 2**20), traced]


def tables() -> list[Table]:
    """One table a network, for the two that are big enough to be seen."""
    result = []
    for problem in PROBLEMS[2:]:
        layers = problem.initial()
        parameters = sum(p.nbytes for layer in layers for p in layer) / 2**20
        activations = sum(problem.batch * bias.nbytes for _, bias in layers) / 2**20
        result.append(
            Table(
                f"Memory of a training step: {problem}",
                f"MiB at the peak of {STEPS} steps beyond what was held before the first (library, parameters, data):\n"
                f"of the process, and of NumPy's arrays as tracemalloc sees them. The gradients of the parameters are\n"
                f"{number(parameters)} MiB, the outputs of the layers {number(activations)} MiB.",
                ["", "resident, MiB", "traced, MiB"],
                [row(name, problem) for name in LIBRARIES],
            )
        )
    return result


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], PROBLEMS[int(sys.argv[2])])))
    else:
        print_tables(tables)
