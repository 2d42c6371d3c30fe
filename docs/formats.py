"""The table of the formats that a picture is saved in, for ``drawing.md``."""

from __future__ import annotations

from autodiff.draw.formats.table import FORMATS, Format


def formats() -> str:
    """One row for each format."""
    return "\n".join(["| ending | what it is | needs |", "|---|---|---|", *map(_row, FORMATS)])


def _row(entry: Format) -> str:
    return f"| {', '.join(f'`{ending}`' for ending in entry.endings)} | {entry.about} | {entry.needs or 'nothing'} |"
