"""Unrolling: the loops of a program step by step, for libraries to which each call is exported."""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .instruction import Guard, Instruction, Value, mapped

if TYPE_CHECKING:
    from .loops import Back, Loop, Repeat
    from .program import Program


def unrolled(program: Program, kept: Collection[Instruction] = ()) -> Program:
    """The program without loops but those that are ``kept``: the calls of each step instead."""
    if not any(hasattr(i.function, "accept") for i in program.instructions):
        return program
    made = _Unrolling()
    for instruction in program.instructions:
        made.take(instruction.map(made.latest), instruction in kept)
    return program.with_instructions(made.kept, made.latest)


class _Unrolling:
    def __init__(self) -> None:
        self.kept: list[Instruction] = []
        self._same: dict[Value, Any] = {}
        self._saved: dict[Value, list[list[Any]]] = {}

    def latest(self, value: Value) -> Any:
        """What stands for a value."""
        return self._same.get(value, value)

    def take(self, call: Instruction, is_kept: bool) -> None:
        """Take a call, or the steps of a loop."""
        accept = None if is_kept else getattr(call.function, "accept", None)
        if accept is None:
            self.kept.append(call)
        else:
            accept(self, call)

    def _step(self, body: Program, given: list[Any], around: Instruction) -> list[Any]:
        """The calls of one step; its outputs."""
        now = dict(zip(body.inputs, given, strict=True))
        for call in body.instructions:
            taken = call.map(now.__getitem__)
            result = mapped(lambda v: now.setdefault(v, _like(v)), call.result)
            errors = call.errors or around.errors
            self.kept.append(replace(taken, result=result, phase=around.phase, errors=errors))
        return [now[o] if type(o) is Value else o for o in body.outputs]

    def _row(self, array: Any, i: int, form: Value, around: Instruction) -> Value:
        row = _like(form)
        self.kept.append(Instruction(operator.getitem, (array, i), {}, row, (), around.line, around.phase))
        return row

    def _stack(self, rows: list[Any], result: Value, around: Instruction) -> None:
        self.kept.append(Instruction(np.stack, (list(rows),), {}, result, (), around.line, around.phase))

    def forward(self, loop: Loop, call: Instruction) -> None:
        """The steps of a loop."""
        size, width, args, result = len(loop.carry), len(loop.slices), call.args, call.result
        now, rows = list(args[:size]), dict[int, list[Any]]()
        for i in loop.order:
            here = [self._row(a, i, v, call) for a, v in zip(args[size : size + width], loop.slices, strict=True)]
            made = self._step(loop.body, [*now, *here, *args[size + width :]], call)
            now, rows[i] = made[:size], made[size:]
        self._same.update(zip(result[:size], now, strict=True))
        for n, ys in enumerate(result[size:-1]):
            self._stack([rows[i][n] for i in range(loop.count)], ys, call)
        self._saved[result[-1]] = [rows[i][len(loop.ys) :] for i in range(loop.count)]

    def repeat(self, loop: Repeat, call: Instruction) -> None:
        """The steps of a while loop: as many as there were, which is checked."""
        size, args, result = len(loop.carry), call.args, call.result
        now, free, rows = list(args[:size]), args[size:], list[list[Any]]()
        for n in range(loop.count + 1):
            (holds,) = self._step(loop.test, [*now, *free], call)
            guard = Guard("bool", n < loop.count, call.line)
            self.kept.append(Instruction(guard, (holds,), line=call.line, phase=call.phase, errors=call.errors))
            if n < loop.count:
                made = self._step(loop.body, [*now, *free], call)
                now = made[:size]
                rows.append(made[size:])
        self._same.update(zip(result[:size], now, strict=True))
        self._saved[result[-1]] = rows

    def backward(self, back: Back, call: Instruction) -> None:
        """The steps of a loop back."""
        size, width, args, result = len(back.carry), len(back.gys), call.args, call.result
        now, rows = list(args[:size]), dict[int, list[Any]]()
        saved, free = self._saved[args[size + width]], args[size + width + 1 :]
        for i in reversed(back.loop.order):
            here = [self._row(a, i, v, call) for a, v in zip(args[size : size + width], back.gys, strict=True)]
            made = self._step(back.body, [*now, *here, *[saved[i][n] for n in back.places], *free], call)
            now, rows[i] = made[:size], made[size:]
        self._same.update(zip(result[:size], now, strict=True))
        for n, dxs in enumerate(result[size:]):
            self._stack([rows[i][n] for i in range(back.loop.count)], dxs, call)


def _like(value: Value) -> Value:
    return Value(value.shape, value.dtype, value.kind, "", value.strides)
