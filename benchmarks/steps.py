"""One training step through the public API of ``nn``, beside hand-written NumPy and the peers."""

from __future__ import annotations

import warnings

from .measuring import (
    NOT_INSTALLED,
    PEERS,
    Table,
    Timing,
    against,
    installed,
    number,
    print_tables,
    take_turns,
    verdict,
)
from .networks import LIBRARIES, PROBLEMS, Problem, assert_equal_steps

LIMITS = dict(zip(PROBLEMS, (2.5, 1.2, 1.25, 1.05), strict=True))
"""How many times as long as hand-written NumPy a step may take."""

REPLAY_LIMITS = dict(zip(PROBLEMS, (1.0, 0.97, 1.0, 1.0), strict=True))
"""How many times as long a replayed step may take."""

OTHER_LIMITS = {"autograd": PROBLEMS, "MyGrad": PROBLEMS, "PyTorch": PROBLEMS[:2]}
"""Where pullback is to be faster than a peer."""


def available() -> list[str]:
    """The libraries that are installed here."""
    return [name for name in LIBRARIES if name not in PEERS or installed(name)]


def measured(problem: Problem) -> dict[str, Timing]:
    """The rounds of every library on one network."""
    contestants = {name: LIBRARIES[name](problem) for name in available()}
    assert_equal_steps(problem, contestants)
    long = problem.sizes[0] * problem.batch > 500_000
    rounds, seconds = (10, 0.1) if long else (200, 0.005)
    return take_turns({name: c.step for name, c in contestants.items()}, rounds=rounds, seconds=seconds)


def cell(timings: dict[str, Timing], name: str) -> str:
    """A library's time, and how often hand-written NumPy would fit into it."""
    if name not in timings:
        return NOT_INSTALLED
    if name == "NumPy by hand":
        return number(timings[name].best * 1e6)
    ratio, of_medians = against(timings, name, "NumPy by hand")
    return f"{number(timings[name].best * 1e6)} ({ratio:.2f}, {of_medians:.2f})"


def judged(problem: Problem, timings: dict[str, Timing]) -> str:
    """Which targets were met on one network."""
    ratio, _ = against(timings, "pullback", "NumPy by hand")
    words = [f"{LIMITS[problem]:g}x NumPy: {verdict(ratio, LIMITS[problem])}"]
    replayed, _ = against(timings, "pullback, jit", "NumPy by hand")
    words.append(f"jit {REPLAY_LIMITS[problem]:g}x NumPy: {verdict(replayed, REPLAY_LIMITS[problem])}")
    for peer, problems in OTHER_LIMITS.items():
        if problem in problems and peer in timings:
            words.append(f"{peer}: {verdict(against(timings, 'pullback', peer)[0], 1.0)}")
    return "; ".join(words)


def tables() -> list[Table]:
    """The times, and the targets."""
    warnings.simplefilter("ignore")
    results = {problem: measured(problem) for problem in PROBLEMS}
    return [
        Table(
            "One training step",
            "Model call, softmax cross-entropy, zero_grad, backward, SGD step; float32. Microseconds, best of the\n"
            "rounds; in brackets how many times as long as NumPy by hand, by best rounds and by medians. All make\n"
            "the same step: losses and updates are compared first.",
            ["network", *LIBRARIES],
            [[str(problem), *[cell(timings, name) for name in LIBRARIES]] for problem, timings in results.items()],
        ),
        Table(
            "Targets of the training step",
            "Within so many times of NumPy by hand, and faster than the peers named.",
            ["network", "targets"],
            [[str(problem), judged(problem, timings)] for problem, timings in results.items()],
        ),
    ]


if __name__ == "__main__":
    print_tables(tables)
