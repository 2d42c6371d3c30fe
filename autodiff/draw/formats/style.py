"""What stands in a box and in which colours, the same in every format.

Colours start from those of M. Okabe and K. Ito (2008), which people with any colour vision can tell apart; what a
colour says, a sign says too.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..picture.measure import Measure
from ..picture.model import (
    MEANING,
    OPERATION,
    REDUCTION,
    SPAN,
    VARIABLE,
    Box,
    Group,
    Picture,
    Together,
    amount,
    seconds,
)
from ..picture.scene import Place

LONGEST_LABEL, LONGEST_TITLE, LONGEST_LINE = 44, 90, 24
LINE_HEIGHT, TITLE_SIZE, TEXT_SIZE, CELL = 15.0, 13, 11, 5


KEY = {
    "variable": ("variable", "an array that gradients are computed for"),
    "input": ("input", "data, which no gradient reaches"),
    "operation": ("operation", "and its result, with shape and element type"),
    "group": ("module", "or function, or repeat; a click opens and closes it"),
}


class Colour(NamedTuple):
    """Fill and border, on a light and on a dark page."""

    fill: str
    border: str
    dark_fill: str
    dark_border: str


KINDS = {
    "operation": Colour("#eef2f7", "#6b7f95", "#273340", "#8fa6bd"),
    "variable": Colour("#d5efe4", "#009e73", "#123a2f", "#2bc79b"),
    "input": Colour("#fdf3d8", "#c98a00", "#2f2810", "#d9a13a"),
    "group": Colour("#e4e9ee", "#44586c", "#20272f", "#b9c7d4"),
    "more": Colour("#ffffff", "#8a8a8a", "#1c1f24", "#8a8a8a"),
}
STATES = {
    "nan": ("✖ NaN", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "inf": ("∞ inf", Colour("#f2c9e0", "#a8447f", "#57214a", "#e59cc4")),
    "failed": ("✖ failed", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "guilty": ("✖ wrong derivative", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "dead": ("∅ zero gradient", Colour("#d2d2d2", "#5f5f5f", "#424242", "#c8c8c8")),
    "vanishing": ("▼ vanishing", Colour("#b5daf5", "#0072b2", "#0f3c5c", "#56b4e9")),
    "exploding": ("▲ exploding", Colour("#f7d585", "#b57900", "#503a00", "#f0c24a")),
    "added": ("+ added", Colour("#b5daf5", "#0072b2", "#0f3c5c", "#56b4e9")),
    "removed": ("− removed", Colour("#f9d8c6", "#d55e00", "#5a2a08", "#ff8a3d")),
    "changed": ("~ changed", Colour("#faf3c0", "#9a8a00", "#454004", "#f0e442")),
}


def state_of(picture: Picture, place: Place) -> str:
    """The state that a box or a group shows: of one that stands for several, the worst of theirs."""
    what, i = place
    thing: Box | Group = picture.boxes[i] if what == "box" else picture.groups[i]
    return thing.state if thing.together is None else thing.together.state


def kind_of(picture: Picture, place: Place) -> str:
    """The name of the colours of a box or a group."""
    what, i = place
    if state := state_of(picture, place):
        return state
    return picture.boxes[i].kind if what == "box" else "more" if picture.groups[i].kind == "more" else "group"


def colour(picture: Picture, place: Place) -> Colour:
    """The colours of a box or a group."""
    kind = kind_of(picture, place)
    return KINDS[kind] if kind in KINDS else STATES[kind][1]


def key(picture: Picture) -> dict[str, tuple[str, str]]:
    """What the colours and signs of a picture stand for, as far as they occur: name and meaning by kind or state."""
    kinds = {box.kind for box in picture.boxes} | {"group" if len(picture.groups) > 1 else ""}
    states = {box.state for box in picture.boxes}
    found = {kind: meaning for kind, meaning in KEY.items() if kind in kinds}
    if any(not box.active for box in picture.boxes):
        found["silent"] = ("dashed", "no gradient flows through")
    if any(box.gradient is not None for box in picture.boxes):
        meaning = "root mean square of the gradient, on a logarithmic scale; pale: of several, the largest"
        found["bar"] = ("bar", meaning)
    if any(box.value is not None and box.value.cells for box in picture.boxes):
        found["above"] = ("cells", "means of parts of an array, blue above and orange below zero; pink is not finite")
    return found | {state: (sign, MEANING[state]) for state, (sign, _) in STATES.items() if state in states}


def short(text: str, most: int = LONGEST_LABEL) -> str:
    """One line of at most ``most`` characters; control characters would not be valid in XML."""
    text = "".join(c if c.isprintable() else " " for c in text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def tail(text: str, most: int = 40) -> str:
    """One line of at most ``most`` characters, the last ones: of a path they say the most."""
    return short(text, most) if len(text) <= most else "…" + short(text[1 - most :], most)


# -- names -----------------------------------------------------------------------------------------------------------


def local(picture: Picture, g: int, path: str) -> str:
    """A path inside group ``g``, without the part that the title of a module around it says already."""
    while g > 0:
        group = picture.groups[g]
        if group.kind == "module" and group.name and path.startswith(group.name + "."):
            return path[len(group.name) + 1 :]
        g = group.parent
    return path


def box_title(picture: Picture, box: Box) -> list[str]:
    """The name of a box, in two lines if its options need a line of their own."""
    name = local(picture, box.group, box.name)
    if box.kind != OPERATION:
        return [name or box.kind]
    title = f"{name} = {box.call}" if name else box.call
    operation, bracket, options = box.call.partition("(")
    if len(title) <= LONGEST_LINE or not bracket:
        return [title]
    return [f"{name} = {operation}" if name else operation, f"({options}"]


def group_title(picture: Picture, g: int) -> str:
    """The title of a group, with paths as they are read inside the groups around it."""
    group = picture.groups[g]
    names = (local(picture, group.parent, name) for name in group.name.split(SPAN))
    return replace(group, name=SPAN.join(names)).title


def open_title(picture: Picture, g: int) -> str:
    """The title of an open group."""
    group = picture.groups[g]
    parts = [group_title(picture, g)]
    if group.parameters:
        parts.append(f"{group.parameters:,} parameters")
    if group.kind == "repeat":
        parts.append("the first is drawn")
    return " · ".join(parts)


def heading(picture: Picture, g: int) -> str:
    """The title of an open group, where it stands over what is inside."""
    return short(open_title(picture, g), LONGEST_TITLE)


# -- lines -----------------------------------------------------------------------------------------------------------


def _gradient(measure: Measure) -> str:
    """The gradient of a number with its sign, the norm of that of an array."""
    if measure.state:
        return f"gradient {measure.text}"
    return f"g {measure.whole}" if measure.size == 1 and measure.whole else f"‖g‖ {measure.norm:.3g}"


def _range(gradients: tuple[float, float]) -> str:
    return "rms g {:.3g} … {:.3g}".format(*gradients)


def _costs(of: Box | Group | Together) -> list[str]:
    times = [f"{sign} {seconds(t)}" for sign, t in (("→", of.forward), ("←", of.backward)) if t]
    return [*([f"keeps {amount(of.kept)}"] if of.kept else []), *(["  ".join(times)] if times else [])]


def _state(thing: Box | Group, together: Together | None, where: str = "") -> list[str]:
    """The state, and of one that stands for several how many are in it."""
    state = thing.state if together is None else together.state
    several = f", {together.affected:,} of {together.copies:,}" if together is not None else ""
    return [STATES[state][0] + where + several] if state else []


def box_lines(picture: Picture, box: Box, *, alone: bool = False) -> list[str]:
    """The lines of a box: what it is, its type, and whatever was asked for.

    A box that is drawn once for several says what they measured together, unless it is ``alone``.
    """
    lines = [*box_title(picture, box), box.type, *_state(box, None if alone else box.together)]
    for part in short(box.message, 4 * LONGEST_LABEL).split("; "):
        lines += textwrap.wrap(part, LONGEST_LABEL)
    return [short(line) for line in [*lines, *_rows(extras(box, alone=alone))] if line]


def _rows(lines: list[str]) -> list[str]:
    """These lines, with each row of a matrix in one of its own."""
    return [
        row for line in lines for row in (line[1:-1].replace("], ", "]\n").split("\n") if line[:2] == "[[" else [line])
    ]


def extras(box: Box, *, alone: bool = False) -> list[str]:
    """What was asked for: values, gradients, bytes, times."""
    together = None if alone else box.together
    if together is None:
        found = [box.value.text] if box.value is not None else []
        found += [_gradient(box.gradient)] if box.gradient is not None else []
        return found + _costs(box)
    found = [f"all {together.copies:,} together:"]
    if together.value is not None:
        found.append(together.value.text)
    if together.gradient is not None and together.gradients is not None:
        found.append(_gradient(together.gradient) if together.gradient.state else _range(together.gradients))
        if together.reached < together.copies:
            found[-1] += f" ({together.reached:,} of {together.copies:,})"
    found += _costs(together)
    return found if len(found) > 1 else []


def group_lines(picture: Picture, g: int, *, alone: bool = False) -> list[str]:
    """The lines of a closed group."""
    group = picture.groups[g]
    together = None if alone else group.together
    measured = group if together is None else together
    lines = [group_title(picture, g), group.subtitle, *_state(group, together, " inside")]
    extra = [_range(measured.gradients)] if measured.gradients is not None else []
    ends_in = picture.groups[picture.front(g)].result
    if ends_in >= 0 and (group.kind == REDUCTION or not alone or group.together is None):
        extra = extras(picture.boxes[ends_in], alone=alone and group.kind == REDUCTION)
    extra += _costs(measured)
    if together is not None and extra:
        lines.append(f"all {together.copies:,} together:")
    return [short(line) for line in [*lines, *extra] if line]


def lines(picture: Picture, place: Place) -> list[str]:
    """The lines of a box or a closed group."""
    return box_lines(picture, picture.boxes[place[1]]) if place[0] == "box" else group_lines(picture, place[1])


def text_width(text: str, size: float) -> float:
    """About how wide a text is; characters of East Asian scripts and signs are wider."""
    narrow = 0.64 if size == TITLE_SIZE else 0.57  # titles are bold
    return size * sum(narrow if c < "\u2000" or c in "…∂‖→←·" else 1.0 for c in text)


def sizer(picture: Picture, texts_of: Callable[[Place], list[str]]) -> Callable[[Place], tuple[float, float]]:
    """Width and height of a box or a closed group with its lines; of an open group, the width of its heading."""

    def size(place: Place) -> tuple[float, float]:
        if place[0] == "group" and picture.groups[place[1]].open:
            return text_width(heading(picture, place[1]), TITLE_SIZE) + 34, 0.0
        texts = texts_of(place)
        wide = max(text_width(texts[0], TITLE_SIZE), *[text_width(t, TEXT_SIZE) for t in texts], 40.0)
        cells = heat_map(picture, place)
        wide = max(wide, CELL * len(cells[0])) if cells else wide
        high = LINE_HEIGHT * len(texts) + 9.0 + (CELL * len(cells) + 4.0 if cells else 0.0)
        return wide + 16.0, high + (5.0 if bar(picture, place) is not None else 0.0)

    return size


def heat_map(picture: Picture, place: Place) -> tuple[str, ...]:
    """The cells of the heat map that a box shows: that of one array, and not of several that it stands for."""
    box = picture.boxes[place[1]] if place[0] == "box" else None
    return box.value.cells if box is not None and box.together is None and box.value is not None else ()


def strokes(cells: tuple[str, ...], x: float, y: float) -> list[tuple[str, float, str]]:
    """The paths that paint a heat map: the kind of its colour, the opacity, and a rectangle for each cell."""
    paths: dict[str, str] = {}
    for j, row in enumerate(cells):
        for i, level in enumerate(row):
            if level != "4":
                paths[level] = paths.get(level, "") + f"M{x + CELL * i:.1f} {y + CELL * j:.1f}h{CELL}v{CELL}h-{CELL}z"
    return [
        (
            "odd" if level == "x" else "below" if level < "4" else "above",
            1.0 if level == "x" else abs(int(level) - 4) / 4,
            d,
        )
        for level, d in sorted(paths.items())
    ]


Bar = tuple[float, float]


def gradient_range(picture: Picture) -> Bar:
    """Logarithms of the smallest and the largest typical gradient."""
    logs = [math.log10(b.gradient.typical) for b in picture.boxes if b.gradient is not None and b.gradient.typical]
    return (min(logs), max(logs)) if logs else (0.0, 0.0)


def bar(picture: Picture, place: Place, *, alone: bool = False) -> Bar | None:
    """The typical gradient of a box or a closed group as its logarithm, for a bar; None without one.

    Two numbers: the smallest and the largest of those that it stands for.
    """
    thing: Box | Group = picture.boxes[place[1]] if place[0] == "box" else picture.groups[place[1]]
    found = thing.gradients if alone or thing.together is None else thing.together.gradients
    return None if found is None or not found[1] else (math.log10(found[0] or found[1]), math.log10(found[1]))


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


def hint(picture: Picture, place: Place) -> str:
    """The tooltip in one line, for where it cannot have several."""
    return short(tooltip(picture, place).replace("\n", " | "), 2000)
