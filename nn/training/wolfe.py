"""A line search: a step length that satisfies the strong Wolfe conditions.

f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|.  Source: J. Nocedal, S. Wright, "Numerical optimization" (2006),
algorithms 3.5 and 3.6; choices and limits are those of PyTorch, which follows minFunc by M. Schmidt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Array = Any


class Point(NamedTuple):
    """A step length, the value there, the gradient, and the slope along the direction."""

    t: float
    value: float
    gradient: Array
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, size: float, tolerance: float, limit: int,
    c1: float = 1e-4, c2: float = 0.9,
) -> tuple[Point, int]:  # fmt: skip
    """A point that satisfies the conditions, or the best one found, and how often ``evaluate`` was called.

    ``size`` is the largest element of the direction: an interval shorter than ``tolerance / size`` is not divided.
    """
    previous, new, made = start, evaluate(t), 0

    def is_high(point: Point, than: float) -> bool:
        return point.value > start.value + c1 * point.t * start.slope or point.value >= than

    while True:
        if made >= limit:
            ends = [start, new]
            break
        if is_high(new, previous.value if made > 1 else math.inf) or math.isnan(new.value):
            ends = [previous, new]
            break
        if abs(new.slope) <= -c2 * start.slope:
            return new, made + 1
        if new.slope >= 0:
            ends = [previous, new]
            break
        bounds = new.t + 0.01 * (new.t - previous.t), new.t * 10.0
        previous, new = new, evaluate(_cubic(previous, new, bounds))
        made += 1
    low = 0 if ends[0].value <= ends[1].value or math.isnan(ends[1].value) else 1
    stuck = False
    while made < limit and abs(ends[1].t - ends[0].t) * size >= tolerance:
        t, stuck = _inside(ends, stuck)
        new = evaluate(t)
        made += 1
        high = 1 - low
        if is_high(new, ends[low].value) or math.isnan(new.value):
            ends[high] = new
            low = 0 if ends[0].value <= ends[1].value or math.isnan(ends[1].value) else 1
            continue
        done = abs(new.slope) <= -c2 * start.slope
        if not done and new.slope * (ends[high].t - ends[low].t) >= 0:
            ends[high] = ends[low]
        ends[low] = new
        if done:
            break
    return ends[low], made + 1


def _inside(ends: list[Point], stuck: bool) -> tuple[float, bool]:
    """The next length to try between two, and whether it is close to one of them; not twice in a row."""
    least, most = sorted((ends[0].t, ends[1].t))
    t, margin = _cubic(ends[0], ends[1], (least, most)), 0.1 * (most - least)
    if min(most - t, t - least) >= margin:
        return t, False
    if not stuck and least < t < most:
        return t, True
    return (most - margin if abs(t - most) < abs(t - least) else least + margin), False


def _cubic(a: Point, b: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through two values and slopes is least, within bounds; their middle if it has no such place."""
    first, second = (a, b) if a.t <= b.t else (b, a)
    width = second.t - first.t
    if not width:
        return sum(bounds) / 2.0
    d1 = first.slope + second.slope - 3.0 * (first.value - second.value) / (first.t - second.t)
    square = d1 * d1 - first.slope * second.slope
    if not square >= 0:
        return sum(bounds) / 2.0
    d2 = math.sqrt(square)
    below = second.slope - first.slope + 2.0 * d2
    at = second.t - width * ((second.slope + d2 - d1) / below) if below else math.nan
    return min(max(at, bounds[0]), bounds[1]) if math.isfinite(at) else sum(bounds) / 2.0
