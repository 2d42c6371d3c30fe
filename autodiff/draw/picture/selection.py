"""Parts of a picture: the boxes between two others, and the picture without some boxes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from .model import Box, Picture


def between(picture: Picture, start: Collection[int], end: Collection[int]) -> list[bool]:
    """The boxes on a path from one of ``start`` to one of ``end``."""
    boxes = picture.boxes
    after = [False] * len(boxes)
    for i, box in enumerate(boxes):
        after[i] = i in start or any(after[p] for p in box.parents)
    leads = [False] * len(boxes)
    for i in reversed(range(len(boxes))):
        leads[i] = leads[i] or i in end
        if leads[i]:
            for p in boxes[i].parents:
                leads[p] = True
    return [a and b for a, b in zip(after, leads, strict=True)]


def keep_only(picture: Picture, kept: list[bool], *, bridge: bool) -> Picture:
    """The picture of the kept boxes only; with ``bridge``, arrows pass through the others."""
    through: list[list[int]] = []
    place: list[int] = []
    boxes: list[Box] = []
    for i, box in enumerate(picture.boxes):
        parents: list[int] = []
        arguments: list[str] = []
        for p, argument in zip(box.parents, box.arguments, strict=True):
            for source in [p] if kept[p] else through[p] if bridge else []:
                if kept[i] or source not in parents:
                    parents.append(source)
                    arguments.append(argument)
        through.append([i] if kept[i] else parents)
        place.append(len(boxes))
        if kept[i]:
            unseen = box.unseen + sum(not kept[p] for p in box.parents)
            boxes.append(replace(box, parents=[place[p] for p in parents], arguments=arguments, unseen=unseen))
    result = replace(picture, boxes=boxes, groups=[replace(g) for g in picture.groups], facts=list(picture.facts))
    result.outputs = [place[i] for i in picture.outputs if kept[i]]
    result.arrange()
    return result


def without(picture: Picture, hidden: Callable[[Box], bool]) -> Picture:
    """The picture without the boxes that ``hidden`` chooses; arrows pass through them."""
    return keep_only(picture, [not hidden(box) for box in picture.boxes], bridge=True)
