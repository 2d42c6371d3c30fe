"""One direction: does the gradient agree with the slope of the function, as far as the slope is known?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..thresholds import BETWEEN, CLEARLY, FINE, FINEST, LARGER, QUICK, RESOLVED, SEVERAL, THREE_DIGITS
from ..vectors import norm, powers
from . import artifacts
from .artifacts import HIDDEN, STAIRS
from .comparison import Comparison
from .confirmation import sharpened
from .extrapolation import Estimate, kink_interval, look, scrutinise
from .finding import Finding
from .generalized import around
from .line import Line
from .uncertainty import scatter

Array = Any


def examine(comparison: Comparison, u: Array, thorough: bool = False) -> Finding:
    """Compare the two slopes along one direction.

    A kink or a difference is examined again over all decades of the step, unless the complex step confirms the
    difference.  If ``thorough``, the difference must also exceed the rounding of the gradient.
    """
    line = comparison.line(u)
    terms = np.abs(comparison.safe * u)
    own = comparison.own_error(u) + comparison.tolerance * norm(terms)
    some = terms[terms > 0]
    wanted = 0.1 * RESOLVED / SEVERAL * float(np.median(some)) if some.size else 0.0
    finding = comparison.finding(line, u, look(line, wanted, QUICK if thorough else comparison.steps), own)
    bent = kink_interval(line.table) is not None or not (thorough or _goes_on(comparison, finding))
    if finding.wrong and not bent:
        sure = sharpened(comparison, finding, own, thorough)
        if sure is not finding:
            return _generalized(comparison, sure)
    if bent or not finding.settled:
        finding = _scrutinised(comparison, line, u, own)
        if finding.wrong and finding.found.kink is None:
            return _difference(comparison, finding, own)
        if finding.settled and _may_be_stairs(comparison, finding):
            return finding._replace(found=finding.found._replace(reason=STAIRS))
    if finding.settled:
        _remember(comparison, finding)
        finding = sharpened(comparison, finding, own)
    return _generalized(comparison, finding) if finding.wrong else finding


def _scrutinised(comparison: Comparison, line: Line, u: Array, own: float) -> Finding:
    """The finding from all decades of the step, with the known rounding inside of f."""
    finding = comparison.finding(line, u, scrutinise(line), own)
    if line.inside or (finding.settled and all(row.moved for row in line.table)) or comparison.inside is None:
        return finding
    line.know(comparison.inside.size)
    return comparison.finding(line, u, scrutinise(line), own)


def _may_be_stairs(comparison: Comparison, finding: Finding) -> bool:
    """Whether larger steps show another slope, and the fine ones may be hidden by rounding inside of f.

    A function whose operations are all declared constant, as floor is, has slope 0.
    """
    if comparison.inside is not None and not comparison.inside.size:
        return False
    # a slope that only steps beyond the size of x show is that of larger steps already
    return finding.found.step <= 1.0 and _on_stairs(comparison, finding)


def _on_stairs(comparison: Comparison, finding: Finding, analytic: float | None = None) -> bool:
    finding.line.measure(LARGER)
    return artifacts.stands_on_stairs(finding.line.table, comparison.size, finding.found, analytic)


def _goes_on(comparison: Comparison, finding: Finding) -> bool:
    """Whether a fine step shows the slope of the first steps, as it does not on a staircase."""
    if not finding.settled or finding.found.step == np.inf:
        return True
    line, found = finding.line, finding.found
    line.measure((FINE,))
    row = next((row for row in line.table if row.step == 2.0**-FINE), None)
    if row is None:
        return True
    allowed = CLEARLY * row.noise + 2 * found.bound + THREE_DIGITS * norm(comparison.safe * finding.direction)
    return abs(row.central - found.value) <= allowed


def _difference(comparison: Comparison, finding: Finding, own: float) -> Finding:
    """The finding of a difference, with artifacts, kinks and the rounding of the gradient taken into account."""
    u, found, line = finding.direction, finding.found, finding.line
    reason = artifact(comparison, finding)
    if reason:
        return finding._replace(found=found._replace(reason=reason))
    general = _generalized(comparison, finding)
    if not general.wrong:
        return general
    found = _seen_again(comparison, u, found)
    own += SEVERAL * scatter(comparison, u, finding.error)
    finding = comparison.finding(line, u, found, own)
    if finding.wrong and artifacts.hidden(line.table, found, finding.analytic):
        return finding._replace(found=found._replace(reason=HIDDEN))
    return sharpened(comparison, finding, own)


def artifact(comparison: Comparison, finding: Finding) -> str:
    """The reason why the table of steps is no evidence against the gradient; empty if it is."""
    finer = comparison.line(finding.direction)
    finer.measure(FINEST)
    if _on_stairs(comparison, finding, finding.analytic):
        return STAIRS
    terms = norm(comparison.safe * finding.direction)
    return artifacts.artifact(finding.line.table, finer.table, finding.found, finding.analytic, terms)


def _generalized(comparison: Comparison, finding: Finding) -> Finding:
    """The finding of a difference, or of a kink at x if the slopes around it include the gradient."""
    interval = around(comparison, finding.direction)
    if interval is None or not interval.holds(finding.analytic):
        return finding
    kink = min(interval.low, finding.analytic), max(interval.high, finding.analytic)
    return finding._replace(found=finding.found._replace(bound=interval.error, kink=kink))


def _seen_again(comparison: Comparison, u: Array, found: Estimate) -> Estimate:
    """The slope with an error that covers what other steps show: that two orders agreed may have been luck.

    If rounding hides the difference at the other steps, the difference is not confirmed.
    """
    factor = _other_digits(comparison, u)
    other = scrutinise(comparison.line(factor * u))
    if other.reason:
        return found._replace(reason=other.reason)
    value, bound = other.value / factor, other.bound / factor
    return found._replace(bound=max(found.bound, abs(found.value - value) - bound, bound / SEVERAL))


def _other_digits(comparison: Comparison, u: Array) -> float:
    """A factor that makes other steps of ``u``, for a single element with other digits as well.

    The rounding of a product depends on the digits of both numbers.  Steps that are powers of two apart have the same
    digits, so rounding may fall the same way at all of them, and look like a slope.
    """
    (members,) = np.nonzero(u)
    if len(members) > 1:
        return BETWEEN
    size = np.abs(u[members])
    return float(np.abs(comparison.direction(members, scales=powers(size))[members] / size)[0])


def _remember(comparison: Comparison, finding: Finding) -> None:
    """Begin the next line with the steps that gave this slope, if they are not the first ones."""
    last = -int(np.log2(finding.found.step)) if np.isfinite(finding.found.step) else QUICK[-1]
    if not QUICK[0] < last <= QUICK[-1]:
        comparison.steps = tuple(range(last - 6, last + 1, 2))
