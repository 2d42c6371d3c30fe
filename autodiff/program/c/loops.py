"""The loops of a nest, as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Value
from .elements import FLOATS, TYPES, cast, local_type, number, unsigned
from .nests import CELL, ROW, Nest, is_of_row
from .operations import Each, Fold, Operation, Pick
from .storage import is_array
from .views import broadcast
from .writing import OUTSIDE, bracketed, is_counting

if TYPE_CHECKING:
    from .text import FunctionText

_START = {"sum": "0", "prod": "1", "max": "-INFINITY", "min": "INFINITY", "any": "0", "all": "1", "nan": "0"}
_JOIN = {"sum": "+", "prod": "*", "any": "|", "all": "&", "nan": "|"}


class NestText:
    """Writes the loops of a nest."""

    def __init__(self, function: FunctionText, nest: Nest) -> None:
        self.function, self.nest = function, nest
        self.places, self.storage = function.places, function.storage
        self.groups = self._collapsed()
        self.known: set[Value] = set()
        """Values that are variables here and now."""

    # -- which axes are one loop ---------------------------------------------------------------------------------

    def _collapsed(self) -> list[list[int]]:
        """Axes that lie one after the other in every array are one loop; the last group is that of the columns."""
        shape = self.nest.shape
        plain = all(
            level == CELL and not (isinstance(s, Fold) and is_of_row(self.nest, s)) for s, level in self.nest.steps
        )
        plain = plain and not any(isinstance(s, Pick) for s, _ in self.nest.steps)
        accesses = [strides for step, level in self.nest.steps for strides in self._all_strides(step, level)]
        groups: list[list[int]] = []
        for axis in range(len(shape)):
            is_last = axis == len(shape) - 1
            if groups and (plain or not is_last):
                before = groups[-1][-1]
                if shape[axis] == 1:
                    continue
                if shape[before] == 1:
                    groups[-1] = [axis]
                    continue
                if all(s[before] == s[axis] * shape[axis] for s in accesses):
                    groups[-1].append(axis)
                    continue
            groups.append([axis])
        return groups

    def _all_strides(self, step: Operation, level: str) -> Iterator[tuple[int, ...]]:
        values = [o for o in getattr(step, "operands", ()) if type(o) is Value]
        for value in values:
            yield self.strides(value, level)
        assert step.result is not None
        if isinstance(step, Pick):
            yield from self._strides_of_indices(step)
            yield self._strides_of_rest(step)
        if isinstance(step, Fold):
            yield self._folded_strides(step) if level == CELL else (0,) * len(self.nest.shape)
        else:
            yield self.strides(step.result, level)

    def strides(self, value: Value, level: str) -> tuple[int, ...]:
        """The strides of a value over the axes of the nest."""
        shape, place = self.nest.shape, self.places[value]
        if level == ROW:
            lead = shape[:-1]
            if len(value.shape) == len(shape):
                return (*broadcast(place, value.shape, (*lead, 1))[:-1], 0)
            return (*broadcast(place, value.shape, lead), 0)
        return broadcast(place, value.shape, shape)

    def _folded_strides(self, fold: Fold) -> tuple[int, ...]:
        """The strides of a result over the axes that it is reduced from: 0 along those."""
        place = self.places[fold.result]
        if len(fold.result.shape) == len(self.nest.shape):
            return tuple(0 if a in fold.axes else s for a, s in enumerate(place.strides))
        kept = iter(place.strides)
        return tuple(0 if a in fold.axes else next(kept) for a in range(len(self.nest.shape)))

    def _index(self, offset: int, strides: tuple[int, ...], *, columns: bool = True) -> str:
        """An index as a sum."""
        parts = [str(offset)] if offset else []
        for variable, group in zip(self.variables, self.groups, strict=True):
            step = strides[group[-1]]
            if step and (columns or variable != "j"):
                parts.append(variable if step == 1 else f"{step} * {variable}")
        return " + ".join(parts).replace("+ -", "- ") or "0"

    # -- the loops -----------------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[str]:
        """The names of the indices."""
        return [f"i{n if n > 1 else ''}" for n in range(1, len(self.groups))] + ["j"]

    def _lengths(self) -> list[int]:
        return [math.prod(self.nest.shape[axis] for axis in group) for group in self.groups]

    def lines(self) -> list[str]:
        """The nest, with what is before and after it."""
        before, after = self._accumulators()
        inner = list(self._row())
        *outer, _ = zip(self.variables, self._lengths(), strict=True)
        for variable, length in reversed(outer):
            inner = [f"for (long {variable} = 0; {variable} < {length}; {variable}++) {{", *_indented(inner), "}"]
        picks = any(isinstance(step, Pick) for step, _ in self.nest.steps)
        return [*before, *inner, *[f"if (outside) return {OUTSIDE};"] * picks, *after]

    def _accumulators(self) -> tuple[list[str], list[str]]:
        """What reductions that end with the nest start from, and what they become."""
        before: list[str] = []
        after: list[str] = []
        for step, _ in self.nest.steps:
            if not isinstance(step, Fold) or step.result in self.nest.rows:
                continue
            result = step.result
            name = self.function.name_of(result)
            start = _start(step)
            if result.shape == () and result not in self.storage.written:
                total, bad = self._sum_name(step), self._nan_name(step)
                before.append(f"{_wide(step)} {total} = {start};")
                if step.how in ("max", "min") and step.loop.kind == "f":
                    before.append(f"int {bad} = 0;")
                    after.append(f"if ({bad}) {total} = NAN;")
                final = self.function.in_memory(result)
                local = f"{name}{'_' * final}"
                after.append(f"const {local_type(result.dtype)} {local} = ({local_type(result.dtype)}){total};")
                after += [f"{name}[0] = {local};"] * final
            else:
                size = math.prod(result.shape)
                before.append(f"for (long k = 0; k < {size}; k++) {name}[k] = {start};")
        return before, after

    def _row(self) -> Iterator[str]:
        """What is done in a row: loops over the columns, and between them what is done once."""
        stages = max(self.storage.stage[step] for step, _ in self.nest.steps)
        for stage in range(stages + 1):
            here = [(s, level) for s, level in self.nest.steps if self.storage.stage[s] == stage]
            for step, level in here:
                if level == ROW:
                    yield from self._once(step)
            cells = [step for step, level in here if level == CELL]
            if cells:
                yield from self._columns(cells)

    def _columns(self, cells: list[Operation]) -> Iterator[str]:
        folds = [s for s in cells if isinstance(s, Fold) and self._is_summed(s)]
        clauses: list[str] = []
        after: list[str] = []
        for fold in folds:
            name = self._sum_name(fold)
            operator = _JOIN.get(fold.how, fold.how)
            extreme = fold.how in ("max", "min") and fold.loop.kind == "f"
            whole = self._is_whole(fold)
            if not whole:
                yield f"{_wide(fold)} {name} = {_start(fold)};"
                yield from [f"int {self._nan_name(fold)} = 0;"] * extreme
            clauses.append(f"reduction({operator}:{name})")
            if extreme:
                clauses.append(f"reduction(|:{self._nan_name(fold)})")
            if not whole:
                after += [f"if ({self._nan_name(fold)}) {name} = NAN;"] * extreme
                after += self._finished(fold, name)
        if not any(isinstance(s, Pick) for s in cells):
            yield f"#pragma omp simd {' '.join(clauses)}".rstrip()
        yield f"for (long j = 0; j < {self._lengths()[-1]}; j++) {{"
        self.known -= self.nest.cells  # variables of an earlier loop are gone
        for step in cells:
            yield from _indented(list(self._cell(step)))
        yield "}"
        yield from after

    def _is_summed(self, fold: Fold) -> bool:
        """Whether a reduction runs along the columns."""
        return self.groups[-1][-1] in fold.axes

    def _is_whole(self, fold: Fold) -> bool:
        """Whether a reduction is one number, that the nest ends with."""
        return fold.result not in self.nest.rows and fold.result.shape == () and fold.result not in self.storage.written

    def _sum_name(self, fold: Fold) -> str:
        return self.function.beside(fold.result, fold.how)

    def _nan_name(self, fold: Fold) -> str:
        return self.function.beside(fold.result, "nan")

    def _finished(self, fold: Fold, name: str) -> list[str]:
        """A reduction at the end of a row."""
        result = fold.result
        kind = local_type(result.dtype)
        if result in self.nest.rows:
            local = self._own_name(result)
            lines = [f"const {kind} {local} = ({kind}){name};"]
            self.known.add(result)
            if self.function.in_memory(result):
                lines.append(f"{self.function.name_of(result)}[{self._index(0, self.strides(result, ROW))}] = {local};")
            return lines
        target = f"{self.function.name_of(result)}[{self._index(0, self._folded_strides(fold), columns=False)}]"
        total = name if fold.how in ("any", "all", "nan") else f"({TYPES[fold.loop]}){name}"
        return [f"{target} = {_joined(fold, target, total)};"]

    def _own_name(self, value: Value) -> str:
        """The variable of a value that may be in memory, too."""
        name = self.function.name_of(value)
        return f"{name}_" if self.function.in_memory(value) or value in self.storage.rows else name

    # -- one operation -------------------------------------------------------------------------------------------

    def element(self, value: Value, level: str, dtype: Any) -> str:
        """An element of an operand, as the loop's dtype."""
        place = self.places[value]
        base = place.base
        found = self.function.literal(base, dtype)
        if found is not None:
            return found
        if base in self.known and base not in self.storage.written:
            return cast(self._own_name(base), base.dtype, dtype)
        if base in self.function.constants and is_counting(self.function.constants[base]):
            index = self._index(place.offset, self.strides(value, level))
            return f"({TYPES[dtype]})({index})"
        if (
            base.shape == ()
            and not (base in self.storage.parameters and is_array(base))
            and base not in self.storage.kept
        ):
            name = self.function.name_of(base) + "_" * (base in self.storage.results)
            return self.function.typed(value, name, dtype)
        if base in self.storage.rows:
            return cast(f"{self.function.name_of(base)}[j]", base.dtype, dtype)
        index = self._index(place.offset, self.strides(value, level))
        return cast(f"{self.function.name_of(base)}[{index}]", value.dtype, dtype)

    def _texts(self, step: Each | Fold, level: str) -> list[str]:
        loops = step.loops if isinstance(step, Each) else (step.loop,) * len(step.operands)
        return [
            self.element(o, level, loop) if type(o) is Value else bracketed(number(o, loop))
            for o, loop in zip(step.operands, loops, strict=True)
        ]

    def _cell(self, step: Operation) -> Iterator[str]:
        if isinstance(step, Fold):
            yield from self._folded(step, CELL)
            return
        assert isinstance(step, Each | Pick)
        text = self.function.expression(step, self._texts(step, CELL)) if isinstance(step, Each) else self._picked(step)
        yield from self._assigned(step, text, CELL)

    def _assigned(self, step: Each | Pick, text: str, level: str) -> Iterator[str]:
        result = step.result
        place = self.places[result]
        base = place.base
        if base in self.storage.written:
            yield f"{self.function.name_of(base)}[{self._index(place.offset, self.strides(result, level))}] = {text};"
            return
        name = self._own_name(result)
        yield f"const {local_type(result.dtype)} {name} = {text};"
        self.known.add(result)
        if result in self.storage.rows:
            yield f"{self.function.name_of(result)}[j] = {name};"
        elif self.function.in_memory(result):
            yield f"{self.function.name_of(result)}[{self._index(0, self.strides(result, level))}] = {name};"

    def _folded(self, fold: Fold, level: str) -> Iterator[str]:
        """One more element of a reduction."""
        one_by_one = not self._is_whole(fold) if level == ROW else not self._is_summed(fold)
        wide = fold.how in ("sum", "prod") and fold.loop == FLOATS[0] and not one_by_one
        texts = self._texts(fold, level)
        if fold.how in ("any", "all", "nan"):
            texts = [f"({text} != {text if fold.how == 'nan' else 0})" for text in texts]
        text = " * ".join(f"(double){text}" if wide else text for text in texts)
        if one_by_one:
            index = "0" if level == ROW else self._index(0, self._folded_strides(fold))
            target = f"{self.function.name_of(fold.result)}[{index}]"
            yield f"{target} = {_joined(fold, target, text)};"
            return
        name = self._sum_name(fold)
        if fold.how in ("max", "min") and fold.loop.kind == "f":
            yield f"{self._nan_name(fold)} |= {text} != {text};"
        yield f"{name} = {_joined(fold, name, text, plain=True)};"

    def _once(self, step: Operation) -> Iterator[str]:
        """What is done once in a row."""
        if isinstance(step, Fold):
            yield from self._folded(step, ROW)
            return
        assert isinstance(step, Each | Pick)
        text = self.function.expression(step, self._texts(step, ROW)) if isinstance(step, Each) else self._picked(step)
        yield from self._assigned(step, text, ROW)

    def _is_local(self, step: Pick) -> bool:
        """Whether an element is picked from the row that was just made."""
        return self.places[step.array].base in self.nest.cells

    def _strides_of_indices(self, step: Pick) -> list[tuple[int, ...]]:
        """The strides of each index over the axes of the nest."""
        shape = self.nest.shape
        trailing = 1 if self._is_local(step) else len(step.array.shape) - len(step.indices)
        over = shape[: len(shape) - trailing]
        return [broadcast(self.places[v], v.shape, over) + (0,) * trailing for v in step.indices]

    def _strides_of_rest(self, step: Pick) -> tuple[int, ...]:
        """The strides of the array along the axes that no index picks from."""
        if self._is_local(step):
            return (*self.strides(step.array, CELL)[:-1], 0)
        rest = self.places[step.array].strides[len(step.indices) :]
        return (0,) * (len(self.nest.shape) - len(rest)) + rest

    def _picked(self, step: Pick) -> str:
        """An element whose indices are values."""
        place = self.places[step.array]
        base = place.base
        local = self._is_local(step)
        indices = []
        for axis, (value, strides) in enumerate(zip(step.indices, self._strides_of_indices(step), strict=True)):
            if local and axis == 0:
                continue
            at = self.places[value]
            counting = at.base in self.function.constants and is_counting(self.function.constants[at.base])
            index = self._index(at.offset, strides)
            length = step.array.shape[axis]
            text = f"({index})" if counting else f"{self.function.name_of(at.base)}[{index}]"
            indices.append((f"within({text}, {length}, &outside)", place.strides[axis]))
        if local and base in self.storage.rows:
            return f"{self.function.name_of(base)}[{indices[0][0]}]"
        start = self._index(place.offset, self._strides_of_rest(step), columns=not local)
        parts = [start] * (start != "0") + [f"{stride} * {text}" for text, stride in indices]
        return f"{self.function.name_of(base)}[{' + '.join(parts)}]"


