"""A recurrent network of 500 steps: a loop of Python, scan, both recorded, and JAX's scan, with one gradient each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import capture, grad, scan

from .measuring import NOT_INSTALLED, Table, installed, number, print_tables, take_turns

STEPS, BATCH, INPUTS, HIDDEN = 500, 32, 32, 64
Loss = Callable[..., Any]


def data() -> tuple[Any, ...]:
    """The parameters, and the inputs."""
    rng = np.random.default_rng(0)
    shapes = [(INPUTS, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN,)]
    parameters = [(rng.normal(size=shape) / 8).astype(np.float32) for shape in shapes]
    return (*parameters, rng.normal(size=(STEPS, BATCH, INPUTS)).astype(np.float32))


def looped(u: Any, w: Any, b: Any, xs: Any) -> Any:
    """The loss, by a loop of Python."""
    h, total = np.zeros((BATCH, HIDDEN), np.float32), 0.0
    for x in xs:
        h = np.tanh(x @ u + h @ w + b)
        total = total + np.sum(h * h)
    return total


def scanned(u: Any, w: Any, b: Any, xs: Any, checkpoint: bool = False) -> Any:
    """The loss, by a scan."""

    def step(h: Any, x: Any) -> Any:
        h = np.tanh(x @ u + h @ w + b)
        return h, np.sum(h * h)

    return np.sum(scan(step, np.zeros((BATCH, HIDDEN), np.float32), xs, checkpoint=checkpoint)[1])


def of_jax() -> Callable[..., Any]:
    """The compiled gradient of the same by ``jax.lax.scan``."""
    import jax
    import jax.numpy as jnp

    def loss(u: Any, w: Any, b: Any, xs: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            h = jnp.tanh(x @ u + h @ w + b)
            return h, jnp.sum(h * h)

        return jnp.sum(jax.lax.scan(step, jnp.zeros((BATCH, HIDDEN), np.float32), xs)[1])

    slope = jax.jit(jax.grad(loss, argnums=(0, 1, 2)))
    return lambda *args: jax.block_until_ready(slope(*args))


def timed(make: Callable[[], Any]) -> tuple[Any, float]:
    """What is made, and how long that takes."""
    start = time.perf_counter()
    made = make()
    return made, time.perf_counter() - start


def tables() -> list[Table]:
    """One table: time of a gradient, time to record, and size."""
    args = data()
    by_loop, by_scan = (grad(f, argnums=(0, 1, 2)) for f in (looped, scanned))
    in_parts = grad(lambda *a: scanned(*a, checkpoint=True), argnums=(0, 1, 2))
    unrolled, first = timed(lambda: capture(by_loop, *args))
    rolled, second = timed(lambda: capture(by_scan, *args))
    in_c = rolled.compiled("c")
    (_, third), (_, fourth), (_, fifth) = (timed(lambda p=p: p(*args)) for p in (unrolled, rolled, in_c))
    runs = {
        "loop of Python": lambda: by_loop(*args),
        "scan": lambda: by_scan(*args),
        "scan, checkpoint=True": lambda: in_parts(*args),
        "loop of Python, recorded": lambda: unrolled(*args),
        "scan, recorded": lambda: rolled(*args),
        "scan, recorded, in C": lambda: in_c(*args),
    }
    before = {
        "loop of Python, recorded": (first + third, unrolled),
        "scan, recorded": (second + fourth, rolled),
        "scan, recorded, in C": (second + fifth, in_c),
    }
    known: dict[str, float] = {}
    if installed("JAX"):
        slope = of_jax()
        _, known["JAX, jit of lax.scan"] = timed(lambda: slope(*args))
        runs["JAX, jit of lax.scan"] = lambda: slope(*args)
    expected = by_loop(*args)
    for name, run in runs.items():
        for one, two in zip(run(), expected, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3 * np.max(np.abs(two)), err_msg=name)
    timings = take_turns(runs, rounds=5)
    rows = []
    for name, timing in timings.items():
        took, program = before.get(name, (known.get(name), None))
        size = "" if program is None else f"{len(program.instructions):,}"
        rows.append([name, number(timing.best * 1e3), "" if took is None else number(took * 1e3), size])
    if not installed("JAX"):
        rows.append(["JAX, jit of lax.scan", NOT_INSTALLED, "", ""])
    about = (
        "Milliseconds of one forward and backward pass, best of the rounds; milliseconds until the first result of "
        "what is recorded or compiled; calls in the program. float32."
    )
    columns = ["way", "ms", "ms to record", "calls"]
    return [Table(f"{STEPS} steps, batch {BATCH}, {HIDDEN} hidden units", about, columns, rows)]


if __name__ == "__main__":
    print_tables(tables)
