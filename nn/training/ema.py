"""EMA: a running mean of the parameters of a model, which often predicts better than the last ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.checks import whole
from ..layers.module import Module
from .calls import Calls
from .checks import checked, in_range
from .optimizer import Optimizer

Array = Any


class EMA:
    """An exponential moving average of parameters: mean = decay mean + (1 - decay) parameter at each ``update()``.

    It begins with the parameters of the first update.  ``with ema.applied():`` the model computes with the means.
    ``parameters`` is a model, an optimizer, or a list of variables.  Call ``update`` after each step; an interrupted
    update is made or not.

    >>> import numpy as np
    >>> from nn import Linear
    >>> model = Linear(1, 1, bias=False, dtype=np.float64)
    >>> ema = EMA(model, decay=0.75)
    >>> for value in (0.0, 4.0):
    ...     model.weight.data[...] = value
    ...     ema.update()
    >>> with ema.applied():
    ...     model.weight.data.item()
    1.0
    >>> model.weight.data.item()
    4.0
    """

    def __init__(self, parameters: Module | Optimizer | Iterable[Tensor], decay: float = 0.999) -> None:
        given: Any = parameters
        if isinstance(given, Module):
            given = list(given.parameters())
        elif isinstance(given, Optimizer):
            given = given.parameters
        self.parameters: list[Tensor] = checked(given, "EMA")
        self.decay: float = in_range("EMA", "decay", decay, 0.0, 1.0)
        self.updates: Array = np.array(0)
        self.means: list[Array] = [np.array(parameter.data) for parameter in self.parameters]

    def update(self) -> None:
        """Take the present values of the parameters into the means."""
        keep = self.decay if self.updates > 0 else 0.0
        calls = Calls()
        for mean, parameter in zip(self.means, self.parameters, strict=True):
            change = (parameter.data - mean) * (1.0 - keep)
            calls.append((np.add, mean, change, mean))
        calls.append((np.add, self.updates, 1, self.updates))
        calls.perform()

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The parameters have the means as their values inside of it, and their own after it.

        What is written into them there is lost; the means stay.
        """
        before = [parameter.data for parameter in self.parameters]
        try:
            for parameter, mean in zip(self.parameters, self.means, strict=True):
                parameter.data = mean.copy()
            yield
        finally:
            for parameter, values in zip(self.parameters, before, strict=True):
                parameter.data = values

    def state_dict(self) -> dict[str, Any]:
        """The number of updates, the decay, and copies of the means."""
        return {"updates": int(self.updates), "decay": self.decay, "means": [mean.copy() for mean in self.means]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state_dict`; ValueError if it does not fit, and then nothing has changed."""
        who = "EMA.load_state_dict"
        if not isinstance(state, Mapping) or set(state) != {"updates", "decay", "means"}:
            raise ValueError(f"{who}: expected the entries 'updates', 'decay' and 'means' of a state_dict")
        shapes, mine = [np.shape(mean) for mean in state["means"]], [mean.shape for mean in self.means]
        if shapes != mine:
            raise ValueError(f"{who}: the means have the shapes {shapes}, the parameters {mine}")
        decay = in_range(who, "decay", state["decay"], 0.0, 1.0)
        updates = whole(who, "updates", state["updates"], 0)
        pairs = zip(state["means"], self.means, strict=True)
        means = [np.array(mean, dtype=own.dtype) for mean, own in pairs]
        new = {"decay": decay, "updates": np.array(updates), "means": means}
        Calls([(vars(self).update, new)]).perform()
