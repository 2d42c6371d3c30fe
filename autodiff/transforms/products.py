"""Products of derivatives with vectors: jvp, hvp, and the pullback as a function that can be differentiated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backpropagation import backward
from ..dialects import TRANSFORMS, answering
from ..examples import every
from ..mode import is_recording
from ..ops.kinks import meets_kinks, transposing
from ..tensor import Tensor
from .calling import Call, check_function, close, depends_on_more, number, plain, pull, recording, seeds_like
from .gradients import grad


@answering(TRANSFORMS)
def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False) -> Any:
    """``f(*args)``, and its derivative along ``tangents``: dy = (df / dargs) tangents.

    ``args`` and ``tangents`` are sequences of the same nesting and shapes; ``dy`` has those of the output.  With
    ``has_aux`` the function returns ``(y, anything)``, and anything comes third.  It takes a few evaluations of ``f``,
    whatever the number of arguments: the pullback u -> u^T (df / dargs) is linear in u, and *its* pullback of
    ``tangents`` is the product.  (The trick is J. Townsend's, "A new trick for calculating Jacobian vector products",
    2017.)

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
    follow = is_recording()
    with recording():
        outer = follow and (call.outer or depends_on_more(given))
        changes = _pushed(call, given, outer)
    parts = [call.outputs, changes] if outer else [[plain(v) for v in values] for values in (call.outputs, changes)]
    result = (call.result(parts[0]), call.result(parts[1]))
    return (*result, call.seen_aux()) if has_aux else result


@answering(TRANSFORMS)
def hvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
    """The Hessian of ``f`` times ``tangents``, without the Hessian: H v = d (grad f · v).

    ``args`` and ``tangents`` are sequences of the same nesting and shapes, and so is the result, with one entry for
    each argument.  It takes a few evaluations of ``f``, however many variables there are.

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
    outer = call.outer or any(is_active(t) for t in given)
    products = call.pull(given, create=outer)
    if meets_kinks(call.walk.order):  # there the rows of a Hessian may be numbers where its columns are NaN
        with recording():
            columns = _pushed(call, given, outer)
        products = [nan_with(product, column) for product, column in zip(products, columns, strict=True)]
    return tuple(call.arguments([number(p) for p in products]))


def nan_with(value: Any, other: Any) -> Any:
    """The value, NaN where the other one is NaN."""
    seen = every(other._value if isinstance(other, Tensor) else other)
    if isinstance(seen, np.ndarray | np.generic) and not np.isnan(seen).any():
        return value
    return np.where(np.isnan(other), np.nan, value)


def _pushed(call: Call, tangents: Sequence[Any], outer: bool) -> list[Any]:
    """The change of each output along tangents of the variables, recorded if ``outer`` variables are involved."""
    seeds, pulled = pullback(call, outer)
    probes = [s for s in seeds if s is not None]
    with transposing():
        products = iter(pull(pulled, tangents, probes, create=outer))
    close(probes)
    return [
        _zeros(output) if seed is None else next(products) for output, seed in zip(call.outputs, seeds, strict=True)
    ]


def pullback(call: Call, outer: bool) -> tuple[list[Tensor | None], list[Any]]:
    """A cotangent for each output (None if it depends on nothing), and their pullback as a function.

    If an ``outer`` variable is involved, it is recorded as a function of that variable too.
    """
    probes = [_probe(output) for output in call.outputs]
    seeds: dict[Any, Any] = {}
    for output, probe in zip(call.outputs, probes, strict=True):
        if probe is not None:
            seeds[output._node] = seeds[output._node] + probe if output._node in seeds else probe
    targets = {v._node for v in call.variables}
    options: Any = {"retain": True, "create": True, "along": not outer, "walk": call.walk}
    found = backward(seeds, targets, **options) if seeds else {}
    return probes, [found.get(v._node) for v in call.variables]


def _probe(output: Any) -> Tensor | None:
    """A cotangent as a variable.  Its values do not matter, because the pullback is linear in it."""
    if not is_active(output):
        return None
    return Tensor(np.ones_like(output._value))


def _zeros(output: Any) -> Any:
    """No change, for an output that depends on no argument."""
    array = output._value if isinstance(output, Tensor) else output
    array = array if hasattr(array, "__array_function__") else np.asarray(array)
    return np.zeros_like(array, dtype=array.dtype if array.dtype.kind in "fc" else float)


def is_active(value: Any) -> bool:
    """Whether it depends on a variable."""
    return isinstance(value, Tensor) and value._node.active
