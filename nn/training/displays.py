"""Callbacks that show how a training goes: the progress bar and the page to watch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..layers.structure import dtype_of
from ..reports.progress import Progress
from .callbacks import Callback
from .measures import taken

if TYPE_CHECKING:
    from ..reports.watch import Watch
    from .run import Run

__all__ = ["ProgressBar", "WatchPage"]


class ProgressBar(Callback):
    """A bar on standard error, with the loss and the metrics; ``show`` None: if that is a terminal.

    ``Learner.fit`` makes one itself: its argument ``progress`` is ``show``.
    """

    writes = True

    def __init__(self, show: bool | None = None) -> None:
        self.show = show
        self._bar = Progress(0, show=False)

    def on_fit_begin(self, run: Run) -> None:
        self._bar = Progress(_steps(run), show=self.show)

    def on_step(self, run: Run) -> None:
        self._bar.update(run.step, run.describe)

    def on_epoch(self, run: Run) -> None:
        self._bar.clear()
        self._bar.total = _steps(run)  # of data without a length it is known by now

    def on_fit_end(self, run: Run) -> None:
        self._bar.clear()


class WatchPage(Callback):
    """An HTML page with curves, the norms of every layer and the graph, written while the training runs.

    ``Learner.fit(watch=path)`` makes one itself.  Raises OSError, before the first step, where the page cannot be
    written.

    >>> WatchPage("run.html").path
    'run.html'
    """

    writes = True

    def __init__(self, path: str | os.PathLike[str], *, title: str = "training") -> None:
        self.path = path
        self.title = title
        self._page: Watch | None = None
        self._state: Mapping[str, Any] = {}

    def on_fit_begin(self, run: Run) -> None:
        from ..reports.watch import Watch  # pictures are not needed to train

        model = run.learner.model
        self._page = Watch(self.path, model, example=_example(run), title=self.title, state=self._state)

    def on_step(self, run: Run) -> None:
        if self._page is not None:
            if self._page.example is None:  # data that is not known before it comes
                self._page.example = _example(run)
            self._page.step(run.step, run.loss)

    def on_epoch(self, run: Run) -> None:
        if self._page is not None:
            self._page.epoch(run.row)

    def on_fit_end(self, run: Run) -> None:
        if self._page is not None:
            page, self._page = self._page, None
            page.close(run.error)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._page is None else self._page.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._state = state


def _example(run: Run) -> Any:
    """Inputs of the model, in its dtype."""
    return None if run.inputs is None else taken("Learner", run.inputs, dtype_of(run.learner.model))


def _steps(run: Run) -> int | None:
    return None if run.steps_per_epoch is None else max(run.epochs * run.steps_per_epoch, 1)
