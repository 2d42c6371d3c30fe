"""Fusion: the calls of a program that C can make, in as few regions as their order allows."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import AUTO, C
from ..instruction import Instruction, Value
from ..naming import Names
from .blas import blas, is_for_blas
from .checks import looked_at
from .compiler import CompileError, library, warn
from .elements import TYPES
from .nests import Grouping, Places, operands_of, target_of
from .operations import Each, Fold, Operation, Pick, Product, View, is_of_numbers, operations
from .order import dependencies, may_fail, used
from .region import Region, head
from .storage import SMALL, stored
from .views import Place, viewed, whole
from .words import WORDS
from .writing import is_counting

if TYPE_CHECKING:
    from ..program import Program

_NUMPY, _C, _VIEW = "numpy", "c", "view"
FEW = 3
"""Calls that are worth a call of C."""
LARGE = 256
"""Elements; of more, NumPy's vectors are faster than C's functions one by one."""


def fused(program: Program, backend: str) -> Program:
    """The program with regions in the place of calls that C makes; as it is where nothing can be compiled."""
    try:
        fusion = Fusion(program, backend)
        if not fusion.regions:
            return program
        made = library(source_of(fusion.regions))
        for region in fusion.regions:
            region.bind(made)
        return fusion.program.with_instructions(fusion.instructions)
    except CompileError as error:
        if backend == C or "no C compiler" not in str(error):
            warn(error)
        return program


def source(program: Program) -> str:
    """What C computes of a program, to be read."""
    return source_of(Fusion(program, C).regions, entry=False)


def source_of(regions: Sequence[Region], *, entry: bool = True) -> str:
    """One file of C for all regions."""
    texts = [region.text for region in regions]
    entries = [region.entry for region in regions] if entry else []
    if entry:  # a function of the system's may have the same name, and would be called
        texts = [f"static {text}" for text in texts]
    return "\n".join([head("\n".join(texts), entry=entry), *texts, *entries])


class Fusion:
    """A program taken apart."""

    def __init__(self, program: Program, backend: str, names: Names | None = None, limit: int = SMALL) -> None:
        self.program, self.backend = looked_at(program), backend
        self.names = names or Names(set(WORDS))
        self.limit = limit
        """Larger products of matrices are made by BLAS."""
        self.places: Places = {}
        self.steps = self._translated()
        self.regions: list[Region] = []
        self.instructions = self._arranged()

    # -- what C can do -------------------------------------------------------------------------------------------

    def _translated(self) -> dict[Instruction, list[Operation]]:
        """For each call the operations that it is in C; none if it stays with NumPy."""
        found: dict[Instruction, list[Operation]] = {}
        for value in self.program.given_values:
            self._place(value)
        for value, array in self.program.constants.items():
            if value.dtype in TYPES and all(stride >= 0 for stride in array.strides):
                size = array.itemsize  # a copy may lie otherwise than what it was copied from
                self.places[value] = Place(value, 0, tuple(stride // size for stride in array.strides))
        for instruction in self.program.instructions:
            steps = [] if is_of_numbers(instruction) else operations(instruction)
            for step in steps:
                if not self._placed(step):
                    steps = []
                    break
            found[instruction] = steps
            for value in instruction.results:
                if value not in self.places:
                    self._place(value)
        return found

    def _place(self, value: Any) -> None:
        place = whole(value) if type(value) is Value and hasattr(value.dtype, "itemsize") else None
        if place is not None:
            self.places[value] = place

    def _placed(self, step: Operation) -> bool:
        """Whether it is known where the elements are that an operation reads and writes."""
        if not all(v in self.places for v in operands_of(step)):
            return False
        if isinstance(step, View):
            assert step.instruction is not None
            place = viewed(step.instruction, self.places[step.base])
            if place is not None:
                self.places[step.result] = place
            return place is not None
        if isinstance(step, Product):
            return self._is_multiplied(step)
        if isinstance(step, Each | Fold | Pick) and not (isinstance(step, Each) and step.into is not None):
            self._place(step.result)
        target = target_of(step)
        into = step.into if isinstance(step, Each) else None
        if into is not None and (into not in self.places or self.places[into].base in self.program.constants):
            return False
        if into is not None and any(self._overlaps(v, into) for v in operands_of(step)):
            return False
        if self.backend == AUTO and isinstance(step, Each) and step.slow and _size(step.result) > LARGE:
            return False
        return target is None or target in self.places

    def _overlaps(self, value: Value, into: Value) -> bool:
        """Whether a call would write over elements that it has still to read: NumPy makes a copy."""
        one, other = self.places[value], self.places[into]
        return one.base is other.base and (one != other or value.shape != into.shape)

    def _is_multiplied(self, step: Product) -> bool:
        self._place(step.result)
        (m, k), n = (1, *step.left.shape)[-2:], (*step.right.shape, 1)[1]
        if m * n * k <= self.limit:
            return True
        matrices = [(v, self.places[v].strides) for v in (step.left, step.right, step.result)]
        return (
            blas() is not None
            and all(len(v.shape) == 2 and is_for_blas(v.shape, strides) for v, strides in matrices)
            and self.places[step.result].strides[1] == 1
        )

    # -- in which order ------------------------------------------------------------------------------------------

    def _arranged(self) -> list[Instruction]:
        """Calls of NumPy's as early as they can be, those of C together; a view is looked at by both."""
        instructions = list(self.program.instructions)
        waiting, after = dependencies(instructions, self._fails, self._given())
        kind = [self._kind(i) for i in instructions]
        ready: dict[str, list[int]] = {_VIEW: [], _C: [], _NUMPY: []}
        for n, count in enumerate(waiting):
            if not count:
                heapq.heappush(ready[kind[n]], n)
        arranged: list[Instruction] = []
        run: list[Instruction] = []
        now = _NUMPY
        while any(ready.values()):
            if not ready[_VIEW] and not ready[now]:
                now = _C if now == _NUMPY else _NUMPY
                self._close(run, arranged)
                run = []
            n = heapq.heappop(ready[_VIEW] or ready[now])
            if now == _C and any(i.writes for i in run) and may_fail(self.steps[instructions[n]]):
                self._close(run, arranged)
                run = []
            (run if now == _C else arranged).append(instructions[n])
            for later in after[n]:
                waiting[later] -= 1
                if not waiting[later]:
                    heapq.heappush(ready[kind[later]], later)
        self._close(run, arranged)
        kept = used(arranged, self.program.results, {i for i in instructions if self._kind(i) == _VIEW})
        left = set(arranged).difference(kept)
        for view in reversed([i for i in arranged if i in left]):  # at which C alone looks
            for region in self.regions:
                if any(view.result in i.operands for i in region.instructions):
                    region.instructions = view, *region.instructions
                    break
        return kept

    def _given(self) -> set[Value]:
        """The arrays that come from outside."""
        return {value for value in self.program.given_values if value.kind is np.ndarray}

    def _kind(self, instruction: Instruction) -> str:
        steps = self.steps[instruction]
        return _NUMPY if not steps else _VIEW if isinstance(steps[-1], View) else _C

    def _fails(self, instruction: Instruction) -> bool:
        """Whether a call may raise an error."""
        steps = self.steps[instruction]
        return may_fail(steps) if steps else not isinstance(instruction.function, np.ufunc)

    def _close(self, run: list[Instruction], arranged: list[Instruction]) -> None:
        """Make a region of some calls, if that is worth it."""
        real = [i for i in run if not all(isinstance(s, View) for s in self.steps[i])]
        if not real or (self.backend == AUTO and len(real) < FEW):
            arranged += run
            return
        mine = {v for i in run for v in i.results}
        inside = set(run)
        needed = set(self.program.results)
        for instruction in self.program.instructions:
            if instruction not in inside:
                needed.update(instruction.operands)
        views: list[Instruction] = []
        for instruction in reversed(run):  # a view that others need is looked at again by NumPy
            result = instruction.result
            if self._kind(instruction) == _VIEW and result in needed:
                needed.update(instruction.operands)
                views.append(instruction)
        seen = [v for v in mine if v in needed and self.places[v].base is v]
        region = self._region(run, seen)
        region.calls, region.instructions = len(real), tuple(run)
        line = next((i.line for i in run if i.line), None)
        errors = run[-1].errors if all(i.errors == run[-1].errors for i in run) else ""
        made = tuple(region.results)
        bases = dict.fromkeys(self.places[v].base for i in run for v in i.writes)
        writes = tuple(v for v in bases if v in region.operands or v in made)
        arranged.append(
            Instruction(region, tuple(region.operands), result=made or None, writes=writes, line=line, errors=errors)
        )
        arranged += reversed(views)

    def _region(self, run: list[Instruction], seen: list[Value]) -> Region:
        grouping = Grouping(self.places)
        constants = {v: a for v, a in self.program.constants.items() if v in self.places}
        grouping.counts = frozenset(v for v, a in constants.items() if is_counting(a))
        for instruction in run:
            for step in self.steps[instruction]:
                if not isinstance(step, View):
                    grouping.add(step)
        order = {v: n for n, i in enumerate(run) for v in i.results}
        results = sorted(seen, key=lambda v: order[v])
        storage = stored(grouping.kernels, self.places, set(constants), results)
        storage.limit = self.limit
        name = self.names.fresh(self.program.name)
        region = Region(name, grouping.kernels, self.places, constants, storage)
        self.regions.append(region)
        return region


def _size(value: Value) -> int:
    return int(np.prod(value.shape, dtype=np.int64))
