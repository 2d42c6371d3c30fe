"""Confirmation by the complex step, which has 14 digits of the slope of an analytic function, and of no other.

It counts where the real steps agree with it.  A difference that it alone shows must pass a test of analyticity.
"""

from __future__ import annotations

from typing import Any

from ..thresholds import CIRCLE, COMPLEX_STEP, EPSILON, SEVERAL, SHARPER, THREE_DIGITS
from ..vectors import norm
from .comparison import Comparison
from .complex_step import around
from .extrapolation import Estimate
from .finding import Finding
from .uncertainty import scatter

Array = Any


def confirmed(comparison: Comparison, finding: Finding, own: float, thorough: bool) -> Finding | None:
    """The difference by the complex step, if its slope is that of the real steps; None if it is not."""
    u, found = finding.direction, finding.found
    if comparison.analytic_function is False or finding.error < SHARPER * finding.limit:
        return None
    slope = comparison.complex_slope(u)
    if slope is None or abs(slope - found.value) > SEVERAL * found.bound + own:
        return None
    own = max(own, comparison.own_error(u) + comparison.own_rounding)
    if thorough:
        own += SEVERAL * scatter(comparison, u, finding.error)
    sharp = comparison.finding(finding.line, u, Estimate(slope, own, COMPLEX_STEP), own)
    return sharp if sharp.error > SHARPER * sharp.limit else None


def agrees(comparison: Comparison, u: Array) -> Finding | None:
    """The finding of the complex step alone, if f is known to be analytic and they agree; None otherwise."""
    if not comparison.analytic_function:
        return None
    slope = comparison.complex_slope(u)
    if slope is None:
        return None
    own = comparison.own_error(u) + comparison.own_rounding
    limit = SEVERAL * own + comparison.tolerance * norm(comparison.safe * u)
    finding = Finding(u, comparison.along(u), Estimate(slope, own, COMPLEX_STEP), limit, comparison.line(u))
    return None if finding.wrong else finding


def sharpened(comparison: Comparison, finding: Finding, own: float) -> Finding:
    """The finding with the slope of the complex step, if the real steps agree with it."""
    if comparison.analytic_function is False:
        return finding
    own += (
        comparison.own_rounding
    )  # a saved output was rounded: the analytic value may be that wrong without being wrong
    slope = comparison.complex_slope(finding.direction)
    if slope is None:
        comparison.analytic_function = False
        return finding
    found = finding.found
    size = norm(comparison.safe * finding.direction)
    if abs(slope - found.value) > SEVERAL * found.bound + own or found.bound > THREE_DIGITS * max(size, abs(slope)):
        comparison.analytic_function = False
        return finding
    sharp = Estimate(slope, own, COMPLEX_STEP)
    better = Finding(finding.direction, finding.analytic, sharp, SEVERAL * own, finding.line, SEVERAL * found.bound)
    if better.wrong:
        return better if _is_fault(comparison, better, own) else finding
    comparison.analytic_function = True
    return better if own < found.bound else finding


def _is_fault(comparison: Comparison, finding: Finding, own: float) -> bool:
    """Whether a difference that the complex step alone shows is a fault.

    The function must be analytic around x (no negative powers on a circle), its derivative by Cauchy's integral must
    agree, and rounding must not explain the difference.
    """
    u = finding.direction
    circle = around(comparison.problem, comparison.weights, comparison.base, u, CIRCLE)
    if circle is None:
        return False
    derivative, negative = circle
    noise = EPSILON * norm(comparison.weights * comparison.base) / CIRCLE
    explained = own + noise + negative + abs(derivative - finding.found.value) + scatter(comparison, u, finding.error)
    return bool(finding.error > SEVERAL * 2 * explained)
