"""The folder of a training run: its files, and what each is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from autodiff import files

from ..layers.module import Module
from ..reports.history import History
from .model_file import save

RUNS = "runs"
RUN, CHECKPOINT, MODEL, RESULT = "run.json", "checkpoint.safetensors", "model.safetensors", "result.json"
CONTENTS = {
    "index.html": "this page",
    RUN: "the options, and how inputs are prepared",
    MODEL: "the model: its parameters and its architecture; nn.load reads it",
    CHECKPOINT: "where the training is; pullback train --resume goes on from it",
    RESULT: "the options and what was measured at the end",
    "history.json": "what every epoch measured; nn.History.load reads it",
    "history.csv": "the same as a table",
    "curves.svg": "the same as curves",
    "training.html": "the training: curves, the norms of every layer, the graph",
    "graph.html": "the computation graph of the model on one batch, to move about in",
    "graph.svg": "the same as a picture",
    "graph.dot": "the same for Graphviz",
}
"""The files of a run and what they are."""


def _next(name: str) -> Path:
    """A new folder runs/name-N, where N is one more than the largest; safe when two runs start at once."""
    parent = Path(RUNS)
    parent.mkdir(exist_ok=True)
    taken = [int(m[1]) for entry in os.listdir(parent) if (m := re.fullmatch(re.escape(name) + r"-(\d+)", entry))]
    number = max(taken, default=0)
    while True:
        number += 1
        try:
            (path := parent / f"{name}-{number}").mkdir()
        except FileExistsError:
            continue
        return path


class RunFolder:
    """The folder of a run, and its files: new with ``path`` (default: runs/NAME-N), or an old one with ``existing``.

    A context manager.  If the block fails before ``keep`` was called, a new folder is removed with what was written
    into it.  Raises FileExistsError if ``path`` is not empty, so that no run overwrites another.
    """

    def __init__(self, path: str | os.PathLike[str] | None, name: str = "", *, existing: bool = False) -> None:
        self._kept = existing
        if path is None:
            self.path = _next(name)
            return
        self.path = Path(files.expanded(path))
        if existing:
            return
        if self.path.exists() and not self.path.is_dir():
            raise FileExistsError(f"{self.path} is a file; name a folder")
        self.path.mkdir(parents=True, exist_ok=True)
        if any(self.path.iterdir()):
            raise FileExistsError(f"{self.path} is not empty; name another folder, or remove what is in it")

    def keep(self) -> None:
        """From now on there is something in the folder that must not be lost."""
        self._kept = True

    @property
    def page(self) -> Path:
        """``training.html``: the report that is written while the training runs."""
        return self.path / "training.html"

    @property
    def checkpoint(self) -> Path:
        """The file with the state of the training."""
        return self.path / CHECKPOINT

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or self._kept or not self.path.is_dir():
            return
        found = set(self.path.iterdir())
        ours = {self.path / name for name in CONTENTS}
        if found <= ours:
            for path in found:
                path.unlink(missing_ok=True)
            self.path.rmdir()

    def write_run(self, described: Mapping[str, Any]) -> None:
        """``run.json``: all that is needed to go on and to predict, but the parameters."""
        files.write(self.path / RUN, json.dumps(described, indent=1), "\n")

    def write_model(self, model: Module) -> None:
        """``model.safetensors``: the parameters, and the architecture as data."""
        save(self.path / MODEL, model)

    def write_history(self, history: History) -> None:
        """``history.json``, ``history.csv`` and ``curves.svg``."""
        history.save(self.path / "history.json")
        history.save(self.path / "history.csv")
        files.write(self.path / "curves.svg", history.svg())

    def write_result(self, result: Mapping[str, Any]) -> None:
        """``result.json``: the options and what was measured at the end."""
        files.write(self.path / RESULT, json.dumps(result, indent=1), "\n")

    def write_graph(self, model: Module, batch: Any) -> None:
        """``graph.dot``, ``graph.svg`` and ``graph.html``: how the model computes its outputs for a batch."""
        from autodiff.draw import draw  # drawing is not needed to train

        drawing = draw(model, batch)
        for kind in ("dot", "svg", "html"):
            drawing.save(self.path / f"graph.{kind}")
