"""Evaluating what JAX traced, operation by operation, without compiling the program.

Compiling a small program costs JAX a quarter of a second, tracing its gradient a tenth of that.  The traced gradient is
a list of elementary operations (a jaxpr): arithmetic and movements of elements are done by NumPy here, and the rest,
such as gather, sort and the decompositions, by JAX itself, which keeps them compiled.  The derivative is JAX's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np

Array = Any

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative, "exp": np.exp, "exp2": np.exp2,
    "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh,
    "sinh": np.sinh, "cosh": np.cosh, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "sqrt": np.sqrt, "cbrt": np.cbrt,
    "rsqrt": lambda x: 1.0 / np.sqrt(x), "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)), "square": np.square,
    "abs": np.abs, "max": np.maximum, "min": np.minimum, "floor": np.floor, "ceil": np.ceil,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert, "real": np.real,
    "imag": np.imag, "conj": np.conj, "is_finite": np.isfinite, "add_any": np.add, "copy": np.array,
    "copy_p": np.array, "stop_gradient": np.array, "clamp": lambda low, x, high: np.clip(x, low, high),
    "complex": lambda a, b: a + 1j * b, "select_n": lambda which, *cases: np.choose(np.asarray(which, int), cases),
}  # fmt: skip


def _broadcast_in_dim(x: Array, shape: Any, broadcast_dimensions: Any, **_: Any) -> Array:
    kept = [1] * len(shape)
    for place, n in zip(broadcast_dimensions, np.shape(x), strict=True):
        kept[place] = n
    return np.broadcast_to(np.reshape(x, kept), shape)


def _slice(x: Array, start_indices: Any, limit_indices: Any, strides: Any) -> Array:
    steps = strides or (1,) * len(start_indices)
    return x[tuple(slice(*ends) for ends in zip(start_indices, limit_indices, steps, strict=True))]


def _dot_general(a: Array, b: Array, dimension_numbers: Any, **_: Any) -> Array:
    (contract_a, contract_b), (batch_a, batch_b) = dimension_numbers
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    left: list[str] = [next(letters) for _ in a.shape]
    right: list[str] = [next(letters) for _ in b.shape]
    for i, j in (*zip(batch_a, batch_b, strict=True), *zip(contract_a, contract_b, strict=True)):
        right[j] = left[i]
    free_a = [c for i, c in enumerate(left) if i not in (*batch_a, *contract_a)]
    free_b = [c for j, c in enumerate(right) if j not in (*batch_b, *contract_b)]
    out = [left[i] for i in batch_a] + free_a + free_b
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", a, b)


def _running(function: Any) -> Callable[..., Any]:
    def call(x: Array, axis: int, reverse: bool) -> Array:
        return np.flip(function(np.flip(x, axis), axis), axis) if reverse else function(x, axis)

    return call


MOVEMENTS: dict[str, Callable[..., Any]] = {
    "broadcast_in_dim": _broadcast_in_dim, "slice": _slice, "dot_general": _dot_general,
    "reshape": lambda x, new_sizes, **_: np.reshape(x, new_sizes),
    "transpose": lambda x, permutation: np.transpose(x, permutation),
    "squeeze": lambda x, dimensions: np.squeeze(x, tuple(dimensions)),
    "concatenate": lambda *arrays, dimension: np.concatenate(arrays, dimension),
    "rev": lambda x, dimensions: np.flip(x, dimensions),
    "convert_element_type": lambda x, new_dtype, **_: np.asarray(x).astype(new_dtype),
    "integer_pow": lambda x, y: np.power(x, float(y)) if np.asarray(x).dtype.kind != "c" else np.power(x, y),
    "reduce_sum": lambda x, axes, **_: np.sum(x, axes), "reduce_max": lambda x, axes, **_: np.max(x, axes),
    "reduce_min": lambda x, axes, **_: np.min(x, axes), "reduce_prod": lambda x, axes, **_: np.prod(x, axes),
    "reduce_and": lambda x, axes, **_: np.all(x, axes), "reduce_or": lambda x, axes, **_: np.any(x, axes),
    "cumsum": _running(np.cumsum), "cumprod": _running(np.cumprod),
}  # fmt: skip
INNER = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr",
         "custom_vjp_call": "call_jaxpr", "remat": "jaxpr", "checkpoint": "jaxpr"}  # fmt: skip


def _div(a: Array, b: Array) -> Array:
    return (
        np.divide(a, b) if np.asarray(a).dtype.kind in "fc" else np.trunc(np.divide(a, b)).astype(np.asarray(a).dtype)
    )


def _by_numpy(name: str, values: list[Any], params: dict[str, Any]) -> Any:
    """The result by NumPy, or NotImplemented."""
    if name in ELEMENTWISE:
        return ELEMENTWISE[name](*values)
    if name == "div":
        return _div(*values)
    if name == "pow" and all(np.asarray(v).dtype.kind in "fc" for v in values):
        return np.power(*values)
    if name == "sign" and np.asarray(values[0]).dtype.kind == "f":
        return np.sign(values[0])
    if name in MOVEMENTS and not (name == "reshape" and params.get("dimensions")):
        return MOVEMENTS[name](*values, **params)
    if name == "pad" and all(low >= 0 and high >= 0 and inner == 0 for low, high, inner in params["padding_config"]):
        ends = [(low, high) for low, high, _ in params["padding_config"]]
        return np.pad(values[0], ends, constant_values=values[1])
    return NotImplemented


def _inner_results(eqn: Any, values: list[Any]) -> list[Any] | None:
    """The results of an operation that holds a jaxpr of its own; None for any other."""
    params = eqn.params
    if eqn.primitive.name in INNER:
        inner = params[INNER[eqn.primitive.name]]
        closed = hasattr(inner, "jaxpr")
        return evaluated(inner.jaxpr if closed else inner, inner.consts if closed else [], values)
    if eqn.primitive.name == "cond":
        branch = params["branches"][int(np.clip(values[0], 0, len(params["branches"]) - 1))]
        return evaluated(branch.jaxpr, branch.consts, values[1:])
    return None


def evaluated(jaxpr: Any, constants: Any, arguments: list[Any]) -> list[Any]:
    """The outputs of a jaxpr."""
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
    known.update(zip(jaxpr.invars, arguments, strict=True))

    def read(variable: Any) -> Any:
        return variable.val if isinstance(variable, jax.extend.core.Literal) else known[variable]

    for eqn in jaxpr.eqns:
        values = [read(v) for v in eqn.invars]
        results = _inner_results(eqn, values)
        if results is None:
            plain = [np.asarray(v) for v in values] if all(_is_plain(v) for v in values) else None
            result = NotImplemented if plain is None else _by_numpy(eqn.primitive.name, plain, eqn.params)
            if result is not NotImplemented:
                results = [np.asarray(result, dtype=eqn.outvars[0].aval.dtype)]
            else:
                found = eqn.primitive.bind(*[jnp.asarray(v) if _is_plain(v) else v for v in values], **eqn.params)
                results = list(found) if eqn.primitive.multiple_results else [found]
        known.update(zip(eqn.outvars, results, strict=True))
    return [read(v) for v in jaxpr.outvars]


def _is_plain(value: Any) -> bool:
    """Whether it is numbers, and not a random key or a place for nothing."""
    return getattr(getattr(value, "dtype", None), "kind", "f") in "fciub"


def run(function: Callable[..., Any], *arrays: Any) -> Any:
    """``function(*arrays)``, traced by JAX and evaluated here; any nesting of arrays comes back."""
    traced, shape = jax.make_jaxpr(function, return_shape=True)(*arrays)
    leaves = evaluated(traced.jaxpr, traced.consts, list(arrays))
    return jax.tree.unflatten(jax.tree.structure(shape), [np.asarray(v) for v in leaves])
