"""The state of a training: where it is, and what it has measured."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..reports.history import History
from . import joining
from .callbacks import Callbacks
from .epoch import Epoch
from .feeding import Feed
from .loader import DataLoader
from .measures import monitored
from .optimizer import rate_of
from .processes import Processes

if TYPE_CHECKING:
    from .learner import Learner

__all__ = ["Run"]

Array = Any
_ENTRIES = {"epoch", "step", "loss", "history", "sums", "start", "data", "callbacks"}


class Run:
    """The state of one :meth:`nn.Learner.fit`, as its callbacks see it.

    ``learner`` holds the model and the optimizer; ``epoch`` counts from 1 up to ``epochs``, ``step`` from 1 over all
    epochs, ``batch`` from 1 within the epoch up to ``steps_per_epoch`` (None in the first epoch of data without a
    length); ``inputs`` and ``loss`` are those of the last step.  ``row`` holds what the last epoch measured, and is the
    last entry of ``history``.

    A callback ends the training by ``run.stop = True``.  Set in ``on_epoch``, the epoch is the last.  Set in
    ``on_step``, the epoch remains unfinished: it gets no row, and ``state_dict`` says how far it is.

    ``state_dict`` is all that the loop knows.  With it, and the states of the model, the optimizer and the scheduler,
    ``fit(..., resume=state)`` goes on in the middle of an epoch as if it had never stopped, to the last bit.
    """

    def __init__(self, learner: Learner, epochs: int, feed: Feed, callbacks: Callbacks) -> None:
        self.learner = learner
        self.epochs = epochs
        self.data: DataLoader = feed.data
        self.callbacks = callbacks
        self.inputs: Any = feed.example
        """The inputs of the step; before the first one, a batch like them, or None."""
        self.steps_per_epoch: int | None = feed.data.length()
        self.processes: Processes | None = learner.processes
        self.streams: list[Any] = []
        """The states of the random generators in the model, by process, where the training goes on from; or nothing."""
        self._start = feed.start
        self.history: History = History()
        self.epoch: int = 0
        self.step: int = 0
        self.batch: int = 0
        self.loss: float = math.nan
        self.stop: bool = False
        self.resumed: bool = False
        self.error: BaseException | None = None
        self.sums: Epoch | None = None
        """What the unfinished epoch has measured so far; None between two epochs."""

    @property
    def row(self) -> dict[str, float]:
        """What the last finished epoch measured; empty before."""
        return self.history.rows[-1] if len(self.history) else {}

    @property
    def best(self) -> dict[str, float]:
        """The row with the least validation loss (without validation: training loss) so far; empty before."""
        return self.history.best(monitored("Run", self.row)) if len(self.history) else {}

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and shows the progress."""
        return self.processes is None or self.processes.leads

    def agreed(self, flag: bool) -> bool:
        """Whether it is so in any of the processes that train together; to be called by all of them."""
        return flag if self.processes is None else self.processes.any(flag)

    def describe(self) -> tuple[str, str]:
        """The texts before and after a progress bar."""
        return ("", "") if self.sums is None else self.sums.describe(self.epoch, self.epochs)

    # -- what the loop does ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """The callbacks hear of the begin and of the end, whatever it is."""
        try:
            with contextlib.ExitStack() as begun:
                try:
                    self.callbacks.begin(self, begun)
                    yield
                except BaseException as error:
                    self.error = error
                    raise
        finally:
            self.error = None  # its traceback leads back to this object

    def begin_epoch(self) -> Epoch:
        """The sums of a new epoch, or of the one that was left unfinished."""
        if self.sums is None:
            self.epoch += 1
            self.batch = 0
            self.sums = Epoch(self.learner.metrics, rate_of(self.learner.optimizer))
        return self.sums

    def end_epoch(self, measured: Mapping[str, float]) -> None:
        """Add the row of an epoch to the history."""
        self.history.append({"epoch": self.epoch, **measured})
        self.steps_per_epoch = self.batch
        self.sums = None

    # -- keeping it --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Where the training is: numbers, strings, arrays, and lists and dicts of them.

        ``epoch`` and ``step``; ``loss``; ``history``, a list of rows; ``sums``, those of the unfinished epoch or None;
        ``start``, the state of the generator before ``validation_split``, or None; ``data``, the position in the data
        and the state of its generator; ``callbacks``, their states by name.
        It is consistent inside of ``on_step`` and ``on_epoch``, and in ``on_fit_end`` if ``run.error`` is None.
        """
        if self.processes is not None and self.sums is not None:
            self.sums.gather(self.processes)
        state = {
            "epoch": self.epoch,
            "step": self.step,
            "loss": self.loss,
            "history": [dict(row) for row in self.history.rows],
            "sums": None if self.sums is None else self.sums.state_dict(),
            "start": self._start,
            "data": self.data.state_dict(),
            "callbacks": self.callbacks.state_dict(),
        }
        if self.processes is not None:
            self._leave()
            state["streams"] = joining.states(self.processes, self.learner)
        return state

    def _leave(self) -> None:
        if self.sums is not None and not self.leads:
            self.sums.leave()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state_dict`."""
        whole = isinstance(state, Mapping) and set(state) - {"streams"} == _ENTRIES
        inside = ("callbacks", "data") if whole else ()
        if not inside or not all(isinstance(state[name], Mapping) for name in inside):
            got = sorted(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
            raise ValueError(f"fit: resume is no state_dict() of an nn.Run, which has {sorted(_ENTRIES)}; got {got}")
        if (state["start"] is None) != (self._start is None):
            raise ValueError("fit: validation_split is given, or was when the state was made, but not both")
        self.callbacks.load_state_dict(state["callbacks"])
        self.data.load_state_dict(state["data"])
        self.history = History(state["history"])
        self.epoch, self.step, self.loss = int(state["epoch"]), int(state["step"]), float(state["loss"])
        self.batch = int(state["data"]["position"])
        self.sums = None
        if state["sums"] is not None:
            self.sums = Epoch(self.learner.metrics, math.nan)
            self.sums.load_state_dict(state["sums"])
        self.streams = list(state.get("streams", []))
        self._leave()
        self.resumed = True
