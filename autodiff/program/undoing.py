"""What a program has written while a call may still fail, as it was before."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .instruction import OPERATORS, Attribute, Instruction, Method, values_in
from .passes.memory import owners_of, written_in

if TYPE_CHECKING:
    from .program import Program

_SAFE_METHODS = frozenset({"item", "reshape", "swapaxes", "copy", "ravel", "transpose", "view"})
_SAFE = frozenset({np.asarray, np.float64, np.empty_like, np.zeros_like, np.ones_like, *OPERATORS})


def written_among(program: Program, instructions: Sequence[Instruction]) -> list[int]:
    """Which of the given values the first calls of a program write."""
    if not any(i.writes for i in instructions):
        return []
    written = written_in(instructions, owners_of(instructions))
    return [n for n, value in enumerate(program.given_values) if value in written]


def written_early(program: Program) -> list[int]:
    """Which of the given values are written before the last call that may fail: a check, or what is no ufunc."""
    failing = [n for n, i in enumerate(program.instructions) if not _never_fails(i)]
    return written_among(program, program.instructions[: failing[-1]] if failing else ())


def written_late(program: Program) -> int:
    """The position of the first call after which none fails, and that changes a given value; if none, of the end."""
    last = max((n for n, i in enumerate(program.instructions) if not _never_fails(i)), default=-1)
    given = set(program.given_values)
    owners = owners_of(program.instructions)
    late = enumerate(program.instructions[last + 1 :], last + 1)
    changing = (n for n, i in late for v in i.writes if not owners.get(v, {v}).isdisjoint(given))
    return next(changing, len(program.instructions))


def _never_fails(instruction: Instruction) -> bool:
    """Whether a call that was made once goes well with other elements, too: nothing of it depends on them."""
    function = instruction.function
    if function is operator.setitem:
        return not any(values_in(instruction.args[1]))
    if type(function) is Method:
        return function.__name__ in _SAFE_METHODS
    return isinstance(function, np.ufunc) or type(function) is Attribute or function in _SAFE


def copied(held: Any) -> Any:
    """What a program may change, as it is now: an array's elements, a generator's state; anything else as itself."""
    if isinstance(held, np.random.Generator):
        return held.bit_generator.state
    return held.copy() if isinstance(held, np.ndarray) else held


def put_back(held: Any, copy: Any) -> None:
    """Make it so again."""
    if isinstance(held, np.random.Generator):
        held.bit_generator.state = copy
    else:
        held[...] = copy
