"""The model of a program: inputs, parameters as initializers with their names, nodes, outputs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from ...tensor import Tensor as Variable
from ...tree import places
from ..expanding import expanded
from ..exporting import ExportError, LackingError, check_places, refuse
from ..instruction import Value
from ..passes import cleaned, fixed, live
from ..places import Place
from .builder import Builder, Size, Tensor, element_type
from .calls import VERB, Calls
from .pairing import pair

if TYPE_CHECKING:
    from ..program import Program

OPSET = 20
"""The version of ONNX's operators."""


def converted(program: Program, other: Program | None, batch: str, check: str) -> Any:
    """The model of a program."""
    program = live(expanded(fixed(cleaned(program))))
    check_places(program)
    model = _Model(program, batch, check)
    if other is not None:
        other = live(expanded(fixed(cleaned(other))))
        pair(model.b, program, other)
        model.others = dict(zip(program.constants, other.constants.values(), strict=False))
    try:
        return model.made()
    except LackingError as error:
        raise ExportError(f"{VERB}: {program.name}: {error}") from None


class _Model:
    def __init__(self, program: Program, batch: str, check: str) -> None:
        self.program, self.batch, self.check = program, batch, check
        self.b = Builder()
        self.calls = Calls(self.b, program)
        self.inputs: list[Any] = []
        self.others: dict[Value, Any] = {}
        """The constants of a program for another number of examples, by those of this one."""
        self._refuse_state()

    def _refuse_state(self) -> None:
        """A model of ONNX changes nothing, and has no generator."""
        program = self.program
        given = set(program.given_values)
        for i in program.instructions:
            for value in i.writes:
                if value.kind is np.random.Generator:
                    refuse(VERB, i, "draws from NumPy's generator, which ONNX does not have; pass the numbers as an "
                           "argument, or capture the model in evaluation, model.eval()")  # fmt: skip
                if self.calls.memory.root(value) in given:
                    refuse(VERB, i, "writes into an argument or into state, which a model of ONNX does not change; "
                           "export the forward pass alone, capture(model, x)")  # fmt: skip
        if program.writes:
            path = program.writes[0].places[0].path
            raise ExportError(
                f"{VERB}: {program.name} leaves {path} changed, as a training step does, and a model of ONNX changes "
                "nothing; export the forward pass alone, capture(model, x)"
            )

    def made(self) -> Any:
        """The model."""
        program, b = self.program, self.b
        for value in program.inputs:
            name = b.fresh(value.name or "input")
            self.inputs.append(onnx.helper.make_tensor_value_info(name, element_type(value.dtype), self._sizes(value)))
            self.calls.known[value] = Tensor(name, value.dtype, value.shape)
        self._count()
        for slot in program.reads:
            path = slot.places[0].path
            if not b.is_fixed(slot.value):
                raise ExportError(f"{VERB}: {path} has another shape for another number of examples")
            now = slot.places[0].read()
            self.calls.known[slot.value] = b.initializer(np.asarray(now), b.names.exact(path))
            if not _is_variable(slot.places[0]):
                self.calls.folded[slot.value] = now
        for value, array in program.constants.items():
            self.calls.known[value] = self._constant(value, array)
            if b.is_fixed(value):
                self.calls.folded[value] = array
        for instruction in program.instructions:
            self.calls.perform(instruction)
        outputs = self._outputs()
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
                self.b.counted = self.calls.known[value], dims.index(Size(1))
                return
        if self.b.others:
            raise ExportError(f"{VERB}: no argument has an axis of as many entries as there are examples")

    def _constant(self, value: Value, array: Any) -> Tensor:
        b = self.b
        if b.is_fixed(value):
            other = self.others.get(value)
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

    def _outputs(self) -> list[Any]:
        program, b, guards = self.program, self.b, self.calls.guards
        result = program.nested(list(program.outputs))
        paths = places(result)
        found = []
        for path, value in zip(paths, program.outputs, strict=True):
            if type(value) is not Value:
                continue
            wanted = value.name or "output"
            name = b.names.exact(f"output{path}" if path else wanted if wanted not in b.names else "output")
            t = b.cast(self.calls.tensor(value), value.dtype)
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


def _is_variable(place: Place) -> bool:
    """Whether a place is that of a parameter's values."""
    return isinstance(place.read, functools.partial) and isinstance(place.read.args[0], Variable)
