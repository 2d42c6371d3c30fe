"""Random programs, recorded and replayed on other values: the same bits as the function itself.

``python benchmarks/recorded_programs.py [programs] [--depth 8] [--seed 0]`` draws that many (10,000), captures the
value and the gradients of each, and runs the captured program at two other points.  It prints how many runs agreed to
the last bit, how many took another way (a PathError: a value decided something), and how many cannot be captured; a
difference is printed with the program, and is an error.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from autodiff import CaptureError, PathError, capture, vjp
from autodiff.testing.random.programs import programs
from autodiff.tree import flatten

Array = Any


def differentiated(program: Any) -> Any:
    """A function of the inputs: the values of a program, and the gradients of the sum of all that it returns."""

    def f(*arrays: Array) -> Any:
        values, pullback = vjp(program, *arrays)
        ones = tuple(np.ones_like(v) for v in values) if isinstance(values, tuple) else np.ones_like(values)
        return values, pullback(ones)

    return f


def same(one: Any, other: Any) -> bool:
    """Whether two results have the same bits; one NaN is as good as another."""
    ones, others = flatten(one)[0], flatten(other)[0]
    return len(ones) == len(others) and all(
        np.shape(a) == np.shape(b)
        and np.asarray(a).dtype == np.asarray(b).dtype
        and (np.asarray(a).tobytes() == np.asarray(b).tobytes() or np.array_equal(a, b, equal_nan=True))
        for a, b in zip(ones, others, strict=True)
    )


def outcome(program: Any) -> Counter[str]:
    """What came of one program."""
    found: Counter[str] = Counter()
    f = differentiated(program)
    try:
        recorded = capture(f, *[np.array(a) for a in program.arrays])
    except CaptureError as error:
        return Counter({f"not captured: {error}"[:90]: 1})
    except np.linalg.LinAlgError:  # the function's own: a singular matrix
        return Counter({"not defined": 1})
    for scale in (0.9375, 0.5):
        arrays = [np.asarray(a * scale, a.dtype) for a in program.arrays]
        try:
            expected = f(*[a.copy() for a in arrays])
        except Exception:  # not defined there
            found["not defined at the other values"] += 1
            continue
        try:
            got = recorded(*[a.copy() for a in arrays])
        except PathError:
            found["another way"] += 1
            continue
        found["the same bits" if same(got, expected) else "DIFFERENT"] += 1
        if found["DIFFERENT"]:
            print(f"different at {scale}:\n{program!r}\n{recorded}", file=sys.stderr)
    return found


def run(number: int, depth: int, seed: int) -> Counter[str]:
    """The outcomes of so many random programs."""
    total: Counter[str] = Counter()

    @seeded(seed)
    @settings(
        max_examples=number, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(programs(max_depth=depth))
    def each(program: Any) -> None:
        total["programs"] += 1
        total.update(outcome(program))

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        each()
    return total


def main() -> int:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("programs", nargs="?", type=int, default=10_000)
    parser.add_argument("--depth", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    given_ = parser.parse_args()
    total = run(given_.programs, given_.depth, given_.seed)
    for what, count in total.most_common():
        print(f"{count:8,}  {what}")
    return int(total["DIFFERENT"] > 0)


if __name__ == "__main__":
    sys.exit(main())
