"""One pass over the data, and its measurements so far."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .measures import Metric, measured

Array = Any


class Epoch:
    """The measurements of one pass over the data: the loss over its examples, and the data for metrics."""

    def __init__(self, epoch: int, epochs: int, metrics: Mapping[str, Metric]) -> None:
        self.epoch, self.epochs = epoch, epochs
        self.metrics = metrics
        self.started = time.perf_counter()
        self.seen, self.total = 0, 0.0
        self.outputs: list[Array] = []
        self.targets: list[Array] = []

    def add(self, loss: float, outputs: Array, targets: Array) -> None:
        """Count one batch; ``loss`` is its mean."""
        count = len(targets)
        self.seen += count
        self.total += loss * count
        if self.metrics:
            self.outputs.append(outputs)
            self.targets.append(targets)

    def measured(self) -> dict[str, float]:
        """The loss and the metrics so far."""
        return {"loss": self.total / self.seen, **measured(self.metrics, self.outputs, self.targets)}

    def describe(self) -> tuple[str, str]:
        """The texts before and after a progress bar."""
        words = [f"{name} {value:.4f}" for name, value in self.measured().items()]
        rate = self.seen / max(time.perf_counter() - self.started, 1e-9)
        return f"epoch {self.epoch}/{self.epochs}", "  ".join([*words, f"{rate:,.0f} examples/s"])
