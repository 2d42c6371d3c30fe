"""Two programs of one function, for two numbers of examples: where they differ, sizes depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exporting import ExportError, refuse
from ..instruction import Guard, Instruction, Method, mapped
from .builder import Builder
from .calls import VERB

if TYPE_CHECKING:
    from ..program import Program

_BY_SHAPE = frozenset({np.reshape, np.broadcast_to, np.zeros_like, np.ones_like, np.empty_like, np.full_like,
                       Method("reshape")})  # fmt: skip
"""Calls of which the shape of the result says all."""


def pair(b: Builder, one: Program, other: Program) -> None:
    """Learn from a program for another number of examples which sizes depend on it."""
    sizes = {
        (m, n)
        for x, y in zip(one.inputs, other.inputs, strict=False)
        for m, n in zip(x.shape, y.shape, strict=False)
        if m != n
    }
    alike = len(one.inputs) == len(other.inputs) and len(one.instructions) == len(other.instructions)
    if len(sizes) != 1 or not alike:
        raise ExportError(
            f"{VERB}: the other program must be of the same function for arguments of another number of examples; "
            f"the sizes differ by {sorted(sizes) or 'nothing'}, {len(one.instructions)} calls and "
            f"{len(other.instructions)}"
        )
    b.sizes = next(iter(sizes))
    if min(b.sizes) < 2:
        raise ExportError(f"{VERB}: capture both programs for at least 2 examples: an axis of 1 may be broadcast")
    b.others = dict(zip(one.inputs, other.inputs, strict=True))
    paths = {slot.places[0].path: slot.value for slot in other.reads}
    b.others |= {slot.value: paths.get(slot.places[0].path, slot.value) for slot in one.reads}
    b.others |= dict(zip(one.constants, other.constants, strict=False))
    for i, j in zip(one.instructions, other.instructions, strict=True):
        _pair_calls(b, i, j)


def _pair_calls(b: Builder, i: Instruction, j: Instruction) -> None:
    """Learn from a call and its counterpart."""
    if i.function != j.function and not (isinstance(i.function, Guard) and isinstance(j.function, Guard)):
        refuse(VERB, i, "the program for another number of examples computes something else there")
    b.others |= dict(zip(i.results, j.results, strict=True))
    mine, its = list(i.operands), list(j.operands)
    if len(mine) != len(its) or any(b.others.get(v) is not w for v, w in zip(mine, its, strict=True)):
        refuse(VERB, i, "the program for another number of examples computes with something else there")
    if _plain(i) != _plain(j) and i.function not in _BY_SHAPE and not isinstance(i.function, Guard):
        refuse(VERB, i, "a number depends on how many examples there are; export for a fixed number of examples")


def _plain(instruction: Instruction) -> str:
    """The arguments of a call that are no values."""
    return repr(mapped(lambda value: None, [list(instruction.args), instruction.kwargs]))
