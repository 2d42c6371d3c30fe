"""OneCycleLR: one rise and one fall of the learning rate, and of the momentum the other way round."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..layers.checks import whole
from .checks import in_range
from .groups import Group, for_each
from .optimizer import Optimizer
from .schedule import Scheduler

__all__ = ["OneCycleLR"]


class OneCycleLR(Scheduler):
    """Increase the rate to ``max_lr``, then decrease it far below its start; step it after each batch.

    The rate goes from max_lr / div_factor to max_lr in the first ``pct_start`` of ``total_steps``, then to
    max_lr / div_factor / final_div_factor; with ``three_phase`` first back to its start, as fast as it rose.  The way
    is half a cosine, or ``anneal_strategy="linear"``.  With ``cycle_momentum`` the momentum, or the first of the betas,
    goes from ``max_momentum`` to ``base_momentum`` and back at the same time.  ``max_lr`` and the momenta are numbers,
    or lists with one for each group.  ``total_steps`` may be given as ``epochs`` and ``steps_per_epoch``.

    Source: L. Smith, N. Topin, "Super-convergence" (2017); defaults are PyTorch's.

    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> schedule = OneCycleLR(SGD([Tensor(1.0)], momentum=0.9), max_lr=1.0, total_steps=10, div_factor=5.0)
    >>> [round(schedule.rate(steps), 3) for steps in (0, 1, 2, 9)]
    [0.2, 0.6, 1.0, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | Sequence[float], total_steps: int | None = None, *,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:  # fmt: skip
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        if total_steps is None:
            total_steps = whole("OneCycleLR", "epochs", epochs) * whole(
                "OneCycleLR", "steps_per_epoch", steps_per_epoch
            )
        self.total_steps: int = whole("OneCycleLR", "total_steps", total_steps)
        pct_start = in_range("OneCycleLR", "pct_start", pct_start, 0.0, 1.0)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is {anneal_strategy!r}; it must be 'cos' or 'linear'")
        self.anneal_strategy = anneal_strategy
        self.div_factor: float = _positive("div_factor", div_factor)
        self.final_div_factor: float = _positive("final_div_factor", final_div_factor)
        self._ends: tuple[float, ...] = (pct_start * self.total_steps - 1.0, self.total_steps - 1.0)
        if three_phase:
            self._ends = (self._ends[0], 2.0 * pct_start * self.total_steps - 2.0, self.total_steps - 1.0)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"OneCycleLR: expected an optimizer, got {type(optimizer).__name__}")
        groups = optimizer.groups
        self.cycle_momentum = cycle_momentum
        if cycle_momentum and not all("momentum" in group or "betas" in group for group in groups):
            raise ValueError(f"OneCycleLR: {type(optimizer).__name__} has no momentum to change; cycle_momentum=False")
        low = for_each("OneCycleLR", "base_momentum", base_momentum, groups)
        high = for_each("OneCycleLR", "max_momentum", max_momentum, groups)
        self.momenta: list[tuple[float, float]] = list(zip(low, high, strict=True))
        self.max_lrs: list[float] = for_each("OneCycleLR", "max_lr", max_lr, groups)
        super().__init__(optimizer)

    def _between(self, steps: int, levels: tuple[float, ...]) -> float:
        """Where one is after so many steps on the way over these levels: one more than there are phases."""
        if steps > self.total_steps:
            raise ValueError(f"OneCycleLR: step {steps} of {self.total_steps}; make it for as many steps as there are")
        start = 0.0
        for i, end in enumerate(self._ends):
            if steps <= end or i == len(self._ends) - 1:
                break
            start = end
        part = (steps - start) / (end - start) if end != start else 1.0
        first, last = levels[i], levels[i + 1]
        if self.anneal_strategy == "linear":
            return (last - first) * part + first
        cosine: float = np.cos(math.pi * part).item()
        return last + (first - last) / 2.0 * (cosine + 1.0)

    def curve(self, steps: int, base: float) -> float:
        """The rate after this many steps; ``base`` is the group's ``max_lr``."""
        low = base / self.div_factor
        back = (low,) if len(self._ends) == 3 else ()
        return self._between(steps, (low, base, *back, low / self.final_div_factor))

    def rate(self, steps: int) -> float:
        return self.curve(steps, self.max_lrs[0])

    def apply(self, group: Group, steps: int, base: float) -> None:
        i = self._position(group)
        group.lr = self.curve(steps, self.max_lrs[i])
        if self.cycle_momentum:
            low, high = self.momenta[i]
            momentum = self._between(steps, (high, low, high, high)[: len(self._ends) + 1])
            if "betas" in group:
                group.betas = (momentum, group.betas[1])
            else:
                group.momentum = momentum

    def _position(self, group: Group) -> int:
        """The position of a group; one that was added since takes the last ``max_lr``."""
        at = next(i for i, other in enumerate(self.optimizer.groups) if other is group)
        return min(at, len(self.max_lrs) - 1)


def _positive(name: str, value: float) -> float:
    if not in_range("OneCycleLR", name, value, 0.0):
        raise ValueError(f"OneCycleLR: {name} is 0; it must be above 0")
    return float(value)
