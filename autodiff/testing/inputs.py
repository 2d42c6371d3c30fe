"""The inputs of a function, from its annotations: which parameters are drawn, in which shape and dtype.

=================================================  ==========================================================
annotation                                         what is drawn
=================================================  ==========================================================
``float``, ``complex``                             a number
``np.ndarray``, ``NDArray[np.float32]``, Tensor    an array; somebody must give its shape
``Annotated[np.ndarray, "3,4"]``                   an array of that shape; ``"n,3"``: the same n everywhere is 2, 3...
``Float[np.ndarray, "n 3"]``                       the same, as jaxtyping writes it
``list[A]``, ``tuple[A, B]``, ``dict[str, A]``     two of A, one each, two of A under the names a and b
=================================================  ==========================================================

A parameter with a default keeps it, unless it has a shape.  An ``int``, ``bool`` or ``str`` is no variable: it needs a
default.  ``pullback check`` and ``gradient_property`` both draw what :func:`plans` says.

>>> def loss(w, x: float, scale=2.0): ...
>>> positional, keywords = plans(loss, {"w": Drawn((3, 4))})
>>> print(positional["w"], positional["x"], positional["scale"])
(3, 4) () = 2.0
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

Array = Any
POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
SIZES = (2, 3, 4, 5)
"""What the letters of a shape stand for, in the order in which they appear."""
WITHOUT_GRADIENT = (int, bool, str, bytes, type(None), "int", "bool", "str", "None")
"""Annotations of what has no gradient."""


class InputError(TypeError):
    """A parameter for which nothing can be drawn; ``parameter`` is its name if a shape for it would help."""

    def __init__(self, message: str, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


class Drawn(NamedTuple):
    """An array to draw: its shape, and its dtype (None: the one that was asked for)."""

    shape: tuple[int, ...]
    dtype: str | None = None

    def __str__(self) -> str:
        return f"{self.shape}" + (f" {self.dtype}" if self.dtype else "")


class Kept(NamedTuple):
    """A value that is used as it stands, as a default is."""

    value: Any

    def __str__(self) -> str:
        return f"= {self.value!r}"


Function = Callable[..., Any]
Letters = dict[str, int]
Plan = Any  # a Drawn, a Kept, a list, tuple or dict of plans, or what the caller gave for a parameter
Plans = dict[str, Plan]


def plans(f: Function, given: Mapping[str, Plan]) -> tuple[Plans, Plans]:
    """What to draw for the positional and for the keyword-only parameters of ``f``; ``given`` are plans by name.

    Raises InputError for a parameter that has no plan, and for a plan that has no parameter.
    """
    try:
        parameters = inspect.signature(f).parameters
    except (TypeError, ValueError):
        if not given:
            raise InputError("the function has no signature; give a shape for each argument, in order") from None
        return dict(given), {}
    unknown = set(given) - set(parameters)
    if unknown:
        raise InputError(f"the function has no argument {', '.join(sorted(unknown))}; it has {', '.join(parameters)}")
    hints = _hints(f)
    letters: Letters = {}
    positional: Plans = {}
    keywords: Plans = {}
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if name in given:
                raise InputError(
                    f"'{name}' stands for any number of arguments; wrap the function in one that names them"
                )
            continue
        kind = keywords if parameter.kind is parameter.KEYWORD_ONLY else positional
        kind[name] = _plan(name, parameter, hints.get(name, parameter.empty), given, letters)
    return positional, keywords


def of_drawn(f: Function, positional: Plans, keywords: Plans) -> Function:
    """The function of the drawn arguments alone: what is kept stays as it stands, keyword-only ones come last."""
    if not any(isinstance(plan, Kept) for plan in positional.values()) and not keywords:
        return f
    names = list(drawn_of(positional, keywords))
    every, parameters = {**positional, **keywords}, inspect.signature(f).parameters
    if names == list(positional)[: len(names)] and all(
        parameters[name].default is plan.value for name, plan in every.items() if name not in names
    ):
        return f  # it fills in its defaults itself, and a report can name it

    @functools.wraps(f)
    def called(*values: Any) -> Any:
        rest = iter(values)
        args = [plan.value if isinstance(plan, Kept) else next(rest) for plan in positional.values()]
        kwargs = {name: plan.value if isinstance(plan, Kept) else next(rest) for name, plan in keywords.items()}
        return f(*args, **kwargs)

    # a report names the arguments
    called.__signature__ = inspect.Signature([inspect.Parameter(n, POSITIONAL) for n in names])  # type: ignore[attr-defined]
    return called


def drawn_of(positional: Plans, keywords: Plans) -> Plans:
    """The plans of the parameters that are drawn, by name."""
    return {name: plan for name, plan in {**positional, **keywords}.items() if not isinstance(plan, Kept)}


def obstacle(f: Function) -> str:
    """Why annotations do not say enough to check the gradient of ``f``; an empty text if they do.

    >>> def area(side: float) -> float:
    ...     return side * side
    >>> obstacle(area), obstacle(lambda x: x)
    ('', "no shape is known for 'x'; annotate it: Annotated[np.ndarray, '3,4']")
    """
    if inspect.iscoroutinefunction(f) or inspect.isgeneratorfunction(f):
        return "it is a coroutine or a generator"
    try:
        positional, keywords = plans(f, {})
    except InputError as error:
        return str(error)
    if not drawn_of(positional, keywords):
        return "every argument keeps its default"
    result = _hints(f).get("return")
    return f"it returns {getattr(result, '__name__', result)}" if result in WITHOUT_GRADIENT else ""


def _hints(f: Callable[..., Any]) -> dict[str, Any]:
    """The annotations, those written as text evaluated where that can be done."""
    target = f if hasattr(f, "__annotations__") else type(f).__call__  # an object that can be called
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # a name that exists for type checkers alone
        return dict(getattr(target, "__annotations__", {}))


def _plan(name: str, parameter: inspect.Parameter, hint: Any, given: Mapping[str, Plan], letters: Letters) -> Plan:
    if name in given:
        plan = given[name]
        return Drawn(plan.shape, plan.dtype or _dtype(hint)) if isinstance(plan, Drawn) else plan
    if parameter.default is not parameter.empty:
        return Kept(parameter.default)
    if hint is parameter.empty:
        raise InputError(f"no shape is known for '{name}'; annotate it: Annotated[np.ndarray, '3,4']", name)
    return _of(name, hint, letters)


def _of(name: str, hint: Any, letters: Letters) -> Plan:
    """What to draw for an annotation."""
    if hint in (float, "float"):
        return Drawn(())
    if hint in (complex, "complex"):
        return Drawn((), "complex128")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    shape = _shape(name, hint, letters)
    if shape is not None:
        return Drawn(shape, _dtype(arguments[0] if origin is typing.Annotated else hint))
    if origin is typing.Annotated:
        return _of(name, arguments[0], letters)
    if origin is list and arguments:
        return [_of(f"{name}[{i}]", arguments[0], letters) for i in range(2)]
    if origin is tuple and arguments:
        several = (arguments[0],) * 2 if len(arguments) == 2 and arguments[1] is Ellipsis else arguments
        return tuple(_of(f"{name}[{i}]", part, letters) for i, part in enumerate(several))
    if origin is dict and len(arguments) == 2 and arguments[0] is str:
        return {key: _of(f"{name}[{key!r}]", arguments[1], letters) for key in ("a", "b")}
    if hint in WITHOUT_GRADIENT:
        kind = hint if isinstance(hint, str) else hint.__name__
        raise InputError(f"'{name}' is of type {kind}, which has no gradient; give it a default, or wrap the function")
    if _is_array(hint):
        raise InputError(f"no shape is known for '{name}'; annotate it: Annotated[np.ndarray, '3,4']", name)
    text = hint if isinstance(hint, str) else getattr(hint, "__name__", repr(hint))
    raise InputError(f"nothing can be drawn for '{name}' of type {text}; give it a default, or wrap the function", name)


def _is_array(hint: Any) -> bool:
    base = typing.get_origin(hint) or hint
    name = base if isinstance(base, str) else getattr(base, "__name__", "")
    return base is np.ndarray or name.split(".")[-1].split("[")[0] in ("ndarray", "NDArray", "Tensor", "ArrayLike")


def _shape(name: str, hint: Any, letters: Letters) -> tuple[int, ...] | None:
    """The shape that an annotation carries: ``Annotated[array, "3,n"]``, or jaxtyping's ``Float[array, "3 n"]``."""
    found = getattr(hint, "dim_str", None)
    if typing.get_origin(hint) is typing.Annotated:
        of, *notes = typing.get_args(hint)
        notes = [m for m in notes if isinstance(m, str | tuple)] if _is_array(of) else []
        # several texts: the others are documentation
        shapes = [m for m in notes if isinstance(m, tuple) or "," in m or m.isdigit()] or notes
        found = shapes[0] if shapes else None
    if found is None:
        return None
    words = [str(n) for n in found] if isinstance(found, tuple) else found.replace(",", " ").split()
    return tuple(_size(name, word, letters) for word in words)


