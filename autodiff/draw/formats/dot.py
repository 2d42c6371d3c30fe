"""DOT, the language of Graphviz."""

from __future__ import annotations

import importlib
from typing import Any

from ..picture.model import OPERATION, Picture
from ..picture.scene import Place, Scene, arrow_label, key, scene
from . import style

FONT = 'fontname="Helvetica,Arial,sans-serif"'


def quote(text: str) -> str:
    r"""A string for DOT: quotes and backslashes escaped, line ends as ``\n``.

    >>> print(quote('a "b" \\ c'))
    "a \"b\" \\ c"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def dot(picture: Picture) -> str:
    """The picture in DOT: one node for each box in sight, a cluster for each open group."""
    return "\n".join(["digraph {", *body(picture), "}"]) + "\n"


def body(picture: Picture) -> list[str]:
    """The text between the braces."""
    seen = scene(picture)
    title = "".join(quote(style.short(line, 120))[1:-1] + "\\l" for line in [picture.title, *picture.facts])
    lines = [
        f'  graph [label="{title}", labelloc=t, labeljust=l, {FONT}, fontsize=11, ranksep=0.35, nodesep=0.25]',
        f'  node [shape=box, style="filled,rounded", {FONT}, fontsize=10, height=0.3, margin=0.1]',
        '  edge [arrowsize=0.6, color="#7d8894"]',
    ]
    _nodes(picture, seen, lines)
    for (source, target), flow in seen.arrows.items():
        maker = picture.boxes[flow]
        about = [f"tooltip={quote(style.short(f'{maker.title}  {maker.type}', 200))}"]
        if not maker.active:
            about.append("style=dashed")
        if label := arrow_label(picture, seen, source, target):
            about.append(f"label={quote(label)}, fontsize=9")
        lines.append(f"  {key(source)} -> {key(target)} [{', '.join(about)}]")
    return lines


def _nodes(picture: Picture, seen: Scene, lines: list[str]) -> None:
    """Nodes, inside their clusters."""
    for depth, what, place in seen.walk():
        indent = "  " * (depth + 1)
        if what == "end":
            lines.append(f"{indent}}}")
        elif what == "item":
            lines.append(indent + _node(picture, place))
        else:
            lines.append(f"{indent}subgraph cluster_{place[1]} {{")
            title, colour = style.heading(picture, place[1]), style.colour(picture, place).border
            edges = 2 if picture.groups[place[1]].kind == "repeat" else 1
            lines.append(
                f'{indent}  graph [label={quote(title)}, style=rounded, color="{colour}", peripheries={edges}]'
            )


def _node(picture: Picture, place: Place) -> str:
    colour, lines = style.colour(picture, place), style.lines(picture, place)
    about = [
        f"label={quote(chr(10).join(lines))}",
        f"tooltip={quote(style.hint(picture, place))}",
        f'fillcolor="{colour.fill}"',
        f'color="{colour.border}"',
    ]
    if place[0] == "box":
        box = picture.boxes[place[1]]
        if box.kind != OPERATION and len(lines) < 3:  # an oval around more is mostly empty
            about.append("shape=oval")
        elif box.kind == OPERATION and not box.active:
            about.append('style="filled,rounded,dashed"')
        if style.state_of(picture, place):
            about.append("penwidth=2")
    elif picture.groups[place[1]].kind == "repeat":
        about.append("peripheries=2")
    return f"{key(place)} [{', '.join(about)}]"


def digraph(picture: Picture) -> Any:
    """A ``graphviz.Digraph``."""
    try:
        graphviz = importlib.import_module("graphviz")
    except ImportError as error:
        raise ImportError(
            "draw: .graphviz() needs the Python package 'graphviz': pip install 'pullback[draw]'; "
            ".dot() gives the same graph as text, .svg() a picture, without it"
        ) from error
    result = graphviz.Digraph()
    result.body.extend(line + "\n" for line in body(picture))
    return result
