"""gradcheck over the whole table: no false alarm, no missed fault.  Names no op.

The same proof as benchmarks/checker_power.py, which takes every fault in every place and many seeds.  Here the places
take the faults in turn, two each.
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
from tests.testing.seeds import in_turn

load()
ENTRIES = magnitudes.entries()
PLACES = places()
EVERY_PLACE = of_each("place", PLACES, size=8, label=lambda place: f"{place[0].name}-{place[1]}")
SEEDS = range(2)


@of_each("entry", ENTRIES, size=8)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_rule_is_never_called_wrong(entry, dtype):
    verdicts = []
    for n, call in enumerate(calls(entry)):
        report = gradcheck(call, *call.arrays(np.random.default_rng(n), np.dtype(dtype)), rng=n)
        assert report.verdict != "wrong", report
        verdicts.append(report.verdict)
    assert "correct" in verdicts


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@of_each("entry", ENTRIES, size=8)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nor_is_it_at_any_magnitude(entry, dtype):
    for seed, verdict, reason, magnitude in magnitudes.verdicts(entry, dtype, SEEDS):
        assert verdict != "wrong", f"seed {seed}, magnitude {magnitude:.1g}: {reason}"


@EVERY_PLACE
def test_planted_faults_are_found(place):
    entry, position = place
    for name in in_turn(list(FAULTS), PLACES.index(place), 2):
        shown = where_it_shows(entry, position, FAULTS[name])
        if shown is None:
            continue
        wrong, arrays, error = shown
        if error is not None:
            assert names_the_operation(error, entry), f"{name}: {error}"
        else:
            report = gradcheck(wrong, *arrays)
            assert report.verdict == "wrong", f"{name}: {report}"


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
    wrong, arrays, guilty = long(entry, position, LENGTH // 50)
    if guilty is not None:
        report = gradcheck(wrong, *arrays)
        assert (report.verdict, report.index) == ("wrong", (guilty,)), report
