"""Where layers take the statistics of a batch from: this process alone, or all that have parts of the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Total = Callable[[Any, Any], Any]
"""From a layer, and a vector of sums over what this process has of the batch, to the sums over the whole batch."""

_total: ContextVar[Total | None] = ContextVar("nn_sums_over_the_whole_batch", default=None)
total = _total.get
"""What gives the sums over the whole batch; None where this process has all of it."""


@contextmanager
def summed_by(function: Total | None) -> Iterator[None]:
    """Layers inside take their sums over the whole batch from this function."""
    token = _total.set(function)
    try:
        yield
    finally:
        _total.reset(token)
