"""Many small parameters as one array: for a parameter of a few numbers, a call of NumPy costs more than its work."""

from __future__ import annotations

from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff import Tensor

from .calls import Calls

if TYPE_CHECKING:
    from .groups import Group
    from .optimizer import Optimizer

Array = Any

MANY = 16
"""Parameters of one shape that are worth it."""
SMALL = 256
"""Elements of such a parameter, at most."""


def sets_of(group: Group, everything: list[Tensor]) -> list[list[int]]:
    """Positions of a group's parameters that can be updated as one array: equal in shape, dtype, and step.

    Each has its memory to itself, among all parameters of the optimizer, so that it does not matter which is written
    first.
    """
    held = [parameter.data for parameter in everything]
    owners = {id(array if getattr(array, "base", None) is None else array.base) for array in held}
    if len(owners) < len(held):  # two of them are one array, or views of one
        return []
    found: dict[Any, list[int]] = {}
    for i, (parameter, state) in enumerate(zip(group.params, group.state, strict=True)):
        array, gradient = parameter.data, parameter.grad
        if type(array) is type(gradient) is np.ndarray and array.size <= SMALL and array.base is None:
            kind = array.dtype.char
            if kind in "fd" and gradient.dtype.char == kind and id(gradient) not in owners and array.flags.writeable:
                key = kind, array.shape, *state, *[None if type(v) is np.ndarray else v for v in state.values()]
                if id(gradient.base) not in owners:
                    found.setdefault(key, []).append(i)
    return [members for members in found.values() if len(members) >= MANY]


def update_together(optimizer: Optimizer, group: Group, positions: list[int], calls: Calls) -> list[Any]:
    """Compute the update of parameters of a group, and note the calls that put it where it belongs; with their arrays.

    A noted call is one call of C for all of them, as it is for one parameter.
    """
    members = [group.params[i] for i in positions]
    states = [group.state[i] for i in positions]
    arrays = [member.data for member in members]
    values, gradients = np.array(arrays), np.array([member.grad for member in members])
    after = {k: np.array([s[k] for s in states]) if type(v) is np.ndarray else v for k, v in states[0].items()}
    inner = Calls()
    inner.room, inner.other = np.empty_like(values), np.empty_like(values)
    optimizer.update(values, gradients, after, group, inner)
    inner.perform()
    calls.append((deque, map(np.positive, _parts(values), arrays), 0))
    new: dict[str, Any] = {}
    for name, value in after.items():
        parts = _parts(value) if type(value) is np.ndarray else repeat(value, len(members))
        if type(states[0].get(name)) is np.ndarray:  # written in place, as for a single parameter: programs hold it
            calls.append((deque, map(np.positive, parts, [state[name] for state in states]), 0))
        else:
            new[name] = parts
    if new:
        changed = [dict(zip(new, entries, strict=True)) for entries in zip(*new.values(), strict=True)]
        calls.append((deque, map(dict.update, states, changed), 0))
    return list(zip(members, arrays, strict=True))


def _parts(stacked: Array) -> list[Array]:
    """The arrays of a stack; those without axes are arrays, too."""
    return list(stacked) if stacked.ndim > 1 else [stacked[i, ...] for i in range(len(stacked))]
