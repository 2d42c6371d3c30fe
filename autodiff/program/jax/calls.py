"""One instruction as calls of ``jax.numpy``, where nothing is written in place."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..exporting import LACKING, ExportError, LackingError, refuse
from ..instruction import Attribute, Instruction, Method, Value, mapped
from ..memory import Memory, view_positions
from ..ufuncs import IN_PLACE, OPERATORS
from .functions import FUNCTIONS, REARRANGING, REDUCTIONS, by_name, plainly
from .guards import Flags
from .indexing import chosen, put, put_at
from .linalg import of_linalg
from .types import canonical
from .ufuncs import of_ufunc

Array = Any
VERB = "to_jax"


class Calls:
    """Makes the calls of a program; ``known`` holds what the values are, of views that of their root."""

    def __init__(self, memory: Memory, known: dict[Value, Array], flags: Flags) -> None:
        self.memory, self.known, self.flags = memory, known, flags

    def now(self, value: Value) -> Array:
        """What a value is now: a view, what it shows of its root."""
        view = self.memory.views.get(value)
        if view is None:
            return self.known[value]
        made = self._result(view.made)
        return jnp.asarray(made if view.part is None else made[view.part])

    def perform(self, instruction: Instruction) -> None:
        """Make one call, and keep its results."""
        result = instruction.result
        try:
            if instruction.writes:
                self._write(instruction)
            elif not (type(result) is Value and result in self.memory.views):
                self._keep(instruction, result, self._result(instruction))
        except ExportError:
            raise
        except LackingError as error:
            refuse(VERB, instruction, str(error))
        except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
            refuse(VERB, instruction, f"JAX says: {str(error).partition(chr(10))[0]}")

    def _keep(self, instruction: Instruction, result: Any, made: Any) -> None:
        if type(result) is Value:
            if result in self.memory.views:
                return
            made = jnp.asarray(made)
            if result.dtype.kind not in "c" and made.dtype.kind == "c":
                made = jnp.real(made)
            if made.shape != result.shape:
                refuse(VERB, instruction, f"JAX gives the shape {made.shape}, and NumPy gave {result.shape}")
            self.known[result] = made.astype(canonical(result))
        elif result is not None:
            for one, value in zip(result, made, strict=True):
                self._keep(instruction, one, value)

    def _result(self, instruction: Instruction) -> Any:
        """What a call gives that writes nothing."""
        function, args, kwargs = instruction.function, instruction.args, instruction.kwargs
        now, flags = self.now, self.flags
        ufunc = OPERATORS.get(function, function)
        if isinstance(ufunc, np.ufunc):
            return of_ufunc(ufunc, args, kwargs, now)
        if function is operator.getitem:
            return chosen(now(args[0]), mapped(now, args[1]), instruction, flags)
        if function in REARRANGING or (type(function) is Method and function.__name__ == "view"):
            owner = instruction.operands[0]
            return jnp.ravel(now(owner))[view_positions(VERB, instruction, owner)]
        function, args = _as_function(function, args)
        if isinstance(function, np.ufunc):
            return of_ufunc(function, args, kwargs, now)
        function, args, kwargs = _as_reduction(function, args, kwargs)
        own = FUNCTIONS.get(function) or of_linalg(function)
        given, by_names = mapped(now, args), plainly(mapped(now, kwargs))
        if own is not None:
            return own(instruction, flags, *given, **by_names)
        found = by_name(function)
        if found is None:
            raise LackingError(LACKING.format("JAX"))
        return found(*given, **by_names)

    # -- in place --------------------------------------------------------------------------------------------

    def _write(self, instruction: Instruction) -> None:
        """What a call writes in place, as a new array for the name."""
        function, args = instruction.function, instruction.args
        target = instruction.writes[0]
        if len(instruction.writes) > 1 or target.kind is np.random.Generator:
            refuse(VERB, instruction, "writes into several arrays at once, or draws; write y = ... without out=")
        now, flags = self.now, self.flags
        made: Any
        if function is operator.setitem:
            made = put(now(target), mapped(now, args[1]), mapped(now, args[2]), flags)
        elif function in IN_PLACE:
            made = of_ufunc(IN_PLACE[function], args, {}, now)
        elif getattr(function, "__name__", "") == "at" and isinstance(function.__self__, np.ufunc):  # type: ignore[attr-defined]
            made = put_at(function.__self__, now(target), *mapped(now, args[1:]), instruction, flags)  # type: ignore[attr-defined]
        elif instruction.kwargs.get("out") is not None:
            kwargs = {name: part for name, part in instruction.kwargs.items() if name != "out"}
            if kwargs.get("where", True) is not True:
                refuse(VERB, instruction, "where= together with out= is not exported; write np.where")
            made = self._result(_without_out(instruction, kwargs))
        elif type(function) is Method and function.__name__ in _WRITING:
            made = _WRITING[function.__name__](now(target), *mapped(now, args[1:]), **mapped(now, instruction.kwargs))
        elif function is np.copyto and len(args) == 2 and not instruction.kwargs:
            made = mapped(now, args[1])
        else:
            refuse(VERB, instruction, "writes in place in a way that is not exported; write y = ... without out=")
        self._assign(target, made)

    def _assign(self, target: Value, made: Any) -> None:
        """Give a name another array; of a view, the part of the root that it shows."""
        made = jnp.broadcast_to(jnp.asarray(made), target.shape).astype(canonical(target))
        view = self.memory.views.get(target)
        if view is None:
            self.known[target] = made
            return
        whole = jnp.asarray(self.known[view.root])
        flat = jnp.ravel(made)
        if not view.is_whole:
            flat = jnp.ravel(whole).at[view.positions.ravel()].set(flat)
        self.known[view.root] = flat.reshape(whole.shape)


def _without_out(instruction: Instruction, kwargs: dict[str, Any]) -> Instruction:
    return Instruction(instruction.function, instruction.args, kwargs, instruction.writes[0], (), instruction.line)


_WRITING: dict[str, Callable[..., Any]] = {
    "fill": lambda array, value: jnp.full_like(array, value),
    "sort": lambda array, axis=-1, **_: jnp.sort(array, axis=axis),
}


def _as_function(function: Any, args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """A method, or an attribute, as the function that does the same."""
    if type(function) is Attribute:
        return {"T": np.transpose, "mT": np.matrix_transpose}.get(function.__name__) or getattr(
            np, function.__name__
        ), args
    if type(function) is not Method:
        return function, args
    name = {"flatten": "ravel", "conj": "conjugate"}.get(function.__name__, function.__name__)
    if name in ("reshape", "transpose") and len(args) > 2:
        args = args[0], args[1:]
    if name == "item":
        return (np.asarray, args) if len(args) == 1 else (function, args)
    return getattr(np, name, function), args


def _as_reduction(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...], Any]:
    """``np.add.reduce(x)`` as ``np.sum(x, axis=0)``."""
    owner = getattr(function, "__self__", None)
    if not isinstance(owner, np.ufunc):
        return function, args, kwargs
    found = REDUCTIONS.get((owner, function.__name__))
    if found is None or len(args) > 3:
        return function, args, kwargs
    given = dict(zip(("axis", "dtype"), args[1:], strict=False)) | kwargs
    return found, args[:1], {"axis": 0} | given
