"""gradcheck over the whole table: no false alarm, no missed fault.  Names no op.

The same proof as benchmarks/checker_power.py, which takes every fault in every place and many seeds.  Here the places
take the faults in turn, a third each.
"""

from __future__ import annotations

import numpy as np
import pytest

from autodiff.ops import special
from autodiff.testing import gradcheck
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

special.load()
ENTRIES = magnitudes.entries()
PLACES = places()
EVERY_PLACE = pytest.mark.parametrize(("entry", "position"), PLACES, ids=[f"{e.name}-{p}" for e, p in PLACES])
SEEDS = range(2)
TURNS = 3


@pytest.mark.parametrize("entry", ENTRIES, ids=[e.name for e in ENTRIES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_rule_is_never_called_wrong(entry, dtype):
    verdicts = []
    for n, call in enumerate(calls(entry)):
        report = gradcheck(call, *call.arrays(np.random.default_rng(n), np.dtype(dtype)), rng=n)
        assert report.verdict != "wrong", report
        verdicts.append(report.verdict)
    assert "correct" in verdicts


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("entry", ENTRIES, ids=[e.name for e in ENTRIES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nor_is_it_at_any_magnitude(entry, dtype):
    for seed, verdict, reason, magnitude in magnitudes.verdicts(entry, dtype, SEEDS):
        assert verdict != "wrong", f"seed {seed}, magnitude {magnitude:.1g}: {reason}"


@EVERY_PLACE
def test_planted_faults_are_found(entry, position):
    turn = PLACES.index((entry, position)) % TURNS
    for name, fault in list(FAULTS.items())[turn::TURNS]:
        shown = where_it_shows(entry, position, fault)
        if shown is None:
            continue
        wrong, arrays, error = shown
        if error is not None:
            assert names_the_operation(error, entry), f"{name}: {error}"
        else:
            report = gradcheck(wrong, *arrays)
            assert report.verdict == "wrong", f"{name}: {report}"


@EVERY_PLACE
def test_a_rule_that_makes_float64_of_float32_is_found(entry, position):
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
