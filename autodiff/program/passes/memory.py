"""Which values may lie in the same memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..instruction import OPERATORS, Instruction, Value

_FRESH = frozenset({np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.minimum.reduce, np.where, np.dot, np.vdot,
                    np.concatenate, np.stack, np.ones_like, np.zeros_like, np.empty_like, np.mean, np.sum,
                    np.max, np.min, np.prod})  # fmt: skip


def is_fresh(instruction: Instruction) -> bool:
    """Whether the result shares no memory with an operand: numbers have none."""
    function, result = instruction.function, instruction.result
    if (type(result) is Value and result.kind is not np.ndarray) or getattr(function, "never_shares", False):
        return True
    if function is np.einsum:  # of one operand it may be a view: a transpose, a diagonal
        return isinstance(instruction.args[0], str) and len(instruction.args) > 2
    return (isinstance(function, np.ufunc) and not instruction.kwargs) or function in _FRESH or function in OPERATORS


def owners_of(instructions: Sequence[Instruction]) -> dict[Value, set[Value]]:
    """For each value that is made: those in whose memory it may lie, itself among them."""
    owners: dict[Value, set[Value]] = {}
    for instruction in instructions:
        mine: set[Value] = set()
        if not is_fresh(instruction):
            for operand in instruction.operands:
                mine |= owners.get(operand, {operand})
        for result in instruction.results:
            owners[result] = mine | {result}
    return owners
