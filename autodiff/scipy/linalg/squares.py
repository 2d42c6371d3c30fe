"""Least squares: of the vectors x for which |b - a x| is least, the shortest."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from ...ops.decompositions import spread_out
from ...ops.linalg import lopsided, lstsq_left, lstsq_right
from ...primitive import example, sample
from ...registering import primitive
from .parts import for_lapack, sparing

Array = Any

_lstsq = sparing(linalg.lstsq, known_form=False)


def _least(a: Array, cond: Any) -> float:
    """The part of the largest singular value below which SciPy cuts the others off."""
    return float(np.finfo(a.dtype).eps) if cond is None else cond


def _left(g: Any, a: Array, b: Array, y: Any, cond: Any) -> Array:
    a, b = for_lapack(a), for_lapack(b)
    return lstsq_left(g, a, b, y, _least(a, cond))


def _right(g: Any, a: Array, b: Array, y: Any, cond: Any) -> Array:
    a, b = for_lapack(a), for_lapack(b)
    return lstsq_right(g, a, b, y, _least(a, cond))


@primitive(
    lambda g, a, b, y, cond: _left(g, a, b, y, cond),
    lambda g, a, b, y, cond: _right(g, a, b, y, cond),
    implements=linalg.lstsq,
    analytic=False,
    examples=[
        example(sample(4, 2, make=spread_out), sample(4)),
        example(sample(2, 3, make=spread_out), sample(2, 2)),
        example(sample(3, 2, make=lopsided), sample(3, 1), 0.5, lapack_driver="gelss"),
    ],
    errors=[example(sample(3, 2), sample(2)), example(sample(3, 2), sample(3), lapack_driver="gelsy")],
)
def lstsq(
    a: Array, b: Array, cond: Any = None, overwrite_a: Any = False, overwrite_b: Any = False, check_finite: Any = True,
    lapack_driver: Any = None,
) -> Any:  # fmt: skip
    """The least-squares solution x of a x = b, its residuals, the rank of a (a constant) and the singular values.

    ``a`` is (m, n), ``b`` (m,) or (m, k).  Singular values below ``cond`` times the largest are cut off; the derivative
    is for changes that keep the cut.  The driver "gelsy", which cuts by another factor, is refused.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy.linalg import lstsq
    >>> grad(lambda b: lstsq(np.ones((4, 1)), b)[0][0])(np.arange(4.0)).round(12).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    if lapack_driver not in (None, "gelsd", "gelss"):
        raise ValueError(f"lstsq: lapack_driver={lapack_driver!r} is not differentiated; use 'gelsd' or 'gelss'")
    x, residuals, rank, values = _lstsq(a, b, cond=cond, check_finite=check_finite, lapack_driver=lapack_driver)
    return x, residuals, rank + np.int64(0), values  # of a plain number, NumPy's
