"""Products of arrays that are no ufuncs."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from ..exporting import LackingError
from .builder import Tensor
from .shapes import gathered
from .table import Call, emits, rank, tensor


def _einsum(call: Call, equation: str, *operands: Any) -> Tensor:
    return call.b.op("Einsum", *[tensor(call.b, o, call.dtype) for o in operands], equation=equation)


@emits(np.einsum)
def _einsum_of(
    call: Call, subscripts: Any, *operands: Any, out: None = None, optimize: Any = False, **kw: Any
) -> Tensor:
    if not isinstance(subscripts, str):
        raise LackingError("write the subscripts as a text, np.einsum('ij,jk->ik', a, b)")
    return _einsum(call, subscripts, *operands)


@emits(np.dot)
def _dot(call: Call, a: Any, b: Any, out: None = None) -> Tensor:
    one, other = tensor(call.b, a, call.dtype), tensor(call.b, b, call.dtype)
    if rank(one) == 0 or rank(other) == 0:
        return call.b.op("Mul", one, other)
    if rank(other) <= 2:
        return call.b.op("MatMul", one, other)
    return _contracted(call, one, other, [rank(one) - 1], [rank(other) - 2])


@emits(np.inner)
def _inner(call: Call, a: Any, b: Any) -> Tensor:
    one, other = tensor(call.b, a, call.dtype), tensor(call.b, b, call.dtype)
    if rank(one) == 0 or rank(other) == 0:
        return call.b.op("Mul", one, other)
    return _contracted(call, one, other, [rank(one) - 1], [rank(other) - 1])


@emits(np.tensordot)
def _tensordot(call: Call, a: Any, b: Any, axes: Any = 2) -> Tensor:
    one, other = tensor(call.b, a, call.dtype), tensor(call.b, b, call.dtype)
    if isinstance(axes, int):
        return _contracted(call, one, other, list(range(rank(one) - axes, rank(one))), list(range(axes)))
    ones, others = ([int(n) for n in np.atleast_1d(part)] for part in axes)
    return _contracted(call, one, other, ones, others)


def _contracted(call: Call, a: Tensor, b: Tensor, of_a: list[int], of_b: list[int]) -> Tensor:
    """The sum of products along pairs of axes."""
    letters = string.ascii_lowercase
    ones, others = list(letters[: rank(a)]), list(letters[rank(a) : rank(a) + rank(b)])
    for n, m in zip(of_a, of_b, strict=True):
        others[m] = ones[n]
    left = [x for x in ones if x not in others] + [x for x in others if x not in ones]
    return _einsum(call, f"{''.join(ones)},{''.join(others)}->{''.join(left)}", a, b)


@emits(np.vdot)
def _vdot(call: Call, a: Any, b: Any) -> Tensor:
    g = call.b
    one, other = (g.flat(tensor(g, part, call.dtype)) for part in (a, b))
    return g.op("ReduceSum", g.op("Mul", one, other), g.ints(0), keepdims=0)


@emits(np.outer)
def _outer(call: Call, a: Any, b: Any, out: None = None) -> Tensor:
    g = call.b
    return g.op("Mul", g.op("Reshape", tensor(g, a, call.dtype), g.ints(-1, 1)), g.flat(tensor(g, b, call.dtype)))


@emits(np.trace)
def _trace(
    call: Call, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Tensor:
    b, t = call.b, tensor(call.b, a, call.dtype)
    assert t.shape is not None
    where = np.diagonal(np.arange(np.prod(t.shape)).reshape(t.shape), offset, axis1, axis2)
    return b.op("ReduceSum", gathered(call, t, where), b.ints(-1), keepdims=0)


@emits(np.linalg.det)
def _det(call: Call, a: Any) -> Tensor:
    return call.b.op("Det", tensor(call.b, a, call.dtype))
