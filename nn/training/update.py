"""The calculation of a training step, as a function of arrays: it can be recorded, and replayed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autodiff import Tensor

from ..layers.module import Module
from ..layers.structure import common_dtype, dtype_of, values_of
from .clipping import clip_grad_norm_, clip_grad_value_
from .divergence import bad_names
from .measures import number
from .structures import examples_in

Array = Any

PAYS = 1000
"""So many steps to come are worth recordings: of a small network, each takes as long as some ten steps."""


class Done(NamedTuple):
    """What a step did: ``fault`` says what was wrong, and then the parameters are as before."""

    fault: str
    loss: Any
    outputs: Any
    bad: tuple[str, ...] = ()
    """The parameters whose gradients are not finite."""
    examples: float = 0
    """How many the loss is the mean of."""


class Update:
    """outputs = model(x), loss(outputs, y), backward, clipping, optimizer.step(), with the parts as they are now.

    It raises no error of its own, because a recorded function decides by values, and not by errors.
    """

    __name__ = "step"
    unrecorded = ""
    """Why the step is calculated anew each time, if it is."""

    def __init__(
        self, who: str, model: Module, loss: Callable[[Any, Any], Any], optimizer: Any,
        clip_norm: float | None, clip_value: float | None,
    ) -> None:  # fmt: skip
        self.who, self.model, self.loss, self.optimizer = who, model, loss, optimizer
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.made = 0
        self.parameters: list[tuple[str, Tensor]] = []
        self.dtype: Any = None
        self.refresh()

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it was made of."""
        return self.model, self.loss, self.optimizer, self.clip_norm, self.clip_value

    def refresh(self) -> None:
        """Look again which parameters the model has."""
        parameters = list(self.model.named_parameters())
        if [(n, id(p)) for n, p in parameters] != [(n, id(p)) for n, p in self.parameters]:
            self.parameters = parameters
        # one walk over the model is enough: a loop of the user's own pays for it at each step
        self.dtype = common_dtype(p for _, p in parameters) if parameters else dtype_of(self.model)

    def __call__(self, x: Array, y: Array, before: float = 0, whole: bool = True) -> Done:
        """One step; or a batch of several for one, after ``before`` examples, and the last if ``whole``."""
        if not before:
            self.optimizer.zero_grad()
        done, loss = self._forward(x, y)
        if done.fault:
            return done
        (loss if whole and not before else loss * examples_in(x)).backward()
        bad = self._bad()
        if bad:
            return done._replace(fault="gradient", bad=bad)
        if not before and self._is_apart():
            return done._replace(fault="apart")
        if whole:
            self.finish(before + examples_in(x) if before else 0)
        return done

    def recorded(self) -> Any:
        """The step as a recorded function."""
        from autodiff import jit  # which few programs need

        return jit(self)

    def again(self, x: Array, y: Array) -> None:
        """Outputs, loss and gradients once more, to look for what went wrong."""
        self.loss(self.model(x), y).backward()

    def _forward(self, x: Array, y: Array) -> tuple[Done, Any]:
        """The loss, also as what can be gone back from."""
        outputs = self.model(x)
        loss = self.loss(outputs, y)
        value = number(self.who, loss)
        fault = "" if np.isfinite(value) else "loss"
        if not fault and not isinstance(loss, Tensor):
            fault = "plain"
        return Done(fault, value, values_of(outputs), examples=examples_in(x)), loss

    def _bad(self) -> tuple[str, ...]:
        return tuple(bad_names([(name, parameter.grad) for name, parameter in self.parameters]))

    def _is_apart(self) -> bool:
        """Whether no parameter of the optimizer has a gradient."""
        held = getattr(self.optimizer, "parameters", None)
        changed = held if isinstance(held, list) else [parameter for _, parameter in self.parameters]
        return all(parameter.grad is None for parameter in changed)

    def finish(self, examples: float = 0) -> None:
        """The step itself, by the gradients; those are sums over so many examples, if not 0."""
        if examples:
            self.average(examples)
        self.clip()
        self.optimizer.step()

    def average(self, examples: float) -> None:
        """The gradients, which are sums over so many examples, as means."""
        for _, parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad = parameter.grad * (1.0 / examples)

    def clip(self) -> None:
        """Limit the gradients."""
        if self.clip_norm is not None:
            clip_grad_norm_([parameter for _, parameter in self.parameters], self.clip_norm)
        if self.clip_value is not None:
            clip_grad_value_([parameter for _, parameter in self.parameters], self.clip_value)


class Search(Update):
    """The same for an optimizer that looks for its step, and calculates the loss several times for it."""

    unrecorded = "the optimizer decides by the loss how often it is calculated"

    def __call__(self, x: Array, y: Array, before: float = 0, whole: bool = True) -> Done:
        return searched(self.optimizer, lambda: self._gradients(x, y))

    def _gradients(self, x: Array, y: Array) -> Done:
        done, loss = self._forward(x, y)
        if not done.fault:
            loss.backward()
            bad = self._bad()
            done = done._replace(fault="gradient" if bad else "apart" if self._is_apart() else "", bad=bad)
            self.clip()
        return done


def searched(optimizer: Any, gradients: Callable[[], Done]) -> Done:
    """The step of an optimizer that asks for loss and gradients as often as it likes; what it found at first."""
    first: list[Done] = []

    def closure() -> Any:
        optimizer.zero_grad()
        done = gradients()
        if not first:
            first.append(done)
            if done.fault:
                raise _FaultError
        return done.loss if not done.fault else np.inf

    with contextlib.suppress(_FaultError):
        optimizer.step(closure)
    return first[0]


class _FaultError(Exception):
    """The first calculation shows that no step can be made."""
