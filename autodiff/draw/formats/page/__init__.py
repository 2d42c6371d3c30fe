"""The interactive page: the picture as compact data, and the scripts that lay it out and show it."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from ...picture.model import INPUT, OPERATION, VARIABLE, Box, Group, Picture, amount, seconds
from ...picture.scene import Place, stand_ins
from .. import style
from .formulas import formulas

MOST = 6000
"""A page holds at most about so many boxes: of repeats the first block alone, and no inside of closed groups."""
LARGE = 200_000
"""Data of more characters than this is compressed."""
_SCRIPTS = ("scene.js", "layout.js", "view.js", "control.js", "film.js")


def page(picture: Picture) -> str:
    """One HTML page with everything in it: no request leaves it."""
    here = Path(__file__).parent
    html = (here / "page.html").read_text(encoding="utf-8")
    style_sheet = (here / "page.css").read_text(encoding="utf-8") + _colours()
    script = "\n".join((here / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    # "<" would end the element that holds the data, whatever stands around it
    data = json.dumps(compact(reduced(picture)), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    packed = len(data) > LARGE
    if packed:
        data = base64.b64encode(zlib.compress(data.encode(), 9)).decode()
    parts = {
        "TITLE": escape(style.short(picture.title, 200)),
        "STYLE": style_sheet,
        "PACKED": ' data-packed="deflate"' if packed else "",
        "DATA": data,
        "SCRIPT": script,
    }
    pieces = html.split("/*")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("*/")
        out += [parts[name], rest]
    return "".join(out)


def _colours() -> str:
    names = {**style.KINDS, **{state: pair[1] for state, pair in style.STATES.items()}}
    light = "".join(f".{n}{{fill:{c.fill};stroke:{c.border}}}" for n, c in names.items())
    return light + "".join(f".dark .{n}{{fill:{c.dark_fill};stroke:{c.dark_border}}}" for n, c in names.items())


class _Strings:
    """Texts by number: most occur many times."""

    def __init__(self) -> None:
        self.table: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.table.setdefault(text, len(self.table))


def _clean(text: str) -> str:
    """A text of at most 2,000 characters; lone surrogates cannot be written as UTF-8."""
    return text[:2000].encode("utf-8", "replace").decode("utf-8")


def compact(picture: Picture) -> dict[str, Any]:
    """The picture in columns, texts as numbers, parents as distances."""
    text = _Strings()
    boxes = picture.boxes

    def sparse(column: list[Any]) -> dict[int, Any]:
        return {i: value for i, value in enumerate(column) if value not in (None, "", 0)}

    return {
        "title": _clean(picture.title),
        "facts": [_clean(fact) for fact in picture.facts],
        "formulas": formulas({box.operation for box in boxes if box.kind == OPERATION}),
        "outputs": picture.outputs,
        "kind": [(OPERATION, VARIABLE, INPUT).index(b.kind) for b in boxes],
        "operation": [text(b.operation) for b in boxes],
        "label": [text(_clean(b.call)) for b in boxes],
        "name": [text(_clean(b.name)) for b in boxes],
        "type": [text(b.type) for b in boxes],
        "parents": [[i - p for p in b.parents] for i, b in enumerate(boxes)],
        "group": [b.group for b in boxes],
        "line": [text(_clean(b.line)) for b in boxes],
        "lines": [[text(_clean(line)) for line in style.box_lines(picture, b, alone=True)] for b in boxes],
        "together": {
            i: [text(_clean(line)) for line in style.box_lines(picture, b)] for i, b in enumerate(boxes) if b.together
        },
        "silent": [i for i, b in enumerate(boxes) if not b.active],
        "state": sparse([b.state for b in boxes]),
        "message": sparse([_clean(b.message) for b in boxes]),
        "value": sparse([f"{b.value.text}, norm {b.value.norm:.4g}" if b.value else "" for b in boxes]),
        "gradient": sparse([f"{b.gradient.text}, norm {b.gradient.norm:.4g}" if b.gradient else "" for b in boxes]),
        "cells": {i: list(b.value.cells) for i, b in enumerate(boxes) if b.value and b.value.cells},
        "level": sparse([_level(picture, ("box", i), alone=True) for i in range(len(boxes))]),
        "levels": {i: _level(picture, ("box", i)) for i, b in enumerate(boxes) if b.together},
        "states": {i: b.together.state for i, b in enumerate(boxes) if b.together},
        "kept": sparse([amount(b.kept) if b.kept else "" for b in boxes]),
        "time": sparse([_time(b) for b in boxes]),
        "groups": [_group(picture, g) for g in range(len(picture.groups))],
        "key": [[kind, *sign_and_meaning] for kind, sign_and_meaning in style.key(picture).items()],
        "strings": list(text.table),
    }


def _level(picture: Picture, place: Place, *, alone: bool = False) -> list[float] | None:
    level = style.bar(picture, place, alone=alone)
    return None if level is None else [round(part, 2) for part in level]


def _time(box: Box) -> str:
    times = [("forward", box.forward), ("backward", box.backward)]
    return ", ".join(f"{name} {seconds(t)}" for name, t in times if t)


def _group(picture: Picture, g: int) -> dict[str, Any]:
    group = picture.groups[g]
    return {
        "kind": group.kind,
        "title": _clean(group.title),
        "label": _clean(style.group_title(picture, g)),
        "heading": _clean(style.heading(picture, g)),
        "level": _level(picture, ("group", g), alone=True),
        "levels": _level(picture, ("group", g)),
        "states": style.state_of(picture, ("group", g)),
        "subtitle": group.subtitle,
        "parent": group.parent,
        "children": [i if what == "box" else -i for what, i in group.children],
        "open": group.open,
        "state": group.state,
        "lines": style.group_lines(picture, g, alone=True)[2:],
        "together": style.group_lines(picture, g)[2:] if group.together else None,
    }


# -- pages of very large graphs ------------------------------------------------------------------------------------


def reduced(picture: Picture, most: int = MOST) -> Picture:
    """The picture with at most about ``most`` boxes; what is missing is said in its facts."""
    if len(picture.boxes) <= most:
        return picture
    stands_for = stand_ins(picture, [g for g in picture.preorder() if picture.groups[g].kind == "repeat"])
    result = _merged(picture, stands_for, {})
    if len(result.boxes) > most:
        whole: dict[int, int] = {}
        for g in result.preorder():
            if not result.groups[g].open and g not in whole:
                for member in result.members(("group", g)):
                    whole.setdefault(member, g)
        result = _merged(result, {}, whole)
    kept = len(result.boxes)
    result.facts.append(
        f"this page holds {kept:,} of {len(picture.boxes):,} boxes: one of each repeat"
        + ("" if kept < most else " and nothing of closed groups")
    )
    return result


def _merged(picture: Picture, stands_for: dict[int, int], whole: dict[int, int]) -> Picture:
    """Leave out the boxes that another ``stands_for``, and make one box of each closed group in ``whole``."""
    first: dict[int, int] = {}
    for i, g in whole.items():
        first[g] = min(first.get(g, i), i)

    def final(i: int) -> int:
        while i in stands_for:
            i = stands_for[i]
        return first[whole[i]] if i in whole else i

    kept = [i for i in range(len(picture.boxes)) if final(i) == i]
    place = {i: k for k, i in enumerate(kept)}
    parents: list[dict[int, str]] = [{} for _ in kept]
    for i, box in enumerate(picture.boxes):
        if i in stands_for:
            continue
        target = final(i)
        for p, argument in zip(box.parents, box.arguments, strict=True):
            if final(p) != target:
                parents[place[target]].setdefault(place[final(p)], argument)
    boxes = []
    for k, i in enumerate(kept):
        box = replace(picture.boxes[i], parents=list(parents[k]), arguments=list(parents[k].values()))
        if i in whole:
            n = picture.groups[whole[i]].operations
            box = replace(
                box, kind=OPERATION, name="", label=f"{n:,} operations, not in this page", line="", group=whole[i]
            )
        boxes.append(box)
    groups, number = _kept_groups(picture, place, only_first=bool(stands_for))
    for box in boxes:
        box.group = number[box.group]
    result = replace(picture, boxes=boxes, groups=groups, facts=list(picture.facts))
    result.outputs = sorted({place[final(i)] for i in picture.outputs})
    return result


def _kept_groups(picture: Picture, place: dict[int, int], *, only_first: bool) -> tuple[list[Group], dict[int, int]]:
    """The groups that are left, with their children's new numbers; of a repeat ``only_first`` its first block."""

    def children(g: int) -> list[tuple[str, int]]:
        group = picture.groups[g]
        return group.children[:1] if only_first and group.kind == "repeat" else group.children

    order = [0]
    for g in order:  # grows while it is walked
        order.extend(i for what, i in children(g) if what == "group")
    number = {g: k for k, g in enumerate(order)}
    groups = []
    for g in order:
        inside = [(w, place[i] if w == "box" else number[i]) for w, i in children(g) if w == "group" or i in place]
        group = picture.groups[g]
        ends_in = place.get(group.result, -1)
        groups.append(replace(group, children=inside, parent=number[group.parent] if g else -1, result=ends_in))
    return groups, number
