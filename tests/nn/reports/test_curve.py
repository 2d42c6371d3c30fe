"""The ticks of an axis."""

import pytest

from nn.reports.curve import ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.07, 2.3), (-5, 5), (0.5, 0.5), (0, 0), (1e-12, 3e-12), (1e9, 4e9)]
)
def test_ticks(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert found[0] <= low
    assert found[-1] >= high
    assert found == sorted(set(found))
