"""A program: what a function computed, as a list of NumPy calls that can be run again, read, and saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..files import write
from ..tree import flatten_like, places
from .instruction import Guard, Instruction, Value, mapped
from .naming import Names
from .passes import cleaned
from .replay import Replay
from .source import RESERVED, Text, Writer, array_text, body, literal

Array = Any


class Program:
    """What a function did with arguments of these shapes, as NumPy calls.

    Made by :func:`.capture`.  ``program(*args)`` runs it on other arrays of the same shapes and dtypes and gives what
    the function would, to the last bit; ``print(program)`` is the text of a NumPy function that needs nothing else.
    Raises ValueError for arguments of another nesting, shape or dtype, PathError where a value that decided something
    is another one.

    >>> import numpy as np
    >>> from autodiff import capture, grad
    >>> program = capture(grad(lambda x: np.sum(x**2)), np.ones(3))
    >>> program(np.array([1.0, 2.0, 3.0])).tolist()
    [2.0, 4.0, 6.0]
    """

    def __init__(
        self,
        name: str,
        arguments: tuple[Any, ...],
        inputs: Sequence[Value],
        constants: dict[Value, Array],
        instructions: Sequence[Instruction],
        outputs: Sequence[Any],
        unflatten: Callable[[list[Any]], Any],
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.inputs = tuple(inputs)
        self.constants = dict(constants)
        self.instructions = tuple(instructions)
        self.outputs = tuple(outputs)
        self._unflatten = unflatten
        self._replay: Replay | None = None

    def with_instructions(self, instructions: Sequence[Instruction], outputs: Sequence[Any]) -> Program:
        """The same program of other instructions: what a pass makes."""
        return Program(self.name, self.arguments, self.inputs, self.constants, instructions, outputs, self._unflatten)

    # -- running ---------------------------------------------------------------------------------------------

    def __call__(self, *args: Any) -> Any:
        """The result for other arguments."""
        if self._replay is None:
            self._replay = Replay(cleaned(self))
        return self._unflatten(self._replay(self._given(args)))

    def _given(self, args: tuple[Any, ...]) -> list[Any]:
        """The arrays of a call, in the order of ``inputs``; an error if it does not fit."""
        if len(args) != len(self.arguments):
            raise ValueError(f"{self.name}: the program takes {len(self.arguments)} arguments, got {len(args)}")
        given = flatten_like(args, self.arguments, self.name)
        found = []
        for position, (value, leaf) in enumerate(zip(given, flatten_like(self.arguments, self.arguments, self.name))):
            if type(leaf) is not Value:
                if value is not leaf and not _equal(value, leaf):
                    where = places(self.arguments)[position]
                    raise ValueError(
                        f"{self.name}: argument {where} is {value!r:.40}, and was {leaf!r:.40} when the program was "
                        "captured; only floating-point numbers and arrays may change"
                    )
                continue
            found.append(self._fitted(value, leaf, position))
        return found

    def _fitted(self, value: Any, leaf: Value, position: int) -> Any:
        kind = type(value)
        if kind is leaf.kind and (kind is float or (value.shape == leaf.shape and value.dtype == leaf.dtype)):
            return value
        where = places(self.arguments)[position]
        if hasattr(value, "_node"):
            raise ValueError(f"{self.name}: argument {where} is a Tensor; a program computes on arrays: pass t.data")
        if leaf.kind is not np.ndarray and np.ndim(value) == 0 and not isinstance(value, np.ndarray):
            cast = leaf.kind(value)
            if cast == value or value != value:
                return cast
        if leaf.kind is np.ndarray and kind is not np.ndarray and isinstance(value, np.ndarray):
            value = value.view(np.ndarray)
            if value.shape == leaf.shape and value.dtype == leaf.dtype:
                return value
        raise ValueError(
            f"{self.name}: argument {where} has shape {np.shape(value)} and is {getattr(value, 'dtype', kind.__name__)}; "
            f"the program was captured for shape {leaf.shape}, {leaf.dtype}: capture it again for another one"
        )

    # -- reading ---------------------------------------------------------------------------------------------

    def source(self) -> str:
        """The text of a NumPy function that computes the same to the last bit, and runs without this library."""
        program = cleaned(self)
        names = Names(RESERVED | {self.name})
        named = {value: names.fresh(value.name or "x") for value in program.inputs}
        parameters = [mapped(lambda value: Text(named[value]), a) for a in program.arguments]
        head = [f"a{i}" if type(p) is not Text else p.text for i, p in enumerate(parameters)]
        lines = [f"def {self.name}({', '.join(head)}):"]
        unpacking = []
        for name, parameter in zip(head, parameters, strict=True):
            unpacking += _unpacked(name, parameter)
        writer = Writer(named, names)
        made = []
        for value, array in program.constants.items():
            made.append(f"{writer.target(value).text} = {array_text(array)}")
        statements = [*unpacking, *made, *body(list(program.instructions), writer)]
        result = self._unflatten([writer.text(o) if type(o) is Value else o for o in program.outputs])
        statements.append(f"return {literal(result)}")
        lines += [f"    {line}" if line else "" for line in statements]
        imports = ["import base64"] * any("base64." in line for line in made) + ["", "import numpy as np", "", ""]
        modules = sorted({word for word in _modules(program.instructions)})
        imports[-3:-3] = []
        return "\n".join([*imports[:-2], *[f"import {m}" for m in modules], "", "", *lines]).lstrip("\n") + "\n"

    __str__ = source

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the text to a file, whole or not at all."""
        write(path, self.source())

    def __repr__(self) -> str:
        guards = sum(isinstance(i.function, Guard) for i in self.instructions)
        return (
            f"<program {self.name}: {len(self.inputs)} inputs, {len(self.instructions)} instructions, "
            f"{guards} guards, {len(self.outputs)} outputs>"
        )


def _equal(one: Any, other: Any) -> bool:
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # what cannot be compared is another one
        return False


def _unpacked(name: str, parameter: Any) -> list[str]:
    """The statements that take an argument apart."""
    if type(parameter) is Text:
        return []
    if isinstance(parameter, dict):
        return [line for key, part in parameter.items() for line in _assigned(f"{name}[{key!r}]", part)]
    if isinstance(parameter, list | tuple):
        fields = getattr(parameter, "_fields", None)
        return [
            line
            for i, part in enumerate(parameter)
            for line in _assigned(f"{name}.{fields[i]}" if fields else f"{name}[{i}]", part)
        ]
    return []


def _assigned(place: str, part: Any) -> list[str]:
    return [f"{part.text} = {place}"] if type(part) is Text else _unpacked(place, part)


def _modules(instructions: Sequence[Instruction]) -> set[str]:
    """The modules besides NumPy whose functions a text names."""
    from .source import module_of

    return {m for i in instructions if (m := module_of(i.function)) and not m.startswith("np")}
