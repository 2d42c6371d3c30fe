"""Random rounding: the effect of the rounding of each operation on values and gradients (Monte Carlo arithmetic).

Each result, forward and backward, changes at random by one unit of a precision.  The rules run on Tensors, so that
the results of their own operations change as well.

Source: D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic", 1997.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from ...mode import entered, unwatched
from ...outputs import ITEM, same_tuple
from ...primitive import Primitive
from ...tensor import Tensor
from ...tree import flatten
from ..problem import Problem, as_real
from ..thresholds import INSIDE
from ..tracing.backward import gradient_of, seeded, values_in
from ..tracing.examples import with_numbers
from ..tracing.trace import Trace

Array = Any


def noisy_gradient(problem: Problem, weights: Array, unit: float, rng: np.random.Generator, kind: Any = None) -> Array:
    """The gradient with the arguments, and the result of each operation that computes, changed by one unit.

    Modes around it do not see this: for them, it would be a write into values.
    A ``kind`` of number (``np.finfo``) also limits the range: numbers that are too large become infinite, and numbers
    that are too small become a multiple of the smallest one.
    """
    with entered(unwatched()), _Moving(unit, rng, kind):
        x = _moved_array(problem.x, unit, rng)
        return _recorded_gradient(problem, x, _moved_array(weights, unit, rng))


def noisy_values(problem: Problem, kind: Any, rng: np.random.Generator) -> Array:
    """The values, with the same changes."""
    unit = float(kind.eps)
    with entered(unwatched()), _Moving(unit, rng, kind):
        leaves, _ = flatten(problem.call([Tensor(a) for a in problem.arrays(_moved_array(problem.x, unit, rng))]))
        return np.concatenate([as_real(o).astype(np.float64) for o in problem.outputs(leaves)])


def _recorded_gradient(problem: Problem, x: Array, weights: Array) -> Array:
    """The gradient by a backward pass whose every operation is recorded, and so seen by the mode."""
    tensors = [Tensor(a) for a in problem.arrays(x)]
    _, seeds = seeded(problem, tensors, weights)
    return gradient_of(problem, tensors, seeds, create=True)


class _Moving(Trace):
    """A mode that changes results.  A number that is a copy of an argument stays, because the two must be equal.

    Equal results change equally, as by real rounding: a checkpoint computes everything twice.
    """

    def __init__(self, unit: float, rng: np.random.Generator, kind: Any) -> None:
        super().__init__()
        self._unit, self._kind, self._seed = unit, kind, int(rng.integers(2**32))

    def saw(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Move the result of one operation."""
        pool = _numbers_in([*args, *kwargs.values()])
        for part in result if isinstance(result, tuple) else (result,):
            value = part._value
            if value.dtype.kind in "fc":
                part._value = with_numbers(value, lambda exact: self._moved(exact, primitive.elementwise, pool))
                _keep_moved(part._node, value, part._value)

    def _moved(self, exact: Any, elementwise: bool, pool: Array) -> Any:
        rng = np.random.default_rng((self._seed, zlib.crc32(np.ascontiguousarray(exact).view(np.uint8).data)))
        # what is computed in single precision is rounded to it, whatever the unit, and stays what it is
        unit = max(self._unit, float(np.finfo(exact.dtype).eps))
        moved = _moved_array(exact, unit, rng) if elementwise else _mixed(exact, unit, rng)
        if self._kind is not None:
            moved = _in_range(moved, self._kind, rng)
        with np.errstate(all="ignore"):
            return np.where(np.isin(exact, pool), exact, moved).astype(exact.dtype)


def _keep_moved(node: Any, value: Any, moved: Any) -> None:
    """Put the moved output in the place of the exact one among what the rules have kept."""

    def kept(saved: Any) -> Any:
        if isinstance(saved, tuple):
            return same_tuple(saved, [kept(v) for v in saved])
        return moved if saved is value else saved

    if node.primitive is ITEM:  # one of several outputs: the rules are those of the whole
        node = node.parents[0]
    node.replace(kept)


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
    """As :func:`_moved_array`, for an operation that mixes elements: small ones have the rounding of the large ones."""
    if value.dtype.kind not in "fc" or not value.size:
        return value
    with np.errstate(all="ignore"):
        top = np.max(np.abs(value)) * (value != 0)  # a zero is one by structure
        return _moved_array(value, INSIDE * unit, rng) + (_moved_array(top, unit, rng) - top)
