"""Derivatives that are matrices, and their products with vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dialects import TRANSFORMS, answering
from ..tensor import Tensor
from .batching import BatchingError
from .calling import (
    Call,
    check_argnums,
    check_function,
    close,
    depends_on_more,
    number,
    numbers,
    one_or_all,
    plain,
    pull,
    recording,
    seeds_like,
)
from .gradients import grad
from .mapping import vmap

Array = Any


@answering(TRANSFORMS)
def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False) -> Any:
    """``f(*args)``, and its derivative along ``tangents``: dy = (df / dargs) tangents.

    ``args`` and ``tangents`` are sequences of the same nesting and shapes; ``dy`` has those of the output.  With
    ``has_aux`` the function returns ``(y, anything)``, and anything comes third.  Costs a few evaluations of ``f``,
    whatever the number of arguments: the pullback u -> u^T (df / dargs) is linear in u, and pulling ``tangents`` back
    through *it* gives the product.
    (The trick is J. Townsend's, "A new trick for calculating Jacobian vector products", 2017.)

    >>> import numpy as np
    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    (6.0, 23.0)
    """
    if not isinstance(args, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError("jvp: args and tangents are sequences, one entry an argument: jvp(f, (x,), (dx,))")
    if len(args) != len(tangents):
        raise ValueError(f"jvp: {len(args)} arguments but {len(tangents)} tangents; give one each")
    check_function(f, "jvp")
    call = Call(f, args, range(len(args)), "jvp", has_aux)
    given = seeds_like(list(tangents), call.arguments(list(call.variables)), call.variables, "jvp", "tangent")
    with recording() as follow:
        seeds = [_probe(output) for output in call.outputs]
        probes = [s for s in seeds if s is not None]
        pulled = pull(call.outputs, seeds, call.variables, create=True)
        outer = follow and (call.outer or depends_on_more(given, []))
        products = pull(pulled, given, probes, create=outer)
        close(probes)
    rest = iter(products)
    changes = [_zeros(output) if seed is None else next(rest) for output, seed in zip(call.outputs, seeds, strict=True)]
    parts = [call.outputs, changes] if outer else [[plain(v) for v in values] for values in (call.outputs, changes)]
    result = (call.result(parts[0]), call.result(parts[1]))
    return (*result, call.seen_aux()) if has_aux else result


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


@answering(TRANSFORMS)
def jacobian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    vectorize: bool | None = None,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that returns all first derivatives of ``f``: (jacobian f)(x)[i, j] = df_i / dx_j.

    For one array in and one out, the shape is that of the output followed by that of the argument.  An output that is
    a nesting gives a nesting of such arrays, and each of them is a nesting like the argument (a tuple of those if
    ``argnums`` is a sequence): ``jacobian(f)(x)[output][argument]``.  With ``has_aux`` the function returns
    ``(output, anything)`` and the result is ``(derivatives, anything)``.

    The rows come out of one backward pass over all outputs at once where every rule on the way can be mapped by
    :func:`vmap`, otherwise out of one pass an output.  ``chunk_size`` is how many rows a pass computes at most: less
    memory, more passes.  ``vectorize=True`` insists on mapping and raises :class:`BatchingError`, with the name of the
    function in the way; ``vectorize=False`` asks for a row at a time, without mapping.  Raises TypeError for complex
    outputs, which have two derivatives: take np.real and np.imag.

    >>> import numpy as np
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] + x[1]]))(np.array([2.0, 3.0])).tolist()
    [[3.0, 2.0], [1.0, 1.0]]
    """
    check_function(f, "jacobian")
    check_argnums(argnums, "jacobian")
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise ValueError(f"jacobian: chunk_size is a number of rows, at least 1, or None for all; got {chunk_size!r}")

    @functools.wraps(f)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        positions = numbers(argnums, args, "jacobian")
        call = Call(functools.partial(f, **kwargs), args, positions, "jacobian", has_aux)
        if call.returned is None:
            raise TypeError("jacobian: the function returned None; does it lack its 'return'?")
        blocks = []
        for i, output in enumerate(call.outputs):
            rows = call.arguments([number(r) for r in _rows(call, i, output, vectorize, chunk_size)])
            blocks.append(one_or_all(rows, argnums))
        result = call.result(blocks)
        return (result, call.seen_aux()) if has_aux else result

    return derivatives


def _rows(call: Call, i: int, output: Any, vectorize: bool | None, chunk_size: int | None) -> list[Any]:
    """The derivatives of one output by every variable: arrays of the output's shape and the variable's."""
    array = output._value if isinstance(output, Tensor) else output
    if not hasattr(array, "__array_function__") and not isinstance(array, int | float | complex | np.generic):
        raise TypeError(
            f"jacobian: the function returned a {type(array).__name__}; return arrays, or (arrays, anything) "
            "with has_aux=True"
        )
    shape = np.shape(array)
    if getattr(array, "dtype", np.dtype(type(array))).kind == "c" or any(v.dtype.kind == "c" for v in call.variables):
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

    if not shape:
        return row(None)
    # what is the same for every row belongs to an enclosing mapping, if there is one
    basis = np.reshape(np.eye(size, dtype=output.dtype), (size, *shape))
    if vectorize is not False:
        try:
            groups = [vmap(row)(part) for part in _chunks(basis, chunk_size)]
            parts = zip(*groups, strict=True)
            return [_joined(group, np.concatenate, (*shape, *v.shape)) for group, v in _of_each(parts, call)]
        except BatchingError:
            if vectorize:
                raise
    rows = zip(*[row(e) for e in basis], strict=True)
    return [_joined(group, np.stack, (*shape, *v.shape)) for group, v in _of_each(rows, call)]


def _chunks(basis: Array, chunk_size: int | None) -> list[Array]:
    step = len(basis) if chunk_size is None else chunk_size
    return [basis[start : start + step] for start in range(0, len(basis), step)]


def _of_each(parts: Any, call: Call) -> Any:
    """What belongs to each variable, with the variable."""
    return zip(map(list, parts), call.variables, strict=True)


def _joined(parts: list[Any], join: Callable[..., Any], shape: tuple[int, ...]) -> Any:
    """Rows or groups of rows as one array."""
    return np.reshape(parts[0] if len(parts) == 1 and join is np.concatenate else join(parts), shape)


@answering(TRANSFORMS)
def hessian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    vectorize: bool | None = None,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that returns all second derivatives of ``f``: (hessian f)(x)[i, j] = d²f / dx_i dx_j.

    The shape is that of the output, () for a single number, and that of the argument twice; for nestings and several
    arguments it is a nesting of nestings, ``hessian(f)(x)[output][argument][argument]``.  The options are those of
    :func:`jacobian`.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0])).tolist()
    [[6.0, 4.0], [4.0, 0.0]]
    """
    check_function(f, "hessian")
    check_argnums(argnums, "hessian")
    options: dict[str, Any] = {"has_aux": has_aux, "vectorize": vectorize, "chunk_size": chunk_size}
    return jacobian(jacobian(f, argnums, **options), argnums, **options)


@answering(TRANSFORMS)
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
    check_function(f, "hvp")
    if len(args) != len(tangents):
        raise ValueError(f"hvp: {len(args)} arguments but {len(tangents)} tangents; give one each")
    call = Call(grad(f, range(len(args))), args, range(len(args)), "hvp")
    given = seeds_like(list(tangents), call.arguments(list(call.variables)), call.variables, "hvp", "tangent")
    recorded = call.outer or any(isinstance(t, Tensor) and t._node.active for t in given)
    return tuple(call.arguments([number(p) for p in call.pull(given, create=recorded)]))
