"""Does a gradient in the arguments' own precision agree with the one in double precision, up to rounding?

How far rounding may move each element is measured: the double precision pass is made again with the result of every
operation, forward and backward, moved by one unit of the lower precision at random (Monte Carlo arithmetic,
D. S. Parker, 1997).  The rules run on Tensors for this, so that their own operations are moved as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import topological_order
from ..primitive import Primitive
from ..tensor import ITEM, Tensor, _state, backward, same_tuple
from ..tree import flatten
from .line import norm
from .problem import Problem, as_real, cotangents

Array = Any

PLENTY = 16.0
"""Rounding errors of the gradient itself that need no explanation, in units of the precision."""
SAMPLES = 4
MORE_SAMPLES = 48
LEAVES = "leaves the range of {}: a number inside becomes too large or too small; it is correct in float64"
ANOTHER = (
    "f itself gives other values in {} than in float64, by more than rounding explains: a constant that follows the "
    "dtype, as finfo(x.dtype).eps does? write it as a number, or check in float64"
)
INSIDE = 4.0
"""How many roundings an operation that is not elementwise stands for."""


def _units(problem: Problem) -> Array:
    """The unit of precision of each element."""
    units = np.zeros(problem.size)
    for place in problem.inputs:
        units[place.start : place.stop] = float(np.finfo(place.dtype).eps)
    return units


def compare_precision(
    problem: Problem, weights: Array, exact: Array, rng: np.random.Generator
) -> dict[str, Any] | None:
    """None if the gradient in the given precision is as good as that precision allows; otherwise what is wrong."""
    units = _units(problem)
    if problem.given_gradient is not None or not problem.size or not np.any(units > 2.0**-52):
        return None
    outputs, found, widened = _given_precision(problem, weights)
    values = np.concatenate([as_real(o).astype(np.float64) for o in outputs]) if outputs else np.zeros(0)
    if not np.isfinite(values).all():
        return {"verdict": "inconclusive", "reason": f"f {LEAVES.format(outputs[0].dtype)}"}
    largest = np.concatenate([np.full(i.stop - i.start, float(np.finfo(i.dtype).max)) for i in problem.inputs])
    tiny = np.concatenate([np.full(i.stop - i.start, float(np.finfo(i.dtype).tiny)) for i in problem.inputs])
    judged = np.isfinite(exact) & (np.abs(exact) < largest)
    kind = _coarsest([i.dtype for i in problem.inputs] + [o.dtype for o in outputs])
    coarse = float(kind.eps)
    if np.any(judged & ~np.isfinite(found) & (np.abs(exact) > coarse * largest)):
        return {"verdict": "inconclusive", "reason": f"the gradient {LEAVES.format(outputs[0].dtype)}"}
    with np.errstate(all="ignore"):
        error = np.abs(found - exact)
        limit = PLENTY * coarse * np.abs(exact) + PLENTY * tiny
        suspects = judged & ~(error <= limit)
    first = suspects
    for samples in (SAMPLES, MORE_SAMPLES):
        if not suspects.any():
            break
        limit = limit + 8 * _scatter(problem, weights, exact, kind, samples, rng)
        suspects = judged & ~(error <= limit) & np.isfinite(limit)
    if not suspects.any() and np.any(first & np.isinf(limit)):
        return {"verdict": "inconclusive", "reason": f"the gradient {LEAVES.format(outputs[0].dtype)}"}
    if not suspects.any():
        return {"verdict": "wrong", "reason": widened} if widened else None
    size = float(np.max(np.where(suspects, error / np.abs(exact), 0.0), initial=0.0))
    if _is_another_function(problem, values, kind, rng) and not _rules_differ(problem, weights, size):
        return {"verdict": "inconclusive", "reason": ANOTHER.format(outputs[0].dtype)}
    flat = int(np.flatnonzero(suspects)[0])
    place = problem.input_of(flat)
    return {
        "verdict": "wrong",
        "reason": f"the gradient in {place.dtype} differs from the one in float64 by more than rounding explains",
        "argument": place.name_of(flat), "index": place.index_of(flat),
        "analytic": float(found[flat]), "numeric": float(exact[flat]),
        "error": float(error[flat]), "bound": float(limit[flat]), "method": "the same gradient in float64",
        "output": "" if len(weights) == 1 else f"a random combination of {len(weights)} outputs",
    }  # fmt: skip


def _is_another_function(problem: Problem, values: Array, kind: Any, rng: np.random.Generator) -> bool:
    """Whether the values in the given precision differ from those in float64 by more than rounding explains."""
    exact = problem.value(problem.x)
    error, largest = np.abs(values - exact), np.zeros(exact.size)
    with np.errstate(all="ignore"):
        for _ in range(SAMPLES):
            largest = np.fmax(largest, np.abs(_noisy_values(problem, kind, rng) - exact))
    limit = PLENTY * float(kind.eps) * norm(exact) + 8 * largest
    return bool(np.any(np.isfinite(error) & (error > limit)))


def _rules_differ(problem: Problem, weights: Array, size: float) -> bool:
    """Whether a rule itself gives another result in double precision, by so much that it explains a relative error."""
    tensors = [Tensor(a) for a in problem.arrays(problem.x, "given")]
    _, seeds = seeded(problem, tensors, weights)
    differences: list[float] = []
    for node in topological_order(seeds, {t._node for t in tensors}):
        for edge in node.edges:
            if node.primitive is not ITEM:
                edge[1] = _done_twice(edge[1], differences)
    gradient_of(problem, tensors, seeds, create=False)
    return max(differences, default=0.0) > size / 8


def _done_twice(function: Any, differences: list[float]) -> Any:
    """A rule, and how far it is from its result for the same numbers in double precision."""

    def twice(g: Any, *saved: Any) -> Any:
        result = function(g, *saved)
        if isinstance(g, np.ndarray | np.generic) and isinstance(result, np.ndarray | np.generic):
            exact = np.asarray(function(in_double(g), *map(in_double, saved)))
            with np.errstate(all="ignore"):
                apart = np.max(np.abs(result - exact), initial=0.0) / np.max(np.abs(exact), initial=0.0)
            differences.append(float(apart) if np.isfinite(apart) else 0.0)
        return result

    return twice


def in_double(value: Any) -> Any:
    """Numbers, and arrays and tuples of them, in double precision; what is no such number as it is."""
    if isinstance(value, tuple):
        return same_tuple(value, [in_double(v) for v in value])
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if not isinstance(value, np.ndarray | np.generic) or kind not in "fc":
        return value
    return value.astype(np.complex128 if kind == "c" else np.float64)


def _coarsest(kinds: list[Any]) -> Any:
    """What NumPy says of the coarsest precision that takes part."""
    return max(map(np.finfo, kinds), key=lambda kind: float(kind.eps))


def _scatter(
    problem: Problem, weights: Array, exact: Array, kind: Any, samples: int, rng: np.random.Generator
) -> Array:
    """The largest change of each element of the gradient over runs with random rounding; without end, if it is lost."""
    largest = np.zeros(problem.size)
    with np.errstate(all="ignore"):
        for _ in range(samples):
            moved = noisy_gradient(problem, weights, float(kind.eps), rng, kind)
            largest = np.maximum(largest, np.where(np.isfinite(moved), np.abs(moved - exact), np.inf))
    return largest


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


def _noisy_values(problem: Problem, kind: Any, rng: np.random.Generator) -> Array:
    """The values, moved in the same way."""
    unit = float(kind.eps)
    token = _state.set(_moving(unit, rng, kind))
    try:
        leaves, _ = flatten(problem.call([Tensor(a) for a in problem.arrays(_moved_array(problem.x, unit, rng))]))
        return np.concatenate([as_real(o).astype(np.float64) for o in problem.outputs(leaves)])
    finally:
        _state.reset(token)


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


def values_in(args: Any) -> list[Any]:
    """The arrays among arguments, and those of Tensors."""
    found: list[Any] = []
    for value in args:
        if type(value) is Tensor:
            found.append(value._value)
        elif isinstance(value, np.ndarray | np.generic):
            found.append(value)
        elif type(value) in (list, tuple):
            found += values_in(value)
    return found


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
        steps = np.rint(value / least) + rng.integers(-1, 2, np.shape(value)) * (size > 0)
        value = np.where(size < float(kind.tiny), steps * least, value)
        return np.where(size > float(kind.max), np.sign(value) * np.inf, value)


def _mixed(value: Any, unit: float, rng: np.random.Generator) -> Any:
    """As :func:`_moved_array` for an operation that mixes elements: a small one has the rounding of the large ones."""
    if value.dtype.kind not in "fc" or not value.size:
        return value
    with np.errstate(all="ignore"):
        top = np.max(np.abs(value)) * (value != 0)  # a zero is one by structure
        return _moved_array(value, INSIDE * unit, rng) + (_moved_array(top, unit, rng) - top)


def _given_precision(problem: Problem, weights: Array) -> tuple[list[Array], Array, str]:
    """The outputs and the gradient in the arguments' own precision, and what is wrong with a rule that leaves it."""
    tensors = [Tensor(a) for a in problem.arrays(problem.x, "given")]
    outputs, seeds = seeded(problem, tensors, weights)
    targets = {t._node for t in tensors}
    widened: list[str] = []
    for node in topological_order(seeds, targets):
        for edge in node.edges:
            if node.primitive is not ITEM:
                edge[1] = _watched(edge[1], node, edge, widened)
    return outputs, gradient_of(problem, tensors, seeds, create=False), widened[0] if widened else ""


