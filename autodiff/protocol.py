"""Calls by NumPy's protocols that cannot be done: the error for each.

No function here uses the class Tensor: they pass arguments on to functions that do.
"""

from __future__ import annotations

import re
import sys
from typing import Any, NoReturn

import numpy as np

from .coercion import is_refusal
from .primitive import Composite, Primitive, refusals, registry

WRONG = (TypeError, ValueError, IndexError, AttributeError)
"""What NumPy raises for arguments that do not fit; the last for what is no number: arctan2(x, None)."""

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
    """The error for a function that has no entry in the table: the reason, or the name that was probably meant."""
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
# compiled when there is a mistake to explain
_NAMED = r"\w+: "


def complain(entry: Primitive | Composite, values: Any, error: Exception) -> NoReturn:
    """Raise NumPy's error again, with the operation, the shapes and what to do."""
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
        or (isinstance(entry, Primitive) and error.__cause__ is not None and re.match(_NAMED, str(error)))
    ):
        return error  # good as it is
    described = ", ".join(f"{p} {describe(v)}" for p, v in zip(entry.parameters, values, strict=False))
    operands = isinstance(entry, Primitive) and entry.core is not None
    for parameter, value in zip(entry.parameters, values, strict=False):
        odd = not_numbers(value) if operands else _foreign_in(value)
        if odd is not None:
            return TypeError(f"{entry.name}: {parameter} is {odd} (called with {described})")
    if isinstance(error, AttributeError):
        return error
    way_out = ""
    if isinstance(entry, Primitive) and entry.elementwise and isinstance(error, ValueError):
        way_out = "; shapes must agree from the right or be 1: reshape one, or add an axis with t[..., None]"
    kind: type[Exception] = next(k for k in _KINDS if isinstance(error, k))
    if isinstance(entry, Composite) and re.match(_NAMED, str(error)):  # an operation inside: say whose part it is
        return kind(f"{entry.name}: {error}")
    complaint = _in_words(str(error).removeprefix(f"{entry.name}: "), entry)
    return kind(f"{entry.name}: {complaint} (called with {described}){way_out}")


_LENGTHS = r"operand (\d) .*core dimension (-?\d+), .*\(size (\d+) is different from (\d+)\)"
_AXES = r"operand (\d) does not have enough dimensions \(has (\d+), .* requires (\d+)\)"


def _in_words(complaint: str, entry: Primitive | Composite) -> str:
    """NumPy's message about the shapes of a product, in plain words."""
    if found := re.search(_LENGTHS, complaint):
        return (
            f"the lengths of the axes that are multiplied differ, {found[4]} and {found[3]}; "
            "transpose one (x.T, or np.swapaxes(x, -1, -2) in a stack), or reshape it"
        )
    if complaint.startswith("zero-dimensional arrays cannot be concatenated"):
        return "numbers have no axis to be put together along; write np.stack([t, u])"
    if found := re.search(_AXES, complaint):
        return (
            f"{entry.parameters[int(found[1])]} has {found[2]} axes and needs at least {found[3]}; "
            "a number multiplies with *"
        )
    return complaint


def foreign(value: Any) -> str | None:
    """A container whose values NumPy's protocols do not reach, and how to get an array; None for anything else.

    Such a container has operations of its own, and the derivative would be that of another operation.
    """
    kind = type(value)
    if hasattr(kind, "__array_function__") or hasattr(kind, "__array_namespace__"):
        return None
    if hasattr(kind, "toarray"):
        return f"a {kind.__name__}, which is sparse and knows no Tensor: write x.toarray()"
    if hasattr(kind, "to_numpy"):
        return f"a {kind.__name__}, which has labels of its own: write x.to_numpy()"
    return None


def _foreign_in(value: Any) -> str | None:
    """The same for an argument that may be a list of arrays."""
    found = map(foreign, value if isinstance(value, list | tuple) else (value,))
    return next(filter(None, found), None)


def has_own_rules(value: Any) -> bool:
    """Whether this is a masked array or a matrix, which have arithmetic of their own.

    NumPy imports its module of masked arrays on first use; before that, no object is one.
    """
    masked = sys.modules.get("numpy.ma")
    return isinstance(value, np.matrix) or (masked is not None and isinstance(value, masked.MaskedArray))


_KIND_OF = {
    "O": "Python objects, and an operation needs numbers: write np.asarray(x, dtype=float)",
    "U": "text, and an operation needs numbers: write np.asarray(x, dtype=float)",
    "S": "text, and an operation needs numbers: write np.asarray(x, dtype=float)",
    "M": "dates, and an operation needs numbers: write (x - x[0]) / np.timedelta64(1, 's')",
    "m": "times, and an operation needs numbers: write x / np.timedelta64(1, 's')",
}


def not_numbers(value: Any) -> str | None:
    """The type of an operand that holds no numbers, and what may be meant; None if it may hold numbers."""
    if value is None:
        return "None, and an operation needs numbers: does a function lack its 'return'?"
    if isinstance(value, str | bytes):
        return f"the text {value!r:.40}, and an operation needs numbers: write float(text), or np.asarray(texts, float)"
    if isinstance(value, dict | set | frozenset):
        return f"a {type(value).__name__}, and an operation needs numbers or arrays: take its values one by one"
    if isinstance(value, list | tuple):
        odd = next((o for o in map(not_numbers, value) if o is not None), None)
        return odd and f"a {type(value).__name__} with {odd}"
    if isinstance(value, np.ndarray) and value.dtype.kind in _KIND_OF:
        return f"an array of {_KIND_OF[value.dtype.kind]}"
    if callable(value) and not hasattr(value, "__array__"):
        return f"the function {getattr(value, '__name__', value)!r:.40}, and an operation needs numbers: call it"
    return foreign(value)


def describe(value: Any) -> str:
    """An argument in an error message: dtype and shape of an array, the beginning of the text of anything else."""
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, list | tuple) and any(isinstance(v, np.ndarray | np.generic) for v in value):
        return "[" + ", ".join(map(describe, value)) + "]"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
