"""A function of a nesting as SciPy's methods call it: of a vector, with exact derivatives, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped,unused-ignore]

from ...arrays import OWN
from ...examples import Examples
from ...graph import GraphError
from ...tensor import Tensor, value_of
from ...transforms import grad, hessian, hvp, jacobian
from ...transforms.calling import Call, check_function
from ...transforms.products import is_active
from ...tree import flatten
from ...unrecorded import no_grad
from .layout import Layout, detached
from .mapped import refuse_examples
from .measured import Measured

Array = Any


class Function:
    """``fun(x, *args)`` of a nesting ``x``, as a function of the vector that a layout makes of it."""

    def __init__(
        self,
        who: str,
        fun: Callable[..., Any],
        layout: Layout,
        args: Sequence[Any] = (),
        what: str = "the function",
    ) -> None:
        check_function(fun, who)
        self.who, self.fun, self.layout, self.args, self.what = who, fun, layout, args, what
        self._plain_args = [detached(arg) for arg in args]

    def of(self, z: Any) -> Any:
        """The value for the parameters that were given, Tensors among them."""
        return self.fun(self.layout.tree(z), *self.args)

    def plain(self, z: Any) -> Any:
        """The value for the same parameters as arrays."""
        return self.fun(self.layout.tree(z), *self._plain_args)

    def total(self, z: Any) -> Any:
        """The value, as one number."""
        return self._number(self.of(z))

    def plain_total(self, z: Any) -> Any:
        """The value for the parameters as arrays, as one number."""
        return self._number(self.plain(z))

    def vector(self, z: Any) -> Any:
        """The values, as one vector."""
        return vector_of(self.of(z), self.who, self.what)

    def plain_vector(self, z: Any) -> Any:
        """The values for the parameters as arrays, as one vector."""
        return vector_of(self.plain(z), self.who, self.what)

    def _number(self, value: Any) -> Any:
        """The value as one real number, or an error."""
        array = value_of(value)
        if isinstance(array, Examples) and array.many:
            refuse_examples(self.who, array)
        if not hasattr(array, "dtype") and not isinstance(array, int | float):
            lacks = "; does it lack its 'return'?" if array is None else ""
            raise TypeError(f"{self.who}: the objective returned a {type(array).__name__}, no number{lacks}")
        shape = np.shape(array)
        if int(np.prod(shape)) != 1:
            raise ValueError(
                f"{self.who}: the objective returned an array of shape {shape}, and only one number can be smallest; "
                "reduce it (np.sum, np.mean), or use least_squares, which squares and sums"
            )
        if np.iscomplexobj(array):
            raise TypeError(f"{self.who}: the objective is complex; take np.real of it, or np.abs")
        return np.reshape(value, ()) if shape else value

    def must_depend(self, outputs: Sequence[Any]) -> None:
        """Raise GraphError unless something that was returned depends on the variable."""
        if not any(is_active(output) for output in outputs):
            kind = type(outputs[0]).__name__ if outputs else "None"
            raise GraphError(
                f"{self.who}: {self.what} does not depend on x0: it returned a {kind} that lost the way to its "
                "argument (float(t), t.data, np.asarray and functions that NumPy does not know take plain values out "
                "of a Tensor); write it with np functions, or take a method without derivatives (method='Nelder-Mead')"
            )

    def value_and_gradient(self, z: Any) -> Any:
        """The value and the gradient, as arrays."""
        call = Call(self.plain, (z,), (0,), self.who)
        number = self._number(call.returned)
        self.must_depend(call.outputs)
        (g,) = call.pull([None])
        return value_of(number), value_of(g)

    def jacobian(self, z: Any) -> Any:
        """The Jacobian, a row for each value."""
        outputs: list[Any] = []

        def seen(z: Any) -> Any:
            outputs[:] = [self.plain_vector(z)]
            return outputs[0]

        rows = jacobian(seen)(z)
        self.must_depend(outputs)
        return rows


class _Pulled:
    """Products with the Hessian, from the graph of the gradient, which is kept for the next vector."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.graph: tuple[bytes, Call] | None = None

    def __call__(self, z: Array, v: Array) -> Any:
        key = z.tobytes()
        if self.graph is None or self.graph[0] != key:
            self.graph = None
            self.graph = key, Call(grad(self.function.plain_total), (z,), (0,), self.function.who)
        return self.graph[1].pull([v])[0]


