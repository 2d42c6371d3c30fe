"""``draw`` and what it returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..dialects import DRAWINGS, SHOWING, answering, no_such_name
from ..graph import Node
from ..tensor import Tensor
from .capture import graph
from .capture.failure import of_exception
from .capture.names import Names, caller, is_module
from .picture.aggregates import gather
from .picture.grouping import ROOM, boxes_in_sight, limit, open_groups, simplify
from .picture.model import Box, Picture
from .picture.repeats import fold_repeats
from .picture.selection import between, keep_only, without

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = (".svg", ".html", ".dot", ".gv", ".json", ".mmd", ".txt", ".png", ".pdf")
Hidden = str | Sequence[str] | Callable[[Box], bool]


class Drawing:
    """A picture of a graph, which shows itself: in a notebook, on a terminal (``print``), in a file (``save``).

    It is plain data: it keeps no array and no graph alive.
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
            fold_repeats(picture)
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
        """The picture as SVG, laid out without Graphviz.  ``scheme``: "light", "dark", or "auto" as the system is set.

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
        """Everything that is known, as strict JSON."""
        from .formats.exchange import as_json

        return as_json(self.picture)

    def mermaid(self) -> str:
        """The picture in Mermaid, for documents on code hosts."""
        from .formats.exchange import mermaid

        return mermaid(self.picture)

    def graphviz(self) -> Any:
        """A ``graphviz.Digraph`` to go on with; ImportError without the Python package."""
        from .formats.dot import digraph

        return digraph(self.picture)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file whose ending says the format; returns the path.

        .svg .html .dot .gv .json .mmd .txt need nothing; .png and .pdf need Graphviz.  The file appears whole or not
        at all.  Raises ValueError for another ending, OSError if the file cannot be written.
        """
        from pathlib import Path

        from .. import files

        path = Path(path)
        kind = path.suffix.lower()
        if kind not in FORMATS:
            raise ValueError(f"draw: cannot save as {path.name!r}; the ending must be one of {' '.join(FORMATS)}")
        if kind in (".png", ".pdf"):
            from .formats.dot import rendered

            files.write(path, rendered(self.picture, kind[1:]))
            return path
        make: dict[str, Callable[[], str]] = {
            ".svg": self.svg, ".html": self.html, ".dot": self.dot, ".gv": self.dot, ".json": self.json,
            ".mmd": self.mermaid, ".txt": lambda: str(self) + "\n",
        }  # fmt: skip
        files.write(path, make[kind](), errors="replace")
        return path

    def frames(self) -> list[str]:
        """The backward pass as a film, one SVG for each step: what works, what waits, what has been added up."""
        from .formats.film import frames

        return frames(self.picture)

    def compare(self, other: Drawing) -> Drawing:
        """A drawing of ``other`` that marks what changed since this one: added, removed, changed."""
        from .picture.comparison import compare

        return Drawing(compare(self.picture, other.picture))

    @property
    def static(self) -> Static:
        """The same drawing as a plain SVG: for notebooks that will be read where no script runs."""
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
    """A drawing that shows itself as SVG alone."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return _bundle({"text/plain": lambda: str(self.drawing), "image/svg+xml": self.drawing.svg})


def _bundle(makers: dict[str, Callable[[], str]]) -> dict[str, str]:
    """What could be made; a cell shows a sentence, never a traceback."""
    bundle = {}
    for kind, make in makers.items():
        try:
            bundle[kind] = make()
        except Exception as error:
            bundle.setdefault("text/plain", f"draw: could not make {kind}: {type(error).__name__}: {error}")
    return bundle


@answering(DRAWINGS)
def draw(
    subject: Any, *args: Any, depth: int | None = None, focus: Any = None, hide: Hidden = (), max_nodes: int = 200,
    values: bool = False, gradients: bool = False, memory: bool = False, times: bool = False, backward: bool = False,
    names: Any = None, mark: Any = None, title: str = "",
) -> Drawing:  # fmt: skip
    """Draw a computation graph: ``draw(output)``, ``draw(model, x)`` or ``draw(f, *args)``.

    ``output`` is a Tensor, or a nesting of them.  Of a call more is known than of a finished graph: modules and
    functions as groups, options, lines of code, every value.  Arguments of a function become variables, those of a
    module inputs.  ``draw(exception)`` draws what led to an operation that failed.

    ====================  ==============================================================================
    ``depth``             how many levels of groups are open; as many as are easy to read by default
    ``focus``             ``(start, end)``: only what lies between, given by name or as Tensors
    ``hide``              operations or kinds ("variable", "input") to leave out, or a function of a box
    ``max_nodes``         above this, the middle becomes one box "… n more"
    ``values``            values: small arrays whole, large ones as min … mean … max
    ``gradients``         what arrives at each operation in the backward pass, which is made for it
    ``memory``            bytes kept alive for the backward pass
    ``times``             time of each operation, forward and backward
    ``backward``          the operations of the backward pass too
    ``names``             ``{name: tensor or module}``; the caller's variables are found anyway
    ``mark``              Tensors to mark as wrong, ``{tensor: message}``, or a report of ``check_graph``
    ====================  ==============================================================================

    Raises TypeError for what is neither, GraphError if no variable is involved, and what a call raises, with the
    graph so far in ``.drawing`` of the exception.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> from autodiff.draw import draw
    >>> w = Tensor([1.0, 2.0])
    >>> print(draw(np.sum(w * 3.0)))
    graph
      2 operations, 1 variable with 2 elements, longest path 2
    w   variable        (2,) float64
    %1  multiply(w, 3)  (2,) float64
    %2  sum(%1)         () float64
    """
    if isinstance(subject, Drawing):
        return subject
    _check_limits(depth, max_nodes)
    found = Names()
    _given_names(found, names)
    frame = caller()
    wishes = graph.Wishes(values, gradients, memory, times, backward, graph.marks(mark))
    picture = _take(subject, args, found, frame, wishes)
    picture.title = title or picture.title
    if hide and not any(box.state == "failed" for box in picture.boxes):
        picture = without(picture, _hidden(hide))
    if focus is not None:
        picture = _focused(picture, focus, found)
    return Drawing(picture, depth=depth, max_nodes=max_nodes)


def _check_limits(depth: Any, max_nodes: Any) -> None:
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int)):
        raise TypeError(f"draw: depth is {depth!r}; give a number of levels, or None for as many as are easy to read")
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int):
        raise TypeError(f"draw: max_nodes is {max_nodes!r}; give a number of boxes")


def _take(subject: Any, args: tuple[Any, ...], found: Names, frame: Any, wishes: graph.Wishes) -> Picture:
    if isinstance(subject, BaseException):
        drawing = getattr(subject, "drawing", None)
        if isinstance(drawing, Drawing):
            return drawing.picture
        return of_exception(subject, found)
    if isinstance(subject, Tensor | list | tuple | dict):
        if args:
            raise TypeError(
                "draw: a finished graph takes no arguments; write draw(output), or draw(f, *args) for a call"
            )
        if frame is not None:
            found.add_frame(frame)
        return graph.of_graph(subject, found, wishes)
    node = getattr(subject, "node", None)
    if isinstance(node, Node) and not args:
        return graph.of_node(node, found, graph.Wishes(marks=graph.marks(subject)))
    if not callable(subject):
        raise TypeError(
            f"draw: got {type(subject).__name__}; give a Tensor, a nesting of Tensors, a function or module with its "
            "arguments, or an exception"
        )
    if is_module(subject) and not args:
        raise TypeError(f"draw: a module is drawn while it works: draw({type(subject).__name__.lower()}, x)")
    return graph.of_call(subject, args, found, wishes, frame)


def _given_names(found: Names, names: Any) -> None:
    if names is None:
        return
    if isinstance(names, dict):
        found.add_all(names)
    elif is_module(names):
        found.add_module("", names)
    else:
        raise TypeError(f"draw: names must be {{name: tensor or module}} or a module, got {type(names).__name__}")


def _hidden(hide: Hidden) -> Callable[[Box], bool]:
    if callable(hide):
        return hide
    if not isinstance(hide, Iterable):
        raise TypeError(f"draw: hide is {hide!r}; give names of operations or kinds, or a function of a box")
    chosen = {hide} if isinstance(hide, str) else set(hide)
    return lambda box: box.operation in chosen or box.kind in chosen or (bool(box.name) and box.name in chosen)


def _focused(picture: Picture, focus: Any, found: Names) -> Picture:
    if not (isinstance(focus, tuple) and len(focus) == 2):
        raise TypeError("draw: focus is a pair (start, end) of names or Tensors")
    ends = []
    for part in focus:
        name = found.of.get(part._node) if isinstance(part, Tensor) else part
        chosen = [
            i for i, box in enumerate(picture.boxes)
            if name is not None and (name in (box.name, box.operation) or _inside(picture, box.group, name))
        ]  # fmt: skip
        if not chosen:
            known = ", ".join(sorted({b.name for b in picture.boxes if b.name})[:8])
            raise ValueError(f"draw: focus: nothing is called {part!r} here; names are: {known or '(none)'}")
        ends.append(set(chosen))
    kept = between(picture, ends[0], ends[1])
    if not any(kept):
        raise ValueError(f"draw: focus: no path leads from {focus[0]!r} to {focus[1]!r}")
    result = keep_only(picture, kept, bridge=False)
    result.facts.append(
        f"only what lies between {focus[0]} and {focus[1]}; {len(kept) - sum(kept):,} boxes are left out"
    )
    return result


def _inside(picture: Picture, g: int, name: Any) -> bool:
    while g > 0:
        if picture.groups[g].name == name:
            return True
        g = picture.groups[g].parent
    return False
