"""Tensor: a variable that speaks NumPy.

A Tensor is a value and the node that says where it came from.  Every operation, whether it arrives as a method, an
operator or an ``np.`` call, goes through the callable that :func:`_install` builds for its entry in the table.
No mathematics stands here.

In-place writing: a Tensor's value never changes under an operation, as a number's does not.  ``t += v`` makes a new
Tensor and binds the name ``t`` to it; ``t[i] = v`` is refused and says what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

import numpy as np

from . import graph
from .graph import CONSTANT, GraphError, Leaf, Node, Parts, tick
from .primitive import Composite, Primitive, Rule, listen, registry
from .strong import StrongZero, plain, strong

_new = object.__new__
_state: ContextVar[Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any] | None] = ContextVar(
    "autodiff_mode", default=None
)
_mode = _state.get
"""None: record.  Otherwise a function that takes the place of recording; each thread and task has its own."""


class Tensor:
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

    def __init__(self, data: Any, *, dtype: Any = None) -> None:
        if isinstance(data, Tensor):
            raise TypeError(
                "Tensor: the data is a Tensor already; use it as it is, or Tensor(t.data) for a new, separate variable"
            )
        if isinstance(data, np.ma.MaskedArray | np.matrix):
            raise TypeError(
                f"Tensor: a {type(data).__name__} computes by rules of its own; pass np.asarray(x), and np.where for masks"
            )
        value = data if hasattr(data, "__array_function__") else np.asarray(data, dtype=dtype)
        if dtype is not None and value.dtype != dtype:
            value = value.astype(dtype)
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
        if type(node) is not Leaf:
            raise GraphError("data: only a variable can be given new values; this Tensor is the result of an operation")
        if isinstance(new, Tensor):
            raise TypeError("data: got a Tensor; assign its array: t.data = other.data")
        value = new if hasattr(new, "__array_function__") else np.asarray(new)
        if value.shape != node.shape:
            raise ValueError(f"data: the variable has shape {node.shape}, the new values {value.shape}")
        if value.dtype != node.dtype:
            if not np.can_cast(value.dtype, node.dtype, "same_kind"):
                raise TypeError(f"data: the variable holds {node.dtype}, the new values are {value.dtype}")
            value = value.astype(node.dtype)
        if isinstance(old, np.ndarray) and isinstance(value, np.ndarray) and np.may_share_memory(old, value):
            node.mark_mutated(old)
        self._value = _scalar(value)

    @property
    def grad(self) -> Any:
        """The gradient that ``backward`` accumulated here, an array of the same shape and dtype, or None."""
        if type(self._node) is not Leaf:
            raise GraphError(
                "grad: only variables keep a gradient; this Tensor is the result of "
                f"{_made_by(self._node)}. For its gradient use vjp or grad with respect to it. If it was a variable "
                "updated by 'w -= lr * w.grad', write 'w.data -= lr * w.grad': the first makes a new Tensor"
            )
        return self._node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if type(self._node) is not Leaf:
            raise GraphError("grad: only a variable has a gradient to set")
        self._node.grad = value

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
        return np.transpose(self)  # type: ignore[call-overload,no-any-return]

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The transpose of each matrix of a stack: the last two axes swapped."""
        return np.swapaxes(self, -1, -2)  # type: ignore[call-overload,no-any-return]

    # -- gradients -------------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add to ``.grad`` of every variable the derivative of this Tensor: grad += gradient^T (d self / d leaf).

        ``gradient`` has this Tensor's shape and may be left out for a single element.  The graph is freed unless
        ``retain_graph``; ``create_graph`` makes the gradients Tensors that can be differentiated again.
        """
        node = self._node
        if not node.active:
            raise GraphError(
                f"backward: no variable leads to this Tensor (it is {_made_by(node)}); was it made under no_grad() "
                "or from plain arrays only?"
            )
        results = backward({node: _seed(self, gradient)}, retain=retain_graph or create_graph, create=create_graph)
        for leaf, value in results.items():
            assert type(leaf) is Leaf
            leaf.grad = value if leaf.grad is None else leaf.grad + value

    # -- values that leave the graph -------------------------------------------------------------------------

    def _decide(self) -> Any:
        """The one way in which a value reaches Python's control flow."""
        return self._value

    def item(self) -> Any:
        """The single element as a Python number.  It carries no gradient."""
        return self._decide().item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers.  They carry no gradient."""
        return self._decide().tolist()

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"bool: the truth of a Tensor of shape {self.shape} is ambiguous; use np.all(t).item(), "
                "np.any(t).item(), or np.where(t, a, b) to choose element by element"
            )
        return bool(self._decide())

    def _leaves_the_graph(self, what: str) -> TypeError:
        return TypeError(
            f"{what} would cut this Tensor (shape {self.shape}) out of the graph and lose its gradient. "
            "Inside a differentiated function use the np. function: np.exp(t) instead of math.exp(t), "
            "np.stack([t, u]) instead of np.array([t, u]), np.where instead of a[i] = t. "
            "For a plain value say so: t.item() for a number, t.data for the array"
        )

    def __float__(self) -> float:
        raise self._leaves_the_graph("float(t)")

    def __int__(self) -> int:
        raise self._leaves_the_graph("int(t)")

    def __complex__(self) -> complex:
        raise self._leaves_the_graph("complex(t)")

    def __index__(self) -> int:
        raise self._leaves_the_graph("using it as an integer")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise self._leaves_the_graph("NumPy asked for a plain array (np.asarray(t), a[i] = t, np.array([t, u])), which")

    # -- sequences -------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-d Tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d Tensor; use .item() for its number")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self._decide() == (value._value if isinstance(value, Tensor) else value)).any())

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"setitem: a Tensor (shape {self.shape}) cannot be written into: results already computed from it would "
            "keep the old values and get the wrong gradient.\n"
            "  instead of                     write\n"
            "  x[mask] = v                    x = np.where(mask, v, x)\n"
            "  out[i] = f(i) in a loop        out = np.stack([f(i) for i in ...])\n"
            "  w[...] = new (a variable)      w.data = new"
        )

    def flatten(self) -> Tensor:
        """The elements in one axis."""
        return np.ravel(self)  # type: ignore[call-overload,no-any-return]

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape: ``t.reshape(2, 3)`` or ``t.reshape((2, 3))``."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[call-overload,no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order: ``t.transpose(1, 0)`` or ``t.transpose((1, 0))``; reversed by default."""
        order = None if not axes else axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, order)  # type: ignore[call-overload,no-any-return]

    def __repr__(self) -> str:
        value = self._value
        text = np.array2string(np.asarray(value), separator=", ", threshold=20, edgeitems=2, prefix="Tensor(")
        made = "" if type(self._node) is Leaf else f", {_made_by(self._node)}"
        return f"Tensor({text}, {value.dtype}{made})"

    def __reduce__(self) -> Any:
        if type(self._node) is not Leaf:
            raise TypeError("copy: only variables can be copied or pickled; a result holds its graph: use t.data")
        return (_variable, (np.array(self._value),))

    # -- NumPy's protocols -----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        entry = registry.get(ufunc)
        if method == "__call__" and not kwargs:
            if entry is not None:
                return entry.call(*inputs)
            raise _unsupported(ufunc)
        return _unusual(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        entry = registry.get(function)
        if entry is None:
            if function in _ANSWERED:
                return _answer(function, args, kwargs)
            raise _unsupported(function)
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


def _scalar(value: Any) -> Any:
    """A 0-d array as a NumPy scalar: the same number, ten times faster to compute with."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _variable(value: Any) -> Tensor:
    return Tensor(value)


def _made_by(node: Node) -> str:
    if node is CONSTANT:
        return "a constant"
    return "a variable" if node.primitive is None else node.primitive.name


def wrap(value: Any, node: Node) -> Tensor:
    """A Tensor of this value and this history."""
    tensor: Tensor = _new(Tensor)
    tensor._value = value
    tensor._node = node
    return tensor


# -- recording ---------------------------------------------------------------------------------------------------


def _flat_node(primitive: Primitive, value: Any, inputs: list[Node]) -> Node:
    """The node of a result through which no gradient flows: recorded for pictures alone."""
    if not any(node is not CONSTANT for node in inputs):
        return CONSTANT
    node: Node = Node()
    node.primitive, node.edges, node.active = primitive, (), False
    node.note = tuple(n for n in inputs if n is not CONSTANT)
    node.shape, node.dtype, node.age = value.shape, value.dtype, tick()
    return node


def _explained(primitive: Primitive, values: Any, error: Exception) -> Exception:
    """NumPy's complaint with the operation, the shapes and the way out."""
    if str(error).startswith(primitive.name + ":") and "gufunc" not in str(error):
        return error  # ours, and good as it is
    described = ", ".join(f"{p} {_describe(v)}" for p, v in zip(primitive.parameters, values, strict=False))
    way_out = ""
    if primitive.elementwise and isinstance(error, ValueError):
        way_out = "; shapes must agree from the right or be 1: reshape one, or add an axis with t[..., None]"
    kind = next(k for k in (np.linalg.LinAlgError, TypeError, ValueError, IndexError) if isinstance(error, k))
    return kind(f"{primitive.name}: {error} (called with {described}){way_out}")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, list | tuple) and any(isinstance(v, np.ndarray | np.generic) for v in value):
        return "[" + ", ".join(map(_describe, value)) + "]"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


