"""Checkpoints: files from which a training goes on."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autodiff import files

from ..io import resuming
from .callbacks import Callback
from .checks import count_of
from .measures import is_better, monitored

if TYPE_CHECKING:
    from .learner import Learner
    from .run import Run

__all__ = ["Checkpoint"]

Path = str | os.PathLike[str]


class Checkpoint(Callback):
    """Writes the model and the state of its training to ``path``, after each epoch and after each ``every`` steps.

    ``Learner.fit(..., resume=path)`` goes on from there as if it had never stopped, to the last bit: with the
    optimizer, the schedule, the history, the callbacks, and all random generators where they were.  A file is
    written whole or not at all, so that it is good whenever the process ends.  To ``best`` goes the same after the
    epoch whose column ``monitor`` is the least (with ``mode="max"`` the largest) so far; by default it is the
    validation loss, without validation data the loss.  :func:`nn.load` reads the model from either file.

    Raises KeyError after the first epoch if nothing of the name ``monitor`` is measured.

    >>> import os, tempfile
    >>> import numpy as np
    >>> from nn import Checkpoint, Learner, Linear, load, mse_loss, optim
    >>> X = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> def learner():
    ...     model = Linear(1, 1, rng=0)
    ...     return Learner(model, mse_loss, optim.Adam(model.parameters()))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "last.safetensors")
    ...     _ = learner().fit(X, 2 * X, epochs=2, rng=0, callbacks=[Checkpoint(path)])
    ...     resumed = learner().fit(X, 2 * X, epochs=4, rng=0, callbacks=[Checkpoint(path)], resume=path)
    >>> list(resumed) == list(learner().fit(X, 2 * X, epochs=4, rng=0))
    True
    """

    saves = True

    def __init__(
        self, path: Path, *, every: int | None = None, best: Path | None = None, monitor: str | None = None,
        mode: str = "min",
    ) -> None:  # fmt: skip
        if mode not in ("min", "max"):
            raise ValueError(f"Checkpoint: mode is {mode!r}; it must be 'min' or 'max'")
        if best is None and monitor is not None:
            raise ValueError("Checkpoint: monitor names the column of the best epoch; best=path says where to write it")
        self.path: str = _file(path)
        self.best: str | None = None if best is None else _file(best)
        if self.best is not None and os.path.abspath(self.best) == os.path.abspath(self.path):
            raise ValueError("Checkpoint: path and best are the same file")
        self.every: int | None = None if every is None else count_of("Checkpoint", "every", every, 1)
        self.monitor: str | None = monitor
        self.mode = mode
        self.value: float = math.nan
        """The best value so far."""
        self._written = 0

    def on_fit_begin(self, run: Run) -> None:
        """Begin anew, or go on."""
        if not run.resumed:
            self.value = math.nan
        self._written = run.step

    def on_step(self, run: Run) -> None:
        """Write, if it is time."""
        if self.every is not None and run.step - self._written >= self.every:
            self._write(run, self.path)

    def on_epoch(self, run: Run) -> None:
        """Write, and once more if it is the best epoch."""
        if self.best is not None and self._is_better(run):
            self._write(run, self.best)
        self._write(run, self.path)

    def on_fit_end(self, run: Run) -> None:
        """Write if a callback ended the training within an epoch."""
        if run.error is None and run.step != self._written:
            self._write(run, self.path)

    def _is_better(self, run: Run) -> bool:
        value = float(run.row[monitored("Checkpoint", run.row, self.monitor)])
        better = is_better(value, self.value, self.mode)
        if better:
            self.value = value
        return better

    def _write(self, run: Run, path: str) -> None:
        learner = run.learner
        state = {
            "optimizer": _state_of(learner.optimizer),
            "scheduler": _state_of(learner.scheduler),
            "run": run.state_dict(),
            "data": _data(run),
        }
        if run.leads:
            resuming.write(path, resuming.modules_held(learner.model, learner.loss), state)
        self._written = run.step

    def state_dict(self) -> dict[str, Any]:
        return {} if math.isnan(self.value) else {"value": self.value}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.value = float(state.get("value", math.nan))


def _file(path: Path) -> str:
    """The path of a file in a folder that is there."""
    found = files.expanded(path)
    folder = os.path.dirname(os.path.abspath(found))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"Checkpoint: there is no folder {folder} for {os.path.basename(found)}; make it first")
    return found


def _state_of(part: Any) -> Any:
    return part.state_dict() if hasattr(part, "load_state_dict") else None


def _data(run: Run) -> str:
    """What the data are, in words."""
    text = repr(run.data)
    return type(run.data).__name__ if " at 0x" in text else text


class Resume:
    """What a fit goes on from: the state of a :class:`nn.Run`, or a file, or None.  Reading it changes nothing."""

    def __init__(self, learner: Learner, given: Path | Mapping[str, Any] | None) -> None:
        self.learner = learner
        self.path: str | None = None
        self.state: Any = given
        """The state of the run."""
        if isinstance(given, str | os.PathLike):
            self.path = files.expanded(given)
            self._parts, self._give = resuming.read(
                self.path, resuming.modules_held(learner.model, learner.loss), {"run", "optimizer", "scheduler", "data"}
            )
            self.state = self._parts["run"]

    def take(self, run: Run) -> None:
        """Set a training to that state; from a file its model, optimizer and scheduler, too, or none of them."""
        if self.path is None:
            if self.state is not None:
                run.load_state_dict(self.state)
            return
        if (then := self._parts["data"]) != (now := _data(run)):
            raise self._refused(f"its data were {then}, and are {now}")
        parts = {name: getattr(self.learner, name) for name in ("optimizer", "scheduler")}
        stateful = {name: part for name, part in parts.items() if hasattr(part, "load_state_dict")}
        for name in parts:
            if (self._parts[name] is None) != (name not in stateful):
                raise self._refused(f"one of the two has a {name}, the file or the Learner")
        before = {name: part.state_dict() for name, part in stateful.items()}
        try:
            for name, part in stateful.items():
                part.load_state_dict(self._parts[name])
            run.load_state_dict(self.state)
            self._give()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            for name, old in before.items():
                parts[name].load_state_dict(old)
            raise self._refused(str(error)) from error

    def _refused(self, why: str) -> ValueError:
        return ValueError(f"resume: {self.path}: is not from this training: {why}")
