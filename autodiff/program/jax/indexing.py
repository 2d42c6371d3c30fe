"""Indices: JAX takes the nearest element where an index is out of bounds, and needs to know how many a mask chooses."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..exporting import refuse
from ..instruction import Instruction
from .guards import Flags

Array = Any
_AT: dict[Any, str] = {
    np.add: "add", np.subtract: "subtract", np.multiply: "multiply", np.divide: "divide", np.maximum: "max",
    np.minimum: "min",
}  # fmt: skip


def chosen(array: Array, index: Any, instruction: Instruction, flags: Flags) -> Array:
    """``array[index]``."""
    array = jnp.asarray(array)
    index = _without_masks(index, array.shape, instruction.result.shape, instruction, flags)
    _check_bounds(index, array.shape, flags)
    return array[index]


def put(array: Array, index: Any, value: Any, flags: Flags) -> Array:
    """``array[index] = value``; of a place that is named twice, the last value stays."""
    array = jnp.asarray(array)
    value = jnp.asarray(value).astype(array.dtype)
    if _is_mask(index) and value.ndim == 0:
        return jnp.where(jnp.reshape(index, (*index.shape, *[1] * (array.ndim - index.ndim))), value, array)
    places = jnp.arange(array.size).reshape(array.shape)
    if any(map(_is_mask, _parts(index))):
        index = _masks_as_positions(index, value.shape[:1], flags)
    _check_bounds(index, array.shape, flags)
    if not any(hasattr(part, "dtype") and np.ndim(part) for part in _parts(index)):
        return array.at[index].set(_fitted(value, jax.eval_shape(lambda a: a[index], array).shape))
    places = places[index]
    value = _fitted(value, places.shape).ravel()
    order = jnp.full(array.size, -1).at[places.ravel()].max(jnp.arange(places.size))
    last = value[jnp.maximum(order, 0)] if value.size else jnp.zeros(array.size, array.dtype)
    return jnp.where(order >= 0, last, array.ravel()).reshape(array.shape)


def put_at(ufunc: Any, array: Array, index: Any, *rest: Any) -> Array:
    """``ufunc.at(array, index, value)``."""
    *values, instruction, flags = rest
    method = _AT.get(ufunc)
    if method is None or len(values) != 1:
        refuse("to_jax", instruction, f"JAX has no {ufunc.__name__} at positions")
    array = jnp.asarray(array)
    if any(map(_is_mask, _parts(index))):
        index = _masks_as_positions(index, np.shape(values[0])[:1], flags)
    _check_bounds(index, array.shape, flags)
    return getattr(array.at[index], method)(jnp.asarray(values[0]).astype(array.dtype))


def _fitted(value: Array, shape: tuple[int, ...]) -> Array:
    """A value in the shape of what is written; NumPy leaves away first axes of length 1."""
    while value.ndim > len(shape):
        value = value[0]
    return jnp.broadcast_to(value, shape)


def _parts(index: Any) -> tuple[Any, ...]:
    return index if type(index) is tuple else (index,)


def _is_mask(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype == bool


def _without_masks(
    index: Any, shape: tuple[int, ...], result: tuple[int, ...], instruction: Instruction, flags: Flags
) -> Any:
    """The index with the positions of what is True in the place of masks."""
    parts = _parts(index)
    if not any(map(_is_mask, parts)):
        return index
    arrays = [part for part in parts if hasattr(part, "dtype") and np.ndim(part) and not _is_mask(part)]
    if arrays or sum(map(_is_mask, parts)) > 1:
        refuse("to_jax", instruction, "a mask together with another array is not exported; choose in two steps")
    before = 0  # axes of the result in front of the mask's
    for part in parts:
        if _is_mask(part):
            break
        if part is Ellipsis:
            axes = sum(p.ndim if _is_mask(p) else p is not None and p is not Ellipsis for p in parts)
            before += len(shape) - axes
        elif not isinstance(part, int):
            before += 1
    return _masks_as_positions(index, result[before : before + 1], flags)


def _masks_as_positions(index: Any, size: tuple[int, ...], flags: Flags) -> Any:
    found: list[Any] = []
    for part in _parts(index):
        if _is_mask(part):
            if isinstance(part, np.ndarray):
                found += np.nonzero(part)
                continue
            flags.note(jnp.count_nonzero(part) == size[0])
            found += jnp.nonzero(part, size=size[0])
        else:
            found.append(part)
    return tuple(found)


def _check_bounds(index: Any, shape: tuple[int, ...], flags: Flags) -> None:
    """Note that positions must be in bounds."""
    parts = _parts(index)
    axes, axis = sum(part is not None and part is not Ellipsis for part in parts), 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - axes
        elif part is not None:
            if hasattr(part, "dtype") and not isinstance(part, np.ndarray | np.generic):
                flags.note((part >= -shape[axis]) & (part < shape[axis]))
            axis += 1
