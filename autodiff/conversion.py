"""How the value of a Tensor reaches plain Python, and what refuses to let it go in silence.

Whoever asks for the value in so many words gets it: ``t.item()``, ``t.tolist()``, ``t.data``, ``bool(t)``, a format.
Whatever would ask without the user noticing (``float``, ``np.asarray``, an assignment into an array) is told what to
write instead, since the gradient would be lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .coercion import replacement
from .graph import CONSTANT, Leaf, Node


def made_by(node: Node) -> str:
    """What a node is the result of, in words."""
    if node is CONSTANT:
        return "a constant"
    return "a variable" if node.primitive is None else node.primitive.name


def _numbers(values: Any) -> Any:
    """Values that can be made Python numbers: a foreign array that cannot by itself is computed, and copied here."""
    return values if hasattr(values, "tolist") else np.asarray(values)


class Conversion:
    """The part of Tensor that turns it into numbers, text and lists, or says why not."""

    __slots__ = ()

    _node: Node
    _value: Any

    # -- values that leave the graph -------------------------------------------------------------------------

    def _decide(self) -> Any:
        """The one way in which a value reaches Python's control flow."""
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

    def _leaves_the_graph(self, what: str) -> TypeError:
        return TypeError(
            f"{what} would cut this Tensor (shape {self._value.shape}) out of the graph and lose its gradient. "
            "Inside a differentiated function use the np. function: np.exp(t) instead of math.exp(t), "
            "np.stack([t, u]) instead of np.array([t, u]), np.concatenate instead of np.r_[t, u], "
            "np.where instead of a[i] = t. "
            "For a plain value say so: t.item() for a number, t.data for the array"
        )

    def __float__(self) -> float:
        raise self._leaves_the_graph("float(t)")

    def __int__(self) -> int:
        raise self._leaves_the_graph("int(t)")

    def __complex__(self) -> complex:
        raise self._leaves_the_graph("complex(t)")

    def __index__(self) -> int:
        value = self._value
        if value.dtype.kind in "iu" and value.size == 1:  # a position, such as argmax gives: it has no gradient to lose
            return int(self.item())
        raise self._leaves_the_graph("using it as an integer")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self._value.dtype.kind in "iub":  # positions, counts and truth values have no gradient to lose
            return np.array(self._decide(), dtype=dtype, copy=copy)
        instead = replacement()
        if instead is not None:
            raise TypeError(instead)
        raise self._leaves_the_graph("NumPy asked for a plain array (np.asarray(t), a[i] = t, np.array([t, u])), which")

    # -- as a container --------------------------------------------------------------------------------------

    def __len__(self) -> int:
        if not self._value.shape:
            raise TypeError("len: a 0-d Tensor has no length")
        return int(self._value.shape[0])

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self._decide() == getattr(value, "_value", value)))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"setitem: a Tensor (shape {self._value.shape}) cannot be written into: results already computed from it "
            "would keep the old values and get the wrong gradient.\n"
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
        made = "" if type(self._node) is Leaf else f", {made_by(self._node)}"
        return f"Tensor({text}, {value.dtype}{made})"

    def __format__(self, spec: str) -> str:
        if spec and self._value.size != 1:
            raise TypeError(
                f"format: '{spec}' is for one number, this Tensor has shape {self._value.shape}; format t.data"
            )
        return format(self.item(), spec) if spec else repr(self)
