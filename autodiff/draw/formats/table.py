"""All file formats.  A new format is one entry here, and the function that writes it.

The endings that :meth:`.Drawing.save` accepts, its errors, and the table in the documentation follow from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..picture.model import Picture
from . import dot, json, mermaid, page, painted, svg, text

RESVG = "resvg_py: pip install 'pullback[draw]'"
MUPDF = "pymupdf: pip install 'pullback[pdf]'"


class Format(NamedTuple):
    """One format: the endings of its files, its description, the function that writes it, and the packages it needs."""

    endings: tuple[str, ...]
    about: str
    write: Callable[[Picture], str | bytes]
    needs: str = ""


FORMATS = (
    Format((".svg",), "a picture, in light and dark", lambda picture: svg.svg(picture)),
    Format((".html",), "the interactive page, one file that asks no network for anything", page.page),
    Format(
        (".dot", ".gv"),
        "Graphviz's language; `drawing.graphviz()` gives a `graphviz.Digraph` to go on with",
        dot.dot,
    ),
    Format((".json",), "everything that is known, for programs", json.as_json),
    Format((".mmd",), "Mermaid, for documents on code hosts", mermaid.mermaid),
    Format((".txt",), "what `print` shows", lambda picture: text.text(picture) + "\n"),
    Format(
        (".png",),
        "an image of the SVG, in light, two pixels for each of its own",
        lambda picture: painted.png(picture),
        RESVG,
    ),
    Format((".pdf",), "the SVG as a document, in light", lambda picture: painted.pdf(picture), MUPDF),
)


def endings(*, plain: bool = False) -> tuple[str, ...]:
    """The endings of all formats, or of the ``plain`` ones, which need no other package.

    >>> endings(plain=True)
    ('.svg', '.html', '.dot', '.gv', '.json', '.mmd', '.txt')
    """
    return tuple(ending for entry in FORMATS if not (plain and entry.needs) for ending in entry.endings)


def contents(picture: Picture, name: str, ending: str) -> str | bytes:
    """The contents of a file with this name and ending."""
    found = next((entry for entry in FORMATS if ending in entry.endings), None)
    if found is None:
        raise ValueError(f"draw: cannot save as {name!r}; the ending must be one of {' '.join(endings())}")
    try:
        return found.write(picture)
    except ImportError as error:
        others = " ".join(endings(plain=True))
        raise ImportError(f"draw: {ending} needs {found.needs}; {others} need nothing") from error
