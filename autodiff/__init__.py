"""Reverse-mode automatic differentiation of plain NumPy code.

>>> import numpy as np
>>> from autodiff import Tensor, grad
>>> grad(lambda x: np.sum(np.sin(x)))(np.zeros(2)).tolist()
[1.0, 1.0]
"""

from typing import TYPE_CHECKING, Any

from . import operands
from . import ops as ops
from .graph import GraphError
from .ops.convolution import convolution, convolution_transpose
from .ops.elementwise import relu, sigmoid, softplus, stop_gradient
from .ops.erf import erf
from .ops.indexing import scatter_add
from .ops.linalg import expm
from .ops.linear_maps import linear_call
from .ops.pooling import max_pool
from .ops.recurrent import lstm, lstm_cell, lstm_packed
from .ops.softmax import logsumexp, softmax, softmax_cross_entropy
from .ops.unfolding import fold, unfold
from .ops.update import index_add, index_update
from .primitive import exactly, example, sample
from .registering import composite, elementwise, gufunc, primitive
from .tensor import Tensor
from .transforms import (
    BatchingError,
    checkpoint,
    cond,
    fori_loop,
    grad,
    hessian,
    hvp,
    jacobian,
    jacobians,
    jvp,
    scan,
    switch,
    value_and_grad,
    vjp,
    vmap,
    while_loop,
)
from .tree import register_container
from .unrecorded import no_grad
from .writes import mark_written


def _sparse_derivatives(*args: Any) -> Any:
    from .scipy.sparse.compression import derivatives

    return derivatives(*args)


def _sparse_matmul(a: Any, b: Any) -> Any:
    from .scipy.sparse import matmul

    return matmul(a, b)


jacobians.sparse["derivatives"] = _sparse_derivatives
operands.beside["matmul"] = _sparse_matmul

__version__ = "0.1.0"

__all__ = [
    "BatchingError",
    "CaptureError",
    "GraphError",
    "PathError",
    "Program",
    "StaleError",
    "Tensor",
    "capture",
    "checkpoint",
    "composite",
    "cond",
    "convolution",
    "convolution_transpose",
    "elementwise",
    "erf",
    "exactly",
    "example",
    "expm",
    "fold",
    "fori_loop",
    "grad",
    "gufunc",
    "hessian",
    "hvp",
    "index_add",
    "index_update",
    "jacobian",
    "jit",
    "jvp",
    "linear_call",
    "logsumexp",
    "lstm",
    "lstm_cell",
    "lstm_packed",
    "mark_written",
    "max_pool",
    "no_grad",
    "primitive",
    "register_container",
    "relu",
    "sample",
    "scan",
    "scatter_add",
    "sigmoid",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "stop_gradient",
    "switch",
    "unfold",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]

if TYPE_CHECKING:
    from . import files as files
    from . import program as program
    from . import scipy as scipy
    from . import testing as testing
    from .draw.module import Draw
    from .program import CaptureError as CaptureError
    from .program import PathError as PathError
    from .program import Program as Program
    from .program import StaleError as StaleError
    from .program import capture as capture
    from .program.jit import jit as jit

    draw: Draw
else:

    def __getattr__(name: str) -> object:
        """Import programs, pictures, gradient checks, files and SciPy's functions when they are first used."""
        if name in ("CaptureError", "PathError", "Program", "StaleError", "capture", "jit"):
            from . import program

            return getattr(program, name)
        if name in ("draw", "files", "program", "scipy", "testing"):
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        from .dialects import no_such_name

        raise no_such_name(f"module '{__name__}'", name)
