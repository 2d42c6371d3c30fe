"""Guards: under ``jax.jit`` nothing can be raised, so what does not hold is said by NaN, or returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..exporting import ExportError, called, where
from ..instruction import Guard, Instruction

Array = Any


def described(guards: Sequence[Instruction]) -> tuple[str, ...]:
    """The guards of a program, in words; the last is one for all indices."""
    found = [i.function.described() for i in guards]  # type: ignore[attr-defined]
    return (*found, "every index is in bounds, and every mask chooses as many elements as it did")


def can_fail(instruction: Instruction) -> bool:
    """Whether it is a guard, of something else than a shape, which is always the same in JAX."""
    return isinstance(instruction.function, Guard) and instruction.function.read != "form"


class Flags:
    """Whether what was decided when the program was recorded is decided so again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._guards: list[Array] = []
        self._others: list[Array] = []

    def guard(self, guard: Guard, array: Array, instruction: Instruction) -> None:
        """Note whether a guard holds."""
        if can_fail(instruction):
            self._guards.append(_holds(guard, array))

    def note(self, holds: Array) -> None:
        """Note what must hold beside the guards: an index that is in bounds, the number of what a mask chooses."""
        self._others.append(jnp.all(holds))

    @property
    def any(self) -> bool:
        """Whether there is anything that must hold."""
        return bool(self._guards or self._others)

    def in_steps(self, held: Array) -> None:
        """Note the flags of a loop: one row for each step."""
        held = jnp.all(held, axis=0)
        self._guards += list(held[:-1])
        self._others.append(held[-1])

    def array(self) -> Array:
        """One boolean for each guard."""
        return jnp.stack([*self._guards, jnp.all(jnp.stack([jnp.asarray(True), *self._others]))])

    def poisoned(self, outputs: list[Any], state: dict[str, Array]) -> tuple[list[Any], dict[str, Array]]:
        """Results and state, NaN if a guard does not hold."""
        if not self.any:
            return outputs, state
        if not any(_has_nan(part) for part in (*outputs, *state.values())):
            raise ExportError(
                f"to_jax: {self._name} has guards (a value decided something, or an index may be out of bounds), and "
                "no result that can be NaN to say that one does not hold; write to_jax(check='return')"
            )
        holds = jnp.all(self.array())

        def poisoned(part: Any) -> Any:
            return jnp.where(holds, part, jnp.nan).astype(part.dtype) if _has_nan(part) else part

        return [poisoned(o) for o in outputs], {path: poisoned(part) for path, part in state.items()}


def _has_nan(part: Any) -> bool:
    return hasattr(part, "dtype") and jnp.issubdtype(part.dtype, jnp.inexact)


def _holds(guard: Guard, array: Array) -> Array:
    """Whether a value is read as it was."""
    expected = guard.expected
    if guard.read == "NaN":
        return jnp.all(jnp.isnan(array) == expected)
    if guard.read == "bool":
        return jnp.all(jnp.asarray(array).astype(bool) == expected)
    if guard.read == "bytes":
        data, shape, dtype = expected
        expected = np.frombuffer(data, dtype).reshape(shape)
    if guard.read == "int":
        array = jnp.trunc(array)
    expected = np.asarray(expected)
    if expected.dtype.kind in "OSU":
        raise ExportError(f"to_jax: {called(guard)}{where(guard.line)}: compares {expected!r:.40}, which is no number")
    expected = expected.astype(array.dtype)
    return jnp.all((array == expected) | ((array != array) & (expected != expected)))
