"""Callbacks that write what is measured to files: a table, or events for TensorBoard."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any

from ..reports.history import VALIDATION
from .callbacks import Callback
from .checks import count_of

if TYPE_CHECKING:
    from .run import Run

__all__ = ["CSVLogger", "TensorBoardLogger"]

PAUSE = 1.0
"""Seconds between two writings of the table, which is written whole each time."""


class CSVLogger(Callback):
    """Writes the history to a file, ``.csv`` or ``.json``, as the training goes on.

    The file is there after the first epoch, and written again after later ones, at most once a second, and at the end
    of the training, whatever it was.  It is whole at each moment, and that of a continued training has all its epochs.

    >>> import os, tempfile
    >>> import numpy as np
    >>> from nn import CSVLogger, Learner, Linear, mse_loss, optim
    >>> model = Linear(1, 1, rng=0)
    >>> learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "losses.csv")
    ...     losses = learner.fit(np.ones((8, 1)), np.ones((8, 1)), 2, callbacks=[CSVLogger(path)])
    ...     with open(path) as file:
    ...         print(file.readline().strip())
    epoch,loss,learning_rate,seconds,rate
    """

    writes = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if os.path.splitext(path)[1].lower() not in (".csv", ".json"):
            raise ValueError(f"CSVLogger: '{os.fspath(path)}' does not end in .csv or .json")
        self.path = path
        self._written = (0, -math.inf)

    def on_fit_begin(self, run: Run) -> None:
        folder = os.path.dirname(os.path.abspath(os.path.expanduser(self.path)))
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"CSVLogger: there is no folder '{folder}'; make it first")
        self._written = (0, -math.inf)

    def on_epoch(self, run: Run) -> None:
        if time.monotonic() > self._written[1] + PAUSE:
            self._write(run)

    def on_fit_end(self, run: Run) -> None:
        if len(run.history) > self._written[0]:
            self._write(run)

    def _write(self, run: Run) -> None:
        run.history.save(self.path)
        self._written = len(run.history), time.monotonic()


class TensorBoardLogger(Callback):
    """Writes events that TensorBoard shows: each column of the history by epoch, and the loss of each step.

    ``folder`` is that of the run; it is made if it is not there.  Values of validation are in a run of their own,
    ``folder/validation``, under the same names, so that both curves are in one picture.  ``every`` is how many steps
    are between two losses; 0: only those of epochs.  Needs the extra ``tensorboard`` (tensorboardX); raises ImportError
    without it.  After ``fit(resume=...)``, events behind the state that the training goes on from are marked as void.
    """

    writes = True

    def __init__(self, folder: str | os.PathLike[str], *, every: int = 1) -> None:
        self.folder: str = os.path.expanduser(os.fspath(folder))
        self.every: int = count_of("TensorBoardLogger", "every", every, 0)
        _writer_class()  # not after an epoch
        self._writers: dict[str, Any] = {}
        self._from: tuple[int, int] | None = None

    def on_fit_begin(self, run: Run) -> None:
        self._from = (run.step, len(run.history)) if run.resumed else None
        self._writers = {}
        self._writer("steps" if self.every else "")

    def on_step(self, run: Run) -> None:
        if self.every and run.step % self.every == 0:
            self._writer("steps").add_scalar("loss of each step", run.loss, run.step)

    def on_epoch(self, run: Run) -> None:
        for name, value in run.row.items():
            if name != "epoch":
                plain = name.removeprefix(VALIDATION)
                self._writer("validation" if plain != name else "").add_scalar(plain, value, run.epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_fit_end(self, run: Run) -> None:
        writers, self._writers = self._writers, {}
        for writer in writers.values():
            writer.close()

    def _writer(self, part: str) -> Any:
        """The writer of the run itself, or of a part of it: steps and epochs count differently."""
        if part not in self._writers:
            purge = None if self._from is None else self._from[0 if part == "steps" else 1] + 1
            folder = os.path.join(self.folder, part) if part else self.folder
            own = f".{time.time_ns()}.{os.getpid()}"  # its name has seconds alone, and a second one would overwrite it
            self._writers[part] = _writer_class()(folder, purge_step=purge, filename_suffix=own)
        return self._writers[part]


def _writer_class() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise ImportError(
            "TensorBoardLogger: tensorboardX is not installed; pip install 'pullback[tensorboard]'"
        ) from None
    return SummaryWriter
