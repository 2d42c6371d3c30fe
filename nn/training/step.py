"""One training step: outputs, loss, gradients, update; and the errors of a bad step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autodiff import Tensor

from ..layers.module import Module
from ..layers.structure import dtype_of, values_of
from .checks import in_range, pairs_of_examples, what_is
from .clipping import clip_grad_norm_, clip_grad_value_
from .divergence import DivergenceError, bad_names, cause
from .measures import number, taken

__all__ = ["TrainingStep"]

Array = Any


class Position(NamedTuple):
    """The number of the step, for messages; ``epoch`` is 0 if epochs are not counted."""

    who: str
    step: int
    epoch: int
    first: bool
    """Whether it is the first one with these parameters: then it is checked that it changes one of them."""


class Trained(NamedTuple):
    """The parameters of a model by name, and the dtype of all, None if they have several."""

    parameters: list[tuple[str, Tensor]]
    dtype: Any

    @classmethod
    def of(cls, model: Module) -> Trained:
        """The present parameters of a model."""
        return cls(list(model.named_parameters()), dtype_of(model))


class TrainingStep:
    """One step of training: outputs = model(x), loss(outputs, y), backward, clipping, optimizer.step().

    :class:`nn.Learner` makes such steps over data.  This class is for a loop of your own, with the same checks: the
    loss is a single finite number, it depends on the parameters, and the gradients are finite.  ``loss`` is a function
    or a module of (outputs, targets).  Before the optimizer uses them, gradients are clipped to the total norm
    ``clip_norm``, or each number to ±``clip_value``.

    >>> import numpy as np
    >>> from nn import Linear, TrainingStep, batches, mse_loss, optim
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> Y = X @ np.array([[1.0], [2.0], [3.0]])
    >>> model = Linear(3, 1, rng=rng, dtype=np.float64)
    >>> step = TrainingStep(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    >>> for epoch in range(30):
    ...     for x, y in batches(X, Y, 10, rng=rng):
    ...         loss, outputs = step.update(x, y)
    >>> loss < 1e-6, outputs.shape
    (True, (10, 1))
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Any],
        optimizer: Any,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        who = type(self).__name__
        if not isinstance(model, Module):
            raise TypeError(
                f"{who}: model must be a Module, got {what_is(model)}; a function becomes one in Sequential(function)"
            )
        if isinstance(loss, type) or not callable(loss):
            raise TypeError(f"{who}: loss must be a function or a module of (outputs, targets), got {loss!r}")
        if isinstance(optimizer, type) or not hasattr(optimizer, "step"):
            raise TypeError(
                f"{who}: optimizer must be one that holds the parameters, got {optimizer!r}; "
                "write optim.SGD(model.parameters(), lr=0.1)"
            )
        held, own = getattr(optimizer, "parameters", None), list(model.parameters())
        if isinstance(held, list) and own and not {id(p) for p in held} & {id(p) for p in own}:
            raise ValueError(
                f"{who}: the optimizer holds none of the model's parameters, so nothing would be trained; "
                "make it from model.parameters(), after the last change to the model"
            )
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.clip_norm: float | None = None if clip_norm is None else in_range(who, "clip_norm", clip_norm, 0.0)
        self.clip_value: float | None = None if clip_value is None else in_range(who, "clip_value", clip_value, 0.0)
        self._made = 0

    def update(self, x: Array, y: Array) -> tuple[float, Array]:
        """Update the parameters once, with examples x (n, ...) and their targets y (n, ...).

        Returns the loss and the outputs from before the update.  Floating-point inputs are cast to the dtype of the
        parameters.  The mode of the model does not change.  Raises DivergenceError if the loss or a gradient is NaN or
        infinite, and TypeError if the loss depends on no parameter; then no parameter has changed.
        """
        x, y = pairs_of_examples("update", x, y)
        position = Position("update", self._made + 1, 0, not self._made)
        updated = self._update(x, y, Trained.of(self.model), position)
        self._made += 1
        return updated

    def _update(self, x: Array, y: Array, trained: Trained, position: Position) -> tuple[float, Array]:
        """One step.  NumPy's warnings are off, because the same conditions are checked."""
        with np.errstate(all="ignore"):
            return self._unguarded_update(x, y, trained, position)

    def _unguarded_update(self, x: Array, y: Array, trained: Trained, position: Position) -> tuple[float, Array]:
        who = type(self).__name__
        self.optimizer.zero_grad()
        x = taken(who, x, trained.dtype)
        outputs = self.model(x)
        loss = self.loss(outputs, y)
        value = number(who, loss)
        if not math.isfinite(value):
            raise self._diverged(f"the loss became {value}", x, y, trained, position)
        if not isinstance(loss, Tensor):
            raise _disconnected("it is a plain number", trained, position)
        loss.backward()
        if position.first:
            self._check_connected(trained, position)
        bad = bad_names([(name, parameter.grad) for name, parameter in trained.parameters])
        if bad:
            what = f"the loss is {value:.6g}, but the gradient of {', '.join(bad)} is not finite"
            raise self._diverged(what, x, y, trained, position)
        if self.clip_norm is not None:
            clip_grad_norm_([parameter for _, parameter in trained.parameters], self.clip_norm)
        if self.clip_value is not None:
            clip_grad_value_([parameter for _, parameter in trained.parameters], self.clip_value)
        self.optimizer.step()
        return value, np.asarray(values_of(outputs))

    def _check_connected(self, trained: Trained, position: Position) -> None:
        """Raise if the optimizer would change nothing, because none of its parameters has a gradient."""
        held = getattr(self.optimizer, "parameters", None)
        changed = held if isinstance(held, list) else [parameter for _, parameter in trained.parameters]
        if all(parameter.grad is None for parameter in changed):
            raise _disconnected("it depends on other variables alone", trained, position)

    def _diverged(self, what: str, x: Array, y: Array, trained: Trained, position: Position) -> DivergenceError:
        def again() -> None:
            self.loss(self.model(x), y).backward()

        why = cause((x, y), trained.parameters, again, position.step - 1)
        self.optimizer.zero_grad()
        where = f"step {position.step}" + (f" (epoch {position.epoch})" if position.epoch else "")
        rate = float(getattr(self.optimizer, "lr", math.nan))
        return DivergenceError(
            f"{position.who}: {what} at {where}; {why}\nThe parameters are those before this step. "
            f"Try a smaller learning rate (now {rate:g}), clip_norm=1.0, or look at the data",
            position.epoch,
            position.step,
            why,
        )


def _disconnected(what: str, trained: Trained, position: Position) -> TypeError:
    why = (
        "use np. functions in the model and the loss, and do not take .data in them"
        if trained.parameters
        else "the model has none: is all of it frozen? model.unfreeze()"
    )
    return TypeError(
        f"{position.who}: no parameter of the model leads to the loss ({what}), so nothing is trained; {why}"
    )
