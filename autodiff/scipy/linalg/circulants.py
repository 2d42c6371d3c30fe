"""Systems of equations whose matrix is constant along its diagonals: Toeplitz and circulant ones.

With x = t^-1 b and the cotangent g of x, that of b is c = t^-T g, of a matrix of the same kind; the cotangents of the
first column and row are the sums of -c x^T along diagonals, which are a correlation of c and x.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from scipy import linalg

from ...arrays import as_array, owned, unless
from ...ops.complexes import conjugate, to_complex
from ...primitive import exactly, example, sample
from ...recording import original
from ...registering import primitive
from ...structural import chosen
from ...tensor import value_of
from ..compiled import compiled, ndarrays_only
from ..compiled import composed as scipys
from ..signal.convolutions import fftconvolve
from .parts import columns, composed, every_row, summed

Array = Any
Shape = tuple[int, ...]


def _regular(v: Array) -> Array:
    """First columns or rows, each with one element that is larger than the others together."""
    return v * v.dtype.type(0.2) + (np.arange(v.shape[-1]) == 0).astype(v.dtype) * v.dtype.type(4.0)


# -- Toeplitz ----------------------------------------------------------------------------------------------------

_solve_toeplitz = compiled(linalg.solve_toeplitz, lambda cr, b, **options: every_row((), b))


def _pulled(g: Array, c: Array, r: Array, b_shape: Shape) -> Array:
    """The cotangent of the columns of b: the transpose has the corner of c, the rest of r, and the row c."""
    g = columns(g, b_shape)
    return toeplitz_solved(np.concatenate([c[:1], r[1:]]), c, g, False) if g.size else g


def _diagonals(g: Array, c: Array, r: Array, b_shape: Shape, y: Array) -> Array:
    """The sums of the cotangent of the matrix along its diagonals, from the upper right to the lower left."""
    turned = np.flip(columns(y, b_shape), axis=0)
    return np.sum(fftconvolve(-_pulled(g, c, r, b_shape), turned, axes=0), axis=-1)


def _of_column(g: Array, c: Array, r: Array, b_shape: Shape, y: Array) -> Array:
    return _diagonals(g, c, r, b_shape, y)[c.shape[0] - 1 :] if y.size else np.zeros_like(c)


def _of_row(g: Array, c: Array, r: Array, b_shape: Shape, y: Array) -> Array:
    """The cotangent of the row, whose corner is not used."""
    if not y.size:
        return np.zeros_like(r)
    used = chosen(owned((np.arange(c.shape[0]) > 0).astype(np.finfo(g.dtype).dtype), g))
    return np.flip(_diagonals(g, c, r, b_shape, y)[: c.shape[0]]) * used


@primitive(
    lambda g, c, r, b_shape, y: _of_column(g, c, r, b_shape, y),
    lambda g, c, r, b_shape, y: _of_row(g, c, r, b_shape, y),
    lambda g, c, r, b_shape: summed(_pulled(g, c, r, b_shape), b_shape),
    analytic=False,
    examples=[
        example(sample(3, make=_regular), sample(3, make=_regular), sample(3)),
        example(sample(2, make=_regular), sample(2, make=lambda v: _regular(to_complex(v))), sample(2, 2)),
    ],
    errors=[example(sample(2), sample(3), sample(2)), example(sample(2), sample(2), sample(3))],
)
def toeplitz_solved(c: Array, r: Array, b: Array, check_finite: Any = True) -> Array:
    """The solution of ``solve_toeplitz``, by the first column and the first row."""
    shapes = np.shape(c), np.shape(r), np.shape(b)
    if len(shapes[0]) != 1 or shapes[1] != shapes[0] or len(shapes[2]) not in (1, 2) or shapes[2][:1] != shapes[0]:
        raise ValueError(
            f"solve_toeplitz: column, row and b have shapes {', '.join(map(str, shapes))}; they are two vectors of n "
            "elements, and n or (n, k)"
        )
    options = {} if check_finite else {"check_finite": False}
    return _solve_toeplitz((c, r), b, **options)


def solve_toeplitz(c_or_cr: Any, b: Array, check_finite: Any = True) -> Array:
    """The solution x of t x = b, by Levinson's recursion, where t is constant along diagonals: dx = t^-1 (db - dt x).

    ``c_or_cr`` is the first column c (n,), with the conjugate of c as the first row, or the pair of the first column
    and the first row; b is (n,) or (n, k).  As ``scipy.linalg.solve_toeplitz``, which raises LinAlgError if a leading
    submatrix is singular.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solve_toeplitz
    >>> grad(lambda c: np.sum(solve_toeplitz(c, np.ones(2))))(np.array([2.0, 0.0])).tolist()
    [-0.5, -0.5]
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, conjugate(as_array(c_or_cr)))
    return toeplitz_solved(c, r, b, check_finite)


