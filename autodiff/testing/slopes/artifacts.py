"""Differences that are artifacts and no evidence: staircases, jumps near x, waves shorter than the steps."""

from __future__ import annotations

from ..thresholds import AGREE, CERTAIN, NEGLIGIBLE, QUICK, STEEPEST, TOO_LARGE
from .extrapolation import Estimate, seen_noise
from .line import Row

TOO_NEAR = "the function jumps or bends so near to x that only the finest steps stay clear of it"
TOO_FAST = "f changes more over the finest step than rounding explains: no step is small enough"
SMALL = 2.0 ** -QUICK[0]
"""Beside the size of x: steps that are larger may be larger than what f does around x."""
HIDDEN = (
    "noise floor: rounding hides the slope at every step up to the size of x, and larger ones may leave what f "
    "does there"
)
STAIRS = (
    "at fine steps the values stand still, and move in small jumps: single precision inside of f, an iteration that "
    "stops early, or a staircase"
)
"""The slope of a staircase is 0; of the others it is that of larger steps.  From outside they look the same."""


def artifact(rows: list[Row], finer: list[Row], found: Estimate, analytic: float, terms: float) -> str:
    """Why a slope that speaks against a gradient says nothing; empty if it does.

    ``finer`` are rows of steps beyond those of the table, ``terms`` is the size of gradient times direction.
    """
    if _contradicted(rows[-2:], found.value, analytic) or _jumps_beside(rows, found, analytic):
        return TOO_NEAR
    clear = [row for row in finer if AGREE * row.noise < abs(row.central - found.value) / 2]
    if len(clear) > 1 and _contradicted(clear, found.value, analytic):
        return TOO_FAST
    return TOO_FAST if _varies_too_fast(rows, terms) else ""


def stands_on_stairs(rows: list[Row], size: float, fine: Estimate, analytic: float | None = None) -> bool:
    """Whether larger steps show another slope than the ``fine`` ones, over jumps so small that they may be rounding.

    Apart from the fine slope the values stand still there.  The other slope must be what the gradient says, where that
    is given.  ``size`` is that of the values.
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
    """Whether f jumps between x and the points that gave the slope, by as much as is in question.

    The second difference of a function that does not jump shrinks with the step.
    """
    near = [row for row in rows if row.step <= found.step]
    second = [(abs(row.right - row.left) * row.step, row.noise * row.step) for row in near]
    least = abs(found.value - analytic) * found.step
    return any(
        min(a, b, c) > max(a, b, c) / 2 and c > max(CERTAIN * noise, least)
        for (a, _), (b, _), (c, noise) in zip(second, second[1:], second[2:], strict=False)
    )


def _contradicted(finest: list[Row], value: float, analytic: float) -> bool:
    """Whether the finest rows are for the gradient and against the slope that the coarser ones gave."""
    return all(
        abs(row.central - analytic) <= max(AGREE * row.noise, abs(row.central - value) * NEGLIGIBLE)
        and AGREE * row.noise < abs(row.central - value) / 2
        for row in finest
    )


def _varies_too_fast(rows: list[Row], terms: float) -> bool:
    """Whether what looks like noise, far above rounding, may be the change of f over the finest of the steps."""
    seen = seen_noise(rows) or 0.0
    rounding = min(row.noise * row.step for row in rows)
    return TOO_LARGE * rounding < seen < AGREE * rows[-1].step * terms


def hidden(rows: list[Row], found: Estimate, analytic: float) -> bool:
    """Whether the slope was found at steps beyond the size of x alone, and small ones cannot tell the two apart."""
    return found.step > 1.0 and all(abs(r.central - analytic) <= AGREE * r.noise for r in rows if r.step <= SMALL)
