"""The table: a NumPy function, and what writes it as nodes of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..exporting import LackingError
from ..instruction import Instruction, Value
from .builder import Builder, Size, Tensor

Emitter = Callable[..., Any]
E = TypeVar("E", bound=Emitter)
EMITTERS: dict[Any, Emitter] = {}
"""``emitter(call, *args, **kwargs)``, where values are tensors; it returns a tensor, or a list of them."""


def emits(*functions: Any) -> Callable[[E], E]:
    """Register what writes these functions."""

    def register(emitter: E) -> E:
        EMITTERS.update(dict.fromkeys(functions, emitter))
        return emitter

    return register


class Call(NamedTuple):
    """A call that is being written."""

    b: Builder
    instruction: Instruction

    @property
    def function(self) -> Any:
        """The function that is called."""
        return self.instruction.function

    @property
    def result(self) -> Value:
        """The one value that it makes."""
        result = self.instruction.result
        return result if type(result) is Value else next(iter(self.instruction.results))

    @property
    def dims(self) -> tuple[int | Size, ...]:
        """The shape of the result."""
        return self.b.dims(self.result)

    @property
    def dtype(self) -> Any:
        """The dtype of the result."""
        return self.result.dtype

    def operand(self, position: int = 0) -> Value:
        """An operand, as a value."""
        return list(self.instruction.operands)[position]

    def fixed(self) -> None:
        """Raise LackingError if a size depends on the number of examples."""
        if not self.b.is_fixed(*self.instruction.operands, *self.instruction.results):
            raise LackingError("is exported for a fixed number of examples only; leave the other program away")


def tensor(b: Builder, argument: Any, dtype: Any = None) -> Tensor:
    """An argument as a tensor, in a dtype."""
    if isinstance(argument, Tensor):
        return argument if dtype is None else b.cast(argument, dtype)
    return b.constant(argument, dtype)


def rank(t: Tensor) -> int:
    """How many axes there are."""
    assert t.shape is not None
    return len(t.shape)


def is_plain(options: dict[str, Any]) -> bool:
    """Whether options say nothing."""
    return all(value is None or value is False or value is np._NoValue for value in options.values())
