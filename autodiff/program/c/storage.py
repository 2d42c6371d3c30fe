"""Where the values of a region are while it runs: in variables, rows, memory of its own, or arrays of NumPy's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..instruction import Value
from .nests import CELL, Kernel, Nest, Places, operands_of, target_of
from .operations import Each, Fold, Operation, Pick, Product

ALIGNED = 64
SMALL = 16_384
"""Multiplications; a product of so few is made by loops, a larger one by BLAS."""


@dataclass(slots=True)
class Storage:
    """What a region needs room for."""

    parameters: list[Value]
    """What is given: arrays and numbers."""
    results: list[Value]
    """What is made and seen by others."""
    written: set[Value]
    """Storages that are written into after they were made, or given."""
    kept: dict[Value, int] = field(default_factory=dict)
    """Intermediate arrays, by their offset in the room."""
    rows: dict[Value, int] = field(default_factory=dict)
    """One row of them is enough."""
    size: int = 0
    """Bytes of room."""
    limit: int = SMALL
    """Products of up to so many multiplications are made by loops."""
    stage: dict[Operation, int] = field(default_factory=dict)
    """In which of a row's loops an operation is."""


def steps_of(kernel: Kernel) -> list[Operation]:
    """The operations of a kernel."""
    return [step for step, _ in kernel.steps] if isinstance(kernel, Nest) else [kernel]


def stored(kernels: Sequence[Kernel], places: Places, constants: set[Value], results: Sequence[Value]) -> Storage:
    """Decide where each value is."""
    everything = [step for kernel in kernels for step in steps_of(kernel)]
    made = {step.result: step for step in everything if step.result is not None and not _into(step)}
    parameters: dict[Value, None] = {}
    for step in everything:
        target = target_of(step)
        for value in [*operands_of(step), *([target] if target is not None else [])]:
            base = places[value].base
            if base not in made and base not in constants:
                parameters[base] = None
    written = {places[step.result].base for step in everything if isinstance(step, Each) and step.into is not None}
    pointed = {places[v].base for step in everything if isinstance(step, Product) for v in operands_of(step)}
    storage = Storage(list(parameters), list(results), written)
    home = {step.result: n for n, k in enumerate(kernels) for step in steps_of(k) if step.result in made}
    last = dict(home)
    outside: set[Value] = set()
    for number, kernel in enumerate(kernels):
        for step in steps_of(kernel):
            for value in [*operands_of(step), *([step.result] if _into(step) and step.result is not None else [])]:
                base = places[value].base
                if base in home:
                    last[base] = max(last[base], number)
                    if home[base] != number or isinstance(kernel, Product):
                        outside.add(base)
        if isinstance(kernel, Nest):
            _stages(kernel, places, storage)
    for kernel in kernels:
        if isinstance(kernel, Nest):
            _sunk(kernel, places, storage, outside | set(results))
    for value in made:
        kernel = kernels[home[value]]
        accumulated = isinstance(kernel, Nest) and value in kernel.later
        if value in results or (value.shape == () and value not in written and value not in pointed):
            continue
        if value in outside or value in written or accumulated or isinstance(kernel, Product):
            storage.kept[value] = 0
        elif isinstance(kernel, Nest) and value in kernel.cells and _is_read_later(value, kernel, places, storage):
            storage.rows[value] = 0
    _laid_out(storage, home, last)
    return storage


def _into(step: Operation) -> bool:
    return isinstance(step, Each) and step.into is not None


def _stages(nest: Nest, places: Places, storage: Storage) -> None:
    """In which loop over the columns, one after the other in a row, each operation is."""
    known: dict[Value, int] = {}
    touched: dict[Value, int] = {}
    for step, level in nest.steps:
        stage = 0
        for value in operands_of(step):
            base = places[value].base
            anywhere = isinstance(step, Pick) and value is step.array and base in nest.cells
            stage = max(stage, known.get(base, 0) + anywhere)
            if base in storage.written:
                stage = max(stage, touched.get(base, 0))
        assert step.result is not None
        target = places[step.result].base
        if target in storage.written:
            stage = max(stage, touched.get(target, 0))
        storage.stage[step] = stage
        for value in [*operands_of(step), step.result]:
            base = places[value].base
            touched[base] = max(stage, touched.get(base, 0))
        known[target] = max(known.get(target, 0), stage + (level == CELL and isinstance(step, Fold)))


def _sunk(nest: Nest, places: Places, storage: Storage, outside: set[Value]) -> None:
    """What needs no value of its row is made in the loop that uses it first, and not kept until then."""
    for step, level in reversed(nest.steps):
        if level != CELL or not isinstance(step, Each) or _into(step) or step.result in outside:
            continue
        bases = {places[v].base for v in operands_of(step)}
        users = [
            storage.stage[user] - isinstance(user, Pick)  # whose row has to be there
            for user, _ in nest.steps
            if any(places[v].base is step.result for v in operands_of(user))
        ]
        if users and not bases & (nest.cells | nest.rows | storage.written):
            storage.stage[step] = min(users)


def _is_read_later(value: Value, nest: Nest, places: Places, storage: Storage) -> bool:
    """Whether a loop after the one that makes a value needs it."""
    own = next(storage.stage[step] for step, _ in nest.steps if step.result is value)
    return any(
        storage.stage[step] > own and any(places[v].base is value for v in operands_of(step)) for step, _ in nest.steps
    )


def bytes_of(value: Value, *, row: bool = False) -> int:
    """The room for a value, or for one row of it."""
    size = (value.shape[-1] if row else math.prod(value.shape)) * value.dtype.itemsize
    return -(-max(int(size), 1) // ALIGNED) * ALIGNED


def _laid_out(storage: Storage, home: dict[Value, int], last: dict[Value, int]) -> None:
    """Offsets: what is not needed at the same time may lie at the same place."""
    taken: list[tuple[int, int, int]] = []  # until which kernel, from, to
    wanted = [(home[v], v, False) for v in storage.kept] + [(home[v], v, True) for v in storage.rows]
    for start, value, row in sorted(wanted, key=lambda w: (w[0], -bytes_of(w[1], row=w[2]))):
        need = bytes_of(value, row=row)
        taken = [t for t in taken if t[0] >= start]
        offset = 0
        for _, begin, end in sorted(taken, key=lambda t: t[1]):
            if begin - offset >= need:
                break
            offset = max(offset, end)
        taken.append((last[value], offset, offset + need))
        (storage.rows if row else storage.kept)[value] = offset
        storage.size = max(storage.size, offset + need)


def is_array(value: Value) -> bool:
    """Whether a value that is given comes as an array."""
    return bool(value.kind is np.ndarray)
