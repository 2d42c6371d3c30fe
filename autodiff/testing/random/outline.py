"""The outline of a random program: operations, and operands whose shapes fit, before any number is drawn.

Numbers are drawn last.  So they do not change if a step is removed or a shape changes while a failure shrinks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ...primitive import Example, Primitive, Sample, real, registry
from ..table.samples import Entry, entry_of
from ..table.spelling import dotted, is_indexing, is_public
from .arrays import tensors
from .calls import legal, made, pattern, slots, varied, with_shapes
from .program import Operand, Step

Array = Any
Shape = tuple[int, ...]
LARGEST = 36
"""How many elements a value may have."""
CHANCES, RARE = st.integers(1, 20), st.integers(1, 64)
"""Numbers to decide by, 1 for the simplest.  From 1: Hypothesis takes a number from 0 for a choice between strategies,
and spends half of its shrinking on drawing anew all that follows it."""
NOTHING = st.binary(max_size=0)
"""A draw that only counts: there is one value."""


def composable() -> list[Entry]:
    """The entries of the table for programs, the simplest first."""
    found = [e for e in registry.values() if dotted(e) is not None or is_indexing(e) or is_public(e)]
    found = [e for e in found if not getattr(e, "flat", False) and (_broadcasts(e) or usable_examples(e))]
    return sorted(found, key=lambda e: (not _broadcasts(e), not getattr(e, "analytic", False)))


def _broadcasts(entry: Entry) -> bool:
    return isinstance(entry, Primitive) and entry.elementwise and len(entry.domain) == len(entry.parameters)


@lru_cache(maxsize=1024)
def usable_examples(entry: Entry) -> tuple[Example, ...]:
    """The examples of real, finite numbers with a floating-point result, that can be written down."""
    return tuple(e for e in entry.examples if _is_usable(entry, e))


def _is_usable(entry: Entry, example: Example) -> bool:
    arguments = [*example.args, *example.kwargs.values()]
    places = slots(arguments)
    inside = [v for a in arguments for v in (a if isinstance(a, list) else [a])]
    if not places or any(callable(v) and not isinstance(v, type) for v in inside):
        return False
    if any(0 in s.shape or np.iscomplexobj(pattern(s)) or not np.isfinite(pattern(s)).all() for s in places):
        return False
    result = legal(entry, example)
    return result is not None and bool(_outputs(result))


def _outputs(result: Any) -> list[int | None]:
    """The outputs of a call that can be differentiated: their positions, or None for the result itself."""
    if isinstance(result, list | tuple):
        return [i for i, v in enumerate(result) if np.asarray(v).dtype.kind in "fc" and np.size(v)]
    return [None] if np.asarray(result).dtype.kind in "fc" and np.size(result) else []


def unified(pattern: Shape, shape: Shape, sizes: dict[int, int]) -> dict[int, int] | None:
    """The sizes of an example renamed so that its ``pattern`` becomes ``shape``; None if that cannot be."""
    if len(pattern) != len(shape):
        return None
    sizes = dict(sizes)
    for old, new in zip(pattern, shape, strict=True):
        if (old < 2 and old != new) or sizes.setdefault(old, new) != new:
            return None
    return sizes


def _first(example: Example) -> Shape:
    """The shape of an example's first array."""
    return slots((*example.args, *example.kwargs.values()))[0].shape


class Node:
    """A value of the future program: an input with its numbers, or the result of a step."""

    def __init__(self, shape: Shape, depth: int, sample: Sample | None = None, distinct: bool = False) -> None:
        self.shape, self.depth, self.sample, self.distinct = shape, depth, sample, distinct
        self.complex = False
        self.cut = False  # an input in the place of a step
        self.open = False  # whether nothing has yet been said of its numbers