_WRONG = (TypeError, ValueError, IndexError)


def _unary(primitive: Primitive, rule: Rule) -> Callable[[Any], Any]:
    """The callable of an elementwise function of one argument."""
    forward, function, pick = primitive.forward, rule.function, rule.pick

    def call(x: Any) -> Any:
        if type(x) is not Tensor:
            return forward(x)
        mode = _mode()
        if mode is not None:
            return mode(primitive, (x,), {})
        parent = x._node
        value = x._value
        try:
            y = forward(value)
        except _WRONG as error:
            raise _explained(primitive, (value,), error) from error
        result: Tensor = _new(Tensor)
        result._value = y
        if parent.active:
            result._node = node = Node()
            node.primitive = primitive
            node.edges = ([parent, function, pick((value, y)), rule],)
            node.active = True
            node.shape = y.shape
            node.dtype = y.dtype
            node.age = tick()
        else:
            result._node = _flat_node(primitive, y, [parent])
        return result

    return call


def _binary(primitive: Primitive, rule_a: Rule | None, rule_b: Rule | None) -> Callable[[Any, Any], Any]:
    """The callable of an elementwise function of two arguments."""
    if rule_a is None or rule_b is None:
        return _general(primitive)
    forward = primitive.forward
    function_a, pick_a = rule_a.function, rule_a.pick if rule_a.wants else None
    function_b, pick_b = rule_b.function, rule_b.pick if rule_b.wants else None

    def call(a: Any, b: Any) -> Any:
        if type(a) is Tensor:
            value_a, parent_a = a._value, a._node
        else:
            value_a, parent_a = a, CONSTANT
        if type(b) is Tensor:
            value_b, parent_b = b._value, b._node
        else:
            value_b, parent_b = b, CONSTANT
            if type(a) is not Tensor:
                return forward(a, b)
        mode = _mode()
        if mode is not None:
            return mode(primitive, (a, b), {})
        try:
            y = forward(value_a, value_b)
        except _WRONG as error:
            raise _explained(primitive, (value_a, value_b), error) from error
        result: Tensor = _new(Tensor)
        result._value = y
        if parent_a.active:
            environment = (value_a, value_b, y)
            if parent_b.active:
                edges: Any = (
                    [parent_a, function_a, pick_a(environment) if pick_a else (), rule_a],
                    [parent_b, function_b, pick_b(environment) if pick_b else (), rule_b],
                )
            else:
                edges = ([parent_a, function_a, pick_a(environment) if pick_a else (), rule_a],)
        elif parent_b.active:
            edges = ([parent_b, function_b, pick_b((value_a, value_b, y)) if pick_b else (), rule_b],)
        else:
            result._node = _flat_node(primitive, y, [parent_a, parent_b])
            return result
        result._node = node = Node()
        node.primitive = primitive
        node.edges = edges
        node.active = True
        node.shape = y.shape
        node.dtype = y.dtype
        node.age = tick()
        return result

    return call


