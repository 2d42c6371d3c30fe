"""The hot path at an earlier revision and now: what later work, such as more operations or drawing, has cost it.

``python -m benchmarks.before_after [revision]`` takes ``autodiff`` and ``nn`` of both revisions out of git into
folders of their own and measures the training steps and the chains of each, in processes that take turns.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .measuring import Table, number, print_tables, take_turns

FOUNDATION = "2721109"
"""Engine, elementary operations, nn and its training command: before complex numbers, linear algebra and drawing."""
TURNS = 3
PROJECT = Path(__file__).parent.parent


def measured() -> dict[str, tuple[float, float]]:
    """For each case the best time of pullback and of NumPy in this process, in seconds."""
    from .chain import forward_alone, gradients, linear_chain, mixed_chain
    from .networks import PROBLEMS, HandWritten, Pullback

    found = {}
    for problem in PROBLEMS:
        contestants = {"numpy": HandWritten(problem).step, "pullback": Pullback(problem).step}
        rounds, seconds = (5, 0.1) if problem.batch > 500 else (100, 0.005)
        timings = take_turns(contestants, rounds=rounds, seconds=seconds)
        found[str(problem)] = timings["pullback"].best, timings["numpy"].best
    for name, chain in (("chain of multiply and add", linear_chain), ("chain with tanh and sin", mixed_chain)):
        contestants = {"numpy": forward_alone(chain), "pullback": gradients(chain)["pullback"]}
        timings = take_turns(contestants, rounds=100)
        found[name] = timings["pullback"].best, timings["numpy"].best
    return found


def unpacked(revision: str, folder: Path) -> Path:
    """The packages of a revision, with the benchmarks of today beside them."""
    archive = subprocess.run(
        ["git", "archive", revision, "autodiff", "nn"], cwd=PROJECT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    shutil.copytree(PROJECT / "benchmarks", folder / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def compare(before: str, after: str = "HEAD") -> Table:
    """Both revisions, process by process in turn; of each the best that it did, as a ratio to NumPy's best."""
    best: dict[str, dict[str, list[float]]] = {before: {}, after: {}}
    with tempfile.TemporaryDirectory() as scratch:
        folders = {revision: unpacked(revision, Path(scratch) / str(i)) for i, revision in enumerate(best)}
        for _ in range(TURNS):
            for revision, folder in folders.items():
                command = [sys.executable, "-m", "benchmarks.before_after", "--worker"]
                run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
                for case, times in json.loads(run.stdout.splitlines()[-1]).items():
                    known = best[revision].setdefault(case, times)
                    best[revision][case] = [min(pair) for pair in zip(known, times, strict=True)]
    rows = []
    for case in best[after]:
        (old, old_numpy), (new, new_numpy) = best[before][case], best[after][case]
        ratios = [number(old / old_numpy), number(new / new_numpy)]
        rows.append([case, number(old * 1e6), number(new * 1e6), *ratios, f"{new / old:.2f}"])
    return Table(
        "The hot path, before and after",
        f"Before: revision {before}, the foundation without complex numbers, linear algebra, statistics, SciPy and\n"
        f"drawing. Microseconds, best of {TURNS} processes each that took turns; a chain has 1,000 operations.",
        ["", "before", "after", "before, NumPy = 1", "after, NumPy = 1", "after / before"],
        rows,
    )


def tables() -> list[Table]:
    """The foundation against the present."""
    return [compare(FOUNDATION)]


def main(arguments: list[str]) -> None:
    """The worker prints its times as JSON; else the table of a revision, or of the foundation, against the present."""
    if arguments == ["--worker"]:
        print(json.dumps(measured()))
    else:
        print_tables(lambda: [compare(arguments[0])] if arguments else tables())


if __name__ == "__main__":
    main(sys.argv[1:])
