"""Curves over epochs as an SVG picture, drawn without any other package; on a page they can be looked at closely."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Panel = Mapping[str, Sequence[float]]

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 40, 46
# Colours that stay apart for colour-blind eyes and on light and dark pages; every second line is dashed as well.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#888888")
_STYLE = (
    "<style>text{font:12px sans-serif;fill:#333}.axis{stroke:#333;fill:none}.grid{stroke:#8884;fill:none}"
    ".paper{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#ddd}.paper{fill:#1b1b1b}}</style>"
)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round numbers, from at most ``low`` to at least ``high``.

    >>> ticks(0.0, 0.87)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        low, high = low - (abs(low) or 1.0) / 2, low + (abs(low) or 1.0) / 2
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 2.5, 5, 10) if rough <= m * power * (1 + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.6g}"


def _finite(values: Sequence[float]) -> list[tuple[int, float]]:
    """The finite points, each with its epoch."""
    return [(i, v) for i, v in enumerate(values, 1) if math.isfinite(v)]


class _Axes:
    """The map of one panel from epochs and values to points of the picture."""

    def __init__(self, panel: Panel, shift: float) -> None:
        values = [v for series in panel.values() for _, v in _finite(series)] or [0.0, 1.0]
        self.y_ticks = ticks(min(values), max(values))
        self.epochs = max((len(series) for series in panel.values()), default=1)
        self.x_ticks = [int(t) for t in ticks(1, max(self.epochs, 2)) if t == int(t) and 1 <= t <= self.epochs] or [1]
        self.left, self.right = shift + LEFT, shift + WIDTH - RIGHT

    def x(self, epoch: float) -> float:
        return self.left + (epoch - 1) / max(self.epochs - 1, 1) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self.y_ticks[0], self.y_ticks[-1]
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - TOP)


def _frame(axes: _Axes, title: str, along: str) -> list[str]:
    bottom = HEIGHT - BOTTOM
    middle = (axes.left + axes.right) / 2
    parts = [
        f'<path class="axis" d="M{axes.left:.1f} {TOP}V{bottom}H{axes.right:.1f}"/>',
        f'<text x="{middle:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{along}</text>',
        f'<text x="{axes.left:.1f}" y="{TOP - 20}" style="font-weight:bold">{escape(title)}</text>',
        '<g class="ticks">',
    ]
    for value in axes.y_ticks:
        y = axes.y(value)
        parts.append(f'<path class="grid" d="M{axes.left:.1f} {y:.1f}H{axes.right:.1f}"/>')
        parts.append(f'<text x="{axes.left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for epoch in axes.x_ticks:
        parts.append(f'<text x="{axes.x(epoch):.1f}" y="{bottom + 18}" text-anchor="middle">{epoch}</text>')
    return [*parts, "</g>"]


def _lines(axes: _Axes, panel: Panel) -> list[str]:
    parts = ['<g class="lines">']
    for i, series in enumerate(panel.values()):
        points = _finite(series)
        path = " ".join(f"{axes.x(epoch):.1f},{axes.y(value):.1f}" for epoch, value in points)
        if len(points) == 1:
            epoch, value = points[0]
            parts.append(f'<circle cx="{axes.x(epoch):.1f}" cy="{axes.y(value):.1f}" r="3" fill="{_colour(i)}"/>')
        parts.append(f'<polyline points="{path}" fill="none" stroke="{_colour(i)}" stroke-width="2"{_dash(i)}/>')
    return [*parts, "</g>"]


def _legend(axes: _Axes, panel: Panel) -> list[str]:
    parts = []
    for i, name in enumerate(panel):
        x, y = axes.left + 110 * i + 4, TOP - 8
        parts.append(f'<path d="M{x:.1f} {y}h20" stroke="{_colour(i)}" stroke-width="2"{_dash(i)}/>')
        parts.append(f'<text x="{x + 25:.1f}" y="{y + 4}">{escape(name)}</text>')
    return parts


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]


def _dash(i: int) -> str:
    return ' stroke-dasharray="6 3"' if i % 2 else ""


def swatch(i: int) -> str:
    """The colour and the dashes of the line of this number, as a small picture.

    >>> swatch(0).count("stroke-dasharray"), swatch(1).count("stroke-dasharray")
    (0, 1)
    """
    line = f'<path d="M1 6h26" stroke="{_colour(i)}" stroke-width="3"{_dash(i)}/>'
    return f'<svg width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">{line}</svg>'


def svg(panels: Mapping[str, Panel], *, along: str = "epoch", live: bool = False, legend: bool = True) -> str:
    """An SVG document with one panel for each quantity: title -> name of a line -> its value in each epoch.

    Values that are not finite leave a gap.  ``along`` is the name of the axis, if it does not count epochs.  With
    ``live`` it holds the numbers as well, for the script of :func:`closely` on the same page.

    >>> svg({"loss": {"training": [2.0, 1.0], "validation": [2.1, 1.4]}}).count("<polyline")
    2
    """
    width = WIDTH * max(len(panels), 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}">',
        _STYLE,
        f'<rect class="paper" width="{width}" height="{HEIGHT}"/>',
    ]
    for i, (title, panel) in enumerate(panels.items()):
        axes = _Axes(panel, WIDTH * i)
        inner = _frame(axes, title, escape(along)) + _lines(axes, panel) + (_legend(axes, panel) if legend else [])
        parts += [f"<g data-curves={quoteattr(_numbers(axes, panel, along))}>", *inner, "</g>"] if live else inner
    return "\n".join([*parts, "</svg>\n"])


def _numbers(axes: _Axes, panel: Panel, along: str) -> str:
    """What the script needs of a panel, as JSON."""
    lines = [
        {"name": name, "colour": _colour(i), "values": [v if math.isfinite(v) else None for v in series]}
        for i, (name, series) in enumerate(panel.items())
    ]
    box = {"left": axes.left, "right": axes.right, "top": TOP, "bottom": HEIGHT - BOTTOM}
    domain = {"first": 1, "last": max(axes.epochs, 2), "low": axes.y_ticks[0], "high": axes.y_ticks[-1]}
    return json.dumps({"along": along, "lines": lines, **box, **domain}, separators=(",", ":"))


def closely() -> str:
    """The script of a page with curves: values under the pointer, and a stretch of epochs by dragging over it."""
    return (Path(__file__).parent / "curves.js").read_text(encoding="utf-8")
