"""One training from its data to its folder, begun or gone on with."""

from __future__ import annotations

import hashlib
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

from autodiff import __version__

from ..io.run_folder import CHECKPOINT, RunFolder
from ..layers.module import Module
from ..reports.history import History
from ..training import threads
from ..training.displays import WatchPage
from ..training.divergence import DivergenceError
from ..training.learner import Learner
from ..training.optim import OPTIMIZERS
from ..training.processes import Processes
from ..training.schedule import CosineAnnealingLR
from .command import INTERRUPTED, CommandError
from .keeping import Keeper, Nowhere
from .kinds import Data, Measured
from .lines import columns_of, epoch_line, in_columns
from .page import write_page
from .runs import Run


class Session:
    """The training of a run: ``train`` makes its folder complete."""

    def __init__(
        self, run: Run, data: Data, folder: RunFolder, quiet: bool, processes: Processes | None = None
    ) -> None:
        self.run, self.data, self.folder = run, data, folder
        self.quiet, self.processes = quiet, processes

    def say(self, text: str) -> None:
        """Print a line, unless all but the result is to be quiet."""
        if not self.quiet:
            print(text, flush=True)

    def train(self, rng: np.random.Generator, *, resume: bool = False) -> int:
        """Train with as many threads as pay, measure, write, or go on from the checkpoint.  Returns the exit code.

        ``rng`` is what the data were split with; it is drawn from for the model and for the order of the examples.
        """
        learner = self._learner(rng)
        # several processes have the cores already
        with threads.chosen(self._largest(learner.model) if self.processes is None else 0):
            return self._trained(learner, rng, resume)

    def _trained(self, learner: Learner, rng: np.random.Generator, resume: bool) -> int:
        recipe, metrics = self.run.recipe, self.run.kind.metrics
        self._open(learner.model)
        if resume:
            self.say(f"going on from {self.folder.checkpoint}")
        keeper = Keeper(self.folder, self._show)
        try:
            with keeper.interruptible():
                history = learner.fit(
                    *self.data.train, epochs=recipe.epochs, batch_size=recipe.batch_size,
                    validation=self.data.validation, rng=rng, progress=False if self.quiet else None,
                    callbacks=[WatchPage(self.folder.page), keeper],
                    on_epoch=lambda row: self.say(epoch_line(row, recipe.epochs, metrics)),
                    resume=self.folder.checkpoint if resume else None,
                )  # fmt: skip
        except DivergenceError as error:
            raise CommandError(f"{error}") from error
        except KeyboardInterrupt:  # a second one, or one between two calls
            if not self.folder.checkpoint.exists():
                raise
            return self._stopped(keeper.history)
        if keeper.asked and len(history) < recipe.epochs:
            return self._stopped(keeper.history)
        self._finish(learner, history)
        return 0

    def _largest(self, model: Module) -> int:
        """About the multiplications of the largest product of a step."""
        inputs = self.data.train[0]
        places = 1 if inputs.ndim == 2 and inputs.dtype.kind == "f" else int(np.prod(inputs.shape[1:]))
        return self.run.recipe.batch_size * places * max(parameter.size for parameter in model.parameters())

    def _learner(self, rng: np.random.Generator) -> Learner:
        """A new model and what trains it."""
        recipe, kind = self.run.recipe, self.run.kind
        model = kind.network(recipe, rng)
        optimizer = OPTIMIZERS[recipe.optimizer](model.parameters(), lr=recipe.lr)
        per_epoch = -(-len(self.data.train[1]) // recipe.batch_size) if recipe.schedule == "step" else 1
        return Learner(
            model, kind.loss(recipe), optimizer, metrics=kind.metrics, schedule=recipe.schedule, jit=kind.jit,
            scheduler=CosineAnnealingLR(optimizer, recipe.epochs * per_epoch),
            clip_norm=1.0 if kind.name == "text" else None, parallel=self.processes,
        )  # fmt: skip

    def _open(self, model: Module) -> None:
        self.folder.write_run(self.run.described())
        lines = self.run.kind.opening(self.data, self.run.recipe)
        self.say(f"{self.run.arguments['data']}: {lines[0]}")
        if self.processes is not None:
            self.say(f"{self.processes.size} processes, each with its part of every batch")
        for line in (f"{model}", *lines[1:], f"matrix products: {threads.described(threads.count())}"):
            self.say(line)
        metrics = self.run.kind.metrics
        self.say(in_columns(columns_of(metrics), metrics))

    def _show(self, history: History, measured: Measured | None = None, state: str = "running") -> None:
        """Write ``index.html`` as things are now."""
        write_page(self.folder.path, self.run, history, measured, state)

    def _stopped(self, history: History) -> int:
        """Say how to go on."""
        if len(history):
            self.folder.write_history(history)
        self._show(history, state="interrupted")
        self.folder.keep()
        print(
            f"interrupted in epoch {min(len(history) + 1, self.run.recipe.epochs)} of {self.run.recipe.epochs}; go on "
            f"with: pullback train --resume {shlex.quote(str(self.folder.path))}",
            flush=True,
        )
        return INTERRUPTED

    def _finish(self, learner: Learner, history: History) -> None:
        """Measure on what was held out, and write all files."""
        measured = self.run.kind.measure(learner, self.data.test)
        model = learner.model.eval()
        self.folder.write_model(model)
        self.folder.write_history(history)
        self.folder.write_graph(model, self.data.train[0][: self.run.recipe.batch_size])
        self.folder.write_result(
            {
                "options": {**self.run.arguments, "seed": self.run.seed, **_given(self.run)},
                **{f"{'test_' * (name not in _AS_IT_IS)}{name}": value for name, value in measured.result.items()},
                "blas_threads": threads.count(),
                "version": __version__,
                "numpy": np.__version__,
                "python": sys.version.split()[0],
            }
        )
        (self.folder.path / CHECKPOINT).unlink(missing_ok=True)
        self._show(history, measured, "finished")
        for line in (*measured.lines, measured.baseline):
            self.say(line)
        print(f"test {measured.summary}")
        print(f"written to {self.folder.path}")


class Following(Session):
    """The same training in a process that does not lead: it computes, and leaves files and words to the first one."""

    def __init__(self, run: Run, data: Data, processes: Processes, checkpoint: Path | None = None) -> None:
        folder = Nowhere()
        if checkpoint is not None:
            folder.checkpoint = checkpoint
        super().__init__(run, data, folder, True, processes)  # type: ignore[arg-type]  # of which it uses what is there

    def _open(self, model: Module) -> None:
        pass

    def _show(self, history: History, measured: Measured | None = None, state: str = "running") -> None:
        pass

    def _stopped(self, history: History) -> int:
        return INTERRUPTED

    def _finish(self, learner: Learner, history: History) -> None:
        pass


_AS_IT_IS = ("confusion_matrix",)


def _given(run: Run) -> dict[str, Any]:
    """The options that the model has."""
    return {name: value for name, value in run.recipe._asdict().items() if value is not None}


def checksum(data: Data) -> str:
    """Of the data, so that a run does not go on with another one."""
    digest = hashlib.sha256()
    for part in data:
        for array in part:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]
