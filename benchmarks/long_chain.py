"""A chain of 1,000,000 operations: forward, backward, and letting go of it, each library in its own process."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import THREADS
from .measuring import NOT_INSTALLED, Table, installed, number, print_tables
from .processes import ask, forget_peak, peak_resident, resident

LENGTH = 1_000_000
SECONDS = 300.0


def variables() -> dict[str, Callable[[], Any]]:
    """For each library, a function that imports it and makes a variable."""

    def pullback() -> Any:
        from autodiff import Tensor

        return Tensor(np.full(1, 0.5))

    def pytorch() -> Any:
        import torch

        torch.set_num_threads(THREADS)
        return torch.full((1,), 0.5, dtype=torch.float64, requires_grad=True)

    def my() -> Any:
        import mygrad

        return mygrad.tensor(np.full(1, 0.5))

    def micro() -> Any:
        from micrograd.engine import Value

        return Value(0.5)

    return {"pullback": pullback, "PyTorch": pytorch, "MyGrad": my, "micrograd": micro}


def chained(x: Any) -> Any:
    """Multiply by a constant, add a constant, ..."""
    for _ in range(LENGTH // 2):
        x = x * 1.000001
        x = x + 0.000001
    return x


def measure(name: str) -> dict[str, float]:
    """Seconds of each part and bytes at the peak, in this process."""
    warnings.simplefilter("ignore")
    if name == "autograd":
        return measure_autograd()
    (variables()[name]() * 2.0).backward()  # what a library sets up at its first use is not what is measured
    x = variables()[name]()
    forget_peak()
    before, start = resident(), time.perf_counter()
    y = chained(x)
    forward = time.perf_counter()
    y.backward()
    backward = time.perf_counter()
    peak = peak_resident() - before
    np.testing.assert_allclose(float(np.asarray(x.grad).item()), 1.000001 ** (LENGTH // 2), rtol=1e-9)
    let_go = time.perf_counter()
    del y
    freed = time.perf_counter()
    return {"forward": forward - start, "backward": backward - forward, "freeing": freed - let_go, "peak": peak}


def measure_autograd() -> dict[str, float]:
    """The same for a library that has no variables: the pullback function holds the graph."""
    import autograd
    import autograd.numpy as anp

    def f(x: Any) -> Any:
        return anp.sum(chained(x))

    autograd.grad(lambda x: anp.sum(x * 2.0))(np.full(1, 0.5))
    forget_peak()
    before, start = resident(), time.perf_counter()
    pull, _ = autograd.make_vjp(f)(np.full(1, 0.5))
    forward = time.perf_counter()
    gradient = pull(1.0)
    backward = time.perf_counter()
    peak = peak_resident() - before
    np.testing.assert_allclose(gradient, 1.000001 ** (LENGTH // 2), rtol=1e-9)
    let_go = time.perf_counter()
    del pull
    freed = time.perf_counter()
    return {"forward": forward - start, "backward": backward - forward, "freeing": freed - let_go, "peak": peak}


def tables() -> list[Table]:
    """One row a library."""
    rows = []
    for name in ("pullback", "PyTorch", "autograd", "MyGrad", "micrograd"):
        if name != "pullback" and not installed(name):
            rows.append([name, NOT_INSTALLED, "", "", ""])
            continue
        answer = ask("benchmarks.long_chain", name, limit=SECONDS)
        if "failed" in answer:
            rows.append([name, str(answer["failed"]), "", "", ""])
            continue
        times = [number(answer[part]) for part in ("forward", "backward", "freeing")]
        rows.append([name, *times, number(answer["peak"] / 2**20)])
    return [
        Table(
            f"A chain of {LENGTH:,} operations",
            "Multiplying by a constant and adding one, shape (1,), each library in a process of its own and with\n"
            "Python's own recursion limit. Seconds; the peak is the growth of the resident memory from before the\n"
            "forward pass to the end of the backward pass.",
            ["", "forward, s", "backward, s", "freeing, s", "peak, MiB"],
            rows,
        )
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        print_tables(tables)
