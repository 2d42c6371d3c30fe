"""The calculation of a training step, as a function of arrays: it can be recorded, and replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autodiff import Tensor

from ..layers.module import Module
from ..layers.structure import dtype_of, values_of
from .clipping import clip_grad_norm_, clip_grad_value_
from .divergence import bad_names
from .measures import number

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


class Update:
    """outputs = model(x), loss(outputs, y), backward, clipping, optimizer.step(), with the parts as they are now.

    It raises no error of its own, because a recorded function decides by values, and not by errors.
    """

    __name__ = "step"

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
        self.dtype = dtype_of(self.model)

    def __call__(self, x: Array, y: Array) -> Done:
        """One step."""
        self.optimizer.zero_grad()
        outputs = self.model(x)
        loss = self.loss(outputs, y)
        value = number(self.who, loss)
        outputs = values_of(outputs)
        if not np.isfinite(value):
            return Done("loss", value, outputs)
        if not isinstance(loss, Tensor):
            return Done("plain", value, outputs)
        loss.backward()
        bad = bad_names([(name, parameter.grad) for name, parameter in self.parameters])
        if bad:
            return Done("gradient", value, outputs, tuple(bad))
        held = getattr(self.optimizer, "parameters", None)
        changed = held if isinstance(held, list) else [parameter for _, parameter in self.parameters]
        if all(parameter.grad is None for parameter in changed):
            return Done("apart", value, outputs)
        if self.clip_norm is not None:
            clip_grad_norm_([parameter for _, parameter in self.parameters], self.clip_norm)
        if self.clip_value is not None:
            clip_grad_value_([parameter for _, parameter in self.parameters], self.clip_value)
        self.optimizer.step()
        return Done("", value, outputs)