def _watched(function: Any, node: Any, edge: Any, widened: list[str]) -> Any:
    """A rule that says so if its result is more precise than everything that it is made of."""

    def watched(g: Any, *saved: Any) -> Any:
        result = function(g, *saved)
        kinds = node.dtype if isinstance(node.dtype, tuple) else (node.dtype,)
        given = [d for d in (*kinds, edge[0].dtype, *(v.dtype for v in values_in(saved))) if d.kind in "fc"]
        kind = getattr(result, "dtype", None)
        if (
            given
            and kind is not None
            and kind.kind in "fc"
            and np.finfo(kind).eps < min(np.finfo(d).eps for d in given)
        ):
            entry, rule = node.primitive, edge[3]
            widened.append(
                f"{entry.name}: its rule for '{entry.parameters[rule.position]}' returns {kind} from {given[0]}; the "
                "engine rounds it back, at twice the time and memory: write constants as Python numbers"
            )
        return result

    return watched


def _recorded_gradient(problem: Problem, x: Array, weights: Array) -> Array:
    """The gradient by a backward pass whose every operation is recorded, and so seen by the mode."""
    tensors = [Tensor(a) for a in problem.arrays(x)]
    _, seeds = seeded(problem, tensors, weights)
    return gradient_of(problem, tensors, seeds, create=True)


