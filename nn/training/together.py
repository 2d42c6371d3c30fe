"""Many small parameters as one array: for a parameter of a few numbers, a call of NumPy costs more than its work."""

from __future__ import annotations

from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff import Tensor

from .calls import Calls

if TYPE_CHECKING:
    from .optimizer import Optimizer, State

Array = Any

MANY = 16
"""Parameters of one shape that are worth it."""
SMALL = 256
"""Elements of such a parameter, at most."""


def groups_of(parameters: list[Tensor], states: list[State]) -> list[list[int]]:
    """Positions of parameters that can be updated as one array: equal in shape, dtype, and in how far they are.

    Each has its memory to itself, so that it does not matter which is written first.
    """
    arrays = [parameter.data for parameter in parameters]
    gradients = [parameter.grad for parameter in parameters]
    held = {id(array if getattr(array, "base", None) is None else array.base) for array in arrays}
    if len(held) < len(arrays):  # two of them are one array, or views of one
        return []
    found: dict[Any, list[int]] = {}
    for i, (array, gradient, state) in enumerate(zip(arrays, gradients, states, strict=True)):
        if type(array) is type(gradient) is np.ndarray and array.size <= SMALL and array.base is None:
            kind = array.dtype.char
            if kind in "fd" and gradient.dtype.char == kind and id(gradient) not in held and array.flags.writeable:
                key = kind, array.shape, *state, *[None if type(v) is np.ndarray else v for v in state.values()]
                if id(gradient.base) not in held:
                    found.setdefault(key, []).append(i)
    return [group for group in found.values() if len(group) >= MANY]


def update_together(optimizer: Optimizer, group: list[int], calls: Calls) -> list[tuple[Tensor, Array]]:
    """Compute the update of a group, and note the calls that put it where it belongs; the parameters and their arrays.

    A noted call is one call of C for the whole group, as it is for one parameter.
    """
    members = [optimizer.parameters[i] for i in group]
    states = [optimizer.state[i] for i in group]
    arrays = [member.data for member in members]
    values, gradients = np.array(arrays), np.array([member.grad for member in members])
    after = {k: np.array([s[k] for s in states]) if type(v) is np.ndarray else v for k, v in states[0].items()}
    inner = Calls()
    inner.room, inner.other = np.empty_like(values), np.empty_like(values)
    optimizer.update(values, gradients, after, inner)
    inner.perform()
    calls.append((deque, map(np.positive, _parts(values), arrays), 0))
    if after:
        columns = [_parts(v) if type(v) is np.ndarray else repeat(v, len(group)) for v in after.values()]
        changed = [dict(zip(after, entries, strict=True)) for entries in zip(*columns, strict=True)]
        calls.append((deque, map(dict.update, states, changed), 0))
    return list(zip(members, arrays, strict=True))


def _parts(stacked: Array) -> list[Array]:
    """The arrays of a stack; those without axes are arrays, too."""
    return list(stacked) if stacked.ndim > 1 else [stacked[i, ...] for i in range(len(stacked))]
