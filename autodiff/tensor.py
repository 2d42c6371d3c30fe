"""Tensor: a variable that speaks NumPy.

A Tensor is a value and the node that says where it came from.  Every operation, whether it arrives as a method, an
operator or an ``np.`` call, goes through the callable that :mod:`autodiff.recording` builds for its entry in the table.
No mathematics stands here.

In-place writing: a Tensor's value never changes under an operation, as a number's does not.  ``t += v`` makes a new
Tensor and binds the name ``t`` to it; ``t[i] = v`` is refused and says what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from . import graph
from .arrays import cast, is_foreign, to_hold
from .conversion import Conversion, made_by
from .dialects import missing, unknown
from .graph import CONSTANT, GraphError, Leaf, Node, Parts, Several, tick
from .primitive import Primitive, Rule, registry, supplied
from .protocol import ANSWERED, WRONG, complain, unsupported
from .strong import StrongZero, plain, strong
from .ufuncs import unusual

_new = object.__new__
_numpy: Any = np  # its type stubs know no Tensor
_state: ContextVar[Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any] | None] = ContextVar(
    "autodiff_mode", default=None
)
_mode = _state.get
"""None: record.  Otherwise a function that takes the place of recording; each thread and task has its own."""


class Tensor(Conversion):
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
        if isinstance(data, np.ma.MaskedArray | np.matrix):
            raise TypeError(
                f"Tensor: a {type(data).__name__} has rules of its own; pass np.asarray(x), and np.where for masks"
            )
        value = to_hold(data, dtype)
        if value.dtype.kind not in "fc":
            raise TypeError(
                f"Tensor: a variable must be floating-point, got {value.dtype}; "
                f"write Tensor(x, dtype=float) or 1.0 instead of 1. Integers that index or count stay plain arrays"
            )
        self._value = _scalar(value)
        self._node = Leaf(value.shape, value.dtype)

    def __init_subclass__(cls) -> None:
        raise TypeError("Tensor: cannot be subclassed; keep a Tensor in an attribute instead")

    # -- what it holds ---------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The values, as an array.  Of a variable it is the array itself; of a result it is read-only."""
        value, node = self._value, self._node
        if type(node) is Leaf:
            if isinstance(value, np.generic):  # from now on an array, so that writing into it is not lost
                value = self._value = np.asarray(value)
        elif node is not CONSTANT:
            value = np.asarray(value) if isinstance(value, np.generic) else value
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        return np.asarray(value) if isinstance(value, np.generic) else value

    @data.setter
    def data(self, new: Any) -> None:
        node, old = self._node, self._value
        if new is old and type(old) is np.ndarray and type(node) is Leaf:  # what an optimizer does, in place
            node.mark_mutated(old)
            return
        if type(node) is not Leaf:
            raise GraphError("data: only a variable can be given new values; this Tensor is the result of an operation")
        if isinstance(new, Tensor):
            raise TypeError("data: got a Tensor; assign its array: t.data = other.data")
        value = _fitted("data", new, node)
        if isinstance(old, np.ndarray) and isinstance(value, np.ndarray) and np.may_share_memory(old, value):
            node.mark_mutated(old)
        self._value = _scalar(value)

    @property
    def grad(self) -> Any:
        """The gradient that ``backward`` accumulated here, an array of the same shape and dtype, or None."""
        if type(self._node) is not Leaf:
            raise GraphError(
                "grad: only variables keep a gradient; this Tensor is the result of "
                f"{made_by(self._node)}. For its gradient use vjp or grad with respect to it. If it was a variable "
                "updated by 'w -= lr * w.grad', write 'w.data -= lr * w.grad': the first makes a new Tensor"
            )
        return self._node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._node
        if type(node) is not Leaf:
            raise GraphError("grad: only a variable has a gradient to set")
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
        results = backward({node: _seed(self, gradient)}, retain=retain_graph or create_graph, create=create_graph)
        for leaf, value in results.items():
            assert type(leaf) is Leaf
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
        if type(self._node) is not Leaf:
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

    if TYPE_CHECKING:  # operators and methods come from the table; this is what a type checker may assume of them

        def _binary(self, other: Any) -> Tensor: ...
        def _unary(self) -> Tensor: ...
        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _binary
        __pow__ = __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = _binary
        __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = _binary
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _binary
        __neg__ = __pos__ = __abs__ = __invert__ = _unary

        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]

    else:

        def __getattr__(self, name: str) -> Any:
            missing(name)


