"""What stands in a box and in which colours, the same in every format.

Colours are those of M. Okabe and K. Ito (2008), which people with any colour vision can tell apart; what a colour
says, a sign says too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from .picture import OPERATION, VARIABLE, Box, Group, Measure, Picture, amount, seconds
from .scene import Place

LONGEST_LABEL, LONGEST_TITLE = 44, 64
LINE_HEIGHT, TITLE_SIZE, TEXT_SIZE = 15.0, 13, 11


class Colour(NamedTuple):
    """Fill and border, on a light and on a dark page."""

    fill: str
    border: str
    dark_fill: str
    dark_border: str


KINDS = {
    "operation": Colour("#eef2f7", "#6b7f95", "#273340", "#8fa6bd"),
    "variable": Colour("#d5efe4", "#009e73", "#123a2f", "#2bc79b"),
    "input": Colour("#fdeecb", "#c98a00", "#40310d", "#e69f00"),
    "group": Colour("#dfeaf6", "#0072b2", "#1b3347", "#56b4e9"),
    "more": Colour("#ffffff", "#8a8a8a", "#1c1f24", "#8a8a8a"),
}
STATES = {
    "nan": ("✖ NaN", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "inf": ("∞ inf", Colour("#f6dcea", "#b0568a", "#4a2039", "#e59cc4")),
    "failed": ("✖ failed", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "guilty": ("✖ wrong derivative", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "dead": ("∅ zero gradient", Colour("#e4e4e4", "#707070", "#3a3a3a", "#b0b0b0")),
    "vanishing": ("▼ vanishing", Colour("#d3e9f8", "#0072b2", "#10344d", "#56b4e9")),
    "exploding": ("▲ exploding", Colour("#f8e3b0", "#b57900", "#4d3803", "#f0c24a")),
    "added": ("+ added", Colour("#d3e9f8", "#0072b2", "#10344d", "#56b4e9")),
    "removed": ("− removed", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "changed": ("~ changed", Colour("#faf3c0", "#9a8a00", "#454004", "#f0e442")),
}


def colour(picture: Picture, place: Place) -> Colour:
    """The colours of a box or a group."""
    what, i = place
    if what == "box":
        box = picture.boxes[i]
        return STATES[box.state][1] if box.state else KINDS[box.kind]
    group = picture.groups[i]
    return STATES[group.state][1] if group.state else KINDS["more" if group.kind == "more" else "group"]


def short(text: str, most: int = LONGEST_LABEL) -> str:
    """One line of at most ``most`` characters; control characters would not be valid in XML."""
    text = "".join(c if c.isprintable() else " " for c in text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def _norm(measure: Measure) -> str:
    return f"‖g‖ {measure.norm:.3g}" if not measure.state else f"gradient {measure.text}"


def box_lines(box: Box) -> list[str]:
    """The lines of a box: what it is, its type, and whatever was asked for."""
    lines = [box.title, box.type]
    if box.state:
        lines.append(STATES[box.state][0])
    if box.message:
        lines.append(box.message)
    if box.value is not None:
        lines.append(box.value.text)
    if box.gradient is not None:
        lines.append(_norm(box.gradient))
    if box.kept:
        lines.append(f"keeps {amount(box.kept)}")
    times = [f"{sign} {seconds(t)}" for sign, t in (("→", box.forward), ("←", box.backward)) if t]
    if times:
        lines.append("  ".join(times))
    return [short(line) for line in lines if line]


def group_lines(picture: Picture, g: int) -> list[str]:
    """The lines of a closed group."""
    group = picture.groups[g]
    lines = [group.title, group.subtitle]
    if group.state:
        lines.append(STATES[group.state][0] + " inside")
    if group.kept:
        lines.append(f"keeps {amount(group.kept)}")
    times = [f"{sign} {seconds(t)}" for sign, t in (("→", group.forward), ("←", group.backward)) if t]
    if times:
        lines.append("  ".join(times))
    return [short(line) for line in lines if line]


def lines(picture: Picture, place: Place) -> list[str]:
    """The lines of a box or a closed group."""
    return box_lines(picture.boxes[place[1]]) if place[0] == "box" else group_lines(picture, place[1])


def text_width(text: str, size: float) -> float:
    """About how wide a text is; characters of East Asian scripts and signs are wider."""
    narrow = 0.64 if size == TITLE_SIZE else 0.57  # titles are bold
    return size * sum(narrow if c < "\u2000" or c in "…∂‖→←·" else 1.0 for c in text)


def sizer(picture: Picture) -> Callable[[Place], tuple[float, float]]:
    """Width and height of a box or a closed group; of an open group, the width of its title."""

    def size(place: Place) -> tuple[float, float]:
        if place[0] == "group" and picture.groups[place[1]].open:
            return text_width(short(open_title(picture.groups[place[1]]), LONGEST_TITLE), TITLE_SIZE) + 34, 0.0
        texts = lines(picture, place)
        wide = max(text_width(texts[0], TITLE_SIZE), *[text_width(t, TEXT_SIZE) for t in texts], 40.0)
        return wide + 16.0, LINE_HEIGHT * len(texts) + 9.0 + (5.0 if bar(picture, place) is not None else 0.0)

    return size


def open_title(group: Group) -> str:
    """The title of an open group."""
    return f"{group.title} · {group.parameters:,} parameters" if group.parameters else group.title


def gradient_range(picture: Picture) -> tuple[float, float]:
    """Logarithms of the smallest and the largest typical gradient."""
    logs = [math.log10(typical(b.gradient)) for b in picture.boxes if b.gradient is not None and typical(b.gradient)]
    return (min(logs), max(logs)) if logs else (0.0, 0.0)


def typical(measure: Measure) -> float:
    """The root mean square of an array."""
    return measure.norm / math.sqrt(measure.size) if measure.size and math.isfinite(measure.norm) else 0.0


def bar(picture: Picture, place: Place) -> float | None:
    """The typical gradient of a box as its logarithm, for a bar; None without one."""
    if place[0] != "box":
        return None
    gradient = picture.boxes[place[1]].gradient
    return None if gradient is None or not typical(gradient) else math.log10(typical(gradient))


def tooltip(picture: Picture, place: Place) -> str:
    """Everything there is to say, for where there is room."""
    what, i = place
    if what == "group":
        return "\n".join(group_lines(picture, i))
    box = picture.boxes[i]
    parts = [box.title, box.type, box.message, box.line]
    for name, m in (("value", box.value), ("gradient", box.gradient)):
        if m is not None:
            parts.append(f"{name}: {m.text}, norm {m.norm:.4g}")
    if box.kind == VARIABLE:
        parts.append(f"{box.size:,} elements")
    if box.kind == OPERATION and not box.active:
        parts.append("no gradient flows through")
    return "\n".join(part for part in parts if part)
