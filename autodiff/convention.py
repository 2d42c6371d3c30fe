"""Calls in NumPy's convention, translated for the table.

An entry of the table has the parameters that its derivative needs.  NumPy's function may have more, in another order,
as in ``np.max(a, axis, out, keepdims)``.  A call in NumPy's convention becomes a call of the entry: positional
arguments get NumPy's names, an argument that is NumPy's default is dropped, and an argument that has no derivative is
refused.  ``inspect.signature(Tensor.sum)`` shows which calls are understood.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from .dialects import keyword as of_pytorch

spellings: dict[Callable[..., Any], Callable[..., Any]] = {}
"""For functions that NumPy lets us call in further ways than one rule can have, what understands all of them."""


def spelling(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the decorated function translate the calls of ``function``, whatever its entry in the table is.

    Its first argument is the callable of the entry, the others are those of the call.  It must be registered before the
    entry.
    """

    def note(understands: Callable[..., Any]) -> Callable[..., Any]:
        spellings[function] = understands
        return understands

    return note


def _concatenate(
    arrays: Any, /, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    """The signature of NumPy's function, which it does not tell before NumPy 2.4."""


@functools.cache
def _theirs(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of NumPy's function; none if it has no signature."""
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return _theirs(_concatenate) if function is np.concatenate else {}


def _positional(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, parameter in _theirs(function).items() if parameter.kind in kinds]


def agreed(function: Callable[..., Any], parameters: Sequence[str]) -> int:
    """How many of the first ``parameters`` have NumPy's order, under NumPy's name or another.

    >>> import numpy as np
    >>> agreed(np.max, ["a", "axis", "keepdims"])
    2
    """
    names = _positional(function)
    if not names:  # NumPy's function does not tell
        return len(parameters)
    count = 0
    for ours, theirs in zip(parameters, names, strict=False):
        if ours != theirs and (ours in _theirs(function) or theirs in parameters):
            break
        count += 1
    return count


def arranged(entry: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call of NumPy's function as those of its entry in the table.

    Raises TypeError for an argument that the entry does not have, unless it is NumPy's default.

    >>> import numpy as np
    >>> from autodiff.primitive import registry
    >>> arranged(registry[np.ptp], ([1.0], 0, None, True), {})
    (([1.0], 0), {'keepdims': True})
    """
    name, parameters, same = entry.name, entry.parameters, entry.agreed
    theirs, names = _theirs(entry.function), _positional(entry.function)
    most = len(names) or getattr(entry.function, "nargs", len(parameters))  # before NumPy 2.4 ufuncs have no signature
    if len(args) > most:
        raise TypeError(f"{name}: takes {most} positional arguments, got {len(args)}")
    if not names and any(value is not None for value in args[same:]):
        _refuse(name, "out", parameters)
    surplus = dict(zip(names[same:], args[same:], strict=False))
    twice = [key for key in kwargs if key in names[: len(args)]]
    if twice:
        raise TypeError(f"{name}: got two values for '{twice[0]}'")
    arguments = {}
    for key, value in {**surplus, **kwargs}.items():
        if key in parameters:
            arguments[key] = value
        elif key in names[:same]:  # another name for the same place
            arguments[parameters[names.index(key)]] = value
        elif key not in theirs or not _is_default(value, theirs[key].default):
            _refuse(name, key, parameters)
    return args[:same], arguments


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and isinstance(value, str | int) and value == default)


def _refuse(name: str, keyword: str, parameters: Sequence[str]) -> None:
    """Raise for an argument without a derivative: ignoring it would give the gradient of another function."""
    if keyword == "out":
        raise TypeError(
            f"{name}: out= would write a Tensor's values into an existing array and lose its gradient; "
            f"use what {name} returns"
        )
    of_pytorch(name, keyword, parameters)
    raise TypeError(
        f"{name}: the keyword '{keyword}' is not differentiated here and would change the result; "
        f"supported: {', '.join(parameters)}"
    )


# -- what inspect.signature says ---------------------------------------------------------------------------------


class Signature(inspect.Signature):
    """The signature of an entry's callable, computed when it is first read: an import makes hundreds of callables."""

    __slots__ = ("entry",)
    entry: Any

    @classmethod
    def of(cls, entry: Any) -> Self:
        """The signature of the callable of an entry in the table."""
        made = cls.__new__(cls)
        made.entry = entry
        return made

    def __getattr__(self, name: str) -> Any:
        if name not in inspect.Signature.__slots__:  # these are empty until here
            raise AttributeError(name)
        found = _understood(self.entry)
        inspect.Signature.__init__(self, list(found.parameters.values()), return_annotation=found.return_annotation)
        return getattr(self, name)


def _understood(entry: Any) -> inspect.Signature:
    """The signature of an entry's callable: NumPy's parameters in NumPy's order, as far as the entry uses them.

    An unused one, such as ``out``, is there only to keep the positions of the others; it takes NumPy's default.
    """
    function, theirs = entry.function, _theirs(entry.function)
    is_own = inspect.isfunction(function) and function.__module__.partition(".")[0] not in ("numpy", "scipy")
    if is_own or getattr(entry, "variadic", False):
        return inspect.signature(function)
    mine = _mine(entry)
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in mine):
        return inspect.Signature(mine)
    if theirs and mine[0].kind is not inspect.Parameter.POSITIONAL_ONLY:
        mine = _at_their_places(mine, list(theirs.values()), entry.agreed)
    return inspect.Signature([mine[0].replace(name="self"), *mine[1:]])  # it is only ever seen as a method


def _mine(entry: Any) -> list[inspect.Parameter]:
    """The parameters of an entry in the table."""
    if not hasattr(entry, "rules"):
        written = inspect.signature(entry.definition).parameters.values()
        return [p.replace(annotation=inspect.Parameter.empty) for p in written]
    kind = inspect.Parameter.POSITIONAL_ONLY if entry.elementwise else inspect.Parameter.POSITIONAL_OR_KEYWORD
    first = len(entry.parameters) - len(entry.defaults)
    defaults = (inspect.Parameter.empty,) * first + entry.defaults
    pairs = zip(entry.parameters, defaults, strict=True)
    return [inspect.Parameter(name, kind, default=default) for name, default in pairs]


def _at_their_places(
    mine: list[inspect.Parameter], theirs: list[inspect.Parameter], agreed: int
) -> list[inspect.Parameter]:
    """Our parameters in NumPy's order, and NumPy's unused ones where positions require them."""
    rest = {p.name: p for p in mine}
    kept, placed, keywords = 0, [], []
    for i, their in enumerate(theirs):
        my = rest.pop(mine[i].name if i < agreed else their.name, None)
        if their.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            placed.append(their if my is None else _renamed(my, their))
            kept = kept if my is None else len(placed)
        elif my is not None:
            keywords.append(_renamed(my, their))
    keywords += rest.values()
    return [*placed[:kept], *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in keywords)]


def _renamed(my: inspect.Parameter, their: inspect.Parameter) -> inspect.Parameter:
    """A parameter of ours under NumPy's name, with NumPy's default for "nothing given"."""
    return my.replace(name=their.name, default=their.default if type(my.default) is object else my.default)
