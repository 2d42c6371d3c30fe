"""Linear functions that are no composition of NumPy's: a transform of another library, a sum over processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..primitive import example, sample
from ..registering import primitive

Array = Any


def _copies(x: Array) -> Array:
    return np.stack([x, 2 * x])


def _copies_transposed(g: Array) -> Array:
    return g[0] + 2 * g[1]


@primitive(
    lambda g, function, transpose: linear_call(g, transpose, function),
    examples=[example(sample(3), np.flip, np.flip), example(sample(2, 3), _copies, _copies_transposed),
              example(sample(), _copies, _copies_transposed)],
    errors=[example(sample(3), np.flip, 2), example(sample(3), 2, np.flip)],
)  # fmt: skip
def linear_call(x: Array, function: Callable[[Array], Array], transpose: Callable[[Array], Array]) -> Array:
    """function(x), for a linear function of one array whose ``transpose`` is another.

    The gradient is transpose(g), and its own is function again, to any order.  Both functions are called with arrays;
    for y = A x, with complex numbers too, the transpose is A^T g.  It is a primitive because what another library
    computes is no composition: a radon transform, a solver, a sum over the processes of MPI.  Raises TypeError for what
    is no function.  :func:`autodiff.testing.gradcheck` shows whether the two belong together.

    >>> import numpy as np
    >>> from autodiff import grad, linear_call
    >>> shift = lambda x: np.concatenate([x[1:], [0.0]])
    >>> back = lambda g: np.concatenate([[0.0], g[:-1]])
    >>> grad(lambda x: np.sum(linear_call(x, shift, back) ** 2))(np.array([1.0, 2.0, 3.0])).tolist()
    [0.0, 4.0, 6.0]
    """
    for given, name in ((function, "function"), (transpose, "transpose")):
        if not callable(given):
            raise TypeError(f"linear_call: {name} is {given!r}; it must be a function of one array")
    return function(x)
