"""Bessel functions, and Airy's.  Source: NIST Digital Library of Mathematical Functions, chapters 9 and 10."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...primitive import nonzero
from ..kinks import along
from .registering import away, in_last, several, ufunc


def _scaled(g: Any, x: Any) -> Any:
    """The cotangent of x through a factor exp(-|x|), or exp(-|real(x)|) for a complex x."""
    return along(np.real(g), np.real(x))


def register(special: Any) -> None:
    """Enter them in the table."""
    jv, yv, iv, kv, ive, kve = (getattr(special, name) for name in ("jv", "yv", "iv", "kv", "ive", "kve"))
    j0, j1, y0, y1, i0, i1, k0, k1 = (
        getattr(special, name) for name in ("j0", "j1", "y0", "y1", "i0", "i1", "k0", "k1")
    )
    ufunc(j0, lambda g, x: -g * j1(x))
    ufunc(j1, lambda g, x: g * ((j0(x) - jv(2.0, x)) * 0.5))
    ufunc(y0, lambda g, x: -g * y1(x), domain=away)
    ufunc(y1, lambda g, x: g * ((y0(x) - yv(2.0, x)) * 0.5), domain=away)
    ufunc(i0, lambda g, x: g * i1(x))
    ufunc(i1, lambda g, x: g * ((i0(x) + iv(2.0, x)) * 0.5))
    ufunc(k0, lambda g, x: -g * k1(x), domain=away)
    ufunc(k1, lambda g, x: g * ((k0(x) + kv(2.0, x)) * -0.5), domain=away)
    ufunc(special.i0e, lambda g, x, y: g * special.i1e(x) - along(g, x) * y, domain=nonzero)
    ufunc(special.i1e, lambda g, x, y: g * ((special.i0e(x) + ive(2.0, x)) * 0.5) - along(g, x) * y, domain=nonzero)
    ufunc(special.k0e, lambda g, x, y: g * (y - special.k1e(x)), domain=away)
    ufunc(special.k1e, lambda g, x, y: g * (y - (special.k0e(x) + kve(2.0, x)) * 0.5), domain=away)
    in_last(jv, lambda g, x, v: g * ((jv(v[0] - 1.0, x) - jv(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    in_last(yv, lambda g, x, v: g * ((yv(v[0] - 1.0, x) - yv(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    in_last(iv, lambda g, x, v: g * ((iv(v[0] - 1.0, x) + iv(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    in_last(kv, lambda g, x, v: g * ((kv(v[0] - 1.0, x) + kv(v[0] + 1.0, x)) * -0.5), 1.5, domain=away)
    in_last(
        ive,
        lambda g, x, v: g * ((ive(v[0] - 1.0, x) + ive(v[0] + 1.0, x)) * 0.5) - _scaled(g * ive(v[0], x), x),
        1.5,
        domain=away,
    )
    in_last(kve, lambda g, x, v: g * (kve(v[0], x) - (kve(v[0] - 1.0, x) + kve(v[0] + 1.0, x)) * 0.5), 1.5, domain=away)
    in_last(special.kn, lambda g, x, v: g * ((kv(v[0] - 1.0, x) + kv(v[0] + 1.0, x)) * -0.5), 2, domain=away)
    in_last(special.yn, lambda g, x, v: g * ((yv(v[0] - 1.0, x) - yv(v[0] + 1.0, x)) * 0.5), 2, domain=away)
    several(special.airy, lambda g, x, y: g[0] * y[1] + g[1] * (x * y[0]) + g[2] * y[3] + g[3] * (x * y[2]))
