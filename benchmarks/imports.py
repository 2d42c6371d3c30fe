"""How long ``import autodiff`` takes, beside ``import numpy`` alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from .measuring import Table, Timing, against, number, print_tables, verdict

ROUNDS, LIMIT = 25, 1.3


def tables() -> list[Table]:
    """Fresh interpreters, one after the other."""
    statements = {"import numpy": Timing(), "import autodiff": Timing(), "import nn": Timing(), "pass": Timing()}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as cache:
        environment["PYTHONPYCACHEPREFIX"] = cache  # bytecode for all, as an installer leaves it behind
        for turn in range(ROUNDS + 1):
            for statement, timing in statements.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", statement], env=environment, check=True)
                if turn:  # the first round writes the bytecode
                    timing.rounds.append(time.perf_counter() - start)
    rows = []
    for statement, timing in statements.items():
        best, of_medians = against(statements, statement, "import numpy")
        target = f"{LIMIT:g}: {verdict(of_medians, LIMIT)}" if statement == "import autodiff" else ""
        milliseconds = number(timing.median * 1e3)
        rows.append([f"`{statement}`", milliseconds, number(of_medians), number(best), target])
    return [
        Table(
            "Import",
            f"A fresh interpreter for each, {ROUNDS} of each in turn, from its start to its end; milliseconds, median.",
            ["", "ms", "over `import numpy`", "by best", "at most"],
            rows,
        )
    ]


if __name__ == "__main__":
    print_tables(tables)
