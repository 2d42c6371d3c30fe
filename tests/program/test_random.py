"""Random programs, recorded: on other values the same bits as the function itself."""

import numpy as np
import pytest
from hypothesis import given, settings

from autodiff.testing.strategies import programs
from benchmarks.recorded_programs import outcome


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=8)
@given(programs(max_depth=6))
def test_random_programs(program):
    with np.errstate(all="ignore"):
        found = outcome(program)
    assert found["DIFFERENT"] == 0
    assert found.total() > 0
