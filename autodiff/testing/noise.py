"""Random rounding: what the rounding of each operation does to values and gradients (Monte Carlo arithmetic).

Every result, forward and backward, is moved by one unit of a precision at random.  The rules run on Tensors for this,
so that their own operations are moved as well.

Source: D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic", 1997.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Primitive
from ..tensor import ITEM, Tensor, _state, same_tuple
from ..tree import flatten
from .passes import gradient_of, seeded, values_in
from .problem import Problem, as_real

Array = Any

INSIDE = 4.0
"""How many roundings an operation that is not elementwise stands for."""


def noisy_gradient(problem: Problem, weights: Array, unit: float, rng: np.random.Generator, kind: Any = None) -> Array:
    """The gradient with the arguments, and the result of every operation that computes, moved by one unit.

    Of a ``kind`` of number (``np.finfo``) the range is observed too: what is too large is infinite, and what is too
    small is rounded to a multiple of the smallest there is.
    """
    token = _state.set(_moving(unit, rng, kind))
    try:
        x = _moved_array(problem.x, unit, rng)
        return _recorded_gradient(problem, x, _moved_array(weights, unit, rng))
    finally:
        _state.reset(token)


def noisy_values(problem: Problem, kind: Any, rng: np.random.Generator) -> Array:
    """The values, moved in the same way."""
    unit = float(kind.eps)
    token = _state.set(_moving(unit, rng, kind))
    try:
        leaves, _ = flatten(problem.call([Tensor(a) for a in problem.arrays(_moved_array(problem.x, unit, rng))]))
        return np.concatenate([as_real(o).astype(np.float64) for o in problem.outputs(leaves)])
    finally:
        _state.reset(token)


def _recorded_gradient(problem: Problem, x: Array, weights: Array) -> Array:
    """The gradient by a backward pass whose every operation is recorded, and so seen by the mode."""
    tensors = [Tensor(a) for a in problem.arrays(x)]
    _, seeds = seeded(problem, tensors, weights)
    return gradient_of(problem, tensors, seeds, create=True)


def _moving(unit: float, rng: np.random.Generator, kind: Any) -> Any:
    """A mode that moves results.  A number that was only copied from an argument stays: the two must be equal."""

    def mode(primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        inside = _state.set(None)
        try:
            result = primitive.call(*args, **kwargs)
        finally:
            _state.reset(inside)
        pool = _numbers_in([*args, *kwargs.values()])
        for part in result if isinstance(result, tuple) else (result,):
            value = part._value
            if value.dtype.kind in "fc":
                moved = _moved_array(value, unit, rng) if primitive.elementwise else _mixed(value, unit, rng)
                moved = moved if kind is None else _in_range(moved, kind, rng)
                part._value = np.where(np.isin(value, pool), value, moved)
                _keep_moved(part._node, value, part._value)
        return result

    return mode


def _keep_moved(node: Any, value: Any, moved: Any) -> None:
    """Put the moved output in the place of the exact one among what the rules have kept."""

    def kept(saved: Any) -> Any:
        if isinstance(saved, tuple):
            return same_tuple(saved, [kept(v) for v in saved])
        return moved if saved is value else saved

    if node.primitive is ITEM:  # one of several outputs: the rules are those of the whole
        node = node.edges[0][0]
    for edge in node.edges:
        edge[2] = tuple(kept(saved) for saved in edge[2])


def _numbers_in(args: list[Any]) -> Array:
    """Every number that an operation was given, in one vector."""
    plain = [np.array([v for v in args if isinstance(v, int | float)], float)]
    return np.concatenate(plain + [np.ravel(v) for v in values_in(args) if v.dtype.kind in "fc"])


def _moved_array(value: Any, unit: float, rng: np.random.Generator) -> Any:
    if value.dtype.kind not in "fc":
        return value
    with np.errstate(all="ignore"):
        sizes = rng.uniform(0.5, 1.0, np.shape(value))  # never near zero, so that no error goes unseen by luck
        return value * (1.0 + unit * sizes * rng.choice(np.array([-1.0, 1.0]), np.shape(value)))


def _in_range(value: Any, kind: Any, rng: np.random.Generator) -> Any:
    """Numbers as this kind of number holds them: infinite, or a multiple of the smallest, give or take one."""
    if value.dtype.kind == "c":
        return _in_range(value.real, kind, rng) + 1j * _in_range(value.imag, kind, rng)
    least, size = float(kind.smallest_subnormal), np.abs(value)
    with np.errstate(all="ignore"):
        steps = np.rint(value / least) + rng.integers(-1, 2, np.shape(value)) * (size >= least / 2)
        value = np.where(size < float(kind.tiny), steps * least, value)
        return np.where(size > float(kind.max), np.sign(value) * np.inf, value)


def _mixed(value: Any, unit: float, rng: np.random.Generator) -> Any:
    """As :func:`_moved_array` for an operation that mixes elements: a small one has the rounding of the large ones."""
    if value.dtype.kind not in "fc" or not value.size:
        return value
    with np.errstate(all="ignore"):
        top = np.max(np.abs(value)) * (value != 0)  # a zero is one by structure
        return _moved_array(value, INSIDE * unit, rng) + (_moved_array(top, unit, rng) - top)
