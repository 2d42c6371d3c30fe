"""Convolutions of planes, with a choice of what lies beyond the border of the first."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from ...arrays import as_array
from ...ops.complexes import to_complex
from ...primitive import example, sample
from ...registering import primitive
from ..borders import extended, folded
from ..compiled import compiled
from .convolutions import convolve, turned_round

Array = Any
Shape = tuple[int, ...]

_MODES = {"fill": "constant", "pad": "constant", "wrap": "wrap", "circular": "wrap", "symm": "symmetric",
          "symmetric": "symmetric"}  # fmt: skip
"""The boundary, and NumPy's name of it."""


def _known(who: str, in1: Any, in2: Any, mode: str, boundary: str) -> None:
    """Raise for a boundary that SciPy does not describe, or that is narrower than what is taken from it."""
    if boundary not in _MODES:
        raise ValueError(f"{who}: boundary={boundary!r}; it is 'fill', 'wrap' or 'symm'")
    shapes = np.shape(in1), np.shape(in2)
    if len(shapes[0]) != 2 or len(shapes[1]) != 2:
        raise ValueError(
            f"{who}: the arrays have shapes {shapes[0]} and {shapes[1]}; both must be planes, with two axes"
        )


class Placed:
    """Where the result of a convolution with a filter of some shape lies in the full one, given its cotangent."""

    def __init__(self, g: Array, in1: Shape, in2: Shape, mode: str, boundary: str, later: int) -> None:
        self.shapes, self.g = (in1, in2), g
        self.is_empty = 0 in (*in1, *in2)
        if self.is_empty:
            return
        self.widths = [(m - 1, m - 1) for m in in2]
        self.modes = [_MODES[boundary]] * 2
        if mode == "same":
            starts = [(m - 1 + later) // 2 for m in in2]
        else:
            starts = [(n + m - 1 - kept) // 2 for n, m, kept in zip(in1, in2, g.shape, strict=True)]
        full = [n + m - 1 for n, m in zip(in1, in2, strict=True)]
        self.g = np.pad(g, [(s, n - k - s) for s, n, k in zip(starts, full, g.shape, strict=True)])

    def of_image(self, kernel: Array) -> Array:
        """The cotangent of the array with the border."""
        if self.is_empty:
            return np.zeros_like(self.g, shape=self.shapes[0])
        return folded(convolve(self.g, np.flip(kernel), "full"), self.widths, self.modes)

    def of_kernel(self, image: Array, value: Any) -> Array:
        """The cotangent of the filter, as it is in a convolution."""
        if self.is_empty:
            return np.zeros_like(self.g, shape=self.shapes[1])
        if self.modes[0] == "constant" and value == 0:
            return convolve(self.g, np.flip(image), "valid")
        wide = extended(image, self.widths, self.modes, value)
        return np.flip(convolve(wide, np.flip(self.g), "valid"))


def _counts(in1: Array, in2: Array, mode: str = "full", *rest: Any) -> Array:
    return signal.convolve2d(in1, in2, mode, *rest[:1])


_convolve2d = compiled(signal.convolve2d, _counts)
_correlate2d = compiled(signal.correlate2d, lambda in1, in2, *rest: signal.correlate2d(in1, in2, *rest[:2]))

_EXAMPLES = [
    example(sample(2, 3), sample(1, 2)),
    example(sample(3, 2), sample(2, 2), "same", "symm"),
    example(sample(2, 3), sample(2, 2), boundary="wrap"),
    example(sample(3, 2), sample(2, 1), "same", fillvalue=2.0),
    example(sample(1, 2), sample(2, 3), "valid"),
    example(sample(2, 2, make=to_complex), sample(2, 1, make=to_complex), "same"),
]
_ERRORS = [
    example(sample(2), sample(2)),
    example(sample(2, 2), sample(2, 2), "middle"),
    example(sample(2, 2), sample(2, 2), boundary="reflect"),
    example(sample(1, 2), sample(2, 1), "valid"),
]


@primitive(
    lambda g, in2, in1_shape, mode, boundary: Placed(
        g, in1_shape, np.shape(in2), mode, boundary, 0
    ).of_image(as_array(in2)),
    lambda g, in1, in2_shape, mode, boundary, fillvalue: Placed(
        g, np.shape(in1), in2_shape, mode, boundary, 0
    ).of_kernel(as_array(in1), fillvalue),
    implements=signal.convolve2d, examples=_EXAMPLES, errors=_ERRORS,
)  # fmt: skip
def convolve2d(in1: Array, in2: Array, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Array:
    """The convolution of two planes: y_n = sum_k in2_k in1_(n - k), cut as ``mode`` says ("full", "same" or "valid").

    Beyond its border ``in1`` is ``fillvalue`` (``boundary`` "fill"), periodic ("wrap") or mirrored ("symm").  As
    ``scipy.signal.convolve2d``, whose errors it raises.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import signal
    >>> grad(lambda w: np.sum(signal.convolve2d(np.eye(2), w, "same", "wrap")))(np.ones((1, 2))).tolist()
    [[2.0, 2.0]]
    """
    _known("convolve2d", in1, in2, mode, boundary)
    return _convolve2d(in1, in2, mode, boundary, fillvalue)


@primitive(
    lambda g, in2, in1_shape, mode, boundary: Placed(
        g, in1_shape, np.shape(in2), mode, boundary, 1
    ).of_image(turned_round(as_array(in2))),
    lambda g, in1, in2_shape, mode, boundary, fillvalue: turned_round(
        Placed(g, np.shape(in1), in2_shape, mode, boundary, 1).of_kernel(as_array(in1), fillvalue)
    ),
    implements=signal.correlate2d, examples=_EXAMPLES, errors=_ERRORS, analytic=False,
)  # fmt: skip
def correlate2d(in1: Array, in2: Array, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Array:
    """The correlation of two planes: y_n = sum_k conj(in2_k) in1_(n + k), with the options of :func:`convolve2d`.

    >>> import numpy as np
    >>> from autodiff.scipy import signal
    >>> signal.correlate2d(np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 1.0]]), "valid").tolist()
    [[2.0, 3.0]]
    """
    _known("correlate2d", in1, in2, mode, boundary)
    return _correlate2d(in1, in2, mode, boundary, fillvalue)
