"""Differences that do not count as evidence: staircases, jumps near x, waves shorter than the steps."""

from __future__ import annotations

from ..thresholds import AGREE, CERTAIN, NEGLIGIBLE, SMALL, STEEPEST, TOO_LARGE
from .extrapolation import Estimate, seen_noise
from .line import Row

TOO_NEAR = "the function jumps or bends so near to x that only the finest steps stay clear of it"
TOO_FAST = "f changes more over the finest step than rounding explains: no step is small enough"
HIDDEN = (
    "noise floor: rounding hides the slope at every step up to the size of x, and larger ones may leave what f "
    "does there"
)
STAIRS = (
    "at fine steps the values stand still, and move in small jumps: single precision inside of f, an iteration that "
    "stops early, or a staircase"
)
"""A staircase has slope 0; the others have the slope of larger steps.  Their values look the same."""


def artifact(rows: list[Row], finer: list[Row], found: Estimate, analytic: float, terms: float) -> str:
    """The reason why a numeric slope is no evidence against a gradient; empty if it is.

    ``finer`` are rows of steps beyond those of the table, ``terms`` is the size of gradient times direction.
    """
    if _jumps_beside(rows, found, analytic):
        return TOO_NEAR
    # the finest steps that can tell the two slopes apart
    clear = [r for r in rows + finer if AGREE * r.noise < abs(r.central - found.value) / 2 and r.step < found.step][-2:]
    near = [abs(r.central - analytic) <= max(AGREE * r.noise, abs(r.central - found.value) * NEGLIGIBLE) for r in clear]
    if len(clear) == 2 and all(near):
        return TOO_NEAR if clear[-1] in rows else TOO_FAST
    return TOO_FAST if _varies_too_fast(rows, terms) else ""


def stands_on_stairs(rows: list[Row], size: float, fine: Estimate, analytic: float | None = None) -> bool:
    """Whether larger steps show another slope than the ``fine`` ones, over jumps so small that they may be rounding.

    Between the jumps the values change with the fine slope alone.  If the ``analytic`` slope is given, the larger steps
    must show it.  ``size`` is the size of the values.
    """
    apart = [max(abs(row.left - fine.value), abs(row.right - fine.value)) for row in rows]
    moving = [i for i in range(len(rows)) if apart[i] > 4 * rows[i].noise + fine.bound]
    if not moving or moving[-1] > len(rows) - 3:
        return False
    jump = max(apart[i] * rows[i].step for i in moving[-3:])
    both = [min(abs(row.left - fine.value), abs(row.right - fine.value)) * row.step for row in rows]
    clear = [rows[i] for i in range(moving[-1]) if both[i] > 16 * jump][-3:]
    if len(clear) < 3 or apart[moving[-1]] * rows[moving[-1]].step > STEEPEST * size:
        return False
    other = clear[-1].central if analytic is None else analytic
    near = abs(other - fine.value) * NEGLIGIBLE
    return all(
        abs(row.central - other) <= 2 * jump / row.step + near
        and abs(row.right - row.left) <= 4 * jump / row.step + 4 * near
        for row in clear
    )


def _jumps_beside(rows: list[Row], found: Estimate, analytic: float) -> bool:
    """Whether f jumps between x and the points that gave the slope, by enough to explain the difference.

    The second difference of a continuous function shrinks with the step.
    """
    near = [row for row in rows if row.step <= found.step]
    second = [(abs(row.right - row.left) * row.step, row.noise * row.step) for row in near]
    least = abs(found.value - analytic) * found.step
    return any(
        min(a, b, c) > max(a, b, c) / 2 and c > max(CERTAIN * noise, least)
        for (a, _), (b, _), (c, noise) in zip(second, second[1:], second[2:], strict=False)
    )


def _varies_too_fast(rows: list[Row], terms: float) -> bool:
    """Whether scatter far above rounding may be a change of f over the finest step."""
    seen = seen_noise(rows) or 0.0
    rounding = min(row.noise * row.step for row in rows)
    return TOO_LARGE * rounding < seen < AGREE * rows[-1].step * terms


def hidden(rows: list[Row], found: Estimate, analytic: float) -> bool:
    """Whether only steps larger than x gave the slope, and smaller ones cannot tell it from the gradient."""
    return found.step > 1.0 and all(abs(r.central - analytic) <= AGREE * r.noise for r in rows if r.step <= SMALL)
