"""What a loop carries while it is recorded: its leaves, and the names that stand for them in one step."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap
from ..transforms.calling import alias
from ..tree import flatten
from .instruction import NUMBERS, Instruction, Value
from .recorded import Recorded
from .recording import Recording


def recorded_leaf(leaf: Any, recording: Recording) -> Any:
    """A leaf as a recorded array, or None."""
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    if type(value) is Recorded:
        return value if value.recording is recording else None
    return recording.constant(value) if type(value) is np.ndarray and value.dtype.kind in "fciub" else None


def prepared_leaf(leaf: Any, recording: Recording) -> Any:
    """A leaf of the first carry, recorded if it is a number or a plain array."""
    if type(leaf) in NUMBERS and type(leaf) not in (bool, np.bool_):
        return recording.note(operator.pos, (leaf,))
    recorded = None if isinstance(leaf, Tensor) else recorded_leaf(leaf, recording)
    return leaf if recorded is None else recorded


def renamed(array: Recorded) -> Recorded:
    """The same array under another name."""
    return Recorded(array.held, array.recording, Value.like(array.held, array.value.name))


def is_active(leaf: Any) -> bool:
    """Whether a leaf has a gradient."""
    return isinstance(leaf, Tensor) and leaf._node.active


class Carried:
    """The carry before a step; ``inside`` are the leaves that stand for it in the step."""

    def __init__(self, carry: Any, recording: Recording) -> None:
        self.leaves, self.unflatten = flatten(carry)
        self.given: list[Any] = [recorded_leaf(leaf, recording) for leaf in self.leaves]
        self.is_recorded = all(g is not None for g in self.given)
        self._recording = recording

    def begin(self) -> None:
        """Give the leaves other names: the body of a loop may use what the first carry is, too."""
        self.names = list(map(renamed, self.given))
        self.values = [name.value for name in self.names]
        self.inside = [
            wrap(name, alias(leaf)._node) if is_active(leaf) else name
            for leaf, name in zip(self.leaves, self.names, strict=True)
        ]

    def value(self) -> Any:
        """The carry that a step is handed."""
        return self.unflatten(list(self.inside))

    def has_form_of(self, other: Carried) -> bool:
        """Whether both have the same shapes, types and strides, and gradients in the same places."""
        return all(
            _form(one.value) == _form(two.value) and is_active(leaf) == is_active(before)
            for one, two, leaf, before in zip(self.given, other.given, self.leaves, other.leaves, strict=True)
        )

    def name_at(self, position: int) -> None:
        """Make the names those of the program from a call on: the step stays in it."""
        self._recording.instructions[position:position] = [
            Instruction(np.asarray if value.kind is np.ndarray else operator.pos, (g.value,), {}, value)
            for g, value in zip(self.given, self.values, strict=True)
        ]


def _form(value: Value) -> Any:
    return value.shape, value.dtype, value.kind, value.strides
