"""``index.html`` of a run: what is in it, what came out, how to use it and how to go on.  No network is needed."""

from __future__ import annotations

import math
import shlex
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from autodiff import files

from ..io.run_folder import CONTENTS, MODEL
from ..layers.summary import in_bytes
from ..reports.curve import closely
from ..reports.history import History
from ..reports.page import filled, frame
from .kinds import Measured
from .runs import Run

RELOAD = 5


def write_page(folder: Path, run: Run, history: History, measured: Measured | None, state: str) -> None:
    """Write the page: ``state`` is running, interrupted or finished."""
    here = resources.files(__package__)
    page = here.joinpath("page.html").read_text(encoding="utf-8")
    parts = {
        "STYLE": here.joinpath("page.css").read_text(encoding="utf-8"),
        "TITLE": escape(f"{run.arguments['data']}: {run.arguments['model']}"),
        "STATE": state,
        "RELOAD": f'<meta http-equiv="refresh" content="{RELOAD}">' if state == "running" else "",
        "RESULT": _result(run, history, measured, state),
        "CURVES": history.svg(live=True) if len(history) > 1 else "<p>Curves appear after the second epoch.</p>",
        "CLOSELY": closely(),
        "SECTIONS": "".join(f"<h2>{escape(t)}</h2>{html}" for t, html in (measured.sections if measured else [])),
        "GRAPH": _graph(folder),
        "USE": "".join(_command(what, line) for what, line in _uses(folder, run, state)),
        "OPTIONS": _table(_options(run)),
        "FILES": _files(folder),
    }
    files.write(folder / "index.html", filled(page, parts), errors="replace")


def _result(run: Run, history: History, measured: Measured | None, state: str) -> str:
    if measured is not None:
        seen = f'<p class="result">On examples that it had not seen: {escape(measured.summary)}</p>'
        return f'{seen}<p class="soft">{escape(measured.baseline)}</p>'
    done = f"{len(history)} of {run.recipe.epochs} epochs are done"
    if not len(history):
        return f"<p>{done}.</p>"
    row = history.rows[-1]
    shown = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in row.items() if name in _shown(row)]
    return f"<p>{done}. The last one: {escape(', '.join(shown))}.</p>"


def _shown(row: dict[str, float]) -> list[str]:
    return [n for n in row if n not in ("epoch", "learning_rate", "seconds", "rate") and math.isfinite(row[n])]


def _uses(folder: Path, run: Run, state: str) -> list[tuple[str, str]]:
    """What can be done with the run, as commands."""
    where = shlex.quote(str(folder))
    if state != "finished":
        return [("Go on, bit for bit as if it had never stopped", f"pullback train --resume {where}")]
    found = {
        "images": [
            ("What is in a picture", f"pullback predict {where} picture.png"),
            ("How good it is on other images", f"pullback evaluate {where} --data images.npz"),
        ],
        "table": [
            ("Predictions for the rows of a table", f"pullback predict {where} rows.csv"),
            ("How good it is on another table", f"pullback evaluate {where} --data other.csv"),
        ],
        "text": [
            ("Let it write", f'pullback generate {where} --prompt "O "'),
            ("How well it foresees another text", f"pullback evaluate {where} --data other.txt"),
        ],
    }[run.kind.name]
    path = repr(str(folder / MODEL))
    line = f"import nn\nmodel = nn.load({path})"
    if run.kind.name == "text":
        line = f"import nn\nfrom nn.cli.runs import CLASSES\nmodel = nn.load({path}, CLASSES)"
    return [*found, ("The model in Python", line)]


def _command(what: str, line: str) -> str:
    return f"<p>{escape(what)}:</p><pre>{escape(line)}</pre>"


def _options(run: Run) -> list[tuple[str, str]]:
    """What was asked for, and what was found in the data."""
    every: dict[str, Any] = {**run.arguments, "seed": run.seed, **run.recipe._asdict()}
    rows = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, tuple | list) else f"{value}")
        for name, value in every.items() if value is not None
    ]  # fmt: skip
    return [*rows, ("checksum of the data", run.checksum)]


def _table(rows: list[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows) + "</table>"


def _files(folder: Path) -> str:
    rows = []
    for name, what in CONTENTS.items():
        path = folder / name
        if path.exists() or name == "index.html":
            size = in_bytes(path.stat().st_size) if path.exists() and name != "index.html" else ""
            rows.append(
                f'<tr><td><a href="{name}">{name}</a></td><td class="number">{size}</td><td>{escape(what)}</td></tr>'
            )
    return f"<table>{''.join(rows)}</table>"


def _graph(folder: Path) -> str:
    """The graph as a page of its own inside this one, or where to find it while the training runs."""
    path = folder / "graph.html"
    if not path.exists():
        return '<p>The graph is in <a href="training.html">the report of the training</a>.</p>'
    return frame(path.read_text(encoding="utf-8"))
