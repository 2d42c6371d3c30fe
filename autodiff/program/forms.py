"""Calls whose result has a shape and a dtype that follow from those of the arguments, whatever the elements are.

What is not known to be such a call is checked when a program runs: the positions of what is not zero, eigenvalues,
which are complex or not, what a mask chooses.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .instruction import Attribute, Method

_FUNCTIONS = frozenset({
    np.add.reduce, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.matrix_transpose, np.squeeze,
    np.expand_dims, np.broadcast_to, np.broadcast_arrays, np.concatenate, np.stack, np.vstack, np.hstack, np.dstack,
    np.column_stack, np.block, np.split, np.array_split, np.tile, np.roll, np.rot90, np.flip, np.fliplr, np.flipud,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.sum, np.prod, np.mean, np.std, np.var, np.average, np.max, np.min,
    np.median, np.ptp, np.all, np.any, np.argmax, np.argmin, np.argsort, np.sort, np.lexsort, np.searchsorted,
    np.cumsum, np.cumprod, np.diff, np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanprod, np.where, np.clip,
    np.take, np.take_along_axis, np.dot, np.vdot, np.inner, np.outer, np.tensordot, np.einsum, np.kron, np.trace,
    np.cross, np.diagonal, np.tril, np.triu, np.ones_like, np.zeros_like, np.full_like, np.empty_like, np.copy,
    np.astype, np.round, np.real, np.imag, np.angle, np.nan_to_num, np.convolve, np.correlate, np.interp,
    np.linalg.inv, np.linalg.solve, np.linalg.det, np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh,
    np.linalg.svd, np.linalg.qr, np.linalg.slogdet, np.linalg.norm, np.linalg.pinv, np.linalg.matrix_power,
    np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn,
    np.fft.fftshift, np.fft.ifftshift, np.float64, np.asarray, np.array_equal, np.allclose, np.isclose,
    np.count_nonzero, np.lib.stride_tricks.sliding_window_view,
})  # fmt: skip
_METHODS = frozenset({
    "astype", "copy", "reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "sum", "prod", "mean", "std",
    "var", "max", "min", "argmax", "argmin", "argsort", "all", "any", "cumsum", "cumprod", "dot", "trace", "diagonal",
    "clip", "round", "take", "repeat", "conj", "conjugate", "item", "ptp", "searchsorted",
})  # fmt: skip


def has_known_form(function: Any, args: tuple[Any, ...]) -> bool:
    """Whether shape and dtype of the result follow from those of the arguments."""
    if isinstance(function, np.ufunc) or function in _FUNCTIONS or type(function) is Attribute:
        return True
    if getattr(function, "has_known_form", False):  # a function of another library says so itself
        return True
    if type(function) is Method:
        return function.__name__ in _METHODS
    if function is operator.getitem:
        index = args[1] if type(args[1]) is tuple else (args[1],)
        return not any(hasattr(part, "dtype") and part.dtype.kind == "b" for part in index)
    owner = getattr(function, "__self__", None)
    return isinstance(owner, np.ufunc) or getattr(function, "__module__", "") == "_operator"
