"""cond and switch: one of several functions, as a value decides."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tree import flatten_like
from .calling import check_function
from .conditions import chosen, many, one_truth

_NOTHING: Any = object()


def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any, operand: Any = _NOTHING
) -> Any:
    """The result of one of two functions: ``true_fun(*operands)`` if ``pred`` holds, else ``false_fun(*operands)``.

    ``pred`` is one boolean or number.  Only the function that is chosen is called, and derivatives are its own.  In
    ``vmap``, where examples may differ in ``pred``, both are called, and must return the same nesting, shapes and
    dtypes.  A recorded program holds the way that was taken, and checks ``pred``: :func:`.jit` records the other way
    when it comes.  After ``jax.lax.cond``.

    >>> from autodiff import grad
    >>> grad(lambda x: cond(x > 0, lambda x: x**2, lambda x: -x, x))(3.0)
    6.0
    """
    check_function(true_fun, "cond")
    check_function(false_fun, "cond")
    given = operands if operand is _NOTHING else (*operands, operand)
    holds = one_truth("cond", "pred", pred)
    if many(holds) is None:
        return true_fun(*given) if holds else false_fun(*given)
    return _either("cond", np.not_equal(holds, 0), functools.partial(true_fun, *given), lambda: false_fun(*given))


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of one of several functions: ``branches[index](*operands)``.

    ``index`` is one integer; below 0 it is the first function, beyond the end the last.  Everything else is as for
    :func:`cond`.  After ``jax.lax.switch``.

    >>> switch(1, [lambda x: x, lambda x: 2 * x, lambda x: 3 * x], 5.0)
    10.0
    """
    functions = list(branches)
    if not functions:
        raise ValueError("switch: there is no function to choose from: branches is empty")
    for function in functions:
        check_function(function, "switch")
    number = one_truth("switch", "index", index)
    dtype = getattr(number, "dtype", np.dtype(type(number)))
    if dtype.kind not in "iu":
        raise TypeError(f"switch: index must be one integer, got {dtype}; of a condition, use cond")
    if many(number) is None:
        return functions[min(max(int(number), 0), len(functions) - 1)](*operands)
    found: Callable[[], Any] = functools.partial(functions[-1], *operands)
    for n in range(len(functions) - 2, -1, -1):
        found = functools.partial(
            _either, "switch", np.less_equal(number, n), functools.partial(functions[n], *operands), found
        )
    return found()


def _either(who: str, condition: Any, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """The results of two functions, each where it is chosen: examples differ in that."""
    first, second = one(), other()
    leaves = flatten_like(second, first, f"{who}: the functions return different nestings in vmap")
    for a, b in zip(flatten_like(first, first, who), leaves, strict=True):
        if np.shape(a) != np.shape(b) or _dtype(a) != _dtype(b):
            raise TypeError(
                f"{who}: the examples differ in which function they take, so both must return the same; one returns "
                f"{_dtype(a)} of shape {np.shape(a)}, the other {_dtype(b)} of shape {np.shape(b)}"
            )
    return chosen(condition, first, second)


def _dtype(leaf: Any) -> Any:
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    return getattr(value, "dtype", None) or np.result_type(value)
