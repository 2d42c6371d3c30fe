"""Tensor: a variable that NumPy's functions accept.

A Tensor is a value with the node that made it.  Every operation, as a method, an operator or an ``np.`` call, runs the
callable that :mod:`autodiff.recording` makes for its entry in the table.  There is no mathematics in this file.

Writing in place: no operation changes the value of a Tensor, as none changes a number.  ``t += v`` makes a new Tensor
and binds the name ``t`` to it.  ``t[i] = v`` is refused, and the message says what to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import writes
from .arrays import cast, is_foreign, to_hold
from .conversion import Conversion, array_of, made_by
from .dialects import Absent, unknown
from .examples import Examples, is_one
from .graph import CONSTANT, GraphError, Node, is_variable, variable_node
from .primitive import registry, supplied
from .protocol import ANSWERED, has_own_rules, unsupported
from .ufuncs import unusual
from .writes import sampled

if TYPE_CHECKING:  # the operators and methods that the table adds, as 'python -m docs' writes them down
    from .methods import Methods
else:
    Methods = object

_new = object.__new__
_numpy: Any = np  # its type stubs know no Tensor

_above: dict[str, Callable[..., Any]] = {}


def provide(**functions: Callable[..., Any]) -> None:
    """Say what does, for a Tensor's methods, what only modules above this one can do: they make Tensors."""
    _above.update(functions)


class Tensor(Conversion, Methods):
    """An array with the graph that made it, so that gradients can flow back to its variables.

    ``Tensor(x)`` is a variable that holds ``x``, which is shared and not copied.  A constant is a plain array.  Raises
    TypeError for anything but floating-point data: integers have no derivative.

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

    def backward(
        self,
        gradient: Any = None,
        *,
        retain_graph: bool = False,
        create_graph: bool = False,
        ready: Mapping[Tensor, Callable[[Any], object]] | None = None,
    ) -> None:
        """Add the derivative of this Tensor to ``.grad`` of every variable: grad += gradient^T (d self / d variable).

        ``gradient`` is the seed.  It has the shape of this Tensor, and may be left out for a single element.  The graph
        is freed unless ``retain_graph``.  ``create_graph`` makes gradients that are Tensors and can be differentiated
        again.  Such a gradient refers to its graph, and so to the variable that holds it: set ``.grad`` to None after
        use, or only the garbage collector frees them.  If a rule fails, or Ctrl-C interrupts one, no gradient has
        changed.

        ``ready`` has functions for some variables, ``{w: function}``: each is called with what will be added to
        ``w.grad``, as soon as it is known, while the pass goes on with other variables.  The array is lent: copy it,
        and write nothing into it.  A pass that is repeated, for zeros that NaN went over, calls them again.
        """
        _above["accumulate"](self, gradient, retain_graph, create_graph, ready)

    # -- sequences -------------------------------------------------------------------------------------------

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d Tensor; use .item() for its number")
        return _above["unstacked"](self)  # type: ignore[no-any-return]

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
    """A 0-d array as a NumPy scalar: the same number, and ten times as fast to compute with."""
    held = value.held if is_one(value) else value
    return value[()] if isinstance(held, np.ndarray) and held.ndim == 0 else value


def _variable(value: Any) -> Tensor:
    return Tensor(value)


def _fitted(what: str, new: Any, node: Node) -> Any:
    """New values, or a new gradient, of a variable, cast to its dtype; refused if the shape or the kind differs."""
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
    """A Tensor with this value and this node."""
    tensor: Tensor = _new(Tensor)
    tensor._value = value
    tensor._node = node
    return tensor


def _answer(function: Any, args: Any, kwargs: Any) -> Any:
    if function is np.copyto:
        raise TypeError("copyto: writing a Tensor into an array would lose its gradient; use np.where instead")
    if function is np.size and type(args[0]) is Tensor:  # Dask does not answer it, and the shape does
        args = (np.broadcast_to(False, args[0].shape), *args[1:])
    return function(*[stripped(a) for a in args], **{k: stripped(v) for k, v in kwargs.items()})


def stripped(value: Any) -> Any:
    """An argument with arrays in the place of its Tensors."""
    if type(value) is Tensor:
        return value._value
    return unwrapped(value, []) if type(value) in (list, tuple) else value


def unwrapped(values: Any, found: list[tuple[int | None, Node]]) -> Any:
    """A list or tuple with arrays instead of its Tensors, whose nodes are appended to ``found``."""
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
