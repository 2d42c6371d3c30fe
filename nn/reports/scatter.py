"""Predicted against true values as an SVG picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from .curve import ticks

SIDE, LEFT, BOTTOM, MARGIN = 340, 70, 46, 12
MOST = 2000
"""So many points are drawn at most."""


def scatter(true: Sequence[float], predicted: Sequence[float], along: str, up: str) -> str:
    """Points (true, predicted), and the line on which the two are equal.

    >>> scatter([1.0, 2.0], [1.1, 1.9], "price", "predicted").count("<circle")
    2
    """
    step = -(-len(true) // MOST) or 1
    points = [(x, y) for x, y in zip(true[::step], predicted[::step], strict=True) if math.isfinite(x + y)]
    values = [v for point in points for v in point] or [0.0, 1.0]
    marks = ticks(min(values), max(values), 4)
    low, high = marks[0], marks[-1]
    size = SIDE - LEFT - MARGIN
    bottom = SIDE - BOTTOM

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * size

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - MARGIN)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}">']
    parts.append(
        "<style>text{font:12px sans-serif;fill:currentColor}.grid{stroke:#8884}.same{stroke:#888;stroke-dasharray:4 3}"
        "circle{fill:#0072b2;fill-opacity:.5}</style>"
    )
    for mark in marks:
        parts.append(f'<path class="grid" d="M{x(mark):.1f} {MARGIN}V{bottom}M{LEFT} {y(mark):.1f}H{SIDE - MARGIN}"/>')
        parts.append(f'<text x="{x(mark):.1f}" y="{bottom + 16}" text-anchor="middle">{mark:g}</text>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:g}</text>')
    parts.append(f'<path class="same" d="M{x(low):.1f} {y(low):.1f}L{x(high):.1f} {y(high):.1f}"/>')
    parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.5"/>' for a, b in points]
    middle = MARGIN + (bottom - MARGIN) / 2
    parts.append(f'<text x="{LEFT + size / 2}" y="{SIDE - 8}" text-anchor="middle">{escape(along)}</text>')
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(up)}</text>'
    )
    return "".join([*parts, "</svg>"])
