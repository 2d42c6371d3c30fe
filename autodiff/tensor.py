"""Tensor: a variable that speaks NumPy.

A Tensor is a value and the node that says where it came from.  Every operation, whether it arrives as a method, an
operator or an ``np.`` call, goes through the callable that :mod:`autodiff.recording` builds for its entry in the table.
No mathematics stands here.

In-place writing: a Tensor's value never changes under an operation, as a number's does not.  ``t += v`` makes a new
Tensor and binds the name ``t`` to it; ``t[i] = v`` is refused and says what to write.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from . import graph, mode, writes
from .arrays import cast, is_foreign, to_hold
from .collector import rarely
from .conversion import Conversion, array_of, made_by
from .dialects import Absent, unknown
from .examples import Examples, every
from .graph import CONSTANT, Edge, GraphError, Node, Parts, Several, Walk, is_variable, variable_node
from .primitive import Primitive, registry, supplied
from .protocol import ANSWERED, WRONG, complain, has_own_rules, unsupported
from .rule import Rule
from .structural import plain, structural
from .ufuncs import unusual
from .writes import sampled

if TYPE_CHECKING:  # the operators and methods that the table adds, as 'python -m docs' writes them down
    from .methods import Methods
else:
    Methods = object

LARGE = 1000
"""Operations of a graph through which the garbage collector is not to go while it is walked."""
_AS_USUAL = nullcontext()
_new = object.__new__
_numpy: Any = np  # its type stubs know no Tensor
_mode = mode.innermost


class Tensor(Conversion, Methods):
    """An array that remembers how it was made, so that gradients can flow back to what it was made of.

    ``Tensor(x)`` is a variable (a leaf) holding ``x``, which is shared and not copied; a constant is a plain array.
    Raises TypeError for anything but floating-point data: integers have no derivative.

    >>> import numpy as np
    >>> x = Tensor([1.0, 2.0])
    >>> y = np.sum(x * x)
    >>> y.backward()
    >>> x.grad.tolist()
    [2.0, 4.0]
    """

    __slots__ = ("__weakref__", "_node", "_value")
    __hash__ = object.__hash__  # by identity, since == is elementwise

    _node: Node
    _value: Any

    def __init__(self, data: Any, *, dtype: Any = None, **other: Any) -> None:
        if other:
            unknown(next(iter(other)))
        if isinstance(data, Tensor):
            raise TypeError(
                "Tensor: the data is a Tensor already; use it as it is, or Tensor(t.data) for a new, separate variable"
            )
        if has_own_rules(data):
            raise TypeError(
                f"Tensor: a {type(data).__name__} has rules of its own; pass np.asarray(x), and np.where for masks"
            )
        value = array_of(data, dtype)
        self._value = scalar(value)
        self._node = variable_node(value.shape, value.dtype)

    def __init_subclass__(cls) -> None:
        raise TypeError("Tensor: cannot be subclassed; keep a Tensor in an attribute instead")

    # -- what it holds ---------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The values, as an array.  Of a variable it is the array itself; of a result it is read-only."""
        value, node = self._value, self._node
        if node.primitive is None and node.active:
            if isinstance(value, np.generic):  # from now on an array, so that writing into it is not lost
                value = self._value = np.asarray(value)
            if sampled:  # a graph is alive whose rules may have saved this memory
                writes.hand_out(value)
        elif node is CONSTANT:
            if sampled:
                writes.hand_out(value)
        else:
            value = np.asarray(value) if isinstance(value, np.generic) else value
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            elif isinstance(value, Examples):
                return value.given_out()
        return np.asarray(value) if isinstance(value, np.generic) else value

    @data.setter
    def data(self, new: Any) -> None:
        node, old = self._node, self._value
        if (
            new is old and type(old) is np.ndarray and node.primitive is None and node.active
        ):  # what an optimizer does, in place
            writes.note(old)
            return
        if not is_variable(node):
            raise GraphError("data: only a variable can be given new values; this Tensor is the result of an operation")
        if isinstance(new, Tensor):
            raise TypeError("data: got a Tensor; assign its array: t.data = other.data")
        value = _fitted("data", new, node)
        if isinstance(old, np.ndarray) and isinstance(value, np.ndarray) and np.may_share_memory(old, value):
            writes.note(value)
        self._value = scalar(value)

    @property
    def grad(self) -> Any:
        """The gradient that ``backward`` accumulated here, an array of the same shape and dtype, or None."""
        if not is_variable(self._node):
            raise GraphError(
                "grad: only variables keep a gradient; this Tensor is the result of "
                f"{made_by(self._node)}. For its gradient use vjp or grad with respect to it. If it was a variable "
                "updated by 'w -= lr * w.grad', write 'w.data -= lr * w.grad': the first makes a new Tensor"
            )
        return self._node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._node
        if not is_variable(node):
            raise GraphError("grad: only a variable has a gradient to set")
        if type(value) is np.ndarray and value is node.grad:  # clipped in place, say
            writes.note(value)
            return
        node.grad = value if value is None else _fitted("grad", value, node)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self._value.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self._value.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self._value.size  # type: ignore[no-any-return]

    @property
    def T(self) -> Tensor:  # noqa: N802
        """The transpose: the axes in reverse order."""
        return _numpy.transpose(self)  # type: ignore[no-any-return]

    @property
    def real(self) -> Tensor:
        """The real part."""
        return _numpy.real(self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        """The imaginary part."""
        return _numpy.imag(self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The transpose of each matrix of a stack: the last two axes swapped."""
        return _numpy.swapaxes(self, -1, -2)  # type: ignore[no-any-return]

    # -- gradients -------------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add to ``.grad`` of every variable the derivative of this Tensor: grad += gradient^T (d self / d leaf).

        ``gradient`` has this Tensor's shape and may be left out for a single element.  The graph is freed unless
        ``retain_graph``; ``create_graph`` makes the gradients Tensors that can be differentiated again.  These know
        how they were made, and so hold the variable that holds them: set ``.grad`` to None when they are used up, or
        the garbage collector has to find them.  If a rule fails, or Ctrl-C interrupts one, no gradient has changed.
        """
        node = self._node
        if not node.active:
            raise GraphError(
                f"backward: no variable leads to this Tensor (it is {made_by(node)}); was it made under no_grad() "
                "or from plain arrays only?"
                if node.primitive is None
                else f"backward: no gradient flows through this Tensor (it is {node.primitive.name}): what leads to it "
                "has a derivative of zero everywhere, as comparisons, rounding and stop_gradient have"
            )
        results = backward({node: seed_of(self, gradient)}, retain=retain_graph or create_graph, create=create_graph)
        for leaf, value in results.items():
            leaf.grad = value if leaf.grad is None else leaf.grad + value

    # -- sequences -------------------------------------------------------------------------------------------

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d Tensor; use .item() for its number")
        return _unstacked(self)

    def flatten(self) -> Tensor:
        """The elements in one axis."""
        return _numpy.ravel(self)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: ``t.reshape(2, 3)`` or ``t.reshape((2, 3))``."""
        return _numpy.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order: ``t.transpose(1, 0)`` or ``t.transpose((1, 0))``; reversed by default."""
        order = None if not axes else axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return _numpy.transpose(self, order)  # type: ignore[no-any-return]

    def __reduce__(self) -> Any:
        if not is_variable(self._node):
            raise TypeError("copy: only variables can be copied or pickled; a result holds its graph: use t.data")
        return (_variable, (np.positive(self._value) if is_foreign(self._value) else np.array(self._value),))

    # -- NumPy's protocols -----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        entry = registry.get(ufunc) or supplied(ufunc)
        if method == "__call__" and not kwargs:
            if entry is not None:
                return entry.call(*inputs)
            raise unsupported(ufunc)
        return unusual(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        entry = registry.get(function)
        if entry is None:
            if function in ANSWERED:
                return _answer(function, args, kwargs)
            raise unsupported(function)
        return entry.call(*args, **kwargs)

    def __dir__(self) -> list[str]:
        known = type(self).__dict__
        return [name for name in super().__dir__() if type(known.get(name)) is not Absent]


def scalar(value: Any) -> Any:
    """A 0-d array as a NumPy scalar: the same number, ten times faster to compute with."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _variable(value: Any) -> Tensor:
    return Tensor(value)


def _fitted(what: str, new: Any, node: Node) -> Any:
    """New values, or a new gradient, of a variable in its dtype; refused if they have another shape or kind."""
    value = to_hold(new)
    if value.shape != node.shape:
        raise ValueError(f"{what}: the variable has shape {node.shape}, the new values {value.shape}")
    if value.dtype != node.dtype:
        if not np.can_cast(value.dtype, node.dtype, "same_kind"):
            raise TypeError(f"{what}: the variable holds {node.dtype}, the new values are {value.dtype}")
        value = cast(value, node.dtype)
    return value.view(np.ndarray) if isinstance(value, np.memmap) else value


def value_of(value: Any) -> Any:
    """The array that a Tensor holds; anything else as it is."""
    return value._value if type(value) is Tensor else value


def wrap(value: Any, node: Node) -> Tensor:
    """A Tensor of this value and this history."""
    tensor: Tensor = _new(Tensor)
    tensor._value = value
    tensor._node = node
    return tensor


def _answer(function: Any, args: Any, kwargs: Any) -> Any:
    if function is np.copyto:
        raise TypeError("copyto: writing a Tensor into an array would lose its gradient; use np.where instead")
    if function is np.size and type(args[0]) is Tensor:  # Dask does not answer it, and the shape does
        args = (np.broadcast_to(False, args[0].shape), *args[1:])
    return function(*[_stripped(a) for a in args], **{k: _stripped(v) for k, v in kwargs.items()})


def _stripped(value: Any) -> Any:
    if type(value) is Tensor:
        return value._value
    return unwrapped(value, []) if type(value) in (list, tuple) else value


def unwrapped(values: Any, found: list[tuple[int | None, Node]]) -> Any:
    """A list or tuple with arrays in the place of its Tensors, whose nodes are appended to ``found``."""
    plain_values = []
    for element, value in enumerate(values):
        if type(value) is Tensor:
            found.append((element, value._node))
            value = value._value
        elif type(value) is list or type(value) is tuple:
            inner: list[tuple[int | None, Node]] = []
            value = unwrapped(value, inner)
            found.extend((-1, node) for _, node in inner)
        plain_values.append(value)
    return type(values)(plain_values) if type(values) in (list, tuple) else values


# -- operations with several outputs -----------------------------------------------------------------------------


def same_tuple(like: Any, items: list[Any]) -> Any:
    """The items as a tuple of the same kind: a named one stays named."""
    return type(like)(*items) if hasattr(like, "_fields") else tuple(items)


ITEM = Primitive(
    lambda whole, position: whole[position],
    lambda whole, position: whole[position],
    {"whole": None},
    name="item",
    parameters=("whole", "position"),
)
"""One output of an operation that has several.  Its adjoint makes the one cotangent part of all."""
_NOT_AN_ARRAY = ITEM.output + 1
_ITEM_RULES = (Rule("item", lambda g, i, shape, dtype: Parts({i: g}, shape, dtype), 0, (_NOT_AN_ARRAY,) * 3),)


def outputs_of(values: Any, whole: Node) -> Any:
    """A Tensor for each output of one operation."""
    return same_tuple(values, [_output(value, whole, i) for i, value in enumerate(values)])


def _output(value: Any, whole: Node, i: int) -> Tensor:
    """Output number ``i`` of an operation that has several."""
    saved = (i, whole.shape, whole.dtype)
    node = Node.make(
        ITEM, value.shape, value.dtype, parents=(whole,), rules=_ITEM_RULES, saved=(saved,),
        active=value.dtype.kind in "fc",
    )  # fmt: skip
    return wrap(value, node)


UNSTACK = Primitive(tuple, tuple, {"x": lambda g: np.stack(list(g))}, name="unstack", parameters=("x",))
"""What an iteration is recorded as: one operation with an output for each element, so that backward is linear."""
_UNSTACK_RULE: Any = UNSTACK.rules[0]


def _unstacked(t: Tensor) -> Iterator[Tensor]:
    """The elements along the first axis, one at a time."""
    value, whole = t._value, None  # not born before somebody asks for an element
    for i in range(value.shape[0]):
        if _mode() is not None or not t._node.active or type(value) is not np.ndarray:
            yield t[i]
            continue
        if whole is None:
            shapes, dtypes = Several((value.shape[1:],) * len(value)), Several((value.dtype,) * len(value))
            whole = Node.make(UNSTACK, shapes, dtypes, parents=(t._node,), rules=(_UNSTACK_RULE,), saved=(None,))
        yield _output(value[i], whole, i)


# -- the backward pass -------------------------------------------------------------------------------------------


def seed_of(output: Tensor, gradient: Any) -> Any:
    """The cotangent to start from, checked."""
    value = output._value
    if gradient is None:
        if value.size != 1:
            raise GraphError(
                f"backward: this Tensor has shape {value.shape}, and only a single number has a gradient; "
                "reduce it first (np.sum(t), np.mean(t)), or say which combination: t.backward(gradient=array)"
            )
        if value.dtype.kind == "c":
            raise GraphError(
                "backward: this Tensor is complex, and only a real number has a gradient; "
                "take np.real(t), np.imag(t) or np.abs(t) of it, or pass gradient="
            )
        return value.dtype.type(1) if isinstance(every(value), np.generic) else np.ones_like(value)[()]
    given = gradient._value if isinstance(gradient, Tensor) else gradient
    given = given if hasattr(given, "__array_function__") else np.asarray(given)
    if given.shape != value.shape:
        raise ValueError(f"backward: the gradient has shape {given.shape}, the Tensor {value.shape}")
    if given.dtype != value.dtype:
        if given.dtype.kind not in "biufc" or (given.dtype.kind == "c" and value.dtype.kind != "c"):
            raise TypeError(f"backward: the gradient is {given.dtype}, the Tensor {value.dtype}")
        if isinstance(gradient, Tensor):
            return gradient.astype(value.dtype)
        given = cast(given, value.dtype)
    return gradient if isinstance(gradient, Tensor) else scalar(given)


def _lift(value: Any, node: Node) -> Any:
    return outputs_of(value, node) if isinstance(value, tuple) else wrap(value, node)


def _left(value: Any, node: Node) -> Any:
    return value


def backward(
    seeds: dict[Node, Any],
    targets: Any = None,
    *,
    retain: bool = False,
    create: bool = False,
    along: bool = False,
    walk: Walk | None = None,
    visit: graph.Visit | None = None,
    inner: bool = False,
) -> Any:
    """Gradients by node: arrays that belong to nobody else, or Tensors with a history if ``create``.

    ``along`` says that this need be a history of the seeds alone, and of no variable: it is shorter.  ``walk`` is one
    over the same seeds and targets that was made before; ``visit`` that of :func:`.graph.sweep`.  A pass that is
    ``inner`` is a part of another one: its seeds and results are that one's cotangents, as they are.
    """
    if walk is None or seeds.keys() != set(walk.roots):
        walk = Walk(seeds, targets)
    around = mode.current()
    if around is not None:
        visit = visit or around.visiting()
    with rarely() if len(walk.order) > LARGE else _AS_USUAL:
        if around is None and not create:  # what training does
            results = _computed(seeds, walk, visit, inner)
        else:
            proceed = (
                functools.partial(_recorded, seeds, walk, visit, along, inner)
                if create
                else functools.partial(_computed, seeds, walk, visit, inner)
            )
            results = proceed() if around is None else around.backward(proceed, seeds, targets)
        if not (retain or create):
            graph.free(walk.order)
    return results


def _recorded(seeds: dict[Node, Any], walk: Walk, visit: Any, along: bool, inner: bool) -> Any:
    """A backward pass whose every operation is recorded."""
    given = {n: s if type(s) is Tensor or inner else wrap(structural(s), CONSTANT) for n, s in seeds.items()}
    results = graph.backward(given, walk, lift=_left if along else _lift, visit=visit or _linear, inner=inner)
    for node, result in results.items():
        if type(result) is not Tensor:  # a rule that returned an array of constants
            result = results[node] = wrap(result, CONSTANT)
        if not inner:
            result._value = plain(result._value)
            if isinstance(result._value, Examples):
                result._value.settle()
    return results


def _linear(edge: Edge, g: Any) -> Any:
    """What a rule gives, which is zero if it does not depend on the cotangent: it is linear in it."""
    pulled = edge.pull(g)
    if type(g) is Tensor and g._node.active and not (type(pulled) is Tensor and pulled._node.active):
        values = every(pulled._value if type(pulled) is Tensor else pulled)
        if isinstance(values, np.ndarray | np.generic) and np.any(np.nan_to_num(values)):
            raise GraphError(
                f"{edge.rule.primitive}: its rule for '{edge.argument}' took the numbers out of the cotangent (tolist, "
                "item, a loop over them) and lost how they depend on it; write it with np. functions"
            )
    return pulled


def _computed(seeds: dict[Node, Any], walk: Walk, visit: Any, inner: bool) -> Any:
    """A backward pass on arrays."""
    values = {n: s._value if type(s) is Tensor else s for n, s in seeds.items()}
    results = graph.backward(values, walk, visit=visit, inner=inner)
    if inner:
        return results
    mine = set(map(id, values.values()))
    for node, value in results.items():
        if type(value) is not np.ndarray:
            if not isinstance(value, np.ndarray | Examples):
                if is_foreign(value):
                    if getattr(value, "base", None) is not None or id(value) in mine:
                        value = results[node] = np.positive(value)
                    mine.add(id(value))
                continue
            value = results[node] = plain(value)
        if isinstance(value, np.ndarray):
            # a rule may hand its cotangent on, or a view of it: two variables must not share one array
            if value.base is not None or id(value) in mine:
                value = results[node] = value.copy()
            mine.add(id(value))
            if not value.shape:
                results[node] = value[()]
    return results


# -- without a history -------------------------------------------------------------------------------------------


def detached(value: Any) -> Any:
    """An argument with constants in the place of its Tensors."""
    if type(value) is Tensor:
        return wrap(value._value, CONSTANT)
    return type(value)(detached(v) for v in value) if type(value) in (list, tuple) else value


def unrecorded(primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The constant that an operation gives."""
    values = [_stripped(a) for a in args]
    try:
        y = primitive.forward(*values, **{k: _stripped(v) for k, v in kwargs.items()})
    except WRONG as error:
        complain(primitive, values, error)
    return same_tuple(y, [wrap(v, CONSTANT) for v in y]) if isinstance(y, tuple) else wrap(y, CONSTANT)
