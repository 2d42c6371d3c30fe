"""A function of nested arguments as a function of one flat vector of numbers, in double precision.

Values and gradients are computed in float64 from the same numbers, whatever the precision of the arguments.  A wrong
rule is wrong there too, and shows against a noise of 1e-16 instead of 1e-7.  The effect of the given precision is
examined separately, element by element.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor
from ..transforms import vjp
from ..tree import branch_of, flatten

Array = Any
Function = Callable[..., Any]


class UnusableError(Exception):
    """The function or its arguments cannot be checked; the message says why."""


class Input(NamedTuple):
    """One floating-point array among the arguments, and its position in the flat vector."""

    path: str
    number: int  # among all leaves
    shape: tuple[int, ...]
    dtype: Any
    start: int
    stop: int

    @property
    def is_complex(self) -> bool:
        """Whether each element takes two places: real part, imaginary part."""
        return bool(np.dtype(self.dtype).kind == "c")

    def index_of(self, flat: int) -> tuple[int, ...]:
        """The index, in the array, of element number ``flat`` of the whole vector."""
        number = (flat - self.start) // (2 if self.is_complex else 1)
        return tuple(int(i) for i in np.unravel_index(number, self.shape))

    def name_of(self, flat: int) -> str:
        """The name of the array, or of its part, to which element number ``flat`` belongs."""
        return self.path + (".imag" if (flat - self.start) % 2 else ".real") if self.is_complex else self.path


def as_real(array: Array) -> Array:
    """The numbers of an array along one axis, complex ones as pairs."""
    flat = np.ravel(array)
    return np.ascontiguousarray(flat, dtype=np.complex128).view(np.float64) if flat.dtype.kind == "c" else flat


def paths(tree: Any, name: str) -> Iterator[str]:
    """The names of the leaves of a nesting, in the order of :func:`autodiff.tree.flatten`.

    >>> list(paths({"w": [1.0, 2.0]}, "params"))
    ["params['w'][0]", "params['w'][1]"]
    """
    branch = branch_of(tree)
    if branch is None:
        yield name
        return
    names = branch.names
    if hasattr(tree, "named_parameters"):
        own = [f".{label}" for label, _ in tree.named_parameters()]
        names = own if len(own) == len(names) else names
    for child, label in zip(branch.children, names, strict=True):
        yield from paths(child, name + label)


def argument_names(f: Function, count: int) -> list[str]:
    """The names of the positional parameters, or args[i] where they have none."""
    fallback = [f"args[{i}]" for i in range(count)]
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return fallback
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [named[i] if i < len(named) else fallback[i] for i in range(count)]


def values_of(leaf: Any) -> Any:
    """The array of a leaf; None if it is not an array of floating-point numbers."""
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    if isinstance(value, float | complex | np.inexact):
        return np.asarray(value)
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "fc" else None


def _array(leaf: Any) -> Array:
    return np.asarray(leaf._value if isinstance(leaf, Tensor) else leaf)


def cotangents(weights: Array, outputs: list[Array]) -> list[Array]:
    """A flat vector of weights cut into cotangents; those of a + ib with weights p, q are p - iq."""
    cut, start = [], 0
    for output in outputs:
        stop = start + output.size * (2 if output.dtype.kind == "c" else 1)
        part = weights[start:stop]
        part = np.conj(part.copy().view(np.complex128)) if output.dtype.kind == "c" else part
        cut.append(part.reshape(output.shape).astype(output.dtype))
        start = stop
    return cut


class Problem:
    """A function ``f`` at a point: its values, its gradients, and their names."""

    def __init__(self, f: Function, args: tuple[Any, ...], gradient: Function | None = None) -> None:
        self.function, self.args, self.given_gradient = f, args, gradient
        self.leaves, self._unflatten = flatten(args)
        names = [
            path for arg, name in zip(args, argument_names(f, len(args)), strict=True) for path in paths(arg, name)
        ]
        self.inputs: list[Input] = []
        start = 0
        for number, (leaf, path) in enumerate(zip(self.leaves, names, strict=True)):
            value = values_of(leaf)
            if value is not None:
                stop = start + value.size * (2 if value.dtype.kind == "c" else 1)
                self.inputs.append(Input(path, number, value.shape, value.dtype, start, stop))
                start = stop
        self.size = start
        # each argument is one array: a dict that holds a single one has as many leaves as there are arguments
        self._plain = len(self.inputs) == len(args) and all(a is b for a, b in zip(args, self.leaves, strict=False))
        self.evaluations = 0
        self.narrow: Any = None  # np.finfo of the least precision below double that takes part inside of f, if any
        self.complex_outputs: list[bool] | None = None
        self.output_sizes: list[int] = []  # how many numbers each array has that f returns
        self.speaks_arrays = False  # whether f also takes plain arrays, which is faster
        parts = [as_real(np.asarray(values_of(self.leaves[i.number]))) for i in self.inputs]
        self.real = not any(i.is_complex for i in self.inputs)  # whether arguments and outputs are all real
        self.x = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)

    def input_of(self, flat: int) -> Input:
        """The input to which element number ``flat`` belongs."""
        return next(i for i in self.inputs if i.start <= flat < i.stop)

    def arrays(self, x: Array, dtype: Any = None) -> list[Array]:
        """The flat vector cut into arrays of the inputs' shapes; ``dtype`` "given" is the arguments' own."""
        arrays = []
        for i in self.inputs:
            part = x[i.start : i.stop].copy()
            part = (part.view(np.complex128) if i.is_complex else part).reshape(i.shape)
            arrays.append(part.astype(i.dtype) if dtype == "given" else part)
        return arrays

    def call(self, arrays: list[Any]) -> Any:
        """``f`` with these instead of its floating-point arguments."""
        if self._plain:
            return self.function(*arrays)
        leaves = list(self.leaves)
        for place, array in zip(self.inputs, arrays, strict=True):
            leaves[place.number] = array
        return self.function(*self._unflatten(leaves))

    def outputs(self, result: Any) -> list[Array]:
        """The floating-point arrays that a call returned.  Raises UnusableError if it returned none."""
        leaves, _ = flatten(result)
        arrays = [_array(leaf) for leaf in leaves]
        found = [array for array in arrays if array.dtype.kind in "fc"]
        if arrays and not found:
            what = type(leaves[0]).__name__ if arrays[0].dtype.kind == "O" else arrays[0].dtype
            raise UnusableError(
                f"the output is {what}, which has no derivative; return floating-point numbers "
                "(a count or a class is no function to differentiate)"
            )
        return found

    def value(self, x: Array) -> Array:
        """F(x), all outputs in one flat vector; complex if x is."""
        self.evaluations += 1
        arrays = self.arrays(x)
        with np.errstate(all="ignore"):
            result = self.call(arrays if self.speaks_arrays else [Tensor(a) for a in arrays])
        if type(result) is np.ndarray and result.dtype == np.float64 and self.complex_outputs == [False]:
            return result.ravel()
        outputs = self.outputs(result)
        # at a complex point of a real function, the outputs are what the complex step wants to see
        if x.dtype.kind == "c":
            flat = [np.ravel(a) for a in outputs]
        else:
            flat = [
                as_real(a.astype(complex) if c else a) for a, c in zip(outputs, self._complex(outputs), strict=True)
            ]
        return np.concatenate(flat) if flat else np.zeros(0)

    def _complex(self, outputs: list[Array]) -> list[bool]:
        """Which outputs are complex, here or at the first call (an eigenvalue may be either)."""
        now = [o.dtype.kind == "c" for o in outputs]
        if self.complex_outputs is None:
            self.complex_outputs = now
            self.output_sizes = [o.size * (2 if c else 1) for o, c in zip(outputs, now, strict=True)]
        return [a or b for a, b in zip(now, self.complex_outputs, strict=True)]

    def value_or_nan(self, x: Array, like: Array) -> Array:
        """F(x), or NaN if the function raises or returns another number of values, outside its domain."""
        try:
            value = self.value(x)
        except Exception:  # it does not raise at the point of the check itself
            return np.full(like.shape, np.nan)
        return value if value.shape == like.shape else np.full(like.shape, np.nan)

    def pullback(self, x: Array, dtype: Any = None) -> tuple[list[Array], Callable[[Array], Array]]:
        """The outputs, and the pullback of ``autodiff`` as a function from a flat cotangent to the flat gradient."""
        arrays = self.arrays(x, dtype)
        if self.given_gradient is not None:
            return self._pullback_given(arrays)
        with np.errstate(all="ignore"):
            result, pull = vjp(self.call, arrays)
        leaves, unflatten = flatten(result)
        outputs = self.outputs(result)

        def gradient(weights: Array) -> Array:
            cut = iter(cotangents(weights, outputs))
            seeds = [next(cut) if _array(leaf).dtype.kind in "fc" else np.zeros(np.shape(leaf)) for leaf in leaves]
            with np.errstate(all="ignore"):
                (found,) = pull(unflatten(seeds))
            return self.flat(found)

        return outputs, gradient

    def flat(self, gradients: Any) -> Array:
        """Gradients of the inputs as one flat vector; that of a + ib is dL/da - i dL/db."""
        # of a function with variables of its own (a Module), gradients are Tensors
        parts = [as_real(np.conj(_array(g))).astype(np.float64) for g in gradients]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _pullback_given(self, arrays: list[Array]) -> tuple[list[Array], Callable[[Array], Array]]:
        """As :meth:`pullback`, with the user's gradient; the function must return one number."""
        leaves = list(self.leaves)
        for place, array in zip(self.inputs, arrays, strict=True):
            leaves[place.number] = array
        args = self._unflatten(leaves)
        outputs = self.outputs(self.function(*args))
        if sum(o.size for o in outputs) != 1 or outputs[0].dtype.kind == "c":
            raise UnusableError("gradient= is for a function that returns one real number; take np.real, or np.sum")
        assert self.given_gradient is not None
        found = self.given_gradient(*args)
        parts = [np.asarray(g._value if isinstance(g, Tensor) else g) for g in flatten(found)[0]]
        if [p.shape for p in parts] != [i.shape for i in self.inputs]:
            raise UnusableError(
                f"gradient= returned shapes {[p.shape for p in parts]}, "
                f"the arguments have {[i.shape for i in self.inputs]}"
            )
        flat = self.flat(parts)
        return outputs, lambda weights: flat * weights[0]
