"""Functions of single elements, and reductions: unions by broadcasting, and along axes."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .sets import Labels, Sets
from .traced import Step, UnknownError, carries, held, labels_of, like, moves, with_zeros

FLAT = frozenset({
    np.floor, np.ceil, np.trunc, np.rint, np.sign, np.heaviside, np.signbit, np.spacing, np.round, np.around, np.fix,
})  # fmt: skip
"""Functions whose derivative is zero wherever there is one."""


def elementwise(step: Step, operands: tuple[Any, ...]) -> Any:
    """The union of the operands' sets, element by element."""
    if step.function in FLAT:
        return like(step.y, lambda part: np.zeros(np.shape(part), np.intp))
    labels = [labels_of(one) for one in operands]
    if step.function is np.multiply:
        labels = [_left_out(sets, other) for sets, other in zip(labels, reversed(operands), strict=True)]
    found = functools.reduce(step.sets.either, labels)
    return like(step.y, lambda part: np.array(np.broadcast_to(found, np.shape(part))))


def _left_out(labels: Labels, factor: Any) -> Labels:
    """Labels where the other factor is not the constant zero."""
    zeros = with_zeros(factor)
    return labels if zeros is None else np.where(zeros, 0, labels)


@carries(np.where)
def _where(step: Step) -> Labels:
    condition, *choices = step.args
    if len(choices) != 2:
        return like(step.y, lambda part: np.zeros(np.shape(part), np.intp))
    if not moves(condition):
        return np.where(held(condition), *map(labels_of, choices))
    return elementwise(step, tuple(choices))


@carries(np.clip, np.sinc, np.angle, np.i0, np.unwrap)
def _few(step: Step) -> Any:
    operands = (*step.args, *[value for name, value in step.kwargs.items() if name != "out" and value is not None])
    if step.function is np.unwrap:
        raise UnknownError
    return elementwise(step, tuple(one for one in operands if one is not None))


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes along which a function goes; all of them for None."""
    axis = held(axis)
    return tuple(range(ndim)) if axis is None else tuple(axis) if isinstance(axis, tuple | list) else (int(axis),)


def reduced(sets: Sets, value: Any, axis: Any, shape: tuple[int, ...]) -> Labels:
    """The union along axes, in the shape of the result."""
    labels = labels_of(value)
    return sets.along(labels, axes_of(axis, labels.ndim)).reshape(shape)


@carries(
    np.sum, np.prod, np.max, np.min, np.mean, np.std, np.var, np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean,
    np.nanstd, np.nanvar, np.ptp, np.median, np.nanmedian, np.amax, np.amin,
)  # fmt: skip
def _reduction(step: Step) -> Labels:
    given = step.given("a", "axis")
    found = reduced(step.sets, given["a"], given.get("axis"), np.shape(step.y))
    more = [labels_of(given[name]) for name in ("initial", "mean") if given.get(name) not in (None, np._NoValue)]
    return functools.reduce(step.sets.either, more, found)


@carries(np.linalg.norm)
def _norm(step: Step) -> Labels:
    given = step.given("x", "ord", "axis")
    return reduced(step.sets, given["x"], given.get("axis"), np.shape(step.y))


@carries(np.average)
def _average(step: Step) -> Labels:
    given = step.given("a", "axis", "weights")
    if isinstance(step.y, tuple) or given.get("weights") is not None:
        raise UnknownError
    return reduced(step.sets, given["a"], given.get("axis"), np.shape(step.y))


@carries(np.quantile, np.percentile, np.nanquantile, np.nanpercentile)
def _quantile(step: Step) -> Labels:
    given = step.given("a", "q", "axis")
    labels = labels_of(given["a"])
    keepdims = bool(held(given.get("keepdims", False)))
    found = step.sets.along(labels, axes_of(given.get("axis"), labels.ndim), keepdims)
    return np.array(np.broadcast_to(step.sets.either(found, step.sets.all_of(labels_of(given["q"]))), np.shape(step.y)))


@carries(np.trace)
def _trace(step: Step) -> Labels:
    given = {name: held(value) for name, value in step.given("a", "offset", "axis1", "axis2").items() if name != "a"}
    given.pop("dtype", None)
    diagonal = np.diagonal(labels_of(step.given("a")["a"]), **given)
    return step.sets.along(diagonal, (-1,))


def accumulated(sets: Sets, labels: Labels, axis: int) -> Labels:
    """The union of all that is before, along an axis."""
    moved = np.moveaxis(labels, axis, 0)
    found = moved.copy()
    for i in range(1, len(found)):
        found[i] = sets.either(found[i - 1], moved[i])
    return np.moveaxis(found, 0, axis)


@carries(np.cumsum, np.cumprod, np.nancumsum, np.nancumprod)
def _cumulative(step: Step) -> Labels:
    given = step.given("a", "axis")
    labels, axis = labels_of(given["a"]), held(given.get("axis"))
    return accumulated(step.sets, np.ravel(labels) if axis is None else labels, 0 if axis is None else axis)


@carries(np.diff)
def _difference(step: Step) -> Labels:
    given = step.given("a", "n", "axis")
    if given.get("prepend", np._NoValue) is not np._NoValue or given.get("append", np._NoValue) is not np._NoValue:
        raise UnknownError
    labels = np.moveaxis(labels_of(given["a"]), held(given.get("axis", -1)), 0)
    for _ in range(held(given.get("n", 1))):
        labels = step.sets.either(labels[1:], labels[:-1])
    return np.moveaxis(labels, 0, held(given.get("axis", -1)))


@carries(
    np.sort, np.partition, np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft,
)  # fmt: skip
def _along(step: Step) -> Labels:
    """Every element depends on all along the axis."""
    names = {np.sort: ("a", "axis"), np.partition: ("a", "kth", "axis")}.get(step.function, ("a", "n", "axis"))
    given = step.given(*names)
    labels, axis = labels_of(given["a"]), held(given.get("axis", -1))
    labels, axis = (np.ravel(labels), 0) if axis is None else (labels, axis)
    return np.array(np.broadcast_to(step.sets.along(labels, (axis,), keepdims=True), np.shape(step.y)))


@carries(
    np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh,
    np.linalg.eig, np.linalg.eigvals, np.linalg.svd, np.linalg.svdvals, np.linalg.qr, np.linalg.pinv,
    np.linalg.matrix_power, np.linalg.cond,
)  # fmt: skip
def _matrices(step: Step) -> Any:
    """Every element depends on the whole matrix, and on no other of the stack."""
    a = step.given("a")["a"] if step.args or "a" in step.kwargs else next(iter(step.kwargs.values()))
    return _of_matrices(step, step.sets.along(labels_of(a), (-2, -1)))


@carries(np.linalg.solve)
def _solved(step: Step) -> Any:
    a, b = step.args
    matrix, right = labels_of(a), labels_of(b)
    axes = (-1,) if right.ndim == 1 else (-2, -1)
    return _of_matrices(step, step.sets.either(step.sets.along(matrix, (-2, -1)), step.sets.along(right, axes)))


def _of_matrices(step: Step, label: Labels) -> Any:
    def spread(part: Any) -> Labels:
        behind = np.ndim(part) - np.ndim(label)
        return np.array(np.broadcast_to(np.reshape(label, np.shape(label) + (1,) * behind), np.shape(part)))

    return like(step.y, spread)
