"""Draws: a generator of random numbers that notes what was drawn from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .instruction import Method, Value
from .recorded import CaptureError
from .recording import Recording

_METHODS = [name for name in dir(np.random.Generator) if name[0] != "_" and name not in ("bit_generator", "spawn")]


class RecordedGenerator(np.random.Generator):
    """A generator over the same stream as another one; what it draws is an instruction that draws again."""

    def __init__(self, original: np.random.Generator, recording: Recording, name: str) -> None:
        super().__init__(original.bit_generator)
        self.held, self.recording = original, recording
        self.value = Value((), None, np.random.Generator, name)

    @property
    def bit_generator(self) -> Any:
        """Nothing that a program holds."""
        raise CaptureError(
            "capture: .bit_generator of a generator is nothing that a program holds; draw from the generator"
        )

    def spawn(self, n_children: int) -> Any:
        """Nothing that a program holds."""
        raise CaptureError("spawn: a program holds no generators that are made in it; spawn outside of the function")

    def __reduce__(self) -> Any:
        return self.bit_generator


def _drawing(name: str) -> Any:
    method = Method(name)

    def draw(self: RecordedGenerator, *args: Any, **kwargs: Any) -> Any:
        return self.recording.draw(method, self, args, kwargs)

    draw.__name__ = name
    return draw


for _name in _METHODS:
    setattr(RecordedGenerator, _name, _drawing(_name))
