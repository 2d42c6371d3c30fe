"""What the pages of a training have in common: a template with its parts filled in, and a page inside a page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


def filled(template: str, parts: Mapping[str, str]) -> str:
    """The template with the part of each name for ``/*NAME*/``; what looks like a name inside a part stays as it is.

    >>> filled("<p>/*A*/, /*B*/", {"A": "/*B*/", "B": "b"})
    '<p>/*B*/, b'
    """
    first, *pieces = template.split("/*")
    text = [first]
    for piece in pieces:
        name, _, rest = piece.partition("*/")
        text += [parts[name], rest]
    return "".join(text)


def frame(page: str) -> str:
    """A page inside another one: its scripts run, and reach neither the page around it nor a network.

    >>> frame("<b>")
    '<iframe sandbox="allow-scripts" title="graph" srcdoc="&lt;b&gt;"></iframe>'
    """
    return f'<iframe sandbox="allow-scripts" title="graph" srcdoc="{escape(page, quote=True)}"></iframe>'
