"""SciPy's compiled functions, for all the arrays that the engine computes with.

NumPy's functions ask their arguments who is to answer (``__array_function__``); SciPy's make an ndarray of whatever
they get.  :func:`compiled` is such a function that asks as NumPy's do: the examples of a ``vmap`` are computed one
after the other, a recorded array notes the call, and an array of another library is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import is_foreign
from ..primitive import registry
from ..recording import original
from ..registering import composite
from ..structural import dead_of, functions, made, value_of

Array = Any
Function = Callable[..., Any]

_PLAIN = frozenset({np.ndarray, np.float64, float, int, bool, str, tuple, type(None)})
"""The types of most arguments, which compute by themselves."""

ndarrays_only: set[Function] = set()
"""SciPy's functions in the table whose calls are computed by compiled code, so that they need NumPy's arrays."""


def public_module(function: Function) -> str:
    """Where a user finds a function of SciPy's.

    >>> import scipy.signal
    >>> public_module(scipy.signal.convolve)
    'scipy.signal'
    """
    return function.__module__.partition("._")[0]


def compiled(function: Function, counts: Function | None = None) -> Function:
    """A function of SciPy's that any array of the engine may be given to.

    ``counts`` is a function of the same arguments for results that are sums of products: with ones in the place of
    numbers, and zeros in the place of numbers that are left out, it gives the number of terms that are left, or
    anything that is zero where none is.  Without it, nothing is known to be left out.

    >>> import scipy.signal
    >>> compiled(scipy.signal.convolve)([1.0, 2.0], [1.0, 1.0]).tolist()
    [1.0, 3.0, 2.0]
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()) if kwargs else args:
            if type(value) is tuple and any(map(_answers, value)):  # a factor and its pivots
                return _asked(call, args, kwargs)
            if type(value) not in _PLAIN and _answers(value):
                return _asked(call, args, kwargs)
        try:
            return function(*args, **kwargs)
        except RuntimeError as error:  # a type of numbers that it does not know
            raise TypeError(f"{function.__name__}: {error}") from error
        except MemoryError as error:
            if all(np.size(value) for value in args):
                raise
            # what SciPy before 1.16 says of an array without elements
            raise ValueError(f"{function.__name__}: {error}; one of the arrays has no elements") from error

    call.__module__ = public_module(function)
    call.__qualname__ = function.__name__
    call.has_known_form = True  # type: ignore[attr-defined]  # shapes decide shapes
    ndarrays_only.add(function)
    if counts is not None:
        functions[call] = functools.partial(_counted, counts)
    return call


def of_ndarrays(function: Function) -> Function:
    """Note that an entry of the table calls compiled functions, and return the function."""
    ndarrays_only.add(original(function))
    return function


def composed(function: Function | None = None, **options: Any) -> Callable[[Function], Function]:
    """Register a composite for a function of SciPy's, as :func:`autodiff.composite`; what it makes is called by users.

    Without a function of SciPy's, it is an entry of its own.

    >>> import scipy.signal
    >>> from autodiff.scipy import signal
    >>> signal.lfilter is registry[scipy.signal.lfilter].call
    True
    """

    def register(definition: Function) -> Function:
        key = definition if function is None else function
        composite(key, **options)(definition)
        return registry[key].call

    return register


def _answers(value: Any) -> bool:
    """Whether this is an array that computes in a way of its own."""
    theirs = getattr(type(value), "__array_function__", None)
    return theirs is not None and theirs is not np.ndarray.__array_function__


def _asked(call: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a call that one of the arguments answers."""
    every = [part for value in (*args, *kwargs.values()) for part in (value if type(value) is tuple else (value,))]
    arrays = [value for value in every if _answers(value)]
    for value in arrays:
        if is_foreign(value):
            raise _refusal(call, value)
    types = {type(value) for value in arrays}
    for value in arrays:
        result = value.__array_function__(call, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise _refusal(call, arrays[0])


def _refusal(call: Function, value: Any) -> TypeError:
    kind = type(value)
    return TypeError(
        f"{call.__name__}: SciPy computes it with NumPy's arrays alone, and got a {kind.__module__}.{kind.__name__}; "
        "make NumPy's array of it first, as numpy.asarray(x) does where the library allows it"
    )


def _counted(counts: Function, function: Function, args: Any, kwargs: Any, result: Any) -> Any:
    """The result with the elements dead of which no term is left."""
    every = (*args, *kwargs.values())
    if not isinstance(result, np.ndarray):  # several: nothing is known
        return result
    if all(dead_of(value) is None for value in every):
        return made(result, None)
    left = counts(*map(_lives, args), **{name: _lives(value) for name, value in kwargs.items()})
    return made(result, np.round(left) == 0)


def _lives(value: Any) -> Any:
    """Ones in the place of an array's numbers, and zeros where they are left out."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fc":
        return value_of(value)
    dead = dead_of(value)
    return np.ones(value.shape) if dead is None else (~dead).astype(float)
