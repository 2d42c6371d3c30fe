"""In which order the calls of a program may be made: which of them wait for which others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..instruction import Instruction, Value
from ..passes.memory import owners_of, written_in
from .elements import BOOL
from .operations import Check, Operation, Pick


def may_fail(steps: Sequence[Operation]) -> bool:
    return any(isinstance(step, Check | Pick) for step in steps)


def dependencies(
    instructions: list[Instruction], fails: Callable[[Instruction], bool], given: set[Value]
) -> tuple[list[int], list[list[int]]]:
    """How many others each call waits for, and which ones wait for it.

    A write waits for those that read or write the same memory, for the write before it, and for all that may fail.
    What is given may be one memory: a region looks whether its own operands are, and the order of the others is kept.
    """
    any_given = Value((), BOOL, np.ndarray)
    owners = owners_of(instructions)
    owners = {v: {any_given if o in given else o for o in mine} for v, mine in owners.items()}
    owners |= {value: {any_given} for value in given}
    waits: list[set[int]] = [set() for _ in instructions]
    maker: dict[Value, int] = {}
    written: dict[Value, int] = {}
    read: dict[Value, list[int]] = {}
    ever = written_in(instructions, owners)
    before_write: list[int] = []
    for n, instruction in enumerate(instructions):
        touched = {o for v in instruction.operands for o in owners.get(v, {v})} & ever
        waits[n] |= {maker[v] for v in instruction.operands if v in maker}
        waits[n] |= {written[o] for o in touched if o in written}
        if instruction.writes:
            mine = {o for v in instruction.writes for o in owners.get(v, {v})}
            waits[n] |= {k for o in mine for k in read.get(o, ())} | {written[o] for o in mine if o in written}
            waits[n] |= set(before_write)
            before_write = [n]
            for owner in mine:
                written[owner], read[owner] = n, []
        elif fails(instruction):
            before_write.append(n)
        for owner in touched:
            read.setdefault(owner, []).append(n)
        for value in instruction.results:
            maker[value] = n
    after: list[list[int]] = [[] for _ in instructions]
    for n, others in enumerate(waits):
        others.discard(n)
        for other in others:
            after[other].append(n)
    return [len(w) for w in waits], after


def used(instructions: list[Instruction], results: set[Value], views: set[Instruction]) -> list[Instruction]:
    """The calls without the views at which only C looks."""
    needed = set(results)
    kept = []
    for instruction in reversed(instructions):
        if instruction in views and instruction.result not in needed:
            continue
        needed.update(instruction.operands)
        kept.append(instruction)
    return kept[::-1]
