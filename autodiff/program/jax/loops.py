"""Loops of a program as loops of JAX: ``scan``, and ``while_loop``, of whose steps nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ..expanding import expanded
from ..instruction import Guard, Instruction, Value, mapped
from ..memory import Memory
from ..passes import cleaned, fixed, live
from ..passes.memory import owners_of, written_in
from ..unrolling import unrolled
from .calls import VERB, Calls
from .guards import Flags, can_fail
from .types import canonical

if TYPE_CHECKING:
    from ..program import Program

Array = Any


def prepared(program: Program) -> Program:
    """The program of calls that JAX has; loops that JAX has not are unrolled."""
    kept = set(_kept(program))
    return live(expanded(fixed(cleaned(unrolled(program, kept)))))


def is_loop(instruction: Instruction) -> bool:
    """Whether a call is a loop."""
    return hasattr(instruction.function, "accept")


def _kept(program: Program) -> list[Instruction]:
    """The calls of loops that stay loops.

    A while loop is none if the loop back needs what its steps have saved: JAX must know of how many that is.  Nor is a
    loop that may leave an array of another one's memory where arrays are written.
    """
    loops: list[tuple[Instruction, Any]] = [
        (i, getattr(i.function, "loop", i.function)) for i in program.instructions if is_loop(i)
    ]
    touched = written_in(program.instructions, owners_of(program.instructions))
    straight = {
        id(loop)
        for i, loop in loops
        if (loop.has_back and not loop.is_counted) or (not touched.isdisjoint(i.results) and _hands_on(i.function))
    }
    return [i for i, loop in loops if id(loop) not in straight]


def _hands_on(loop: Any) -> bool:
    """Whether what a step leaves may lie in the memory of what it is given."""
    body = loop.body
    owners, given = owners_of(body.instructions), set(body.inputs)
    left = body.outputs[: len(loop.carry)]
    return any(type(v) is not Value or owners.get(v, {v}) & given for v in left)


class Body:
    """What a loop does in a step, as a function of arrays of JAX."""

    def __init__(self, program: Program) -> None:
        self.program = live(expanded(fixed(cleaned(program))))
        self._memory = Memory(self.program, VERB)
        self.guards = [i for i in self.program.instructions if can_fail(i)]

    def __call__(self, given: Sequence[Array], flags: Flags) -> list[Array]:
        """The outputs, and what must hold among the flags."""
        known = dict(zip(self.program.inputs, given, strict=True)) | dict(self.program.constants)
        calls = Calls(self._memory, known, flags)
        for instruction in self.program.instructions:
            if isinstance(instruction.function, Guard):
                flags.guard(instruction.function, calls.now(instruction.args[0]), instruction)
            else:
                calls.perform(instruction)
        return [calls.now(o) if type(o) is Value else jnp.asarray(o) for o in self.program.outputs]


def perform(body: Body, instruction: Instruction, calls: Calls) -> None:
    """Make all steps of a loop, and keep its results."""
    loop: Any = instruction.function
    made = loop.accept(_Steps(body, mapped(calls.now, instruction.args), calls.flags), instruction)
    calls.known.update(zip(instruction.result, made, strict=True))


def _typed(arrays: Sequence[Any], values: Sequence[Value]) -> tuple[Array, ...]:
    """Arrays of the types of the carry, which must be the same in each step."""
    return tuple(jnp.asarray(a, canonical(v)) for a, v in zip(arrays, values, strict=True))


class _Steps:
    """Makes the steps of a loop of each kind; gives its results."""

    def __init__(self, body: Body, args: Any, flags: Flags) -> None:
        self.body, self.args, self.flags = body, args, flags

    def forward(self, loop: Any, _: Instruction) -> list[Any]:
        """A scan: the last carry, the ys, and what is saved for the loop back."""
        size, end = len(loop.carry), len(loop.carry) + len(loop.slices)
        over, free = self.args[size:end], self.args[end:]
        last, rows = self._scan(loop.carry, over, free, loop.count, loop.reverse)
        return [*last, *_typed(rows[: len(loop.ys)], loop.ys), rows[len(loop.ys) :]]

    def backward(self, back: Any, _: Instruction) -> list[Any]:
        """The loop back: the cotangents."""
        size, end = len(back.carry), len(back.carry) + len(back.gys)
        over = [*self.args[size:end], *[self.args[end][n] for n in back.places]]
        last, rows = self._scan(back.carry, over, self.args[end + 1 :], back.loop.count, not back.loop.reverse)
        return [*last, *_typed(rows, back.dxs)]

    def _scan(self, carry: Sequence[Value], over: Any, free: Any, count: int, reverse: bool) -> Any:
        """The last carry, and the rest of each step's outputs, stacked."""
        size = len(carry)

        def step(now: Any, rows: Any) -> Any:
            inside = Flags(VERB)
            made = self.body([*now, *rows, *free], inside)
            return _typed(made[:size], carry), (made[size:], inside.array() if inside.any else None)

        first = _typed(self.args[:size], carry)
        last, (rows, held) = jax.lax.scan(step, first, over, length=count, reverse=reverse)
        if held is not None:
            self.flags.in_steps(held)
        return last, rows

    def repeat(self, loop: Any, _: Instruction) -> list[Any]:
        """A while loop: the last carry."""
        size, test, checked = len(loop.carry), Body(loop.test), False
        free = self.args[size:]

        def holds(state: Any) -> Array:
            found = jnp.asarray(test([*state[0], *free], Flags(VERB))[0]).astype(bool)
            return found if loop.most is None else found & (state[1] < loop.most[0])

        def step(state: Any) -> Any:
            nonlocal checked
            now, count, held = state
            inside = Flags(VERB)
            made = self.body([*now, *free], inside)
            checked = inside.any
            return _typed(made[:size], loop.carry), count + 1, held & inside.array()

        flags = jnp.ones(1 + len(self.body.guards), bool)
        last, _, held = jax.lax.while_loop(holds, step, (_typed(self.args[:size], loop.carry), 0, flags))
        if checked:
            self.flags.in_steps(held[None])
        if loop.most is not None:
            self.flags.note(~jnp.asarray(test([*last, *free], Flags(VERB))[0]).astype(bool))
        return [*last, []]
