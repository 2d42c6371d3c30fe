"""Learner: the training loop of a model with a loss and an optimizer."""

from __future__ import annotations

import contextlib
import inspect
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autodiff import no_grad

from ..layers.module import Module
from ..layers.structure import dtype_of, values_of
from ..losses.binary import BCEWithLogitsLoss, binary_cross_entropy_with_logits
from ..random import Rng, generator
from ..reports.history import VALIDATION, History
from . import joining, metrics, ranking, regression
from .callbacks import Callback, Callbacks, calling
from .checkpoint import Resume
from .checks import count_of, what_is
from .displays import ProgressBar, WatchPage
from .divergence import DivergenceError
from .epoch import Epoch
from .feeding import Validation, feed, inputs_in, loader_of, pairs_in
from .loader import DataLoader
from .measures import Metric, number, taken
from .plateau import ReduceLROnPlateau
from .processes import Processes
from .run import Run
from .shared import Shared, SharedSearch
from .statistics import Statistics
from .step import Position, TrainingStep
from .structures import examples_in, joined, mapped
from .update import Update

__all__ = ["Learner"]

Array = Any

PREDICTION_BATCH = 1024
"""How many examples go through the model at once when nothing is trained: bounds the memory, not the result."""


class Learner(TrainingStep):
    """Trains a model: for each batch a :class:`nn.TrainingStep`, outputs = model(x), loss(outputs, y), update.

    ``loss`` is a function or a module of (outputs, targets) that returns one number, the mean over the examples.
    ``metrics`` are functions of (outputs, targets) as arrays, by name, or names of functions in ``nn.metrics``.
    ``scheduler.step()`` is called after every epoch, or after every step with ``schedule="step"``; a
    :class:`nn.schedule.ReduceLROnPlateau` is told what the epoch measured.  Before the
    optimizer uses them, gradients are clipped to the total norm ``clip_norm``, or each number to ±``clip_value``.
    With ``accumulate=k`` the parameters change after each k batches, by the mean over the examples of all of them, and
    at the end of an epoch.  With ``jit="auto"`` steps are recorded and replayed if there are many: the same numbers,
    sooner (:class:`nn.TrainingStep`).

    With ``parallel=True`` the processes that ``mpiexec`` has started train one model: each takes its part of every
    batch, and the gradients are averaged over all examples (:class:`nn.Processes`; extra ``mpi``).

    Floating-point inputs are cast to the dtype of the parameters, so that float64 data does not slow down a float32
    model.  Losses cast targets to the dtype of the outputs.  Integers are passed on unchanged.

    >>> import numpy as np
    >>> from nn import Linear, mse_loss, optim
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> Y = X @ np.array([[1.0], [2.0], [3.0]]) + 4.0
    >>> model = Linear(3, 1, rng=rng, dtype=np.float64)
    >>> learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    >>> losses = learner.fit(X, Y, epochs=30, batch_size=10, rng=rng)
    >>> len(losses), losses[-1] < 1e-6
    (30, True)
    >>> model.weight.data.round(3).ravel().tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Any],
        optimizer: Any,
        *,
        metrics: Mapping[str, Metric] | Sequence[str | Metric] = (),
        scheduler: Any = None,
        schedule: str = "epoch",
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        jit: bool | str = "auto",
        parallel: Any = None,
    ) -> None:
        limits = {"clip_norm": clip_norm, "clip_value": clip_value}
        super().__init__(model, loss, optimizer, **limits, accumulate=accumulate, jit=jit)
        if schedule not in ("epoch", "step"):
            raise ValueError(f"Learner: schedule is {schedule!r}; it must be 'epoch' or 'step'")
        if scheduler is not None and not callable(getattr(scheduler, "step", None)):
            raise TypeError(f"Learner: scheduler must have a step(), got {what_is(scheduler)}; see nn.schedule")
        if scheduler is not None and getattr(scheduler, "optimizer", optimizer) is not optimizer:
            raise ValueError("Learner: the scheduler changes another optimizer; make it from this one")
        if schedule == "step" and isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError("Learner: ReduceLROnPlateau follows a measure of each epoch; schedule='epoch'")
        self.metrics: dict[str, Metric] = _named(metrics, _takes_logits(loss))
        self.scheduler = scheduler
        self.schedule = schedule
        self.processes: Processes | None = joining.group(parallel)

    def _kind(self) -> Callable[..., Update]:
        if self.processes is None:
            return super()._kind()
        return partial(SharedSearch if getattr(self.optimizer, "needs_closure", False) else Shared, self.processes)

    # -- training --------------------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        Y: Any = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        *,
        validation: tuple[Any, Any] | DataLoader | None = None,
        validation_split: float | int | None = None,
        stratify: Any = False,
        rng: Rng = None,
        shuffle: bool | None = None,
        callbacks: Iterable[Callback] = (),
        progress: bool | None = None,
        on_step: Callable[[int, float], object] | None = None,
        on_epoch: Callable[[dict[str, float]], object] | None = None,
        watch: str | os.PathLike[str] | None = None,
        resume: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    ) -> History:
        """Train for a number of epochs on X (n, ...) and Y (n, ...), and return the history.

        The history is a sequence of the epochs' losses.  X and Y are arrays, tables of pandas or polars, or dicts and
        tuples of arrays, which the model or the loss get as such; ``fit(loader, epochs=10)`` trains on the pairs of a
        :class:`nn.DataLoader`.  Batches have 32 examples, and are shuffled, if nothing else is said.  ``rng`` (a
        Generator or a seed) determines the order of the examples: the same seed gives the same run, bit for bit on one
        machine with one number of BLAS threads (``OPENBLAS_NUM_THREADS``).

        ``validation`` (X, Y), or a loader, is evaluated after every epoch.  ``validation_split``, a fraction or a
        number, takes random examples of X and Y for it, with ``stratify=True`` so many of each class in Y (or in
        labels that are given); one ``rng`` gives one split.

        ``callbacks`` are :class:`nn.Callback` objects.  ``progress`` shows a bar on standard error; the default is to
        do so if that is a terminal.  ``on_step(step, loss)`` is called after every update, before the gradients are
        cleared, ``on_epoch(row)`` with each row of the history.  ``watch`` is the path of an HTML page with curves, the
        norms of every layer and the graph, which is written during the training.

        ``resume`` is the path of a file of :class:`nn.Checkpoint`: the training goes on from there, up to ``epochs`` in
        all, with the model, the optimizer and the scheduler as they were, equal to the last bit to one that never
        stopped.  They, the data and the callbacks are made as before.  It may also be the ``state_dict()`` of a
        :class:`nn.Run`; then the model, the optimizer and the scheduler must have the states that they had.

        Raises ValueError for empty data, X and Y of unequal lengths, a batch_size below 1; DivergenceError, which
        names the step and the first operation that made it, if the loss or a gradient is NaN or infinite.
        """
        if epochs is None:
            raise TypeError("fit: epochs is missing; say how many passes over the data to make: epochs=10")
        epochs = count_of("fit", "epochs", epochs, 0)
        processes = self.processes
        if processes is not None and (rng is not None or not isinstance(X, DataLoader)):  # which has its own
            rng = processes.told(generator(rng))
        held = Validation(validation, validation_split, stratify, PREDICTION_BATCH)
        before = Resume(self, resume)
        found = feed(X, Y, batch_size, shuffle, rng, held, before.state)
        own: list[Callback] = [ProgressBar(progress)]
        if watch is not None:
            own.append(WatchPage(watch))
        own += calling(on_step, on_epoch)
        run = Run(self, epochs, found, Callbacks(callbacks, own, everywhere=not processes or processes.leads))
        with contextlib.nullcontext() if processes is None else processes.together(DivergenceError):
            before.take(run)
            if processes is not None:
                joining.join(processes, run)
            self._waiting = 0, 0
            pairs = partial(pairs_in, "fit", found.data, processes, checked=found.data is not X)
            with self._mode(training=True), run.told():
                while (run.epoch < epochs or run.sums is not None) and not run.stop:
                    self._epoch(run, pairs, found.validation)
        self._release()
        return run.history

    def _epoch(self, run: Run, pairs: Callable[[], Iterator[Any]], validation: DataLoader | None) -> None:
        """Train for one epoch, or for the rest of one, and measure it."""
        epoch, refresh = run.begin_epoch(), True
        if self.processes is not None:
            joining.follow(self.processes, run.data)
        to_come = run.epochs * (run.steps_per_epoch or 0)
        for x, y, counted in () if epoch.passed else pairs():
            position = Position("fit", run.step + 1, run.epoch, not epoch.seen)
            update, refresh = self._calculation(refresh=refresh), False
            done = self._step(x, y, update, position, to_come, *(() if counted is None else (counted,)))
            run.loss, run.inputs = done.loss, x
            run.step += 1
            run.batch += 1
            epoch.add(run.loss, done.examples, *_counted((np.asarray(done.outputs), y), counted))
            if self._waiting[0]:
                continue  # in the middle of a step, no state could be gone on from
            self._updated(run)
            if run.stop:
                return
        epoch.passed = True
        if self.flush():
            self._updated(run)
            if run.stop:
                return
        if not epoch.seen:
            raise ValueError("fit: the DataLoader gave no batch, so there is nothing to train on")
        if self.processes is not None:
            epoch.gather(self.processes)
        row = {**epoch.measured(), "learning_rate": epoch.rate}
        seconds = epoch.seconds
        if validation is not None:
            measures = self._measure("fit, validation", validation, self.processes)
            row.update({VALIDATION + name: value for name, value in measures.items()})
        row["seconds"] = epoch.seconds
        row["rate"] = epoch.seen / seconds
        if self.scheduler is not None and self.schedule == "epoch":
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.after(row)
            else:
                self.scheduler.step()
        run.end_epoch(row)
        run.callbacks.epoch(run)
        run.stop = run.agreed(run.stop)

    def _updated(self, run: Run) -> None:
        """What follows a step of the optimizer."""
        if self.scheduler is not None and self.schedule == "step":
            self.scheduler.step()
        run.callbacks.step(run)
        run.stop = run.agreed(run.stop)

    @contextlib.contextmanager
    def _mode(self, *, training: bool) -> Iterator[None]:
        """The model in training or evaluation mode; afterwards its mode is as before."""
        before = self.model.training
        self.model.train(training)
        try:
            yield
        finally:
            self.model.train(before)

    # -- using what was trained ------------------------------------------------------------------------------

    def predict(self, X: Any, batch_size: int = PREDICTION_BATCH) -> Array:
        """The model's outputs for X (n, ...) as an array, computed without a graph, in evaluation mode, batch by batch.

        X is as in ``fit``, or a DataLoader, of whose batches the inputs are taken.  The meaning of the outputs depends
        on the model: for a model trained with cross-entropy they are logits.
        """
        loader = loader_of("predict", X, None, count_of("predict", "batch_size", batch_size, 1), targets=False)
        with self._mode(training=False):
            outputs = [self._output(x) for x in inputs_in("predict", loader)]
        if not outputs:
            raise ValueError("predict: the DataLoader gave no batch")
        return joined(outputs)

    def evaluate(self, X: Any, Y: Any = None, batch_size: int = PREDICTION_BATCH) -> dict[str, float]:
        """The loss and the metrics on X (n, ...) and Y (n, ...), or on a DataLoader: {"loss": ..., "accuracy": ...}."""
        return self._measure("evaluate", loader_of("evaluate", X, Y, count_of("evaluate", "batch_size", batch_size, 1)))

    def _output(self, x: Any) -> Array:
        """The outputs for a batch."""
        with no_grad():
            outputs = self.model(taken("Learner", x, dtype_of(self.model)))
        return np.asarray(values_of(outputs))

    def _measure(self, who: str, loader: DataLoader, processes: Processes | None = None) -> dict[str, float]:
        """The mean loss over the examples, and the metrics of all of them; of several processes, each takes a part."""
        sums = Epoch(self.metrics, math.nan)
        statistics = None if processes is None else Statistics(processes, self.model)
        with self._mode(training=False):
            for x, y, counted in pairs_in(who, loader, processes):
                with contextlib.nullcontext() if statistics is None else statistics.of(counted or 0):
                    outputs = self._output(x)
                with no_grad():
                    loss = number("Learner", self.loss(outputs, y))
                sums.add(loss, examples_in(y) if counted is None else counted, *_counted((outputs, y), counted))
        if processes is not None:
            sums.total, sums.seen = processes.total(np.array([sums.total, sums.seen], float)).tolist()
            sums.gather(processes)
        if not sums.seen:
            raise ValueError(f"{who}: the DataLoader gave no batch")
        return sums.measured()


# -- checking what comes in ----------------------------------------------------------------------------------------


_METRICS: dict[str, Any] = {name: getattr(m, name) for m in (metrics, ranking, regression) for name in m.__all__}
"""The functions of nn.metrics."""


def _counted(batch: tuple[Any, Any], counted: int | None) -> tuple[Any, Any]:
    """The examples of a batch that count: all or none."""
    return batch if counted is None or counted else mapped(lambda array: array[:0], batch)


def _takes_logits(loss: Any) -> bool:
    """Whether the loss takes binary logits, for which class 1 begins at 0."""
    return loss is binary_cross_entropy_with_logits or isinstance(loss, BCEWithLogitsLoss)


def _named(metrics: Mapping[str, Metric] | Sequence[str | Metric], logits: bool) -> dict[str, Metric]:
    """Metrics by name; a string is the name of a function in nn.metrics, with the threshold that suits the loss."""
    if isinstance(metrics, Mapping):
        pairs: list[tuple[str, Any]] = list(metrics.items())
    else:
        given = [metrics] if isinstance(metrics, str) or callable(metrics) else metrics
        pairs = [(m if isinstance(m, str) else getattr(m, "__name__", type(m).__name__), m) for m in given]
    found: dict[str, Metric] = {}
    for name, metric in pairs:
        function = _METRICS.get(metric) if isinstance(metric, str) else metric
        if not callable(function):
            raise TypeError(f"Learner: the metric {metric!r} is neither a function nor the name of one in nn.metrics")
        if name in found or name in ("epoch", "loss", "seconds", "rate", "learning_rate"):
            raise ValueError(f"Learner: two columns would be called '{name}'; give the metrics as {{name: function}}")
        decides = logits and isinstance(metric, str) and "threshold" in inspect.signature(function).parameters
        found[name] = partial(function, threshold=0.0) if decides else function
    return found
