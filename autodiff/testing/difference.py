"""The difference of two results, as one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tree import flatten, flatten_like


def difference(ours: Any, reference: Any) -> float:
    """The largest difference of two arrays, or of two nestings of arrays, relative to the reference.

    For one array it is ``max |ours - reference| / max |reference|`` (not divided if the reference is zero everywhere).
    For a nesting it is the largest of its arrays.  Equal infinities do not differ.  A NaN on either side gives NaN,
    which is below no bound.  Both must have the same nesting and the same shapes: nothing is broadcast.

    Raises ValueError if they have not.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.testing import difference
    >>> x = np.array([1.0, 2.0, 4.0])
    >>> difference(grad(lambda x: np.sum(x**3))(x), 3 * x**2)
    0.0
    >>> difference({"w": np.array([1.0, 2.5]), "b": 0.0}, {"w": np.array([1.0, 2.0]), "b": 0.0})
    0.25
    """
    theirs = flatten(reference)[0]
    mine = flatten_like(ours, reference, "difference")
    found = [_of_arrays(_values(a), _values(b)) for a, b in zip(mine, theirs, strict=True)]
    return float(np.max(found)) if found else 0.0  # NumPy's maximum lets a NaN through, Python's may lose it


def _values(leaf: Any) -> Any:
    return leaf.data if isinstance(leaf, Tensor) else np.asanyarray(leaf)


def _of_arrays(ours: Any, reference: Any) -> Any:
    if ours.shape != reference.shape:
        raise ValueError(
            f"difference: the shapes are {ours.shape} and {reference.shape}; they must be the same, "
            "or each element would be compared with several: reshape one"
        )
    if not reference.size:
        return 0.0
    with np.errstate(invalid="ignore"):  # inf - inf, where the two are equal
        apart = np.where(ours == reference, 0.0, np.abs(np.subtract(ours, reference, dtype=_type(ours, reference))))
    size = np.max(np.abs(reference), initial=0.0, where=np.isfinite(reference))
    return np.max(apart) / (size or 1.0)


def _type(*arrays: Any) -> Any:
    """Float64 or what is wider: unsigned integers and bools have no differences of their own."""
    return np.result_type(np.float64, *arrays)
