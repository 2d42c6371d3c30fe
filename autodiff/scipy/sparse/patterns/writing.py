"""Calls that write into an array: its labels are written in the same way, and views of them see it."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ....program.instruction import Method
from .sets import Sets
from .traced import Step, Traced, UnknownError, held, labels_of

_IN_PLACE = frozenset({
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow, operator.imod, operator.ifloordiv,
})  # fmt: skip


def write(step: Step, targets: list[Traced]) -> None:
    """Change the labels of what a call has written into; raise UnknownError where that is not known."""
    function, args = step.function, step.args
    a: Any = args[0] if args else None
    if function is operator.setitem:
        a.labels[held(args[1])] = labels_of(args[2])
    elif function in _IN_PLACE:
        a.labels[...] = step.sets.either(a.labels, labels_of(args[1]))
    elif getattr(function, "__name__", "") == "at" and isinstance(getattr(function, "__self__", None), np.ufunc):
        _united_at(step.sets, a, held(args[1]), labels_of(args[2]) if len(args) > 2 else 0)
    elif function is np.copyto and set(step.kwargs) <= {"casting", "where"}:
        where = held(step.kwargs.get("where", True))
        a.labels[...] = np.where(where, np.broadcast_to(labels_of(args[1]), a.labels.shape), a.labels)
    elif type(function) is Method and function.__name__ == "fill":
        a.labels[...] = labels_of(args[1])
    elif function is np.fill_diagonal and not step.kwargs and len(args) == 2 and not np.ndim(held(args[1])):
        np.fill_diagonal(a.labels, labels_of(args[1]))
    else:
        raise UnknownError


def overwrite(step: Step, targets: list[Traced], labels: Any) -> None:
    """Put the labels of a result into what it was written to, by ``out=``."""
    parts = labels if isinstance(labels, list | tuple) else [labels]
    where = step.kwargs.get("where", True)
    if len(parts) != len(targets):
        raise UnknownError
    for target, part in zip(targets, parts, strict=True):
        if where is not True:
            part = step.sets.either(target.labels, np.broadcast_to(part, target.labels.shape))
        target.labels[...] = part


def spoil(step: Step, targets: list[Traced], label: int) -> None:
    """After a write that is not known, all of it depends on all that there was."""
    for target in targets:
        if isinstance(target.held, np.ndarray):
            target.labels[...] = step.sets.all_of(np.array(label), target.labels)


def _united_at(sets: Sets, a: Traced, index: Any, labels: Any) -> None:
    places = np.arange(a.labels.size).reshape(a.labels.shape)[index]
    labels = np.ravel(np.broadcast_to(labels, places.shape))
    places = np.ravel(places)
    different, back = np.unique(places, return_inverse=True)
    united = sets.grouped(back, labels, len(different))
    position = np.unravel_index(different, a.labels.shape)
    a.labels[position] = sets.either(a.labels[position], united)
