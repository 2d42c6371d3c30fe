"""A function is replaced by its program when that is faster, and only as long as both give the same."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import StaleError
from autodiff.scipy.optimize.measured import PLAIN, TIMED, WARM, Measured


def test_a_program_that_gives_something_else_is_found_at_the_end():
    wrong = Measured("minimize", lambda z: 2 * z, lambda z: 3 * z, True)
    assert wrong(np.ones(1)).tolist() == [3.0]
    with pytest.raises(StaleError, match="minimize: the function gives something else than its program"):
        wrong.audit()
    right = Measured("minimize", lambda z: (2 * z, z), lambda z: (2 * z, z), True)
    right.audit()
    right(np.ones(1))
    right.audit()


def test_few_calls_are_not_recorded_and_many_are_measured():
    measured = Measured("minimize", np.sin, np.sin, None)
    for _ in range(PLAIN):
        measured(np.ones(1))
    assert measured.program is None
    for _ in range(1 + WARM + TIMED):
        measured(np.ones(1))
    assert measured.program is not None
    assert measured.record in (True, False)


def test_never_and_at_once():
    never, at_once = (Measured("minimize", np.sin, np.sin, record) for record in (False, True))
    for one in (never, at_once):
        for _ in range(PLAIN + 2):
            one(np.ones(1))
    assert never.program is None
    assert at_once.program is not None
