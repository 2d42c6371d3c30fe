"""The differences between two pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from heapq import heappop, heappush

from .model import FOUND, OPERATION, Box, Picture

Key = tuple[object, ...]


def compare(before: Picture, after: Picture) -> Picture:
    """The second picture, with new boxes marked as added, different ones as changed, and removed ones put back.

    Two boxes are the same if they have the same name and operation in modules and functions of the same path, or else
    if they are the same operation there, in the same order.  Takes time linear in the number of boxes.
    """
    before, after = _unfolded(before), _unfolded(after)
    same = _same(before, after)
    earlier = {j: i for i, j in same.items()}
    boxes = [replace(box, state="", message="") for box in after.boxes]
    count = {"added": 0, "removed": 0, "changed": 0}
    for j, box in enumerate(boxes):
        if j not in earlier:
            box.state = "added"
            count["added"] += 1
            continue
        said = _differences(before, earlier[j], after, j, same)
        if said:
            box.state, box.message = "changed", "; ".join(said)
            count["changed"] += 1
    gone = [i for i in range(len(before.boxes)) if i not in same]
    number = {i: len(boxes) + k for k, i in enumerate(gone)} | same
    groups = {_path(after, g): g for g in reversed(range(len(after.groups)))}
    for i in gone:
        box = before.boxes[i]
        home = groups.get(_path(before, box.group), 0)
        boxes.append(replace(box, parents=[number[p] for p in box.parents], group=home, state="removed", message=""))
        count["removed"] += 1
    result = replace(after, boxes=boxes, groups=[replace(g, children=[]) for g in after.groups])
    result.facts = [
        ", ".join(f"{n:,} {what}" for what, n in count.items())
        + f", {len(after.boxes) - count['added'] - count['changed']:,} the same",
        *after.facts,
    ]
    _sort(result)
    result.arrange()
    return result


def _unfolded(picture: Picture) -> Picture:
    """The same picture without the groups of repeats, because a change need not be in every copy."""
    groups = picture.groups

    def kept(g: int) -> int:
        while g >= 0 and groups[g].kind in FOUND:
            g = groups[g].parent
        return g

    boxes = [replace(box, group=kept(box.group), together=None) for box in picture.boxes]
    return replace(picture, boxes=boxes, groups=[replace(g, parent=kept(g.parent)) for g in groups])


def _path(picture: Picture, g: int) -> Key:
    """The path of a group: the names of the groups around it."""
    names = []
    while g > 0:
        group = picture.groups[g]
        names.append((group.kind, group.name, group.type))
        g = group.parent
    return tuple(names)


def _same(before: Picture, after: Picture) -> dict[int, int]:
    """For each box of the first picture that is in the second too, its position there."""
    same: dict[int, int] = {}
    for by_name in (True, False):
        found = set(same.values())
        places: dict[Key, list[int]] = {}
        for j, key in _keys(after, found, by_name=by_name):
            places.setdefault(key, []).append(j)
        unused = {key: iter(indices) for key, indices in places.items()}
        for i, key in list(_keys(before, same, by_name=by_name)):
            place = next(unused.get(key, iter(())), None)
            if place is not None:
                same[i] = place
    return same


def _keys(picture: Picture, done: Collection[int], *, by_name: bool) -> Iterator[tuple[int, Key]]:
    """The attributes that must be equal, of boxes not ``done``.  Arrays with names are matched by name only."""
    paths = [_path(picture, g) for g in range(len(picture.groups))]
    for i, box in enumerate(picture.boxes):
        if i not in done and (box.name if by_name else box.kind == OPERATION or not box.name):
            yield i, (paths[box.group], box.kind, box.operation, box.name if by_name else "")


def _differences(before: Picture, i: int, after: Picture, j: int, same: dict[int, int]) -> list[str]:
    """The text about a box that both pictures have."""
    a, b = before.boxes[i], after.boxes[j]
    said = []
    if a.type != b.type:
        said.append(f"was {a.type}")
    if a.label != b.label:
        said.append(f"was {a.label}")
    if [same.get(p) for p in a.parents] != b.parents:
        said.append("comes from elsewhere")
    if a.active != b.active:
        said.append("gradient flows now" if b.active else "no gradient flows now")
    if a.value is not None and b.value is not None and a.value != b.value:
        said.append(f"value was {a.value.text}")
    if a.gradient is not None and b.gradient is not None and a.gradient != b.gradient:
        said.append(f"‖g‖ was {a.gradient.norm:.3g}" if not a.gradient.state else f"gradient was {a.gradient.text}")
    if a.state != b.state and b.state:
        said.append(b.state)
    return said


def _sort(picture: Picture) -> None:
    """Parents before children again, in the given order where there is a choice; a cycle of old and new is cut."""
    boxes = picture.boxes
    users: list[list[int]] = [[] for _ in boxes]
    missing = [0] * len(boxes)
    for i, box in enumerate(boxes):
        for p in set(box.parents):
            users[p].append(i)
            missing[i] += 1
    order: list[int] = []
    ready = [i for i in range(len(boxes)) if not missing[i]]  # sorted, so a heap
    while ready:
        i = heappop(ready)
        order.append(i)
        for j in users[i]:
            missing[j] -= 1
            if not missing[j]:
                heappush(ready, j)
    placed = set(order)
    order += [i for i in range(len(boxes)) if i not in placed]
    number = {i: k for k, i in enumerate(order)}
    result: list[Box] = []
    for k, i in enumerate(order):
        box = boxes[i]
        kept = [(number[p], argument) for p, argument in zip(box.parents, box.arguments, strict=True) if number[p] < k]
        result.append(replace(box, parents=[p for p, _ in kept], arguments=[argument for _, argument in kept]))
    picture.boxes = result
    picture.outputs = [number[i] for i in picture.outputs]
