"""The programs of a function for arguments of one kind: one for each way that it took."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import CONSTANT
from ..tensor import scalar, wrap
from .backends import NUMPY
from .capturing import Record
from .instruction import Value, same
from .program import Program
from .replay import Replay
from .scalars import LevelReplay, replay_of
from .surroundings import Surroundings
from .undoing import written_among

EVERY = 256
"""Calls after which a program is audited, when it has been at calls 2, 4, 8, ... of them."""


class Path:
    """One program of a function, and what it takes for granted."""

    def __init__(self, made: Record, backend: str = NUMPY) -> None:
        self._backend = backend
        self.program: Program = made.program
        self.surroundings = Surroundings(made.reach)
        self.calls = 1
        """How often the function was called in this way, with the call that was recorded."""
        self._tensors = made.tensors if any(made.tensors) else None
        self.changed = frozenset(written_among(made.program, made.program.instructions))
        """The positions of what it writes into, of its arguments and of what it reads."""
        self.writes = bool(made.program.writes or self.changed)
        """Whether a run changes anything but its own arrays."""

    @functools.cached_property
    def replay(self) -> Replay | LevelReplay:
        """The program, ready to be run.  Many a way is taken once, as the first step of an optimizer."""
        return replay_of(self.program, self._backend)

    def run(self, given: Sequence[Any]) -> Any:
        """The result; what was a Tensor is one without a graph."""
        leaves = self.replay(given)
        if self._tensors is not None:
            pairs = zip(leaves, self._tensors, strict=True)
            leaves = [wrap(scalar(leaf), CONSTANT) if tensor else leaf for leaf, tensor in pairs]
        return self.program.nested(leaves)

    def release(self) -> None:
        """Give back the memory that it computes in."""
        vars(self).pop("replay", None)

    def is_due(self) -> bool:
        """Whether this call is an audit, if it fits."""
        n = self.calls
        return n >= 2 and (n % EVERY == 0 or (n < EVERY and n & (n - 1) == 0))

    def fits(self) -> bool:
        """Whether what is in the places is such as the program was recorded for."""
        checks = [slot for slot in self.program.checks if not same(slot.places[0].now, slot.initial)]
        if checks:
            return False
        program = self.replay.program
        return all(same(slot.places[0].now, slot.initial) for slot in program.checks) and all(
            slot.value.kind is np.random.Generator or Value.like(slot.places[0].now).form == slot.value.form
            for slot in program.reads
        )


@dataclass(slots=True)
class Signature:
    """The programs for arguments of one nesting, of these shapes and dtypes."""

    text: str
    paths: tuple[Path, ...] = ()
    """Those that were made last come first.  The tuple is replaced: other threads may be looking through it."""
    refusal: str = ""
    """Why nothing is recorded any more."""
    passed: Counter[str] = field(default_factory=Counter)
    """Why single calls were not recorded."""
