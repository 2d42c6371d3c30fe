"""Run the benchmarks, each in a process of its own, and write their tables into README.md, or into a page of their own.

``python -m benchmarks`` runs all of them, ``python -m benchmarks steps chain`` those two and leaves the other tables
as they are.
"""

from __future__ import annotations

import argparse
import datetime
import os
import pkgutil
import platform
import re
import subprocess
import sys
from pathlib import Path

from . import THREADS
from .measuring import PEERS, processor, version

HERE = Path(__file__).parent
README = HERE / "README.md"
BENCHMARKS = [
    module.name
    for module in pkgutil.iter_modules([str(HERE)])
    if re.search(r"^def tables\(", (HERE / f"{module.name}.py").read_text(), re.MULTILINE)
]


def machine() -> str:
    """Where and when, in one paragraph."""
    versions = ", ".join(f"{peer} {version(package)}" for peer, package in PEERS.items())
    return (
        f"Measured on {datetime.date.today():%Y-%m-%d}: {processor()}, {os.cpu_count()} cores, at most {THREADS} "
        f"threads for every library, load average {os.getloadavg()[0]:.1f} before; {platform.system()}, "
        f"Python {platform.python_version()}, NumPy {version('numpy')}, {versions}."
    )


def replaced(text: str, name: str, block: str) -> str:
    """The text with what stands between the two markers of ``name`` replaced, appended if there are none."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{block.strip()}\n{end}"
    if begin not in text:
        return f"{text.rstrip()}\n\n{section}\n"
    head, rest = text.split(begin, 1)
    return head + section + rest.split(end, 1)[1]


def main() -> int:
    """Run, print and write; the exit status says whether every benchmark came through."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--no-write", action="store_true", help="print the tables and leave README.md as it is")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    failed = []
    for name in arguments.names or BENCHMARKS:
        where = machine()  # before the benchmark itself makes the machine busy
        run = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE, text=True)
        print(run.stdout, flush=True)
        if run.returncode:
            failed.append(name)
        elif not arguments.no_write:
            block, page = f"{where}\n\n{run.stdout}", HERE / f"{name}.md"  # a page of its own, where there is one
            if page.exists():
                title = page.read_text().split("\n", 1)[0]
                page.write_text(f"{title}\n\n`python -m benchmarks {name}`\n\n{block.strip()}\n")
            else:
                README.write_text(replaced(README.read_text(), name, block))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
