"""Common parts of all transforms: the call of a function with variables of its own, and its pullback.

Each transform makes variables of its own (``alias``), so nested transforms never confuse their variables.  Results are
arrays if the arguments are, and Tensors with a graph if a variable from outside is involved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..backpropagation import backward, seed_of
from ..coercion import taught
from ..collector import rarely
from ..examples import Examples
from ..graph import CONSTANT, Node, Walk, is_variable, tick
from ..mode import current, entered, is_recording, recorded
from ..registering import elementwise
from ..switching import switched
from ..tensor import Tensor, scalar, wrap
from ..tree import flatten, flatten_like, places

Array = Any
Function = Callable[..., Any]


def alias(x: Array) -> Array:
    """The identity: the variable at which one transform stops."""
    return x


alias = elementwise(alias, lambda g: g, method="")


def teach(error: Exception) -> None:
    """Raise the original refusal if NumPy or another library replaced it by its own error; else return."""
    refused = taught(error)
    try:
        if refused is not None:
            raise refused from None
    finally:  # a traceback holds this frame, which must not hold the exception in turn
        del refused, error


def recording() -> switched:
    """A context that records operations, also under ``no_grad``.

    A transform needs the graph of its function under ``no_grad`` too; there its *results* are constants.
    """
    return entered(recorded(current()))


def leaf(value: Any, who: str, *, follow: bool = True) -> Tensor:
    """A new variable of this value, connected to the graph of the value if it is to ``follow``.

    ``who`` is the start of the message of the TypeError for a value that cannot be a variable.
    """
    if isinstance(value, Tensor):
        if follow and value._node.active:
            return alias(value)  # type: ignore[no-any-return]
        value = value._value
    if isinstance(value, bool | int):
        wanted = "np.where in the place of a condition" if isinstance(value, bool) else f"write {value}.0"
        raise TypeError(f"{who}: got the {type(value).__name__} {value}; a variable must be floating-point: {wanted}")
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None and not isinstance(value, float | complex):
        raise TypeError(
            f"{who}: got a {type(value).__name__} among the arguments to differentiate, which has no derivative; "
            "keep it out of them (argnums=, or a function that closes over it), or tell how it is taken apart "
            "(autodiff.register_container)"
        )
    if kind is not None and kind in "biu":
        raise TypeError(
            f"{who}: got an array of {value.dtype}, shape {value.shape}; a variable must be floating-point: convert it "
            "with .astype(float), or keep what indexes or counts out of the arguments to differentiate (argnums=)"
        )
    try:
        return Tensor(value)
    except TypeError as error:
        raise TypeError(f"{who}: {error}") from None


def _leaves(argument: Any, values: Sequence[Any], position: int, who: str, follow: bool) -> list[Tensor]:
    """New variables for the leaves of an argument; an error names the argument and the path in it."""
    made: list[Tensor] = []
    for value in values:
        try:
            made.append(leaf(value, who, follow=follow))
        except TypeError as error:
            place = f"{who}: argument {position}{places(argument)[len(made)]}"
            raise TypeError(f"{place}: {str(error).removeprefix(f'{who}: ')}") from None
    return made


_closed: WeakKeyDictionary[Node, int] = WeakKeyDictionary()
"""The variables of calls that are over, and since when.  Results may hold on to one, but nobody can differentiate by
it any more."""

now: ContextVar[float] = ContextVar("autodiff_now", default=math.inf)
"""The time at which it is asked what is over: the past, while something is computed once more as it was."""


def close(variables: Sequence[Tensor]) -> None:
    """Note that these variables will not be differentiated any more."""
    time = tick()
    for variable in variables:
        _closed[variable._node] = time


class Call:
    """One call of a function with variables instead of its arguments ``argnums``.

    ``outputs`` are the leaves of the result, and ``result(leaves)`` makes a result of other leaves.  ``variables`` are
    those of the arguments, and ``arguments(leaves)`` gives the list of such arguments.  ``outer`` says whether other
    variables are involved, so that results must stay differentiable.
    """

    def __init__(
        self, f: Function, args: Sequence[Any], argnums: Sequence[int], who: str, has_aux: bool = False
    ) -> None:
        trees = [flatten(args[n]) for n in argnums]
        follow = is_recording()
        with recording():
            variables = [_leaves(args[n], tree[0], n, who, follow) for n, tree in zip(argnums, trees, strict=True)]
            filled = list(args)
            for n, (_, unflatten), tensors in zip(argnums, trees, variables, strict=True):
                filled[n] = unflatten(list(tensors))
            start = tick()
            try:
                with rarely():
                    returned = f(*filled)
            except Exception as error:
                teach(error)
                raise
        self.aux = None
        if has_aux:
            if not (isinstance(returned, tuple) and len(returned) == 2):
                raise TypeError(f"{who}: with has_aux=True the function must return (value, anything), a pair")
            returned, self.aux = returned
        self.who = who
        self.returned = returned
        self.variables = [t for group in variables for t in group]
        self._trees = trees
        self.outputs, self.result = flatten(returned)
        self.walk = _walk(self.outputs, self.variables, start)
        aux = flatten(self.aux)[0]
        self.outer = follow and (
            _is_outer(self.walk, start) or (bool(aux) and _is_outer(_walk(aux, self.variables, start), start))
        )
        close(self.variables)

    def arguments(self, leaves: list[Any]) -> list[Any]:
        """The differentiated arguments, with these leaves."""
        parts, start = [], 0
        for values, unflatten in self._trees:
            parts.append(unflatten(leaves[start : start + len(values)]))
            start += len(values)
        return parts

    def pull(self, cotangents: Sequence[Any], *, create: bool | None = None) -> list[Any]:
        """The cotangents of the variables, for cotangents of the outputs (None: of a single number, 1)."""
        with recording():
            return pull(self.outputs, cotangents, self.variables, self.outer if create is None else create, self.walk)

    def value(self, output: Any) -> Any:
        """An output for the caller: an array, unless an outer variable is involved."""
        return output if self.outer else plain(output)

    def seen_aux(self) -> Any:
        """The second item of the returned pair, with its Tensors as the caller sees them."""
        parts, unflatten = flatten(self.aux)
        return unflatten([self.value(part) if isinstance(part, Tensor) else part for part in parts])


def pull(
    outputs: Sequence[Any],
    cotangents: Sequence[Any],
    variables: Sequence[Tensor],
    create: bool,
    walk: Walk | None = None,
) -> list[Any]:
    """The cotangents of the variables, zero for those that no output depends on."""
    seeds: dict[Any, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if isinstance(output, Tensor) and output._node.active:
            seed = seed_of(output, cotangent)
            if cotangent is not None and isinstance(output._value, Examples) and output._value.many:
                seed = np.ones_like(output._value) * seed  # one for each example: a rule may index it by example
            seeds[output._node] = seeds[output._node] + seed if output._node in seeds else seed
    targets = {variable._node for variable in variables}
    found = backward(seeds, targets, retain=True, create=create, walk=walk) if seeds else {}
    return [found[t._node] if t._node in found else scalar(np.zeros_like(t._value)) for t in variables]


def _walk(outputs: Sequence[Any], variables: Sequence[Tensor], start: int) -> Walk:
    """The nodes between outputs and variables, without nodes older than the variables, or than ``start``."""
    roots = [o._node for o in outputs if isinstance(o, Tensor) and o._node.active]
    targets = {variable._node for variable in variables}
    return Walk(roots, targets, min([node.age for node in targets], default=start))


def depends_on_more(outputs: Sequence[Any]) -> bool:
    """Whether a variable is involved that may still be differentiated."""
    return _is_outer(_walk(outputs, [], tick()), tick())


def _is_outer(walk: Walk, start: int) -> bool:
    """Whether a variable older than ``start``, and not a target, is involved: then results stay differentiable."""
    if not all(map(is_variable, walk.targets or ())):
        return True
    time = now.get()
    old = [node for node in walk.order if not node.parents and node.age < start and node not in (walk.targets or ())]
    return any(_leads_to_open(node, time) for node in (*old, *walk.boundary))


def _leads_to_open(node: Node, time: float) -> bool:
    """Whether a node depends on a variable that is not closed.

    The first one found is cached, because a call inside a long computation asks again and again.
    """
    waiting, seen = [node], {node}
    while waiting:
        one = waiting.pop()
        known = getattr(one, "witness", one if not one.parents else None)
        if known is not None and _closed.get(known, time) >= time:
            if known is not node:
                node.witness = known
            return True
        for parent in one.parents:
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return False


def plain(value: Any) -> Any:
    """An array without a graph, or a Python number for one number of double precision."""
    return number(value._value if isinstance(value, Tensor) else value)


def number(value: Any) -> Any:
    """A single number of double precision as a Python number, a 0-d array as a scalar; anything else unchanged."""
    if type(value) is np.ndarray and not value.ndim:
        value = value[()]
    if isinstance(value, Examples):
        return value.as_number()
    return value.item() if type(value) is np.float64 else value


def constant(value: Any) -> Tensor:
    """A Tensor without a gradient."""
    return wrap(value, CONSTANT)


def check_argnums(argnums: Any, who: str) -> None:
    """Raise TypeError for a wrong ``argnums``: ``grad(f, x)`` is the most frequent mistake."""
    many = isinstance(argnums, Sequence) and not isinstance(argnums, str)
    for n in argnums if many else (argnums,):
        if isinstance(n, bool) or not isinstance(n, int | np.integer):
            if isinstance(n, str):
                meant = "an argument is differentiated by its position"
            elif isinstance(n, float | np.floating) and n == int(n) and not many:
                meant = f"write {int(n)}, or give the arguments later: {who}(f)(x)"
            else:
                meant = f"the arguments come later: {who}(f)(x)"
            raise TypeError(f"{who}: argnums must be an integer or a sequence of them, got {n!r:.60}; {meant}")


def numbers(argnums: int | Sequence[int], args: Sequence[Any], who: str) -> list[int]:
    """The positions of the arguments to differentiate, counted from the front, or an error."""
    found = []
    for n in (argnums,) if isinstance(argnums, int | np.integer) else argnums:
        if not -len(args) <= n < len(args):
            raise TypeError(
                f"{who}: argnums {n}, but there are {len(args)} positional arguments; "
                "pass the arguments to differentiate by position"
            )
        if n % len(args) in found:
            raise ValueError(f"{who}: argnums {argnums} names argument {n % len(args)} twice")
        found.append(int(n) % len(args))
    if len(found) == 1 and args[found[0]] is None:
        raise TypeError(f"{who}: argument {found[0]} is None, and there is nothing in it to differentiate by")
    return found


def one_or_all(parts: Sequence[Any], argnums: int | Sequence[int]) -> Any:
    """The only part if ``argnums`` is an integer, a tuple of all parts if it is a sequence."""
    return parts[0] if isinstance(argnums, int | np.integer) else tuple(parts)


def check_function(f: Any, who: str) -> None:
    """Raise TypeError if this is not a function: ``grad(f(x))`` is the most frequent mistake."""
    if not callable(f):
        of_torch = "; of a loss that is computed already: loss.backward(), then w.grad" if isinstance(f, Tensor) else ""
        raise TypeError(
            f"{who}: the first argument must be a function, got {type(f).__name__}; pass f itself, not f(x){of_torch}"
        )


def seeds_like(given: Any, like: Any, outputs: Sequence[Any], who: str, what: str) -> list[Any]:
    """Cotangents or tangents in the order of ``outputs``, checked against their nesting, shapes and kinds."""
    checked = []
    for value, output in zip(flatten_like(given, like, f"{who}: the {what}s"), outputs, strict=True):
        shape, dtype = np.shape(value), _kind(output)
        if shape != np.shape(output):
            raise ValueError(f"{who}: a {what} of shape {shape} where {np.shape(output)} belongs; reshape it")
        if np.iscomplexobj(value) and np.dtype(dtype).kind != "c":
            raise TypeError(f"{who}: a complex {what} where {np.dtype(dtype)} belongs; take np.real of it")
        checked.append(value if hasattr(value, "__array_function__") else np.asarray(value, dtype=dtype))
    return checked


def _kind(output: Any) -> Any:
    dtype = getattr(output, "dtype", None)
    return dtype if dtype is not None and dtype.kind in "fc" else float
