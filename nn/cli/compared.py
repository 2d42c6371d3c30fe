"""Runs beside each other: what each has measured, and where their options differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..reports.history import VALIDATION, History
from .runs import Run

_GUESS = re.compile("baseline|guessing")
"""What a guess without inputs reaches is no result of the run."""


class Compared(NamedTuple):
    """A run with what came out."""

    name: str
    run: Run
    history: History
    result: dict[str, Any]
    """What was measured at the end; empty before."""

    def options(self) -> dict[str, Any]:
        """What was asked for."""
        return {**self.run.arguments, "seed": self.run.seed, **self.run.recipe._asdict()}

    def figures(self) -> dict[str, float]:
        """What it is compared by: how many epochs were made, what was measured at the end, the best epoch, seconds."""
        measured = {
            name.removeprefix("test_").replace("_", " "): float(value)
            for name, value in self.result.items()
            if name.startswith("test_") and isinstance(value, int | float) and not _GUESS.search(name)
        }
        found: dict[str, float] = {"epochs made": len(self.history), **measured}
        if VALIDATION + "loss" in self.history.columns:
            best = self.history.best(VALIDATION + "loss")
            found |= {"best validation loss": best[VALIDATION + "loss"], "in epoch": best["epoch"]}
        return found | {"seconds": sum(self.history["seconds"])}


def differences(runs: Sequence[Compared]) -> list[str]:
    """The options in which the runs differ, by name."""
    names = dict.fromkeys(name for one in runs for name in one.options())
    return [name for name in names if len({repr(one.options().get(name)) for one in runs}) > 1]


def figures(runs: Sequence[Compared]) -> list[str]:
    """The names of what any of the runs has measured, seconds last."""
    names = dict.fromkeys(name for one in runs for name in one.figures() if name != "seconds")
    return [*names, "seconds"]


def best(name: str, runs: Sequence[Compared]) -> float | None:
    """The best of a figure on the same data: the largest, but of a loss or an error the smallest; None of any other."""
    values = [one.figures()[name] for one in runs if name in one.figures()]
    if (
        name in ("epochs made", "in epoch", "seconds")
        or len(set(values)) < 2
        or len({one.run.arguments["data"] for one in runs}) > 1
    ):
        return None
    return min(values) if "loss" in name or "error" in name else max(values)


def shown(value: Any) -> str:
    """An option, or a figure, in a cell."""
    if value is None:
        return "-"
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(runs: Sequence[Compared], differing: Sequence[str]) -> list[str]:
    """The lines for the terminal; * is at the best of the runs."""
    names = figures(runs)
    heads = ["run", *names, *[name.replace("_", " ") for name in differing]]
    rows = []
    for one in runs:
        found = one.figures()
        cells = [shown(found.get(name)) + "*" * (name in found and found[name] == best(name, runs)) for name in names]
        rows.append([one.name, *cells, *[shown(one.options().get(name)) for name in differing]])
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    pads = [str.ljust, *[str.rjust] * (len(heads) - 1)]
    return ["  ".join(pad(cell, w) for pad, cell, w in zip(pads, row, widths, strict=True)) for row in (heads, *rows)]
