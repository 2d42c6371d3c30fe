"""Readable pictures: a limit on the number of boxes, and groups that are open as far as there is room."""

from __future__ import annotations

from .model import COMPOSITE, OPERATION, Group, Picture

ROOM = 40
"""So many boxes are easy to read: groups open by themselves as long as no more are in sight."""
Child = tuple[str, int]


def simplify(picture: Picture) -> None:
    """Remove groups of function calls with a single operation, or with the contents of the group around them."""
    groups = picture.groups
    for g in reversed(picture.preorder()):
        group = groups[g]
        children: list[Child] = []
        for what, i in group.children:
            inner = groups[i] if what == "group" else None
            called = inner is not None and inner.kind in ("function", COMPOSITE)
            if inner is not None and called and (inner.operations < 2 or len(group.children) == 1):
                if inner.kind == COMPOSITE:
                    _name_only_operation(picture, i)
                for kind, j in inner.children:
                    if kind == "group":
                        groups[j].parent = g
                    else:
                        picture.boxes[j].group = g
                children.extend(inner.children)
                inner.children = []
            else:
                children.append((what, i))
        group.children = children


def _name_only_operation(picture: Picture, g: int) -> None:
    """Call the operation that does what a composite does by the name of that."""
    inside = [picture.boxes[i] for i in picture.members(("group", g)) if picture.boxes[i].kind == OPERATION]
    if len(inside) == 1:
        inside[0].label = picture.groups[g].name


def in_sight(picture: Picture, g: int) -> list[Child]:
    """The children that an open group shows; of a repeat, those of the first block."""
    return picture.groups[picture.front(g)].children


def open_groups(picture: Picture, depth: int | None, room: int = ROOM) -> None:
    """Open every group down to ``depth``; without one, level by level as long as ``room`` boxes suffice."""
    groups = picture.groups
    for group in groups:
        group.open = False
    groups[0].open = True
    level, sight, below = [0], len(groups[0].children), 0
    while level:
        following: list[int] = []
        for g in level:
            for what, i in in_sight(picture, g):
                if what != "group" or groups[i].kind == "more" or groups[i].of_leaves:
                    continue
                cost = len(in_sight(picture, i)) - 1
                if sight + cost > room if depth is None else below >= depth:
                    continue
                groups[i].open = True
                sight += cost
                following.append(i)
        level, below = following, below + 1


def limit(picture: Picture, most: int) -> None:
    """Put the middle of the visible boxes into one closed group, "… 2,914 more", until at most ``most`` are visible.

    The beginning and the end of the group with too many boxes stay, as whole children.  If one child alone has too
    many, and most of the boxes, the limit is applied inside it.
    """
    g, room = 0, most
    while True:
        sight = _sight(picture)
        if sight[g] <= room:
            return
        front = picture.front(g)
        children = picture.groups[front].children
        sizes = [sight.get(i, 1) if what == "group" else 1 for what, i in children]
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        others = sum(sizes) - sizes[largest]
        if others < room - 3:
            g, room = children[largest][1], room - others
            continue
        head, tail, left = 0, 0, room - 1
        while head + tail < len(children):
            at = head if head <= tail else len(children) - 1 - tail
            if sizes[at] > left:
                break
            left -= sizes[at]
            head, tail = (head + 1, tail) if head <= tail else (head, tail + 1)
        _put_away(picture, front, head, len(children) - tail)
        return


def _put_away(picture: Picture, g: int, start: int, end: int) -> None:
    """Move the children from ``start`` to ``end`` into one closed group of the kind "more"."""
    groups = picture.groups
    children = groups[g].children
    more = len(groups)
    groups.append(Group("more", "", "", g, children[start:end]))
    for what, i in children[start:end]:
        if what == "group":
            groups[i].parent = more
            groups[i].open = False
        else:
            picture.boxes[i].group = more
    groups[g].children = [*children[:start], ("group", more), *children[end:]]
    picture.total()


def boxes_in_sight(picture: Picture) -> int:
    """The number of visible boxes and closed groups."""
    return _sight(picture)[0]


def _sight(picture: Picture) -> dict[int, int]:
    """The number of visible boxes inside each open group, the root first."""
    order = [0]
    for g in order:
        order.extend(i for what, i in in_sight(picture, g) if what == "group" and picture.groups[i].open)
    counts: dict[int, int] = {}
    for g in reversed(order):
        counts[g] = sum(counts.get(i, 1) if what == "group" else 1 for what, i in in_sight(picture, g))
    return {g: counts[g] for g in order}
