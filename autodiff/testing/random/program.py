"""Programs: compositions of registered operations that run on any library with NumPy's names.

A program is a list of steps.  Each step is a call of an operation on inputs and earlier results.  A program can be run,
checked, and printed as Python code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..literals import written
from ..table.samples import Entry
from ..table.spelling import function_in, is_indexing, spelled
from .calls import filled, texts

Array = Any


class Operand(NamedTuple):
    """The operand of a step: a value by its number, unchanged or moved into the domain of the operation.

    With a ``scale`` it is ``middle + scale * arctan(value)``.  With a ``base`` it is ``base + 0.1 * arctan(value)``,
    which is as well-conditioned as the base.  The slope of arctan decreases slowly, so gradients do not vanish.
    """

    value: int
    middle: float = 0.0
    scale: float = 0.0
    base: int | None = None

    def of(self, values: Sequence[Any], numpy: Any) -> Any:
        """The operand itself."""
        if self.base is not None:
            return values[self.base] + 0.1 * numpy.arctan(values[self.value])
        if not self.scale:
            return values[self.value]
        return self.middle + self.scale * numpy.arctan(values[self.value])

    def text(self, names: Sequence[str]) -> str:
        """The same in Python."""
        name = names[self.value]
        if self.base is not None:
            return f"{names[self.base]} + 0.1 * np.arctan({name})"
        if not self.scale:
            return name
        return (f"{self.middle} + " if self.middle else "") + f"{self.scale} * np.arctan({name})"


@dataclass(frozen=True)
class Step:
    """One call of an operation: its arguments with a Sample instead of each operand, and the output that is used."""

    entry: Entry
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operands: tuple[Operand, ...]
    output: int | None = None

    @property
    def takes(self) -> list[int]:
        """The numbers of the values that it uses."""
        return [i for o in self.operands for i in (o.value, o.base) if i is not None]

    def renumbered(self, order: Mapping[int, int]) -> Step:
        """The same step, with value ``i`` numbered ``order[i]``."""
        operands = [
            o._replace(value=order[o.value], base=None if o.base is None else order[o.base]) for o in self.operands
        ]
        return replace(self, operands=tuple(operands))

    def run(self, values: Sequence[Any], numpy: Any) -> Any:
        """The result, from the values of the inputs and of the steps before."""
        rest = iter([operand.of(values, numpy) for operand in self.operands])
        args = [filled(a, rest) for a in self.args]
        kwargs = {k: filled(v, rest) for k, v in self.kwargs.items()}
        result = function_in(self.entry, numpy)(*args, **kwargs)
        return result if self.output is None else result[self.output]

    def text(self, names: Sequence[str]) -> str:
        """The same in Python."""
        rest = iter(self.operands)
        args, kwargs = texts(self.entry, self.args, self.kwargs, lambda: next(rest).text(names))
        if is_indexing(self.entry) and not args[0].isidentifier():
            args[0] = f"({args[0]})"
        return spelled(self.entry, args, kwargs) + ("" if self.output is None else f"[{self.output}]")


@dataclass(frozen=True)
class Program:
    """A composition of operations: ``program(*program.arrays)`` runs it on arrays, Tensors, or a mixture.

    ``arrays`` are inputs at which it is defined and smooth.  ``steps`` are its operations.  ``results`` are the numbers
    of the values that no later step uses; the program returns these (a tuple, if there are several).  ``repr`` is
    Python code.
    """

    arrays: tuple[Array, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]

    def __call__(self, *arrays: Any) -> Any:
        return self.run(np, *arrays)

    def run(self, numpy: Any, *arrays: Any) -> Any:
        """The same program with the functions of another library, such as ``jax.numpy``.

        Raises NotImplementedError if the library does not have a function of this name.
        """
        values = self.values(numpy, *arrays)
        found = tuple(values[i] for i in self.results)
        return found[0] if len(found) == 1 else found

    def values(self, numpy: Any, *arrays: Any) -> list[Any]:
        """The inputs and the result of every step, in order."""
        values = list(arrays)
        for step in self.steps:
            values.append(step.run(values, numpy))
        return values

    @property
    def depth(self) -> int:
        """The number of operations on the longest path from an input to a result."""
        depths = [0] * len(self.arrays)
        for step in self.steps:
            depths.append(1 + max((depths[i] for i in step.takes), default=0))
        return max(depths)

    @property
    def names(self) -> list[str]:
        """The names of the operations, in order."""
        return [step.entry.name for step in self.steps]

    def __repr__(self) -> str:
        count = len(self.arrays)
        names = [chr(ord("a") + i) if count <= 8 else f"x{i}" for i in range(count)]
        names += [f"v{i}" for i in range(len(self.steps))]
        lines = [f"def program({', '.join(names[:count])}):"]
        for i, step in enumerate(self.steps):
            lines.append(f"    {names[count + i]} = {step.text(names)}")
        lines.append(f"    return {', '.join(names[i] for i in self.results)}")
        return "\n".join([*lines, "", f"program({', '.join(map(written, self.arrays))})"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("\n" + repr(self) + "\n")  # Hypothesis would print the fields of a dataclass
