"""What keeps a training: checkpoints while it runs, and a Ctrl-C that ends it between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..io.run_folder import CHECKPOINT, RunFolder
from ..reports.history import History
from ..training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from ..training.run import Run

__all__ = ["Keeper"]

EVERY = 2.0
"""So many seconds at least lie between two checkpoints: a short epoch costs no more than a long one."""


class Nowhere:
    """In the place of the folder of a run, in a process that writes none."""

    checkpoint = Path(CHECKPOINT)
    page = Path("index.html")

    def keep(self) -> None:
        """Nothing is there to be kept."""


class Keeper(Checkpoint):
    """Writes ``checkpoint.safetensors`` after epochs, and where a Ctrl-C ends the training; shows it by ``shown``."""

    def __init__(self, folder: RunFolder | Nowhere, shown: Callable[[History], object]) -> None:
        super().__init__(folder.checkpoint)
        self.folder = folder
        self.shown = shown
        self.asked = False
        """Whether somebody pressed Ctrl-C: then the present step is the last one."""
        self.history = History()
        """What was measured until the last checkpoint."""
        self._time = 0.0

    def on_fit_begin(self, run: Run) -> None:
        super().on_fit_begin(run)
        self._write(run, self.path)

    def on_step(self, run: Run) -> None:
        if self.asked:
            run.stop = True

    def on_epoch(self, run: Run) -> None:
        self.folder.keep()
        if self.asked and run.epoch < run.epochs:
            run.stop = True
        if run.agreed(run.stop or time.monotonic() > self._time + EVERY):
            super().on_epoch(run)

    def on_fit_end(self, run: Run) -> None:
        if run.error is None:
            self.asked = run.agreed(self.asked)  # Ctrl-C may have reached another process
        if self.asked:
            super().on_fit_end(run)

    def _write(self, run: Run, path: str) -> None:
        super()._write(run, path)
        self.history = History(run.history.rows)
        self.shown(self.history)
        self._time = time.monotonic()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """A first Ctrl-C ends the training after the present step, a second one at once."""
        before: Any = signal.getsignal(signal.SIGINT)
        # signals belong to the main thread; one that is ignored, as in a job in the background, stays so
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield
            return

        def asked(number: int, frame: FrameType | None) -> None:
            self.asked = True
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, asked)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
