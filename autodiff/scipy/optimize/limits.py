"""Bounds and constraints: in the user's nesting, as SciPy's methods want them, and those that hold the solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint  # type: ignore[import-untyped,unused-ignore]

from ...tensor import Tensor, value_of
from ...tree import branch_of, flatten
from .layout import Layout
from .objective import Function, Residuals

Array = Any
_INF = float("inf")
ON_IT, BESIDE = 1e-7, 1e-3
"""How near to its bound, relative to the bound's size, a number may be held by it: methods that project put it there,
those with a barrier leave it beside."""


class Sides:
    """A lower and an upper bound of one array, which nobody takes for pairs of its elements."""

    def __init__(self, low: Any, high: Any) -> None:
        self.low, self.high = low, high


class Limits:
    """Lower and upper bounds of the numbers that vary, as vectors; Tensors if some bound is one."""

    def __init__(self, bounds: Any, layout: Layout) -> None:
        self.given = bounds is not None
        pairs = _pairs(bounds, layout) if self.given else [(-_INF, _INF)] * len(layout.given)
        self.lower, self.upper = (_vector([pair[i] for pair in pairs], layout) for i in (0, 1))
        self.low, self.high = (np.asarray(value_of(side), dtype=float) for side in (self.lower, self.upper))
        wrong = np.flatnonzero(self.low > self.high)
        if len(wrong):
            raise ValueError(
                f"{layout.who}: bounds: a lower bound of {self.low[wrong[0]]} is above its upper bound of "
                f"{self.high[wrong[0]]}"
            )
        self.near = ON_IT
        self.feasible = bool(np.any(bounds.keep_feasible)) if isinstance(bounds, Bounds) else False

    def for_scipy(self) -> Bounds | None:
        """SciPy's object; None if there are no bounds."""
        return Bounds(self.low, self.high, keep_feasible=self.feasible) if self.given else None


def _pairs(bounds: Any, layout: Layout) -> list[tuple[Any, Any]]:
    """A lower and an upper bound for each leaf, which fit its shape."""
    who = layout.who
    if isinstance(bounds, Bounds) and len(layout.given) > 1:
        low, high = (np.broadcast_to(side, (layout.size,)) for side in (bounds.lb, bounds.ub))
        return [
            (_placed(low[part], free), _placed(high[part], free))
            for part, free in zip(layout.slices, layout.free, strict=True)
        ]
    leaves = _leaves(bounds, layout.nesting, f"{who}: bounds")
    found = []
    for leaf, array, place in zip(leaves, layout.arrays, layout.places, strict=True):
        try:
            low, high = _pair(leaf, array.shape)
            np.broadcast_to(value_of(low), array.shape)
            np.broadcast_to(value_of(high), array.shape)
        except (TypeError, ValueError):
            raise ValueError(
                f"{who}: bounds{place}: give (low, high) for the array of shape {array.shape}, each a number, None or "
                f"an array of that shape, or one such pair for each element; got {leaf!r:.80}"
            ) from None
        found.append((low, high))
    return found


def _placed(values: Array, free: Array) -> Array:
    leaf = np.zeros(free.shape)
    leaf[free] = values
    return leaf


def _leaves(bounds: Any, nesting: Any, who: str) -> list[Any]:
    """What is said of each leaf: a pair is no nesting here, nor is None."""
    theirs = branch_of(nesting)
    if theirs is None:
        return [bounds]
    if bounds is None or isinstance(bounds, Bounds | Sides) or _is_pair_of_numbers(bounds):
        return [bounds] * len(flatten(nesting)[0])
    mine = branch_of(bounds)
    if mine is not None and isinstance(bounds, dict) and isinstance(nesting, dict):
        other = set(bounds) - set(nesting)
        if other:
            raise ValueError(f"{who}: no {sorted(map(str, other))} in x0, which has {list(nesting)}")
        children = [bounds.get(key) for key in nesting]
    elif mine is not None and mine.names == theirs.names:
        children = mine.children
    else:
        raise ValueError(f"{who}: give a nesting as x0, with a pair (low, high) in the place of each array")
    pairs = zip(children, theirs.children, theirs.names, strict=True)
    return [leaf for child, like, name in pairs for leaf in _leaves(child, like, who + name)]


def _is_pair_of_numbers(pair: Any) -> bool:
    return type(pair) is tuple and len(pair) == 2 and all(x is None or np.ndim(value_of(x)) == 0 for x in pair)


