"""Programs of few numbers, scheduled as if they were many."""

import pytest

from autodiff.program.scalars import levelling, region


@pytest.fixture
def _always(monkeypatch):
    """Every program is scheduled by level, however small it is."""
    monkeypatch.setattr(levelling, "LEAST", 1)
    monkeypatch.setattr(levelling, "MANY", 2)
    monkeypatch.setattr(region, "PAYS", 0)
