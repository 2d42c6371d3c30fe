"""How good are gradient checkers: false alarms, missed faults, kinks, cost; beside autograd's, JAX's and PyTorch's.

``python benchmarks/checker_power.py --seeds 1000 --processes 2`` prints the tables and writes them to
``checker_power.md``.  What is done goes to ``runs/checker_power.jsonl``, and a run that was stopped goes on where it
was.  ``--no-peers`` leaves out the tables that compare.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import checker_cases
from benchmarks.checker_cases import FAULTS, ONE_OF_MANY, WIDENED, Unit

STATE = Path(__file__).resolve().parent.parent / "runs" / "checker_power.jsonl"
Out = Callable[[str], None]


def false_alarms(found: list[Unit], seeds: int, out: Out) -> None:
    """The table of verdicts on right rules."""
    counts: Counter[str] = Counter()
    why: Counter[str] = Counter()
    for unit in found:
        counts.update(unit["counts"])
        for reason, count in unit["why"].items():
            why[checker_cases.shortened(reason)] += count
    total, seconds = counts.total(), sum(unit["seconds"] for unit in found)
    out("\n## False alarms, the whole table\n")
    out(f"Every entry with its own rules, float32 and float64, {seeds:,} seeds each:")
    out("each seed draws a magnitude, log-uniformly from 1e-8 to 1e8, and takes the entry's calls in turn.\n")
    out("| verdict | checks | |\n|---|---|---|")
    out(f"| correct | {counts['correct']:,} | {100 * counts['correct'] / total:.2f} % |")
    out(f"| **wrong: a false alarm** | **{counts['wrong']:,}** | |")
    for reason, count in why.most_common():
        out(f"| inconclusive: {reason} | {count:,} | {100 * count / total:.2f} % |")
    out(f"| refused by the function itself | {counts['refused']:,} | {100 * counts['refused'] / total:.2f} % |")
    out(f"| all | {total:,} | {seconds / total * 1e3:.1f} ms a check |")
    wrong = [text for unit in found for text in unit["wrong"]]
    if wrong:
        out("\nFalse alarms:\n")
        for text in wrong:
            out(f"- {text}")


def missed_faults(found: list[Unit], out: Out) -> None:
    """The table of planted faults."""
    out("\n## Missed faults, the whole table\n")
    out(f"Each fault in each of {len(found)} rules, wherever it changes a gradient.\n")
    out("| fault | found by the checker | refused by the engine, which names the operation | **missed** | no effect |")
    out("|---|---|---|---|---|")
    missed = []
    for name in (*FAULTS, ONE_OF_MANY, WIDENED):
        fates = Counter(unit["fates"][name].split(":")[0] for unit in found if name in unit["fates"])
        missed += [f"{name}: {u['name']}: {u['fates'][name]}" for u in found if "missed" in u["fates"].get(name, "")]
        out(
            f"| {name} | {fates['found']} | {fates['refused by the engine']} | **{fates['missed']}** "
            f"| {fates['invisible']} |"
        )
    out("\nNo effect: there is no room for the fault (no axis, one argument, nothing is broadcast), or nothing changes")
    out("(a gradient of zero, a symmetric function, an output that is float64 anyway).")
    if missed:
        out("\nMissed:\n")
        for text in missed:
            out(f"- {text}")


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--state", type=Path, default=STATE, help="the file of what is done")
    parser.add_argument("--no-peers", action="store_true", help="leave out the other libraries")
    arguments = parser.parse_args()
    lines: list[str] = []

    def out(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    out("# The power of gradient checkers\n")
    out("Made by `python benchmarks/checker_power.py`.  ✗ marks a verdict that is not the truth.")
    alarms: list[Unit] = []
    planted: list[Unit] = []
    for number, (key, unit) in enumerate(checker_cases.run(arguments.seeds, arguments.processes, arguments.state)):
        (planted if key.startswith("faults") else alarms).append(unit)
        if number % 100 == 99:
            print(f"{number + 1} units", file=sys.stderr, flush=True)
    false_alarms(alarms, arguments.seeds, out)
    missed_faults(planted, out)
    if not arguments.no_peers:
        from benchmarks import checker_peers

        checker_peers.tables(out)
        Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
