"""Transforms, alone and one in another, as places that a mode may stand around or inside of."""

from __future__ import annotations

import numpy as np

from autodiff import checkpoint, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp, vmap

X = np.array([0.5, 1.25, 2.0])


def _pulled(h, x):
    value, pull = vjp(h, x)
    return pull(np.cos(value))[0]


TRANSFORMS = {
    "nothing": lambda h: h,
    "grad": lambda h: grad(lambda z: np.sum(h(z))),
    "value_and_grad": lambda h: lambda x: np.sum(value_and_grad(lambda z: np.sum(h(z)))(x)[0]) * x,
    "vjp": lambda h: lambda x: _pulled(h, x),
    "jvp": lambda h: lambda x: jvp(h, (x,), (np.cos(x),))[1],
    "jacobian by rows": lambda h: jacobian(h, mode="reverse"),
    "jacobian by columns": lambda h: jacobian(h, mode="forward"),
    "hessian": lambda h: hessian(lambda z: np.sum(h(z))),
    "hvp": lambda h: lambda x: hvp(lambda z: np.sum(h(z)), (x,), (np.cos(x),))[0],
    "vmap": lambda h: vmap(lambda z: h(z) * z),
    "checkpoint": checkpoint,
}
"""Each makes, of a function that is elementwise, one of an array by way of a transform."""
TWICE = ("grad", "vjp", "jvp", "jacobian by rows", "jacobian by columns", "hvp", "vmap", "checkpoint")


def _mapped(h):
    """A mapping over rows: what is mapped takes an array."""
    return lambda x: vmap(lambda row: h(row) * 2.0)(np.outer(x, X))


PLACES = {name: (transform, {"alone": transform}) for name, transform in TRANSFORMS.items()}
for _outer in TWICE:
    _around = _mapped if _outer == "vmap" else TRANSFORMS[_outer]
    for _inner in TWICE:
        _within = TRANSFORMS[_inner]
        PLACES[_outer][1][f"of {_inner}"] = lambda h, around=_around, within=_within: around(within(h))
PLACES = {outer: places for outer, (_, places) in PLACES.items()}
"""By the outer transform: what it is alone, and of each inner one."""


def smooth(z):
    return np.sin(z) * np.exp(z * 0.5)
