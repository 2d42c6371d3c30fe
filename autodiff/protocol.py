"""What NumPy asks of a Tensor beyond a plain call, and what is said when it cannot be done.

Nothing here knows the class Tensor: arguments are passed on to functions that do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .primitive import Primitive, refusals, registry

WRONG = (TypeError, ValueError, IndexError)
"""What NumPy raises for arguments that do not fit."""

ANSWERED = frozenset(
    {
        np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.zeros_like,
        np.ones_like, np.full_like, np.empty_like, np.array_equal, np.array_equiv, np.allclose, np.isclose,
        np.may_share_memory, np.shares_memory, np.array2string, np.array_repr, np.array_str, np.isscalar,
        np.common_type, np.min_scalar_type, np.copyto, np.nonzero, np.count_nonzero, np.argwhere, np.flatnonzero,
    }
)  # fmt: skip
"""Questions about values, shapes and types: answered with plain values, without a node."""


def unsupported(function: Any) -> TypeError:
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


_REDUCTIONS: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def unusual(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """A ufunc's call with keywords, or one of its other methods."""
    name = ufunc.__name__
    out = kwargs.pop("out", None)
    if out is not None and any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(
            f"{name}: would write a Tensor's values into an existing array and lose its gradient "
            f"(array += tensor does this too); write array = np.{name}(array, tensor), or array = array + tensor"
        )
    if kwargs.get("where") is True:
        del kwargs["where"]
    if method == "__call__" and not kwargs:
        return ufunc(*inputs)
    if method == "reduce" and ufunc in _REDUCTIONS:
        kwargs = {k: v for k, v in kwargs.items() if not (k in ("dtype", "initial") and v is None)}
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        return _REDUCTIONS[ufunc](inputs[0], axis=axis, **kwargs)
    if method == "accumulate" and ufunc is np.add and set(kwargs) <= {"axis"}:
        return np.cumsum(inputs[0], axis=kwargs.get("axis", 0))
    if method == "outer" and not kwargs:
        a, b = inputs
        return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b)
    what = f"the keyword '{next(iter(kwargs))}'" if method == "__call__" else f"the method '{method}'"
    raise TypeError(
        f"{name}: {what} is not differentiated and would change the result; call np.{name}(...) without it, "
        "and choose elements with np.where"
    )


def explained(primitive: Primitive, values: Any, error: Exception) -> Exception:
    """NumPy's complaint with the operation, the shapes and the way out."""
    if str(error).startswith(primitive.name + ":") and "gufunc" not in str(error):
        return error  # ours, and good as it is
    described = ", ".join(f"{p} {describe(v)}" for p, v in zip(primitive.parameters, values, strict=False))
    way_out = ""
    if primitive.elementwise and isinstance(error, ValueError):
        way_out = "; shapes must agree from the right or be 1: reshape one, or add an axis with t[..., None]"
    kind = next(k for k in (np.linalg.LinAlgError, TypeError, ValueError, IndexError) if isinstance(error, k))
    complaint = str(error).removeprefix(f"{primitive.name}: ")
    return kind(f"{primitive.name}: {complaint} (called with {described}){way_out}")


def describe(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, list | tuple) and any(isinstance(v, np.ndarray | np.generic) for v in value):
        return "[" + ", ".join(map(describe, value)) + "]"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
