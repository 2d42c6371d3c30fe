"""What the blocks of a repeat have together: its first block is drawn, and speaks for all of them."""

from __future__ import annotations

from .measure import Measure, merged
from .picture import Picture, Together
from .scene import stand_ins


def gather(picture: Picture) -> None:
    """Note in each box of a first block what all the boxes that it stands for measured.  Linear in the boxes."""
    if all(b.value is None and b.gradient is None and not (b.kept or b.forward or b.backward) for b in picture.boxes):
        return
    stands_for = stand_ins(picture, [g for g in picture.preorder() if picture.groups[g].kind == "repeat"])
    alike: dict[int, list[int]] = {}
    for i in range(len(picture.boxes)):
        first = i
        while first in stands_for:
            first = stands_for[first]
        if first != i:
            alike.setdefault(first, [first]).append(i)
    for first, members in alike.items():
        boxes = [picture.boxes[i] for i in members]
        gradients = [b.gradient for b in boxes if b.gradient is not None]
        picture.boxes[first].together = Together(
            len(boxes),
            value=_of_all([b.value for b in boxes]),
            gradient=merged(gradients) if gradients else None,
            reached=len(gradients),
            quietest=min(gradients, key=lambda m: m.typical, default=None),
            kept=sum(b.kept or 0 for b in boxes),
            forward=sum(b.forward or 0.0 for b in boxes),
            backward=sum(b.backward or 0.0 for b in boxes),
        )


def _of_all(measures: list[Measure | None]) -> Measure | None:
    """The measure of all, None if one of them is not known."""
    known = [m for m in measures if m is not None]
    return merged(known) if len(known) == len(measures) else None
