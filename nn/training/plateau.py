"""ReduceLROnPlateau: a lower learning rate when a measure does not improve any more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .checks import count_of, in_range
from .groups import for_each
from .measures import monitored
from .optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau:
    """Multiply the rates by ``factor`` when a measure has not improved for more than ``patience`` steps.

    ``step(measure)`` is called after each epoch; :class:`nn.Learner` does so with the column ``monitor`` of its
    history, by default "validation_loss", or "loss" without validation data.  The measure improves if it is below
    best (1 - threshold), or best - threshold with ``threshold_mode="abs"``; with ``mode="max"`` if it is above
    best (1 + threshold) or best + threshold.  After a reduction ``cooldown`` steps are not counted.  No rate falls
    below ``min_lr``, a number or a list with one for each group, and none changes by less than ``eps``.  A measure that
    is NaN is no improvement.

    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> optimizer = SGD([Tensor(1.0)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.1
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10, *,
        threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0, eps: float = 1e-8, monitor: str | None = None,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{who}: expected an optimizer, got {type(optimizer).__name__}")
        if mode not in ("min", "max"):
            raise ValueError(f"{who}: mode is {mode!r}; it must be 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"{who}: threshold_mode is {threshold_mode!r}; it must be 'rel' or 'abs'")
        if not in_range(who, "factor", factor, 0.0) < 1:
            raise ValueError(f"{who}: factor is {factor}; it must be below 1")
        self.optimizer: Optimizer = optimizer
        self.monitor: str | None = monitor
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor: float = float(factor)
        self.patience: int = count_of(who, "patience", patience, 0)
        self.cooldown: int = count_of(who, "cooldown", cooldown, 0)
        self.threshold: float = in_range(who, "threshold", threshold, 0.0)
        self.eps: float = in_range(who, "eps", eps, 0.0)
        self.min_lrs: list[float] = for_each(who, "min_lr", min_lr, optimizer.groups)
        self.best: float = math.inf if mode == "min" else -math.inf
        self.bad_steps: int = 0
        self.cooling: int = 0

    def step(self, measure: float) -> None:
        """Compare a measure with the best one, and reduce the rates if it is time."""
        measure = float(measure)
        if self._is_better(measure):
            self.best, self.bad_steps = measure, 0
        else:
            self.bad_steps += 1
        if self.cooling:
            self.cooling -= 1
            self.bad_steps = 0
        if self.bad_steps > self.patience:
            self._reduce()
            self.cooling, self.bad_steps = self.cooldown, 0

    def after(self, row: Mapping[str, float]) -> None:
        """A step by the row of an epoch in a history."""
        self.step(row[monitored(type(self).__name__, row, self.monitor)])

    def _is_better(self, measure: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        margin = sign * self.threshold
        bound = self.best * (1.0 + margin) if self.threshold_mode == "rel" else self.best + margin
        return sign * measure > sign * bound

    def _reduce(self) -> None:
        groups = self.optimizer.groups
        self.min_lrs += [self.min_lrs[-1]] * (len(groups) - len(self.min_lrs))
        for group, least in zip(groups, self.min_lrs, strict=True):
            rate = max(group.lr * self.factor, least)
            if group.lr - rate > self.eps:
                group.lr = rate

    def state_dict(self) -> dict[str, Any]:
        """The best measure, the steps since, and those that are left of a pause."""
        return {"best": self.best, "bad_steps": self.bad_steps, "cooling": self.cooling}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a :meth:`state_dict`; the rates are in the state of the optimizer."""
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping) or set(state) != {"best", "bad_steps", "cooling"}:
            raise ValueError(f"{who}: expected the entries 'best', 'bad_steps' and 'cooling' of a state_dict")
        if not isinstance(state["best"], int | float):
            raise ValueError(f"{who}: best is {state['best']!r}; it must be a number")
        bad, cooling = (count_of(who, name, state[name], 0) for name in ("bad_steps", "cooling"))
        self.best, self.bad_steps, self.cooling = float(state["best"]), bad, cooling
