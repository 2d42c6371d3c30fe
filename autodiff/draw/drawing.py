"""The result of ``draw``: a picture that displays itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..dialects import SHOWING, no_such_name
from .picture.aggregates import gather
from .picture.grouping import ROOM, boxes_in_sight, limit, open_groups, simplify
from .picture.model import Picture
from .picture.repeats import fold_repeats
from .picture.scalars import fold_scalars, is_of_scalars

if TYPE_CHECKING:
    from pathlib import Path


class Drawing:
    """A picture of a graph.  A notebook displays it, ``print`` prints it, ``save`` writes it to a file.

    It is plain data, and keeps no array and no graph alive.
    """

    def __init__(self, picture: Picture, *, depth: int | None = None, max_nodes: int = 200) -> None:
        self.picture = picture
        simplify(picture)
        picture.total()
        if max_nodes < 4:
            raise ValueError(f"draw: max_nodes is {max_nodes}; at least 4 are needed to show a beginning and an end")
        room = min(max_nodes, ROOM)
        open_groups(picture, depth, room)
        closed = any(not group.open and group.operations for group in picture.groups)
        if boxes_in_sight(picture) > room or (depth is None and closed):
            (fold_scalars if is_of_scalars(picture) else fold_repeats)(picture)
            open_groups(picture, depth, room)
            gather(picture)
        limit(picture, max_nodes)

    # -- formats -------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_such_name("'Drawing' object", name, SHOWING)

    def __str__(self) -> str:
        from .formats.text import text

        return text(self.picture)

    def __repr__(self) -> str:
        facts = self.picture.facts
        return f"<Drawing of {self.picture.title}: {facts[0] if facts else 'nothing'}>"

    def svg(self, *, scheme: str = "auto") -> str:
        """The picture as SVG, laid out without Graphviz; ``scheme`` is "light", "dark", or "auto" as the system.

        >>> from autodiff import Tensor
        >>> from autodiff.draw import draw
        >>> x = Tensor(2.0)
        >>> draw(x * x).svg().startswith("<svg")
        True
        """
        from .formats.svg import svg

        return svg(self.picture, scheme=scheme)

    def html(self) -> str:
        """The picture as one interactive page that needs no network."""
        from .formats.page import page

        return page(self.picture)

    def dot(self) -> str:
        """The picture in Graphviz's language."""
        from .formats.dot import dot

        return dot(self.picture)

    def json(self) -> str:
        """All facts about the graph, as strict JSON."""
        from .formats.json import as_json

        return as_json(self.picture)

    def mermaid(self) -> str:
        """The picture in Mermaid, for documents on code hosts."""
        from .formats.mermaid import mermaid

        return mermaid(self.picture)

    def graphviz(self) -> Any:
        """A ``graphviz.Digraph``.  Raises ImportError without the Python package."""
        from .formats.dot import digraph

        return digraph(self.picture)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file; the ending of its name is the format; returns the path.

        The file is written whole or not at all.  Raises ValueError for an unknown ending, with all known ones;
        ImportError for ``.png`` and ``.pdf`` without what paints them, which says what to install; OSError if the file
        cannot be written.
        """
        from pathlib import Path

        from .. import files
        from .formats.table import contents

        path = Path(path)
        files.write(path, contents(self.picture, path.name, path.suffix.lower()), errors="replace")
        return path

    def frames(self) -> list[str]:
        """The backward pass as a film, one SVG for each step."""
        from .formats.film import frames

        return frames(self.picture)

    def compare(self, other: Drawing) -> Drawing:
        """A drawing of ``other`` that marks what changed since this one: added, removed, changed."""
        from .picture.comparison import compare

        return Drawing(compare(self.picture, other.picture))

    @property
    def static(self) -> Static:
        """The same drawing as plain SVG, for notebooks that are read without scripts."""
        return Static(self)

    # -- notebooks -----------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from html import escape

        frame = (
            '<iframe style="width:100%;height:520px;border:1px solid #8884;border-radius:6px" '
            'sandbox="allow-scripts allow-downloads" srcdoc="{}"></iframe>'
        )
        return _bundle(
            {
                "text/plain": lambda: str(self),
                "image/svg+xml": self.svg,
                "text/html": lambda: frame.format(escape(self.html(), quote=True)),
            }
        )


class Static:
    """A drawing that is displayed as SVG only."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return _bundle({"text/plain": lambda: str(self.drawing), "image/svg+xml": self.drawing.svg})


def _bundle(makers: dict[str, Callable[[], str]]) -> dict[str, str]:
    """The formats that could be made; if one fails, the cell shows a sentence and no traceback."""
    bundle = {}
    for kind, make in makers.items():
        try:
            bundle[kind] = make()
        except Exception as error:
            bundle.setdefault("text/plain", f"draw: could not make {kind}: {type(error).__name__}: {error}")
    return bundle
