"""Random programs: compositions of registered operations that run on any library with NumPy's names.

A program is a list of steps, each a call of an operation on inputs and earlier results.  It is a value: it can be run,
checked, printed as Python, and pasted.  :func:`programs` draws them; fewer steps, inputs in the place of steps,
smaller shapes and simpler numbers are simpler programs, so a failure shrinks to the operations that make it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from ...primitive import Domain, Primitive, registry
from ..table.samples import Entry
from ..table.spelling import function_in, is_indexing, spelled, written
from .calls import filled, slots, texts

if TYPE_CHECKING:
    from .outline import Outline

Array = Any


class Operand(NamedTuple):
    """What a step takes: a value by its number, as it is or brought into the domain of the operation.

    With a ``scale`` it is ``middle + scale * arctan(value)``; with a ``base`` it is ``base + 0.1 * arctan(value)``,
    which stays as well-conditioned as the base.  arctan, because its slope fades slowly: gradients still come through.
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
    """One call of an operation: its arguments with a Sample in the place of each operand, and which output is used."""

    entry: Entry
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operands: tuple[Operand, ...]
    output: int | None = None

    @property
    def takes(self) -> list[int]:
        """The numbers of the values that it takes."""
        return [i for o in self.operands for i in (o.value, o.base) if i is not None]

    def renumbered(self, order: Mapping[int, int]) -> Step:
        """The same step where value ``i`` has the number ``order[i]``."""
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

    ``arrays`` are inputs at which it is defined and smooth; ``steps`` are its operations; ``results`` are the numbers
    of the values that no later step takes, which it returns (a tuple, if there are several).  ``repr`` is Python code.
    """

    arrays: tuple[Array, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]

    def __call__(self, *arrays: Any) -> Any:
        return self.run(np, *arrays)

    def run(self, numpy: Any, *arrays: Any) -> Any:
        """The same program with another library's functions of the same names, such as ``jax.numpy``.

        Raises NotImplementedError if the library has no function of some name.
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
        """How many operations the longest path from an input to a result passes through."""
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


# -- making a program legal at its inputs ------------------------------------------------------------------------


def squashed(value: int, domain: Domain) -> Operand:
    """The operand that maps all numbers smoothly into the middle of a domain."""
    low, high, kinks = domain
    low = max([low, *[kink for kink in kinks if low < kink < high]])
    return Operand(value, round((low + high) / 2, 3), round((high - low) * 0.8 / np.pi, 3))


def inside(values: Array, domain: Domain, at_kinks: bool) -> bool:
    """Whether all values lie inside of a domain, away from its ends and (unless ``at_kinks``) its kinks."""
    low, high, kinks = domain
    margin = min(0.1, (high - low) / 40)
    within = bool(np.all((values > low + margin) & (values < high - margin)))
    return within and (at_kinks or all(bool(np.all(np.abs(values - kink) > margin)) for kink in kinks))


def settled(step: Step, values: list[Array], at_kinks: bool) -> Step:
    """The step with each operand that lies outside of its domain brought into it."""
    places = slots((*step.args, *step.kwargs.values()))
    operands = []
    for operand, place in zip(step.operands, places, strict=True):
        value = values[operand.value]
        suits = place.make is not None or np.iscomplexobj(value) or inside(value, place.domain, at_kinks)
        operands.append(operand if suits else squashed(operand.value, place.domain))
    return replace(step, operands=tuple(operands))


PROBE = 1e-4


def is_smooth(program: Program) -> bool:
    """Whether every value of the program changes smoothly when the inputs move a little: no kink or jump near by."""
    rng = np.random.default_rng(len(program.steps))
    directions = [rng.choice([-1.0, 1.0], np.shape(a)) * rng.uniform(0.5, 1.0, np.shape(a)) for a in program.arrays]
    sides: list[list[Array]] = []
    with np.errstate(all="ignore"):
        for t in (0.0, PROBE, -PROBE):
            moved = [a + (t * d).astype(a.dtype) for a, d in zip(program.arrays, directions, strict=True)]
            sides.append(program.values(np, *moved))
        for here, after, before in zip(*sides, strict=True):
            if not (np.shape(here) == np.shape(after) == np.shape(before) and np.isfinite(here).all()):
                return False
            bend = np.abs((after - here) - (here - before))
            slope = np.abs(after - here) + np.abs(here - before)
            if not np.all(bend <= 1e-2 * PROBE + 1e-2 * slope):
                return False
    return True


# -- which operations --------------------------------------------------------------------------------------------


def smooth_entries() -> list[Primitive]:
    """The elementwise operations that are smooth in the middle of their domain, in a fixed order."""
    found = [e for e in registry.values() if isinstance(e, Primitive) and e.elementwise and _is_smooth(e)]
    return sorted(found, key=lambda e: (len(e.parameters), e.name))


def _is_smooth(entry: Primitive) -> bool:
    if len(entry.parameters) > 2 or any(rule is None for rule in entry.rules.values()):
        return False
    return len(entry.domain) == len(entry.parameters) and entry.analytic


@st.composite
def programs(
    draw: Any,
    max_depth: int = 8,
    entries: Sequence[Any] | None = None,
    *,
    dtype: Any = np.float64,
    at_kinks: bool = False,
) -> Program:
    """Random programs of depth up to ``max_depth``: any registered operations on any shapes, with diamonds.

    ``entries`` are the operations to choose from, as functions or entries (default: every one of the table that NumPy
    has, that takes real numbers and has a derivative).  The inputs are short decimals of ``dtype`` at which every step
    is defined and, unless ``at_kinks``, smooth.  Raises KeyError for a function that is not registered.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import programs
    >>> find(programs(entries=[np.exp, np.tanh]), lambda p: p.depth > 1 and p.names[-1] == "tanh")
    def program(a):
        v0 = np.exp(a)
        v1 = np.tanh(v0)
        return v1
    <BLANKLINE>
    program(np.array(0.0))
    """
    from .outline import Outline  # it knows Step

    outline = Outline(draw, max_depth, entries)
    outline.grow()
    if not outline.steps:
        reject()
    program = _filled_in(outline, outline.inputs(dtype, at_kinks), at_kinks)
    if not (at_kinks or is_smooth(program)):
        reject()
    return program


def _filled_in(outline: Outline, arrays: list[Array], at_kinks: bool) -> Program:
    """The program of an outline at these inputs, with each step made legal there."""
    values = list(arrays)
    steps: list[Step] = []
    with np.errstate(all="ignore"):
        for number, step in enumerate(outline.renumbered()):
            step = settled(step, values, at_kinks)
            try:
                result = step.run(values, np)
            except Exception:  # the numbers do not suit it: a singular matrix, say
                reject()
            if np.iscomplexobj(result) != outline.is_complex(number) or not np.isfinite(result).all():
                reject()
            values.append(result)
            steps.append(step)
    taken = {i for step in steps for i in step.takes}
    return Program(tuple(arrays), tuple(steps), tuple(i for i in range(len(arrays), len(values)) if i not in taken))