def _scalar(value: Any) -> Any:
    """A 0-d array as a NumPy scalar: the same number, ten times faster to compute with."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _variable(value: Any) -> Tensor:
    return Tensor(value)


def _fitted(what: str, new: Any, node: Leaf) -> Any:
    """New values, or a new gradient, of a variable in its dtype; refused if they have another shape or kind."""
    value = to_hold(new)
    if value.shape != node.shape:
        raise ValueError(f"{what}: the variable has shape {node.shape}, the new values {value.shape}")
    if value.dtype != node.dtype:
        if not np.can_cast(value.dtype, node.dtype, "same_kind"):
            raise TypeError(f"{what}: the variable holds {node.dtype}, the new values are {value.dtype}")
        value = cast(value, node.dtype)
    return value


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
_ITEM_RULE = Rule("item", lambda g, i, shape, dtype: Parts({i: g}, shape, dtype), 0, (_NOT_AN_ARRAY,) * 3)


def outputs_of(values: Any, whole: Node) -> Any:
    """A Tensor for each output of one operation."""
    return same_tuple(values, [_output(value, whole, i) for i, value in enumerate(values)])


def _output(value: Any, whole: Node, i: int) -> Tensor:
    """Output number ``i`` of an operation that has several."""
    node = Node()
    node.primitive = ITEM
    node.edges = ([whole, _ITEM_RULE.function, (i, whole.shape, whole.dtype), _ITEM_RULE],)
    node.active = value.dtype.kind in "fc"
    node.shape, node.dtype, node.age = value.shape, value.dtype, tick()
    return wrap(value, node)


UNSTACK = Primitive(tuple, tuple, {"x": lambda g: np.stack(list(g))}, name="unstack", parameters=("x",))
"""What an iteration is recorded as: one operation with an output for each element, so that backward is linear."""
_UNSTACK_RULE: Any = UNSTACK.rules[0]


def _unstacked(t: Tensor) -> Iterator[Tensor]:
    """The elements along the first axis, one at a time."""
    value, whole = t._value, Node()
    whole.age = 0  # not born before somebody asks for an element
    for i in range(value.shape[0]):
        if _mode() is not None or not t._node.active or type(value) is not np.ndarray:
            yield t[i]
            continue
        if not whole.age:
            whole.primitive, whole.note, whole.active, whole.age = UNSTACK, (), True, tick()
            whole.edges = ([t._node, _UNSTACK_RULE.function, (), _UNSTACK_RULE],)
            whole.shape, whole.dtype = Several((value.shape[1:],) * len(value)), Several((value.dtype,) * len(value))
        yield _output(value[i], whole, i)


# -- the backward pass -------------------------------------------------------------------------------------------


def _seed(output: Tensor, gradient: Any) -> Any:
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
        return value.dtype.type(1) if isinstance(value, np.generic) else np.ones_like(value)[()]
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
    return gradient if isinstance(gradient, Tensor) else _scalar(given)


def _strong_tensor(cotangent: Any) -> Any:
    if type(cotangent) is Tensor:
        return wrap(strong(cotangent._value), cotangent._node)
    return strong(cotangent)


def _value_of(cotangent: Any) -> Any:
    return cotangent._value if type(cotangent) is Tensor else cotangent


def _lift(value: Any, node: Node) -> Any:
    return outputs_of(value, node) if isinstance(value, tuple) else wrap(value, node)


def backward(seeds: dict[Node, Any], targets: Any = None, *, retain: bool = False, create: bool = False) -> Any:
    """Gradients by node: arrays that belong to nobody else, or Tensors with a history if ``create``."""
    mode: Any = _mode()
    while mode is not None:  # also around a mapping
        if getattr(mode, "watches_backward", False):
            return mode.backward(seeds, targets, retain, create)
        mode = getattr(mode, "enclosing", None)
    if create:
        seeds = {n: s if type(s) is Tensor else wrap(s, CONSTANT) for n, s in seeds.items()}
        results = graph.backward(seeds, targets, retain=True, lift=_lift, strengthen=_strong_tensor, value_of=_value_of)
        for node, result in results.items():
            if type(result) is not Tensor:  # a rule that returned an array of constants
                result = results[node] = wrap(result, CONSTANT)
            result._value = plain(result._value)
        return results
    values = {n: s._value if type(s) is Tensor else s for n, s in seeds.items()}
    results = graph.backward(values, targets, retain=retain)
    mine: set[int] = {id(s) for s in values.values()}
    for node, value in results.items():
        if type(value) is StrongZero:
            value = results[node] = plain(value)
        if isinstance(value, np.ndarray):
            # a rule may hand its cotangent on, or a view of it: two variables must not share one array
            if value.base is not None or id(value) in mine:
                value = results[node] = value.copy()
            mine.add(id(value))
            if not value.shape:
                results[node] = _scalar(value)
        elif hasattr(value, "held"):  # many examples in one
            results[node] = plain(value)
        elif is_foreign(value):
            if getattr(value, "base", None) is not None or id(value) in mine:
                value = results[node] = np.positive(value)
            mine.add(id(value))
    return results


# -- modes -------------------------------------------------------------------------------------------------------


def _unrecorded(primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    values = [_stripped(a) for a in args]
    try:
        y = primitive.forward(*values, **{k: _stripped(v) for k, v in kwargs.items()})
    except WRONG as error:
        complain(primitive, values, error)
    return same_tuple(y, [wrap(v, CONSTANT) for v in y]) if isinstance(y, tuple) else wrap(y, CONSTANT)
