"""Functions that turn a function into its derivatives.  Nothing is mutated.

Each works on fresh ``alias`` leaves, so that nested transforms never mistake one level's variable for another's.
Results are plain arrays where the arguments are, and Tensors with a history where an outer variable is involved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph import CONSTANT, GraphError, Leaf, topological_order
from .primitive import elementwise
from .tensor import Tensor, _seed, backward, wrap
from .tree import flatten


def alias(x: Any) -> Any:
    """A copy in name only: the leaf at which one transform stops."""
    return x


alias = elementwise(alias, lambda g: g)


def _leaf(value: Any, who: str) -> Tensor:
    if isinstance(value, Tensor):
        return alias(value) if value._node.active else Tensor(value._value)  # type: ignore[no-any-return]
    if isinstance(value, bool | int):
        raise TypeError(f"{who}: got the integer {value}; a variable must be floating-point: write {value}.0")
    return Tensor(value)


def _call(f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], who: str) -> tuple[Any, list[Tensor], Any]:
    """Call ``f`` with fresh leaves in the place of the arguments to differentiate."""
    for n in argnums:
        if not -len(args) <= n < len(args):
            raise TypeError(f"{who}: argnums {n}, but there are {len(args)} arguments")
    trees = [flatten(args[n]) for n in argnums]
    leaves = [[_leaf(value, who) for value in values] for values, _ in trees]
    arguments = list(args)
    for n, (_, unflatten), tensors in zip(argnums, trees, leaves, strict=True):
        arguments[n] = unflatten(list(tensors))

    def rebuild(flat: list[Any]) -> list[Any]:
        parts, rest = [], flat
        for values, unflatten in trees:
            parts.append(unflatten(rest[: len(values)]))
            rest = rest[len(values) :]
        return parts

    return f(*arguments), [t for group in leaves for t in group], rebuild


def _pull(outputs: list[Any], cotangents: list[Any], leaves: list[Tensor], outer: bool) -> list[Any]:
    """The cotangents of the leaves, zero for those that no output depends on."""
    seeds: dict[Any, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if isinstance(output, Tensor) and output._node.active:
            seed = _seed(output, cotangent)
            seeds[output._node] = seeds[output._node] + seed if output._node in seeds else seed
    targets = {leaf._node for leaf in leaves}
    found = backward(seeds, targets, retain=True, create=outer) if seeds else {}
    return [found[t._node] if t._node in found else np.zeros_like(t._value) for t in leaves]


def _depends_on_more(outputs: list[Any], leaves: list[Tensor]) -> bool:
    """Whether a variable other than these leaves is involved, so that the result must stay differentiable."""
    targets = {leaf._node for leaf in leaves}
    if any(type(node) is not Leaf for node in targets):
        return True
    roots = {o._node for o in outputs if isinstance(o, Tensor) and o._node.active}
    return any(not node.edges and node not in targets for node in topological_order(roots, targets))


def _outside(value: Any) -> Any:
    """An output without the leaves of this transform: a plain array."""
    return value._value if isinstance(value, Tensor) else value


def _substituted(value: Any, outer: bool) -> Any:
    return value if outer else _outside(value)


def _scalar_output(y: Any, who: str) -> Tensor:
    if not isinstance(y, Tensor):
        if isinstance(y, int | float | np.ndarray | np.generic):
            return wrap(np.asarray(y, dtype=float)[()], CONSTANT)
        raise TypeError(f"{who}: the function must return a number, got {type(y).__name__}")
    if y.size != 1:
        raise GraphError(
            f"{who}: the function returned shape {y.shape}, and only a single number has a gradient; "
            "reduce it (np.sum, np.mean), or use jacobian or vjp"
        )
    return y


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns ``f(*args)`` and its gradient with respect to the arguments ``argnums``.

    The gradient has the nesting, shapes and dtypes of the argument; a tuple of them if ``argnums`` is a sequence.
    With ``has_aux`` the function returns ``(value, anything)`` and the result is ``((value, anything), gradient)``.

    >>> value_and_grad(lambda p: p["a"] * p["b"])({"a": 2.0, "b": 3.0})
    (6.0, {'a': 3.0, 'b': 2.0})
    """
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        y, leaves, rebuild = _call(functools.partial(f, **kwargs), args, numbers, "grad")
        aux = None
        if has_aux:
            y, aux = y
        y = _scalar_output(y, "grad")
        outer = _depends_on_more([y], leaves)
        gradients = rebuild([_number(g) for g in _pull([y], [None], leaves, outer)])
        value = _number(_substituted(y, outer))
        if has_aux:
            parts, unflatten = flatten(aux)
            value = (value, unflatten([_substituted(part, outer) for part in parts]))
        return value, gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return value_and_gradient


def _number(value: Any) -> Any:
    """A NumPy scalar of double precision as the Python number that it is; anything else as it is."""
    return value.item() if type(value) is np.float64 else value


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of ``f``: (grad f)(x)_i = df / dx_i.

    Nests to any order.  Raises GraphError if ``f`` does not return a single number, TypeError for integer arguments.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """``f(*args)``, and the function that pulls a cotangent of it back to all arguments: g -> g^T (df / dargs).

    The cotangent has the nesting and shapes of the output, the result is a tuple, one for each argument.

    >>> import numpy as np
    >>> y, pull = vjp(np.sin, np.array([0.0, np.pi]))
    >>> pull(np.array([1.0, 1.0]))[0].tolist()
    [1.0, -1.0]
    """
    y, leaves, rebuild = _call(f, args, range(len(args)), "vjp")
    outputs, unflatten = flatten(y)
    outer = _depends_on_more(outputs, leaves)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given, _ = flatten(cotangent)
        if len(given) != len(outputs):
            raise ValueError(f"vjp: the function has {len(outputs)} outputs, got {len(given)} cotangents")
        recorded = outer or any(isinstance(g, Tensor) and g._node.active for g in given)
        return tuple(rebuild(_pull(outputs, given, leaves, recorded)))

    return unflatten([_substituted(o, outer) for o in outputs]), pull
