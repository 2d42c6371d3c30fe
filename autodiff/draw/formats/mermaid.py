"""Mermaid, which code hosts and document tools draw."""

from __future__ import annotations

from ..picture.model import OPERATION, Picture
from ..picture.scene import arrow_label, key, scene
from . import style


def _text(text: str) -> str:
    """A label for Mermaid; characters with a meaning in Mermaid or HTML are written as numbers."""
    return "".join(c if c.isalnum() or c in " .,=()-…·×→←_" else f"#{ord(c)};" for c in text)


def mermaid(picture: Picture) -> str:
    """The picture in Mermaid, which code hosts and document tools draw."""
    seen = scene(picture)
    out = ["flowchart TD"]
    for depth, what, place in seen.walk():
        indent = "  " * (depth + 1)
        if what == "end":
            out.append(f"{indent}end")
        elif what == "begin":
            title = _text(style.short(style.open_title(picture, place[1])))
            out.append(f'{indent}subgraph {key(place)}["{title}"]')
        else:
            text = "<br>".join(map(_text, style.lines(picture, place)))
            leaf = place[0] == "box" and picture.boxes[place[1]].kind != OPERATION
            start, end = ("([", "])") if leaf else ("[", "]")
            out.append(f'{indent}{key(place)}{start}"{text}"{end}:::{style.kind_of(picture, place)}')
    for (source, target), flow in seen.arrows.items():
        sign, label = "-->" if picture.boxes[flow].active else "-.->", arrow_label(picture, seen, source, target)
        out.append(f"  {key(source)} {sign}{f'|{_text(label)}|' if label else ''} {key(target)}")
    for name, colour in {**style.KINDS, **{state: pair[1] for state, pair in style.STATES.items()}}.items():
        out.append(f"  classDef {name} fill:{colour.fill},stroke:{colour.border},color:#1a1a1a")
    return "\n".join(out) + "\n"
