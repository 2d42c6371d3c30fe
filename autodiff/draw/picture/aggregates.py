"""The totals of a repeat: its first block is drawn with the numbers of all blocks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from .measure import merged
from .model import Box, Group, Picture, Together, span, worst
from .scene import stand_ins


def gather(picture: Picture) -> None:
    """Note in each box and group of a first block the measures of all copies, in time linear in the boxes."""
    if all(b.value is None and b.gradient is None and not (b.kept or b.forward or b.backward) for b in picture.boxes):
        return
    for first, members in copies(picture).items():
        boxes = [picture.boxes[i] for i in members]
        together = picture.boxes[first].together = _together(boxes)
        gradients = [b.gradient for b in boxes if b.gradient is not None]
        values = [b.value for b in boxes if b.value is not None]
        together.value = merged(values) if len(values) == len(boxes) else None
        together.gradient = merged(gradients) if gradients else None
        together.reached = len(gradients)
    for first, members in _alike(_groups_alike(picture, _repeats(picture)), len(picture.groups)).items():
        picture.groups[first].together = _together([picture.groups[i] for i in members])


def copies(picture: Picture) -> dict[int, list[int]]:
    """For each box that is drawn once for several, all of these, itself first."""
    return _alike(stand_ins(picture, _repeats(picture)), len(picture.boxes))


def _repeats(picture: Picture) -> list[int]:
    return [g for g in picture.preorder() if picture.groups[g].kind == "repeat"]


def _alike(stands_for: dict[int, int], count: int) -> dict[int, list[int]]:
    """For each drawn box, all boxes that it stands for, itself first."""
    found: dict[int, list[int]] = {}
    for i in range(count):
        first = i
        while first in stands_for:
            first = stands_for[first]
        if first != i:
            found.setdefault(first, [first]).append(i)
    return found


def _groups_alike(picture: Picture, repeats: list[int]) -> dict[int, int]:
    """For each group in the second and later blocks, the same group in the first."""
    result: dict[int, int] = {}
    for g in repeats:
        blocks = [_inside(picture, block) for _, block in picture.groups[g].children]
        for other in blocks[1:]:
            for a, b in zip(blocks[0], other, strict=True):
                result.setdefault(b, a)
    return result


def _inside(picture: Picture, g: int) -> list[int]:
    order = [g]
    for group in order:  # grows while it is walked
        order.extend(i for what, i in picture.groups[group].children if what == "group")
    return order


def _together(parts: Sequence[Box | Group]) -> Together:
    """The common attributes of boxes and groups."""
    state = reduce(worst, (p.state for p in parts))
    return Together(
        len(parts),
        gradients=reduce(span, (p.gradients for p in parts)),
        state=state,
        affected=sum(p.state == state for p in parts),
        kept=sum(p.kept or 0 for p in parts),
        forward=sum(p.forward or 0.0 for p in parts),
        backward=sum(p.backward or 0.0 for p in parts),
    )
