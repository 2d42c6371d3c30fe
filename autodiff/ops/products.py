"""More products: vdot, kron, cross, convolutions, and the names that ``np.linalg`` has for those of ``linear``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import as_array, cast
from ..primitive import example, sample
from ..registering import composite, primitive
from .complexes import conjugate, to_complex

Array = Any


@composite(np.vdot, examples=[
    example(sample(3), sample(3)), example(sample(2, 2), sample(2, 2)), example(sample(), sample()),
    example(sample(3, make=to_complex), sample(3, make=to_complex)),
])  # fmt: skip
def vdot(a: Array, b: Array, /) -> Array:
    """The sum of conj(a) b over all elements."""
    a, b = np.ravel(as_array(a)), np.ravel(as_array(b))
    if np.shape(a) != np.shape(b):
        raise ValueError(f"vdot: {np.size(a)} elements and {np.size(b)}; it needs as many of each")
    return np.matmul(conjugate(a), b)


@composite(
    np.kron,
    examples=[
        example(sample(2), sample(3)),
        example(sample(2, 2), sample(1, 3)),
        example(sample(2), sample(2, 2)),
        example(sample(), sample(2)),
    ],
)
def kron(a: Array, b: Array) -> Array:
    """Blocks a[i, j] * b."""
    a, b = as_array(a), as_array(b)
    rank = max(np.ndim(a), np.ndim(b))
    shape_a, shape_b = ((1,) * (rank - np.ndim(x)) + np.shape(x) for x in (a, b))
    left = np.reshape(a, [n for m in shape_a for n in (m, 1)])
    right = np.reshape(b, [n for m in shape_b for n in (1, m)])
    return np.reshape(left * right, [m * n for m, n in zip(shape_a, shape_b, strict=True)])


@composite(np.cross, examples=[
    example(sample(3), sample(3)), example(sample(2, 3), sample(3)), example(sample(3, 2), sample(3, 2), axis=0),
    example(sample(3, 2), sample(2, 3), axisa=0, axisc=0),
])  # fmt: skip
def cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """The vector product in three dimensions."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(as_array(a), axisa, -1), np.moveaxis(as_array(b), axisb, -1)
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise ValueError(f"cross: vectors have 3 components, got {np.shape(a)[-1]} and {np.shape(b)[-1]}")
    after, before = np.array([1, 2, 0]), np.array([2, 0, 1])
    return np.moveaxis(a[..., after] * b[..., before] - a[..., before] * b[..., after], -1, axisc)


@composite(np.linalg.cross, examples=[example(sample(3), sample(3)), example(sample(3, 2), sample(3, 2), axis=0)])
def linalg_cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """The vector product in three dimensions."""
    return np.cross(x1, x2, axis=axis)


@composite(np.linalg.outer, examples=[example(sample(2), sample(3))])
def linalg_outer(x1: Array, x2: Array, /) -> Array:
    """a_i b_j of two vectors."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"outer: needs two vectors, got shapes {np.shape(x1)} and {np.shape(x2)}")
    return np.outer(x1, x2)


@composite(np.linalg.matmul, examples=[example(sample(2, 3), sample(3, 2)), example(sample(2, 3), sample(3))])
def linalg_matmul(x1: Array, x2: Array, /) -> Array:
    """The product of matrices."""
    return np.matmul(x1, x2)


@composite(np.linalg.matrix_transpose, examples=[example(sample(2, 3))])
def linalg_matrix_transpose(x: Array, /) -> Array:
    """The last two axes swapped."""
    return np.swapaxes(x, -1, -2)


@composite(
    np.linalg.tensordot,
    examples=[example(sample(2, 3, 2), sample(3, 2, 2)), example(sample(2, 3), sample(3, 2), axes=1)],
)
def linalg_tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    """Sums of products over pairs of axes."""
    return np.tensordot(x1, x2, axes)


@composite(np.linalg.vecdot, examples=[example(sample(2, 3), sample(3)), example(sample(3, 2), sample(3, 2), axis=0)])
def linalg_vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """sum conj(x1) x2 along an axis."""
    if axis != -1:
        x1, x2 = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    return np.vecdot(x1, x2)


@composite(
    np.vander,
    examples=[example(sample(3)), example(sample(3), 2), example(sample(2), 4, increasing=True), example(sample(2), 0)],
)
def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """Columns of powers."""
    if np.ndim(x) != 1:
        raise ValueError(f"vander: needs a vector, got shape {np.shape(x)}")
    count = np.shape(x)[0] if N is None else N
    wide = np.promote_types(x.dtype, int)  # NumPy counts its powers in integers
    x = cast(x, wide)
    columns = [np.ones_like(x)]
    for _ in range(count - 1):
        columns.append(columns[-1] * x)
    if count == 0:
        return x[:, None][:, :0]
    return np.stack(columns[:count] if increasing else columns[count - 1 :: -1], axis=1)


# -- convolution -------------------------------------------------------------------------------------------------


def _uncut(g: Array, n: int, m: int, mode: str) -> Array:
    """The cotangent of the full convolution, zero where ``mode`` cut it."""
    short = min(n, m)
    cut = {"full": 0, "same": (short - 1) // 2, "valid": short - 1}[mode]
    return np.pad(g, (cut, n + m - 1 - cut - g.shape[0])) if mode != "full" else g


def _convolve_rule(g: Array, other: Array, n: int, mode: str) -> Array:
    """Sums over k of g[i + k] other[k]: a correlation, which is a convolution with the other reversed."""
    return np.convolve(_uncut(g, n, other.shape[0], mode), np.flip(other), "valid")


@primitive(
    lambda g, v, a_shape, mode: _convolve_rule(g, v, a_shape[0], mode),
    lambda g, a, v_shape, mode: _convolve_rule(g, a, v_shape[0], mode),
    implements=np.convolve,
    examples=[
        example(sample(n), sample(m), mode)
        for n, m in ((4, 3), (2, 5), (4, 2), (1, 1))
        for mode in ("full", "same", "valid")
    ],
)
def convolve(a: Array, v: Array, mode: Any = "full") -> Array:
    """y_n = sum_k a_k v_(n - k), cut as ``mode`` says: the rules are correlations of the cotangent."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolve: mode is {mode!r}; use 'full', 'same' or 'valid'")
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError(f"convolve: needs two vectors, got shapes {np.shape(a)} and {np.shape(v)}")
    return np.convolve(a, v, mode)


@composite(np.correlate, examples=[
    *[example(sample(n), sample(m), mode) for n, m in ((4, 3), (2, 5), (4, 2)) for mode in ("full", "same", "valid")],
    example(sample(4), sample(2)), example(sample(3, make=to_complex), sample(2, make=to_complex), "full"),
])  # fmt: skip
def correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    """sum_k a[n + k] conj(v[k])."""
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"correlate: mode={mode!r}; it is 'full', 'same' or 'valid'")
    a, v = as_array(a), as_array(v)
    n, m = np.shape(a)[0], np.shape(v)[0]
    full = np.convolve(a, np.flip(conjugate(v)), "full")
    if mode == "full":
        return full
    short, long = min(n, m), max(n, m)
    if mode == "valid":
        return full[short - 1 : long]
    start = (short - 1) // 2 if n >= m else short // 2
    return full[start : start + long]
