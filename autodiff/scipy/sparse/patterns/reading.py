"""Read the pattern of a program's Jacobian: run it once, on numbers and on sets of inputs side by side."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....program.expanding import expanded
from ....program.instruction import Guard, Instruction, Method, Value, mapped
from ....program.lowering import UFUNCS
from ....program.program import Program
from . import arithmetic, contracting, moving
from .sets import Sets
from .traced import Step, Traced, UnknownError, held, like, rules, traced_in, whole
from .writing import overwrite, spoil, write

__all__ = ["arithmetic", "contracting", "moving", "pattern_of"]  # modules too: importing them fills the rules


def pattern_of(program: Program, arrays: Sequence[Any]) -> Any:
    """Which outputs depend on which inputs: a sparse matrix of booleans, all outputs by all inputs.

    It has every entry that the Jacobian may have near these ``arrays``, and some that are zero: where a function is
    unknown, all its results depend on all its arguments.  Where an index or a branch was decided by values, the
    pattern is that of these arrays alone.
    """
    reader = _Reader(expanded(program))
    outputs = reader.run(arrays)
    return reader.sets.table(np.concatenate([np.zeros(0, np.intp), *[np.ravel(labels) for labels in outputs]]))


MISFIT = (UnknownError, ValueError, TypeError, IndexError, KeyError, StopIteration)
"""What a rule raises for a call that it was not written for: everything depends on everything then."""

_OPERATORS = UFUNCS | {operator.pow: np.power}
_REDUCTIONS: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min, np.logaddexp: np.sum,
    np.hypot: np.sum, np.fmax: np.max, np.fmin: np.min,
}  # fmt: skip


class _Reader:
    """A run of a program on :class:`Traced` values."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[Value, Traced] = {}
        self.sets = Sets(sum(int(np.prod(value.shape, dtype=int)) for value in program.inputs))

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        """The labels of each output."""
        start = 0
        for value, array in zip(self._program.inputs, arrays, strict=True):
            labels = self.sets.inputs(start, value.shape)
            self._known[value] = Traced(np.array(array) if np.ndim(array) else array, labels, True)
            start += labels.size
        for slot in self._program.reads:
            now = slot.places[0].read()
            self._known[slot.value] = self._constant(np.array(now) if isinstance(now, np.ndarray) else now)
        for value, array in self._program.constants.items():
            self._known[value] = self._constant(array)
        with np.errstate(all="ignore"):
            for instruction in self._program.instructions:
                if not isinstance(instruction.function, Guard):
                    self._do(instruction)
        return [self._labels(output) for output in self._program.outputs]

    def _constant(self, value: Any) -> Traced:
        shape = value.shape if isinstance(value, np.ndarray) else ()
        return Traced(value, np.zeros(shape, np.intp), False)

    def _labels(self, output: Any) -> Any:
        return self._known[output].labels if type(output) is Value else np.zeros(np.shape(output), np.intp)

    def _do(self, instruction: Instruction) -> None:
        known = self._known
        args = mapped(known.__getitem__, instruction.args)
        kwargs = mapped(known.__getitem__, instruction.kwargs)
        before = traced_in((args, kwargs))
        varies = any(one.moves for one in before)
        y = instruction.function(*held(args), **held(kwargs))
        step = Step(self.sets, _OPERATORS.get(instruction.function, instruction.function), args, kwargs, y)
        labels: Any = None
        targets = [known[value] for value in instruction.writes]
        if targets:
            labels = self._write(step, targets, varies)
        elif varies:
            labels = _carried(step)
        else:
            labels = like(y, lambda part: np.zeros(np.shape(part), np.intp))
        self._keep(instruction.result, y, labels, varies)

    def _write(self, step: Step, targets: list[Traced], varies: bool) -> Any:
        """Labels after a call that writes; those of what is new are returned."""
        try:
            if "out" in step.kwargs:
                clean = {name: value for name, value in step.kwargs.items() if name not in ("out", "where")}
                overwrite(step, targets, _carried(step._replace(kwargs=clean)))
            else:
                write(step, targets)
        except MISFIT:
            every = traced_in((step.args, step.kwargs))
            spoil(step, targets, self.sets.all_of(*[one.labels for one in every]))
        for target in targets:
            target.moves = target.moves or varies
        return whole(step) if step.y is not None else None

    def _keep(self, result: Any, y: Any, labels: Any, varies: bool) -> None:
        if type(result) is Value:
            if getattr(y, "dtype", np.dtype(type(y))).kind not in "fc":  # what counts or decides has no derivative
                labels = np.zeros(np.shape(y), np.intp)
            self._known[result] = Traced(y, np.asarray(labels), varies)
        elif isinstance(result, list | tuple):
            for part, value, found in zip(result, y, labels, strict=True):
                if part is not None:
                    self._keep(part, value, found, varies)


def _carried(step: Step) -> Any:
    """The labels of a call's results."""
    function = step.function
    if type(function) is Method and function not in rules:  # x.sum() is np.sum(x)
        function = getattr(np, function.__name__, function)
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        function, step = _of_ufunc(owner, function.__name__, step)
    step = step._replace(function=function)
    rule = rules.get(function)
    try:
        if rule is not None:
            return _fitting(rule(step), step)
        if isinstance(function, np.ufunc) and function.signature is None:
            return arithmetic.elementwise(step, step.args)
    except MISFIT:
        pass
    return whole(step)


def _fitting(labels: Any, step: Step) -> Any:
    """The labels, which have the shape of the result, or of each of the results."""
    several = isinstance(step.y, tuple | list)
    pairs = zip(labels, step.y, strict=True) if several else [(labels, step.y)]
    if any(np.shape(label) != np.shape(part) for label, part in pairs):
        raise UnknownError
    return labels


def _of_ufunc(ufunc: np.ufunc, method: str, step: Step) -> tuple[Any, Step]:
    """``np.add.reduce(a, axis)`` as the function that it is, with its axis."""
    if method == "reduce":
        given = step.given("array", "axis")
        axis = given.get("axis", 0)
        return _REDUCTIONS.get(ufunc, np.sum), step._replace(args=(given["array"], axis), kwargs={})
    if method == "accumulate":
        given = step.given("array", "axis")
        return np.cumsum, step._replace(args=(given["array"], given.get("axis", 0)), kwargs={})
    if method == "outer" and len(step.args) == 2:
        return np.outer, step
    return None, step
