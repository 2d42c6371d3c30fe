"""record: the arguments and the line of code of every operation, kept as long as its graph."""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ...graph import CONSTANT, Node
from ...primitive import Primitive
from ...tensor import Tensor
from ..tracing.trace import Source, Trace, calling_line, operation_node


class Variable(NamedTuple):
    """Stands for a Tensor in the arguments of a recorded call: its value, and whether it has a gradient."""

    value: Any
    active: bool


class Record(NamedTuple):
    """One call: the operation, its arguments with the values of Tensors, and the line of code."""

    primitive: Primitive
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    source: Source | None
    number: int


def _remembered(value: Any) -> Any:
    if type(value) is Tensor:
        # the node itself would keep the graph alive through the dictionary of records
        return Variable(value._value, value._node.active)
    if type(value) in (list, tuple):
        return type(value)(_remembered(v) for v in value)
    return value


records: WeakKeyDictionary[Node, Record] = WeakKeyDictionary()
"""What :class:`record` saw, for as long as the graphs live."""


class record(Trace):  # noqa: N801
    """Record the arguments and the line of code of every operation, so that ``check_graph`` can check each.

    A context manager; other threads are not affected.  Inputs are kept alive as long as the graph.  So use it to find a
    fault, and not in training.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> from autodiff.testing import check_graph, record
    >>> with record():
    ...     loss = np.sum(np.tanh(Tensor([0.5, 1.0])))
    >>> check_graph(loss).verdict
    'correct'
    """

    def saw(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Record one operation."""
        node = operation_node(result)
        if node is not CONSTANT:
            given = {k: _remembered(v) for k, v in kwargs.items()}
            records[node] = Record(primitive, tuple(map(_remembered, args)), given, calling_line(), next(self._numbers))