def _pair(leaf: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    if leaf is None:
        return -_INF, _INF
    if isinstance(leaf, Sides):
        return leaf.low, leaf.high
    if isinstance(leaf, Bounds):
        return (leaf.lb, leaf.ub) if shape else (leaf.lb.item(), leaf.ub.item())
    if len(shape) == 1 and len(leaf) == shape[0] and all(isinstance(p, tuple | list) and len(p) == 2 for p in leaf):
        low, high = (
            _stacked([none if pair[i] is None else pair[i] for pair in leaf]) for i, none in enumerate((-_INF, _INF))
        )
        return low, high
    low, high = leaf
    return -_INF if low is None else low, _INF if high is None else high


def _stacked(parts: list[Any]) -> Any:
    return np.stack(parts) if any(isinstance(p, Tensor) for p in parts) else np.asarray(parts, dtype=float)


def _vector(leaves: Sequence[Any], layout: Layout) -> Any:
    parts = [np.broadcast_to(leaf, free.shape)[free] for leaf, free in zip(leaves, layout.free, strict=True)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Constraint:
    """lower <= function(x) <= upper, for each number of what the function returns."""

    def __init__(
        self, function: Callable[..., Any], args: Sequence[Any], lower: Any, upper: Any, feasible: Any, layout: Layout
    ) -> None:
        self.lower, self.upper, self.feasible = lower, upper, feasible
        self.function = Function(layout.who, function, layout, args, "a constraint")
        self.lent: Residuals | None = None

    def for_scipy(self, method: str) -> NonlinearConstraint:
        """SciPy's object, with the exact Jacobian, and for trust-constr exact products with second derivatives."""
        self.lent = lent = Residuals(self.function)
        options: dict[str, Any] = {}
        if method == "trust-constr":
            options = {"hess": lent.second, "keep_feasible": self.feasible}
        low, high = (np.asarray(value_of(side), dtype=float) for side in (self.lower, self.upper))
        return NonlinearConstraint(lent.value, low, high, jac=lent.matrix, **options)

    def end(self) -> None:
        """Let go of what SciPy was lent."""
        if self.lent is not None:
            self.lent.end()
            self.lent = None


def constraints_of(constraints: Any, layout: Layout) -> list[Constraint]:
    """SciPy's constraints, and dictionaries of them, in one form."""
    kinds = (dict, LinearConstraint, NonlinearConstraint)
    found = []
    for one in [constraints] if isinstance(constraints, kinds) else list(constraints or ()):
        if isinstance(one, dict):
            found.append(_of_dict(one, layout))
        elif isinstance(one, LinearConstraint):
            found.append(_linear(one, layout))
        elif isinstance(one, NonlinearConstraint):
            found.append(Constraint(one.fun, (), one.lb, one.ub, one.keep_feasible, layout))
        else:
            raise TypeError(
                f"{layout.who}: a constraint is a NonlinearConstraint, a LinearConstraint or a dict with 'type' and "
                f"'fun'; got a {type(one).__name__}"
            )
    return found


def _of_dict(one: dict[str, Any], layout: Layout) -> Constraint:
    kind = str(one.get("type", "")).lower()
    if kind not in ("eq", "ineq") or "fun" not in one:
        raise ValueError(f"{layout.who}: a constraint needs 'type' ('eq' or 'ineq') and 'fun'; got {sorted(one)}")
    if one.get("jac") is not None:
        raise TypeError(f"{layout.who}: the Jacobian of a constraint is computed here; leave 'jac' away")
    return Constraint(one["fun"], tuple(one.get("args", ())), 0.0, 0.0 if kind == "eq" else _INF, False, layout)


def _linear(one: LinearConstraint, layout: Layout) -> Constraint:
    matrix = one.A
    total = sum(array.size for array in layout.arrays)
    if matrix.shape[1] != total:
        raise ValueError(
            f"{layout.who}: a LinearConstraint of shape {matrix.shape} for x0 of {total} numbers; its columns are the "
            "numbers of x0, leaf after leaf"
        )
    dense = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)

    def product(x: Any) -> Any:
        leaves = [np.reshape(leaf, (-1,)) for leaf in flatten(x)[0]]
        return dense @ (leaves[0] if len(leaves) == 1 else np.concatenate(leaves))

    return Constraint(product, (), one.lb, one.ub, one.keep_feasible, layout)
