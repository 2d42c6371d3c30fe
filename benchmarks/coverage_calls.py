"""The arguments with which benchmarks.coverage calls NumPy's functions."""

from __future__ import annotations

from typing import Any

import numpy as np

V = np.array([0.31, 0.74, 0.46, 0.17])
W = np.array([0.63, 0.22, 0.85, 0.57])
M = np.array([[2.1, 0.3, -0.4], [0.5, 1.7, 0.2], [-0.1, 0.6, 2.9]])
N = np.array([[0.7, -0.2, 0.9], [0.4, 1.1, -0.6], [0.8, 0.15, 0.35]])
T = np.linspace(0.1, 1.9, 24).reshape(4, 2, 3) ** 1.5
ABOVE = V + 1.2
MASK = np.array([True, False, True, False])

PATTERNS: list[tuple[Any, ...]] = [
    (V,), (M,), (ABOVE,), (V, W), (M, N), ([V, W],), (V, 2), (M, 1), (V[:3], W[:3]), (T,), (V, np.array([1, 0, 2, 1])),
]  # fmt: skip
"""Tried in turn until NumPy accepts one and it has a derivative."""

CALLS: dict[str, tuple[Any, ...]] = {
    "allclose": (V, W),
    "append": (V, W),
    "apply_along_axis": (np.cumsum, 0, M),
    "apply_over_axes": (np.sum, M, [0]),
    "argpartition": (V, 2),
    "array_split": (V, 3),
    "average": (V, None, W),
    "bincount": (np.array([0, 1, 1, 2]), V),
    "block": ([V, W],),
    "broadcast_arrays": (V, M[:, :1]),
    "broadcast_to": (V, (2, 4)),
    "can_cast": (V, float),
    "choose": (np.array([0, 1, 1, 0]), [V, W]),
    "clip": (V, 0.2, 0.5),
    "compress": (MASK, V),
    "copysign": (V, -W),
    "cross": (V[:3], W[:3]),
    "delete": (V, 1),
    "digitize": (V, np.array([0.2, 0.5])),
    "dot": (M, N),
    "dsplit": (T, 3),
    "einsum": ("ij,jk->ik", M, N),
    "expand_dims": (V, 0),
    "extract": (MASK, V),
    "fill_diagonal": (M, 1.0),
    "float_power": (ABOVE, W),
    "full_like": (V, 2.0),
    "geomspace": (np.array(0.5), np.array(2.5), 5),
    "gradient": (V,),
    "heaviside": (V, W),
    "histogram": (V,),
    "histogram2d": (V, W),
    "histogramdd": (M,),
    "hsplit": (M, 3),
    "insert": (V, 1, W[:2]),
    "interp": (V, np.array([0.0, 0.4, 1.0]), W[:3]),
    "kron": (V, W),
    "ldexp": (V, np.array([1, 2, 0, 1])),
    "lexsort": (V[None],),
    "linspace": (np.array(0.5), np.array(2.5), 5),
    "logspace": (np.array(0.5), np.array(1.5), 4),
    "log": (ABOVE,),
    "matmul": (M, N),
    "matvec": (M, V[:3]),
    "meshgrid": (V, W),
    "moveaxis": (T, 0, 2),
    "nextafter": (V, 2.0),
    "nanpercentile": (V, 30.0),
    "nanquantile": (V, 0.3),
    "pad": (V, 2),
    "partition": (V, 2),
    "percentile": (V, 30.0),
    "piecewise": (V, [MASK, ~MASK], [np.square, np.negative]),
    "place": (V, MASK, W),
    "poly": (V,),
    "polyadd": (V, W),
    "polyder": (V,),
    "polydiv": (V, W[:2]),
    "polyfit": (V, W, 1),
    "polyint": (V,),
    "polymul": (V, W),
    "polysub": (V, W),
    "polyval": (V, W),
    "power": (ABOVE, W),
    "put": (V, [1], [2.0]),
    "put_along_axis": (V, np.array([1]), 2.0, 0),
    "putmask": (V, MASK, W),
    "quantile": (V, 0.3),
    "repeat": (V, 2),
    "reshape": (V, (2, 2)),
    "resize": (V, (2, 3)),
    "roll": (V, 1),
    "rollaxis": (T, 2),
    "roots": (np.array([1.0, -1.2, -0.7]),),
    "searchsorted": (np.sort(V), W),
    "select": ([MASK, ~MASK], [V, W]),
    "split": (V, 2),
    "stack": ([V, W],),
    "swapaxes": (T, 0, 2),
    "take": (V, np.array([1, 1, 0])),
    "take_along_axis": (V, np.array([1, 0, 2]), 0),
    "tensordot": (M, N, 1),
    "tile": (V, 2),
    "trapezoid": (V, np.sort(W)),
    "unwrap": (V * 9.0,),
    "vander": (V,),
    "vdot": (V, W),
    "vecdot": (M, N),
    "vecmat": (V[:3], M),
    "vsplit": (M, 3),
    "where": (MASK, V, W),
    "arccosh": (ABOVE,),
    "fft.irfft": (V,),
    "fft.hfft": (V,),
    "fft.irfft2": (M,),
    "fft.irfftn": (M,),
    "fft.fftshift": (V,),
    "linalg.lstsq": (np.vstack([M, N[:1]]), V),
    "linalg.matrix_power": (M, 3),
    "linalg.multi_dot": ([M, N, M],),
    "linalg.solve": (M, V[:3]),
    "linalg.matrix_norm": (M,),
    "linalg.tensorinv": (np.eye(6).reshape(6, 2, 3) + 0.1 * np.sin(np.arange(36.0)).reshape(6, 2, 3), 1),
    "linalg.tensorsolve": (np.eye(6).reshape(2, 3, 6) + 0.1 * np.sin(np.arange(36.0)).reshape(2, 3, 6), T[0]),
    "linalg.tensordot": (M, N),
    "linalg.vecdot": (M, N),
    "linalg.cross": (V[:3], W[:3]),
    "linalg.outer": (V, W),
    "linalg.matmul": (M, N),
    "linalg.svd": (M,),
    "linalg.eig": (M,),
    "linalg.eigvals": (M,),
    "ediff1d": (V,),
    "maximum": (V, W),
    "minimum": (V, W),
    "fmax": (V, W),
    "fmin": (V, W),
    "remainder": (ABOVE, W),
    "fmod": (ABOVE, W),
    "isin": (V, W),
    "intersect1d": (V, W),
    "union1d": (V, W),
    "setdiff1d": (V, W),
    "setxor1d": (V, W),
    "convolve": (V, W[:3]),
    "correlate": (V, W[:3], "full"),
    "cov": (M,),
    "corrcoef": (M,),
    "median": (V[:3],),
    "nanmedian": (V[:3],),
    "i0": (V,),
    "array": (V,),
    "asarray": (V,),
    "asanyarray": (V,),
    "ascontiguousarray": (V,),
    "asfortranarray": (V,),
    "trim_zeros": (V,),
    "copyto": (V, W),
    "full": ((2,), np.array(0.7)),
    "astype": (V, np.float64),
    "diag_indices_from": (M,),
}
"""The arguments of those that the patterns do not fit."""

