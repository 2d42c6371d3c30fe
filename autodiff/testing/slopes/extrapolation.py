"""Slopes of a function along a line, each with an estimate of its own error.  Pure NumPy.

A line is ``F(x + t u)``, a vector for every real t, and the slope wanted is that of ``phi(t) = <v, F(x + t u)>`` at 0.
Central differences at steps ``t = 2^-k``, four times smaller from one row to the next, are extrapolated (Richardson).
Two errors fight: truncation, seen in the difference between two orders of extrapolation, and rounding, which is
the noise of ``phi`` divided by t.  Neither is assumed: an estimate must agree with every finer row within the
noise of that row (Lepskii's principle), which no step that is too large for the function survives.

Sources: L. F. Richardson (1911); C. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", 1982; O. V. Lepskii,
"On a problem of adaptive estimation in Gaussian white noise", 1991; W. Squire, G. Trapp, "Using complex
variables to estimate derivatives of real functions", 1998.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np

from ..thresholds import (
    AGREE,
    BENT,
    CERTAIN,
    CLEARLY,
    COARSER,
    FINER,
    FINER_GROUPS,
    GROWS,
    KINK_SIZE,
    KINK_STEP,
    NEGLIGIBLE,
    QUICK,
    ROWS,
    SEEN_FROM,
    SMALL,
    STAYS,
    STRIDE,
    TRUNCATION_GONE,
    TRUNCATION_LONG_GONE,
)
from .line import Line, Row

Array = Any

EDGE = "the function is not finite on both sides of x: x is at the edge of its domain"
UNSETTLED = "the slopes do not settle as the step shrinks: f is not smooth at x, or too noisy"


class Estimate(NamedTuple):
    """A slope and what is known of its error; ``reason`` is empty where it can be trusted."""

    value: float
    bound: float
    step: float
    reason: str = ""
    kink: tuple[float, float] | None = None


def seen_noise(rows: list[Row]) -> float | None:
    """The rounding error of the values as the finest rows show it; None if there are too few rows.

    In the finest rows slopes differ by rounding alone.  Truncation makes their differences 16 times smaller from row to
    row, rounding makes them grow.  An output that does not change there, and changes in another row, is held by its
    own rounding, which does not show.
    """
    most = max((row.moved for row in rows), default=0)
    fine = [row for row in rows if row.step <= TRUNCATION_GONE and row.moved == most > 0]
    gaps = [(abs(a.central - b.central), b.step) for a, b in pairwise(fine)]
    seen = max((gap * t for (before, _), (gap, t) in pairwise(gaps) if gap > before * NEGLIGIBLE), default=0.0)
    return seen if sum(row.step <= TRUNCATION_LONG_GONE for row in fine) >= ROWS else None


def noise_of(rows: list[Row]) -> tuple[list[float], list[float]]:
    """The noise of each row's slope: its bound, and what is believed.

    The bound is that of the rounding, or more if the finest rows show more.  Where steps are not large, these rows are
    believed even if they show less: so the truncation error of a step that is too large cannot pass for noise.
    """
    seen = seen_noise(rows)
    shown = [(seen or 0.0) / row.step for row in rows]
    bound = [max(row.noise, s) for row, s in zip(rows, shown, strict=True)]
    if seen is None:
        return bound, bound
    pairs = zip(rows, shown, bound, strict=True)
    return bound, [b if row.step >= SEEN_FROM else max(s, row.inside) for row, s, b in pairs]


class _Candidate(NamedTuple):
    value: float
    bound: float
    first: int  # the number of the first row it uses
    last: int


def _candidates(rows: list[Row], noise: list[float]) -> list[_Candidate]:
    """Every entry of the Richardson tableau; the error is what the last order of extrapolation changed, and noise."""
    found = []
    level = [row.central for row in rows]
    for order in range(1, min(4, len(rows))):
        factor = 16.0**order
        better = [(factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(level)]
        for i, value in enumerate(better):
            last = i + order
            if rows[i].step / rows[last].step == 4.0**order:
                unsettled = 0.0
                if i:  # a single small difference may be luck; one that grew is no convergence at all
                    grew = abs(level[i + 1] - level[i]) > abs(level[i] - level[i - 1])
                    unsettled = abs(value - better[i - 1]) * (1.0 if grew else 1 / 16)
                truncation = max(abs(value - level[i + 1]), unsettled)
                found.append(_Candidate(value, truncation + AGREE * noise[last], i, last))
        level = better
    return found


def estimate(rows: list[Row]) -> Estimate:
    """The best slope that these rows support."""
    if len(rows) < 3:
        return Estimate(np.nan, np.inf, np.nan, EDGE)
    if all(not row.moved for row in rows):
        # it did not move: that much it may have.  At larger steps a function that is bounded does not move either
        near = next((row for row in rows if row.step <= SMALL), rows[-1])
        return Estimate(0.0, AGREE * near.noise, near.step)
    noise, believed = noise_of(rows)
    allowed = [
        AGREE * believed[i] + (abs(rows[i].central - rows[i - 1].central) / 4 if i else np.inf)
        for i in range(len(rows))
    ]
    best: _Candidate | None = None
    for candidate in _candidates(rows, noise):
        # a step that did not move the function says that the slope is below its noise: sign(x) has slope 0 at 2, though
        # steps that reach beyond 0 show another
        consistent = all(
            abs(candidate.value - rows[i].central)
            <= candidate.bound + (allowed[i] if rows[i].moved else AGREE * max(noise[i], rows[i].noise))
            for i in range(candidate.last + 1, len(rows))
        )
        if consistent and (best is None or candidate.bound < best.bound):
            best = candidate
    if best is None:
        return Estimate(np.nan, np.inf, np.nan, UNSETTLED)
    return Estimate(best.value, best.bound, rows[best.last].step)


def kink_interval(rows: list[Row]) -> tuple[float, float, float] | None:
    """(low, high, error) if the slopes to the left and to the right stay apart as the step shrinks.

    For a smooth function their difference is proportional to the step.  The interval contains, for each output, all
    values between its two slopes.
    """
    if len(rows) < 3:
        return None
    _, noise = noise_of(rows)
    useful = [(r, n) for r, n in zip(rows, noise, strict=True) if r.moved and r.high - r.low > BENT * max(n, r.noise)]
    if len(useful) < 3 or useful[-1][0].step > KINK_STEP:
        return None
    # the finest row is often noisy: judge where noise is small and the step as well
    (first, _), (before, _), (last, _) = useful[-3:]
    gaps = [row.high - row.low for row in (first, before, last)]
    if gaps[2] < KINK_SIZE * max(abs(last.low), abs(last.high)):
        return None
    if gaps[1] < STAYS * gaps[0] or gaps[2] < STAYS * gaps[1] or gaps[2] > 2 * gaps[1]:
        return None
    for row, n in zip(rows, noise, strict=True):  # a kink is at x: it shows at every step that is not lost in noise
        if row.step < last.step and CLEARLY * n < gaps[2] and row.high - row.low < gaps[2] / 2:
            return None
    found = [
        (abs(fine.low - coarse.low) + abs(fine.high - coarse.high) + AGREE * error, fine.low, fine.high)
        for (coarse, _), (fine, error) in pairwise(useful)
    ]
    finest = found[-1][0]  # of those that agree with it, the interval that is known best
    agree = [(e, a, b) for e, a, b in found if max(abs(a - last.low), abs(b - last.high)) <= e + finest]
    error, low, high = min(agree)
    return low, high, error


def jumps(rows: list[Row]) -> bool:
    """Whether the function jumps at x: its change does not shrink with the step."""
    finest = rows[-3:]
    changes = [max(abs(row.left), abs(row.right)) * row.step for row in finest]
    noise = finest[-1].noise * finest[-1].step
    return min(changes) > STAYS * max(changes) and min(changes) > CERTAIN * noise


def diverges(rows: list[Row]) -> bool:
    """Whether the slopes grow without end as the step shrinks, as for a cube root at 0."""
    clear = [max(abs(r.left), abs(r.right)) for r in rows if max(abs(r.left), abs(r.right)) > CLEARLY * r.noise]
    return len(clear) >= 8 and all(GROWS[0] < fine / coarse < GROWS[1] for coarse, fine in pairwise(clear[-8:]))


def look(line: Line, wanted: float, first: tuple[int, ...] = QUICK) -> Estimate:
    """A first estimate from a few rows: with coarser ones if rounding dominates, with finer ones if it does not settle.

    ``wanted`` is the error that is small enough, ``first`` the steps to begin with.
    """
    line.measure(first)
    found = estimate(line.table)
    if found.bound <= wanted:
        return found
    if not found.reason and _is_noisy(line, found):
        return _coarser(line, found, wanted)
    for steps in FINER_GROUPS:
        before = found
        line.measure(steps)
        found = estimate(line.table)
        if found.bound <= wanted or (not found.reason and found.bound > before.bound / 2):
            break
    return found


def _is_noisy(line: Line, found: Estimate) -> bool:
    """Whether rounding limits this estimate, so that larger steps give a better one."""
    return AGREE * min((row.noise for row in line.table), default=0.0) > found.bound * NEGLIGIBLE


def _coarser(line: Line, found: Estimate, wanted: float) -> Estimate:
    """The estimate with larger steps, as long as they improve it, or f does not change and should."""
    worse = 0
    for k in chain(COARSER, _farther(line, wanted)):
        if line.measure((k,)) == [None]:
            break
        now = estimate(line.table)
        if wanted <= 0.0 or any(row.moved for row in line.table):
            worse = worse + 1 if now.bound >= found.bound else 0
        found = min(found, now, key=lambda e: e.bound)
        if worse == 3 or found.bound <= wanted:
            break
    return found


def _farther(line: Line, wanted: float) -> Iterator[int]:
    """Steps beyond the coarser ones, up to a change by 1, at which a function of a small argument may change."""
    k = COARSER[-1]
    while wanted > 0.0 and 2.0**-k * line.reach < 1.0 and not any(row.moved for row in line.table):
        k -= STRIDE
        yield k
    if k < COARSER[-1]:  # all between the first step that moves it and the last that does not
        yield from range(k + STRIDE - 2, k, -2)
        yield from range(k - 2, k - STRIDE - 1, -2)


def scrutinise(line: Line) -> Estimate:
    """The slope from all decades of the step, for a line on which something seems wrong."""
    line.measure((*QUICK, *FINER))
    if line.measure(FINER_GROUPS[-1]) == [None] * len(FINER_GROUPS[-1]):
        return Estimate(np.nan, np.inf, np.nan, EDGE)
    rows = line.table
    if len(rows) >= 3 and jumps(rows):
        return Estimate(np.nan, np.inf, np.nan, "the function jumps at x: it has no slope there")
    if diverges(rows):
        return Estimate(np.nan, np.inf, np.nan, "the slopes grow without end as the step shrinks")
    kink = kink_interval(rows)
    if kink is not None:
        low, high, error = kink
        return Estimate((low + high) / 2, error, rows[-1].step, "", (low, high))
    found = estimate(rows)
    if (
        not found.reason
        and AGREE * max((r.noise * r.step for r in rows), default=0.0) > found.bound * found.step * NEGLIGIBLE
    ):
        return _coarser(line, found, 0.0)
    return found