def _first(primitive: Primitive, rule: Rule) -> Callable[..., Any]:
    """The callable of a function of one array and options, for calls in which nothing else is a Tensor."""
    general = _general(primitive)
    forward, function, pick = primitive.forward, rule.function, rule.pick
    shapes, output = primitive.shapes, primitive.output

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        if type(x) is not Tensor or _mode() is not None or not x._node.active:
            return general(x, *args, **kwargs)
        for option in args:
            kind = type(option)
            if kind is Tensor or kind is list or (kind is tuple and not _IS_PLAIN.issuperset(map(type, option))):
                return general(x, *args, **kwargs)
        for option in kwargs.values():
            if type(option) is Tensor or type(option) is list:
                return general(x, *args, **kwargs)
        values = primitive.bind((x._value, *args), kwargs)
        try:
            y = forward(*values)
        except _WRONG as error:
            raise _explained(primitive, values, error) from error
        if type(y) is tuple:
            return general(x, *args, **kwargs)
        environment = (*values, y, *[(y if k == output else values[k]).shape for k in shapes])
        result: Tensor = _new(Tensor)
        result._value = y
        result._node = node = Node()
        node.primitive = primitive
        node.edges = ([x._node, function, pick(environment), rule],)
        node.active = True
        node.shape = y.shape
        node.dtype = y.dtype
        node.age = tick()
        return result

    return call


