"""The result of one direction: the analytic slope, and the numeric one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .extrapolation import Estimate
from .line import Line

Array = Any


class Finding(NamedTuple):
    """One direction: the analytic slope, the estimate of the numeric one, the allowed difference."""

    direction: Array
    analytic: float
    found: Estimate
    limit: float  # the largest difference that is no fault
    line: Line
    borne_out: float = 0.0  # of a slope by the complex step: the error of the real steps that agree with it

    @property
    def error(self) -> float:
        """How far the analytic value is from the numerical one, or from the interval at a kink."""
        if self.found.kink is None:
            return abs(self.analytic - self.found.value)
        low, high = self.found.kink
        return max(low - self.analytic, self.analytic - high, 0.0)

    @property
    def wrong(self) -> bool:
        """Whether they differ by more than the errors of both explain."""
        return not self.found.reason and not self.error <= self.limit

    @property
    def single(self) -> bool:
        """Whether this is about one element."""
        return int(np.count_nonzero(self.direction)) == 1

    @property
    def settled(self) -> bool:
        """Whether nothing is open: no difference, no kink, and a reliable slope."""
        return not (self.wrong or self.found.reason or self.found.kink is not None)