solve_toeplitz = composed(
    solve_toeplitz,
    [
        example(sample(3, make=_regular), sample(3)),
        example(sample(2, make=lambda v: _regular(to_complex(v).real + 0j * v)), sample(2, 1)),
    ],
)
ndarrays_only.add(original(toeplitz_solved))

# -- circulant ---------------------------------------------------------------------------------------------------


def _length(name: str, a: Array, axis: int) -> int:
    shape = np.shape(a)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"solve_circulant: {name} has shape {shape}, and no axis {axis}")
    return int(shape[axis])


@scipys(
    linalg.solve_circulant,
    examples=[example(sample(3, make=_regular), sample(3)), example(sample(2, 2, make=_regular), sample(2, 1))],
    errors=[example(exactly([1.0, 1.0]), sample(2)), example(sample(2), sample(3))],
)
def solve_circulant(
    c: Array, b: Array, singular: str = "raise", tol: Any = None, caxis: int = -1, baxis: int = 0, outaxis: int = 0
) -> Array:
    """The solution x of a x = b by Fourier transforms, where the columns of a are c, each turned by one more element.

    Stacks of c along ``caxis`` and of b along ``baxis`` broadcast, and the solutions are along ``outaxis``.  Where a is
    singular, LinAlgError is raised, or with ``singular="lstsq"`` x is the shortest least-squares solution, with the
    derivative at constant rank.  As ``scipy.linalg.solve_circulant``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import solve_circulant
    >>> grad(lambda b: solve_circulant(np.array([2.0, 0.0]), b)[0])(np.ones(2)).tolist()
    [0.5, 0.0]
    """
    if singular not in ("raise", "lstsq"):
        raise ValueError(f"solve_circulant: singular={singular!r}; it is 'raise' or 'lstsq'")
    c, b = (np.reshape(v, (1,)) if np.ndim(v) == 0 else as_array(v) for v in (c, b))
    n = _length("c", c, caxis)
    if n != _length("b", b, baxis):
        raise ValueError(f"solve_circulant: c has shape {np.shape(c)} and b {np.shape(b)}; the axes must be as long")
    of_c, of_b = (np.fft.fft(np.moveaxis(v, axis, -1), axis=-1) for v, axis in ((c, caxis), (b, baxis)))
    sizes = np.abs(value_of(of_c))
    small = np.max(sizes, axis=-1, keepdims=True) * n * float(np.finfo(np.float64).eps) if tol is None else tol
    near = sizes <= small
    if singular == "raise":
        quotient = of_b / unless(near, of_c, LinAlgError(
            "solve_circulant: near singular circulant matrix; singular='lstsq' takes the shortest solution"
        ))  # fmt: skip
    else:
        quotient = np.where(near, 0.0, of_b / np.where(near, 1.0, of_c))
    x = np.fft.ifft(quotient, axis=-1)
    x = x if np.iscomplexobj(c) or np.iscomplexobj(b) else np.real(x)
    return np.moveaxis(x, -1, outaxis)
