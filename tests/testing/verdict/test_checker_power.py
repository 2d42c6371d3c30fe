"""gradcheck over the whole table: no false alarm, no missed fault.  Names no op.

The same proof as benchmarks/checker_power.py, which takes every fault in every place and many seeds.  Here the places
take the faults in turn, the precisions the seeds, and the calls the precisions.  (What is given in single precision is
judged in double precision first.)
"""

from __future__ import annotations

import numpy as np
import pytest

from autodiff.scipy import load
from autodiff.testing import gradcheck
from tests.blocks import of_each
from tests.differences import calls
from tests.testing import magnitudes
from tests.testing.planted import (
    FAULTS,
    LENGTH,
    WIDER,
    keeps_precision,
    long,
    names_the_operation,
    places,
    planted,
    where_it_shows,
)
from tests.testing.seeds import in_turn, is_deep

load()
ENTRIES = magnitudes.entries()
PLACES = places()
EVERY_PLACE = of_each("place", PLACES, size=8, label=lambda place: f"{place[0].name}-{place[1]}")
DTYPES = ["float32", "float64"]


@of_each("entry", ENTRIES, size=8)
def test_a_right_rule_is_never_called_wrong(entry):
    verdicts = []
    for n, call in enumerate(calls(entry)):
        for dtype in in_turn(DTYPES, n + len(entry.name)):
            report = gradcheck(call, *call.arrays(np.random.default_rng(n), np.dtype(dtype)), rng=n)
            assert report.verdict != "wrong", report
            verdicts.append(report.verdict)
    assert "correct" in verdicts


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@of_each("entry", ENTRIES, size=8)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nor_is_it_at_any_magnitude(entry, dtype):
    seeds = in_turn(range(2), len(entry.name) + DTYPES.index(dtype))
    for seed, verdict, reason, magnitude in magnitudes.verdicts(entry, dtype, seeds):
        assert verdict != "wrong", f"seed {seed}, magnitude {magnitude:.1g}: {reason}"


@EVERY_PLACE
def test_planted_faults_are_found(place):
    entry, position = place
    start = PLACES.index(place)
    tried, hidden = 0, []
    for number in range(start, start + len(FAULTS)):  # the first that changes anything
        if tried and not is_deep():
            break
        name = list(FAULTS)[number % len(FAULTS)]
        shown = where_it_shows(entry, position, FAULTS[name])
        if shown is None:
            continue
        wrong, arrays, error = shown
        if error is not None:
            assert names_the_operation(error, entry), f"{name}: {error}"
        else:
            report = gradcheck(wrong, *arrays)
            assert report.verdict != "correct", f"{name}: {report}"
            if report.verdict == "inconclusive" and not is_deep():
                hidden.append(f"{name}: {report}")
                continue  # another fault must be found; a deep run says which are not
            assert report.verdict == "wrong", f"{name}: {report}"
        tried += 1
    assert tried or not hidden, hidden


@EVERY_PLACE
def test_a_rule_that_makes_float64_of_float32_is_found(place):
    entry, position = place
    bad = planted(entry, position, WIDER)
    for n, call in enumerate(calls(entry)):
        arrays = call.arrays(np.random.default_rng(n), np.float32)
        if keeps_precision(call, position, arrays):
            report = gradcheck(call.with_call(bad.call), *arrays)
            assert report.verdict == "wrong", report
            assert entry.name in report.reason
            return


@pytest.mark.parametrize(("entry", "position"), [p for p in PLACES if p[0].elementwise][::8], ids=str)
def test_one_wrong_element_of_many_is_found(entry, position):
    wrong, arrays, guilty = long(entry, position, LENGTH // (50 if is_deep() else 200))
    if guilty is not None:
        report = gradcheck(wrong, *arrays)
        assert (report.verdict, report.index) == ("wrong", (guilty,)), report
