"""Discrete Fourier transforms.

A transform is linear, y = F x, and its matrix is symmetric: the transpose of ``fft`` is ``fft``, that of ``ifft`` is
``ifft``, with the same ``norm``.  Cropping to ``n`` and padding with zeros are each other's transpose.  ``rfft`` keeps
half of the spectrum of real numbers; the other half are the conjugates, so ``irfft`` counts the kept ones twice.
Cotangents of complex spectra follow :mod:`autodiff.ops.complexes`.

The transforms over several axes are, as in NumPy, the transforms over one axis in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import owned
from ..primitive import example, sample
from ..registering import composite, primitive
from .complexes import to_complex

Array = Any

_SWAPPED: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The ``norm`` of the inverse transform that has the scale of the transform."""


def _swapped(name: str, norm: Any) -> Any:
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(f"{name}: norm={norm!r}; it is 'backward', 'ortho' or 'forward'")
    return _SWAPPED[norm]


REAL = [
    example(sample(5)), example(sample(4), 4), example(sample(2, 4), axis=0), example(sample(4), 3, norm="ortho"),
    example(sample(3), 6, norm="forward"), example(sample(1)),
]  # fmt: skip
COMPLEX = [
    example(sample(4, make=to_complex)),
    example(sample(3, make=to_complex), 5),
    example(sample(2, 4, make=to_complex), axis=0),
    example(sample(4, make=to_complex), 3, norm="ortho"),
    example(sample(4, make=to_complex), norm="forward"),
    example(sample(4)),
]


def _length(g: Array, length: int, axis: int) -> Array:
    """``g`` cropped or padded with zeros at the end of an axis."""
    if g.shape[axis] >= length:
        window = [slice(None)] * g.ndim
        window[axis] = slice(0, length)
        return g[tuple(window)]
    width = [(0, 0)] * g.ndim
    width[axis] = (0, length - g.shape[axis])
    return np.pad(g, width)


@primitive(
    lambda g, a_shape, axis, norm: _length(np.fft.fft(g, axis=axis, norm=norm), a_shape[axis], axis),
    implements=np.fft.fft, examples=COMPLEX, analytic=False,
)  # fmt: skip
def fft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """y_k = sum_n a_n exp(-2 pi i k n / N): linear, so the rule is the transform of the cotangent."""
    return np.fft.fft(a, n, axis, norm)


@primitive(
    lambda g, a_shape, axis, norm: _length(np.fft.ifft(g, axis=axis, norm=norm), a_shape[axis], axis),
    implements=np.fft.ifft, examples=COMPLEX, analytic=False,
)  # fmt: skip
def ifft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The inverse transform, divided by N: linear, its rule is itself."""
    return np.fft.ifft(a, n, axis, norm)


def _rfft_rule(g: Array, a_shape: tuple[int, ...], n: int | None, axis: int, norm: Any) -> Array:
    spectrum = np.fft.fft(g, a_shape[axis] if n is None else n, axis=axis, norm=norm)
    return _length(np.real(spectrum), a_shape[axis], axis)


@primitive(
    lambda g, a_shape, n, axis, norm: _rfft_rule(g, a_shape, n, axis, norm),
    implements=np.fft.rfft, examples=REAL, analytic=False,
)  # fmt: skip
def rfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The half of the transform that a real array needs; the rule undoes it without counting the middle twice."""
    return np.fft.rfft(a, n, axis, norm)


def _irfft_rule(g: Array, a_shape: tuple[int, ...], axis: int, norm: Any) -> Array:
    n = g.shape[axis]
    spectrum = np.conj(np.fft.rfft(g, axis=axis, norm=_SWAPPED[norm]))
    kept = np.arange(spectrum.shape[axis])
    twice = ((kept > 0) & (2 * kept < n)).reshape((-1,) + (1,) * (len(a_shape) - 1 - axis % len(a_shape)))
    return _length(spectrum + spectrum * owned(twice, spectrum), a_shape[axis], axis)


@primitive(
    lambda g, a_shape, axis, norm: _irfft_rule(g, a_shape, axis, norm),
    implements=np.fft.irfft,
    analytic=False,
    examples=[
        example(sample(3, make=to_complex)),
        example(sample(3, make=to_complex), 5),
        example(sample(4), norm="ortho"),
        example(sample(4, 2, make=to_complex), 3, axis=0),
        example(sample(2, make=to_complex), 6, norm="forward"),
    ],
)
def irfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The real array of half a transform; imaginary parts of what must be real have derivative zero."""
    return np.fft.irfft(a, n, axis, norm)


@composite(
    np.fft.hfft, examples=[example(sample(3, make=to_complex)), example(sample(3, make=to_complex), 5, norm="ortho")]
)
def hfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The real transform of a Hermitian half: irfft of the conjugate, times N."""
    length = 2 * (np.shape(a)[axis] - 1) if n is None else n
    return np.fft.irfft(np.conj(a), length, axis, _swapped("hfft", norm))