def seeded(problem: Problem, tensors: list[Tensor], weights: Array) -> tuple[list[Array], dict[Any, Any]]:
    """The outputs for these arguments, and the cotangents of their nodes."""
    with np.errstate(all="ignore"):
        leaves, _ = flatten(problem.call(list(tensors)))
    kept = [o for o in leaves if np.asarray(getattr(o, "_value", o)).dtype.kind in "fc"]
    outputs = problem.outputs(kept)
    seeds: dict[Any, Any] = {}
    for output, cotangent in zip(kept, cotangents(weights, outputs), strict=True):
        if isinstance(output, Tensor) and output._node.active:
            seed = Tensor(cotangent)
            seeds[output._node] = seeds[output._node] + seed if output._node in seeds else seed
    return outputs, seeds


def gradient_of(problem: Problem, tensors: list[Tensor], seeds: dict[Any, Any], create: bool) -> Array:
    """The gradient by a backward pass from these cotangents, recorded itself if ``create``."""
    if not create:
        seeds = {node: seed._value for node, seed in seeds.items()}
    targets = {t._node for t in tensors}
    found = backward(seeds, targets, retain=True, create=create) if seeds else {}
    parts = [found[t._node] if t._node in found else np.zeros(t.shape, t.dtype) for t in tensors]
    return problem.flat([getattr(part, "_value", part) for part in parts])
