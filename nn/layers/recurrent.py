"""Recurrent layers: a state that each element of a sequence changes.

x has shape (L, n, input_size), (n, L, input_size) with ``batch_first``, or (L, input_size) for one example.  The output
has the state after each element, of both directions with ``bidirectional``; the states at the end have shape (layers
directions, n, hidden_size).  ``lengths`` are the lengths of the sequences of a batch: beyond its length the output of a
sequence is 0, its state stays, and the other direction begins there (in PyTorch, a packed sequence).

Parameters of layer k: ``weight_ih_lk`` (in, gates hidden_size), ``weight_hh_lk`` (hidden_size, gates hidden_size),
``bias_ih_lk`` and ``bias_hh_lk`` (gates hidden_size,), and the same with ``_reverse`` for the other direction.  They
start uniform in ±1 / sqrt(hidden_size).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff import Tensor, lstm, lstm_cell, relu, sigmoid

from ..random import Rng, generator
from . import init
from .checks import as_array, data, described, floating, probability, whole
from .dropout import Dropout
from .module import Module

__all__ = ["GRU", "LSTM", "RNN"]

Array = Any
State = tuple[Any, ...]


class _Recurrent(Module):
    """What recurrent layers have in common."""

    _gates = 1
    _states = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, *, rng: Rng = None, dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        who = type(self).__name__
        self.input_size: int = whole(who, "input_size", input_size)
        self.hidden_size: int = whole(who, "hidden_size", hidden_size)
        self.num_layers: int = whole(who, "num_layers", num_layers)
        self.bias: bool = bool(bias)
        self.batch_first: bool = bool(batch_first)
        self.bidirectional: bool = bool(bidirectional)
        floating(who, dtype)
        rng = generator(rng)
        self.dropout: Dropout = Dropout(probability(who, dropout), rng=rng)
        self._directions: tuple[str, ...] = ("", "_reverse") if bidirectional else ("",)
        bound, gates = 1.0 / math.sqrt(self.hidden_size), self._gates * self.hidden_size
        for name, size in self._names():
            shapes = {"weight_ih": (size, gates), "weight_hh": (self.hidden_size, gates)}
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}  # type: ignore[dict-item]
            for kind, shape in shapes.items():
                values = init.uniform(shape, -bound, bound, rng=rng, dtype=dtype)
                setattr(self, f"{kind}_l{name}", Tensor(values))

    def _names(self) -> list[tuple[str, int]]:
        """The end of the names of each layer's and direction's parameters, and the size of its input."""
        wide = self.hidden_size * len(self._directions)
        return [
            (f"{k}{direction}", wide if k else self.input_size)
            for k in range(self.num_layers)
            for direction in self._directions
        ]

    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        y, states = self._run(x, hx, lengths)
        return y, (states if self._states > 1 else states[0])

    def _run(self, x: Any, before: Any, lengths: Any) -> tuple[Any, State]:
        """The output, and the states at the end."""
        who = type(self).__name__
        x = data(who, x, getattr(self, "weight_ih_l0"))  # noqa: B009
        single, shape = x.ndim == 2, x.shape
        if x.ndim not in (2, 3) or shape[-1] != self.input_size or 0 in shape[:-1]:
            order = "n, L" if self.batch_first else "L, n"
            raise ValueError(
                f"{who}: the input has shape {shape}; it must be ({order}, {self.input_size}), or (L, "
                f"{self.input_size}) for one example, and not empty"
            )
        x = x[:, None] if single else np.swapaxes(x, 0, 1) if self.batch_first else x
        length, n, _ = x.shape
        states = self._beginning(before, x, single)
        alive = None if lengths is None else self._alive(lengths, length, n)
        ends: list[State] = []
        for k in range(self.num_layers):
            outputs = []
            for direction in self._directions:
                state = tuple(s[len(ends)] for s in states)
                y, end = self._pass(x, state, f"{k}{direction}", alive)
                outputs.append(y)
                ends.append(end)
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
            if k < self.num_layers - 1:
                x = self.dropout(x)
        final = tuple(np.stack(parts) for parts in zip(*ends, strict=True))
        if single:
            return x[:, 0], tuple(s[:, 0] for s in final)
        return (np.swapaxes(x, 0, 1) if self.batch_first else x), final

    def _beginning(self, before: Any, x: Any, single: bool) -> State:
        """The states before the first element: given, or zeros."""
        who, layers = type(self).__name__, self.num_layers * len(self._directions)
        shape = (layers, x.shape[1], self.hidden_size)
        if before is None:
            return (np.zeros(shape, x.dtype),) * self._states
        given = before if isinstance(before, tuple | list) else (before,)
        wanted = (layers, self.hidden_size) if single else shape
        if len(given) != self._states or any(np.shape(s) != wanted for s in given):
            found = ", ".join(str(np.shape(s)) for s in given)
            raise ValueError(
                f"{who}: the states have shapes {found}; for an input of {x.shape[1]} sequences there "
                f"{'is 1' if self._states == 1 else f'are {self._states}'} of {wanted}"
            )
        given = [data(who, s, getattr(self, "weight_hh_l0")) for s in given]  # noqa: B009
        return tuple(s[:, None] if single else s for s in given)

    def _alive(self, lengths: Any, longest: int, n: int) -> Any:
        """Which elements are in their sequence: (L, n, 1)."""
        lengths = as_array(lengths)
        who = type(self).__name__
        if lengths.shape != (n,) or lengths.dtype.kind not in "iu":
            raise ValueError(f"{who}: lengths are {lengths.dtype} of shape {lengths.shape}; give {n} integers, ({n},)")
        if bool((np.min(lengths) < 1) | (np.max(lengths) > longest)):
            raise ValueError(
                f"{who}: lengths reach from {lengths.min()} to {lengths.max()}; they must be from 1 to {longest}, the "
                "length of the input"
            )
        return (np.arange(longest)[:, None] < lengths)[..., None]

    def _pass(self, x: Any, state: State, name: str, alive: Any) -> tuple[Any, State]:
        """One layer in one direction: all outputs, and the state at the end."""
        length, n, size = x.shape
        rows = np.matmul(np.reshape(x, (length * n, size)), getattr(self, f"weight_ih_l{name}"))
        bias = (getattr(self, f"bias_ih_l{name}"), getattr(self, f"bias_hh_l{name}")) if self.bias else (None, None)
        given, step = self._stepper(rows, getattr(self, f"weight_hh_l{name}"), bias)
        steps = tuple(np.reshape(given, (length, n, -1)))  # as one operation, whose rule is one np.stack
        outputs: list[Any] = [None] * length
        for t in reversed(range(length)) if name.endswith("_reverse") else range(length):
            after = step(steps[t], state)
            if alive is None:
                state = after
                outputs[t] = state[0]
            else:
                state = tuple(np.where(alive[t], a, b) for a, b in zip(after, state, strict=True))
                outputs[t] = np.where(alive[t], state[0], 0.0)
        return np.stack(outputs), state

    def _stepper(self, rows: Any, weight: Any, bias: tuple[Any, Any]) -> tuple[Any, Any]:
        """What each element adds to the gates, and the function of that and of a state that is a step."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return described(
            self.input_size, self.hidden_size, num_layers=(self.num_layers, 1), **self._more(), bias=(self.bias, True),
            batch_first=(self.batch_first, False), dropout=(self.dropout.p, 0.0),
            bidirectional=(self.bidirectional, False),
        )  # fmt: skip

    def _more(self) -> dict[str, tuple[Any, Any]]:
        return {}