SYMMETRIC = frozenset({"eigh", "eigvalsh", "cholesky"})

REASONS = {
    "array": "NumPy hands `np.array` of a Tensor to no protocol; the error says what to write",
    "asarray": "as `array`",
    "asanyarray": "as `array`",
    "ascontiguousarray": "as `array`",
    "asfortranarray": "as `array`",
    "asarray_chkfinite": "as `array`",
    "require": "as `array`",
    "histogram2d": "counts have derivative zero; edges: write `np.linspace(np.min(t), np.max(t), n)`",
    "histogramdd": "as `histogram2d`",
    "full": "as `array`; write `np.broadcast_to(t, shape)`",
}
"""Why pullback refuses what a peer differentiates."""

NOT_OF_ARRAYS = frozenset(
    """
    arange array2string array_repr array_str asmatrix base_repr bartlett binary_repr bitwise_and bitwise_count
    bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman bmat
    broadcast_shapes busday_count busday_offset can_cast common_type datetime_as_string datetime_data
    diag_indices diag_indices_from einsum_path empty empty_like eye fftfreq format_float_positional
    format_float_scientific from_dlpack frombuffer fromfile fromfunction fromiter frompyfunc fromregex
    fromstring gcd genfromtxt get_include get_printoptions getbufsize geterr geterrcall hamming hanning identity
    indices info invert is_busday isdtype isfortran isnat issubdtype iterable ix_ kaiser lcm left_shift load
    loadtxt mask_indices may_share_memory min_scalar_type mintypecode nested_iters ones packbits printoptions
    promote_types ravel_multi_index result_type rfftfreq right_shift row_stack save savetxt savez
    savez_compressed set_printoptions setbufsize seterr seterrcall shares_memory show_config show_runtime test
    tri tril_indices tril_indices_from triu_indices triu_indices_from typename unpackbits unravel_index
    vectorize zeros
""".split()  # noqa: SIM905
)