def _size(name: str, word: str, letters: Letters) -> int:
    if word.isdigit():
        return int(word)
    if not word.isidentifier():
        raise InputError(f"the shape of '{name}' has '{word}' in it; write numbers and names, as '3,n'", name)
    return letters.setdefault(word, SIZES[len(letters) % len(SIZES)])


def _dtype(hint: Any) -> str | None:
    """The dtype that an annotation names, as NDArray[np.float32] does; None for any."""
    for part in _parts(hint):
        if part is complex:
            return "complex128"
        if isinstance(part, type) and issubclass(part, np.generic):
            try:
                kind = np.dtype(part)
            except TypeError:  # np.floating: any of them
                return None
            if kind.kind not in "fc":
                raise InputError(f"an array of {kind} has no gradient; annotate a floating-point one")
            return kind.name
    return None


def _parts(hint: Any) -> list[Any]:
    return [hint, *[p for a in typing.get_args(hint) for p in _parts(a)]]


def drawn(plan: Plan, low: float, high: float, dtype: str, rng: np.random.Generator) -> Any:
    """The value of a plan: short decimals between the limits, or the default."""
    if isinstance(plan, Kept):
        return plan.value
    if isinstance(plan, Drawn):
        kind = np.dtype(plan.dtype or dtype)
        values: Any = np.round(rng.uniform(low, high, plan.shape), 3)
        if kind.kind == "c":
            values = values + 1j * np.round(rng.uniform(low, high, plan.shape), 3)
        return np.asarray(values).astype(kind)
    if isinstance(plan, dict):
        return {key: drawn(p, low, high, dtype, rng) for key, p in plan.items()}
    return type(plan)(drawn(p, low, high, dtype, rng) for p in plan)


def described(plan: Plan) -> str:
    """A plan in words, for the first line of the output."""
    if isinstance(plan, Drawn | Kept):
        return str(plan)
    if isinstance(plan, dict):
        return "{" + ", ".join(f"{k}: {described(p)}" for k, p in plan.items()) + "}"
    left, right = "[]" if isinstance(plan, list) else "()"
    return left + ", ".join(map(described, plan)) + right