class RNN(_Recurrent):
    """h' = tanh(x W_ih + b_ih + h W_hh + b_hh) for each element, or relu instead of tanh.

    Shapes and parameters are those at the head of this module.  Returns the output and the last state.  ``dropout`` is
    that between layers.  Source: J. L. Elman, "Finding structure in time" (1990).

    >>> import numpy as np
    >>> y, h = RNN(3, 4, rng=0)(np.ones((5, 2, 3), dtype=np.float32))
    >>> y.shape, h.shape
    ((5, 2, 4), (1, 2, 4))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, *, rng: Rng = None,
        dtype: Any = np.float32,
    ) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity is {nonlinearity!r}; it must be 'tanh' or 'relu'")
        self.nonlinearity: str = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng, dtype=dtype
        )

    def _stepper(self, rows: Any, weight: Any, bias: tuple[Any, Any]) -> tuple[Any, Any]:
        bound: Any = np.tanh if self.nonlinearity == "tanh" else relu
        given = rows if bias[0] is None else rows + (bias[0] + bias[1])
        return given, lambda z, state: (bound(z + np.matmul(state[0], weight)),)

    def _more(self) -> dict[str, tuple[Any, Any]]:
        return {"nonlinearity": (self.nonlinearity, "tanh")}


class GRU(_Recurrent):
    """h' = (1 - z) n + z h for each element, with gates r and z and a new state n.

    r = sigmoid(x W_ir + b_ir + h W_hr + b_hr), z likewise, n = tanh(x W_in + b_in + r (h W_hn + b_hn)); the columns of
    the matrices are those of r, z and n.  Shapes and parameters are those at the head of this module.  Returns the
    output and the last state.  Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder"
    (2014).

    >>> import numpy as np
    >>> y, h = GRU(3, 4, 2, bidirectional=True, rng=0)(np.ones((5, 2, 3), dtype=np.float32))
    >>> y.shape, h.shape
    ((5, 2, 8), (4, 2, 4))
    """

    _gates = 3

    def _stepper(self, rows: Any, weight: Any, bias: tuple[Any, Any]) -> tuple[Any, Any]:
        n = self.hidden_size
        given = rows if bias[0] is None else rows + bias[0]

        def step(z: Any, state: State) -> State:
            h = state[0]
            of_state = np.matmul(h, weight)
            of_state = of_state if bias[1] is None else of_state + bias[1]
            gates = sigmoid(z[:, : 2 * n] + of_state[:, : 2 * n])
            new = np.tanh(z[:, 2 * n :] + gates[:, :n] * of_state[:, 2 * n :])
            return (new + gates[:, n:] * (h - new),)

        return given, step


class LSTM(_Recurrent):
    """c' = f c + i g and h' = o tanh(c') for each element, with gates i, f and o and a new content g.

    i = sigmoid(x W_ii + b_ii + h W_hi + b_hi), f and o likewise, g with tanh; the columns of the matrices are those of
    i, f, g and o.  Shapes and parameters are those at the head of this module.  Returns the output and the pair of the
    last h and c.  Sources: S. Hochreiter, J. Schmidhuber, "Long short-term memory" (1997); F. Gers et al., "Learning to
    forget" (2000).

    >>> import numpy as np
    >>> y, (h, c) = LSTM(3, 4, batch_first=True, rng=0)(np.ones((2, 5, 3), dtype=np.float32), lengths=[5, 2])
    >>> y.shape, h.shape, y[1, 2:].tolist()
    ((2, 5, 4), (1, 2, 4), [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    """

    _gates = 4
    _states = 2

    def _stepper(self, rows: Any, weight: Any, bias: tuple[Any, Any]) -> tuple[Any, Any]:
        given = rows if bias[0] is None else rows + (bias[0] + bias[1])
        return given, lambda z, state: lstm_cell(z + np.matmul(state[0], weight), state[1])[:2]

    def _pass(self, x: Any, state: State, name: str, alive: Any) -> tuple[Any, State]:
        if alive is not None:
            return super()._pass(x, state, name, alive)
        length, n, size = x.shape
        rows = np.matmul(np.reshape(x, (length * n, size)), getattr(self, f"weight_ih_l{name}"))
        if self.bias:
            rows = rows + (getattr(self, f"bias_ih_l{name}") + getattr(self, f"bias_hh_l{name}"))
        z, back = np.reshape(rows, (length, n, -1)), name.endswith("_reverse")
        h, c = lstm(z[::-1] if back else z, getattr(self, f"weight_hh_l{name}"), *state)
        return (h[::-1] if back else h), (h[-1], c[-1])
