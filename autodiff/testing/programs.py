"""Random programs: compositions of registered operations, as a strategy that shrinks in values and in graph.

A program is a list of steps, each an operation and the numbers of earlier values that it takes.  Fewer steps, earlier
operations and simpler values are simpler programs, so a failure shrinks to the few operations that make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..primitive import Primitive, registry
from .strategies import tensors

Array = Any
LIMIT = 3.0


@dataclass(frozen=True)
class Step:
    """One operation, the numbers of the values that it takes, and its options (which stand after them)."""

    entry: Primitive
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A composition of operations: ``program(*arrays)`` runs it on arrays or Tensors and returns one number.

    Values are kept small by ``tanh`` where an operation could let them grow, so that a program of any depth has a
    gradient that can be measured.
    """

    shapes: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]
    arrays: tuple[Array, ...]

    def __call__(self, *arrays: Any) -> Any:
        return self.run(np, *arrays)

    @staticmethod
    def _run(step: Step, inputs: list[Any], numpy: Any) -> Any:
        function = getattr(numpy, step.entry.name, None) if numpy is not np else step.entry.call
        assert function is not None
        return function(*[_inside(x, d, numpy) for x, d in zip(inputs, step.entry.domain, strict=True)])

    def run(self, numpy: Any, *arrays: Any) -> Any:
        """The same program with another library's functions of the same names, such as ``jax.numpy``."""
        values = list(arrays)
        for step in self.steps:
            values.append(self._run(step, [values[i] for i in step.inputs], numpy))
        total = values[-1]
        for value in values[len(arrays) : -1]:
            total = total + numpy.sum(value) * 0.1
        return numpy.sum(total)

    def __repr__(self) -> str:
        names = [chr(ord("a") + i) for i in range(len(self.shapes))]
        lines = [f"{n} = array({a.tolist()})" for n, a in zip(names, self.arrays, strict=True)]
        for step in self.steps:
            names.append(f"v{len(names) - len(self.shapes)}")
            lines.append(f"{names[-1]} = {step.entry.name}({', '.join(names[i] for i in step.inputs)})")
        return "\n".join(lines)


def _inside(x: Any, domain: Any, numpy: Any) -> Any:
    """A smooth map of all numbers into the middle of the domain, so that every composition is legal."""
    low, high = domain.low, domain.high
    for kink in domain.kinks:
        if low < kink < high:
            low = kink
    middle, half = (low + high) / 2, (high - low) * 0.4
    return middle + half * numpy.tanh(x * (1.0 / LIMIT))


def smooth_entries() -> list[Primitive]:
    """The elementwise operations that are smooth in the middle of their domain, in a fixed order."""
    found = [e for e in registry.values() if isinstance(e, Primitive) and e.elementwise and _is_smooth(e)]
    return sorted(found, key=lambda e: (len(e.parameters), e.name))


def _is_smooth(entry: Primitive) -> bool:
    if len(entry.parameters) > 2 or any(rule is None for rule in entry.rules.values()):
        return False
    return len(entry.domain) == len(entry.parameters) and entry.analytic


@st.composite
def programs(draw: Any, max_depth: int = 8, entries: Sequence[Primitive] | None = None, shapes: Any = None) -> Program:
    """Random programs of at most ``max_depth`` operations on two arrays of broadcastable shapes.

    ``entries`` are the operations to choose from (default: every smooth elementwise one of the table).
    """
    table = list(entries) if entries is not None else smooth_entries()
    sizes = (
        draw(shapes)
        if shapes is not None
        else draw(st.sampled_from([((), ()), ((2,), (1,)), ((2, 1), (3,)), ((2, 3), (2, 3))]))
    )
    arrays = tuple(draw(tensors(s)) for s in sizes)
    steps: list[Step] = []
    for n in range(draw(st.integers(1, max_depth))):
        entry = draw(st.sampled_from(table))
        known = len(sizes) + n
        steps.append(Step(entry, tuple(draw(st.integers(0, known - 1)) for _ in entry.parameters)))
    return Program(tuple(sizes), tuple(steps), arrays)
