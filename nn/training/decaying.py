"""What the formulas of optimizers share: weight decay, the sign of the gradient, running means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import add, multiply, negative, subtract

from .calls import Calls
from .groups import Group, State
from .optimizer import Optimizer

Array = Any


class Decaying(Optimizer):
    """An optimizer with weight decay, which goes up the gradient with ``maximize``; ``change`` has the formula.

    g += weight_decay p, or where it is ``decoupled`` p *= 1 - lr weight_decay.
    """

    def decoupled(self, group: Group) -> Any:
        """Whether weight decay is no part of the gradient: then it is not in the running means."""
        return group.decoupled_weight_decay if "decoupled_weight_decay" in self.defaults else False

    def update(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> Array | None:
        if group.maximize:
            calls.append((negative, gradient, calls.other))
            gradient = calls.other
        if group.weight_decay:
            if self.decoupled(group):
                calls.append((multiply, parameter, 1.0 - group.lr * group.weight_decay, parameter))
            else:
                decayed, room = calls.other, calls.room
                calls += (multiply, parameter, group.weight_decay, room), (add, gradient, room, decayed)
                gradient = decayed
        return self.change(parameter, gradient, state, group, calls)

    def change(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> Array | None:
        """As ``update``, for a gradient with weight decay; ``calls.other`` is free when the gradient has been used."""
        raise NotImplementedError


def buffer(state: State, name: str, parameter: Array, start: float = 0.0) -> Array:
    """The array of this name in the state of a parameter; in the first step it is full of one number."""
    array = state.get(name)
    if array is None:
        array = np.full_like(parameter, start) if start else np.zeros_like(parameter)
        state[name] = array
    return array


def count(state: State) -> Any:
    """The number of this step, from 1 on."""
    state["step"] = step = state.get("step", 0) + 1
    return step


def run_mean(mean: Array, value: Array, decay: Any, calls: Calls) -> None:
    """mean = decay mean + (1 - decay) value; the value may be in ``calls.room``."""
    room = calls.room
    calls += (multiply, value, 1.0 - decay, room), (multiply, mean, decay, mean), (add, mean, room, mean)


def descend(parameter: Array, change: Array, lr: Any, calls: Calls) -> None:
    """parameter -= lr change; the change may be in ``calls.room``."""
    calls += (multiply, change, lr, calls.room), (subtract, parameter, calls.room, parameter)
