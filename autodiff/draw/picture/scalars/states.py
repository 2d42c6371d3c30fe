"""What the gradient of a single number says, where there are many of its kind."""

from __future__ import annotations

from ..aggregates import copies
from ..model import Picture
from ..repeats import QUIET

SHARE = 0.1
"""Among many numbers some gradients are small by chance: they are pointed at if so many of their kind are."""


def overlook(picture: Picture) -> None:
    """Take the state of a small gradient from numbers whose copies in a repeat, or all that are in none, have none."""
    repeats = copies(picture)
    repeated = {i for alike in repeats.values() for i in alike}
    for alike in (*repeats.values(), [i for i in range(len(picture.boxes)) if i not in repeated]):
        boxes = [picture.boxes[i] for i in alike]
        found = [box for box in boxes if box.state in QUIET and box.shape == ()]
        if len(found) < SHARE * len(boxes):
            for box in found:
                box.state = ""