@composite(np.fft.ihfft, examples=[example(sample(4)), example(sample(5), 3, norm="ortho")])
def ihfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """Its inverse: the conjugate of rfft, divided by N."""
    return np.conj(np.fft.rfft(a, n, axis, _swapped("ihfft", norm)))


# -- several axes ------------------------------------------------------------------------------------------------


def _plan(name: str, shape: tuple[int, ...], s: Any, axes: Any, inverse_real: bool) -> list[tuple[int, int | None]]:
    """The length and the axis of each transform, the first axis first."""
    rank = len(shape)
    if s is None:
        axes = list(range(rank)) if axes is None else list(axes)
        lengths = [shape[axis] for axis in axes]
        if inverse_real and axes:
            lengths[-1] = 2 * (shape[axes[-1]] - 1)
    else:
        if axes is None:
            raise ValueError(f"{name}: s={s} is given without axes; give both")
        axes = list(axes)
        if len(s) != len(axes):
            raise ValueError(f"{name}: s={s} and axes={axes} differ in length")
        lengths = [shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=True)]
        if inverse_real and axes and s[-1] == -1:
            lengths[-1] = 2 * (shape[axes[-1]] - 1)
    return list(zip(axes, lengths, strict=True))


def _in_turn(a: Array, plan: list[tuple[int, int | None]], transform: Any, norm: Any) -> Array:
    for axis, n in reversed(plan):
        a = transform(a, n, axis, norm)
    return a


def fftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The transform along several axes, one after another."""
    return _in_turn(a, _plan("fftn", np.shape(a), s, axes, False), np.fft.fft, norm)


def ifftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The inverse transform along several axes, one after another."""
    return _in_turn(a, _plan("ifftn", np.shape(a), s, axes, False), np.fft.ifft, norm)


def rfftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The transform of a real array: half of it along the last axis, all along the others."""
    *before, (axis, n) = _plan("rfftn", np.shape(a), s, axes, False)
    return _in_turn(np.fft.rfft(a, n, axis, norm), before, np.fft.fft, norm)


def irfftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
    """The real array of such a half transform."""
    *before, (axis, n) = _plan("irfftn", np.shape(a), s, axes, True)
    return np.fft.irfft(_in_turn(a, list(reversed(before)), np.fft.ifft, norm), n, axis, norm)


def _over_two(transform: Callable[..., Array], name: str) -> Callable[..., Array]:
    def over_two(a: Array, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Array:
        return transform(a, s, axes, norm)

    over_two.__name__ = name
    return over_two


_PLANES = [example(sample(3, 4)), example(sample(2, 3, 2), s=(2, 4), axes=(0, 1)), example(sample(2, 3), norm="ortho")]
_SPECTRA = [
    example(sample(2, 3, make=to_complex)), example(sample(3, 3, make=to_complex), s=(2, 5), axes=(0, 1)),
    example(sample(2, 3, make=to_complex), norm="ortho"),
]  # fmt: skip

composite(np.fft.fftn, examples=[*_PLANES, *_SPECTRA, example(sample(2, 2, 3), axes=(1, 2))])(fftn)
composite(np.fft.ifftn, examples=_SPECTRA)(ifftn)
composite(np.fft.rfftn, examples=_PLANES)(rfftn)
composite(np.fft.irfftn, examples=_SPECTRA)(irfftn)
composite(np.fft.fft2, examples=[*_PLANES, *_SPECTRA])(_over_two(fftn, "fft2"))
composite(np.fft.ifft2, examples=_SPECTRA)(_over_two(ifftn, "ifft2"))
composite(np.fft.rfft2, examples=_PLANES)(_over_two(rfftn, "rfft2"))
composite(np.fft.irfft2, examples=_SPECTRA)(_over_two(irfftn, "irfft2"))


@composite(np.fft.fftshift, examples=[example(sample(5)), example(sample(2, 3)), example(sample(2, 4), axes=1)])
def fftshift(x: Array, axes: Any = None) -> Array:
    """The zero frequency in the middle: a roll."""
    axes = tuple(range(np.ndim(x))) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return np.roll(x, tuple(np.shape(x)[axis] // 2 for axis in axes), axes)


@composite(np.fft.ifftshift, examples=[example(sample(5)), example(sample(2, 3)), example(sample(2, 4), axes=1)])
def ifftshift(x: Array, axes: Any = None) -> Array:
    """The zero frequency back at the front: a roll."""
    axes = tuple(range(np.ndim(x))) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return np.roll(x, tuple(-(np.shape(x)[axis] // 2) for axis in axes), axes)
