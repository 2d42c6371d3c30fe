"""One instruction as nodes of ONNX, where nothing is written in place."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exporting import LACKING, LackingError, refuse
from ..instruction import Attribute, Guard, Instruction, Method, Value, mapped
from ..memory import Memory
from ..passes.memory import owners_of, written_in
from ..ufuncs import IN_PLACE, OPERATORS, kind_of
from . import filling, indexing, products, reductions, shapes  # noqa: F401 - they fill the table
from .builder import Builder, Tensor
from .elementwise import of_ufunc
from .guards import Guards
from .table import EMITTERS, Call

if TYPE_CHECKING:
    from ..program import Program

VERB = "to_onnx"
_REDUCTIONS: dict[Any, Any] = {
    (np.add, "reduce"): np.sum, (np.multiply, "reduce"): np.prod, (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min, (np.logical_or, "reduce"): np.any, (np.logical_and, "reduce"): np.all,
    (np.add, "accumulate"): np.cumsum,
}  # fmt: skip


class Calls:
    """Writes the calls of a program; ``known`` holds the tensors of values, of views that of their root."""

    def __init__(self, b: Builder, program: Program) -> None:
        self.b, self.guards = b, Guards(b)
        self.memory = Memory(program, VERB)
        self.known: dict[Value, Tensor] = {}
        self.folded: dict[Value, Any] = {}
        """What is the same in each run, and no parameter: it is computed here and now."""
        self._owners = owners_of(program.instructions)
        self._written = written_in(program.instructions, self._owners)

    def tensor(self, value: Value) -> Tensor:
        """A value as it is now; of a view, what it shows of its root."""
        view = self.memory.views.get(value)
        if view is None:
            return self.known[value]
        root, b = self.known[view.root], self.b
        if view.is_whole:
            return b.reshape(root, b.dims(value))._replace(shape=value.shape)
        made = self._result(view.made)
        return b.cast(made if view.part is None else made[view.part], value.dtype)._replace(shape=value.shape)

    def perform(self, instruction: Instruction) -> None:
        """Write one call."""
        try:
            if isinstance(instruction.function, Guard):
                self.guards.add(instruction.function, self.tensor(instruction.args[0]))
            elif instruction.writes:
                self._write(instruction)
            elif not (self._is_view(instruction.result) or self._fold(instruction)):
                self._keep(instruction.result, self._result(instruction))
        except LackingError as error:
            refuse(VERB, instruction, str(error))
        except TypeError as error:  # an option that the emitter does not know
            refuse(VERB, instruction, f"an option that is not exported ({error})")

    def _is_view(self, result: Any) -> bool:
        return type(result) is Value and result in self.memory.views

    def _fold(self, instruction: Instruction) -> bool:
        """Make a call of constants; whether it is one."""
        operands, result = list(instruction.operands), instruction.result
        if not operands or any(v not in self.folded for v in operands) or type(result) is not Value:
            return False
        in_place = any(self._owners.get(v, {v}) & self._written for v in (*operands, result))
        if in_place or not self.b.is_fixed(result):
            return False
        with np.errstate(all="ignore"):
            made = instruction.function(
                *mapped(self.folded.__getitem__, instruction.args),
                **mapped(self.folded.__getitem__, instruction.kwargs),
            )
        self.folded[result] = made
        self.known[result] = self.b.constant(made)
        return True

    def _keep(self, result: Any, made: Any) -> None:
        if type(result) is Value:
            if result not in self.memory.views:
                self.known[result] = self.b.cast(made, result.dtype)._replace(shape=result.shape)
        elif result is not None:
            for one, t in zip(result, made, strict=True):
                self._keep(one, t)

    def _result(self, instruction: Instruction) -> Any:
        function, args, kwargs = instruction.function, instruction.args, instruction.kwargs
        call = Call(self.b, instruction)
        ufunc = OPERATORS.get(function, function)
        if isinstance(ufunc, np.ufunc):
            return of_ufunc(call, ufunc, *self._operands(args), kwargs)
        function, args, kwargs = _as_function(function, args, kwargs)
        call = Call(self.b, _renamed(instruction, function))
        if isinstance(function, np.ufunc):
            return of_ufunc(call, function, *self._operands(args), kwargs)
        emitter = EMITTERS.get(function)
        if emitter is None:
            raise LackingError(LACKING.format("ONNX"))
        return emitter(call, *mapped(self._argument, args), **mapped(self._argument, kwargs))

    def _argument(self, value: Value) -> Any:
        """A tensor; of an option of a layer, the number."""
        return self.folded[value] if value in self.folded and value.kind in (bool, int, float) else self.tensor(value)

    def _operands(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        return mapped(self.tensor, args), tuple(map(kind_of, args))

    def _write(self, instruction: Instruction) -> None:
        """What a call writes in place, as a new tensor for the name."""
        function, args, target = instruction.function, instruction.args, instruction.writes[0]
        if not self.b.is_fixed(target) and function in (operator.setitem, np.add.at):
            raise LackingError("writing in place is exported for a fixed number of examples only; write np.where")
        call, now = Call(self.b, instruction), self.tensor
        if function is operator.setitem:
            made = indexing.put(self.b, now(target), mapped(now, args[1]), mapped(now, args[2]))
        elif function in IN_PLACE:
            made = of_ufunc(call, IN_PLACE[function], *self._operands(args), {})
        elif function == np.add.at:
            made = indexing.add_at(self.b, now(target), mapped(now, args[1]), mapped(now, args[2]))
        elif instruction.kwargs.get("out") is not None:
            kwargs = {name: part for name, part in instruction.kwargs.items() if name != "out"}
            made = self._result(Instruction(function, args, kwargs, target, (), instruction.line))
        else:
            raise LackingError("writes in place in a way that is not exported; write y = ... without out=")
        made = self.b.expand(self.b.cast(made, target.dtype), self.b.dims(target))._replace(shape=target.shape)
        view = self.memory.views.get(target)
        if view is None:
            self.known[target] = made
            return
        whole = self.known[view.root]
        if view.is_whole:
            self.known[view.root] = self.b.reshape(made, self.b.dims(view.root))._replace(shape=view.root.shape)
            return
        if not self.b.is_fixed(target, view.root):
            raise LackingError("a view that is written in place is exported for a fixed number of examples only")
        self.known[view.root] = indexing.put_at(self.b, whole, view.positions, made, None)._replace(shape=whole.shape)


def _renamed(instruction: Instruction, function: Any) -> Instruction:
    if function is instruction.function:
        return instruction
    return Instruction(function, instruction.args, instruction.kwargs, instruction.result, (), instruction.line)


def _as_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...], Any]:
    """A method, an attribute or a method of a ufunc as the function that does the same."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        found = _REDUCTIONS.get((owner, function.__name__))
        if found is None:
            return function, args, kwargs
        return found, args[:1], {"axis": 0} | dict(zip(("axis", "dtype"), args[1:3], strict=False)) | kwargs
    name = getattr(function, "__name__", "")
    if type(function) is Attribute:
        return {"T": np.transpose, "mT": np.matrix_transpose}.get(name) or getattr(np, name), args, kwargs
    if type(function) is not Method:
        return function, args, kwargs
    if name in ("reshape", "transpose") and len(args) > 2:
        args = args[0], args[1:]
    other = {"flatten": "ravel", "conj": "conjugate", "item": "asarray"}.get(name, name)
    if name == "item" and len(args) > 1:
        return function, args, kwargs
    return getattr(np, other, function), args, kwargs
