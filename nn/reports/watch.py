"""A page to watch a training: curves, the norms of every layer and the graph, written after each epoch."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from autodiff import files
from autodiff.draw import draw

from ..layers.module import Module
from .curve import closely, svg
from .history import VALIDATION
from .page import filled, frame

Array = Any
REFRESH = 5.0
"""Seconds after which the page reloads itself, and is written again."""
MOST = 240
"""So many steps are kept; when there are more, every second one goes."""
TINY = 1e-6
"""A layer whose typical gradient is this much smaller than the largest learns next to nothing."""
_NO_CURVES = ("epoch", "seconds", "rate")


class Watch:
    """A report of a training run: a self-contained HTML page that needs no server and no network.

    Call ``step`` after every update, before the gradients are cleared, and ``epoch`` with each row of the history;
    ``Learner.fit`` does that.  The page is written at once, after each epoch, and every few seconds in between.  It
    reloads itself until ``close``.  As a context manager it closes itself, and shows the exception that ended a run.
    ``example`` is an input of the model for the picture of its graph.  The model is drawn in evaluation mode, so no
    random number of the training is used.  ``state`` is the ``state_dict()`` of a page to go on with.

    >>> import numpy as np, os, tempfile
    >>> from nn import Learner, Linear, mse_loss, optim
    >>> from nn.reports.watch import Watch
    >>> X = np.ones((8, 2))
    >>> model = Linear(2, 1, rng=0, dtype=np.float64)
    >>> learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Watch(os.path.join(folder, "run.html"), model, example=X) as watch:
    ...         losses = learner.fit(X, np.ones((8, 1)), 3, on_step=watch.step, on_epoch=watch.epoch)
    ...     watch.path.stat().st_size > 5000
    True
    """

    def __init__(
        self, path: str | os.PathLike[str], model: Module, *, example: Array = None, title: str = "training",
        state: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.path = Path(path)
        self.title = title
        self.rows: list[dict[str, float]] = []
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.parameters = list(model.named_parameters())
        self.weights: dict[str, list[float]] = {name: [] for name, _ in self.parameters}
        self.gradients: dict[str, list[float]] = {name: [] for name, _ in self.parameters}
        self._stride = 1
        self._model = model
        self.example = example
        self._graph: str | None = None
        self._ended = ""
        if state:
            self._load(state)
        self.write(running=True)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        self.close(error)

    # -- what a training calls -----------------------------------------------------------------------------------

    def step(self, step: int, loss: float) -> None:
        """Note the loss and the root mean square of each parameter and of its gradient."""
        if step % self._stride:
            return
        self.steps.append(step)
        self.losses.append(float(loss))
        for name, parameter in self.parameters:
            self.weights[name].append(_typical(parameter.data))
            self.gradients[name].append(math.nan if parameter.grad is None else _typical(parameter.grad))
        if len(self.steps) > MOST:
            self._stride *= 2
            del self.steps[::2]
            for column in (self.losses, *self.weights.values(), *self.gradients.values()):
                del column[::2]
        if time.monotonic() > self._written + REFRESH:
            self.write(running=True)

    def epoch(self, row: Mapping[str, float]) -> None:
        """Note what an epoch measured, and write the page."""
        self.rows.append(dict(row))
        self.write(running=True)

    def close(self, error: BaseException | None = None) -> Path:
        """Write the page for the last time, without reloading, with the exception that ended the training, if there
        was one.  Returns its path."""
        if error is not None:
            self._ended = f"{type(error).__name__}: {error}".rstrip(": ")
        return self.write(running=False)

    def state_dict(self) -> dict[str, Any]:
        """What the page shows, for the argument ``state`` of another one that goes on with it."""
        columns = {"weights": self.weights, "gradients": self.gradients}
        return {
            "stride": self._stride, "rows": [dict(row) for row in self.rows], "steps": list(self.steps),
            "losses": list(self.losses), **{k: {n: list(v) for n, v in c.items()} for k, c in columns.items()},
        }  # fmt: skip

    def _load(self, state: Mapping[str, Any]) -> None:
        if set(state["weights"]) != set(self.weights):
            raise ValueError("Watch: the state is that of a model with other parameters")
        self._stride, self.rows = int(state["stride"]), [dict(row) for row in state["rows"]]
        self.steps, self.losses = list(state["steps"]), list(state["losses"])
        self.weights = {name: list(state["weights"][name]) for name in self.weights}
        self.gradients = {name: list(state["gradients"][name]) for name in self.gradients}

    # -- the page --------------------------------------------------------------------------------------------------

    def write(self, *, running: bool) -> Path:
        """Write the page."""
        here = Path(__file__).parent
        page = (here / "watch.html").read_text(encoding="utf-8")
        data = {
            "steps": self.steps,
            "names": [name for name, _ in self.parameters],
            "gradients": [[_logarithm(v) for v in self.gradients[name]] for name, _ in self.parameters],
            "weights": [[_logarithm(v) for v in self.weights[name]] for name, _ in self.parameters],
        }
        parts = {
            "TITLE": escape(self.title),
            "RELOAD": f'<meta http-equiv="refresh" content="{REFRESH:.0f}">' if running else "",
            "STATE": "running" if running else "stopped" if self._ended else "finished",
            "CURVES": self._curves(),
            "CLOSELY": closely(),
            "WARNINGS": "".join(f"<li>{escape(text)}</li>" for text in self.warnings()),
            "ROWS": "".join(self._table()),
            "GRAPH": self._graph_frame(),
            "DATA": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        }
        files.write(self.path, filled(page, parts), errors="replace")
        self._written = time.monotonic()
        return self.path

    def warnings(self) -> list[str]:
        """The exception that ended the run, and problems of the last step's gradients: one sentence for each layer."""
        last = {name: column[-1] for name, column in self.gradients.items() if column}
        largest = max((v for v in last.values() if math.isfinite(v)), default=0.0)
        found = [self._ended] if self._ended else []
        for name, value in last.items():
            if math.isnan(value):
                found.append(f"{name}: its gradient is NaN, or there is none")
            elif math.isinf(value):
                found.append(f"{name}: its gradient is infinite")
            elif value == 0:
                found.append(f"{name}: its gradient is exactly zero")
            elif value < largest * TINY:
                found.append(f"{name}: its gradient is vanishing, {value / largest:.1e} of the largest")
        return found

    def _curves(self) -> str:
        """The curves over epochs; before the second epoch also the loss of each step."""
        if not self.losses and not self.rows:
            return "<p>No step has been made.</p>"
        few = len(self.rows) < 2 and self.losses
        steps = svg({"loss": {"each step": self.losses}}, along="step", live=True) if few else ""
        return steps + (svg(self._panels(), live=True) if self.rows else "")

    def _panels(self) -> dict[str, dict[str, list[float]]]:
        """Curves over epochs; a quantity and its validation value share a panel."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row if name not in _NO_CURVES))
        if len({row.get("learning_rate") for row in self.rows}) == 1:
            columns = [name for name in columns if name != "learning_rate"]  # it does not change
        panels: dict[str, dict[str, list[float]]] = {}
        for column in columns:
            of_validation = column.startswith(VALIDATION)
            panel = panels.setdefault(column.removeprefix(VALIDATION), {})
            panel["validation" if of_validation else "training"] = [row.get(column, math.nan) for row in self.rows]
        return panels

    def _table(self) -> list[str]:
        rows = []
        for name, parameter in self.parameters:
            weights, gradients = self.weights[name], self.gradients[name]
            cells = [name, str(parameter.shape)]
            cells += [f"{v:.3g}" for v in ((weights[0], weights[-1], gradients[-1]) if weights else ())]
            if weights and weights[-1]:
                cells.append(f"{gradients[-1] / weights[-1]:.2g}")
            rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        return rows

    def _graph_frame(self) -> str:
        if self.example is None:
            return "<p>No example was given, so the graph is not drawn.</p>"
        if self._graph is None:
            mode = self._model.training
            self._model.eval()
            try:
                self._graph = draw(self._model, self.example).html()
            except Exception as error:  # a picture that cannot be drawn must not end a training
                self._graph = ""
                self._trouble = f"{type(error).__name__}: {error}"
            finally:
                self._model.train(mode)
        if not self._graph:
            return f"<p>The graph could not be drawn: {escape(self._trouble)}</p>"
        return frame(self._graph)


def _typical(array: Array) -> float:
    """The root mean square, which does not depend on how many elements there are."""
    values = np.asarray(array)
    if not values.size:
        return 0.0
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(values)))
        if not largest or not math.isfinite(largest):
            return largest
        return largest * math.sqrt(float(np.mean(np.square(np.abs(values) / largest), dtype=float)))


def _logarithm(value: float) -> float | None:
    return round(math.log10(value), 2) if value > 0 and math.isfinite(value) else None
