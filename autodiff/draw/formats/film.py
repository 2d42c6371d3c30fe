"""The backward pass in steps: which operation passes its cotangent on, and which must wait."""

from __future__ import annotations

from dataclasses import dataclass

from ..picture.model import Picture
from ..picture.scene import Place, Scene
from . import style
from .svg import Moment, Sheet


@dataclass
class Step:
    """One operation passes its cotangent to its arguments."""

    item: Place
    targets: list[Place]
    caption: str


def steps(picture: Picture, seen: Scene) -> list[Step]:
    """The steps in reverse topological order: an operation works when all parts of its cotangent have arrived."""
    parents: dict[Place, list[Place]] = {}
    for (source, target), flow in seen.arrows.items():
        if picture.boxes[flow].active:
            parents.setdefault(target, []).append(source)
    starts = list(dict.fromkeys(seen.seen_as[i] for i in picture.outputs))
    owed: dict[Place, int] = {}
    order = list(starts)
    reached = set(starts)
    for item in order:  # grows while it is walked
        for parent in parents.get(item, ()):
            owed[parent] = owed.get(parent, 0) + seen.times.get((parent, item), 1)
            if parent not in reached:
                reached.add(parent)
                order.append(parent)
    arrived: dict[Place, int] = dict.fromkeys(owed, 0)
    ready = [item for item in starts if not owed.get(item)]
    result = []
    for item in ready:  # grows while it is walked
        targets = parents.get(item, [])
        for target in targets:
            arrived[target] += seen.times.get((target, item), 1)
            if arrived[target] == owed[target]:
                ready.append(target)
        result.append(Step(item, targets, _caption(picture, item, targets, owed, arrived)))
    return result


def _name(picture: Picture, item: Place) -> str:
    if item[0] == "group":
        return style.short(picture.groups[item[1]].title, 40)
    box = picture.boxes[item[1]]
    return style.short(box.name or box.call or box.kind, 40)


def _caption(
    picture: Picture, item: Place, targets: list[Place], owed: dict[Place, int], arrived: dict[Place, int]
) -> str:
    name, count = _name(picture, item), owed.get(item, 0)
    text = f"{name} has added up {count} cotangents" if count > 1 else f"{name} has its cotangent"
    if not count:
        text = f"{name} starts with a cotangent of 1"
    if not targets:
        return f"{text}: this is its gradient"
    text += (
        " and hands one on to "
        + ", ".join(_name(picture, t) for t in targets[:4])
        + (", …" if len(targets) > 4 else "")
    )
    waits = [t for t in targets if arrived[t] < owed[t]]
    return (
        f"{text}; {_name(picture, waits[0])} waits, {arrived[waits[0]]} of {owed[waits[0]]} are there"
        if waits
        else text
    )


def frames(picture: Picture) -> list[str]:
    """One SVG for each step."""
    sheet = Sheet(picture)
    film = steps(picture, sheet.scene)
    captions = [f"{k} of {len(film)}: {step.caption}" for k, step in enumerate(film, 1)]
    widest = max((sheet.caption_width(caption) for caption in captions), default=0.0)
    items = set(sheet.layout.frames)
    done: set[Place] = set()
    result = []
    for step, caption in zip(film, captions, strict=True):
        done.add(step.item)
        waiting = items - done - set(step.targets)
        flowing = {(target, step.item) for target in step.targets}
        result.append(sheet.document(moment=Moment({step.item}, waiting, flowing, caption, widest)))
    return result
