"""One training step: outputs, loss, gradients, update; and the errors of a bad step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..layers.module import Module
from .checks import count_of, in_range, pairs_of_examples, what_is
from .divergence import DivergenceError, cause
from .measures import taken
from .optimizer import rate_of
from .update import PAYS, Done, Search, Update

__all__ = ["TrainingStep"]

Array = Any


class Position(NamedTuple):
    """The number of the step, for messages; ``epoch`` is 0 if epochs are not counted."""

    who: str
    step: int
    epoch: int
    first: bool
    """Whether it is the first one with these parameters: then it is checked that it changes one of them."""


class TrainingStep:
    """One step of training: outputs = model(x), loss(outputs, y), backward, clipping, optimizer.step().

    :class:`nn.Learner` makes such steps over data.  This class is for a loop of your own, with the same checks: the
    loss is a single finite number, it depends on the parameters, and the gradients are finite.  ``loss`` is a function
    or a module of (outputs, targets).  Before the optimizer uses them, gradients are clipped to the total norm
    ``clip_norm``, or each number to ±``clip_value``.

    With ``accumulate=k`` the parameters change at each k-th call, by the mean of the loss over the examples of all k
    batches, as with one batch of them; :meth:`flush` makes a step of those that are left.

    Steps are recorded once, and replayed, as by :func:`autodiff.jit`: the same numbers, sooner.  With ``jit="auto"``
    that is done where there are many steps; ``explain()`` says what was recorded, and what could not be.

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
        accumulate: int = 1,
        jit: bool | str = "auto",
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
        if not (jit == "auto" or isinstance(jit, bool)):
            raise ValueError(f"{who}: jit is {jit!r}; it must be True, False or 'auto'")
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.clip_norm: float | None = None if clip_norm is None else in_range(who, "clip_norm", clip_norm, 0.0)
        self.clip_value: float | None = None if clip_value is None else in_range(who, "clip_value", clip_value, 0.0)
        self.jit: bool | str = jit
        self.accumulate: int = count_of(who, "accumulate", accumulate, 1)
        if accumulate > 1 and getattr(optimizer, "needs_closure", False):
            raise ValueError(f"{who}: accumulate is {accumulate}; {type(optimizer).__name__} takes all data at once")
        self._waiting: tuple[int, float] = 0, 0
        self._made = 0
        self._update: Update | None = None
        self._recorded: Any = None
        self._run: Callable[..., Done] | None = None

    def update(self, x: Array, y: Array) -> tuple[float, Array]:
        """Update the parameters once, with examples x (n, ...) and their targets y (n, ...); or at each k-th call.

        Returns the loss and the outputs from before the update.  Floating-point inputs are cast to the dtype of the
        parameters.  The mode of the model does not change.  Raises DivergenceError if the loss or a gradient is NaN or
        infinite, and TypeError if the loss depends on no parameter; then no parameter has changed.
        """
        x, y = pairs_of_examples("update", x, y)
        position = Position("update", self._made + 1, 0, not self._made)
        done = self._step(x, y, self._calculation(refresh=True), position)
        self._made += 1
        return done.loss, np.asarray(done.outputs)

    def flush(self) -> bool:
        """Update the parameters with the batches since the last update, if there are any; whether there were.

        To be called where the data ends, with ``accumulate``.
        """
        (batches, examples), self._waiting = self._waiting, (0, 0)
        if batches:
            with np.errstate(all="ignore"):
                self._calculation().finish(examples)
        return bool(batches)

    def explain(self) -> str:
        """Which steps are recorded, what is checked before each run of them, and what is calculated anew, and why."""
        if self._recorded is not None:
            return str(self._recorded.explain())
        why = "jit=False" if self.jit is False else f"a recording pays for {PAYS:,} steps or more"
        why = self._update.unrecorded or why if self._update is not None else why
        return f"step: not recorded: {why}"

    def _calculation(self, *, refresh: bool = False) -> Update:
        """What a step calculates, with the present model, loss, optimizer, and limits."""
        parts = self.model, self.loss, self.optimizer, self.clip_norm, self.clip_value
        now = self._update
        if now is None or any(one is not other for one, other in zip(now.parts, parts, strict=True)):
            now = self._update = self._kind()(type(self).__name__, *parts)
            self._recorded = self._run = None
        elif refresh:
            now.refresh()
        return now

    def _kind(self) -> Callable[..., Update]:
        return Search if getattr(self.optimizer, "needs_closure", False) else Update

    def _step(self, x: Array, y: Array, update: Update, position: Position, to_come: int = 0, *more: Any) -> Done:
        """One step.  NumPy's warnings are off, because the same conditions are checked."""
        with np.errstate(all="ignore"):
            x = taken(update.who, x, update.dtype)
            run = self._run or self._recording(update, to_come)
            done = run(x, y, *more) if self.accumulate == 1 else self._part(run, x, y, *more)
            if done.fault:
                self._complain(done, x, y, update, position)
        return done

    def _part(self, run: Callable[..., Done], x: Array, y: Array, *more: Any) -> Done:
        """A batch of several for one step; after an error the next one begins anew."""
        (batches, examples), self._waiting = self._waiting, (0, 0)
        whole = batches + 1 >= self.accumulate
        done = run(x, y, *more, examples, whole)
        if not whole and not done.fault:
            self._waiting = batches + 1, examples + done.examples
        return done

    def _recording(self, update: Update, to_come: int) -> Callable[..., Done]:
        """The calculation, as a recorded function if that pays: for many steps to come, or after as many."""
        update.made += 1
        if self.jit is False or (self.jit == "auto" and max(to_come, update.made) < PAYS) or update.unrecorded:
            return update
        from autodiff import StaleError  # which few programs need

        self._recorded = recorded = update.recorded()

        def run(*args: Any) -> Done:
            try:
                done: Done = recorded(*args)
                return done
            except StaleError as error:
                raise StaleError(f"{error}. {update.who}(..., jit=False) calculates each step anew") from None

        self._run = run
        return run

    def _release(self) -> None:
        """Give back the memory that recorded steps compute in."""
        if self._recorded is not None:
            self._recorded.release()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy has: a recording belongs to the object."""
        return {**vars(self), "_update": None, "_recorded": None, "_run": None, "_waiting": (0, 0)}

    # -- a bad step ------------------------------------------------------------------------------------------

    def _complain(self, done: Done, x: Array, y: Array, update: Update, position: Position) -> None:
        """Raise the error of a step that changed nothing."""
        if done.fault == "plain":
            raise _disconnected("it is a plain number", update, position)
        if done.fault == "apart":
            if position.first:
                raise _disconnected("it depends on other variables alone", update, position)
            if not getattr(self.optimizer, "needs_closure", False):  # which has ended its own step
                self.optimizer.step()  # a later step may depend on no parameter
            return
        what = f"the loss became {done.loss}"
        if done.bad:
            what = f"the loss is {done.loss:.6g}, but the gradient of {', '.join(done.bad)} is not finite"
        raise self._diverged(what, x, y, update, position)

    def _diverged(self, what: str, x: Array, y: Array, update: Update, position: Position) -> DivergenceError:
        why = cause((x, y), update.parameters, lambda: update.again(x, y), position.step - 1)
        self.optimizer.zero_grad()
        where = f"step {position.step}" + (f" (epoch {position.epoch})" if position.epoch else "")
        rate = rate_of(self.optimizer)
        return DivergenceError(
            f"{position.who}: {what} at {where}; {why}\nThe parameters are those before this step. "
            f"Try a smaller learning rate (now {rate:g}), clip_norm=1.0, or look at the data",
            position.epoch,
            position.step,
            why,
        )


def _disconnected(what: str, update: Update, position: Position) -> TypeError:
    why = (
        "use np. functions in the model and the loss, and do not take .data in them"
        if update.parameters
        else "the model has none: is all of it frozen? model.unfreeze()"
    )
    return TypeError(
        f"{position.who}: no parameter of the model leads to the loss ({what}), so nothing is trained; {why}"
    )
