"""Formats that other programs read: JSON with everything in it, and Mermaid for documents."""

from __future__ import annotations

import json
import math
from typing import Any

from ..picture.measure import Measure
from ..picture.model import OPERATION, Picture
from ..picture.scene import Place, arrow_label, scene
from . import style


def _measure(m: Measure | None) -> dict[str, Any] | None:
    if m is None:
        return None
    numbers = {"min": m.low, "mean": m.mean, "max": m.high, "norm": m.norm}
    plain: dict[str, Any] = {name: v if math.isfinite(v) else None for name, v in numbers.items()}
    return {**plain, "size": m.size, "nan": m.nan, "infinite": m.infinite, "text": m.text}


def as_json(picture: Picture) -> str:
    """Every box and group, in sight or not.  Strict JSON: a number that is not finite is null."""
    boxes = [
        {
            "id": i, "kind": b.kind, "operation": b.operation, "name": b.name, "label": b.label, "shape": b.shape,
            "dtype": b.dtype, "parents": b.parents, "arguments": b.arguments, "group": b.group, "line": b.line,
            "active": b.active, "value": _measure(b.value), "gradient": _measure(b.gradient), "kept_bytes": b.kept,
            "forward_seconds": b.forward, "backward_seconds": b.backward, "state": b.state, "message": b.message,
        }
        for i, b in enumerate(picture.boxes)
    ]  # fmt: skip
    groups = [
        {
            "id": i, "kind": g.kind, "name": g.name, "type": g.type, "parent": g.parent, "open": g.open,
            "operations": g.operations, "parameters": g.parameters, "children": g.children,
        }
        for i, g in enumerate(picture.groups)
    ]  # fmt: skip
    whole = {
        "title": picture.title,
        "facts": picture.facts,
        "outputs": picture.outputs,
        "boxes": boxes,
        "groups": groups,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False)


def _mermaid_text(text: str) -> str:
    """A label for Mermaid: everything that it or HTML could read as syntax as a numbered character."""
    return "".join(c if c.isalnum() or c in " .,=()-…·×→←_" else f"#{ord(c)};" for c in text)


def mermaid(picture: Picture) -> str:
    """The picture in Mermaid, which code hosts and document tools draw."""
    seen = scene(picture)
    out = ["flowchart TD"]
    stack = [(0, iter(seen.inside[0]))]
    while stack:
        _, rest = stack[-1]
        indent = "  " * len(stack)
        place = next(rest, None)
        if place is None:
            stack.pop()
            if stack:
                out.append("  " * len(stack) + "end")
        elif place[0] == "group" and place[1] in seen.inside:
            title = _mermaid_text(style.short(style.open_title(picture, place[1])))
            out.append(f'{indent}subgraph g{place[1]}["{title}"]')
            stack.append((place[1], iter(seen.inside[place[1]])))
        else:
            text = "<br>".join(map(_mermaid_text, style.lines(picture, place)))
            leaf = place[0] == "box" and picture.boxes[place[1]].kind != OPERATION
            start, end = ("([", "])") if leaf else ("[", "]")
            out.append(f'{indent}{_id(place)}{start}"{text}"{end}:::{style.kind_of(picture, place)}')
    for (source, target), flow in seen.arrows.items():
        sign, label = "-->" if picture.boxes[flow].active else "-.->", arrow_label(picture, seen, source, target)
        out.append(f"  {_id(source)} {sign}{f'|{_mermaid_text(label)}|' if label else ''} {_id(target)}")
    for name, colour in {**style.KINDS, **{state: pair[1] for state, pair in style.STATES.items()}}.items():
        out.append(f"  classDef {name} fill:{colour.fill},stroke:{colour.border},color:#1a1a1a")
    return "\n".join(out) + "\n"


def _id(place: Place) -> str:
    return f"{'b' if place[0] == 'box' else 'g'}{place[1]}"
