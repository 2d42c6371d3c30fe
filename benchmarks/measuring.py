"""Timing several contestants fairly, and printing what came out.

Contestants take turns, round after round, so that whatever else the machine does meets all of them.  A figure is
the best round; the ratio of medians stands beside it, so that a lucky best can be told from a real one.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

PEERS = {
    "PyTorch": "torch",
    "JAX": "jax",
    "autograd": "autograd",
    "MyGrad": "mygrad",
    "micrograd": "micrograd",
    "CasADi": "casadi",
}
"""The libraries measured beside pullback, and the distributions that they come in."""

NOT_INSTALLED = "not installed"


def installed(peer: str) -> bool:
    """Whether a peer can be imported here; one that cannot is reported as such."""
    try:
        importlib.import_module(PEERS[peer])
    except ImportError:
        return False
    return True


@dataclass
class Timing:
    """The rounds of one contestant, in seconds a call."""

    rounds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The fastest round."""
        return min(self.rounds)

    @property
    def median(self) -> float:
        """The round in the middle."""
        return statistics.median(self.rounds)


def take_turns(
    contestants: dict[str, Callable[[], Any]],
    *,
    rounds: int = 200,
    seconds: float = 0.005,
    freeze: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time each contestant in each round, for about ``seconds`` a round and at least once.

    Rounds are many and short, so that the best one meets the machine undisturbed.  The order turns by one every
    round, so that nobody always runs in the wake of the same neighbour.  The garbage collector is on; with ``freeze``
    it looks through what the contestants make only, and not through the modules of all the libraries loaded here.
    ``clock=time.process_time`` measures processor time, all threads together, which other work disturbs less.
    """
    calls = {}
    for name, call in contestants.items():
        call()
        took = []
        for _ in range(8):  # what compiles or checks itself may be slow in most of the first calls
            start = clock()
            call()
            took.append(clock() - start)
        calls[name] = max(1, round(seconds / min(took)))
    gc.collect()
    if freeze:
        gc.freeze()  # else the collection between two rounds would take longer than a round
    timings = {name: Timing() for name in contestants}
    names = list(contestants)
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            call, repeats = contestants[name], range(calls[name])
            gc.collect()
            call()  # its threads, sent to sleep meanwhile, wake up outside the measurement
            start = clock()
            for _ in repeats:
                call()
            elapsed = clock() - start
            timings[name].rounds.append(elapsed / len(repeats))
    gc.unfreeze()
    return timings


def number(value: float) -> str:
    """Three significant digits, thousands with a comma.

    >>> number(113827.4), number(3.14159), number(0.0123)
    ('113,827', '3.14', '0.0123')
    """
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def against(timings: dict[str, Timing], name: str, base: str) -> tuple[float, float]:
    """How many times as long as ``base`` takes ``name``: by best rounds, and by medians."""
    return timings[name].best / timings[base].best, timings[name].median / timings[base].median


def verdict(ratio: float, limit: float) -> str:
    """Whether a ratio meets its target."""
    return "met" if ratio <= limit else "**missed**"


@dataclass
class Table:
    """A table with a heading and words about how it was measured."""

    heading: str
    about: str
    columns: Sequence[str]
    rows: list[Sequence[str]]

    def __str__(self) -> str:
        lines = [f"### {self.heading}", "", self.about.strip(), ""] if self.heading else []
        lines += [" | ".join(self.columns).join(("| ", " |")), "|" + "---|" * len(self.columns)]
        lines += [" | ".join(row).join(("| ", " |")) for row in self.rows]
        return "\n".join(lines) + "\n"


def version(distribution: str) -> str:
    """The version of an installed distribution."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return NOT_INSTALLED


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def print_tables(tables: Callable[[], list[Table]]) -> None:
    """Run a benchmark by itself."""
    print("\n".join(str(table) for table in tables()))