def _wide(fold: Fold) -> str:
    """The type that a reduction is made in: sums of single numbers are double."""
    if fold.how in ("any", "all", "nan"):
        return "int"
    return "double" if fold.how in ("sum", "prod") and fold.loop.kind == "f" else TYPES[fold.loop]


def _start(fold: Fold) -> str:
    if fold.how in ("max", "min") and fold.loop.kind != "f":
        info: Any = np.iinfo(fold.loop)
        return number(info.min if fold.how == "max" else info.max, fold.loop)
    return _START[fold.how]


def _joined(fold: Fold, target: str, text: str, *, plain: bool = False) -> str:
    """A reduction so far, with one more element."""
    if fold.how in ("sum", "prod") and fold.loop.kind in "iu":
        kind, wide = TYPES[fold.loop], unsigned(fold.loop)
        return f"({kind})(({wide}){target} {_JOIN[fold.how]} ({wide}){text})"
    if fold.how in _JOIN:
        return f"{target} {_JOIN[fold.how]} {text}"
    if plain or fold.loop.kind != "f":
        sign = ">" if fold.how == "max" else "<"
        return f"{text} {sign} {target} ? {text} : {target}"
    return f"{fold.how}imum_{'f32' if fold.loop == FLOATS[0] else 'f64'}({target}, {text})"


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
