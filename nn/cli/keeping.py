"""What keeps a training: checkpoints while it runs, and a Ctrl-C that ends it between two steps."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..io.model_file import save
from ..io.run_folder import RunFolder
from ..training.callbacks import Callback

if TYPE_CHECKING:
    from ..training.run import Run

__all__ = ["Keeper"]

EVERY = 2.0
"""So many seconds at least lie between two checkpoints: a short epoch costs no more than a long one."""


class Keeper(Callback):
    """Writes ``checkpoint.safetensors`` after epochs, and where a Ctrl-C ends the training; shows it by ``shown``."""

    saves = True

    def __init__(self, folder: RunFolder, rng: np.random.Generator, shown: Callable[[Run], object]) -> None:
        self.folder = folder
        self.rng = rng
        """What orders the examples; the model may draw from it, too, and still does so when it goes on."""
        self.shown = shown
        self.asked = False
        """Whether somebody pressed Ctrl-C: then the present step is the last one."""
        self._written = 0.0

    def on_fit_begin(self, run: Run) -> None:
        self.write(run)

    def on_step(self, run: Run) -> None:
        if self.asked:
            run.stop = True

    def on_epoch(self, run: Run) -> None:
        self.folder.keep()
        if self.asked and run.epoch < run.epochs:
            run.stop = True
        elif time.monotonic() > self._written + EVERY:
            self.write(run)

    def on_fit_end(self, run: Run) -> None:
        if self.asked and run.error is None:
            self.folder.keep()
            self.write(run)

    def write(self, run: Run) -> None:
        """Write the state of the training, whole or not at all."""
        learner = run.learner
        state = {"run": run.state_dict(), "rng": self.rng}
        save(self.folder.checkpoint, learner.model, learner.optimizer, learner.scheduler, **state)
        self.shown(run)
        self._written = time.monotonic()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """A first Ctrl-C ends the training after the present step, a second one at once."""
        if threading.current_thread() is not threading.main_thread():  # signals belong to the main thread
            yield
            return

        def asked(number: int, frame: FrameType | None) -> None:
            self.asked = True
            signal.signal(signal.SIGINT, before)

        before: Any = signal.getsignal(signal.SIGINT)
        if not callable(before):  # it is ignored, as in a job in the background, or set by another program
            yield
            return
        signal.signal(signal.SIGINT, asked)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
