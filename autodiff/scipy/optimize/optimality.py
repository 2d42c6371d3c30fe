"""The equations that a minimum satisfies: the gradient of the Lagrangian is zero, active constraints hold exactly.

    L(x, m) = f(x) - m . (c(x) - b)

x are the numbers that no bound holds, c are the active constraints and b their sides.  (W. Karush, 1939; H. Kuhn and A.
Tucker, 1951.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...ops.update import index_update
from ...tensor import Tensor, value_of
from ...transforms import grad, hvp, jacobian
from ...transforms.calling import recording
from ...transforms.products import is_active
from ...unrecorded import no_grad
from .limits import BESIDE, Constraint, Limits
from .solutions import solution
from .systems import Condition

Array = Any
ON = 1e-8
"""How near to its side it lies on it."""
MUCH = 100.0
"""A ratio of distances that decides."""


def minimum(
    function: Callable[[Any], Any],
    z: Array,
    who: str,
    condition: Condition,
    limits: Limits | None = None,
    constraints: Sequence[Constraint] = (),
) -> Any:
    """The minimum ``z`` of a function of a vector: a Tensor if the function, or a limit, depends on Tensors."""
    if not _depends(function, z, limits, constraints):
        return z
    held = _Held(function, z, limits, constraints)
    u = np.concatenate([z[held.free], held.multipliers])
    if held.degenerate:
        condition = condition._replace(refusal=held.degenerate)
    found = solution(held.equations, u, who, condition) if len(u) else u
    return held.placed(found)


def _gap(value: Any, side: Any) -> Any:
    """The distance from a side, relative to its size; infinite where there is none."""
    with np.errstate(invalid="ignore"):
        gap = np.abs(value - side) / (1 + np.abs(side))
    return np.where(np.isfinite(side), gap, np.inf)


def _depends(
    function: Callable[[Any], Any], z: Array, limits: Limits | None, constraints: Sequence[Constraint]
) -> bool:
    """Whether Tensors play a part at the minimum, which costs one evaluation to know."""
    sides = [] if limits is None else [limits.lower, limits.upper]
    for one in constraints:
        sides += [one.lower, one.upper]
    if any(map(is_active, sides)):
        return True
    with recording():
        return is_active(function(z)) or any(is_active(one.function.vector(z)) for one in constraints)


class _Held:
    """Which numbers a bound holds at the solution, which constraints are active, and with which multipliers."""

    def __init__(
        self, function: Callable[[Any], Any], z: Array, limits: Limits | None, constraints: Sequence[Constraint]
    ) -> None:
        self.function, self.z = function, z
        self.constraints = constraints
        self.degenerate = ""
        everywhere = np.zeros(len(z), bool)
        low, high = everywhere, everywhere
        if limits is not None and limits.given:
            low, high = (_gap(z, side) <= limits.near for side in (limits.low, limits.high))
        self.limits = limits
        sides = self._sides()
        if low.any() or high.any() or sides:
            low, high, sides = self._weighed(low, high, sides)
        self.sides = sides
        self.free = np.flatnonzero(~(low | high))
        self.at_low, self.at_high = np.flatnonzero(low), np.flatnonzero(high & ~low)
        if not sides:
            self.multipliers = np.zeros(0)

    def _sides(self) -> list[tuple[int, int, int, float]]:
        """Constraint, number, direction (0 for an equation, 1 for a lower side, -1 for an upper one) and distance."""
        found: list[tuple[int, int, int, float]] = []
        with no_grad():
            for i, one in enumerate(self.constraints):
                values = np.asarray(value_of(one.function.vector(self.z)))
                low, high = (np.broadcast_to(value_of(side), values.shape) for side in (one.lower, one.upper))
                for k, value in enumerate(values):
                    if low[k] == high[k]:
                        found.append((i, k, 0, 0.0))
                        continue
                    gaps = _gap(value, low[k]), _gap(value, high[k])
                    if min(gaps) <= BESIDE:
                        found.append((i, k, 1 if gaps[0] <= gaps[1] else -1, min(gaps)))
        return found

    def _weighed(self, low: Array, high: Array, sides: list[Any]) -> Any:
        """What is active indeed: the sides beyond which the minimum would lie if they were not there."""
        with no_grad():
            slope = np.asarray(grad(self.function)(self.z), dtype=float)
            matrices = [np.asarray(jacobian(one.function.vector)(self.z)) for one in self.constraints]
        rows = np.reshape([matrices[i][k] for i, k, _, _ in sides], (-1, len(slope)))
        while True:
            free = ~(low | high)
            weights = np.linalg.lstsq(rows[:, free].T, slope[free], rcond=None)[0] if len(sides) else np.zeros(0)
            rest = slope - rows.T @ weights
            triples = zip(rows, sides, weights, strict=True)
            ratios = [self._ratio(row, side[2], side[3], weight, slope) for row, side, weight in triples]
            held = np.flatnonzero(~free).tolist()
            ratios += [self._ratio_of_bound(j, low, high, rest, slope) for j in held]
            weak = [n for n, ratio in enumerate(ratios) if ratio <= MUCH]
            if not weak:
                self.multipliers = np.asarray(weights)
                return low, high, sides
            if sides:  # without the worst one, the others may have other multipliers
                weak = [min(weak, key=ratios.__getitem__)]
            for n in weak:
                if ratios[n] > 1 / MUCH:  # as far before the side as the minimum would be behind it
                    self.degenerate = "a constraint" if n < len(sides) else "a bound"
            bounds = [held[n - len(sides)] for n in weak if n >= len(sides)]
            low, high = low.copy(), high.copy()
            low[bounds] = high[bounds] = False
            kept = [n for n in range(len(sides)) if n not in weak]
            sides, rows = [sides[n] for n in kept], rows[kept]

    def _ratio_of_bound(self, j: int, low: Array, high: Array, rest: Array, slope: Array) -> float:
        """The ratio for the bound that holds number j."""
        assert self.limits is not None
        row = np.zeros(len(slope))
        row[j] = 1.0
        bound = self.limits.low[j] if low[j] else self.limits.high[j]
        sign = 0 if low[j] and high[j] else 1 if low[j] else -1
        return self._ratio(row, sign, float(_gap(self.z[j], bound)), rest[j], slope)

    def _ratio(self, row: Array, sign: int, gap: float, weight: float, slope: Array) -> float:
        """How far behind a side the minimum would lie without it, by how far before it the solution is."""
        if not sign:
            return np.inf
        weight *= sign
        size = float(np.max(np.abs(row), initial=0.0))
        if not size:
            return 0.0
        if gap <= ON and weight * size > 1e-4 * max(1.0, float(np.max(np.abs(slope)))):
            return np.inf
        with no_grad():
            bent = hvp(self.function, (self.z,), (row,))[0]
        curvature = abs(float(row @ bent)) / float(row @ row) ** 2
        distance = weight / curvature if curvature > 1e-12 * abs(weight) else np.copysign(np.inf, weight)
        if gap <= ON:
            return 1.0 if abs(distance) <= 1e-6 else distance * np.inf
        return distance / gap

    def placed(self, u: Any) -> Any:
        """The whole vector: the free numbers, and bounds where they hold the others."""
        count = len(self.free)
        if count == len(self.z):
            return u[:count] if len(u) > count else u
        whole: Any = np.array(self.z)
        for side, at in (("lower", self.at_low), ("upper", self.at_high)):
            bound = getattr(self.limits, side)
            if len(at) and isinstance(bound, Tensor):
                whole = index_update(whole, at, bound[at])
            elif len(at):
                whole[at] = bound[at]
        if not count:
            return whole
        return index_update(whole, self.free, u[:count])

    def equations(self, u: Any) -> Any:
        """The gradient of the Lagrangian by the free numbers and the multipliers."""
        return grad(self._lagrangian)(u)

    def _lagrangian(self, u: Any) -> Any:
        z = self.placed(u)
        total = self.function(z)
        start = len(self.free)
        values: dict[int, Any] = {}
        for n, (i, k, sign, _) in enumerate(self.sides):
            if i not in values:
                values[i] = self.constraints[i].function.vector(z)
            side = self.constraints[i].upper if sign < 0 else self.constraints[i].lower
            if np.ndim(value_of(side)):
                side = np.broadcast_to(side, values[i].shape)[k]
            total = total - u[start + n] * (values[i][k] - side)
        return total
