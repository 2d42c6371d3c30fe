"""The gradient in the arguments' own precision, compared with the one in double precision.

The rounding error of each element is measured by random rounding (:mod:`autodiff.testing.rounding.monte_carlo`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...outputs import same_tuple
from ..problem import Problem, as_real
from ..thresholds import EPSILON, MATTERS, MORE_SAMPLES, NEGLIGIBLE, PLENTY, RESOLVED, SAMPLES, SPREAD
from ..tracing.backward import values_in, watched_pass
from ..tracing.examples import is_array, numbers
from ..vectors import norm
from .monte_carlo import noisy_gradient, noisy_values

Array = Any
Fault = dict[str, Any]

LOST = "in {} rounding may explain a difference of {:.2g} of {}{}, and with it a fault of 1 %; it is correct in float64"
LEAVES = "leaves the range of {}: a number inside becomes too large or too small; it is correct in float64"
ANOTHER = (
    "f itself gives other values in {} than in float64, by more than rounding explains: a constant that follows the "
    "dtype, as finfo(x.dtype).eps does? write it as a number, or check in float64"
)


def compare_precision(problem: Problem, weights: Array, exact: Array, rng: np.random.Generator) -> Fault | None:
    """None if the gradient in the given precision is right up to rounding; otherwise the fault."""
    if problem.given_gradient is not None or not any(np.finfo(i.dtype).eps > EPSILON for i in problem.inputs):
        return None
    outputs, found, widened = _given_precision(problem, weights)
    values = np.concatenate([as_real(o).astype(np.float64) for o in outputs]) if outputs else np.zeros(0)
    kind = _coarsest([i.dtype for i in problem.inputs] + [o.dtype for o in outputs])
    if not np.isfinite(values).all():
        return {"verdict": "inconclusive", "reason": f"f {LEAVES.format(outputs[0].dtype)}"}
    seen = _compared(problem, weights, exact, found, kind, rng)
    if seen.lost:
        return {"verdict": "inconclusive", "reason": f"the gradient {LEAVES.format(outputs[0].dtype)}"}
    if not seen.suspects.any() and widened:
        return {"verdict": "wrong", "reason": widened}
    if not seen.suspects.any():
        return _hidden(problem, exact, seen.error, kind)
    size = float(np.max(np.where(seen.suspects, seen.error / np.abs(exact), 0.0), initial=0.0))
    if _is_another_function(problem, values, kind, rng) and not _rules_differ(problem, weights, size):
        return {"verdict": "inconclusive", "reason": ANOTHER.format(outputs[0].dtype)}
    flat = int(np.flatnonzero(seen.suspects)[0])
    place = problem.input_of(flat)
    return {
        "verdict": "wrong",
        "reason": f"the gradient in {place.dtype} differs from the one in float64 by more than rounding explains",
        "argument": place.name_of(flat), "index": place.index_of(flat),
        "analytic": float(found[flat]), "numeric": float(exact[flat]),
        "error": float(seen.error[flat]), "bound": float(seen.limit[flat]), "method": "the same gradient in float64",
        "output": "" if len(weights) == 1 else f"a random combination of {len(weights)} outputs",
    }  # fmt: skip


def _hidden(problem: Problem, exact: Array, error: Array, kind: Any) -> Fault | None:
    """The fault to report if an element that matters is off by 1 %, and rounding may explain it."""
    for place in problem.inputs:
        mine = slice(place.start, place.stop)
        size = np.abs(exact[mine])
        with np.errstate(all="ignore"):
            off = np.where(size >= MATTERS * np.max(size, initial=0.0), error[mine] / size, 0.0)
        worst = int(np.argmax(np.where(off < np.inf, off, 0.0))) if off.size else 0
        if off.size and RESOLVED < off[worst] < np.inf:
            flat = place.start + worst
            index = list(place.index_of(flat)) if place.shape else ""
            reason = LOST.format(kind.dtype, float(off[worst]), place.name_of(flat), index)
            return {"verdict": "inconclusive", "reason": reason}
    return None


class _Compared(NamedTuple):
    """The difference of two gradients, the part that rounding may explain, and where that is not enough."""

    error: Array
    limit: Array
    suspects: Array
    lost: bool  # whether numbers inside leave the range of the precision, so that nothing can be said


def _compared(
    problem: Problem, weights: Array, exact: Array, found: Array, kind: Any, rng: np.random.Generator
) -> _Compared:
    """The two gradients compared, with as many samples of random rounding as it takes."""
    largest, tiny = (
        np.concatenate([np.full(i.stop - i.start, float(getattr(np.finfo(i.dtype), name))) for i in problem.inputs])
        for name in ("max", "tiny")
    )
    coarse = float(kind.eps)
    judged = np.isfinite(exact) & (np.abs(exact) < largest)
    near_the_end = bool(np.any(judged & ~np.isfinite(found) & (np.abs(exact) > coarse * largest)))
    with np.errstate(all="ignore"):
        error = np.abs(found - exact)
        limit = PLENTY * coarse * np.abs(exact) + tiny  # smaller ones may become 0
        beyond = suspects = judged & ~(error <= limit)
    for samples in (SAMPLES, MORE_SAMPLES):
        if not suspects.any():
            break
        limit = limit + SPREAD * _scatter(problem, weights, exact, kind, samples, rng)
        suspects = judged & ~(error <= limit) & np.isfinite(limit)
    lost = not suspects.any() and bool(np.any(beyond & np.isinf(limit)))
    return _Compared(error, limit, suspects, near_the_end or lost)


def _scatter(
    problem: Problem, weights: Array, exact: Array, kind: Any, samples: int, rng: np.random.Generator
) -> Array:
    """The largest change of each element of the gradient over runs with random rounding; infinite where it is lost."""
    largest = np.zeros(problem.size)
    with np.errstate(all="ignore"):
        for _ in range(samples):
            moved = noisy_gradient(problem, weights, float(kind.eps), rng, kind)
            largest = np.maximum(largest, np.where(np.isfinite(moved), np.abs(moved - exact), np.inf))
    return largest


def _coarsest(kinds: list[Any]) -> Any:
    """``np.finfo`` of the coarsest precision that takes part."""
    return max(map(np.finfo, kinds), key=lambda kind: float(kind.eps))


# -- is it the function, and not its gradient? ----------------------------------------------------------------------


def _is_another_function(problem: Problem, values: Array, kind: Any, rng: np.random.Generator) -> bool:
    """Whether the values in the given precision differ from those in float64 by more than rounding explains."""
    exact = problem.value(problem.x)
    error, largest = np.abs(values - exact), np.zeros(exact.size)
    with np.errstate(all="ignore"):
        for _ in range(SAMPLES):
            largest = np.fmax(largest, np.abs(noisy_values(problem, kind, rng) - exact))
    limit = PLENTY * float(kind.eps) * norm(exact) + SPREAD * largest
    return bool(np.any(np.isfinite(error) & (error > limit)))


def _rules_differ(problem: Problem, weights: Array, size: float) -> bool:
    """Whether a rule gives another result in double precision, different enough to explain a relative error."""
    differences: list[float] = []

    def twice(function: Any, edge: Any, g: Any, saved: Any) -> Any:
        result = function(g, *saved)
        if is_array(g) and is_array(result):
            exact = numbers(function(_in_double(g), *map(_in_double, saved)))
            with np.errstate(all="ignore"):
                result = numbers(result)
                apart = np.max(np.abs(result - exact), initial=0.0) / np.max(np.abs(exact), initial=0.0)
            differences.append(float(apart) if np.isfinite(apart) else 0.0)
        return result

    watched_pass(problem, weights, twice, dtype="given")
    return max(differences, default=0.0) > size * NEGLIGIBLE


def _in_double(value: Any) -> Any:
    """Numbers, arrays and tuples of them in double precision; anything else unchanged."""
    if isinstance(value, tuple):
        return same_tuple(value, [_in_double(v) for v in value])
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if not is_array(value) or kind not in "fc":
        return value
    return value.astype(np.complex128 if kind == "c" else np.float64)


# -- the pass in the given precision ---------------------------------------------------------------------------------


def _given_precision(problem: Problem, weights: Array) -> tuple[list[Array], Array, str]:
    """The outputs and the gradient in the arguments' own precision, and the fault of a rule that leaves it."""
    widened: list[str] = []

    def watch(function: Any, edge: Any, g: Any, saved: Any) -> Any:
        result = function(g, *saved)
        text = _widened(getattr(result, "dtype", None), edge, saved)
        widened.extend([text] if text else [])
        return result

    outputs, gradient = watched_pass(problem, weights, watch, dtype="given")
    return outputs, gradient, widened[0] if widened else ""


def _widened(kind: Any, edge: Any, saved: Any) -> str:
    """The message for a rule whose result is more precise than all that it is computed from."""
    if getattr(kind, "kind", None) not in ("f", "c"):  # a checkpoint has many results
        return ""
    node = edge.node
    kinds = node.dtype if isinstance(node.dtype, tuple) else (node.dtype,)
    given = [d for d in (*kinds, edge.parent.dtype, *(v.dtype for v in values_in(saved))) if d.kind in "fc"]
    if not given:
        return ""
    if np.finfo(kind).eps >= min(np.finfo(d).eps for d in given):
        return ""
    return (
        f"{node.primitive.name}: its rule for '{edge.argument}' returns {kind} from "
        f"{given[0]}; the engine rounds it back, at twice the time and memory: write constants as Python numbers"
    )
