"""EarlyStopping: the end of a training that no longer gets better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .callbacks import Callback
from .checks import count_of, in_range
from .measures import is_better, monitored

if TYPE_CHECKING:
    from .run import Run

__all__ = ["EarlyStopping"]

_ENTRIES = {"best", "epoch", "waited", "parameters"}


class EarlyStopping(Callback):
    """Ends the training when the column ``monitor`` has not become better for ``patience`` epochs.

    Better is smaller by more than ``min_delta`` with ``mode="min"``, larger with ``mode="max"``, than the best value so
    far; NaN is never better.  With ``restore_best`` the model gets back, at the end, the state that it had after the
    best epoch: parameters and buffers, not those of the optimizer.  ``best`` is the best value, ``epoch`` its epoch,
    ``waited`` the epochs since.

    Raises KeyError after the first epoch if no such column is measured, ValueError for arguments out of range.

    >>> import numpy as np
    >>> from nn import EarlyStopping, Learner, Linear, mse_loss, optim
    >>> X = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = Linear(1, 1, rng=0)
    >>> learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.2))
    >>> enough = EarlyStopping("loss", patience=2, min_delta=1e-3)
    >>> history = learner.fit(X, 2 * X, 1000, rng=0, callbacks=[enough])
    >>> len(history) == enough.epoch + 2 < 50
    True
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = False,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping: mode is {mode!r}; it must be 'min' or 'max'")
        self.monitor = monitor
        self.patience: int = count_of("EarlyStopping", "patience", patience, 1)
        self.min_delta: float = in_range("EarlyStopping", "min_delta", min_delta, 0.0)
        self.mode = mode
        self.restore_best = restore_best
        self.best: float = math.nan
        self.epoch: int = 0
        self.waited: int = 0
        self._parameters: dict[str, Any] | None = None

    def _begin(self) -> None:
        self.best, self.epoch, self.waited, self._parameters = math.nan, 0, 0, None

    def on_fit_begin(self, run: Run) -> None:
        """Begin anew, or go on; a training that it had ended has ended."""
        if not run.resumed:
            self._begin()
        elif self.waited >= self.patience:
            run.stop = True

    def on_epoch(self, run: Run) -> None:
        """Compare the epoch with the best."""
        value = float(run.row[monitored("EarlyStopping", run.row, self.monitor)])
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.epoch, self.waited = value, run.epoch, 0
            if self.restore_best:
                state = run.learner.model.state_dict()
                self._parameters = {name: np.array(array) for name, array in state.items()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            run.stop = True

    def on_fit_end(self, run: Run) -> None:
        """Restore the best state, unless an exception ended the training, or it stopped within an epoch."""
        if self._parameters is not None and run.error is None and run.sums is None:
            run.learner.model.load_state_dict(self._parameters)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "epoch": self.epoch, "waited": self.waited, "parameters": self._parameters}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping) or set(state) != _ENTRIES:
            raise ValueError(f"EarlyStopping: expected the entries {sorted(_ENTRIES)} of a state_dict")
        self.best, self.epoch, self.waited = float(state["best"]), int(state["epoch"]), int(state["waited"])
        self._parameters = None if state["parameters"] is None else dict(state["parameters"])
