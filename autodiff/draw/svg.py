"""SVG, laid out here: needs neither Graphviz nor a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from . import style
from .layers import Point
from .layout import Frame, Layout, layout
from .picture import OPERATION, Picture
from .scene import Place, scene

if TYPE_CHECKING:
    from collections.abc import Collection

FACTS, LONGEST_FACT = 17.0, 110
SIZES = f"text{{font-size:{style.TEXT_SIZE}px}}.title{{font-size:{style.TITLE_SIZE}px;font-weight:600}}"
CSS = """
svg{font-family:system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif;--page:#fff;--ink:#1a1a1a;--soft:#5a5a5a;
--arrow:#7d8894;--inner:#8fa6bd;--bar:#5b4b9a}
.page{fill:var(--page)}text{fill:var(--ink)}.soft{fill:var(--soft)}
.arrow{fill:none;stroke:var(--arrow);stroke-width:1.2}.silent{stroke-dasharray:4 3}.head{fill:var(--arrow)}
.frame{fill:none;stroke:var(--inner);stroke-width:1}.bar{fill:var(--bar)}
.heading{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}.shape{text-anchor:middle}
.now rect.box{stroke-width:3.5;stroke:#d55e00}.flowing .arrow{stroke:#d55e00;stroke-width:2.6}
.flowing .head{fill:#d55e00}.waiting{opacity:.35}
"""
DARK = "svg{--page:#15181c;--ink:#eceff2;--soft:#a9b1ba;--arrow:#8a96a3;--inner:#53697f;--bar:#b3a6f0}"


def svg(picture: Picture, *, scheme: str = "auto") -> str:
    """The picture as an SVG document.  ``scheme`` is "light", "dark", or "auto": as the reader's system is set."""
    return Sheet(picture).document(scheme=scheme)


class Sheet:
    """A picture that has been laid out, to be written once or, for the frames of a film, many times."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.scene = scene(picture)
        self.layout: Layout = layout(self.scene, style.sizer(picture))
        self._range = style.gradient_range(picture)

    def document(
        self,
        *,
        scheme: str = "auto",
        now: Collection[Place] = (),
        waiting: Collection[Place] = (),
        flowing: Collection[tuple[Place, Place]] = (),
        caption: str = "",
        least: float = 0.0,
    ) -> str:
        """The whole document, at least ``least`` wide.

        Boxes that are ``now`` at work and arrows that are ``flowing`` are drawn bold, boxes still ``waiting`` pale.
        """
        if scheme not in ("auto", "light", "dark"):
            raise ValueError(f"svg: the scheme is 'auto', 'light' or 'dark', not {scheme!r}")
        picture, frames = self.picture, self.layout.frames
        facts = [caption] if caption else [picture.title, *picture.facts]
        facts = [style.short(fact, LONGEST_FACT) for fact in facts]
        top = FACTS * len(facts) + 6
        wide = max(self.layout.width, least, self.caption_width(facts[0]))
        wide = max([wide, *[style.text_width(fact, style.TEXT_SIZE) + 32 for fact in facts]])
        high = self.layout.height + top
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
                f'viewBox="0 0 {wide:.1f} {high:.1f}" role="img">'
            ),
            f"<title>{escape(style.short(picture.title, 200))}</title>",
            f"<style>{CSS}{SIZES}{self._colours(scheme)}</style>",
            '<rect class="page" width="100%" height="100%"/>',
        ]
        for k, fact in enumerate(facts):
            kind = "title" if k == 0 else "soft"
            parts.append(f'<text class="{kind}" x="16" y="{FACTS * (k + 1):.1f}">{escape(fact)}</text>')
        parts.append(f'<g transform="translate({(wide - self.layout.width) / 2:.1f} {top:.1f})">')
        for place, frame in frames.items():
            if place[0] == "group" and place[1] in self.scene.inside:
                parts.append(self._frame(place, frame))
        for source, target, points in self.layout.arrows:
            parts.append(self._arrow(source, target, points, "flowing" if (source, target) in flowing else ""))
        for place, frame in frames.items():
            if place[0] == "group" and place[1] in self.scene.inside:
                title = escape(style.short(style.open_title(picture.groups[place[1]]), style.LONGEST_TITLE))
                parts.append(
                    f'<text class="title heading" x="{frame[0] + 9:.1f}" y="{frame[1] + 16:.1f}">{title}</text>'
                )
        for place, frame in frames.items():
            if not (place[0] == "group" and place[1] in self.scene.inside):
                state = "now" if place in now else "waiting" if place in waiting else ""
                parts.append(self._box(place, frame, state))
        return "\n".join([*parts, "</g>", "</svg>"])

    def caption_width(self, caption: str) -> float:
        """How wide a document must be for a caption."""
        return style.text_width(style.short(caption, LONGEST_FACT), style.TITLE_SIZE) + 32

    def _colours(self, scheme: str) -> str:
        names = {**style.KINDS, **{state: pair[1] for state, pair in style.STATES.items()}}
        light = "".join(f".{n}{{fill:{c.fill};stroke:{c.border}}}" for n, c in names.items())
        dark = DARK + "".join(f".{n}{{fill:{c.dark_fill};stroke:{c.dark_border}}}" for n, c in names.items())
        if scheme == "light":
            return light
        return light + dark if scheme == "dark" else f"{light}@media(prefers-color-scheme:dark){{{dark}}}"

    def _frame(self, place: Place, frame: Frame) -> str:
        group = self.picture.groups[place[1]]
        x, y, w, h = frame
        stack = ""
        if group.kind == "repeat":  # two more edges behind say "several"
            stack = "".join(
                f'<rect class="group" x="{x + d:.1f}" y="{y + d:.1f}" width="{w:.1f}" height="{h:.1f}" rx="9"'
                ' fill-opacity=".35"/>' for d in (7, 3.5)
            )  # fmt: skip
        return (
            f'<g class="cluster" id="g{place[1]}">{stack}<rect class="group" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
            f'height="{h:.1f}" rx="9" fill-opacity=".35" stroke-width="1"/></g>'
        )

    def _box(self, place: Place, frame: Frame, state: str) -> str:
        picture = self.picture
        x, y, w, h = frame
        kind = "group"
        dashed = ""
        if place[0] == "box":
            box = picture.boxes[place[1]]
            kind = box.state or box.kind
            if box.kind == OPERATION and not box.active:
                dashed = ' stroke-dasharray="4 3"'
        else:
            group = picture.groups[place[1]]
            kind = group.state or ("more" if group.kind == "more" else "group")
            dashed = ' stroke-dasharray="4 3"' if group.kind == "more" else ""
        radius = h / 2 if place[0] == "box" and picture.boxes[place[1]].kind != OPERATION and h < 45 else 6
        thick = 2.2 if kind in style.STATES else 1.2
        texts = style.lines(picture, place)
        parts = [f'<g class="{("node " + state).strip()}" id="{"b" if place[0] == "box" else "g"}{place[1]}">']
        parts.append(
            f"<title>{escape(style.short(style.tooltip(picture, place).replace(chr(10), ' | '), 2000))}</title>"
        )
        if place[0] == "group" and picture.groups[place[1]].kind == "repeat":
            parts += [
                f'<rect class="{kind}" x="{x + d}" y="{y + d}" width="{w:.1f}" height="{h:.1f}" rx="6"/>'
                for d in (6, 3)
            ]
        parts.append(
            f'<rect class="box {kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{radius:.1f}" '
            f'stroke-width="{thick}"{dashed}/>'
        )
        for k, text in enumerate(texts):
            kind = "title" if k == 0 else "soft"
            parts.append(
                f'<text class="{kind}" text-anchor="middle" x="{x + w / 2:.1f}" '
                f'y="{y + 17 + k * style.LINE_HEIGHT:.1f}">{escape(text)}</text>'
            )
        level = style.bar(picture, place)
        if level is not None:
            low, high = self._range
            part = 1.0 if high - low < 1e-9 else 0.04 + 0.96 * (level - low) / (high - low)
            parts.append(
                f'<rect class="bar" x="{x + 6:.1f}" y="{y + h - 7:.1f}" width="{part * (w - 12):.1f}" height="4"/>'
            )
        return "".join([*parts, "</g>"])

    def _arrow(self, source: Place, target: Place, points: list[Point], state: str) -> str:
        maker = self.picture.boxes[self.scene.arrows[source, target]]
        kind = "arrow" if maker.active else "arrow silent"
        path, (x, y) = curve(points), points[-1]
        about = quoteattr(f"{source[0][0]}{source[1]} {target[0][0]}{target[1]}")
        label = escape(style.short(f"{maker.title}  {maker.type}", 120))
        shape = ""
        if target[0] == "box" and self.picture.boxes[target[1]].state == "failed" and maker.shape is not None:
            at, below = points[0]  # where it leaves: arrows meet at their ends
            shape = f'<text class="shape heading" x="{at:.1f}" y="{below + 15:.1f}">{escape(maker.type)}</text>'
        return (
            f'<g class="{("edge " + state).strip()}" data-ends={about}><title>{label}</title>'
            f'<path class="{kind}" d="{path}"/>'
            f'<path class="head" d="M{x - 4:.1f} {y - 7:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {y - 7:.1f}Z"/>{shape}</g>'
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
