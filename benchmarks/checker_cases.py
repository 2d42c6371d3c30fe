"""Our checker over our whole table: right rules at every magnitude, and planted faults in every rule.

One unit of work is one entry of the table, or one rule of it.  Each unit that is done is a line of a file, so a run
that was stopped goes on where it was; after a change of the library or of the cases it begins anew.
"""

from __future__ import annotations

import json
import multiprocessing
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import autodiff
from autodiff.scipy import load
from autodiff.testing import gradcheck
from tests.differences import calls
from tests.testing import magnitudes, planted
from tests.testing.planted import FAULTS, WIDER, keeps_precision, long, names_the_operation, places, where_it_shows

Unit = dict[str, Any]

load()
warnings.simplefilter("ignore")
HERE = Path(__file__).resolve().parent
WIDENED, ONE_OF_MANY = "float64 from float32", "one element of 100,000, by 1 %"
REASONS = {  # the first that is in the reason
    "holds a NaN": "NaN in the arguments",
    "f(x) is not finite": "outside of the domain, or overflow",
    "the function is not finite": "at the edge of the domain",
    "leaves the range of": "overflow or underflow in float32 alone",
    "other values in float32": "another function in float32",
    "rounding may explain": "the rounding of float32 hides 1 %",
    "values stand still": "steps of the size of single precision",
    "the sum of all outputs": "a small difference that no outputs have by themselves",
    "noise floor": "noise floor: the rounding of the values hides the slope",
    "rounding hides": "noise floor: the rounding of the values hides the slope",
    "the function jumps": "at a jump",
    "f changes more": "f changes faster than floating-point numbers follow each other",
    "the gradient is": "an infinite slope",
    "the slopes grow": "an infinite slope",
    "kinks lie": "kinks too close to each other",
    "the slopes along": "a direction and its elements disagree",
    "the slopes do not settle": "no smooth stretch around x",
}


def shortened(reason: str) -> str:
    """A reason without its numbers and names."""
    return next((text for part, text in REASONS.items() if part in reason), reason)


def fingerprint(cases: Any) -> int:
    """A number that changes with the library and with a module of cases."""
    sources = [*sorted(Path(autodiff.__file__).parent.rglob("*.py")), Path(cases.__file__)]
    return zlib.crc32(b"".join(path.read_bytes() for path in sources))


# -- one unit ------------------------------------------------------------------------------------------------------


def right_rules(number: int, dtype: str, start: int, stop: int) -> Unit:
    """Verdicts on one entry, with its own rules, over seeds."""
    entry = magnitudes.entries()[number]
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    why: Counter[str] = Counter()
    wrong = []
    for seed, verdict, reason, magnitude in magnitudes.verdicts(entry, dtype, range(start, stop)):
        counts[verdict] += 1
        if verdict == "inconclusive":
            why[shortened(reason)] += 1
        elif verdict == "wrong":
            wrong.append(f"{entry.name}, {dtype}, seed {seed}, magnitude {magnitude:.1g}: {reason}")
    return {"counts": counts, "why": why, "wrong": wrong, "seconds": time.perf_counter() - began}


def faults(number: int) -> Unit:
    """What becomes of each fault planted in one rule: "found", "missed ...", or "invisible" where nothing changes."""
    entry, position = places()[number]
    fates = {}
    for name, fault in FAULTS.items():
        shown = where_it_shows(entry, position, fault)
        if shown is None:
            fates[name] = "invisible"
            continue
        wrong, arrays, error = shown
        if error is not None:
            fates[name] = "refused by the engine" if names_the_operation(error, entry) else f"missed: {error}"
        else:
            fates[name] = _fate(gradcheck(wrong, *arrays))
    fates[WIDENED] = _widened(entry, position)
    if entry.elementwise:
        wrong, arrays, guilty = long(entry, position)
        fates[ONE_OF_MANY] = "invisible" if guilty is None else _fate(gradcheck(wrong, *arrays), (guilty,))
    return {"name": f"{entry.name}, argument {position}", "fates": fates}


def _fate(report: Any, index: tuple[int, ...] | None = None) -> str:
    if report.verdict != "wrong":
        return f"missed: {report.verdict}: {report.reason}"
    return "found" if index in (None, report.index) else f"missed: another element was blamed, {report.index}"


def _widened(entry: Any, position: int) -> str:
    bad = planted.planted(entry, position, WIDER)
    for n, call in enumerate(calls(entry)):
        arrays = call.arrays(np.random.default_rng(n), np.float32)
        if keeps_precision(call, position, arrays):
            return _fate(gradcheck(call.with_call(bad.call), *arrays))
    return "invisible"


# -- all units -----------------------------------------------------------------------------------------------------


def units(seeds: int) -> list[tuple[Callable[..., Unit], tuple[Any, ...]]]:
    """Every unit of work: right rules fifty seeds at a time, all entries, then more; faults after the first."""
    made: list[tuple[Callable[..., Unit], tuple[Any, ...]]] = []
    for start in range(0, seeds, 50):
        for number in range(len(magnitudes.entries())):
            for dtype in ("float32", "float64"):
                made.append((right_rules, (number, dtype, start, min(seeds, start + 50))))
        if not start:
            made += [(faults, (n,)) for n in range(len(places()))]
    return made


def _work(task: tuple[Callable[..., Unit], tuple[Any, ...]]) -> tuple[str, Unit]:
    function, arguments = task
    return _key(function, arguments), function(*arguments)


def _key(function: Callable[..., Unit], arguments: Iterable[Any]) -> str:
    return " ".join(map(str, (function.__name__, *arguments)))


def done(path: Path, marks: dict[str, int]) -> dict[str, Unit]:
    """What an earlier run has left in a file, if it was of the same library."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return {line["key"]: line["unit"] for line in lines if line["mark"] == marks[line["key"].split()[0]]}


def run(seeds: int, processes: int, path: Path) -> Iterator[tuple[str, Unit]]:
    """Do what is not done yet, and yield every unit, old and new."""
    marks = {right_rules.__name__: fingerprint(magnitudes), faults.__name__: fingerprint(planted)}
    have = done(path, marks)
    wanted = units(seeds)
    yield from ((key, have[key]) for key in (_key(*task) for task in wanted) if key in have)
    left = [task for task in wanted if _key(*task) not in have]
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file, multiprocessing.get_context("spawn").Pool(processes) as pool:
        for key, unit in pool.imap_unordered(_work, left):
            file.write(json.dumps({"key": key, "mark": marks[key.split()[0]], "unit": unit}) + "\n")
            file.flush()
            yield key, unit
