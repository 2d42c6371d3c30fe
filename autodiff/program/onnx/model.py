"""The model of a program: inputs, parameters as initializers with their names, nodes, outputs."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from ...tensor import Tensor as Variable
from ...tree import places
from ..expanding import expanded
from ..exporting import LACKING, ExportError, LackingError, check_places, refuse
from ..instruction import Attribute, Guard, Instruction, Method, Value, mapped
from ..memory import Memory
from ..passes import cleaned, fixed, live
from ..passes.memory import owners_of
from ..places import Place
from ..ufuncs import IN_PLACE, OPERATORS, kind_of
from . import elementwise as elementwise
from . import indexing, products, reductions, shapes  # noqa: F401 - they fill the table
from .builder import Builder, Size, Tensor, element_type
from .guards import Guards
from .table import EMITTERS, Call

if TYPE_CHECKING:
    from ..program import Program

VERB = "to_onnx"
OPSET = 20
"""The version of ONNX's operators."""
_REDUCTIONS: dict[Any, Any] = {
    (np.add, "reduce"): np.sum, (np.multiply, "reduce"): np.prod, (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min, (np.logical_or, "reduce"): np.any, (np.logical_and, "reduce"): np.all,
    (np.add, "accumulate"): np.cumsum,
}  # fmt: skip


def converted(program: Program, other: Program | None, batch: str, check: str) -> Any:
    """The model of a program."""
    program = live(expanded(fixed(cleaned(program))))
    check_places(program)
    model = _Model(program, batch, check)
    if other is not None:
        model.pair(live(expanded(fixed(cleaned(other)))))
    try:
        return model.made()
    except LackingError as error:
        raise ExportError(f"{VERB}: {program.name}: {error}") from None


class _Model:
    def __init__(self, program: Program, batch: str, check: str) -> None:
        self.program, self.batch, self.check = program, batch, check
        self.b = Builder()
        self.known: dict[Value, Tensor] = {}
        self.folded: dict[Value, Any] = {}
        """What is the same in each run, and no parameter: it is computed here and now."""
        self.inputs: list[Any] = []
        self.memory = Memory(program, VERB)
        self.owners = owners_of(program.instructions)
        self.written = {o for i in program.instructions for v in i.writes for o in self.owners.get(v, {v})}
        self._refuse_state()

    def _refuse_state(self) -> None:
        """A model of ONNX changes nothing, and has no generator."""
        program = self.program
        given = {*program.inputs, *[slot.value for slot in program.reads]}
        for i in program.instructions:
            for value in i.writes:
                if value.kind is np.random.Generator:
                    refuse(VERB, i, "draws from NumPy's generator, which ONNX does not have; pass the numbers as an "
                           "argument, or capture the model in evaluation, model.eval()")  # fmt: skip
                if self.memory.root(value) in given:
                    refuse(VERB, i, "writes into an argument or into state, which a model of ONNX does not change; "
                           "export the forward pass alone, capture(model, x)")  # fmt: skip
        if program.writes:
            path = program.writes[0].places[0].path
            raise ExportError(
                f"{VERB}: {program.name} leaves {path} changed, as a training step does, and a model of ONNX changes "
                "nothing; export the forward pass alone, capture(model, x)"
            )

    # -- another number of examples --------------------------------------------------------------------------

    def pair(self, other: Program) -> None:
        """Learn from a program for another number of examples which sizes depend on it."""
        one = self.program
        sizes = {
            (a, b)
            for x, y in zip(one.inputs, other.inputs, strict=False)
            for a, b in zip(x.shape, y.shape, strict=False)
            if a != b
        }
        alike = len(one.inputs) == len(other.inputs) and len(one.instructions) == len(other.instructions)
        if len(sizes) != 1 or not alike:
            raise ExportError(
                f"{VERB}: the other program must be of the same function for arguments of another number of examples; "
                f"the sizes differ by {sorted(sizes) or 'nothing'}, {len(one.instructions)} calls and "
                f"{len(other.instructions)}"
            )
        self.b.sizes = next(iter(sizes))
        if min(self.b.sizes) < 2:
            raise ExportError(f"{VERB}: capture both programs for at least 2 examples: an axis of 1 may be broadcast")
        self.b.others = dict(zip(one.inputs, other.inputs, strict=True))
        paths = {slot.places[0].path: slot.value for slot in other.reads}
        self.b.others |= {slot.value: paths.get(slot.places[0].path, slot.value) for slot in one.reads}
        self.b.others |= dict(zip(one.constants, other.constants, strict=False))
        self._constants = {v: other.constants.get(w) for v, w in zip(one.constants, other.constants, strict=False)}
        for i, j in zip(one.instructions, other.instructions, strict=True):
            self._pair_calls(i, j)

    def _pair_calls(self, i: Instruction, j: Instruction) -> None:
        if i.function != j.function and not (isinstance(i.function, Guard) and isinstance(j.function, Guard)):
            refuse(VERB, i, "the program for another number of examples computes something else there")
        self.b.others |= dict(zip(i.results, j.results, strict=True))
        mine, its = list(i.operands), list(j.operands)
        if len(mine) != len(its) or any(self.b.others.get(a) is not b for a, b in zip(mine, its, strict=True)):
            refuse(VERB, i, "the program for another number of examples computes with something else there")
        if _plain(i) != _plain(j) and i.function not in _BY_SHAPE and not isinstance(i.function, Guard):
            refuse(VERB, i, "a number depends on how many examples there are; export for a fixed number of examples")

    # -- parts -----------------------------------------------------------------------------------------------

    def made(self) -> Any:
        """The model."""
        program, b = self.program, self.b
        for value in program.inputs:
            name = b.fresh(value.name or "input")
            self.inputs.append(onnx.helper.make_tensor_value_info(name, element_type(value.dtype), self._sizes(value)))
            self.known[value] = Tensor(name, value.dtype, value.shape)
        self._count()
        for slot in program.reads:
            path = slot.places[0].path
            if not b.is_fixed(slot.value):
                raise ExportError(f"{VERB}: {path} has another shape for another number of examples")
            now = slot.places[0].read()
            self.known[slot.value] = b.initializer(np.asarray(now), b.names.exact(path))
            if not _is_variable(slot.places[0]):
                self.folded[slot.value] = now
        for value, array in program.constants.items():
            self.known[value] = self._constant(value, array)
            if b.is_fixed(value):
                self.folded[value] = array
        guards = Guards(b)
        for instruction in program.instructions:
            self._call(instruction, guards)
        outputs = self._outputs(guards)
        used = {name for node in b.nodes for name in node.input}
        kept = [i for i in b.initializers if i.name in used]
        graph = onnx.helper.make_graph(b.nodes, program.name, self.inputs, outputs, kept)
        opset = onnx.helper.make_opsetid("", OPSET)
        version = onnx.helper.find_min_ir_version_for([opset])
        model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=version, producer_name="pullback")
        onnx.checker.check_model(model, full_check=True)
        return model

    def _sizes(self, value: Value) -> list[Any]:
        return [
            (self.batch if d.times == 1 else f"{d.times}*{self.batch}") if type(d) is Size else d
            for d in self.b.dims(value)
        ]

    def _count(self) -> None:
        """The number of examples, from the first input that has it."""
        for value in self.program.inputs:
            dims = self.b.dims(value)
            if Size(1) in dims:
                self.b.counted = self.known[value], dims.index(Size(1))
                return
        if self.b.others:
            raise ExportError(f"{VERB}: no argument has an axis of as many entries as there are examples")

    def _constant(self, value: Value, array: Any) -> Tensor:
        b = self.b
        if b.is_fixed(value):
            other = self._constants.get(value) if b.others else None
            if other is not None and not np.array_equal(array, other, equal_nan=array.dtype.kind == "f"):
                raise ExportError(f"{VERB}: an array of shape {array.shape} depends on the number of examples")
            return b.constant(array)
        dims = b.dims(value)
        if array.size and np.all(array == array.flat[0]):
            return b.expand(b.constant(array.flat[0]), dims)._replace(shape=value.shape)
        if array.ndim == 1 and np.array_equal(array, np.arange(len(array))) and dims == (Size(1),):
            ends = b.constant(np.int64(0)), b.op("Squeeze", b.count), b.constant(np.int64(1))
            return b.cast(b.op("Range", *ends), value.dtype)._replace(shape=value.shape)
        raise ExportError(
            f"{VERB}: an array of shape {array.shape} depends on the number of examples; compute it from an argument"
        )

    def _outputs(self, guards: Guards) -> list[Any]:
        program, b = self.program, self.b
        result = program.nested(list(program.outputs))
        paths = places(result)
        found = []
        for path, value in zip(paths, program.outputs, strict=True):
            if type(value) is not Value:
                continue
            wanted = value.name or "output"
            name = b.names.exact(f"output{path}" if path else wanted if wanted not in b.names else "output")
            t = b.cast(self._tensor(value), value.dtype)
            if self.check == "nan":
                t = guards.poisoned(t)
            b.nodes.append(onnx.helper.make_node("Identity", [t.name], [name]))
            found.append(onnx.helper.make_tensor_value_info(name, element_type(value.dtype), self._sizes(value)))
        if not found:
            raise ExportError(f"{VERB}: {program.name} returns no array")
        if (
            guards.any
            and self.check == "nan"
            and not any(type(o) is Value and o.dtype.kind == "f" for o in program.outputs)
        ):
            raise ExportError(
                f"{VERB}: {program.name} has guards, since a value decided something, and no result that can be NaN to "
                "say that one does not hold; write to_onnx(check='return')"
            )
        if self.check == "return":
            b.nodes.append(onnx.helper.make_node("Identity", [guards.together().name], [b.names.exact("holds")]))
            found.append(onnx.helper.make_tensor_value_info("holds", element_type(bool), [guards.count]))
        return found

    # -- calls -----------------------------------------------------------------------------------------------

    def _tensor(self, value: Value) -> Tensor:
        """A value as it is now; of a view, what it shows of its root."""
        view = self.memory.views.get(value)
        if view is None:
            return self.known[value]
        root, b = self.known[view.root], self.b
        if view.is_whole:
            return b.reshape(root, b.dims(value))._replace(shape=value.shape)
        made = self._result(view.made)
        return b.cast(made if view.part is None else made[view.part], value.dtype)._replace(shape=value.shape)

    def _call(self, instruction: Instruction, guards: Guards) -> None:
        try:
            if isinstance(instruction.function, Guard):
                guards.add(instruction.function, self._tensor(instruction.args[0]))
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
        in_place = any(self.owners.get(v, {v}) & self.written for v in (*operands, result))
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
            return elementwise.of_ufunc(call, ufunc, *self._operands(args), kwargs)
        function, args, kwargs = _as_function(function, args, kwargs)
        call = Call(self.b, _renamed(instruction, function))
        if isinstance(function, np.ufunc):
            return elementwise.of_ufunc(call, function, *self._operands(args), kwargs)
        emitter = EMITTERS.get(function)
        if emitter is None:
            raise LackingError(LACKING.format("ONNX"))
        return emitter(call, *mapped(self._argument, args), **mapped(self._argument, kwargs))

    def _argument(self, value: Value) -> Any:
        """A tensor; of an option of a layer, the number."""
        return self.folded[value] if value in self.folded and value.kind in (bool, int, float) else self._tensor(value)

    def _operands(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        return mapped(self._tensor, args), tuple(map(kind_of, args))

    def _write(self, instruction: Instruction) -> None:
        """What a call writes in place, as a new tensor for the name."""
        function, args, target = instruction.function, instruction.args, instruction.writes[0]
        if not self.b.is_fixed(target) and function in (operator.setitem, np.add.at):
            raise LackingError("writing in place is exported for a fixed number of examples only; write np.where")
        call, now = Call(self.b, instruction), self._tensor
        if function is operator.setitem:
            made = indexing.put(self.b, now(target), mapped(now, args[1]), mapped(now, args[2]))
        elif function in IN_PLACE:
            made = elementwise.of_ufunc(call, IN_PLACE[function], *self._operands(args), {})
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


def _is_variable(place: Place) -> bool:
    """Whether a place is that of a parameter's values."""
    return isinstance(place.read, functools.partial) and isinstance(place.read.args[0], Variable)


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


_BY_SHAPE = frozenset({np.reshape, np.broadcast_to, np.zeros_like, np.ones_like, np.empty_like, np.full_like,
                       Method("reshape")})  # fmt: skip
"""Calls of which the shape of the result says all."""


def _plain(instruction: Instruction) -> str:
    """The arguments of a call that are no values."""
    return repr(mapped(lambda value: None, [list(instruction.args), instruction.kwargs]))
