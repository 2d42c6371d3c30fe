"""A gradient that is right at x alone, as one from a cache that is stale."""

from __future__ import annotations

from ..thresholds import CERTAIN, FOLLOWS, STALE_STEP
from .comparison import Comparison
from .examination import examine
from .finding import Finding

STALE = (
    "the gradient is right at x, and beside x it is not: a rule keeps what it was given first, or depends on something "
    "other than its arguments"
)


def is_stale(comparison: Comparison, finding: Finding) -> bool:
    """Whether the gradient at a point beside x is wrong, as one from a stale cache is.

    The difference of the one-sided slopes shows how much the slope changes along a direction.
    """
    if comparison.problem.given_gradient is not None:  # it may be a number, right at x alone
        return False
    u, line = finding.direction, finding.line
    (row,) = line.measure((STALE_STEP,))
    if row is None or abs(row.right - row.left) <= CERTAIN * row.noise:
        return False
    beside = comparison.problem.x + row.step * u
    change = float(comparison.gradient_at(beside) @ u) - finding.analytic
    if abs(change - (row.right - row.left)) <= FOLLOWS * abs(row.right - row.left):
        return False
    return examine(comparison.at(beside), u).wrong
