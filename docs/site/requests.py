"""What a page would ask another host for: a saved page must show without a network."""

from __future__ import annotations

import re
from pathlib import Path

HOST = r"[\"']?(?:https?:)?//[^>]*>"
REQUEST = re.compile(
    rf"<(?:script|img|iframe|audio|video|source|embed|input)\b[^>]*?\bsrc(?:set)?={HOST}"
    rf"|<link\b[^>]*?rel=[\"']?(?:stylesheet|preload|(?:shortcut )?icon|preconnect|prefetch)\b[^>]*?href={HOST}"
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//[^;]*;|\burl\([\"']?(?:https?:)?//[^)]*\)"
)


def requests(folder: Path) -> list[str]:
    """What the pages, styles and pictures of a site would ask other hosts for."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css", ".svg"):
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(folder)}: {match[0][:120]}" for match in REQUEST.finditer(text)]
    return found
