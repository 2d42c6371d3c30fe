"""The visible part of a picture for a set of open groups: a tree of items, and the arrows between them.

``formats/page/scene.js`` does the same in the browser, where the reader opens and closes groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .model import Picture

Place = tuple[str, int]  # ("box" or "group", position in the picture)


@dataclass
class Scene:
    """Items by group: ``inside[g]`` are the items of the open group ``g``; ``arrows`` join two visible items.

    The value of an arrow is the position of the box that made the array.  ``times`` are the arrows that stand for
    several arguments, as in ``x * x``.
    """

    inside: dict[int, list[Place]] = field(default_factory=dict)
    arrows: dict[tuple[Place, Place], int] = field(default_factory=dict)
    times: dict[tuple[Place, Place], int] = field(default_factory=dict)
    seen_as: list[Place] = field(default_factory=list)

    @property
    def items(self) -> list[Place]:
        """Every visible box and closed group, in the order of computation inside each group."""
        open_groups = self.inside.keys()
        return [
            place
            for places in self.inside.values()
            for place in places
            if place[0] == "box" or place[1] not in open_groups
        ]

    def walk(self) -> Iterator[tuple[int, str, Place]]:
        """Everything visible, with its depth, outer groups first: a box or a closed group is one "item".

        An open group comes twice: as "begin" and as "end".
        """
        stack = [(("group", 0), iter(self.inside[0]))]
        while stack:
            around, rest = stack[-1]
            place = next(rest, None)
            if place is None:
                stack.pop()
                if stack:
                    yield len(stack) - 1, "end", around
            elif place[0] == "group" and place[1] in self.inside:
                yield len(stack) - 1, "begin", place
                stack.append((place, iter(self.inside[place[1]])))
            else:
                yield len(stack) - 1, "item", place


def key(place: Place) -> str:
    """A name for a box or a group, of letters and digits.

    >>> key(("box", 3)), key(("group", 1))
    ('b3', 'g1')
    """
    return f"{place[0][0]}{place[1]}"


def scene(picture: Picture) -> Scene:
    """Compute the visible items, in time linear in the number of boxes."""
    groups = picture.groups
    result = Scene()
    inside = result.inside
    todo = [0]
    for g in todo:  # grows while it is walked
        inside[g] = groups[picture.front(g)].children
        todo.extend(i for what, i in inside[g] if what == "group" and groups[i].open)
    seen_as: list[Place] = [("box", -1)] * len(picture.boxes)
    stands_for = stand_ins(picture, [g for g in picture.preorder() if groups[g].kind == "repeat" and groups[g].open])
    shown_in: dict[int, Place] = {}
    spread = {picture.front(g) for g in inside}
    for g in picture.preorder():
        outer = shown_in.get(groups[g].parent)
        if g in spread or g in inside:
            continue
        shown_in[g] = outer if outer is not None else ("group", g)
    for i in range(len(seen_as)):
        j = i
        while j in stands_for:
            j = stands_for[j]
        seen_as[i] = shown_in.get(picture.boxes[j].group, ("box", j))
    result.seen_as = seen_as
    for i, box in enumerate(picture.boxes):
        target = seen_as[i]
        for p in box.parents:
            source = seen_as[p]
            if source == target or ((p in stands_for or i in stands_for) and _other_blocks(picture, p, i)):
                continue
            result.arrows.setdefault((source, target), p)
            if source == ("box", p) and target == ("box", i):
                result.times[source, target] = result.times.get((source, target), 0) + 1
    return result


def arrow_label(picture: Picture, seen: Scene, source: Place, target: Place) -> str:
    """The label of an arrow: the shape for a failed operation, the number of arguments it stands for."""
    maker = picture.boxes[seen.arrows[source, target]]
    times = seen.times.get((source, target), 1)
    fails = target[0] == "box" and picture.boxes[target[1]].state == "failed" and maker.shape is not None
    return "  ".join([*([maker.type] if fails else []), *([f"×{times:,}"] if times > 1 else [])])


def stand_ins(picture: Picture, repeats: list[int]) -> dict[int, int]:
    """For each box in later blocks of these repeats, the same box in the first block; outer repeats first."""
    result: dict[int, int] = {}
    for g in repeats:
        first: list[int] = []
        for _, block in picture.groups[g].children:
            members = picture.members(("group", block))
            if not first:
                first = members
            else:
                for a, b in zip(first, members, strict=True):
                    result.setdefault(b, a)
    return result


def _chain(picture: Picture, i: int) -> list[int]:
    """The groups around a box, the innermost first."""
    chain = []
    g = picture.boxes[i].group
    while g >= 0:
        chain.append(g)
        g = picture.groups[g].parent
    return chain


def _other_blocks(picture: Picture, a: int, b: int) -> bool:
    """Whether two boxes are in different blocks of one repeat: "× n" stands for the arrow between them."""
    around = set(_chain(picture, b))
    return next(picture.groups[g].kind == "repeat" for g in _chain(picture, a) if g in around)
