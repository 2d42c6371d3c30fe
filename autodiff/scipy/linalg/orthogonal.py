"""QR factors; where columns are exchanged, the pivots are constants.

Source: S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError
from scipy import linalg

from ...arrays import unless
from ...ops.decompositions import qr_rule, spread_out
from ...primitive import example, sample
from ...registering import primitive
from .parts import sparing

Array = Any

_qr = sparing(linalg.qr)
_MODES = ("full", "r", "economic")


def _qr_parts(g: Any, y: Any, a: Array, mode: str, pivoting: Any) -> tuple[Array, Array, Array, Array]:
    """The cotangents of q and r, and q and r, with as many columns in q as are no choice of LAPACK's."""
    k = min(a.shape[-2:])
    if mode == "r":
        q, r = qr(a, mode="economic", pivoting=pivoting, check_finite=False)[:2]
        return np.zeros_like(q), g[0][..., :k, :], q, r
    gq = g[0]
    if gq.shape[-1] > k:
        gq = unless(gq[..., :, k:] != 0, gq, LinAlgError(
            f"qr: the columns of q beyond the first {k} are an arbitrary basis and have no derivative; use "
            "mode='economic'"
        ))  # fmt: skip
    return gq[..., :, :k], g[1][..., :k, :], y[0][..., :, :k], y[1][..., :k, :]


def _qr_rule(g: Any, y: Any, a: Array, mode: str, pivoting: Any) -> Array:
    gq, gr, q, r = _qr_parts(g, y, a, mode, pivoting)
    if not pivoting:
        return qr_rule(gq, gr, q, r, a)
    found = qr_rule(gq, gr, q, r, np.take_along_axis(a, y[-1][..., None, :], axis=-1))
    return np.take_along_axis(found, np.argsort(y[-1], axis=-1)[..., None, :], axis=-1)


@primitive(
    lambda g, y, a, mode, pivoting: _qr_rule(g, y, a, mode, pivoting),
    implements=linalg.qr,
    analytic=False,
    examples=[
        example(sample(3, 3, make=spread_out)),
        example(sample(3, 2, make=spread_out), mode="economic", pivoting=True),
        example(sample(2, 3, make=spread_out), mode="r"),
    ],
    errors=[example(sample(2, 2), mode="raw")],
)
def qr(
    a: Array, overwrite_a: Any = False, mode: Any = "full", pivoting: Any = False,
    check_finite: Any = True,
) -> Any:  # fmt: skip
    """a = q r, or a[:, p] = q r with ``pivoting``, with orthonormal columns in q and r upper triangular.

    ``mode`` is "full", "economic" or "r", which returns (r,) or (r, p).  The columns that "full" adds to q are an
    arbitrary basis: a loss that depends on them is refused.  The pivots are constants.  Raises LinAlgError for columns
    that depend on each other, when it is differentiated.
    """
    if mode not in _MODES:
        raise ValueError(f"qr: mode '{mode}' is not differentiated; use 'full', 'economic' or 'r'")
    return _qr(a, mode=mode, pivoting=pivoting, check_finite=check_finite)
