"""Options that the filters share: what lies beyond the border, and one value for each axis."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

MODES = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "constant": "constant", "grid-constant": "constant",
    "nearest": "edge", "mirror": "reflect", "wrap": "wrap", "grid-wrap": "wrap",
}  # fmt: skip
"""What lies beyond the border, and NumPy's name of it."""


def checked(who: str, mode: str) -> str:
    """NumPy's name of a mode.  Raises ValueError for one that there is not."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{who}: mode={mode!r}; it is 'reflect', 'constant', 'nearest', 'mirror' or 'wrap'")
    return MODES[mode]


def plain_number(value: Any) -> float:
    """The number in a Tensor, or an array of one element: what decides how many elements a filter has."""
    return float(value.item() if hasattr(value, "item") else value)


def axes_of(who: str, ndim: int, axes: Any) -> tuple[int, ...]:
    """The axes that are filtered, counted from the first.  Raises for one that there is not, or that is there twice."""
    found = tuple(range(ndim)) if axes is None else tuple(int(a) for a in np.atleast_1d(axes))
    for axis in found:
        if not -ndim <= axis < ndim:
            raise np.exceptions.AxisError(axis, ndim)
    found = tuple(axis % ndim for axis in found)
    if len(set(found)) != len(found):
        raise ValueError(f"{who}: axes={axes!r} has an axis twice")
    return found


def each(who: str, name: str, value: Any, count: int) -> list[Any]:
    """One value for each axis."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{who}: {name} has {len(value)} elements, one for each of {count} axes is needed")
    return [value[i] for i in range(count)]