class Outline:
    """The steps and inputs of a program without its numbers, in the order in which they were chosen."""

    def __init__(self, draw: Any, max_depth: int, entries: Sequence[Any] | None) -> None:
        if max_depth < 1:
            raise ValueError(f"programs: max_depth must be at least 1, got {max_depth}")
        self.draw, self.max_depth = draw, max_depth
        self.table = composable() if entries is None else [entry_of(e) for e in entries]
        if not self.table:
            raise ValueError("programs: entries is empty; name at least one operation")
        self.nodes: list[Node] = []
        self.steps: list[tuple[int, Step]] = []

    def grow(self) -> None:
        """Choose the steps."""
        most = self.max_depth + self.max_depth // 3
        for n in range(most):
            if not self.draw(_one_step(self, n == 0)):
                break

    def step(self) -> None:
        """Choose an operation and its operands; add nothing if they do not fit together."""
        entry = self.draw(st.sampled_from(self.table))
        before = len(self.nodes)
        if not (self._broadcast(entry) if _broadcasts(entry) else self._like_an_example(entry)):
            del self.nodes[before:]

    # -- one step ------------------------------------------------------------------------------------------------

    def _operand(self, fits: Any) -> int | None:
        """The choice for an operand: None for a new input, or a value that fits, usually the deepest.

        The drawn numbers have the same meaning whatever came before, so that steps can be removed.
        """
        kind, number = self.draw(CHANCES), int(self.draw(CHANCES))
        results = [
            i for i, n in enumerate(self.nodes)
            if n.depth < self.max_depth and not n.complex and (n.sample is None or n.cut) and fits(n.shape)
        ]  # fmt: skip
        inputs = [i for i, n in enumerate(self.nodes) if n.sample and not (n.cut or n.sample.make) and fits(n.shape)]
        others = [*reversed(results), *inputs]
        if kind == 1 or not others:
            return None
        if kind < 15 and results:
            return max(results, key=lambda i: self.nodes[i].depth)
        return others[number % len(others)]

    def _input(self, sample: Sample, distinct: bool = False) -> int:
        self.nodes.append(Node(sample.shape, 0, sample, distinct))
        return len(self.nodes) - 1

    def _suited(self, number: int, place: Sample, distinct: bool = False) -> bool:
        """Give the numbers of this place to an input that replaced a step; False for any other value."""
        node = self.nodes[number]
        if not node.open:
            return False
        node.open = False
        node.sample, node.distinct = place._replace(shape=node.shape), distinct
        return True

    def cut(self, before: int) -> None:
        """Replace the step, whose values are those from number ``before`` on, by one input."""
        shape = self.nodes[-1].shape
        self.steps = [(number, step) for number, step in self.steps if number < before]
        del self.nodes[before:]
        self._input(Sample(shape, real))
        self.nodes[-1].cut = self.nodes[-1].open = True

    def _broadcast(self, entry: Any) -> bool:
        """A step of an elementwise operation, on operands that broadcast."""
        result: Shape | None = None
        operands: list[Operand] = []
        for domain in entry.domain:
            chosen = self._operand(lambda s, r=result: _broadcastable(r, s))
            if chosen is None:
                chosen = self._input(Sample(self.draw(_broadcasting_with(result)), domain))
            shape = self.nodes[chosen].shape
            result = shape if result is None else np.broadcast_shapes(result, shape)
            self._suited(chosen, Sample(shape, domain))
            operands.append(Operand(chosen))
        assert result is not None
        return self._add(entry, Example(tuple(Sample((), d) for d in entry.domain), {}), operands, result, None)

    def _like_an_example(self, entry: Entry) -> bool:
        """A step like one of the entry's examples, with earlier values where they fit."""
        examples = usable_examples(entry)
        if not examples:
            return False
        example = self._example(examples)
        places = slots((*example.args, *example.kwargs.values()))
        sizes: dict[int, int] = {}
        chosen: list[int | None] = []
        for place in places:
            pick = self._operand(lambda s, p=place, z=sizes: unified(p.shape, s, z) is not None)
            shape = () if pick is None else self.nodes[pick].shape
            sizes = sizes if pick is None else unified(place.shape, shape, sizes) or sizes
            chosen.append(pick)
        for n in sorted({n for s in places for n in s.shape if n > 1} - set(sizes)):
            sizes[n] = self.draw(st.integers(1, 3))
        resized = with_shapes(example, [tuple(sizes.get(n, n) for n in s.shape) for s in places])
        for call in (self.draw(varied(entry, resized)), resized):
            result = legal(entry, call)
            if result is not None and _outputs(result):
                return self._add_call(entry, call, chosen, result)
        # sizes that only the example itself has: all of its arrays are new
        return self._add_call(entry, example, [None] * len(places), legal(entry, example))

    def _example(self, examples: Sequence[Example]) -> Example:
        """One of the examples, usually one whose first array the deepest value can be."""
        number, any_of_them = int(self.draw(st.integers(0, len(examples) - 1))), self.draw(CHANCES) < 5
        results = [n for n in self.nodes if n.sample is None and not n.complex and n.depth < self.max_depth]
        if any_of_them or not results:
            return examples[number]
        deepest = max(results, key=lambda n: n.depth)
        fitting = [e for e in examples if unified(_first(e), deepest.shape, {}) is not None]
        return fitting[number % len(fitting)] if fitting else examples[number]

    def _add_call(self, entry: Entry, call: Example, chosen: list[int | None], result: Any) -> bool:
        output = self.draw(st.sampled_from(_outputs(result)))
        value = np.asarray(result if output is None else result[output])
        if value.size > LARGEST:
            return False
        operands = []
        for place, pick in zip(slots((*call.args, *call.kwargs.values())), chosen, strict=True):
            if pick is None:
                operands.append(Operand(self._input(place, distinct=True)))
            elif self._suited(pick, place, distinct=True):
                operands.append(Operand(pick))
            elif place.make is not None:
                operands.append(Operand(pick, base=self._input(place, distinct=True)))
            else:
                operands.append(Operand(pick))
        return self._add(entry, call, operands, value.shape, output, value.dtype.kind == "c")

    def _add(
        self, entry: Entry, call: Example, operands: list[Operand], shape: Shape, output: int | None,
        is_complex: bool = False,
    ) -> bool:  # fmt: skip
        taken = [i for o in operands for i in (o.value, o.base) if i is not None]
        node = Node(shape, 1 + max(self.nodes[i].depth for i in taken))
        if int(np.prod(shape)) > LARGEST or node.depth + is_complex > self.max_depth:
            return False
        node.complex = is_complex
        self.steps.append((len(self.nodes), Step(entry, call.args, call.kwargs, tuple(operands), output)))
        self.nodes.append(node)
        if is_complex:  # a program is real: one part of a complex result goes on
            part = registry[self.draw(st.sampled_from([np.real, np.imag]))]
            whole = Operand(len(self.nodes) - 1)
            self.steps.append((len(self.nodes), Step(part, (Sample(()),), {}, (whole,))))
            self.nodes.append(Node(shape, node.depth + 1))
        return True

    # -- the numbers -----------------------------------------------------------------------------------------------

    def inputs(self, dtype: Any, at_kinks: bool) -> list[Array]:
        """Draw the inputs, in order."""
        found = []
        for node in map(self.nodes.__getitem__, self._inputs()):
            sample = node.sample
            assert sample is not None
            distinct = node.distinct and not at_kinks
            values = tensors(sample.shape, dtype, sample.domain, at_kinks=at_kinks, distinct=distinct)
            found.append(made(self.draw(values), sample))
        # No failure shrinks to more draws.  So a step draws as much as the input that may come into its place (an
        # array of distinct numbers: up to three draws for each of them), and cutting it never draws more.
        for number, _ in self.steps:
            for _ in range(3 * int(np.prod(self.nodes[number].shape)) + 1):
                self.draw(NOTHING)
        return found

    def _inputs(self) -> list[int]:
        """The numbers of the inputs that a step uses."""
        taken = {i for _, step in self.steps for i in step.takes}
        return [i for i, n in enumerate(self.nodes) if n.sample is not None and i in taken]

    def renumbered(self) -> Iterator[Step]:
        """The steps, with the inputs counted first and the results after them."""
        order = {old: new for new, old in enumerate([*self._inputs(), *[i for i, _ in self.steps]])}
        for _, step in self.steps:
            yield step.renumbered(order)

    def is_complex(self, number: int) -> bool:
        """Whether the result of step ``number`` is complex."""
        return self.nodes[self.steps[number][0]].complex


@st.composite
def _one_step(draw: Any, outline: Outline, first: bool) -> bool:
    """A step, and whether there was one; a strategy of its own, so that Hypothesis can remove it."""
    if not first and draw(CHANCES) == 1:
        return False
    is_cut = draw(RARE) == 1  # the simplest, so that a failure keeps the steps that it needs and no other
    before, steps = len(outline.nodes), len(outline.steps)
    outline.step()
    if is_cut and len(outline.steps) > steps:
        outline.cut(before)
    return True


def _broadcastable(result: Shape | None, shape: Shape) -> bool:
    if result is None:
        return True
    try:
        together = np.broadcast_shapes(result, shape)
    except ValueError:
        return False
    return int(np.prod(together)) <= LARGEST


def _broadcasting_with(result: Shape | None) -> Any:
    """Shapes that broadcast with the operands so far; any, if there are none."""
    if result is None:
        return hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)
    return hnp.broadcastable_shapes(result, min_dims=0, max_dims=max(3, len(result)), min_side=1, max_side=3)
