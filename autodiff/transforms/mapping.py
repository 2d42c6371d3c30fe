"""vmap: apply a function of one example to many examples at once.

Examples enter by :data:`gather` and leave by :data:`scatter`, which are each other's adjoint.  A variable from outside
is :data:`shared` by all examples, and its gradient is their :data:`total`.  So the graph inside is an ordinary one,
whose values are :class:`.Batched`.  Every transform works on it, inside and outside of ``vmap``, to any order.

A variable is from outside if it is older than the ``vmap``.  A variable that is made inside, by ``grad`` for instance,
belongs to each example, and its gradient is not summed.  This gives the gradient of each example.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, overload

import numpy as np

from ..dialects import TRANSFORMS, answering
from ..graph import CONSTANT
from ..mode import Mode, current, entered, living
from ..outputs import same_tuple
from ..primitive import Function, Primitive
from ..recording import callable_of
from ..structural import plain
from ..tensor import Tensor, wrap
from ..tree import flatten, flatten_like
from .batching import Batched, BatchingError, Level, RaggedError, innermost, is_of, spread
from .calling import check_function, teach
from .signatures import Called, Several

Array = Any
P = ParamSpec("P")

# -- in and out --------------------------------------------------------------------------------------------------


def _internal(function: Function, rule: Function) -> Any:
    """A primitive of the engine, which is not in the table."""
    parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
    name = function.__name__.strip("_")
    entry = Primitive(function, function, {parameters[0]: rule}, name=name, parameters=parameters)
    entry.call = callable_of(entry)
    return entry.call


def _inside(function: Function, x: Array, level: Level, *axis: int) -> Array:
    """The function on each example of a later ``vmap``: the latest one always stays outermost."""
    return x.holding(function(x.held, *[a + 1 if a >= 0 else a for a in axis], level))


def _is_later(x: Array, level: Level) -> bool:
    return type(x) is Batched and x.level.age > level.age


def _gather(x: Array, axis: int, level: Level) -> Array:
    """The slices of an array along an axis, as examples."""
    if _is_later(x, level):
        return _inside(_gather, x, level, axis)
    return Batched(np.moveaxis(x, axis, 0), level)


def _scatter(x: Array, axis: int, level: Level) -> Array:
    """Examples as the slices of one array along an axis."""
    if _is_later(x, level):
        return _inside(_scatter, x, level, axis)
    return np.moveaxis(spread(x, level), 0, axis)


def _share(x: Array, level: Level, promote: bool) -> Array:
    """The same array in every example; ``promote`` it to an array of examples, so that examples can index it."""
    return Batched(spread(x, level), level) if promote and not _is_later(x, level) else x


def _own(x: Array, level: Level) -> Array:
    """The same array in every example, as an array of examples, so that examples can index it."""
    return Batched(spread(x, level), level)


def _total(x: Array, level: Level) -> Array:
    """The sum over the examples."""
    if _is_later(x, level):
        return _inside(_total, x, level)
    return np.sum(x.held, axis=0) if is_of(x, level) else x * float(level.size)


gather: Function
scatter: Function
share: Function
own: Function
total: Function
gather = _internal(_gather, lambda g, axis, level: scatter(g, axis, level))
scatter = _internal(_scatter, lambda g, axis, level: gather(g, axis, level))
share = _internal(_share, lambda g, level: total(g, level))
own = _internal(_own, lambda g: g)  # made inside, it is each example's own: nothing to sum
total = _internal(_total, lambda g, level: share(g, level, True))  # each example may index it


class _Mapping(Mode):
    """The mode of ``vmap``: outer variables become shared."""

    def __init__(self, level: Level, enclosing: Mode | None) -> None:
        self.enclosing = enclosing
        self.level = level

    def unwatched(self) -> Mode | None:
        """This mode itself, because it computes the examples."""
        return self.inside(super().unwatched())  # type: ignore[no-any-return]

    def without(self, level: Level) -> Mode | None:
        """The enclosing mode, if this is the ``vmap`` in question."""
        return living(self.enclosing) if level is self.level else super().without(level)

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do one operation on all examples."""
        with self.outside():
            # an index that differs between examples needs an array that does, at least in name
            promote = False
            if primitive.core is None and not primitive.variadic:
                options = [_value(a) for i, a in enumerate(args) if primitive.rules.get(i) is None]
                promote = innermost(options) is self.level
            try:
                shared = [self._shared(a, promote and i == 0) for i, a in enumerate(args)]
                return primitive.call(*shared, **{k: self._shared(v, False) for k, v in kwargs.items()})
            except RaggedError:
                raise
            except BatchingError:  # it left NumPy, for a library of its own perhaps
                if not self.level.size:
                    raise
                return _looped(primitive.call, args, kwargs, self.level)

    def otherwise(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
        """A loop over examples: a composite may read values, and these differ."""
        level = innermost(map(_value, (*args, *kwargs.values())))
        if not isinstance(error, BatchingError) or level is None or not level.size:
            return None
        return functools.partial(_by_example, level)

    def _shared(self, value: Any, promote: bool) -> Any:
        kind = type(value)
        if kind is Tensor:
            node = value._node
            if node.active and node.age < self.level.age:
                return share(value, self.level, promote)
            if promote and not is_of(value._value, self.level):
                return own(value, self.level)
        elif kind is list or kind is tuple:
            return kind(self._shared(v, False) for v in value)
        elif promote and not is_of(value, self.level):
            return Batched(spread(value, self.level), self.level)
        return value


def _looped(call: Function, args: tuple[Any, ...], kwargs: dict[str, Any], level: Level) -> Any:
    """One recorded call for each example, with the results as examples again."""
    wholes: dict[int, Any] = {}

    def one(value: Any, i: int) -> Any:
        if type(value) is list or type(value) is tuple:
            return type(value)(one(v, i) for v in value)
        # a variable that was made inside is each example's own, even if its value is the same for all
        inner = type(value) is Tensor and value._node.active and value._node.age > level.age
        if not inner and not is_of(_value(value), level):
            return value
        if id(value) not in wholes:
            wholes[id(value)] = scatter(value if is_of(_value(value), level) else own(value, level), 0, level)
        return wholes[id(value)][i]

    results = [call(*[one(a, i) for a in args], **{k: one(v, i) for k, v in kwargs.items()}) for i in range(level.size)]
    parts = list(zip(*results, strict=True)) if isinstance(results[0], tuple) else [results]
    for part in parts:
        if len({np.shape(r) for r in part}) > 1:
            raise RaggedError(
                f"vmap: '{call.__name__}' gives results of different shapes for different examples; "
                "map by hand: [f(x) for x in xs]"
            )
    stacked = [gather(np.stack(part), 0, level) for part in parts]
    return same_tuple(results[0], stacked) if isinstance(results[0], tuple) else stacked[0]


def _by_example(level: Level, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    mode = current()
    with entered(mode and mode.without(level)):
        return _looped(function, args, kwargs, level)


def _value(argument: Any) -> Any:
    if type(argument) is Tensor:
        return argument._value
    return [_value(a) for a in argument] if type(argument) in (list, tuple) else argument


# -- vmap --------------------------------------------------------------------------------------------------------


@overload
def vmap(f: Several, in_axes: Any = 0, out_axes: Any = 0) -> Called[Any]: ...
@overload
def vmap(f: Callable[P, Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[P, Any]: ...
@answering(TRANSFORMS)
def vmap(f: Callable[P, Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[P, Any]:
    """A function that applies ``f`` to all examples at once: vmap(f)(xs)_i = f(xs_i).

    ``in_axes`` is the axis of examples of each argument, None for an argument that is the same for all.  It is an
    integer or None for all arguments, or a tuple with one entry for each, which may be a nesting.  Keyword arguments
    are mapped along their first axis.  ``out_axes`` is the axis of examples in the outputs (None for an output that is
    the same for all).

    ``f`` is called once, with Tensors of the shape of one example (integers and booleans are not Tensors).  Elementwise
    functions, products, reductions, indexing, shapes and linear algebra are computed for all examples at once.  Any
    other function is computed example by example.  A result whose length depends on values, ``float``, and an ``if`` on
    which the examples differ raise :class:`BatchingError`, which names the function.  Random numbers that ``f`` draws
    are the same for all examples: draw them outside and map over them.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> loss = lambda w, x, y: (w @ x - y) ** 2
    >>> w, xs, ys = np.ones(2), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3.0, 5.0])
    >>> vmap(grad(loss), in_axes=(None, 0, 0))(w, xs, ys).tolist()  # one gradient an example
    [[0.0, 0.0], [12.0, 16.0]]
    """

    check_function(f, "vmap")

    @functools.wraps(f)
    def mapped(*args: P.args, **kwargs: P.kwargs) -> Any:
        from .batching.rules import begin

        axes = _axes_of(in_axes, args)
        trees = [flatten(a) for a in (*args, *kwargs.values())]
        leaf_axes = [flatten_like(axis, a, "vmap: in_axes", repeat=True) for axis, a in zip(axes, args, strict=True)]
        leaf_axes += [[0] * len(leaves) for leaves, _ in trees[len(args) :]]
        level = begin(_examples([leaves for leaves, _ in trees], leaf_axes))
        filled = [
            unflatten([_example(v, axis, level) for v, axis in zip(leaves, along, strict=True)])
            for (leaves, unflatten), along in zip(trees, leaf_axes, strict=True)
        ]
        try:
            with entered(_Mapping(level, current())):
                result = f(*filled[: len(args)], **dict(zip(kwargs, filled[len(args) :], strict=True)))
        except Exception as error:
            teach(error)
            raise
        outputs, unflatten = flatten(result)
        along = flatten_like(out_axes, result, "vmap: out_axes", repeat=True)
        return unflatten([_stacked(o, axis, level) for o, axis in zip(outputs, along, strict=True)])

    return mapped


def _axes_of(in_axes: Any, args: Sequence[Any]) -> Sequence[Any]:
    if in_axes is None or isinstance(in_axes, int):
        return [in_axes] * len(args)
    if not isinstance(in_axes, tuple | list) or len(in_axes) != len(args):
        raise ValueError(
            f"vmap: in_axes {in_axes} does not fit {len(args)} arguments; give an integer, or a tuple of one entry each"
        )
    return in_axes


def _examples(groups: Sequence[Sequence[Any]], axes: Sequence[Sequence[Any]]) -> int:
    """The number of examples, which must be the same along every mapped axis."""
    sizes = []
    for leaves, along in zip(groups, axes, strict=True):
        for value, axis in zip(leaves, along, strict=True):
            if axis is None:
                continue
            shape = np.shape(value)
            if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"vmap: an argument of shape {shape} has no axis {axis} to map over; "
                    "give None in in_axes for an argument that is the same for all examples"
                )
            sizes.append((shape[axis], shape, axis))
    if not sizes:
        raise ValueError("vmap: nothing to map over; at least one argument needs an axis in in_axes")
    if len({n for n, _, _ in sizes}) > 1:
        found = ", ".join(f"{n} (shape {shape}, axis {axis})" for n, shape, axis in sizes)
        raise ValueError(f"vmap: the arguments hold different numbers of examples: {found}")
    return sizes[0][0]  # type: ignore[no-any-return]


def _example(value: Any, axis: int | None, level: Level) -> Any:
    """An argument of the function: one example, as a Tensor if it is floating-point; an unmapped one unchanged."""
    if axis is None:  # as a Tensor too, so that examples can index it
        return wrap(value, CONSTANT) if type(value) is np.ndarray and value.dtype.kind in "fc" else value
    if type(value) is Tensor and value._node.active:
        return gather(value, axis, level)
    array = value._value if type(value) is Tensor else value
    array = array if hasattr(array, "__array_function__") else np.asarray(array)
    moved = np.moveaxis(array, axis, 0)
    if type(moved) is np.ndarray:
        moved = moved.view()
        moved.flags.writeable = False  # it is the caller's memory
    example = Batched(moved, level)
    return wrap(example, CONSTANT) if moved.dtype.kind in "fc" else example  # what indexes or counts is no Tensor


def _stacked(output: Any, axis: Any, level: Level) -> Any:
    """An output of the function with all examples along an axis."""
    if not isinstance(axis, int):
        if axis is None and not is_of(_value(output), level) and not (type(output) is Tensor and output._node.active):
            return _value(output)
        raise BatchingError("vmap: an output that differs between examples needs an axis in out_axes, got None")
    if not hasattr(output, "__array_function__"):
        if not isinstance(output, bool | int | float | complex):
            raise TypeError(f"vmap: the function returned a {type(output).__name__}; it must return arrays or numbers")
        output = np.asarray(output)
    ndim = np.ndim(output) + 1
    if not -ndim <= axis < ndim:
        raise ValueError(f"vmap: out_axes {axis}, but with the examples the output has {ndim} axes")
    if type(output) is Tensor:
        if output._node.active:
            if output._node.age < level.age:  # a variable from outside, returned as it is
                output = share(output, level, False)
            return scatter(output, axis, level)
        output = output._value
    stacked = _scatter(output, axis, level)
    return np.array(stacked) if type(output) is not Batched else plain(stacked)
