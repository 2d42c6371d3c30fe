"""SVG, laid out here: needs neither Graphviz nor a browser."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from html import escape as escaped
from typing import TYPE_CHECKING

from ..layout.compound import Frame, Layout, layout
from ..layout.labels import place_labels
from ..layout.layered import Point
from ..picture.model import OPERATION, Picture
from ..picture.scene import Place, arrow_label, key, scene
from . import style

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FACTS, LONGEST_FACT = 17.0, 110
FONTS = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
CSS = """
.now rect.box{stroke-width:3.5;stroke:#d55e00}.flowing .arrow{stroke:#d55e00;stroke-width:2.6}
.flowing .head{fill:#d55e00}.waiting{opacity:.35}
"""
"""The moments of a film.  All else is said by attributes: many viewers know no CSS, or no variables in it."""
COLOURS = {
    "ink": ("#1a1a1a", "#eceff2"), "soft": ("#5a5a5a", "#a9b1ba"), "page": ("#ffffff", "#15181c"),
    "arrow": ("#7d8894", "#8a96a3"), "bar": ("#5b4b9a", "#b3a6f0"),
    "above": ("#0072b2", "#56b4e9"), "below": ("#d55e00", "#ff8a3d"), "odd": ("#a8447f", "#e59cc4"),
}  # fmt: skip
"""On a light page, and on a dark one."""


def escape(text: str) -> str:
    """A text between tags.  Quotes stay: none of our attributes holds one."""
    return escaped(text, quote=False)


def svg(picture: Picture, *, scheme: str = "auto") -> str:
    """The picture as an SVG document.  ``scheme`` is "light", "dark", or "auto": as the reader's system is set."""
    return Sheet(picture).document(scheme=scheme)


@dataclass
class Moment:
    """One frame of a film: boxes at work and arrows in use are drawn bold, boxes that wait pale, at least so wide."""

    now: Collection[Place] = ()
    waiting: Collection[Place] = ()
    flowing: Collection[tuple[Place, Place]] = ()
    caption: str = ""
    least: float = 0.0


TITLE = f'font-size="{style.TITLE_SIZE}" font-weight="600"'
_KINDS = {**style.KINDS, **{state: pair[1] for state, pair in style.STATES.items()}}


def _dark_rules() -> str:
    """For a reader whose system is dark; a viewer that does not know the condition leaves out what is in it."""
    selectors = {".soft": "soft", ".page": "page", ".head": "arrow", ".bar": "bar", ".ink": "ink"}
    selectors |= {f".{name}": name for name in ("above", "below", "odd")}
    rules = [f"{selector}{{fill:{COLOURS[name][1]}}}" for selector, name in selectors.items()]
    rules += [f".arrow{{stroke:{COLOURS['arrow'][1]}}}.halo{{stroke:{COLOURS['page'][1]}}}"]
    rules += [f".{name}{{fill:{c.dark_fill};stroke:{c.dark_border}}}" for name, c in _KINDS.items()]
    return f"@media(prefers-color-scheme:dark){{{''.join(rules)}}}"


_DARK = _dark_rules()


class Sheet:
    """A picture that has been laid out, to be written once or, for the frames of a film, many times."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.scene = scene(picture)
        self._lines = functools.cache(functools.partial(style.lines, picture))  # for the sizes, and for each frame
        self.layout: Layout = layout(self.scene, style.sizer(picture, self._lines))
        self._range = style.gradient_range(picture)
        self._dark = False
        self._labels = self._placed_labels()

    def _placed_labels(self) -> dict[tuple[Place, Place], tuple[str, Frame]]:
        """The labels of arrows, and where they stand."""
        texts, places = {}, []
        for source, target, points in self.layout.arrows:
            if said := arrow_label(self.picture, self.scene, source, target):
                texts[source, target] = said
                places.append((points, style.text_width(said, style.TEXT_SIZE)))
        opened = {("group", g) for g in self.scene.inside}
        taken = [frame for place, frame in self.layout.frames.items() if place not in opened]
        taken += self.titles().values() if places else ()
        return dict(zip(texts, zip(texts.values(), place_labels(places, taken), strict=True), strict=True))

    def titles(self) -> dict[Place, Frame]:
        """Where the titles of open groups stand."""
        found = {}
        for place, (x, y, *_) in self.layout.frames.items():
            if place[0] == "group" and place[1] in self.scene.inside:
                wide = style.text_width(style.heading(self.picture, place[1]), style.TITLE_SIZE)
                found[place] = (x + 9, y + 4, wide, 16.0)
        return found

    def document(self, *, scheme: str = "auto", moment: Moment | None = None) -> str:
        """The whole document; of a film, one ``moment``."""
        if scheme not in ("auto", "light", "dark"):
            raise ValueError(f"svg: the scheme is 'auto', 'light' or 'dark', not {scheme!r}")
        moment = moment or Moment()
        self._dark = scheme == "dark"
        facts = [moment.caption] if moment.caption else [self.picture.title, *self.picture.facts, *self._signs()]
        facts = [style.short(fact, LONGEST_FACT) for fact in facts]
        top = FACTS * len(facts) + 6
        wide = max(self.layout.width, moment.least, self.caption_width(facts[0]))
        wide = max([wide, *[style.text_width(fact, style.TEXT_SIZE) + 32 for fact in facts]])
        high = self.layout.height + top
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
                f'viewBox="0 0 {wide:.1f} {high:.1f}" style="max-width:100%;height:auto" '
                f'role="img" class="ink" fill="{self._colour("ink")}" '
                f'font-family="{FONTS}" font-size="{style.TEXT_SIZE}">'
            ),
            f"<title>{escape(style.short(self.picture.title, 200))}</title>",
            f"<style>{CSS}{_DARK if scheme == 'auto' else ''}</style>",
            f'<rect class="page" width="100%" height="100%" fill="{self._colour("page")}"/>',
        ]
        for k, fact in enumerate(facts):
            parts.append(f'<text {self._written(k == 0)} x="16" y="{FACTS * (k + 1):.1f}">{escape(fact)}</text>')
        parts.append(f'<g transform="translate({(wide - self.layout.width) / 2:.1f} {top:.1f})">')
        return "\n".join([*parts, *self._items(moment), "</g>", "</svg>"])

    def _signs(self) -> list[str]:
        """What the signs mean that have no words of their own."""
        meanings = style.key(self.picture)
        return [
            f"{name}: {meaning}" for kind, (name, meaning) in meanings.items() if kind in ("silent", "bar", "above")
        ]

    def _items(self, moment: Moment) -> Iterator[str]:
        """Frames of open groups, arrows over them, their titles over these, and boxes."""
        opened = {("group", g) for g in self.scene.inside}
        frames = [(place, frame) for place, frame in self.layout.frames.items() if place in opened]
        for place, frame in frames:
            yield self._frame(place, frame)
        for source, target, points in self.layout.arrows:
            yield self._arrow(source, target, points, "flowing" if (source, target) in moment.flowing else "")
        for (_, g), frame in frames:
            at = f'x="{frame[0] + 9:.1f}" y="{frame[1] + 16:.1f}"'
            yield self._with_halo(f"{at} {TITLE}", style.heading(self.picture, g))
        for place, frame in self.layout.frames.items():
            if place not in opened:
                state = "now" if place in moment.now else "waiting" if place in moment.waiting else ""
                yield self._box(place, frame, state)

    def caption_width(self, caption: str) -> float:
        """How wide a document must be for a caption."""
        return style.text_width(style.short(caption, LONGEST_FACT), style.TITLE_SIZE) + 32

    def _colour(self, name: str) -> str:
        return COLOURS[name][self._dark]

    def _written(self, title: bool) -> str:
        """The attributes of a text that is a title, or is not."""
        return f'class="title" {TITLE}' if title else f'class="soft" fill="{self._colour("soft")}"'

    def _filled(self, kind: str, more: str = "") -> str:
        """The attributes of a box or a frame with the colours of its kind."""
        colour = _KINDS[kind]
        fill, border = colour[2:] if self._dark else colour[:2]
        return f'class="{(more + " " + kind).strip()}" fill="{fill}" stroke="{border}"'

    def _with_halo(self, attributes: str, text: str) -> str:
        """A text over lines, with its outline in the colour of the page below it.

        Those are two texts, because a viewer without ``paint-order`` paints an outline over the letters.
        """
        page = self._colour("page")
        outline = (
            f'class="halo" fill="none" stroke="{page}" stroke-width="4" stroke-linejoin="round" aria-hidden="true"'
        )
        return "".join(f"<text {a}>{escape(text)}</text>" for a in (f"{attributes} {outline}", attributes))

    def _frame(self, place: Place, frame: Frame) -> str:
        group = self.picture.groups[place[1]]
        x, y, w, h = frame
        stack = ""
        if group.kind == "repeat":  # two more edges behind say "several"
            stack = "".join(
                f'<rect {self._filled("group")} x="{x + d:.1f}" y="{y + d:.1f}" width="{w:.1f}" height="{h:.1f}" rx="9"'
                ' fill-opacity=".35" stroke-opacity=".6"/>' for d in (7, 3.5)
            )  # fmt: skip
        return (
            f'<g class="cluster" id="{key(place)}">{stack}<rect {self._filled("group")} x="{x:.1f}" y="{y:.1f}" '
            f'width="{w:.1f}" height="{h:.1f}" rx="9" fill-opacity=".35" stroke-opacity=".6" stroke-width="1"/></g>'
        )

    def _box(self, place: Place, frame: Frame, state: str) -> str:
        picture = self.picture
        x, y, w, h = frame
        kind, repeats, dashed, radius = style.kind_of(picture, place), False, False, 6.0
        if place[0] == "box":
            box = picture.boxes[place[1]]
            dashed = box.kind == OPERATION and not box.active
            radius = h / 2 if box.kind != OPERATION and h < 45 else radius
        else:
            repeats = picture.groups[place[1]].kind == "repeat"
            dashed = picture.groups[place[1]].kind == "more"
        parts = [
            f'<g class="{("node " + state).strip()}" id="{key(place)}">',
            f"<title>{escape(style.hint(picture, place))}</title>",
        ]
        for d in (6, 3) if repeats else ():
            parts.append(
                f'<rect {self._filled(kind)} x="{x + d}" y="{y + d}" width="{w:.1f}" height="{h:.1f}" rx="6"/>'
            )
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        parts.append(
            f'<rect {self._filled(kind, "box")} x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'rx="{radius:.1f}" stroke-width="{2.2 if kind in style.STATES else 1.2}"{dashes}/>'
        )
        for k, text in enumerate(self._lines(place)):
            parts.append(
                f'<text {self._written(k == 0)} text-anchor="middle" x="{x + w / 2:.1f}" '
                f'y="{y + 17 + k * style.LINE_HEIGHT:.1f}">{escape(text)}</text>'
            )
        return "".join([*parts, self._heat_map(place, frame), self._bar(place, frame), "</g>"])

    def _heat_map(self, place: Place, frame: Frame) -> str:
        cells = style.heat_map(self.picture, place)
        if not cells:
            return ""
        x, y, w, _ = frame
        wide, high = style.CELL * len(cells[0]), style.CELL * len(cells)
        left, top = x + (w - wide) / 2, y + 7 + style.LINE_HEIGHT * len(self._lines(place))
        edge = f'<rect class="arrow" fill="none" stroke="{self._colour("arrow")}" stroke-width=".6" '
        paths = [
            f'<path class="{kind}" fill="{self._colour(kind)}" fill-opacity="{opacity:g}" d="{d}"/>'
            for kind, opacity, d in style.strokes(cells, left, top)
        ]
        return "".join([*paths, f'{edge}x="{left:.1f}" y="{top:.1f}" width="{wide}" height="{high}"/>'])

    def _bar(self, place: Place, frame: Frame) -> str:
        """The typical gradient on a scale that all boxes share; pale, up to the largest of those it stands for."""
        levels = style.bar(self.picture, place)
        if levels is None:
            return ""
        low, high = self._range
        x, y, w, h = frame
        bars = []
        for level, pale in ((levels[1], ' opacity=".35"'), (levels[0], "")):
            part = 1.0 if high - low < 1e-9 else 0.04 + 0.96 * (level - low) / (high - low)
            if not pale or levels[1] > levels[0]:
                bars.append(f'<rect class="bar" fill="{self._colour("bar")}"{pale} x="{x + 6:.1f}" y="{y + h - 7:.1f}" '
                            f'width="{max(part, 0.02) * (w - 12):.1f}" height="4"/>')  # fmt: skip
        return "".join(bars)

    def _arrow(self, source: Place, target: Place, points: list[Point], state: str) -> str:
        maker = self.picture.boxes[self.scene.arrows[source, target]]
        colour, dashes = self._colour("arrow"), "" if maker.active else ' stroke-dasharray="4 3"'
        path, (x, y) = curve(points), points[-1]
        label = escape(style.short(f"{maker.title}  {maker.type}", 120))
        said, (left, top, *_) = self._labels.get((source, target), ("", (0.0, 0.0)))
        shape = self._with_halo(f'x="{left:.1f}" y="{top + 11:.1f}"', said) if said else ""
        return (
            f'<g class="{("edge " + state).strip()}" data-ends="{key(source)} {key(target)}"><title>{label}</title>'
            f'<path class="arrow" fill="none" stroke="{colour}" stroke-width="1.2"{dashes} d="{path}"/>'
            f'<path class="head" fill="{colour}" '
            f'd="M{x - 4:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 7:.1f}Z"/>{shape}</g>'
        )


def curve(points: list[Point]) -> str:
    """A path through points that leaves and enters each of them vertically."""
    (x, y) = points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for nx, ny in points[1:]:
        if abs(nx - x) < 0.5:
            parts.append(f"L{nx:.1f} {ny:.1f}")
        else:
            middle = (y + ny) / 2
            parts.append(f"C{x:.1f} {middle:.1f} {nx:.1f} {middle:.1f} {nx:.1f} {ny:.1f}")
        x, y = nx, ny
    return "".join(parts)
