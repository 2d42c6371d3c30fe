"""What NumPy asks of a Tensor beyond a plain call, and what is said when it cannot be done.

Nothing here knows the class Tensor: arguments are passed on to functions that do.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np

from .coercion import is_refusal
from .primitive import Composite, Primitive, refusals, registry

WRONG = (TypeError, ValueError, IndexError)
"""What NumPy raises for arguments that do not fit."""

ANSWERED = frozenset(
    {
        np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.zeros_like,
        np.ones_like, np.full_like, np.empty_like, np.array_equal, np.array_equiv, np.allclose, np.isclose,
        np.may_share_memory, np.shares_memory, np.array2string, np.array_repr, np.array_str, np.isscalar,
        np.common_type, np.min_scalar_type, np.copyto, np.nonzero, np.count_nonzero, np.argwhere, np.flatnonzero,
        np.einsum_path,
    }
)  # fmt: skip
"""Questions about values, shapes and types: answered with plain values, without a node."""


def unsupported(function: Any) -> TypeError:
    """The error for a function that has no entry: why, or what its name may have been meant for."""
    import difflib  # here, because only a mistake needs it and every program would wait for it

    name = getattr(function, "__name__", str(function))
    if function in refusals:
        return TypeError(f"{name}: {refusals[function]}")
    known = sorted({entry.name for entry in registry.values()})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"; nearest supported: {', '.join(near)}" if near else ""
    return TypeError(
        f"{name}: no derivative is registered for this function{hint}. "
        "Compose it from supported ones, register a rule (autodiff.elementwise, autodiff.primitive), "
        "or pass t.data if no gradient should flow"
    )


_KINDS: Any = (np.linalg.LinAlgError, np.exceptions.AxisError, TypeError, ValueError, IndexError)
_NAMED = re.compile(r"\w+: ")


def complain(entry: Primitive | Composite, values: Any, error: Exception) -> NoReturn:
    """Raise NumPy's complaint with the operation, the shapes and the way out."""
    better = _explained(entry, values, error)
    try:
        if better is not error:  # from itself it would hold itself
            raise better from error
        raise error
    finally:  # a traceback holds this frame, which must not hold the exception in turn
        del better, error


def _explained(entry: Primitive | Composite, values: Any, error: Exception) -> Exception:
    ours = str(error).startswith(entry.name + ":") and "gufunc" not in str(error)
    if (
        ours
        or is_refusal(error)
        or (isinstance(entry, Primitive) and error.__cause__ is not None and _NAMED.match(str(error)))
    ):
        return error  # good as it is
    described = ", ".join(f"{p} {describe(v)}" for p, v in zip(entry.parameters, values, strict=False))
    way_out = ""
    if isinstance(entry, Primitive) and entry.elementwise and isinstance(error, ValueError):
        way_out = "; shapes must agree from the right or be 1: reshape one, or add an axis with t[..., None]"
    kind: type[Exception] = next(k for k in _KINDS if isinstance(error, k))
    if isinstance(entry, Composite) and _NAMED.match(str(error)):  # an operation inside: say whose part it is
        return kind(f"{entry.name}: {error}")
    complaint = str(error).removeprefix(f"{entry.name}: ")
    return kind(f"{entry.name}: {complaint} (called with {described}){way_out}")


def describe(value: Any) -> str:
    """An argument in an error message: dtype and shape of an array, the start of anything else."""
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, list | tuple) and any(isinstance(v, np.ndarray | np.generic) for v in value):
        return "[" + ", ".join(map(describe, value)) + "]"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
