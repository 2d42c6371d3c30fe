"""Gradients: the derivative of one number, and the pullback of any function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, overload

import numpy as np

from ..dialects import TRANSFORMS, answering
from ..graph import GraphError
from ..tensor import Tensor
from .calling import Call, check_argnums, check_function, constant, number, numbers, one_or_all, seeds_like
from .signatures import Called, Several

P = ParamSpec("P")


def _scalar_output(y: Any, who: str) -> Any:
    if isinstance(y, bool) or getattr(getattr(y, "dtype", None), "kind", "") == "b":
        raise TypeError(
            f"{who}: the function returned a bool, which has no gradient; return the number that was compared, "
            "or np.where(condition, a, b)"
        )
    if not isinstance(y, Tensor):
        if isinstance(y, int | float | np.ndarray | np.generic):
            y = constant(np.asarray(y, dtype=float)[()])
        elif hasattr(y, "__array_function__"):
            y = constant(y)
        else:
            raise TypeError(
                f"{who}: the function must return a single number, got a {type(y).__name__}; "
                "return the loss alone, or (loss, anything) with has_aux=True"
            )
    if y.size != 1:
        raise GraphError(
            f"{who}: the function returned shape {y.shape}, and only a single number has a gradient; "
            "reduce it (np.sum, np.mean), or use jacobian or vjp"
        )
    return y


@overload
def value_and_grad(
    f: Several, argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Called[tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...
@answering(TRANSFORMS)
def value_and_grad(
    f: Callable[P, Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]:
    """A function that returns ``f(*args)`` and its gradient with respect to the arguments ``argnums``.

    The gradient has the nesting, shapes and dtypes of the argument; a tuple of them if ``argnums`` is a sequence.
    With ``has_aux`` the function returns ``(value, anything)`` and the result is ``((value, anything), gradient)``.

    >>> value_and_grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})
    (6.0, {'a': 3.0, 'b': 2.0})
    """

    check_function(f, "grad")
    check_argnums(argnums, "grad")

    @functools.wraps(f)
    def value_and_gradient(*args: P.args, **kwargs: P.kwargs) -> tuple[Any, Any]:
        positions = numbers(argnums, args, "grad")
        call = Call(functools.partial(f, **kwargs), args, positions, "grad", has_aux)
        if len(call.outputs) != 1:
            _scalar_output(call.returned, "grad")
        call.outputs = [_scalar_output(call.outputs[0], "grad")]
        gradients = call.arguments([number(g) for g in call.pull([None])])
        value = call.value(call.outputs[0])
        if has_aux:
            value = (value, call.seen_aux())
        return value, one_or_all(gradients, argnums)

    return value_and_gradient


@overload
def grad(f: Several, argnums: int | Sequence[int] = 0, *, has_aux: bool = False) -> Called[Any]: ...
@overload
def grad(f: Callable[P, Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False) -> Callable[P, Any]: ...
@answering(TRANSFORMS)
def grad(f: Callable[P, Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False) -> Callable[P, Any]:
    """A function that returns the gradient of ``f``: (grad f)(x)_i = df / dx_i.

    Nests to any order.  Raises GraphError if ``f`` does not return a single number, TypeError for integer arguments.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @functools.wraps(f)
    def gradient(*args: P.args, **kwargs: P.kwargs) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def vjp(f: Callable[..., Any], *args: Any, has_aux: bool = False) -> Any:
    """``f(*args)`` and its pullback: the function of a cotangent of the result, g -> g^T (df / dargs).

    The cotangent has the nesting and shapes of the result.  The pullback returns a tuple with a cotangent for each
    argument, and may be called any number of times.  With ``has_aux`` the function returns ``(y, anything)``, and
    anything comes third.

    >>> import numpy as np
    >>> y, pull = vjp(np.sin, np.array([0.0, np.pi]))
    >>> pull(np.array([1.0, 1.0]))[0].tolist()
    [1.0, -1.0]
    """
    check_function(f, "vjp")
    call = Call(f, args, range(len(args)), "vjp", has_aux)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given = seeds_like(cotangent, call.returned, call.outputs, "vjp", "cotangent")
        recorded = call.outer or any(isinstance(g, Tensor) and g._node.active for g in given)
        return tuple(call.arguments([number(g) for g in call.pull(given, create=recorded)]))

    y = call.result([call.value(output) for output in call.outputs])
    return (y, pull, call.seen_aux()) if has_aux else (y, pull)
