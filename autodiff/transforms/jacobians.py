"""Derivatives that are matrices, and their products with vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .batched import BatchingError
from .calling import Call, close, depends_on_more, number, numbers, plain, pull, recording, seeds_like
from .gradients import grad
from .mapping import vmap

Array = Any


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``f(*args)``, and its derivative along ``tangents``: dy = (df / dargs) tangents.

    ``args`` and ``tangents`` are sequences of the same nesting and shapes; ``dy`` has those of the output.  Costs a few
    evaluations of ``f``, whatever the number of arguments: the pullback u -> u^T (df / dargs) is linear in u, and
    pulling ``tangents`` back through *it* gives the product.
    (The trick is J. Townsend's, "A new trick for calculating Jacobian vector products", 2017.)

    >>> import numpy as np
    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    (6.0, 23.0)
    """
    if not isinstance(args, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("jvp: args and tangents are sequences, one entry an argument: jvp(f, (x,), (dx,))")
    if len(args) != len(tangents):
        raise ValueError(f"jvp: {len(args)} arguments but {len(tangents)} tangents; give one each")
    call = Call(f, args, range(len(args)), "jvp")
    given = seeds_like(list(tangents), call.arguments(list(call.variables)), call.variables, "jvp", "tangents")
    with recording() as follow:
        seeds = [_probe(output) for output in call.outputs]
        probes = [s for s in seeds if s is not None]
        pulled = pull(call.outputs, seeds, call.variables, create=True)
        outer = follow and (call.outer or depends_on_more(given, []))
        products = pull(pulled, given, probes, create=outer)
        close(probes)
    rest = iter(products)
    changes = [_zeros(output) if seed is None else next(rest) for output, seed in zip(call.outputs, seeds, strict=True)]
    if not outer:
        return call.result([plain(output) for output in call.outputs]), call.result([plain(c) for c in changes])
    return call.result(call.outputs), call.result(changes)


def _probe(output: Any) -> Tensor | None:
    """A cotangent to differentiate by; its values do not matter, for the pullback is linear in it."""
    if not isinstance(output, Tensor) or not output._node.active:
        return None
    return Tensor(np.ones_like(output._value))


def _zeros(output: Any) -> Any:
    """No change, for an output that depends on no argument."""
    array = output._value if isinstance(output, Tensor) else output
    array = array if hasattr(array, "__array_function__") else np.asarray(array)
    return np.zeros_like(array, dtype=array.dtype if array.dtype.kind in "fc" else float)


def jacobian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, vectorize: bool | None = None
) -> Callable[..., Any]:
    """A function that returns all first derivatives of ``f``: (jacobian f)(x)[i, j] = df_i / dx_j.

    For one array in and one out, the shape is that of the output followed by that of the argument.  An output that is
    a nesting gives a nesting of such arrays, and each of them is a nesting like the argument (a tuple of those if
    ``argnums`` is a sequence): ``jacobian(f)(x)[output][argument]``.

    The rows come out of one backward pass over all outputs at once where every rule on the way can be mapped by
    :func:`vmap`, otherwise out of one pass an output.  ``vectorize=True`` insists on the first and raises
    :class:`BatchingError`, with the name of the function in the way; ``vectorize=False`` asks for the second, which
    needs less memory.  Raises TypeError for complex outputs, which have two derivatives: take np.real and np.imag.

    >>> import numpy as np
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] + x[1]]))(np.array([2.0, 3.0])).tolist()
    [[3.0, 2.0], [1.0, 1.0]]
    """

    @functools.wraps(f)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        positions = numbers(argnums, args, "jacobian")
        call = Call(functools.partial(f, **kwargs), args, positions, "jacobian")
        blocks = []
        for i, output in enumerate(call.outputs):
            rows = call.arguments([number(r) for r in _rows(call, i, output, vectorize)])
            blocks.append(rows[0] if isinstance(argnums, int) else tuple(rows))
        return call.result(blocks)

    return derivatives


def _rows(call: Call, i: int, output: Any, vectorize: bool | None) -> list[Any]:
    """The derivatives of one output by every variable: arrays of the output's shape and the variable's."""
    array = output._value if isinstance(output, Tensor) else output
    shape = np.shape(array)
    if getattr(array, "dtype", np.dtype(float)).kind == "c" or any(v.dtype.kind == "c" for v in call.variables):
        raise TypeError(
            "jacobian: of a complex function there is more than one; take it of np.real and np.imag of the output, "
            "as a function of a real and an imaginary part"
        )
    size = int(np.prod(shape, dtype=int))
    if not isinstance(output, Tensor) or not output._node.active or size == 0:
        return [np.zeros_like(v._value, shape=(*shape, *v.shape)) for v in call.variables]
    before, after = [None] * i, [None] * (len(call.outputs) - i - 1)

    def row(cotangent: Any) -> list[Any]:
        outputs = [*before, output, *after]
        with recording():
            return pull(outputs, [*before, cotangent, *after], call.variables, call.outer)

    # what is the same for every row belongs to an enclosing mapping, if there is one
    basis = np.reshape(np.eye(size, dtype=output.dtype), (size, *shape))
    if not shape:
        stacked = [[r] for r in row(basis[0])]
        return [_joined(rows, shape, v) for rows, v in zip(stacked, call.variables, strict=True)]
    if vectorize is not False:
        try:
            return [_joined(rows, shape, v) for rows, v in zip(vmap(row)(basis), call.variables, strict=True)]
        except BatchingError:
            if vectorize:
                raise
    rows_of_each = zip(*[row(e) for e in basis], strict=True)
    return [_joined(list(rows), shape, v) for rows, v in zip(rows_of_each, call.variables, strict=True)]


def _joined(rows: Any, shape: tuple[int, ...], variable: Tensor) -> Any:
    if isinstance(rows, list):
        rows = np.stack(rows)
    return np.reshape(rows, (*shape, *variable.shape))


def hessian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, vectorize: bool | None = None
) -> Callable[..., Any]:
    """A function that returns all second derivatives of ``f``: (hessian f)(x)[i, j] = d²f / dx_i dx_j.

    The shape is that of the argument twice; for nestings and several arguments it is a nesting of nestings,
    ``hessian(f)(x)[argument][argument]``.  ``vectorize`` as for :func:`jacobian`.  Raises GraphError if ``f`` does not
    return a single number.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0])).tolist()
    [[6.0, 4.0], [4.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums, vectorize=vectorize)


def hvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
    """The Hessian of ``f`` times ``tangents``, without the Hessian: H v = d (grad f · v).

    ``args`` and ``tangents`` are sequences of the same nesting and shapes, and so is the result, one entry an argument.
    Costs a few evaluations of ``f`` however many variables there are.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 10.0]),))[0].tolist()
    [6.0, 120.0]
    """
    if not isinstance(args, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("hvp: args and tangents are sequences, one entry an argument: hvp(f, (x,), (v,))")
    if len(args) != len(tangents):
        raise ValueError(f"hvp: {len(args)} arguments but {len(tangents)} tangents; give one each")
    call = Call(grad(f, range(len(args))), args, range(len(args)), "hvp")
    given = seeds_like(list(tangents), call.arguments(list(call.variables)), call.variables, "hvp", "tangents")
    recorded = call.outer or any(isinstance(t, Tensor) and t._node.active for t in given)
    return tuple(call.arguments([number(p) for p in call.pull(given, create=recorded)]))
