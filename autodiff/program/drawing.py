"""Draws: a generator of random numbers that notes what was drawn from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .instruction import Method, Value
from .recording import Recording

_METHODS = [name for name in dir(np.random.Generator) if name[0] != "_" and name not in ("bit_generator", "spawn")]


class RecordedGenerator(np.random.Generator):
    """A generator over the same stream as another one; what it draws is an instruction that draws again."""

    def __init__(self, original: np.random.Generator, recording: Recording, name: str) -> None:
        super().__init__(original.bit_generator)
        self.held, self.recording = original, recording
        self.value = Value((), None, np.random.Generator, name)


def _drawing(name: str) -> Any:
    method = Method(name)

    def draw(self: RecordedGenerator, *args: Any, **kwargs: Any) -> Any:
        return self.recording.draw(method, self, args, kwargs)

    draw.__name__ = name
    return draw


for _name in _METHODS:
    setattr(RecordedGenerator, _name, _drawing(_name))