_IS_PLAIN = frozenset({int, slice, np.ndarray, type(None), type(Ellipsis), np.int64})
"""What an option may be made of without a closer look for Tensors in it."""


def _general(primitive: Primitive) -> Callable[..., Any]:
    """The callable of any other primitive."""
    rules, sequence, shapes = primitive.rules, primitive.sequence, primitive.shapes
    place = len(primitive.parameters) - 1 - len(primitive.defaults)

    def forward(values: list[Any]) -> Any:
        if primitive.variadic:
            keywords = dict(zip(primitive.parameters[place + 1 :], values[place + 1 :], strict=True))
            return primitive.forward(*values[:place], *values[place], **keywords)
        return primitive.forward(*values)

    def call(*args: Any, **kwargs: Any) -> Any:
        values = primitive.bind(args, kwargs)
        found: list[tuple[int, int | None, Node]] = []
        for i, value in enumerate(values):
            if type(value) is Tensor:
                found.append((i, None, value._node))
                values[i] = value._value
            elif type(value) is tuple or type(value) is list:
                nodes: list[tuple[int | None, Node]] = []
                values[i] = _unwrapped(value, nodes)
                found.extend((i, element, node) for element, node in nodes)
        if not found:
            return forward(values)
        for i, _, parent in found:
            if parent.active and i not in rules:
                raise TypeError(
                    f"{primitive.name}: '{primitive.parameters[i]}' is not an argument to differentiate, and a Tensor "
                    f"that leads to a variable was given there; pass its values: t.data, or stop_gradient(t)"
                )
        mode = _mode()
        if mode is not None:
            return mode(primitive, args, kwargs)
        try:
            y = forward(values)
        except _WRONG as error:
            raise _explained(primitive, values, error) from error
        environment = (*values, y, *[_shape(y if k == primitive.output else values[k], k == sequence) for k in shapes])
        edges = []
        silent = []
        for i, element, parent in found:
            if not parent.active:
                silent.append(parent)
                continue
            rule = rules[i]
            if element is not None and (i != sequence or element < 0):
                raise TypeError(
                    f"{primitive.name}: '{primitive.parameters[i]}' is a list with Tensors in it; "
                    "make it one Tensor with np.stack"
                )
            if rule is None:
                silent.append(parent)
            elif element is None:
                edges.append([parent, rule.function, rule.pick(environment), rule])
            else:
                rule = rule.of(element)
                edges.append([parent, rule.function, rule.pick((*environment, element)), rule])
        several = isinstance(y, tuple)
        if not edges:
            nodes = [node for _, _, node in found]
            return _same_tuple(y, [wrap(v, CONSTANT) for v in y]) if several else wrap(y, _flat_node(primitive, y, nodes))
        node = Node()
        node.primitive = primitive
        node.edges = tuple(edges)
        node.note = tuple(silent)
        node.active = True
        node.shape = tuple(v.shape for v in y) if several else y.shape
        node.dtype = tuple(v.dtype for v in y) if several else y.dtype
        node.age = tick()
        return _outputs(y, node) if several else wrap(y, node)

    return call


def _same_tuple(like: Any, items: list[Any]) -> Any:
    return type(like)(*items) if hasattr(like, "_fields") else tuple(items)


ITEM = Primitive(
    lambda whole, position: whole[position],
    lambda whole, position: whole[position],
    {"whole": None},
    name="item",
    parameters=("whole", "position"),
)
"""One output of an operation that has several.  Its adjoint makes the one cotangent part of all."""
_ITEM_RULE = Rule(
    "item", lambda g, i, shape, dtype: Parts({i: g}, shape, dtype), 0, (ITEM.output + 1, ITEM.output + 1, ITEM.output + 1)
)


