"""The other methods of ufuncs on Tensors: reduce, accumulate, reduceat, outer.

The common ones are NumPy functions too (``np.add.reduce`` is ``np.sum``), and become calls of those.  The others are
computed step by step, as NumPy defines them.  ``at`` writes in place and is refused.

No function here uses the class Tensor: they pass arguments on to functions that do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

reductions: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any,
}  # fmt: skip
"""The function that is a ufunc's ``reduce``."""

accumulations: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}
"""The function that is a ufunc's ``accumulate``."""

_ONLY = "differentiated without the keyword"


def unusual(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """The call of a ufunc with keywords, or of another method.  Raises TypeError if there is no derivative."""
    name = ufunc.__name__
    out = kwargs.pop("out", None)
    if out is not None and any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(
            f"{name}: would write a Tensor's values into an existing array and lose its gradient "
            f"(array += tensor does this too); write array = np.{name}(array, tensor), or array = array + tensor"
        )
    if method == "at":
        raise TypeError(
            f"{name}: np.{name}.at writes into its argument and has no gradient; use autodiff.index_add(x, index, v), "
            "or x.at[index].add(v), which return a new Tensor"
        )
    kwargs = {k: v for k, v in kwargs.items() if not _is_default(k, v)}
    if method == "__call__":
        if kwargs:
            raise TypeError(
                f"{name}: the keyword '{next(iter(kwargs))}' is not differentiated and would change the result; "
                f"call np.{name}(...) without it, and choose elements with np.where"
            )
        return ufunc(*inputs)
    known: Any = {"reduce": _reduce, "accumulate": _accumulate, "reduceat": _reduceat, "outer": _outer}.get(method)
    if known is None or (method != "outer" and ufunc not in reductions and "dd->d" not in ufunc.types):
        raise TypeError(f"{name}: np.{name}.{method} has no derivative; take it of plain values: t.data")
    return known(ufunc, *inputs, **kwargs)


def _is_default(keyword: str, value: Any) -> bool:
    if keyword == "where":
        return value is True
    return (keyword == "dtype" and value is None) or value is np._NoValue


def _axis(ufunc: Any, a: Any, axis: Any) -> int:
    """The one axis that is reduced."""
    if isinstance(axis, tuple) and len(axis) == 1:
        axis = axis[0]
    rank = np.ndim(a)
    if axis is None and rank == 1:
        return 0
    if not isinstance(axis, int | np.integer):
        raise TypeError(f"{ufunc.__name__}: its steps have an order, so it goes along one axis; got axis={axis}")
    if not -rank <= axis < rank:
        raise np.exceptions.AxisError(f"{ufunc.__name__}: axis {axis} is out of bounds for shape {np.shape(a)}")
    return int(axis) % rank


def _parts(a: Any, axis: int) -> list[Any]:
    """The slices along an axis."""
    before = (slice(None),) * axis
    return [a[(*before, i)] for i in range(np.shape(a)[axis])]


def _cast(a: Any, dtype: Any) -> Any:
    return a if dtype is None else np.astype(a, dtype)


def _refuse(ufunc: Any, method: str, kwargs: Any) -> None:
    if kwargs:
        name = ufunc.__name__
        raise TypeError(f"{name}: np.{name}.{method} is {_ONLY} '{next(iter(kwargs))}'")


def _reduce(ufunc: Any, a: Any, *, axis: Any = 0, keepdims: bool = False, dtype: Any = None, **kwargs: Any) -> Any:
    """a_0 f a_1 f a_2 ..., from the left."""
    if ufunc in reductions:
        return _known_reduction(ufunc, a, axis, keepdims, dtype, kwargs)
    initial = kwargs.pop("initial", ufunc.identity)
    _refuse(ufunc, "reduce", kwargs)
    a, shape = _cast(a, dtype), np.shape(a)
    if (not shape and axis in (None, 0, -1)) or (axis is None and ufunc in _ANY_ORDER):
        a, axis = np.reshape(a, (-1,)), 0
    axis = _axis(ufunc, a, axis)
    parts = _parts(a, axis)
    if initial is not None:
        start = np.sum(a[(*(slice(None),) * axis, slice(0, 0))], axis=axis)  # zeros that know where they come from
        parts.insert(0, start + np.full(np.shape(start), initial, a.dtype))
    if not parts:
        raise ValueError(f"{ufunc.__name__}: nothing to reduce along axis {axis} of shape {np.shape(a)}")
    result = parts[0]
    for part in parts[1:]:
        result = ufunc(result, part)
    if not keepdims:
        return result
    return np.expand_dims(result, axis) if len(shape) == np.ndim(a) else np.reshape(result, (1,) * len(shape))


_ANY_ORDER = frozenset({np.hypot, np.logaddexp2, np.fmax, np.fmin})
"""Those of the others whose steps may be taken in any order, along all axes at once."""

_STARTING = frozenset({np.add, np.multiply, np.maximum, np.minimum})
"""The ufuncs whose reduction takes ``initial`` by itself."""


def _known_reduction(ufunc: Any, a: Any, axis: Any, keepdims: bool, dtype: Any, kwargs: dict[str, Any]) -> Any:
    """A reduction by a NumPy function; the initial value is added if that function takes none."""
    if dtype is not None and ufunc in accumulations:  # sums and products say in which type they are taken
        kwargs["dtype"] = dtype
    else:
        a = _cast(a, dtype)
    initial = kwargs.pop("initial", np._NoValue)
    if ufunc in _STARTING and initial is not None and initial is not np._NoValue:
        kwargs["initial"] = initial
    result = reductions[ufunc](a, axis=axis, keepdims=keepdims, **kwargs)
    if initial is None and np.size(result) and not np.size(a):
        raise ValueError(f"{ufunc.__name__}: nothing to reduce in shape {np.shape(a)}, and no initial value")
    return result if ufunc in _STARTING or initial is None or initial is np._NoValue else ufunc(result, initial)


def _accumulate(ufunc: Any, a: Any, *, axis: int = 0, dtype: Any = None, **kwargs: Any) -> Any:
    """a_0, a_0 f a_1, (a_0 f a_1) f a_2, ..."""
    _refuse(ufunc, "accumulate", kwargs)
    if ufunc in accumulations:
        known = {} if dtype is None else {"dtype": dtype}
        return accumulations[ufunc](a, axis=_axis(ufunc, a, axis), **known)
    axis = _axis(ufunc, a, axis)
    a = np.astype(a, bool) if "dd->?" in ufunc.types else _cast(a, dtype)
    parts = _parts(a, axis)
    if not parts:
        return np.copy(a)
    results = parts[:1]
    for part in parts[1:]:
        results.append(ufunc(results[-1], part))
    return np.stack(results, axis=axis)


def _reduceat(ufunc: Any, a: Any, indices: Any, *, axis: int = 0, dtype: Any = None, **kwargs: Any) -> Any:
    """The reduction of a[i:j] for each i and the next j; only a[i] where j is not larger."""
    _refuse(ufunc, "reduceat", kwargs)
    axis = _axis(ufunc, a, axis)
    a, length = _cast(a, dtype), np.shape(a)[axis]
    starts = [int(i) for i in np.asarray(indices)]
    wrong = [i for i in starts if not 0 <= i < length]
    if wrong:
        raise IndexError(f"{ufunc.__name__}: index {wrong[0]} is out of range for axis {axis} of length {length}")
    before = (slice(None),) * axis
    sums = []
    for i, j in zip(starts, [*starts[1:], length], strict=True):
        sums.append(_reduce(ufunc, a[(*before, slice(i, j))], axis=axis) if i < j else a[(*before, i)])
    return np.stack(sums, axis=axis) if sums else a[(*before, slice(0, 0))]


def _outer(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """a_i f b_j for each i and j."""
    _refuse(ufunc, "outer", kwargs)
    return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b)
