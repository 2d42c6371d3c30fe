"""Places for the labels of arrows, clear of boxes, of titles and of each other.

``formats/page/layout.js`` does the same in the browser.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from .compound import Frame
from .layered import Point

HIGH, BESIDE = 14.0, 5.0
ALONG = (0.3, 0.7, 0.5, 0.4, 0.6, 0.25, 0.75)
"""How far along a stretch of an arrow a label may stand, the best first: not in the middle, so that two have room."""


def place_labels(labels: list[tuple[list[Point], float]], taken: list[Frame]) -> list[Frame]:
    """A frame for each label, given the points of its arrow and its width; ``taken`` is what they must not cover.

    A label for which there is no such place stands on its arrow's longest stretch.
    """
    taken, placed = list(taken), []
    for points, width in labels:
        first, *others = _candidates(points, width)
        frame = next((f for f in (first, *others) if not any(overlap(f, other) for other in taken)), first)
        placed.append(frame)
        taken.append(frame)
    return placed


def overlap(a: Frame, b: Frame) -> bool:
    """Whether two frames have more than an edge in common."""
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _candidates(points: list[Point], width: float) -> Iterator[Frame]:
    """Frames along the arrow, from its longest stretch to its shortest: over it, or beside it where it is upright."""
    for a, b in sorted(itertools.pairwise(points), key=lambda ends: ends[0][1] - ends[1][1]):
        for t in ALONG:
            s = t * t * (3 - 2 * t)
            x, y = a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * (t + s) / 2
            upright = abs(a[0] - b[0]) < 4
            for left in (
                (x + BESIDE, x - BESIDE - width) if upright else (x - width / 2, x + BESIDE, x - BESIDE - width)
            ):
                yield left, y - HIGH / 2, width, HIGH
