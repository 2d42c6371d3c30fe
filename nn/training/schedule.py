"""Schedules of the learning rate, as functions of the number of steps taken.

Each sets the rates of an optimizer's groups when it is made, and at each call of ``step()``: once for each epoch or
each batch, in whichever unit its lengths are.  A rate is a function of the step number and of the group's own first
rate, so any schedules can be joined.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..layers.checks import whole
from .checks import in_range
from .groups import Group
from .optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "LinearWarmup", "Scheduler", "SequentialLR", "StepLR"]


class Scheduler:
    """Sets the rate of each group of an optimizer to ``curve(steps, base)``.

    ``base_lrs`` are the rates that the groups had when this was made; a group that is added later begins with its own.
    A subclass defines ``curve``.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: expected an optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        self.base_lrs: list[float] = [group.lr for group in optimizer.groups]
        self.steps: int = 0
        self._set()

    def curve(self, steps: int, base: float) -> float:
        """The learning rate after this many steps, of a group whose rate was ``base``."""
        raise NotImplementedError

    def rate(self, steps: int) -> float:
        """The learning rate of the first group after this many steps."""
        return self.curve(steps, self.base_lrs[0])

    def apply(self, group: Group, steps: int, base: float) -> None:
        """Set what this schedule changes in a group."""
        group.lr = self.curve(steps, base)

    def step(self) -> None:
        """Count a step and set the learning rates."""
        self.steps += 1
        self._set()

    def _set(self) -> None:
        groups = self.optimizer.groups
        self.base_lrs += [group.lr for group in groups[len(self.base_lrs) :]]
        for group, base in zip(groups, self.base_lrs, strict=True):
            self.apply(group, self.steps, base)

    def state_dict(self) -> dict[str, Any]:
        """The state to continue from: the number of steps and the base rates."""
        return {"steps": self.steps, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a :meth:`state_dict`, and set the learning rates of that step."""
        who, mine = f"{type(self).__name__}.load_state_dict", len(self.optimizer.groups)
        if not isinstance(state, Mapping) or set(state) not in ({"steps", "base_lrs"}, {"steps", "base_lr"}):
            raise ValueError(f"{type(self).__name__}: expected the entries 'steps' and 'base_lrs' of a state_dict")
        rates = state["base_lrs"] if "base_lrs" in state else [state["base_lr"]] * mine  # which had one group
        if not isinstance(rates, list | tuple) or len(rates) != mine:
            raise ValueError(f"{who}: base_lrs are {rates!r}; the optimizer has {mine} groups")
        steps = whole(who, "steps", state["steps"], 0)
        self.base_lrs = [in_range(who, "base_lr", rate, 0.0) for rate in rates]
        self.steps = steps
        self._set()


class StepLR(Scheduler):
    """Multiply the rate by ``gamma`` every ``step_size`` steps: lr = base gamma^floor(steps / step_size).

    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> optimizer = SGD([Tensor(1.0)], lr=1.0)
    >>> schedule = StepLR(optimizer, 2, gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> optimizer.lr
    0.25
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size: int = whole("StepLR", "step_size", step_size)
        self.gamma: float = in_range("StepLR", "gamma", gamma, 0.0)
        super().__init__(optimizer)

    def curve(self, steps: int, base: float) -> float:
        return base * self.gamma ** (steps // self.step_size)


class CosineAnnealingLR(Scheduler):
    """Decrease the rate along half a cosine to ``eta_min``: eta_min + (base - eta_min) (1 + cos(pi steps / T_max)) / 2.

    Past ``T_max`` the rate rises again along the cosine, as in PyTorch.
    Source: I. Loshchilov, F. Hutter, "SGDR" (2017).

    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> schedule = CosineAnnealingLR(SGD([Tensor(1.0)], lr=1.0), T_max=10)
    >>> schedule.rate(5), schedule.rate(10)
    (0.5, 0.0)
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max: int = whole("CosineAnnealingLR", "T_max", T_max)
        self.eta_min: float = in_range("CosineAnnealingLR", "eta_min", eta_min, 0.0)
        super().__init__(optimizer)

    def curve(self, steps: int, base: float) -> float:
        cosine: float = np.cos(math.pi * steps / self.T_max).item()  # NumPy's, which a program can hold
        return self.eta_min + (base - self.eta_min) * (1.0 + cosine) / 2.0


class LinearWarmup(Scheduler):
    """Increase linearly from ``start_factor`` times the base rate to it in ``total_iters`` steps, then stay.

    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> schedule = LinearWarmup(SGD([Tensor(1.0)], lr=1.0), total_iters=4, start_factor=0.5)
    >>> [schedule.rate(steps) for steps in (0, 2, 4, 9)]
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int, start_factor: float = 1.0 / 3.0) -> None:
        self.total_iters: int = whole("LinearWarmup", "total_iters", total_iters)
        self.start_factor: float = in_range("LinearWarmup", "start_factor", start_factor, 0.0, 1.0)
        super().__init__(optimizer)

    def curve(self, steps: int, base: float) -> float:
        part = min(steps, self.total_iters) / self.total_iters
        return base * (self.start_factor + (1.0 - self.start_factor) * part)


class SequentialLR(Scheduler):
    """One schedule after the other: the next takes over, from its own step 0, at each milestone.

    Make all of them with the same optimizer.  Warm-up, then cosine:

    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> optimizer = SGD([Tensor(1.0)], lr=1.0)
    >>> warm = LinearWarmup(optimizer, 5, start_factor=0.0)
    >>> schedule = SequentialLR(optimizer, [warm, CosineAnnealingLR(optimizer, 10)], milestones=[5])
    >>> [round(schedule.rate(steps), 3) for steps in (0, 1, 5, 10, 15)]
    [0.0, 0.2, 1.0, 0.5, 0.0]
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Scheduler], milestones: Sequence[int]) -> None:
        self.schedulers: list[Scheduler] = list(schedulers)
        self.milestones: list[int] = list(milestones)
        if not self.schedulers or len(self.milestones) != len(self.schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(self.schedulers)} schedulers and {len(self.milestones)} milestones; "
                "there must be one milestone between each two schedulers"
            )
        if any(b <= a for a, b in zip([0, *self.milestones], self.milestones, strict=False)):
            raise ValueError(f"SequentialLR: milestones {self.milestones} must be positive and increase")
        if any(s.optimizer is not optimizer for s in self.schedulers):
            raise ValueError("SequentialLR: all schedulers must be made with this optimizer")
        # each was made while those before it had already set the rate: the first one knows what it was
        for group, base in zip(optimizer.groups, self.schedulers[0].base_lrs, strict=True):
            group.lr = base
        super().__init__(optimizer)

    def _now(self, steps: int) -> tuple[Scheduler, int]:
        """The schedule whose turn it is, and its own number of steps."""
        starts = [0, *self.milestones]
        which = sum(steps >= start for start in starts) - 1
        return self.schedulers[which], steps - starts[which]

    def curve(self, steps: int, base: float) -> float:
        scheduler, steps = self._now(steps)
        return scheduler.curve(steps, base)

    def apply(self, group: Group, steps: int, base: float) -> None:
        scheduler, steps = self._now(steps)
        scheduler.apply(group, steps, base)
