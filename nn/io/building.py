"""Objects from data that :mod:`nn.io.describing` wrote.

Nothing in the data is trusted: classes and functions are looked up by name among those that are known, and objects are
made empty and get their attributes; no constructor is called.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from . import generators
from .describing import TYPES
from .known import Classes, function_named, is_named_tuple

Array = Any


class DamagedError(ValueError):
    """A description is not one that could have been written."""


class Builder:
    """Makes what a description says, with these classes and arrays."""

    def __init__(self, description: Mapping[str, Any], arrays: Mapping[str, Array], classes: Classes) -> None:
        self.arrays, self.classes = arrays, classes
        self.used: set[str] = set()
        self._variables: dict[tuple[str, int], Tensor] = {}
        listed = [_of(list, description, name) for name in ("objects", "generators")]
        self._described, self.generators = listed[0], [generators.made(each) for each in listed[1]]
        self.objects = [self._empty(each) for each in self._described]
        waiting = []
        for thing, each in zip(self.objects, self._described, strict=True):
            state = self._attributes(type(thing), each["state"])
            if hasattr(type(thing), "__setstate__") or "" in each["state"]:
                waiting.append((thing, state))
            else:
                vars(thing).update(state)
        for thing, state in reversed(waiting):  # what is inside was described later
            self.set_state(thing, state)

    def _empty(self, described: Any) -> Any:
        """An object without attributes."""
        if not isinstance(described, dict) or set(described) != {"class", "state"}:
            raise DamagedError("an object must have a class and a state")
        kind = self.classes.named(_of(str, described, "class"))
        if is_named_tuple(kind):
            raise DamagedError(f"{kind.__name__} is not a class of objects with attributes")
        return object.__new__(kind)

    def _attributes(self, kind: type, state: Any) -> Any:
        if not isinstance(state, dict):
            raise DamagedError(f"the attributes of {kind.__name__} are not a mapping")
        if set(state) == {""}:
            return self.value(state[""])
        self.check_names(kind, state)
        return {name: self.value(value) for name, value in state.items()}

    def check_names(self, kind: type, names: Iterable[str]) -> None:
        """Raise DamagedError if an attribute of such a name would take the place of what makes the class."""
        for name in names:
            if name.startswith("__") or (self.classes.is_own(kind) and callable(getattr(kind, name, None))):
                raise DamagedError(f"an attribute '{name[:60]}' of {kind.__name__} would hide what its class has")

    def set_state(self, thing: Any, state: Any) -> None:
        """As copying and pickling set the state of an object."""
        kind = type(thing)
        if hasattr(kind, "__setstate__"):
            thing.__setstate__(state)
            return
        for part in state if isinstance(state, tuple) else (state,):
            if part is None:
                continue
            if not isinstance(part, dict) or not all(isinstance(name, str) for name in part):
                raise DamagedError(f"the state of {kind.__name__} is no mapping")
            self.check_names(kind, part)
            for name, value in part.items():
                object.__setattr__(thing, name, value)

    # -- values ----------------------------------------------------------------------------------------------

    def value(self, given: Any) -> Any:
        """The value that data stand for."""
        if given is None or type(given) in (bool, int, float, str):
            return given
        if isinstance(given, list):
            return [self.value(each) for each in given]
        if not isinstance(given, dict) or not given:
            raise DamagedError(f"{_short(given)} stands for nothing")
        kind = next(iter(given))
        make = _MAKERS.get(kind)
        if make is None or set(given) - {kind} - _MORE.get(kind, frozenset()):
            raise DamagedError(f"{_short(given)} stands for nothing")
        try:
            return make(self, given[kind], given)
        except DamagedError:
            raise
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise DamagedError(f"{_short(given)} stands for nothing ({error})") from None

    def _array(self, name: Any, given: Any) -> Array:
        if not isinstance(name, str) or name not in self.arrays:
            raise DamagedError(f"the array {_short(name)} is missing")
        self.used.add(name)
        return self.arrays[name]

    def _variable(self, name: Any, given: Any) -> Tensor:
        number = given.get("number", 0)
        array = self._array(name, given)
        if type(number) is not int or array.dtype.kind not in "fc":
            raise DamagedError(f"the variable {_short(name)} is {array.dtype}")
        return self._variables.setdefault((name, number), Tensor(array))

    def _items(self, items: Any) -> list[Any]:
        if not isinstance(items, list):
            raise DamagedError(f"{_short(items)} is not a list")
        return [self.value(each) for each in items]

    def _listed(self, things: list[Any], place: Any) -> Any:
        if type(place) is not int or not 0 <= place < len(things):
            raise DamagedError(f"there is no number {_short(place)} of {len(things)}")
        return things[place]

    def _named(self, name: Any, given: Any) -> Any:
        kind = self.classes.named(name if isinstance(name, str) else "")
        if not is_named_tuple(kind):
            raise DamagedError(f"{kind.__name__} is not a named tuple")
        return kind._make(self._items(given.get("items")))  # type: ignore[attr-defined]  # whatever its __new__ does

    def _function(self, name: Any) -> Any:
        found = function_named(name) if isinstance(name, str) else None
        if found is None:
            raise DamagedError(f"the function {_short(name)} is none that a file may name")
        return found


def _number(builder: Builder, value: Any, given: Any) -> Any:
    dtype = np.dtype(given["dtype"] if isinstance(given["dtype"], str) else None)
    if dtype.kind not in "biufc":
        raise DamagedError(f"a number is {dtype}")
    return dtype.type(builder.value(value))


def _float(builder: Builder, text: Any, given: Any) -> float:
    if text not in ("nan", "inf", "-inf"):
        raise DamagedError(f"{_short(text)} is no number")
    return float(text)


def _dtype(builder: Builder, text: Any, given: Any) -> Any:
    dtype = np.dtype(text if isinstance(text, str) else None)
    if dtype.kind not in "biufc":
        raise DamagedError(f"the dtype {_short(text)} is not one of numbers")
    return dtype.newbyteorder("=")


def _type(builder: Builder, name: Any, given: Any) -> Any:
    if name in TYPES:
        return TYPES[name]
    found = getattr(np, name.removeprefix("numpy."), None) if isinstance(name, str) else None
    if not (isinstance(found, type) and issubclass(found, np.generic) and name.startswith("numpy.")):
        raise DamagedError(f"the type {_short(name)} is not one of numbers")
    return found


def _opaque(builder: Builder, what: Any, given: Any) -> Any:
    raise DamagedError(f"{str(what)[:200]}, which was no data when it was written")


_MAKERS: dict[str, Any] = {
    "opaque": _opaque,
    "array": Builder._array,
    "variable": Builder._variable,
    "object": lambda b, place, given: b._listed(b.objects, place),
    "generator": lambda b, place, given: b._listed(b.generators, place),
    "function": lambda b, name, given: b._function(name),
    "named": Builder._named,
    "tuple": lambda b, items, given: tuple(b._items(items)),
    "set": lambda b, items, given: set(b._items(items)),
    "frozenset": lambda b, items, given: frozenset(b._items(items)),
    "dict": lambda b, pairs, given: {b.value(k): b.value(v) for k, v in pairs},
    "ordered": lambda b, pairs, given: OrderedDict((b.value(k), b.value(v)) for k, v in pairs),
    "float": _float,
    "complex": lambda b, parts, given: complex(*b._items(parts)),
    "slice": lambda b, parts, given: slice(*b._items(parts)),
    "number": _number,
    "dtype": _dtype,
    "type": _type,
}
"""What makes each kind of value: a function of the builder, the value of its first entry, and the whole."""
_MORE = {"variable": frozenset({"number"}), "named": frozenset({"items"}), "number": frozenset({"dtype"})}


def _of(kind: type, mapping: Mapping[str, Any], name: str) -> Any:
    """An entry of this type."""
    value = mapping.get(name)
    if not isinstance(value, kind):
        raise DamagedError(f"the entry '{name}' is {_short(value)}, and must be a {kind.__name__}")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
