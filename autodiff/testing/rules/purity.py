"""Whether each rule is a pure function, and linear in its cotangent.

A further backward pass starts from -2 times the weights, which is exact, so it must give -2 times the gradient.  It
does not if a rule keeps state, draws random numbers, or is not linear in its cotangent.  The arguments of each rule are
compared before and after: an array may also belong to other rules, or to the user.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import Parts
from ..problem import Problem
from ..rounding.monte_carlo import noisy_gradient
from ..thresholds import EPSILON, FACTORS, REORDERED
from ..tracing.backward import values_in, watched_pass

Array = Any
Fault = dict[str, Any]

REMEMBERS = "the gradient is not deterministic: two passes differ; a rule draws random numbers, or remembers"
NONLINEAR = (
    "the gradient is not linear in the cotangent: -2 times the cotangent does not give -2 times the gradient; "
    "multiply by g, once, and do not branch on it"
)


def examine_rules(problem: Problem, weights: Array, gradient: Array) -> Fault | None:
    """None if the rules of a gradient are pure and linear, and do not write into their arguments."""
    if not problem.size or not weights.size:
        return None
    again, written = _pulled(problem, FACTORS[0] * weights, _watched)
    if written:
        return {"verdict": "wrong", "reason": written[0]}
    if _same(problem, again, FACTORS[0] * gradient):
        return None
    if is_linear_by(problem, weights, gradient, FACTORS[1]) or _is_rounding(problem, weights, again / FACTORS[0]):
        return None
    _, blamed = _pulled(problem, weights, _probed)
    guilty = f" (look at {blamed[0]})" if blamed else ""
    if not is_repeatable(problem, weights, gradient):
        return {"verdict": "inconclusive", "reason": REMEMBERS + guilty}
    return {"verdict": "wrong", "reason": NONLINEAR + guilty}


def _is_rounding(problem: Problem, weights: Array, found: Array) -> bool:
    """Whether a gradient differs by no more than rounding in single precision or less, which takes part inside of f.

    Small numbers have few digits there, and cotangents of other sizes others.
    """
    kind = problem.narrow
    if kind is None:
        return False
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        samples = np.array([noisy_gradient(problem, weights, float(kind.eps), rng, kind) for _ in range(8)])
        middle, spread = np.mean(samples, axis=0), np.ptp(samples, axis=0)
        return bool(np.all((np.abs(found - middle) <= 4 * spread) | ~np.isfinite(spread)))


def refused_to_write(error: Exception) -> bool:
    """Whether this is NumPy's error for a rule that writes into a read-only array, as a broadcast one is."""
    return "read-only" in str(error) and any("in the rule of" in note for note in getattr(error, "__notes__", ()))


def describe(error: Exception) -> str:
    """An exception and the engine's notes on it in one line."""
    return "; ".join([str(error), *getattr(error, "__notes__", ())])


def is_repeatable(problem: Problem, weights: Array, gradient: Array) -> bool:
    """Whether a second backward pass gives the same gradient, up to rounding."""
    return is_linear_by(problem, weights, gradient, 1.0)


def is_linear_by(problem: Problem, weights: Array, gradient: Array, factor: float) -> bool:
    """Whether ``factor`` times the weights gives that much of the gradient, up to rounding."""
    return _same(problem, problem.pullback(problem.x)[1](factor * weights), factor * gradient)


def _same(problem: Problem, found: Array, expected: Array) -> bool:
    """Whether two passes agree; sums may be taken in another order, so small elements may differ by more."""
    if np.array_equal(found, expected, equal_nan=True):
        return True
    with np.errstate(all="ignore"):
        allowed = REORDERED[0] * np.abs(expected) + np.finfo(float).tiny
        for place in problem.inputs:
            mine = expected[place.start : place.stop]
            allowed[place.start : place.stop] += REORDERED[1] * np.max(np.abs(mine[np.isfinite(mine)]), initial=0.0)
        close = np.abs(found - expected) <= allowed
    return bool(np.all(close | (found == expected) | (np.isnan(found) & np.isnan(expected))))


def _pulled(problem: Problem, weights: Array, watch: Callable[..., Any]) -> tuple[Array, list[str]]:
    """The gradient by a pass in which each rule is watched, and the messages of that."""
    if problem.given_gradient is not None:
        return problem.pullback(problem.x)[1](weights), []
    noticed: list[str] = []

    def named(function: Any, edge: Any, g: Any, saved: Any) -> Any:
        for kind in edge.node.dtype if isinstance(edge.node.dtype, tuple) else (edge.node.dtype,):
            if kind.kind in "fc" and np.finfo(kind).eps > (EPSILON if problem.narrow is None else problem.narrow.eps):
                problem.narrow = np.finfo(kind)
        result, messages = watch(function, g, saved)
        noticed.extend(f"{edge.rule.primitive}: its rule for '{edge.argument}'{text}" for text in messages)
        return result

    return watched_pass(problem, weights, named)[1], noticed


def _arrays_of(g: Any) -> list[Any]:
    return values_in(list(g.known.values()) if isinstance(g, Parts) else [g])


def _watched(function: Any, g: Any, saved: Any) -> tuple[Any, list[str]]:
    """The result of a rule, and what it writes into."""
    groups = ("its cotangent", _arrays_of(g)), ("an array that was saved for it", values_in(saved))
    before = [[np.array(v) for v in values] for _, values in groups]
    result = function(g, *saved)
    return result, [
        f" writes into {what}, which belongs to others as well; return a new array"
        for (what, values), copies in zip(groups, before, strict=True)
        if not all(np.array_equal(v, c, equal_nan=v.dtype.kind in "fc") for v, c in zip(values, copies, strict=True))
    ]


def _probed(function: Any, g: Any, saved: Any) -> tuple[Any, list[str]]:
    """The result of a rule, and an empty message if it is not the same twice, and -2 times as much for -2 g."""
    result = function(g, *saved)
    scaled = g.map(lambda part: part * FACTORS[0]) if isinstance(g, Parts) else g * FACTORS[0]
    once, again, more = (_arrays_of(r) for r in (result, function(g, *saved), function(scaled, *saved)))
    pairs = [*zip(again, once, strict=True), *zip(more, [FACTORS[0] * part for part in once], strict=True)]
    same = all(np.allclose(a, b, rtol=REORDERED[0], atol=0.0, equal_nan=True) for a, b in pairs)
    return result, [] if same else [""]
