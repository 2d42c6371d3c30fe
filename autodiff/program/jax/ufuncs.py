"""Ufuncs, with NumPy's rules for the dtypes: JAX has others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np

from ..exporting import LACKING, LackingError
from ..instruction import Value
from ..ufuncs import kind_of, loop_of

Array = Any


def of_ufunc(ufunc: np.ufunc, args: tuple[Any, ...], kwargs: dict[str, Any], now: Callable[[Value], Array]) -> Any:
    """``ufunc(*args)``: the operands in the dtypes of NumPy's loop."""
    given = args[: ufunc.nin]
    options = {name: value for name, value in kwargs.items() if name != "casting"}
    if len(args) > ufunc.nin or options.keys() - {"dtype", "axis", "axes", "keepdims"}:
        raise LackingError(f"an option that is not exported ({', '.join(kwargs)})")
    dtype = options.pop("dtype", None)
    loop = loop_of(ufunc, tuple(map(kind_of, given)), dtype)
    operands = [
        jnp.asarray(now(a) if type(a) is Value else a, jax.dtypes.canonicalize_dtype(t))
        for a, t in zip(given, loop, strict=False)
    ]
    return _implementation(ufunc)(*operands, **options)


def _implementation(ufunc: np.ufunc) -> Callable[..., Any]:
    name = _NAMES.get(ufunc.__name__, ufunc.__name__)
    found = _OWN.get(ufunc) or getattr(jnp, name, None) or getattr(jax.scipy.special, name, None)
    if found is None:
        raise LackingError(LACKING.format("JAX"))
    return found


def _of_integers(function: Callable[..., Any], at_zero: Any) -> Callable[..., Any]:
    """A division, which NumPy gives 0 for if whole numbers are divided by 0."""

    def divided(x: Array, y: Array) -> Any:
        if x.dtype.kind not in "iu":
            return function(x, y)
        return jnp.where(y == 0, at_zero, function(x, jnp.where(y == 0, 1, y)))

    return divided


_OWN: dict[Any, Callable[..., Any]] = {
    np.floor_divide: _of_integers(jnp.floor_divide, 0),
    np.remainder: _of_integers(jnp.remainder, 0),
    np.fmod: _of_integers(jnp.fmod, 0),
}
"""What JAX has otherwise."""

_NAMES = {"psi": "digamma", "_zeta": "zeta", "hyp2f1": ""}
"""Other names of SciPy's functions; of one, JAX 0.10 has a series only that does not converge everywhere."""
