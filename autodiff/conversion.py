"""Conversions of a Tensor to plain Python values: the ones that are allowed, and the errors for the others.

Explicit conversions work: ``t.item()``, ``t.tolist()``, ``t.data``, ``bool(t)``, formatting.  Conversions that the user
might not notice raise (``float``, ``np.asarray``, an assignment into an array), because the gradient would be lost.
The message says what to write instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import to_hold
from .coercion import boxed, is_differentiated, is_refusal, multiplies_sparse, refusal
from .graph import CONSTANT, Node, is_variable
from .protocol import foreign


def made_by(node: Node) -> str:
    """What made a node, in words."""
    if node is CONSTANT:
        return "a constant"
    return "a variable" if node.primitive is None else node.primitive.name


def _numbers(values: Any) -> Any:
    """Values that can be converted to Python numbers: a foreign array that cannot is computed and copied here."""
    return values if hasattr(values, "tolist") else np.asarray(values)


def array_of(data: Any, dtype: Any) -> Any:
    """The array for a variable; or an error that says what the data is, and what to pass."""
    try:
        value = to_hold(data, dtype)
        if isinstance(value, np.memmap):  # the same memory, as an array like any other
            value = value.view(np.ndarray)
    except (TypeError, ValueError) as error:
        if is_refusal(error):
            raise TypeError(
                "Tensor: got a list with Tensors in it, which would lose their gradients; write np.stack(list), "
                "whose result is a Tensor already"
            ) from None
        raise type(error)(f"Tensor: {_about(data) or error}") from None
    if value.dtype.kind in "fc":
        return value
    if value.dtype.kind in "biu":
        raise TypeError(
            f"Tensor: a variable must be floating-point, got {value.dtype}; "
            "write Tensor(x, dtype=float) or 1.0 instead of 1. Integers that index or count stay plain arrays"
        )
    raise TypeError(f"Tensor: {_about(data) or f'a variable must be floating-point, got {value.dtype}'}")


def _about(data: Any) -> str | None:
    """What is wrong with data that is not an array of numbers; None if it may be one."""
    if data is None:
        return "got None; does a function lack its 'return'? For an absent parameter keep None itself"
    if isinstance(data, str | bytes):
        return f"got the text {data!r:.40}; write Tensor(float(text)), or Tensor(np.loadtxt(file)) for one with numbers"
    if isinstance(data, dict):
        return (
            "got a dict; make a Tensor of each value, {key: Tensor(value), ...}: "
            "grad and the optimizers take such nestings as they are"
        )
    if isinstance(data, set | frozenset | Iterator):
        return f"got a {type(data).__name__}, which has no order or no length; write Tensor(list(x))"
    if isinstance(data, list | tuple):
        lengths = {len(row) if isinstance(row, list | tuple) else np.shape(row)[0] for row in data if _has_rows(row)}
        if len(lengths) > 1 or (lengths and not all(map(_has_rows, data))):
            parts = sorted(lengths) + ["none"] * (not all(map(_has_rows, data)))
            return (
                f"the rows have different lengths ({', '.join(map(str, parts))}), and an array has one; "
                "pad them to one length, or make a Tensor of each: [Tensor(row) for row in rows]"
            )
        return next((about for about in map(_about, data) if about is not None), None)
    odd = foreign(data)
    if odd is not None:
        return f"got {odd}"
    if hasattr(data, "__array__") or isinstance(data, bool | int | float | complex):
        return None
    way = "call it first" if callable(data) else "pass an array, a number, or a nested list of numbers"
    return f"got an instance of {type(data).__name__}, which is no array of numbers; {way}"


def _has_rows(row: Any) -> bool:
    return isinstance(row, list | tuple) or bool(np.ndim(row) if hasattr(row, "__array__") else 0)


class Conversion:
    """The methods of Tensor that convert it to numbers, text and lists, or raise an error that says why not."""

    __slots__ = ()

    _node: Node
    _value: Any
    data: Any

    # -- values that leave the graph -------------------------------------------------------------------------

    def _decide(self) -> Any:
        """The value for Python's control flow; there is no other way to it."""
        return self._value

    def item(self) -> Any:
        """The single element as a Python number.  It carries no gradient."""
        if self._value.size != 1:
            raise ValueError(
                f"item: a Tensor of shape {self._value.shape} is no single number; reduce it, or use t.tolist()"
            )
        return _numbers(self._decide()).item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers.  They carry no gradient."""
        return _numbers(self._decide()).tolist()

    def nonzero(self) -> Any:
        """The positions of the elements that are not zero, one array an axis."""
        return np.nonzero(self._decide())

    def __bool__(self) -> bool:
        if self._value.size != 1:
            raise ValueError(
                f"bool: the truth of a Tensor of shape {self._value.shape} is ambiguous; use np.all(t).item(), "
                "np.any(t).item(), or np.where(t, a, b) to choose element by element"
            )
        return bool(self._decide())

    if not TYPE_CHECKING:  # a type checker refuses float(t) and math.exp(t), as they do

        def __float__(self) -> float:
            raise refusal(self._value.shape, "float")

        def __int__(self) -> int:
            raise refusal(self._value.shape, "int")

        def __complex__(self) -> complex:
            raise refusal(self._value.shape, "complex")

        def __index__(self) -> int:
            value = self._value
            # a position, such as argmax gives, has no gradient to lose
            if value.dtype.kind in "iu" and value.size == 1:
                return int(self.item())
            raise refusal(self._value.shape, "index")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self._value.dtype.kind in "iub":  # positions, counts and truth values have no gradient to lose
            return np.array(self._decide(), dtype=dtype, copy=copy)
        if multiplies_sparse():
            return boxed(self)
        raise refusal(self._value.shape, "np.asarray")

    def _exported(self) -> Any:
        """The array that another library may read: for a variable its own array, as ``t.data`` is."""
        value, node = self._value, self._node
        if value.dtype.kind not in "iub" and node.active and (not is_variable(node) or is_differentiated(node)):
            raise refusal(self._value.shape, "__dlpack__")
        value = np.asarray(self._decide()) if value.dtype.kind in "iub" else self.data
        if not hasattr(value, "__dlpack__"):
            raise BufferError(f"dlpack: the values are a {type(value).__name__}, which is no array in memory")
        return value

    def __dlpack__(self, **wishes: Any) -> Any:
        """A variable's values for another library, without a copy or a gradient; the result of an operation raises.

        >>> from autodiff import Tensor
        >>> np.from_dlpack(Tensor([1.0, 2.0]))
        array([1., 2.])
        """
        return self._exported().__dlpack__(**wishes)

    def __dlpack_device__(self) -> Any:
        """Where the values are: (1, 0) is the memory of this machine's processor."""
        return self._exported().__dlpack_device__()

    # -- as a container --------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if not self._value.shape:
            raise TypeError("len: a 0-d Tensor has no length")
        return int(self._value.shape[0])

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self._decide() == getattr(value, "_value", value)))

    if not TYPE_CHECKING:  # a type checker refuses what always raises

        def __setitem__(self, index: Any, value: Any) -> None:
            raise TypeError(
                f"setitem: a Tensor (shape {self._value.shape}) cannot be written into: results already computed from "
                "it would keep the old values and get the wrong gradient.\n"
                "  instead of                     write\n"
                "  x[i] = v                       x = x.at[i].set(v)\n"
                "  x[i] += v                      x = x.at[i].add(v)\n"
                "  x[mask] = v                    x = np.where(mask, v, x)\n"
                "  out[i] = f(i) in a loop        out = np.stack([f(i) for i in ...])\n"
                "  w[...] = new (a variable)      w.data = new"
            )

        def __delitem__(self, index: Any) -> None:
            raise TypeError(
                f"delitem: elements of a Tensor (shape {self._value.shape}) cannot be taken away; "
                "write t = np.delete(t, index)"
            )

    # -- as text ---------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        value = self._value
        if isinstance(value, np.ndarray | np.generic):
            text = np.array2string(np.asarray(value), separator=", ", threshold=20, edgeitems=2, prefix="Tensor(")
        else:
            text = repr(value)
        made = "" if is_variable(self._node) else f", {made_by(self._node)}"
        return f"Tensor({text}, {value.dtype}{made})"

    def __format__(self, spec: str) -> str:
        if spec and self._value.size != 1:
            raise TypeError(
                f"format: '{spec}' is for one number, this Tensor has shape {self._value.shape}; format t.data"
            )
        return format(self.item(), spec) if spec else repr(self)
