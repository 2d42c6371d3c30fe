"""Pictures of what a model saw: blocks for a terminal, and SVG."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ..datasets.picture import grey, resized
from .kinds import Picture

Array = Any
SHADES = " ░▒▓█"
PLAIN = " .:*#"
WIDEST = 64
SIDE = 168
"""Of a picture in an SVG file."""


def blocks(pixels: Array, encoding: str | None = None) -> str:
    """The picture as lines of two characters a pixel, darker for less; plain ones where blocks cannot be printed.

    >>> print(blocks(np.array([[0.0, 0.5, 1.0]]), "utf-8"))
    │  ▒▒██│
    """
    values = grey(np.asarray(pixels, float))
    height, width = values.shape
    if width > WIDEST:
        values = resized(values, max(1, height * WIDEST // width), WIDEST)
    try:
        (SHADES + "│").encode(encoding or getattr(sys.stdout, "encoding", None) or "ascii")
        shades, edge = SHADES, "│"
    except (UnicodeError, LookupError):
        shades, edge = PLAIN, "|"
    places = np.clip(np.rint(values * (len(shades) - 1)), 0, len(shades) - 1).astype(int)
    return "\n".join(edge + "".join(2 * shades[i] for i in row) + edge for row in places.tolist())


def svg(pictures: Sequence[Picture], captions: Sequence[str]) -> str:
    """The pictures as an SVG document, each pixel a square, with its answer below."""
    columns = min(len(pictures), 5)
    width, height = SIDE + 16, SIDE + 44
    rows = -(-len(pictures) // columns)
    size = f'viewBox="0 0 {columns * width} {rows * height}" width="{columns * width}" height="{rows * height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        x, y = i % columns * width + 8, i // columns * height + 8
        parts.append(f'<g transform="translate({x} {y})">{_pixels(picture.pixels)}')
        parts.append(f'<text y="{SIDE + 14}">{escape(picture.name[-28:])}</text>')
        parts.append(f'<text y="{SIDE + 29}">{escape(caption)}</text></g>')
    return "".join([*parts, "</svg>"])


def _pixels(pixels: Array) -> str:
    """Squares of grey or of colours, on black."""
    values = np.clip(np.rint(np.asarray(pixels, float) * 255), 0, 255).astype(int)
    height, width = values.shape[:2]
    side = SIDE / max(height, width)
    parts = [f'<rect width="{side * width:.2f}" height="{side * height:.2f}"/>']
    for (row, column), level in np.ndenumerate(values.sum(axis=2) if values.ndim == 3 else values):
        if level:
            red, green, blue = values[row, column] if values.ndim == 3 else (level,) * 3
            place = f'x="{column * side:.2f}" y="{row * side:.2f}" width="{side + 0.2:.2f}" height="{side + 0.2:.2f}"'
            parts.append(f'<rect {place} fill="#{red:02x}{green:02x}{blue:02x}"/>')
    return "".join(parts)
