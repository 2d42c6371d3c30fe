"""Cotangents during the backward pass: for several outputs, at an index, and in the shape of their argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import cast, is_foreign, owned
from .node import GraphError, Node
from .rule import Rule
from .structural import zeros


class Parts:
    """The cotangent of an operation with several outputs, as far as it is known: a sequence of one for each.

    An unused output has a cotangent of zeros.  Two such sequences can be added, so the backward pass treats them as
    arrays.
    """

    __slots__ = ("dtype", "known", "shape")

    def __init__(self, known: dict[int, Any], shape: Any, dtype: Any) -> None:
        self.known = known
        self.shape = shape
        self.dtype = dtype

    def __add__(self, other: Parts) -> Parts:
        total = Parts(dict(self.known), self.shape, self.dtype)
        total += other
        return total

    def __iadd__(self, other: Parts) -> Parts:
        known = self.known
        for i, part in other.known.items():
            known[i] = known[i] + part if i in known else part
        return self

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, i: int) -> Any:
        if i in self.known:
            return self.known[i]
        shape, dtype = self.shape[i], self.dtype[i]  # raises IndexError past the end, which ends an iteration
        other = next(iter(self.known.values()), None)
        return owned(np.zeros(shape, dtype), other) if is_foreign(other) else zeros(shape, dtype)

    def map(self, function: Callable[[Any], Any]) -> Parts:
        """The same parts, each changed by a function."""
        return Parts({i: function(part) for i, part in self.known.items()}, self.shape, self.dtype)


def _summed(cotangent: Any, axis: Any, keepdims: bool = False) -> Any:
    """The sum along axes. float16 is summed in float32: in float16 NumPy's running sum of ones stops at 2,048."""
    if cotangent.dtype.char == "e":
        return cast(np.sum(cotangent, axis=axis, dtype=np.float32, keepdims=keepdims), cotangent.dtype)
    if type(cotangent) is np.ndarray:
        return np.add.reduce(cotangent, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    return np.sum(cotangent, axis=axis, keepdims=keepdims)  # which any array speaks, and is slower


def unbroadcast(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of broadcasting from ``shape``: sum over what was repeated.

    >>> unbroadcast(np.ones((2, 3)), (3,)).tolist()
    [2.0, 2.0, 2.0]
    """
    have = cotangent.shape
    extra = len(have) - len(shape)
    if have[extra:] == shape:  # only leading axes: a bias
        return _summed(cotangent, 0 if extra == 1 else tuple(range(extra)))
    axes = tuple(range(extra)) + tuple(extra + i for i, n in enumerate(shape) if n == 1 and have[extra + i] != 1)
    kept = _summed(cotangent, axes, keepdims=True)
    return np.reshape(kept, shape) if extra else kept


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...], core: int) -> bool:
    """Whether ``shape`` broadcasts to ``to`` along all but the last ``core`` axes."""
    extra = len(to) - len(shape)
    if extra < 0 or to[len(to) - core :] != shape[len(shape) - core :]:
        return False
    if to[extra:] == shape:
        return True
    return all(n in (1, m) for n, m in zip(shape, to[extra:], strict=True))


def into(scatter: Callable[..., Scattered]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the backward pass call ``scatter`` instead of the decorated rule for plain cotangents.

    The rule makes an array that is almost all zeros; ``scatter`` says where to add the values instead.
    """

    def decorated(rule: Callable[..., Any]) -> Callable[..., Any]:
        rule.into = scatter  # type: ignore[attr-defined]
        return rule

    return decorated


class Scattered:
    """A contribution that is zero except at an index, added into the sum without an array of its own.

    ``add(total, values, blank)`` adds it into an array, which is ``blank`` if there are only zeros in it.
    """

    __slots__ = ("add", "dtype", "shape_of", "values")
    shape = None  # no array's: the walk takes a closer look

    def __init__(self, add: Callable[[Any, Any, bool], None], values: Any, shape: tuple[int, ...]) -> None:
        self.add, self.values, self.shape_of, self.dtype = add, values, shape, values.dtype

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        total = np.zeros(self.shape_of, self.dtype)
        self.add(total, self.values, True)
        return total if dtype is None else total.astype(dtype)


def fit(contribution: Any, node: Node, parent: Node, rule: Rule) -> Any:
    """The result of a rule, in the shape and dtype of its argument; or an error that names the rule."""
    primitive: Any = node.primitive
    have: Any = getattr(contribution, "shape", None)
    core: Any = None if primitive.core is None else primitive.core[rule.position]
    batch = None if have is None or core is None else have[: len(have) - core]
    # a rule may leave the sum over what was broadcast to us, but its batch must be the output's
    spread = batch is not None and node.shape[: len(batch)] == batch and (core or have == node.shape)
    if (
        spread
        and have[1:] == parent.shape
        and type(contribution) is np.ndarray  # the commonest case by far: a bias added to a batch
        and contribution.dtype is parent.dtype
        and parent.dtype.char != "e"
    ):
        return np.add.reduce(contribution, axis=0)
    who = f"{primitive.name}: its rule for '{primitive.parameters[rule.position]}'"
    if have is None:
        raise GraphError(f"{who} returned a {type(contribution).__name__}; return an array of shape {parent.shape}")
    if contribution.shape != parent.shape:
        if not spread or not _broadcasts(parent.shape, have, core):
            raise GraphError(
                f"{who} returned shape {have}, the argument has {parent.shape} "
                f"(output {node.shape}); a rule returns the shape of its argument"
            )
        contribution = unbroadcast(contribution, parent.shape)
    if contribution.dtype is not parent.dtype and contribution.dtype != parent.dtype:
        if contribution.dtype.kind == "c" and parent.dtype.kind != "c":
            contribution = np.real(contribution)  # a real argument moves the output along the real axis only
        contribution = cast(contribution, parent.dtype)
    return contribution