class Objective:
    """What SciPy calls of a function whose value is one number: the value, the gradient, the Hessian, its products."""

    def __init__(self, function: Function, record: bool | None = None, derivatives: bool = True) -> None:
        self.who = who = function.who
        self.derivatives = derivatives
        self._checked = False
        self._at: tuple[bytes, float, Array] | None = None
        self._value = Measured(who, function.plain_total, function.plain_total, record)
        self._both = Measured(who, function.value_and_gradient, function.value_and_gradient, record)
        self._product = Measured(who, _Pulled(function), lambda z, v: hvp(function.plain_total, (z,), (v,))[0], record)
        second = hessian(function.plain_total)
        self._matrix = Measured(who, second, second, record)

    def value(self, z: Array) -> float:
        """The value at a vector."""
        if self.derivatives:
            return self._both_at(z)[0]
        value = float(value_of(self._value(z)))
        self._check(value, np.zeros(1))
        return value

    def gradient(self, z: Array) -> Array:
        """The gradient at a vector."""
        return self._both_at(z)[1].copy()

    def _both_at(self, z: Array) -> tuple[float, Array]:
        key = z.tobytes()
        if self._at is None or self._at[0] != key:
            value, gradient = _read(*self._both(np.array(z, dtype=float)))
            self._check(value, gradient)
            self._at = key, value, gradient
        return self._at[1], self._at[2]

    def _check(self, value: float, gradient: Array) -> None:
        """Raise at the first call if there is nothing to start from."""
        if self._checked:
            return
        self._checked = True
        what = "the objective" if np.isnan(value) else "its gradient" if np.isnan(gradient).any() else ""
        if what:
            raise ValueError(
                f"{self.who}: {what} is NaN at x0; start where it is a number, keep x there by bounds=, or write it in "
                "logarithms. autodiff.testing.detect_anomaly names the operation that makes a NaN of a gradient"
            )

    def product(self, z: Array, v: Array) -> Array:
        """The Hessian times a vector."""
        return np.array(value_of(self._product(np.array(z, dtype=float), np.array(v, dtype=float))))

    def matrix(self, z: Array) -> Array:
        """The Hessian."""
        return np.array(value_of(self._matrix(np.array(z, dtype=float))))

    def audit(self) -> None:
        """Raise StaleError if a program gave something else than the function does now."""
        for one in (self._value, self._both, self._product, self._matrix):
            one.audit()

    def end(self) -> None:
        """Let go of everything: SciPy's functions keep what they called until the garbage collector comes."""
        vars(self).clear()


class Residuals:
    """What SciPy calls of a function whose values are many numbers: the vector of them, and its Jacobian."""

    def __init__(self, function: Function, record: bool | None = None) -> None:
        self.who, self.what = function.who, function.what
        self._checked = False
        self._vector = function.plain_vector
        self._value = Measured(self.who, function.plain_vector, function.plain_vector, record)
        self._matrix = Measured(self.who, function.jacobian, function.jacobian, record)

    def value(self, z: Array) -> Array:
        """The values at a vector."""
        values = np.array(value_of(self._value(np.array(z, dtype=float))), dtype=float)
        if not self._checked:
            self._checked = True
            if np.isnan(values).any():
                raise ValueError(f"{self.who}: {self.what} is NaN at x0; start where it is a number")
        return values

    def matrix(self, z: Array) -> Array:
        """The Jacobian, a row for each value."""
        return np.array(value_of(self._matrix(np.array(z, dtype=float))), dtype=float)

    def second(self, z: Array, weights: Array) -> Any:
        """The Hessian of the weighted sum of the values, as SciPy's operator."""

        def weighted(x: Any) -> Any:
            return np.sum(self._vector(x) * weights)

        def product(v: Array) -> Array:
            with no_grad():
                return np.asarray(value_of(hvp(weighted, (z,), (np.ravel(v),))[0]))

        return LinearOperator((len(z), len(z)), matvec=product, dtype=float)

    def audit(self) -> None:
        """Raise StaleError if a program gave something else than the function does now."""
        self._value.audit()
        self._matrix.audit()

    def end(self) -> None:
        """Let go of everything: SciPy's functions keep what they called until the garbage collector comes."""
        vars(self).clear()


def _read(value: Any, gradient: Any) -> tuple[float, Array]:
    """A value and its gradient as numbers.

    Of an array that is computed when it is asked for, both are asked for at once: what they have in common is computed
    once.
    """
    if not (isinstance(value, OWN) and isinstance(gradient, OWN)):
        both = np.asarray(np.concatenate([np.reshape(value, (1,)), np.reshape(gradient, (-1,))]), dtype=float)
        value, gradient = both[0], both[1:]
    return float(value), np.asarray(gradient, dtype=float)


def vector_of(returned: Any, who: str, what: str) -> Any:
    """What a function has returned, in any nesting, as one vector."""
    if isinstance(returned, Tensor | np.ndarray) and returned.ndim == 1:
        return returned
    leaves = flatten(returned)[0]
    if not leaves:
        raise TypeError(f"{who}: {what} returned None; does it lack its 'return'?")
    for leaf in leaves:
        array = value_of(leaf)
        if not hasattr(array, "dtype") and not isinstance(array, int | float):
            raise TypeError(f"{who}: {what} returned a {type(array).__name__}; it must return arrays or numbers")
        if isinstance(array, Examples) and array.many:
            refuse_examples(who, array)
    parts = [np.reshape(leaf, (-1,)) for leaf in leaves]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