def _outputs(values: Any, whole: Node) -> Any:
    """A Tensor for each output of one operation."""
    items = []
    for i, value in enumerate(values):
        node = Node()
        node.primitive = ITEM
        node.edges = ([whole, _ITEM_RULE.function, (i, whole.shape, whole.dtype), _ITEM_RULE],)
        node.active = value.dtype.kind in "fc"
        node.shape, node.dtype, node.age = value.shape, value.dtype, tick()
        items.append(wrap(value, node))
    return _same_tuple(values, items)


def _shape(value: Any, is_sequence: bool) -> Any:
    return [np.shape(v) for v in value] if is_sequence else np.shape(value)


def _unwrapped(values: Any, found: list[tuple[int | None, Node]]) -> Any:
    """A list or tuple with arrays in the place of its Tensors, whose nodes are appended to ``found``."""
    plain_values = []
    for element, value in enumerate(values):
        if type(value) is Tensor:
            found.append((element, value._node))
            value = value._value
        elif type(value) is list or type(value) is tuple:
            inner: list[tuple[int | None, Node]] = []
            value = _unwrapped(value, inner)
            found.extend((-1, node) for _, node in inner)
        plain_values.append(value)
    return type(values)(plain_values) if type(values) in (list, tuple) else values


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
        if given.dtype.kind == "c" and value.dtype.kind != "c":
            raise TypeError(f"backward: the gradient is {given.dtype}, the Tensor {value.dtype}")
        return gradient.astype(value.dtype)
    return gradient if isinstance(gradient, Tensor) else _scalar(given)


def _strong_tensor(cotangent: Any) -> Any:
    if type(cotangent) is Tensor:
        return wrap(strong(cotangent._value), cotangent._node)
    return strong(cotangent)


def _value_of(cotangent: Any) -> Any:
    return cotangent._value if type(cotangent) is Tensor else cotangent


def _lift(value: Any, node: Node) -> Any:
    return _outputs(value, node) if isinstance(value, tuple) else wrap(value, node)


def backward(seeds: dict[Node, Any], targets: Any = None, *, retain: bool = False, create: bool = False) -> Any:
    """Gradients by node: arrays that belong to nobody else, or Tensors with a history if ``create``."""
    if create:
        seeds = {n: s if type(s) is Tensor else wrap(s, CONSTANT) for n, s in seeds.items()}
        results = graph.backward(
            seeds, targets, retain=True, lift=_lift, strengthen=_strong_tensor, value_of=_value_of
        )
        for result in results.values():
            result._value = plain(result._value)
        return results
    values = {n: s._value if type(s) is Tensor else s for n, s in seeds.items()}
    results = graph.backward(values, targets, retain=retain)
    mine: set[int] = {id(s) for s in values.values()}
    for node, value in results.items():
        if isinstance(value, np.ndarray):
            value = plain(value) if isinstance(value, StrongZero) else value
            # a rule may hand its cotangent on, or a view of it: two variables must not share one array
            if isinstance(value, np.ndarray) and (value.base is not None or id(value) in mine):
                value = value.copy()
            mine.add(id(value))
            results[node] = value
    return results


# -- what NumPy asks ---------------------------------------------------------------------------------------------

_ANSWERED = frozenset(
    {
        np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.zeros_like,
        np.ones_like, np.full_like, np.empty_like, np.array_equal, np.array_equiv, np.allclose, np.isclose,
        np.may_share_memory, np.shares_memory, np.array2string, np.array_repr, np.array_str, np.isscalar,
        np.common_type, np.min_scalar_type, np.copyto, np.nonzero, np.count_nonzero, np.argwhere, np.flatnonzero,
    }
)  # fmt: skip
"""Questions about values, shapes and types: answered with plain values, without a node."""


def _answer(function: Any, args: Any, kwargs: Any) -> Any:
    if function is np.copyto:
        raise TypeError("copyto: writing a Tensor into an array would lose its gradient; build the result with np.where")
    return function(*[_stripped(a) for a in args], **{k: _stripped(v) for k, v in kwargs.items()})


def _stripped(value: Any) -> Any:
    if type(value) is Tensor:
        return value._value
    return _unwrapped(value, []) if type(value) in (list, tuple) else value


def _unsupported(function: Any) -> TypeError:
    import difflib  # here, because only a mistake needs it and every program would wait for it

    name = getattr(function, "__name__", str(function))
    known = sorted({entry.name for entry in registry.values()})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"; nearest supported: {', '.join(near)}" if near else ""
    return TypeError(
        f"{name}: no derivative is registered for this function{hint}. "
        "Compose it from supported ones, register a rule (autodiff.elementwise, autodiff.primitive), "
        "or pass t.data if no gradient should flow"
    )


