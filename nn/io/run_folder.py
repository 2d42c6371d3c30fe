"""The folder of a training run, which is written whole, or not at all if the run fails."""

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
from .safetensors import save_file

RUNS = "runs"


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
    """A new folder ``path`` (default: runs/NAME-N), and its files.

    A context manager.  If the block fails, a folder with nothing but ``page`` is removed.  Raises FileExistsError if
    ``path`` is not empty, so that no run overwrites another.
    """

    def __init__(self, path: str | os.PathLike[str] | None, name: str) -> None:
        if path is None:
            self.path = _next(name)
            return
        self.path = Path(files.expanded(path))
        if self.path.exists() and not self.path.is_dir():
            raise FileExistsError(f"{self.path} is a file; name a folder")
        self.path.mkdir(parents=True, exist_ok=True)
        if any(self.path.iterdir()):
            raise FileExistsError(f"{self.path} is not empty; name another folder, or remove what is in it")

    @property
    def page(self) -> Path:
        """``training.html``: the report that is written while the training runs."""
        return self.path / "training.html"

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self.path.is_dir() and not set(self.path.iterdir()) - {self.page}:
            self.page.unlink(missing_ok=True)
            self.path.rmdir()

    def write_parameters(self, model: Module, options: Mapping[str, Any]) -> None:
        """``parameters.safetensors``: the model's state, and the options that made it as metadata."""
        metadata = {name: json.dumps(value) for name, value in options.items()}
        save_file(model.state_dict(), self.path / "parameters.safetensors", metadata)

    def write_history(self, history: History) -> None:
        """``history.json``, ``history.csv`` and ``curves.svg``."""
        history.save(self.path / "history.json")
        history.save(self.path / "history.csv")
        files.write(self.path / "curves.svg", history.svg())

    def write_result(self, result: Mapping[str, Any]) -> None:
        """``result.json``: the options and what was measured at the end."""
        files.write(self.path / "result.json", json.dumps(result, indent=1), "\n")

    def write_graph(self, model: Module, batch: Any) -> None:
        """``graph.dot``, ``graph.svg`` and ``graph.html``: how the model computes its outputs for a batch."""
        from autodiff.draw import draw  # drawing is not needed to train

        drawing = draw(model, batch)
        for kind in ("dot", "svg", "html"):
            drawing.save(self.path / f"graph.{kind}")
