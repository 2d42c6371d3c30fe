"""Numbers that no operation makes: weights and data, put to those that use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..model import OPERATION, REDUCTION, Picture
from ..repeats import QUIET, Child, repeat_of

FEWEST = 4
"""So many numbers for the same use are drawn as one."""
_NUMBER = re.compile(r"(\[\d+\]|_\d+)+$")


def taken_out(picture: Picture) -> list[int]:
    """Take the numbers that operations use out of their groups; which they are."""
    used = {p for box in picture.boxes for p in box.parents}
    leaves = [i for i in sorted(used) if picture.boxes[i].kind != OPERATION and picture.boxes[i].shape == ()]
    gone = set(leaves)
    for group in picture.groups:
        group.children = [child for child in group.children if child[0] == "group" or child[1] not in gone]
    return leaves


def put_back(picture: Picture, leaves: list[int]) -> None:
    """Put each number into the innermost group with all its users, many for the same use into one group there."""
    users = _users(picture, leaves)
    home = {i: _common(picture, [picture.boxes[u].group for u in users[i]]) for i in leaves}
    _out_of_unlike_blocks(picture, home, users)
    inside: dict[int, list[int]] = {}
    for i in leaves:
        picture.boxes[i].group = home[i]
        inside.setdefault(home[i], []).append(i)
    for g, found in inside.items():
        _insert(picture, g, found, users)
    for group in picture.groups:
        group.children = [(what, i) for what, i in group.children if what == "box" or picture.groups[i].children]


def _users(picture: Picture, leaves: list[int]) -> dict[int, list[int]]:
    users: dict[int, list[int]] = {i: [] for i in leaves}
    for i, box in enumerate(picture.boxes):
        for p in box.parents:
            if p in users:
                users[p].append(i)
    return users


def _path(picture: Picture, g: int) -> list[int]:
    """The groups around something, the outermost first."""
    path = []
    while g >= 0:
        path.append(g)
        g = picture.groups[g].parent
    return path[::-1]


def _common(picture: Picture, groups: list[int]) -> int:
    """The innermost group around all of these."""
    common = _path(picture, groups[0])
    for g in set(groups[1:]):
        other = _path(picture, g)
        same = 0
        while same < min(len(common), len(other)) and common[same] == other[same]:
            same += 1
        common = common[:same]
    return next(g for g in reversed(common) if picture.groups[g].kind != "repeat")


def _out_of_unlike_blocks(picture: Picture, home: dict[int, int], users: dict[int, list[int]]) -> None:
    """Where the blocks of a repeat have different numbers of their own, leave those outside: blocks are alike."""
    for r in picture.preorder():
        repeat = picture.groups[r]
        if repeat.kind != "repeat":
            continue
        within: dict[int, int] = {}
        for _, block in repeat.children:
            todo = [block]
            for g in todo:  # grows while it is walked
                within[g] = block
                todo.extend(i for what, i in picture.groups[g].children if what == "group")
        place = {b: k for _, block in repeat.children for k, b in enumerate(picture.members(("group", block)))}
        own: dict[int, list[tuple[tuple[int, ...], str, int]]] = {block: [] for _, block in repeat.children}
        for i, g in home.items():
            if g in within:
                box = picture.boxes[i]
                own[within[g]].append((tuple(place[u] for u in users[i]), box.kind, i))
        alike = {tuple(leaf[:2] for leaf in sorted(leaves)) for leaves in own.values()}
        if len(alike) > 1:
            for leaves in own.values():
                for *_, i in leaves:
                    home[i] = repeat.parent


def _insert(picture: Picture, g: int, leaves: list[int], users: dict[int, list[int]]) -> None:
    """Put numbers into a group, each before the first that uses it, as one repeat where many have the same use."""
    of_use: dict[object, list[int]] = {}
    for i in leaves:
        box = picture.boxes[i]
        stem, state = _stem(box.name), "" if box.state in QUIET else box.state
        seen_from: Callable[[Picture, int, int], Any] = _child if stem else _place  # a name says enough
        places = frozenset(seen_from(picture, u, g) for u in users[i])
        of_use.setdefault((places, box.kind, box.dtype, stem, state), []).append(i)
    before: dict[Child, list[Child]] = {}
    for alike in of_use.values():
        entries: list[Child] = [("box", i) for i in alike]
        first = min(u for i in alike for u in users[i])
        if len(alike) >= FEWEST:
            entries = [repeat_of(picture, g, [[entry] for entry in entries])]
            picture.groups[entries[0][1]].name = _name(picture, alike)
            before.setdefault(_child(picture, first, g), []).extend(entries)
            continue
        for entry in entries:
            before.setdefault(_child(picture, users[entry[1]][0], g), []).append(entry)
    children = picture.groups[g].children
    picture.groups[g].children = [entry for child in children for entry in (*before.get(child, ()), child)]


def _place(picture: Picture, user: int, g: int) -> int:
    """What uses a number, as it is seen from g: the innermost group around that is no sum and no copy, nor in such."""
    groups = picture.groups
    around = picture.boxes[user].group
    if around == g:
        return -1 - user
    found = -1
    while around != g:
        one_of_many = groups[around].kind == REDUCTION or groups[groups[around].parent].kind == "repeat"
        found = -1 if one_of_many else around if found < 0 else found
        top, around = around, groups[around].parent
    return top if found < 0 else found


def _child(picture: Picture, i: int, g: int) -> Child:
    """The child of a group in which a box is."""
    child, around = ("box", i), picture.boxes[i].group
    while around != g:
        child, around = ("group", around), picture.groups[around].parent
    return child


def _stem(name: str) -> str:
    """The name of what an element is of: ``w['query'][3][0]`` is of ``w['query']``."""
    return _NUMBER.sub("", name)


def _name(picture: Picture, leaves: list[int]) -> str:
    first = picture.boxes[leaves[0]]
    return _stem(first.name) or first.kind
