"""Complex numbers: real and imaginary parts, conjugates, angles.

The convention, here and for every function of complex arguments, is JAX's: the cotangent of z = a + ib in a real loss L
is ``dL/da - i dL/db``, so that dL = Re(sum(cotangent * dz)).  With it a rule of a holomorphic function reads as for
real numbers, with no conjugate in it.  PyTorch's ``.grad`` is the conjugate, ``dL/da + i dL/db``, the direction of
steepest ascent: descend along ``np.conj(t.grad)``.  The engine keeps the real part for an argument that is real.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import is_foreign
from ..primitive import Domain, example, sample
from ..registering import composite, elementwise, primitive

Array = Any


def conjugate(a: Array) -> Array:
    """The complex conjugate; a real array is returned unchanged.  Rules use it if a definition conjugates."""
    return np.conj(a) if a.dtype.kind == "c" else a


def hermitian(a: Array) -> Array:
    """The conjugate transpose of each matrix."""
    return conjugate(np.swapaxes(a, -1, -2))


def to_complex(values: Array) -> Array:
    """Complex numbers of the same precision, made from real ones, for examples."""
    return values + 1j * (values[..., ::-1] * 0.5 + 0.25 if np.ndim(values) else values * 0.5 + 0.25)


elementwise(
    np.real, lambda g: g, forward=lambda x: x.real if hasattr(x, "real") else np.real(x), analytic=False, method=""
)  # a property of Tensor
elementwise(
    np.imag,
    lambda g: g * -1j,
    forward=lambda x: x.imag if hasattr(x, "imag") else np.imag(x),
    analytic=False,
    method="",
)
elementwise(np.conjugate, lambda g: np.conjugate(g), analytic=False)


@composite(
    np.angle,
    examples=[
        example(sample(2, 3, make=to_complex)),
        example(sample(2, domain=Domain(1.0, 4.0), make=to_complex), deg=True),
        example(sample(make=to_complex)),
        example(sample(3, domain=Domain(1.0, 2.0))),
    ],
)
def angle(z: Array, deg: bool = False) -> Array:
    """The argument of a complex number; 0, with derivative 0, at 0."""
    if z.dtype.kind != "c":  # an angle of 0 or pi, which moving along the real axis does not change
        z = z + 0j
    radians = np.arctan2(np.imag(z), np.real(z))
    return np.degrees(radians) if deg else radians


@primitive(
    lambda g, a: np.where(np.isfinite(a), g, 0.0),
    implements=np.nan_to_num,
    examples=[example(sample(2, 3)), example(sample(), nan=1.0, posinf=2.0, neginf=-2.0)],
)
def nan_to_num(a: Array, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """``a`` with NaN and infinity replaced by finite numbers, for which the gradient is zero."""
    if not copy:
        raise TypeError("nan_to_num: copy=False would write into the Tensor; leave it out")
    if nan == 0.0 and posinf is None and neginf is None:
        return np.nan_to_num(a)
    return np.nan_to_num(a, nan=nan, posinf=posinf, neginf=neginf)


@composite(np.real_if_close, examples=[example(sample(3)), example(sample(2, make=to_complex))])
def real_if_close(a: Array, tol: float = 100) -> Array:
    """The real part of an array whose imaginary parts are rounding errors: less than ``tol`` times the precision."""
    if a.dtype.kind != "c":
        return np.positive(a)
    limit = tol * float(np.finfo(a.dtype).eps) if tol > 1 else tol
    small = not is_foreign(a) and bool(np.all(np.abs(np.imag(a)) < limit))
    return np.real(a) if small else np.positive(a)


def _tests(function: Any) -> None:
    name = function.__name__

    def test(x: Array) -> Array:
        return function(x)

    primitive(
        None, implements=function, name=name, examples=[example(sample(2, 3)), example(sample())], analytic=False
    )(test)


for _function in (np.iscomplex, np.isreal, np.isposinf, np.isneginf):
    _tests(_function)
