"""A picture as text, which ``print`` prints."""

from __future__ import annotations

from ..picture.model import OPERATION, Box, Picture, amount, filled
from ..picture.scene import Scene, scene
from . import style

WIDEST = 48


def text(picture: Picture) -> str:
    """One line for each visible box, with groups indented, after the totals."""
    seen = scene(picture)
    rows: list[tuple[str, ...]] = []
    names = _names(picture, seen)
    _rows(picture, seen, names, rows)
    widths = [max((len(row[k]) for row in rows if len(row) > 1), default=0) for k in range(4)]
    lines = [picture.title, *(f"  {fact}" for fact in picture.facts)]
    for row in rows:
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())
    return "\n".join(style.short(line, 4000) for line in lines)


def _names(picture: Picture, seen: Scene) -> dict[int, str]:
    """A short name for every visible box: its own, or a number."""
    names = {}
    number = 0
    for what, i in sorted(seen.items):
        if what == "box":
            box = picture.boxes[i]
            if not box.name:
                number += 1
            names[i] = style.tail(box.name) or f"%{number}"
    return names


def _rows(picture: Picture, seen: Scene, names: dict[int, str], rows: list[tuple[str, ...]]) -> None:
    for depth, event, (what, i) in seen.walk():
        indent = "  " * depth
        if what == "box":
            box = picture.boxes[i]
            title = style.short(_what(picture, box, names), WIDEST)
            rows.append((f"{indent}{names[i]}", title, box.type, _extras(picture, i)))
        elif event != "end":
            group = picture.groups[i]
            opened = event == "begin"
            more = f"keeps {amount(group.kept)}" if group.kept else ""
            once = "the first is drawn" if opened and group.kind == "repeat" else ""
            title = f"{indent}{'▾' if opened else '▸'} {style.short(group.title, 60)}"
            rows.append(("   ".join(part for part in (title, group.subtitle, once, more) if part),))


def _what(picture: Picture, box: Box, names: dict[int, str]) -> str:
    if box.kind != OPERATION:
        return box.kind
    arguments = ", ".join(names.get(p, "·") for p in box.parents[:6]) + (", …" if len(box.parents) > 6 else "")
    if box.unseen:
        arguments = f"{arguments}, …" if arguments else "…"
    if box.whole:
        return filled(
            box.label, [a if a != "·" else names.get(p, a) for p, a in zip(box.parents, box.arguments, strict=True)]
        )
    name, _, options = box.label.partition("(")
    if not options:
        return f"{name}({arguments})"
    options = options[:-1]
    if "·" not in options:
        return f"{name}({arguments}, {options})"
    return f"{name}({filled(options, [names.get(p, '·') for p in box.parents])})"


def _extras(picture: Picture, i: int) -> str:
    box, state = picture.boxes[i], style.state_of(picture, ("box", i))
    parts = [style.STATES[state][0]] if state else []
    return "  ".join([*parts, *style.extras(box), *([box.message] if box.message else [])])
