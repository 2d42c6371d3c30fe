"""One training step through the public API of ``nn``, beside hand-written NumPy and the peers."""

from __future__ import annotations

import tempfile

from .measuring import NOT_INSTALLED, Table, number, print_tables, verdict
from .networks import LIBRARIES, PROBLEMS, Problem
from .processes import ask
from .steps_rounds import PRODUCTS

LIMITS = dict(zip(PROBLEMS, (2.2, 1.15, 1.12, 1.03, None, None), strict=True))
"""How many times as long as hand-written NumPy a step may take."""

REPLAY_LIMITS = dict(zip(PROBLEMS, (1.0, 0.97, 1.0, 1.0, 1.0, 1.0), strict=True))
"""How many times as long a replayed step may take."""

C_LIMITS = dict(zip(PROBLEMS, (0.4, 0.88, 0.95, 0.97, 0.8, 0.8), strict=True))
"""How many times as long a step in C may take."""

OTHER_LIMITS = {"autograd": PROBLEMS[:4], "MyGrad": PROBLEMS[:4], "PyTorch": PROBLEMS[:2]}
"""Where pullback is to be faster than a peer."""

HAND, COMPILED = "NumPy by hand", ("pullback, jit", "pullback, jit, C", "torch.compile", "JAX")
Rounds = dict[str, list[float]]
"""By library: microseconds of the best round and of the middle one, and milliseconds until the third step is done."""


def measured(problem: Problem, threads: int) -> Rounds:
    """The rounds of every library on one network."""
    arguments = f"{PROBLEMS.index(problem)}"
    with tempfile.TemporaryDirectory() as cache:
        found = ask("benchmarks.steps_rounds", arguments, limit=1200.0, BENCHMARK_THREADS=f"{threads}",
                    TORCHINDUCTOR_FORCE_DISABLE_CACHES="1", XDG_CACHE_HOME=cache)  # fmt: skip
    assert "failed" not in found, f"{problem}: {found}"
    return found


def cell(rounds: Rounds, name: str) -> str:
    """A library's time, and how often hand-written NumPy would fit into it."""
    if name not in rounds:
        return NOT_INSTALLED if name in LIBRARIES else ""
    best, median, _ = rounds[name]
    if name == HAND:
        return number(best)
    return f"{number(best)} ({best / rounds[HAND][0]:.2f}, {median / rounds[HAND][1]:.2f})"


def judged(problem: Problem, rounds: Rounds) -> str:
    """Which targets were met on one network."""
    words = []
    for name, limits in (("pullback", LIMITS), ("pullback, jit", REPLAY_LIMITS), ("pullback, jit, C", C_LIMITS)):
        limit, ratio = limits[problem], rounds[name][0] / rounds[HAND][0]
        if limit is not None:
            words.append(f"{name} {limit:g}x NumPy: {verdict(ratio, limit)}")
    for peer, problems in OTHER_LIMITS.items():
        if problem in problems and peer in rounds:
            words.append(f"{peer}: {verdict(rounds['pullback'][0] / rounds[peer][0], 1.0)}")
    return "; ".join(words)


def tables() -> list[Table]:
    """The times, and the targets."""
    found = []
    for threads, said in ((1, "one thread"), (2, "two threads")):
        results = {problem: measured(problem, threads) for problem in PROBLEMS}
        names = [PRODUCTS, *LIBRARIES]
        found.append(
            Table(
                f"One training step, {said}",
                "Model call, softmax cross-entropy, zero_grad, backward, the optimizer's step; float32. Microseconds,\n"
                "best of the rounds; in brackets how many times as long as NumPy by hand, by best rounds and by\n"
                "medians. All make the same step: losses and updates are compared first. The first column is the\n"
                "matrix products of the step and nothing else.",
                ["network", *names],
                [[str(problem), *[cell(rounds, name) for name in names]] for problem, rounds in results.items()],
            )
        )
        found.append(
            Table(
                f"Targets of the training step, {said}",
                "Within so many times of NumPy by hand, and faster than the peers named.",
                ["network", "targets"],
                [[str(problem), judged(problem, rounds)] for problem, rounds in results.items()],
            )
        )
    found.append(
        Table(
            "Until the third step is done",
            "Milliseconds, from making the model to the third step, recording and compilation and all; two threads.\n"
            "Compiled code is kept on disk between processes; here each process begins with none.",
            ["network", *COMPILED],
            [
                [str(p), *[number(rounds[n][2]) if n in rounds else NOT_INSTALLED for n in COMPILED]]
                for p, rounds in results.items()
            ],
        )
    )
    return found


if __name__ == "__main__":
    print_tables(tables)
