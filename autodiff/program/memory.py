"""Which values of a program are views of others, and where: for libraries whose arrays cannot be written.

NumPy itself is asked: the calls that may give a view (:mod:`autodiff.program.passes.memory`) are made on empty arrays
that lie in memory as the program's did.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from .exporting import refuse
from .instruction import Instruction, Value, mapped, values_in
from .passes.memory import is_fresh, owners_of, written_in

if TYPE_CHECKING:
    from .program import Program

Array = Any


class View:
    """A value that lies in the memory of another one."""

    def __init__(self, root: Value, made: Instruction, part: int | None, array: Array, whole: Array) -> None:
        self.root = root
        self.made = made
        """The call that gives it."""
        self.part = part
        """Which of the results of the call it is, if there are several."""
        self._array, self._whole = array, whole

    @functools.cached_property
    def positions(self) -> Array:
        """For each element, where it is among those of the root, counted in C order."""
        positions = positions_in(self._array, self._whole)
        assert positions is not None
        return positions

    @property
    def is_whole(self) -> bool:
        """Whether it has all elements of the root, in their order."""
        array, whole = self._array, self._whole
        same = array.ctypes.data == whole.ctypes.data and array.size == whole.size
        return same and bool(array.flags.c_contiguous and whole.flags.c_contiguous)


def empty_like(value: Value) -> Array:
    """An array of zeros that lies in memory as the value does."""
    if not value.strides or 0 in value.shape:
        return np.zeros(value.shape, value.dtype)
    reach = [(length - 1) * stride for length, stride in zip(value.shape, value.strides, strict=True)]
    below, above = -sum(r for r in reach if r < 0), sum(r for r in reach if r > 0)
    return np.ndarray(
        value.shape, value.dtype, np.zeros(below + above + value.dtype.itemsize, np.uint8), below, value.strides
    )


def _addresses(array: Array) -> Array:
    """Where each element is in memory."""
    found = np.full(array.shape, array.__array_interface__["data"][0], np.int64)
    for axis, (length, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        found += (np.arange(length) * stride).reshape(length, *[1] * (array.ndim - axis - 1))
    return found


def positions_in(view: Array, root: Array) -> Array | None:
    """For each element of a view, which element of the root it is; None if it is a part of one."""
    if view.dtype != root.dtype:
        return None
    wanted = _addresses(view)
    if root.flags.c_contiguous:
        found, rest = np.divmod(wanted - root.ctypes.data, root.itemsize)
        return None if np.any(rest) else found
    addresses = _addresses(root).ravel()
    order = np.argsort(addresses, kind="stable")
    found = order[np.minimum(np.searchsorted(addresses, wanted, sorter=order), len(order) - 1)]
    return found if np.array_equal(addresses[found], wanted) else None


def view_positions(verb: str, instruction: Instruction, owner: Value) -> Array:
    """For each element of the one result of a call that rearranges an array, where it was in it."""
    stand_in = empty_like(owner)
    result = _made(verb, instruction, lambda value: stand_in if value is owner else empty_like(value))
    positions = positions_in(result, stand_in)
    if positions is None:
        refuse(verb, instruction, "the result lies in memory in a way that only NumPy has; write x.copy() before")
    return positions


def overlapping(arrays: dict[str, Array], written: set[str]) -> tuple[str, str] | None:
    """The names of two arrays that lie in the same memory, of which one is written; None if there are none."""
    bounds = sorted((*np.lib.array_utils.byte_bounds(a), name) for name, a in arrays.items() if a.size)
    near: list[str] = []
    end = 0
    for low, high, name in bounds:
        if low >= end:
            near = []
        for other in near:
            if (name in written or other in written) and np.may_share_memory(arrays[name], arrays[other], -1):
                return other, name
        near.append(name)
        end = max(end, high)
    return None


class Memory:
    """The views in the memory of what a program writes in place."""

    def __init__(self, program: Program, verb: str) -> None:
        self.views: dict[Value, View] = {}
        self._verb = verb
        owners = owners_of(program.instructions)
        touched = written_in(program.instructions, owners)
        if not touched:
            return
        self._dummies: dict[Value, Array] = {}
        for value in (*program.given_values, *program.constants):
            if value in touched and value.kind is np.ndarray:
                self._dummies[value] = empty_like(value)
        for instruction in program.instructions:
            results = list(values_in(instruction.result))
            if any(owners.get(result, {result}) & touched for result in results):
                self._follow(instruction, results)

    def root(self, value: Value) -> Value:
        """The value in whose memory one lies."""
        return self.views[value].root if value in self.views else value

    def _follow(self, instruction: Instruction, results: list[Value]) -> None:
        """Find out whether the results of a call are views."""
        known = [value for value in instruction.operands if value in self._dummies]
        is_loop = hasattr(instruction.function, "body")  # which gives new arrays, or is unrolled
        if not known or is_fresh(instruction) or is_loop:
            self._dummies |= {r: empty_like(r) for r in results if r.kind is np.ndarray}
            return
        made = _made(self._verb, instruction, lambda v: self._dummies[v] if v in self._dummies else empty_like(v))
        parts = [made] if type(instruction.result) is Value else list(made)
        for part, (result, array) in enumerate(zip(results, parts, strict=True)):
            operand = next((v for v in known if array.size and np.may_share_memory(array, self._dummies[v])), None)
            if operand is None:
                self._dummies[result] = empty_like(result)
                continue
            root = self.root(operand)
            if array.dtype != self._dummies[root].dtype:
                refuse(
                    self._verb, instruction,
                    "gives a part of the numbers of an array that is written in place; write x.copy() before",
                )  # fmt: skip
            self._dummies[result] = array
            self.views[result] = View(root, instruction, None if len(parts) == 1 else part, array, self._dummies[root])


def _made(verb: str, instruction: Instruction, dummy: Any) -> Any:
    """What a call gives for stand-ins of its operands."""
    try:
        with np.errstate(all="ignore"):
            return instruction.function(*mapped(dummy, instruction.args), **mapped(dummy, instruction.kwargs))
    except Exception as error:
        refuse(verb, instruction, f"it is not clear whether the result is a view ({error}); write x.copy() before")
