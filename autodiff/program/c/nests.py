"""Loop nests: operations that run over the same indices share loops, so that their values stay in registers.

A nest runs over the rows of a shape and, in a row, over its columns.  An operation is made at a *cell*, or once in a
*row*: a reduction over the last axis, and what is computed of it.  A value that is used in the nest that makes it, at
the same indices, needs no memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..instruction import Value
from .operations import Check, Each, Fold, Operation, Pick, Product
from .views import Place, broadcast

CELL, ROW = "cell", "row"
Places = dict[Value, Place]


@dataclass(slots=True, eq=False)
class Nest:
    """Operations in the same loops over ``shape``, each at its level."""

    shape: tuple[int, ...]
    steps: list[tuple[Operation, str]] = field(default_factory=list)
    cells: set[Value] = field(default_factory=set)
    rows: set[Value] = field(default_factory=set)
    later: set[Value] = field(default_factory=set)
    """What is known only after the loops."""
    memory: dict[Value, set[Any]] = field(default_factory=dict)
    """For each storage that is read or written here: at which offsets and strides."""


Kernel = Nest | Product | Check


def operands_of(operation: Operation) -> list[Value]:
    """The values that an operation reads."""
    if isinstance(operation, Each | Fold):
        return [o for o in operation.operands if type(o) is Value]
    if isinstance(operation, Pick):
        return [operation.array, *operation.indices]
    if isinstance(operation, Product):
        return [operation.left, operation.right]
    return [operation.operand] if isinstance(operation, Check) else [operation.base]


def target_of(operation: Operation) -> Value | None:
    """The value that an operation makes, or writes into."""
    return operation.result


def shape_of(operation: Each | Fold | Pick) -> tuple[int, ...]:
    """The indices that an operation runs over."""
    return operation.shape if isinstance(operation, Fold) else operation.result.shape


class Grouping:
    """Sorts operations into kernels, in an order in which each finds what it needs."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.kernels: list[Kernel] = []
        self.made: dict[Value, int] = {}
        """By storage: the kernel in which it was made or written last."""
        self.read: dict[Value, int] = {}
        self.last_check = -1

    def add(self, operation: Operation) -> None:
        """Put an operation where it belongs."""
        if isinstance(operation, Product | Check):
            self.kernels.append(operation)
            self._note(operation, len(self.kernels) - 1)
            return
        assert isinstance(operation, Each | Fold | Pick)
        first = self._first(operation)
        for number in range(len(self.kernels) - 1, first - 1, -1):
            kernel = self.kernels[number]
            if isinstance(kernel, Nest):
                level = self._level(kernel, operation, number)
                if level:
                    self._join(kernel, operation, level, number)
                    return
                break
            if isinstance(kernel, Check) and isinstance(operation, Each):
                break  # what is read before a check and again after it would have to be kept
        self.kernels.append(nest := Nest(shape_of(operation)))
        self._join(nest, operation, CELL, len(self.kernels) - 1)

    def _base(self, value: Value) -> Value:
        return self.places[value].base

    def _first(self, operation: Each | Fold | Pick) -> int:
        """The first kernel that it may be in, if that one suits it."""
        first = max((self.made.get(self._base(v), -1) for v in operands_of(operation)), default=-1)
        if isinstance(operation, Each) and operation.into is not None:
            base = self._base(operation.into)
            first = max(first, self.made.get(base, -1), self.read.get(base, -1), self.last_check + 1)
        return max(first, 0)

    def _note(self, operation: Operation, number: int) -> None:
        for value in operands_of(operation):
            base = self._base(value)
            self.read[base] = max(number, self.read.get(base, -1))
        target = target_of(operation)
        if target is not None:
            self.made[self._base(target)] = number
        if isinstance(operation, Check | Pick):
            self.last_check = max(number, self.last_check)

    # -- whether an operation suits a nest ----------------------------------------------------------------------

    def _level(self, nest: Nest, operation: Each | Fold | Pick, number: int) -> str:
        """CELL or ROW if the operation can be made in the nest, else nothing."""
        shape, over = nest.shape, shape_of(operation)
        inside = [v for v in operands_of(operation) if self._base(v) in nest.cells | nest.rows | nest.later]
        if any(self._base(v) in nest.later for v in inside):
            return ""
        level = ""
        if isinstance(operation, Pick):
            level = self._picked(nest, operation)
        elif over == shape and all(self._is_here(nest, v) for v in inside):
            level = CELL
        elif inside and shape and self._is_of_rows(nest, operation, inside):
            level = ROW
        if level == ROW and isinstance(operation, Fold) and not set(range(len(shape) - 1)) <= set(operation.axes):
            return ""
        return level if level and self._is_in_order(nest, operation, level) else ""

    def _is_of_rows(self, nest: Nest, operation: Each | Fold, inside: list[Value]) -> bool:
        """Whether an operation runs over the rows, with what is known of each."""
        rows = nest.shape[:-1], (*nest.shape[:-1], 1)
        over, values = shape_of(operation), operands_of(operation)
        return (
            over in rows
            and all(self._base(v) in nest.rows and self._is_row(nest, v) for v in inside)
            and all(len(v.shape) in (0, len(over)) or len(v.shape) < len(over) < len(nest.shape) for v in values)
        )

    def _is_row(self, nest: Nest, value: Value) -> bool:
        """Whether a value, or a look at it, has at each row what is known of that row."""
        lead = nest.shape[:-1]
        place = self.places[value]
        own = self.places[place.base]
        steps = zip(lead, place.strides, own.strides, strict=False)
        return (
            value.shape in (lead, (*lead, 1))
            and place.offset == own.offset
            and all(length == 1 or step == other for length, step, other in steps)
        )

    def _is_here(self, nest: Nest, value: Value) -> bool:
        """Whether a value that the nest makes is known at the cell whose indices are those of the nest."""
        base = self._base(value)
        if base in nest.rows:
            return (value.shape == (*nest.shape[:-1], 1) or value.shape == ()) and self._is_row(nest, value)
        return value.shape == nest.shape and self.places[value] == self.places[base]

    def _picked(self, nest: Nest, operation: Pick) -> str:
        """An element of each row: ``x[np.arange(n), labels]``."""
        base = self._base(operation.array)
        if any(self._base(v) in nest.cells | nest.rows for v in operation.indices):
            return ""
        if base in nest.cells and self._is_here(nest, operation.array):
            rows = operation.result.shape == nest.shape[:-1] and len(operation.indices) == 2 == len(nest.shape)
            return ROW if rows and self.places[operation.indices[0]].base in self.counts else ""
        return CELL if operation.result.shape == nest.shape and base not in nest.cells | nest.rows else ""

    counts: frozenset[Value] = frozenset()
    """Constants that are 0, 1, 2, ..."""

    def _is_in_order(self, nest: Nest, operation: Each | Fold | Pick, level: str) -> bool:
        """Whether what the nest has read and written of the same storages so far is at the same elements."""
        into = operation.into if isinstance(operation, Each) else None
        for value in operands_of(operation):
            base = self._base(value)
            written = nest.memory.get(base, set())
            if any(w for *_, w in written) and {(*self._access(nest, value, level), True)} != {
                (*access[:-1], True) for access in written
            }:
                return False
        if into is None:
            return True
        base = self._base(into)
        if base in nest.rows | nest.later or (base in nest.cells and self.places[into] != self.places[base]):
            return False
        mine = self._access(nest, into, level)
        return level == CELL and all(access[:-1] == mine for access in nest.memory.get(base, ()))

    def _access(self, nest: Nest, value: Value, level: str) -> tuple[Any, ...]:
        place = self.places[value]
        over = nest.shape if level == CELL else nest.shape[:-1]
        if len(value.shape) > len(over):
            return level, place.offset, place.strides
        return level, place.offset, broadcast(place, value.shape, over)

    def _join(self, nest: Nest, operation: Each | Fold | Pick, level: str, number: int) -> None:
        nest.steps.append((operation, level))
        self._note(operation, number)
        for value in operands_of(operation):
            if self._base(value) not in nest.cells | nest.rows:
                access = self._access(nest, value, level)
                if isinstance(operation, Pick) and value is operation.array:
                    access = ("anywhere", 0, ())
                nest.memory.setdefault(self._base(value), set()).add((*access, False))
        result = operation.result
        if isinstance(operation, Each) and operation.into is not None:
            nest.memory.setdefault(self._base(result), set()).add((*self._access(nest, result, level), True))
        elif isinstance(operation, Fold):
            (nest.rows if level == CELL and is_of_row(nest, operation) else nest.later).add(result)
        else:
            (nest.cells if level == CELL else nest.rows).add(result)


def is_of_row(nest: Nest, fold: Fold) -> bool:
    """Whether a reduction is over the columns alone: its result is known at the end of the row."""
    return fold.axes == (len(nest.shape) - 1,)
