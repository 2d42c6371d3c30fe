"""How tables are written in Markdown: code and prose in a cell, and a table between its two markers on a page."""

from __future__ import annotations

import re


def cell(text: str) -> str:
    """Code in a table: a bar would end the column."""
    return f"`{bar(text)}`"


def bar(text: str) -> str:
    """Bars in a cell, as they are."""
    return text.replace("|", "\\|")


def prose(text: str) -> str:
    """Prose in a cell: bars, stars and brackets as they are, code in one backtick, references as code."""
    parts = re.sub(r":\w+:`([\w.]+)`", r"``\1``", text).split("``")
    return "`".join(bar(part) if i % 2 else re.sub(r"([|*\[\]_])", r"\\\1", part) for i, part in enumerate(parts))


def between(page: str, name: str, table: str) -> str:
    """The page with the table between the markers of ``name``."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    head, _, rest = page.partition(begin)
    assert end in rest, f"the page has no markers of {name}"
    return f"{head}{begin}{table.strip()}\n{end}{rest.split(end, 1)[1]}"
