"""The page of ``pullback compare``: results and options in tables, all curves in one picture.  It needs no network."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autodiff import files

from ..reports.curve import closely, svg, swatch
from ..reports.history import NO_CURVES, VALIDATION
from ..reports.page import filled
from .compared import Compared, best, figures, shown
from .kinds.classes import matrix_table

MARK = '<meta name="generator" content="pullback compare">'
"""What tells a page of this command from any other file."""


def write_comparison(path: Path, runs: Sequence[Compared], differing: Sequence[str]) -> None:
    """Write the page."""
    page = resources.files(__package__).joinpath("comparison.html").read_text(encoding="utf-8")
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    names = figures(runs)
    heads = ["", "run", *names, *[name.replace("_", " ") for name in differing]]
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    rows = []
    for i, one in enumerate(runs):
        found = one.figures()
        cells = [f"<td>{swatch(i)}</td><td>{_link(path, one)}</td>"]
        for name in names:
            is_best = name in found and found[name] == best(name, runs)
            text = escape(shown(found.get(name)))
            cells.append(f'<td class="number">{f"<b>{text}</b>" if is_best else text}</td>')
        cells += [f"<td>{escape(shown(one.options().get(name)))}</td>" for name in differing]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    parts = {
        "MARK": MARK,
        "STYLE": style,
        "TITLE": escape(f"{len(runs)} runs"),
        "TABLE": f'<table class="runs"><tr>{head}</tr>{"".join(rows)}</table>',
        "CURVES": "".join(svg({title: panel}, live=True, legend=False) for title, panel in panels(runs).items()),
        "MATRICES": _matrices(runs),
        "CLOSELY": closely(),
    }
    files.write(path, filled(page, parts), errors="replace")


def panels(runs: Sequence[Compared]) -> dict[str, dict[str, list[float]]]:
    """A panel for each quantity, of the validation first, with a line for each run that measured it."""
    columns = dict.fromkeys(name for one in runs for name in one.history.columns if name not in NO_CURVES)
    ordered = sorted(columns, key=lambda name: not name.startswith(VALIDATION))
    found = {}
    for name in ordered:
        title = f"{name.removeprefix(VALIDATION).replace('_', ' ')}, {_of(name)}"
        # every run has its place, so that its colour is the same in each panel
        found[title] = {
            one.name: one.history[name] if name in one.history.columns else [math.nan] for one in runs
        }  # fmt: skip
    return found


def _of(name: str) -> str:
    return "validation" if name.startswith(VALIDATION) else "training"


def _link(path: Path, one: Compared) -> str:
    """The name of a run, with its page behind it."""
    page = one.run.folder / "index.html"
    where = quote(Path(os.path.relpath(page, path.parent)).as_posix())
    return f'<a href="{where}">{escape(one.name)}</a>' if page.exists() else escape(one.name)


def _matrices(runs: Sequence[Compared]) -> str:
    found = []
    for one in runs:
        matrix: Any = one.result.get("confusion_matrix")
        names = getattr(one.run.kind, "names", [])
        if matrix and len(matrix) == len(names):
            found.append(f"<div><h3>{escape(one.name)}</h3>{matrix_table(matrix, names)}</div>")
    return f'<h2>Confusion matrices</h2><div class="gallery">{"".join(found)}</div>' if found else ""
