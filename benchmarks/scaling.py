"""Training in several processes: the cost of a step, what the backward pass hides, and where many would stand.

    python -m benchmarks.scaling

Each row is measured by ``mpiexec`` in processes of its own, with one BLAS thread each.  The projections follow from the
model in ``scaling_model.py``, the compute time of one process, and links that are assumed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .measuring import Table, number, print_tables
from .networks import PROBLEMS, Problem
from .scaling_model import Bucket, Link, fitted, step

NETS = (1, 2, 3)
COUNTS = (1, 2, 4)
ETHERNET = Link(25e-6, 1.1e9)
"""Ten gigabits a second through the kernel's sockets."""
INFINIBAND = Link(2e-6, 22e9)
"""Two hundred gigabits a second, without the kernel."""
LINKS = {"10 Gbit/s Ethernet": ETHERNET, "200 Gbit/s InfiniBand": INFINIBAND}
EMULATED = 16


def measure(count: int, *arguments: object) -> dict[str, Any]:
    """What the worker prints, in so many processes."""
    beside = str(Path(sys.executable).parent)
    mpiexec = shutil.which("mpiexec", path=os.pathsep.join([beside, os.environ["PATH"]]))
    if mpiexec is None:
        raise FileNotFoundError("scaling: mpiexec was not found; pip install mpich")
    command = [mpiexec, "-n", str(count), sys.executable, "-m", "benchmarks.scaling_worker", *map(str, arguments)]
    around = {**os.environ, "BENCHMARK_THREADS": "1"}
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=around, check=True, timeout=600)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def weights(problem: Problem) -> int:
    """The bytes of the parameters, and of a gradient."""
    return sum(p.nbytes for layer in problem.initial() for p in layer)


def ms(seconds: float) -> str:
    return number(1e3 * seconds)


def measured(
    found: dict[tuple[int, int], dict[str, Any]], links: dict[int, Link], ready: dict[int, dict[str, Any]]
) -> Table:
    rows = []
    for index in NETS:
        for count in COUNTS:
            one, problem = found[index, count], PROBLEMS[index]
            buckets = [Bucket(*b) for b in ready[index]["buckets"]]
            predicted = step(links[count], count, one["compute"], buckets) if count > 1 else one["compute"]
            rows.append([
                str(problem), str(count), number(one["bytes"] / 2**20), str(one["sums"]), ms(one["compute"]),
                ms(one["overlapped"]), ms(one["at the end"]), ms(one["recorded"]), ms(predicted),
                number(one["memory"] / 2**20), number(weights(problem) / 2**20),
            ])  # fmt: skip
    return Table(
        "One batch, shared by the processes of this machine",
        "Milliseconds a step, the best of many short rounds in alternation, of the slowest process. `compute` is the "
        "step without messages, in as many processes at once; `overlapped` sends each bucket when its gradients are "
        "known, `at the end` after the backward pass; `recorded` replays programs, and sends after the backward pass. "
        "The model predicts `overlapped` from `compute` and the sums below. MB that a process gives to be summed in a "
        "step, and number of sums; MB that a process needs at the peak of its steps, and those of the parameters. "
        f"More processes than the {os.cpu_count()} cores take turns on them.",
        ["network", "n", "MB summed", "sums", "compute", "overlapped", "at the end", "recorded", "model", "peak MB",
         "parameters MB"],
        rows,
    )  # fmt: skip


def sums(found: dict[int, dict[str, float]], links: dict[int, Link]) -> Table:
    fits = (f"{1e6 * link.latency:.3g} µs and {link.bandwidth / 1e9:.3g} GB/s for n = {n}" for n, link in links.items())
    rows = [
        [str(count), f"{int(size):,}", number(1e6 * seconds), number(1e6 * links[count].allreduce(count, int(size)))]
        for count, every in found.items()
        for size, seconds in every.items()
    ]
    return Table(
        "Sums over processes",
        "Microseconds of an `Iallreduce` of so many bytes through shared memory, and by the model with the links that "
        f"fit best: {', '.join(fits)}. Where processes share a core, the latency is that of taking turns.",
        ["n", "bytes", "measured", "model"],
        rows,
    )


def hidden(link: Link) -> Table:
    rows = []
    for index in NETS[1:]:
        found = measure(1, "emulated", index, EMULATED, link.latency, link.bandwidth)
        alone, late, early = found["compute"], found["at the end"], found["overlapped"]
        rows.append([
            "-".join(map(str, PROBLEMS[index].sizes)), ms(alone), ms(late), ms(early),
            f"{(late - early) / (late - alone):.0%}" if late > alone else "",
        ])  # fmt: skip
    return Table(
        "What the backward pass hides",
        f"One process with 128 examples, whose sums come when {EMULATED} processes on a link of "
        f"{1e6 * link.latency:g} µs and {link.bandwidth / 1e9:g} GB/s would have brought them, without work for the "
        "processor: milliseconds a step, and the part of the communication that is hidden.",
        ["network", "compute", "at the end", "overlapped", "hidden"],
        rows,
    )


def projection(ready: dict[int, dict[str, Any]]) -> Table:
    rows = []
    for index in NETS:
        problem, buckets = PROBLEMS[index], [Bucket(*b) for b in ready[index]["buckets"]]
        batches = {int(b): seconds for b, seconds in ready[index]["batches"].items()}
        each, fixed = np.polyfit(list(batches), list(batches.values()), 1)
        whole = batches[problem.batch]
        for name, link in LINKS.items():
            row = ["-".join(map(str, problem.sizes)), name]
            for count in (4, 64, 1024):
                weak = whole / step(link, count, whole, buckets)
                part = max(fixed, 0.0) + each * max(problem.batch / count, 1.0)
                strong = whole / step(link, count, part, buckets)
                row += [f"{weak:.0%}", number(strong)]
            rows.append(row)
    return Table(
        "Where 64 and 1,024 processes would stand",
        "By the model; nothing here was run. `each`: the share of its time that a process computes if each has the "
        "batch of the table above; what is left is communication that nothing hides. `one`: how many times as fast as "
        "one process n are with that one batch. Assumed: a process has a core as measured here, and a link of its own; "
        "messages do not disturb each other; no process is slower than the others, though of 1,024 one usually is; "
        f"data is there when it is needed; Ethernet of {1e6 * ETHERNET.latency:g} µs and {ETHERNET.bandwidth / 1e9:g} "
        f"GB/s, InfiniBand of {1e6 * INFINIBAND.latency:g} µs and {INFINIBAND.bandwidth / 1e9:g} GB/s; for each sum "
        "the least of recursive doubling, Rabenseifner's way and the ring; steps that are `overlapped`, and compute "
        "time linear in the examples, with one at least.",
        ["network", "link", "4, each", "4, one", "64, each", "64, one", "1,024, each", "1,024, one"],
        rows,
    )


def tables() -> list[Table]:
    """Measure, fit, project."""
    messages = {count: measure(count, "messages") for count in COUNTS[1:]}
    links = {n: fitted([(n, int(b), seconds) for b, seconds in every.items()]) for n, every in messages.items()}
    ready = {index: measure(1, "ready", index) for index in NETS}
    found = {(index, count): measure(count, "steps", index) for index in NETS for count in COUNTS}
    return [measured(found, links, ready), sums(messages, links), hidden(ETHERNET), projection(ready)]


if __name__ == "__main__":
    print_tables(tables)