_REDUCTIONS: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def _unusual(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """A ufunc's call with keywords, or one of its other methods."""
    name = ufunc.__name__
    out = kwargs.pop("out", None)
    if out is not None and any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(
            f"{name}: would write a Tensor's values into an existing array and lose its gradient "
            f"(array += tensor does this too); write array = np.{name}(array, tensor), or array = array + tensor"
        )
    if kwargs.get("where") is True:
        del kwargs["where"]
    if method == "__call__" and not kwargs:
        return ufunc(*inputs)
    if method == "reduce" and ufunc in _REDUCTIONS:
        kwargs = {k: v for k, v in kwargs.items() if not (k in ("dtype", "initial") and v is None)}
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        return _REDUCTIONS[ufunc](inputs[0], axis=axis, **kwargs)
    if method == "accumulate" and ufunc is np.add and set(kwargs) <= {"axis"}:
        return np.cumsum(*inputs[:1], axis=kwargs.get("axis", 0))
    if method == "outer" and not kwargs:
        a, b = inputs
        return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b)
    what = f"the keyword '{next(iter(kwargs))}'" if method == "__call__" else f"the method '{method}'"
    raise TypeError(
        f"{name}: {what} is not differentiated and would change the result; call np.{name}(...) without it, "
        "and choose elements with np.where"
    )


# -- deriving everything from the table --------------------------------------------------------------------------

_OPERATORS = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.divide: "truediv", np.power: "pow",
    np.remainder: "mod", np.floor_divide: "floordiv", np.matmul: "matmul",
    np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor",
}  # fmt: skip
_COMPARISONS = {
    np.equal: "eq", np.not_equal: "ne", np.less: "lt", np.less_equal: "le", np.greater: "gt",
    np.greater_equal: "ge", np.negative: "neg", np.positive: "pos", np.absolute: "abs", np.invert: "invert",
}  # fmt: skip


def _install(entry: Primitive | Composite) -> None:
    """Give an entry of the table its callable, its method and its operator."""
    if isinstance(entry, Primitive):
        rules = [entry.rules.get(i) for i in range(len(entry.parameters))]
        if entry.elementwise and len(rules) == 1 and rules[0] is not None:
            entry.call = _unary(entry, rules[0])
        elif entry.core is not None and len(rules) == 2:
            entry.call = _binary(entry, *rules)
        elif list(entry.rules) == [0] and rules[0] is not None and entry.sequence is None and not entry.variadic:
            entry.call = _first(entry, rules[0])
        else:
            entry.call = _general(entry)
        entry.call.__name__ = entry.call.__qualname__ = entry.name
        entry.call.__doc__ = entry.function.__doc__
    call, function = entry.call, entry.function
    if entry.method is not None and entry.method not in Tensor.__dict__:
        setattr(Tensor, entry.method, call)
    if function in _OPERATORS:
        setattr(Tensor, f"__{_OPERATORS[function]}__", call)
        setattr(Tensor, f"__r{_OPERATORS[function]}__", lambda self, other: call(other, self))
    if function in _COMPARISONS:
        setattr(Tensor, f"__{_COMPARISONS[function]}__", call)


listen(_install)


# -- modes -------------------------------------------------------------------------------------------------------


def _unrecorded(primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    values = [_stripped(a) for a in args]
    try:
        y = primitive.forward(*values, **{k: _stripped(v) for k, v in kwargs.items()})
    except _WRONG as error:
        raise _explained(primitive, values, error) from error
    return _same_tuple(y, [wrap(v, CONSTANT) for v in y]) if isinstance(y, tuple) else wrap(y, CONSTANT)


class no_grad(ContextDecorator):  # noqa: N801
    """Compute without recording: results are constants and keep nothing alive.

    A context manager or a decorator; other threads and tasks are not affected.

    >>> x = Tensor(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y
    Tensor(4., float64, a constant)
    """

    def __init__(self) -> None:
        self._tokens: list[Token[Any]] = []

    def __enter__(self) -> None:
        self._tokens.append(_state.set(_unrecorded))

    def __exit__(self, *exception: object) -> None:
        _state.reset(self._tokens.pop())

    def _recreate_cm(self) -> no_grad:  # a decorated function may run in several threads at once
        return no_grad()
