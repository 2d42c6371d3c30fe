"""Which values may lie in the same memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..instruction import OPERATORS, Instruction, Method, Value
from ..lowering import UFUNCS

_FRESH = frozenset({
    np.where, np.dot, np.vdot, np.concatenate, np.stack, np.ones_like, np.zeros_like, np.empty_like, np.mean, np.sum,
    np.max, np.min, np.prod, np.linalg.inv, np.linalg.solve, np.linalg.cholesky, np.linalg.eig, np.linalg.eigh,
    np.linalg.svd, *OPERATORS, *UFUNCS,
})  # fmt: skip
_FRESH_METHODS = frozenset(
    {"copy", "flatten", "sum", "mean", "prod", "max", "min", "argmax", "argmin", "cumsum", "all", "any"}
)


def is_fresh(instruction: Instruction) -> bool:
    """Whether the result surely shares no memory with an operand: numbers have none, and what is written is no result.

    Where this says no, NumPy can be asked: see :mod:`autodiff.program.memory`.
    """
    function, result = instruction.function, instruction.result
    if (type(result) is Value and result.kind is not np.ndarray) or getattr(function, "never_shares", False):
        return True
    if type(function) is Method:
        return function.__name__ in _FRESH_METHODS
    if function is np.einsum:  # of one operand it may be a view: a transpose, a diagonal
        return isinstance(instruction.args[0], str) and len(instruction.args) > 2
    ufunc = getattr(function, "__self__", function)  # of np.add.reduce
    return isinstance(ufunc, np.ufunc) or function in _FRESH


def written_in(instructions: Iterable[Instruction], owners: dict[Value, set[Value]]) -> set[Value]:
    """The values in whose memory some calls write, or may write; ``owners`` are :func:`owners_of` what was made."""
    return {owner for i in instructions for value in i.writes for owner in owners.get(value, {value})}


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
