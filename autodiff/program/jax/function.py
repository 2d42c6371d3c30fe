"""The function of ``jax.numpy`` that computes what a program does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import writes
from ...tensor import Tensor
from ...tree import places
from ..exporting import ExportError, check_places, refuse
from ..instruction import Guard, Value
from ..memory import Memory, overlapping
from .calls import VERB, Calls
from .guards import Flags, can_fail, described
from .loops import Body, is_loop, perform, prepared
from .types import canonical, is_double

if TYPE_CHECKING:
    from ..program import Program

Array = Any
State = dict[str, Array]


def converted(program: Program, check: str) -> JaxFunction:
    """The program as a function of ``jax.numpy``."""
    program = prepared(program)
    check_places(program)
    return JaxFunction(program, check)


class JaxFunction:
    """A function of ``jax.numpy`` made from a program, by :meth:`.Program.to_jax`.

    ``f(*args)`` takes the arguments of the program, and gives its result.  If the program reads or writes state, it is
    ``result, state = f(*args, state=f.state)``: nothing is changed anywhere.  With ``check="return"`` an array of
    booleans comes last, one for each of ``guards``.
    """

    def __init__(self, program: Program, check: str) -> None:
        self.program: Program = program
        self.check: str = check
        self.__name__: str = program.name
        self.__qualname__: str = program.name
        self._memory = Memory(program, VERB)
        changed = {self._memory.root(v) for i in program.instructions for v in i.writes}
        self._reads = {slot.places[0].path: slot for slot in program.reads}
        for slot in program.reads:
            if slot.value.kind is np.random.Generator:
                self._refuse_draws(slot.value)
        self._left = {slot.places[0].path: slot for slot in program.writes if _is_number(slot.value)}
        self._inside = {path: slot for path, slot in self._reads.items() if slot.value in changed}
        arrays = {path: slot.places[0].read() for path, slot in self._reads.items() if slot.value.kind is np.ndarray}
        if pair := overlapping(arrays, set(self._inside)):
            raise ExportError(
                f"{VERB}: {pair[0]} and {pair[1]} lie in the same memory, and {program.name} writes into it; arrays of "
                "JAX share none: make one of them a copy, or compute it from the other inside of the function"
            )
        written = [v for v in program.inputs if v in changed]
        self._arguments = {v.name: v for v in written}
        if len(self._arguments) < len(written) or self._arguments.keys() & (self._reads.keys() | self._left.keys()):
            raise ExportError(
                f"{VERB}: {program.name} writes into its arguments ({', '.join(v.name for v in written)}), and one of "
                "these names is there twice, or is one of state; give them other names"
            )
        self._bodies = {id(i.function): Body(i.function.body) for i in program.instructions if is_loop(i)}  # type: ignore[attr-defined]
        guards = [
            [i] if can_fail(i) else self._bodies[id(i.function)].guards if is_loop(i) else []
            for i in program.instructions
        ]
        self.guards: tuple[str, ...] = described([i for part in guards for i in part])
        """What was decided when the program was recorded, one line each."""

    def _refuse_draws(self, generator: Value) -> None:
        for i in self.program.instructions:
            if generator in i.writes:
                refuse(
                    VERB,
                    i,
                    "draws from NumPy's generator, which JAX does not have; draw outside and pass the numbers as an "
                    "argument, or export the model in evaluation, model.eval()",
                )

    @property
    def state(self) -> State:
        """What the program reads in the places of the model and the optimizer, as it is there now, by path.

        What it writes only is zero here, so that a new state has the same keys.
        """
        now = {path: jnp.asarray(slot.places[0].read(), canonical(slot.value)) for path, slot in self._reads.items()}
        for path, slot in self._left.items():
            if path not in now:
                value = slot.value if type(slot.value) is Value else Value.like(slot.value)
                now[path] = jnp.zeros(value.shape, canonical(value))
        return now

    def put(self, state: Mapping[str, Array]) -> None:
        """Put a state in the places of the model and the optimizer: what the program would have left there."""
        for path, slot in self._inside.items():
            array = slot.places[0].read()
            array[...] = np.asarray(state[path])
            writes.note(array)
        made: dict[Any, Any] = {}  # what is in several places is one array
        for path, slot in self._left.items():
            left = made.setdefault(slot.value, _numpy(state[path], slot.value))
            for place in slot.places:
                place.write(left)

    def __call__(self, *args: Any, state: Mapping[str, Array] | None = None) -> Any:
        """The result; and the new state, if there is any; and whether all guards hold, if that is asked for."""
        program = self.program
        self._check_types()
        flags = Flags(program.name)
        known: dict[Value, Array] = dict(program.constants)
        for value, array in zip(program.inputs, self._given(args), strict=True):
            known[value] = jnp.asarray(array, canonical(value))
        for path, slot in self._reads.items():
            known[slot.value] = jnp.asarray(self._part(state, path), canonical(slot.value))
        calls = Calls(self._memory, known, flags)
        for instruction in program.instructions:
            if isinstance(instruction.function, Guard):
                flags.guard(instruction.function, calls.now(instruction.args[0]), instruction)
            elif is_loop(instruction):
                perform(self._bodies[id(instruction.function)], instruction, calls)
            else:
                calls.perform(instruction)
        outputs = [calls.now(o) if type(o) is Value else o for o in program.outputs]
        left = self._state_after(calls)
        if self.check == "nan":
            outputs, left = flags.poisoned(outputs, left)
        result = program.nested([jnp.asarray(o) if isinstance(o, np.ndarray) else o for o in outputs])
        found = [result, *[left] * bool(left), *[flags.array()] * (self.check == "return")]
        return tuple(found) if len(found) > 1 else result

    def _given(self, args: tuple[Any, ...]) -> Sequence[Array]:
        """The arrays among the arguments; of these, the shape must be that of the program, and the dtype."""
        name, where = self.program.name, places(self.program.arguments)
        return self.program.given(args, lambda array, value, i: _fitted(name, array, value, f"argument {where[i]}"))

    def _part(self, state: Mapping[str, Array] | None, path: str) -> Array:
        name, slot = self.program.name, self._reads[path]
        if state is None:
            raise TypeError(f"{name}: the program reads state ({path}, ...); call f(..., state=f.state)")
        if path not in state:
            raise KeyError(f"{name}: {path} is missing in the state; it has {', '.join(map(repr, state)) or 'nothing'}")
        return _fitted(name, state[path], slot.value, path)

    def _state_after(self, calls: Calls) -> State:
        left = {path: calls.known[slot.value] for path, slot in self._reads.items()}
        left |= {name: calls.known[value] for name, value in self._arguments.items()}
        for path, slot in self._left.items():
            is_value = type(slot.value) is Value
            left[path] = calls.now(slot.value) if is_value else jnp.asarray(slot.value)
        return left

    def _check_types(self) -> None:
        if jax.config.jax_enable_x64:
            return
        every = [self.program, *[body.program for body in self._bodies.values()]]
        made = [value for program in every for i in program.instructions for value in i.results]
        for value in (*self.program.given_values, *made, *self.program.constants):
            if is_double(value):
                raise ExportError(
                    f"{VERB}: {self.program.name} computes in {value.dtype} ({value.name or 'a result'} of shape "
                    f"{value.shape}), and JAX would compute in single precision; switch it on before, "
                    "jax.config.update('jax_enable_x64', True), or capture the function with float32 arrays"
                )

    def __repr__(self) -> str:
        return f"<{self.program.name} for jax.numpy: {len(self._reads)} of state, {len(self.guards)} guards>"


def _fitted(name: str, array: Any, value: Value, where: str) -> Array:
    """An array that the program was captured for; ValueError for another shape or dtype."""
    shape, dtype = np.shape(array), getattr(array, "dtype", None)
    if isinstance(array, Tensor):
        raise ValueError(f"{name}: {where} is a Tensor; JAX computes on arrays: pass t.data")
    number = shape == () and value.kind in (float, int, bool, complex)
    if shape == value.shape and (number or dtype is None or dtype in (value.dtype, canonical(value))):
        return array
    raise ValueError(
        f"{name}: {where} has shape {shape} and is {dtype or type(array).__name__}; the program was captured for shape "
        f"{value.shape}, {value.dtype}: capture it again for this"
    )


def _is_number(left: Any) -> bool:
    return type(left) is Value or isinstance(left, bool | int | float | complex | np.generic)


def _numpy(array: Array, like: Any) -> Any:
    """An array of JAX's as what the function leaves."""
    value = like if type(like) is Value else Value.like(like)
    found = np.array(array, value.dtype)
    return found if value.kind is np.ndarray else found[()] if issubclass(value.kind, np.generic) else found.item()
