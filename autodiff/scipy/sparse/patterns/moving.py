"""Functions that move elements: they move labels in the same way."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ....program.instruction import Attribute, Method
from .sets import Labels
from .traced import Step, UnknownError, all_labels, carries, held, labels_of

_TYPES = frozenset({"dtype", "casting", "subok", "like", "device", "writeable"})
"""Keywords that mean nothing for labels."""

METHODS = frozenset({
    "reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "take", "repeat", "copy", "diagonal",
})  # fmt: skip


def _options(step: Step) -> dict[str, Any]:
    return {name: held(value) for name, value in step.kwargs.items() if name not in _TYPES}


@carries(
    operator.getitem, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.matrix_transpose,
    np.squeeze, np.expand_dims, np.broadcast_to, np.tile, np.repeat, np.roll, np.rot90, np.flip, np.fliplr, np.flipud,
    np.take, np.take_along_axis, np.diagonal, np.tril, np.triu, np.copy, np.diag, np.diagflat, np.resize, np.delete,
    np.split, np.array_split, np.vsplit, np.hsplit, np.dsplit, np.unstack, np.lib.stride_tricks.sliding_window_view,
    np.lib.stride_tricks.as_strided, *map(Method, METHODS), Attribute("T"), Attribute("mT"),
)  # fmt: skip
def first(step: Step) -> Any:
    """The first argument moves; the others say where to."""
    a, *rest = (*step.args, *[step.kwargs[name] for name in ("a", "x", "m", "ary", "arr") if name in step.kwargs])
    options = {name: value for name, value in _options(step).items() if name not in ("a", "x", "m", "ary", "arr")}
    found = step.function(labels_of(a), *held(tuple(rest)), **options)
    return found if isinstance(found, tuple | list) or np.ndim(found) else np.asarray(found)


@carries(np.compress, np.extract)
def _chosen(step: Step) -> Labels:
    condition, a, *rest = step.args
    return step.function(held(condition), labels_of(a), *held(tuple(rest)), **_options(step))


@carries(
    np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.block, np.atleast_1d,
    np.atleast_2d, np.atleast_3d, np.broadcast_arrays,
)  # fmt: skip
def _all(step: Step) -> Any:
    """All arguments move, in sequences too; an axis among them does not."""
    arrays, *rest = step.args
    if step.function in (np.concatenate, np.stack):
        return step.function(all_labels(arrays), *held(tuple(rest)), **_options(step))
    return step.function(*all_labels(step.args), **_options(step))


@carries(
    np.asarray, np.asanyarray, np.ascontiguousarray, np.array, np.astype, np.real, np.imag, np.conjugate, np.positive,
    np.float64, np.float32, np.nan_to_num, *map(Method, ("astype", "conj", "conjugate", "item", "view")),
    Attribute("real"), Attribute("imag"), operator.pos,
)  # fmt: skip
def _cast(step: Step) -> Labels:
    """The same elements, of another type."""
    return np.array(labels_of(step.args[0])).reshape(np.shape(step.y))


@carries(np.pad)
def _padded(step: Step) -> Labels:
    given = step.given("array", "pad_width", "mode")
    mode = held(given.get("mode", "constant"))
    if mode not in ("constant", "edge", "wrap", "reflect", "symmetric"):
        raise UnknownError
    return np.pad(labels_of(given["array"]), held(given["pad_width"]), mode)


@carries(np.zeros_like, np.ones_like, np.empty_like)
def _made(step: Step) -> Labels:
    return np.zeros(np.shape(step.y), np.intp)


@carries(np.full_like)
def _filled(step: Step) -> Labels:
    value = step.given("a", "fill_value")["fill_value"]
    return np.array(np.broadcast_to(labels_of(value), np.shape(step.y)))
