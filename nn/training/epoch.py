"""One pass over the data, and its measurements so far."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .measures import Metric, measured
from .processes import Processes
from .structures import joined, mapped

Array = Any


class Epoch:
    """The measurements of one pass over the data: the loss over its examples, and the data for metrics."""

    def __init__(self, metrics: Mapping[str, Metric], rate: float) -> None:
        self.metrics = metrics
        self.rate: float = rate
        """The learning rate at its beginning."""
        self.started: float = time.perf_counter()
        self.seen: int = 0
        """The examples so far, of all processes."""
        self.total: float = 0.0
        self.passed: bool = False
        """Whether the data were given to their end; the last update and the measurements may be to come."""
        self.outputs: list[Array] = []
        self.targets: list[Array] = []

    def add(self, loss: float, examples: float, outputs: Array, targets: Array) -> None:
        """Count one batch; ``loss`` is the mean over its examples."""
        self.seen += int(examples)
        self.total += loss * examples
        if self.metrics:
            self.outputs.append(outputs)
            self.targets.append(targets)

    def gather(self, processes: Processes) -> None:
        """Take the outputs and targets of all processes, in each of them."""
        if self.metrics:
            for parts in (self.outputs, self.targets):
                parts[:] = [mapped(processes.joined, joined(parts))]

    def leave(self) -> None:
        """Leave the outputs and targets that were gathered to the first process, so that they are gathered once."""
        for parts in (self.outputs, self.targets):
            parts[:] = [mapped(lambda array: array[:0], part) for part in parts[:1]]

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return max(time.perf_counter() - self.started, 1e-9)

    def measured(self) -> dict[str, float]:
        """The loss and the metrics so far."""
        return {"loss": self.total / self.seen, **measured(self.metrics, self.outputs, self.targets)}

    def describe(self, epoch: int, epochs: int) -> tuple[str, str]:
        """The texts before and after a progress bar."""
        words = [f"{name} {value:.4f}" for name, value in self.measured().items()]
        return f"epoch {epoch}/{epochs}", "  ".join([*words, f"{self.seen / self.seconds:,.0f} examples/s"])

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on with it; the outputs and targets so far are there if metrics need them."""
        return {
            "rate": self.rate,
            "seconds": self.seconds,
            "seen": self.seen,
            "passed": self.passed,
            "total": self.total,
            "outputs": joined(self.outputs) if self.outputs else None,
            "targets": joined(self.targets) if self.targets else None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state_dict`."""
        self.rate, self.total, self.seen = float(state["rate"]), float(state["total"]), int(state["seen"])
        self.passed = bool(state["passed"])
        self.started = time.perf_counter() - float(state["seconds"])
        self.outputs = [] if state["outputs"] is None else [state["outputs"]]
        self.targets = [] if state["targets"] is None else [state["targets"]]
