"""What checkpoint saves and what it costs: a deep chain of layers, plain and checkpointed, with one gradient each."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import Tensor, checkpoint

from .measuring import Table, number, print_tables, take_turns

DEPTH = 36
Step = Callable[[], Any]


def layers(kind: str) -> tuple[Callable[[Any, Any], Any], list[Any], Any]:
    """One layer as a function of its parameter and input, the parameters, and the input."""
    rng = np.random.default_rng(0)
    if kind == "matrices":
        width, batch = 256, 2048
        weights = [Tensor((rng.normal(size=(width, width)) / width**0.5).astype(np.float32)) for _ in range(DEPTH)]
        return (lambda w, x: np.tanh(x @ w)), weights, rng.normal(size=(batch, width)).astype(np.float32)
    scales = [Tensor(np.float32(0.1)) for _ in range(DEPTH)]
    return (
        (lambda w, x: x + w * np.sin(np.exp(-x * x) * np.tanh(x))),
        scales,
        rng.normal(size=(512, 512)).astype(np.float32),
    )


def step(kind: str, every: int) -> Step:
    """One forward and backward pass, with a checkpoint around each ``every`` layers (0: none)."""
    layer, parameters, x = layers(kind)

    def block(x: Any, start: int, stop: int) -> Any:
        for w in parameters[start:stop]:
            x = layer(w, x)
        return x

    part = checkpoint(block) if every else block

    def run() -> Any:
        y: Any = x
        for start in range(0, DEPTH, every or DEPTH):
            y = part(y, start, start + (every or DEPTH))
        np.sum(y * y).backward()
        gradients = [w.grad for w in parameters]
        for w in parameters:
            w.grad = None
        return gradients

    return run


def peak(run: Step) -> float:
    """The most that a pass holds at once, in MiB, beyond what there was before."""
    run()
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def tables() -> list[Table]:
    """One table for layers that multiply matrices, one for layers that are cheap to compute."""
    warnings.simplefilter("ignore")
    result = []
    kinds = {"matrices": "tanh(x W), 2,048 x 256", "elementwise": "x + w sin(exp(-x²) tanh(x)), 512 x 512"}
    for kind, words in kinds.items():
        steps = {
            "plain": step(kind, 0),
            "every layer": step(kind, 1),
            "every 6 layers": step(kind, 6),
            "every 12 layers": step(kind, 12),
        }
        expected = steps["plain"]()
        for name, run in steps.items():
            for one, two in zip(run(), expected, strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4 * np.max(np.abs(two)), err_msg=name)
        memory = {name: peak(run) for name, run in steps.items()}
        timings = take_turns(steps, rounds=3)
        rows = [
            [
                name,
                number(memory[name]),
                f"{memory[name] / memory['plain']:.2g}",
                number(timings[name].best * 1e3),
                f"{timings[name].best / timings['plain'].best:.3g}",
            ]
            for name in steps
        ]
        about = (
            "Peak of one forward and backward pass in MiB, gradients included (tracemalloc); milliseconds, best of the "
            "rounds; float32. A layer that keeps one array anyway gains little from a checkpoint of its own."
        )
        columns = ["checkpoint around", "MiB", "of plain", "ms", "times plain"]
        result.append(Table(f"{DEPTH} layers {words}", about, columns, rows))
    return result


if __name__ == "__main__":
    print_tables(tables)
