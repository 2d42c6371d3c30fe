"""What changed between two pictures."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush

from .picture import Box, Picture

Key = tuple[object, ...]


def compare(before: Picture, after: Picture) -> Picture:
    """The second picture, with what only it has marked as added, what differs as changed, and what is gone put back.

    Boxes are the same if they have the same name, or the same operation in the same place: counted among those of
    their kind in modules and functions of the same path.  Linear in the number of boxes.
    """
    before, after = _unfolded(before), _unfolded(after)
    old, new = _keys(before), _keys(after)
    place = {key: i for i, key in enumerate(new)}
    boxes = [replace(box, state="", message="") for box in after.boxes]
    count = {"added": 0, "removed": 0, "changed": 0}
    known = {key: i for i, key in enumerate(old)}
    for key, i in place.items():
        if key not in known:
            boxes[i].state = "added"
            count["added"] += 1
            continue
        said = _differences(before, known[key], old, after, i, new)
        if said:
            boxes[i].state, boxes[i].message = "changed", "; ".join(said)
            count["changed"] += 1
    gone = [i for i, key in enumerate(old) if key not in place]
    number = {i: len(boxes) + k for k, i in enumerate(gone)}
    number.update({i: place[key] for i, key in enumerate(old) if key in place})
    groups = {_path(after, g): g for g in reversed(range(len(after.groups)))}
    for i in gone:
        box = before.boxes[i]
        home = groups.get(_path(before, box.group), 0)
        parents = [number[p] for p in box.parents]
        boxes.append(replace(box, parents=parents, group=home, state="removed", message=""))
        count["removed"] += 1
    result = replace(after, boxes=boxes, groups=[replace(g, children=[]) for g in after.groups])
    result.facts = [
        ", ".join(f"{n:,} {what}" for what, n in count.items())
        + f", {len(new) - count['added'] - count['changed']:,} the same",
        *after.facts,
    ]
    _sort(result)
    result.arrange()
    return result


def _unfolded(picture: Picture) -> Picture:
    """The same picture without the groups that only fold it: what changed need not repeat itself."""
    groups = picture.groups

    def kept(g: int) -> int:
        while g >= 0 and groups[g].kind in ("repeat", "block", "more"):
            g = groups[g].parent
        return g

    boxes = [replace(box, group=kept(box.group), together=None) for box in picture.boxes]
    return replace(picture, boxes=boxes, groups=[replace(g, parent=kept(g.parent)) for g in groups])


def _path(picture: Picture, g: int) -> Key:
    """Where a group is, by the names of the groups around it."""
    names = []
    while g > 0:
        group = picture.groups[g]
        names.append((group.kind, group.name, group.type))
        g = group.parent
    return tuple(names)


def _keys(picture: Picture) -> list[Key]:
    seen: dict[Key, int] = {}
    paths = [_path(picture, g) for g in range(len(picture.groups))]
    keys = []
    for box in picture.boxes:
        key: Key = (paths[box.group], box.kind, box.operation, box.name)
        seen[key] = seen.get(key, 0) + 1
        keys.append((*key, seen[key]))
    return keys


def _differences(before: Picture, i: int, old: list[Key], after: Picture, j: int, new: list[Key]) -> list[str]:
    """What is said of a box that both pictures have."""
    a, b = before.boxes[i], after.boxes[j]
    said = []
    if a.type != b.type:
        said.append(f"was {a.type}")
    if a.label != b.label:
        said.append(f"was {a.label}")
    if [old[p] for p in a.parents] != [new[p] for p in b.parents]:
        said.append("comes from elsewhere")
    if a.active != b.active:
        said.append("gradient flows now" if b.active else "no gradient flows now")
    for name in ("value", "gradient"):
        x, y = getattr(a, name), getattr(b, name)
        if x is not None and y is not None and x != y:
            said.append(f"{name} was {x.text}, norm {x.norm:.3g}")
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
