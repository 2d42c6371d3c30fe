"""One pass over the data: the training step, what is measured on the way, and what is said when it goes wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.structure import dtype_of, values_of
from ..reports.progress import Progress
from .clipping import clip_grad_norm_, clip_grad_value_
from .divergence import DivergenceError, bad_names, cause

Array = Any
Metric = Callable[[Array, Array], Any]


class Epoch:
    """One pass over the data."""

    def __init__(
        self,
        learner: Any,
        epoch: int,
        epochs: int,
        done: int,
        bar: Progress,
        on_step: Callable[[int, float], object] | None,
    ) -> None:
        self.learner = learner
        self.epoch, self.epochs, self.step = epoch, epochs, done
        self.bar, self.on_step = bar, on_step
        self.started = time.perf_counter()
        self.learning_rate = float(getattr(learner.optimizer, "lr", math.nan))
        self.parameters = list(learner.model.named_parameters())
        self.dtype = dtype_of(learner.model)
        self.seen, self.total = 0, 0.0
        self.outputs: list[Array] = []
        self.targets: list[Array] = []

    def train(self, pairs: Any) -> dict[str, float]:
        """Take a step for each batch; what was measured on the way."""
        learner = self.learner
        for x, y in pairs:
            self.step += 1
            loss, outputs = self._update(x, y)
            self.seen += len(x)
            self.total += loss * len(x)
            if learner.metrics:
                self.outputs.append(outputs)
                self.targets.append(y)
            if learner.scheduler is not None and learner.schedule == "step":
                learner.scheduler.step()
            if self.on_step is not None:
                self.on_step(self.step, loss)
            self.bar.update(self.step, self._describe)
        found = measured(learner.metrics, self.outputs, self.targets)
        return {"epoch": self.epoch, "loss": self.total / self.seen, **found}

    def _update(self, x: Array, y: Array) -> tuple[float, Array]:
        """One step: the loss and the outputs before it.  NumPy's own warnings are off: all that they say is checked."""
        with np.errstate(all="ignore"):
            return self._unguarded_update(x, y)

    def _unguarded_update(self, x: Array, y: Array) -> tuple[float, Array]:
        learner = self.learner
        learner.optimizer.zero_grad()
        x = taken(x, self.dtype)
        outputs = learner.model(x)
        loss = learner.loss(outputs, y)
        value = number(loss)
        if not math.isfinite(value):
            raise self._diverged(f"the loss became {value}", x, y)
        if not isinstance(loss, Tensor):
            raise self._disconnected("it is a plain number")
        loss.backward()
        if not self.seen:
            self._check_connected()
        bad = bad_names((name, parameter.grad) for name, parameter in self.parameters)
        if bad:
            raise self._diverged(f"the loss is {value:.6g}, but the gradient of {', '.join(bad)} is not finite", x, y)
        if learner.clip_norm is not None:
            clip_grad_norm_([parameter for _, parameter in self.parameters], learner.clip_norm)
        if learner.clip_value is not None:
            clip_grad_value_([parameter for _, parameter in self.parameters], learner.clip_value)
        learner.optimizer.step()
        return value, np.asarray(values_of(outputs))

    def _check_connected(self) -> None:
        """Raise if the optimizer will change nothing: none of its parameters has a gradient."""
        held = getattr(self.learner.optimizer, "parameters", None)
        trained = held if isinstance(held, list) else [parameter for _, parameter in self.parameters]
        if all(parameter.grad is None for parameter in trained):
            raise self._disconnected("it depends on other variables alone")

    def _disconnected(self, what: str) -> TypeError:
        why = (
            "use np. functions in the model and the loss, and do not take .data in them"
            if self.parameters
            else "the model has none: is all of it frozen? model.unfreeze()"
        )
        return TypeError(f"fit: no parameter of the model leads to the loss ({what}), so nothing is trained; {why}")

    def _diverged(self, what: str, x: Array, y: Array) -> DivergenceError:
        learner = self.learner

        def again() -> None:
            learner.loss(learner.model(x), y).backward()

        why = cause((x, y), self.parameters, again, self.step - 1)
        learner.optimizer.zero_grad()
        return DivergenceError(
            f"fit: {what} at step {self.step} (epoch {self.epoch}); {why}\nThe parameters are those before this step. "
            f"Try a smaller learning rate (now {self.learning_rate:g}), clip_norm=1.0, or look at the data",
            self.epoch,
            self.step,
            why,
        )

    def _describe(self) -> tuple[str, str]:
        """What stands before and after the progress bar: measured on the epoch so far."""
        found = measured(self.learner.metrics, self.outputs, self.targets)
        words = [f"{name} {value:.4f}" for name, value in {"loss": self.total / self.seen, **found}.items()]
        rate = self.seen / max(time.perf_counter() - self.started, 1e-9)
        return f"epoch {self.epoch}/{self.epochs}", "  ".join([*words, f"{rate:,.0f} examples/s"])


def taken(x: Array, dtype: Any) -> Array:
    """Floating-point inputs in the dtype of the parameters; others, and those of a model of several dtypes, as is."""
    if dtype is None or x.dtype == dtype or x.dtype.kind != "f" or dtype.kind != "f":
        return x
    try:
        with np.errstate(over="raise"):
            return x.astype(dtype)
    except FloatingPointError:
        raise ValueError(
            f"Learner: X is {x.dtype} and has numbers too large for {dtype}, the dtype of the model's parameters; "
            f"scale the data, or make the model with dtype=np.{x.dtype}"
        ) from None


def joined(parts: list[Array]) -> Array:
    """Arrays one after the other."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def measured(metrics: Mapping[str, Metric], outputs: list[Array], targets: list[Array]) -> dict[str, float]:
    """The metrics of outputs and targets that came in parts."""
    if not metrics:
        return {}
    together = joined(outputs), joined(targets)
    return {name: _one(f"the metric '{name}'", metric(*together), "is a metric") for name, metric in metrics.items()}


def number(loss: Any) -> float:
    """The loss as a number.  Raises ValueError or TypeError for what is none."""
    return _one("the loss", loss, "can be made smaller; take its mean (reduction='mean')")


def _one(what: str, value: Any, purpose: str) -> float:
    if isinstance(value, int | float):
        return float(value)
    if not hasattr(value, "dtype"):
        raise TypeError(f"Learner: {what} is a {type(value).__name__}, and only a single number {purpose}")
    if value.size != 1:
        raise ValueError(f"Learner: {what} has shape {value.shape}, and only a single number {purpose}")
    if value.dtype.kind not in "biuf":
        raise TypeError(f"Learner: {what} is {value.dtype}, and only a real number {purpose}")
    return float(value.item())
