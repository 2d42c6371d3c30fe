"""Solutions of equations: z(p) with r(z, p) = 0, by the implicit function theorem, to any order.

dz = - r_z^-1 r_p dp, so the cotangent of p is - (r_z^-T g)^T r_p.  The residual is evaluated again in the backward
pass, at the solution, which is tied to its node there; so the rule can be differentiated itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from ...backpropagation import backward
from ...graph import Node, tick
from ...structural import untracked
from ...tensor import Tensor, wrap
from ...transforms.calling import alias, recording
from .linking import linked, sources

Array = Any


def implied(name: str, residual: Callable[[Any], Any], value: Array) -> Any:
    """The solution ``value`` of residual(z) = 0, as many equations as unknowns, with derivatives.

    The residual closes over what the solution depends on.  A Tensor, or the array if it depends on no variable.
    """
    start = tick()
    with untracked():
        parents = sources([_node(residual(value))], start)
    if not parents:
        return value
    made: list[weakref.ref[Node]] = []

    def pull(g: dict[int, Any], create: bool) -> dict[int, Any]:
        node = made[0]()
        with recording(), untracked():
            z = alias(wrap(value, node)) if create and node is not None else Tensor(value)
            r = residual(z)
            rows = [_slope(r, z, seed, create) for seed in np.eye(value.size, dtype=value.dtype)]
            seed = -np.linalg.solve(np.stack(rows).T, np.reshape(g[0], value.size))
            stops = {z._node, *parents}  # not through z: its cotangent is what was solved for
            found = backward({r._node: np.reshape(seed, value.shape)}, stops, retain=True, create=create, inner=True)
        return {i: found[node] for i, node in enumerate(parents) if node in found}

    (z,) = linked(name, (value,), parents, pull)
    made.append(weakref.ref(z._node))
    return z


def _node(r: Any) -> Node:
    return r._node if isinstance(r, Tensor) else Tensor(np.zeros(0))._node


def _slope(r: Tensor, z: Tensor, seed: Array, create: bool) -> Any:
    """One row of the Jacobian matrix of r by z."""
    given: Any = np.reshape(seed, z.shape)
    found = backward({r._node: given[()]}, {z._node}, retain=True, create=create)
    return np.ravel(found[z._node]) if z._node in found else seed * 0.0
