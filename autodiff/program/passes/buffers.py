"""Buffers: where intermediate arrays are kept, so that a run allocates none of them.

Two values share memory where one of them is a view of the other.  A buffer is free again after the last use of its
value and of all views of it; an elementwise call may write over an operand that it is the last to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..instruction import Instruction, Value
from ..lowering import takes_out
from .blocks import Block, blocks_of, is_sliced, target
from .memory import owners_of, written_in

if TYPE_CHECKING:
    from ..program import Program


LARGE = 32768
"""Bytes of a result whose memory is used again when nobody holds it: new memory is slow, page by page."""

Owners = dict[Value, set[Value]]


class Buffer(NamedTuple):
    """Memory for values of one shape, dtype and order of the axes."""

    number: int
    shape: tuple[int, ...]
    dtype: Any
    strides: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """How much it is."""
        return Value(self.shape, self.dtype, np.ndarray).nbytes

    def made(self) -> Any:
        """New memory."""
        return _empty(self.shape, self.dtype, self.strides)


def _empty(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...]) -> Any:
    """An array whose axes lie in memory as the strides say."""
    order = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))
    if order == list(range(len(shape))):  # which owns its memory, as its transpose would not
        return np.empty(shape, dtype)
    return np.empty([shape[axis] for axis in order], dtype).transpose(np.argsort(order))


class Plan(NamedTuple):
    """The buffers of a program, and in which of them a value is kept."""

    buffers: list[Buffer]
    of: dict[Value, Buffer]
    given: dict[Value, Buffer]
    """Of results that are given away and are large: what memory they take, which is used again when it is free."""
    blocks: list[Block]
    inside: dict[Value, Block]
    """Of what is used in a block alone: that block.  Its buffer has room for a few rows."""


def _last_uses(program: Program, owners: Owners, whole: dict[Block, set[Value]]) -> dict[Value, int]:
    """When the memory of each value is used last."""
    last: dict[Value, int] = {}
    for position, instruction in enumerate(program.instructions):
        for value in (*instruction.operands, *instruction.results):
            for owner in owners.get(value, {value}):
                last[owner] = position
    for block, values in whole.items():
        for value in values:
            last[value] = max(last.get(value, 0), block.stop - 1)
    for result in program.results:
        for owner in owners.get(result, {result}):
            last[owner] = len(program.instructions)
    return last


def _whole(program: Program, block: Block, owners: Owners) -> set[Value]:
    """The values of which a block needs more than the rows at hand, until it has made the last: those of views, too."""
    calls = program.instructions[block.start : block.stop]
    shape = target(calls[0]).shape
    found: set[Value] = set()
    for value in {value for call in calls for value in call.operands}:
        mine = owners.get(value, {value})
        if mine != {value} or not is_sliced(value, shape):
            found |= mine
    return found


def planned(program: Program) -> Plan:
    """A buffer for each value that a call can write where it is told to, and that nobody sees after the run."""
    instructions = program.instructions
    owners = owners_of(instructions)
    blocks = blocks_of(program)
    whole = {block: _whole(program, block, owners) for block in blocks}
    last = _last_uses(program, owners, whole)
    written = written_in(instructions, owners)
    made = {value: block for block in blocks for i in instructions[block.start : block.stop] for value in i.results}
    plan = Plan([], {}, {}, blocks, {value: block for value, block in made.items() if last[value] < block.stop})
    free: dict[tuple[Any, ...], list[Buffer]] = {}
    dying: dict[int, list[Value]] = {}
    for value, position in last.items():
        dying.setdefault(position, []).append(value)
    spared = {n: values for block, values in whole.items() for n in range(block.start, block.stop)}
    for position, instruction in enumerate(instructions):
        result = instruction.result
        ends = [value for value in dying.get(position, ()) if value in plan.of]
        if takes_out(instruction) and result not in written and _is_dense(result):
            if last[result] < len(instructions):
                plan.of[result] = _over(instruction, ends, plan, spared.get(position, set())) or _taken(
                    result, free, plan
                )
            elif result.nbytes >= LARGE or result in made:
                plan.given[result] = Buffer(-1, result.shape, result.dtype, result.strides)
        for value in ends:
            buffer = plan.of[value]
            if value is not result and plan.of.get(result if type(result) is Value else None) is not buffer:  # type: ignore[arg-type]
                free.setdefault(buffer[1:], []).append(buffer)
        if type(result) is Value and last.get(result) == position and result in plan.of and result not in ends:
            buffer = plan.of[result]
            free.setdefault(buffer[1:], []).append(buffer)
    return plan


def _is_dense(value: Value) -> bool:
    """Whether the elements lie side by side, in whatever order of the axes."""
    return bool(value.nbytes) and _empty(value.shape, value.dtype, value.strides).strides == value.strides


def _over(instruction: Instruction, ends: list[Value], plan: Plan, spared: set[Value]) -> Buffer | None:
    """The buffer of an operand that is not needed any more, of a call that works element by element."""
    function: Any = instruction.function
    result = instruction.result
    if function.signature is not None:
        return None
    for value in ends:
        same = value.shape == result.shape and value.dtype == result.dtype and value.strides == result.strides
        narrow = plan.of[value].shape != result.shape and result not in plan.inside
        if same and not narrow and value in instruction.args and value not in spared:
            return plan.of[value]
    return None


def _taken(result: Value, free: dict[tuple[Any, ...], list[Buffer]], plan: Plan) -> Buffer:
    """A free buffer, or a new one."""
    shape, strides = result.shape, result.strides
    block = plan.inside.get(result)
    if block is not None:
        shape = block.step, *shape[1:]
    waiting = free.get((shape, result.dtype, strides))
    if waiting:
        return waiting.pop()
    buffer = Buffer(len(plan.buffers), shape, result.dtype, strides)
    plan.buffers.append(buffer)
    return buffer
