"""The statistics of a batch that several processes have: what BatchNorm divides by is that of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from autodiff import linear_call

from ..layers.module import Module
from ..layers.normalization import BatchNorm1d, BatchNorm2d
from ..layers.statistics import summed_by
from .processes import Processes

Array = Any


class RepeatedError(Exception):
    """A backward pass is repeated, which one process cannot do alone: the sums are those of all."""


class Statistics:
    """The sums over all processes that the BatchNorm layers of a model ask for, forward and backward."""

    def __init__(self, processes: Processes, model: Module) -> None:
        self.processes = processes
        found = [module for module in model.modules() if isinstance(module, BatchNorm1d | BatchNorm2d)]
        self.places: dict[int, int] = {id(module): i + 1 for i, module in enumerate(found)}

    def __bool__(self) -> bool:
        """Whether a layer will ask."""
        return bool(self.places)

    @contextmanager
    def of(self, counted: int) -> Iterator[None]:
        """Layers inside get the sums over all processes; of this one ``counted`` examples count: all or none."""
        with summed_by(partial(self._total, 1.0 if counted else 0.0) if self else None):
            yield

    def _total(self, weight: float, layer: Any, sums: Any) -> Any:
        if id(layer) not in self.places:
            raise ValueError(
                f"fit: a {type(layer).__name__} belongs to no model of the Learner, and not all processes may come to "
                "it; make it a part of the model"
            )
        forth, back = (partial(self._summed, sign * self.places[id(layer)]) for sign in (1, -1))
        return linear_call(sums * weight, forth, back)

    def _summed(self, place: int, sums: Array) -> Array:
        """The sum over the processes, in which all must be at the same place: forward, or (below 0) backward."""
        if type(sums) is not np.ndarray:
            raise RepeatedError
        found = self.processes.total(np.concatenate([sums, [place, place * place]]))
        size = self.processes.size
        if found[-2] != size * place or found[-1] != size * place * place:
            raise ValueError(
                "fit: the processes are at different BatchNorm layers; a model of several processes goes through the "
                "same layers in each of them"
            )
        return found[:-2]


@contextmanager
def alone() -> Iterator[None]:
    """Layers inside ask no other process, as if one had the same examples: for what a process looks for by itself."""
    with summed_by(lambda layer, sums: 2 * sums):
        yield
