"""Programs as other people write them, whose gradients nobody has tuned: loops, models, nested derivatives.

Each is written once, for any module that looks like NumPy (see :mod:`.programs_loops`, :mod:`.programs_models`).
Every time is processor time on one BLAS thread, which is the least disturbed by other work.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import programs_loops as loops
from . import programs_models as models
from .measuring import NOT_INSTALLED, PEERS, Table, Timing, against, installed, number, print_tables, take_turns
from .programs_peers import Contestants, backward, gradients, jacobians, joined, minimisations, nested, newton

TRACED = ("NumPy by hand", "pullback", "autograd")
"""Whose arrays are NumPy's, which reports them to tracemalloc (``pullback, by another way`` too)."""

PARENTS = (30_000, 1_000_000)
"""Variables that are joined: beside the peers, and once each."""


@dataclass
class Program:
    """What is timed, by whom, and whether all of them compute the same (``forward alone`` does not)."""

    heading: str
    about: str
    contestants: Contestants
    rounds: int = 3


def collector_off(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call without garbage collection."""

    def run() -> Any:
        gc.disable()
        try:
            return call()
        finally:
            gc.enable()

    return run


def loop_programs() -> Iterator[Program]:
    """Many small operations."""
    weights, sequence = loops.lstm_arguments()
    contestants = gradients(loops.lstm, (weights, sequence), lambda: loops.lstm_by_hand(weights, sequence))
    contestants["pullback, collector off"] = collector_off(contestants["pullback"])
    size = f"{loops.STEPS:,} steps, {loops.BATCH} sequences at once, width {loops.HIDDEN}"
    yield Program(f"A recurrent network (LSTM), {size}", "36,006 nodes.", contestants)
    (x,) = loops.element_arguments()
    slopes = 1.0 / np.arange(1, loops.ELEMENTS + 1)
    yield Program(
        f"A loop over the {loops.ELEMENTS:,} elements of a vector",
        "`total = total + x[i] * (1 / (i + 1))`: so many parts are taken of one array, one element each.",
        gradients(loops.element_loop, (x,), lambda: 2.0 * np.dot(x, slopes) * slopes),
    )
    contestants = gradients(loops.scalar_loop, (1.1,))
    contestants["pullback, Tensor.backward"] = backward(loops.scalar_loop, 1.1)
    yield Program(
        f"A recurrence of one number, {4 * loops.SCALAR_STEPS:,} operations",
        "The functional `grad` beside `Tensor.backward`.",
        contestants,
    )
    yield Program(
        f"A differential equation of {loops.ODE_WIDTH} variables, {loops.ODE_STEPS} Runge-Kutta steps",
        "The gradient by the start and by the 110 coefficients.",
        gradients(loops.ode, loops.ode_arguments()),
    )
    yield Program(
        f"A chain of {loops.CHAIN:,} operations on 10 elements",
        "tanh, multiply, add, sin, again and again.",
        gradients(loops.chain, loops.chain_arguments()),
        rounds=10,
    )


def model_programs() -> Iterator[Program]:
    """Arrays."""
    yield Program(
        f"A mixture of {models.COMPONENTS} Gaussians, {models.SAMPLES:,} points of {models.DIMENSION} dimensions",
        "The gradient of the likelihood by weights, means and inverse covariances.",
        gradients(models.mixture, models.mixture_arguments()),
        rounds=10,
    )
    yield Program(
        f"{models.CLUSTERS} clusters of {models.CLUSTERED:,} points (k-means)",
        "The gradient, and the Hessian times a vector of ones.",
        newton(models.clusters, *models.clusters_arguments()),
        rounds=10,
    )
    (x,) = models.logsumexp_arguments()
    yield Program(
        f"log(sum(exp(x))) of {models.EXPONENTS:,} numbers",
        "Written with amax, exp, sum and log.",
        gradients(models.large_logsumexp, (x,), lambda: models.logsumexp_by_hand(x)),
        rounds=10,
    )
    for iterations in (4, 20):
        yield Program(
            f"Independent components, {iterations} iterations of conjugate gradients",
            f"{models.SENSORS} sensors at {models.TIMES} times, minimised by SciPy.",
            minimisations(models.components, *models.components_arguments(), iterations),
        )


def derivative_programs() -> Iterator[Program]:
    """Jacobians, derivatives inside of what is differentiated, very many variables."""
    yield Program(
        "The Jacobian of a hand: 2,400 coordinates of its skin by 26 angles and positions",
        "The way round matters: by outputs (the default), or by inputs.",
        jacobians(models.hand, *models.hand_arguments()),
    )
    for steps in models.INNER_STEPS:
        yield Program(
            f"A minimisation inside of a function, {steps} steps",
            "`grad` of a function that uses `grad` and `jvp` in each step.",
            nested(models.inner_minimum, *models.inner_arguments(), steps),
            rounds=3,
        )
    stack, concatenate = joined(PARENTS[0])
    yield Program(f"np.stack of {PARENTS[0]:,} variables", "Each a number.", stack)
    yield Program(f"np.concatenate of {PARENTS[0]:,} variables", "Each of one element.", concatenate)


def first_calls(program: Program) -> dict[str, float]:
    """What each contestant's first call took in seconds, after which all must have computed the same."""
    taken, results = {}, {}
    for name, call in program.contestants.items():
        start = time.process_time()
        results[name] = call()
        taken[name] = time.process_time() - start
    expected = _leaves(results["pullback"])
    for name, result in results.items():
        if name != "NumPy, forward alone":
            for one, two in zip(_leaves(result), expected, strict=True):
                scale = float(np.max(np.abs(two), initial=0.0))
                assert np.allclose(one, two, rtol=1e-7, atol=1e-9 * scale), f"{program.heading}: {name} differs"
    return taken


def _leaves(result: Any) -> list[Any]:
    return [np.asarray(part) for part in (result if isinstance(result, list | tuple) else [result])]


def peak(call: Callable[[], Any]) -> float:
    """The most that a call holds at once in MiB, beyond what there was before."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def row(name: str, timings: dict[str, Timing], first: float, memory: float | None) -> list[str]:
    """One contestant in a program's table."""
    ratio, of_medians = against(timings, "pullback", name)
    best = timings[name].best
    return [
        name,
        number(best * 1e3),
        f"{ratio:.3g}",
        f"{of_medians:.3g}",
        number((first - best) * 1e3) if "compiled" in name else "",
        "" if memory is None else number(memory),
    ]


def table(program: Program) -> Table:
    """Everybody on one program."""
    first = first_calls(program)
    memory = {n: peak(call) for n, call in program.contestants.items() if n.split(", ")[0] in TRACED}
    timings = take_turns(program.contestants, rounds=program.rounds, seconds=0.01, clock=time.process_time)
    rows = [row(name, timings, first[name], memory.get(name)) for name in program.contestants]
    missing = [peer for peer in ("PyTorch", "JAX", "autograd") if peer in PEERS and not installed(peer)]
    rows += [[peer, NOT_INSTALLED, "", "", "", ""] for peer in missing]
    measure = "Milliseconds of processor time on one BLAS thread (JAX has its two), best of the rounds; float64."
    about = f"{program.about}\n{measure}"
    columns = ["", "ms", "pullback takes", "by medians", "compiling, ms", "peak, MiB"]
    return Table(program.heading, about, columns, rows)


def million() -> Table:
    """The largest joins, one call each."""
    rows = []
    for what, contestants in zip(("np.stack", "np.concatenate"), joined(PARENTS[1]), strict=True):
        for name, call in contestants.items():
            gc.collect()
            start = time.process_time()
            call()
            taken = time.process_time() - start
            rows.append([f"{what}, {name}", number(taken), number(taken / PARENTS[1] * 1e6)])
    about = "Seconds of processor time, one call each; beside the small ones, whether the time grows as their number."
    return Table(f"{PARENTS[1]:,} variables in one operation", about, ["", "s", "µs a variable"], rows)


def tables() -> list[Table]:
    """A table for each program."""
    warnings.simplefilter("ignore")
    from threadpoolctl import threadpool_limits

    kinds = (loop_programs, model_programs, derivative_programs)
    with threadpool_limits(1):
        return [*[table(program) for programs in kinds for program in programs()], million()]


if __name__ == "__main__":
    print_tables(tables)
