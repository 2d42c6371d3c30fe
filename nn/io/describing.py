"""Objects as data: what can be written as JSON, with arrays by name beside it.

A module is described by its class and its attributes, which our layers call as their arguments are called.  So a model
that was changed after it was made is described as it is.  Objects, arrays and random generators that are in several
places are written once, and are one object after reading, too.

====================================  ==========================================================
value                                 in JSON
====================================  ==========================================================
None, bool, int, float, str           itself; ``{"float": "nan"}`` for what is not finite
list, tuple, set, frozenset           ``[...]``, ``{"tuple": [...]}``, ``{"set": [...]}``
dict                                  ``{"dict": [[key, value], ...]}``
array                                 ``{"array": name}``
Tensor, a variable                    ``{"variable": name}``
number of NumPy                       ``{"number": value, "dtype": "float32"}``
dtype, type of numbers                ``{"dtype": "<f4"}``, ``{"type": "numpy.float32"}``
named tuple                           ``{"named": class, "items": [...]}``
function                              ``{"function": "autodiff.relu"}``
random generator, object              ``{"generator": 0}``, ``{"object": 0}``: places in two lists
what is no data, in a checkpoint      ``{"opaque": what it is}``, which cannot be read
====================================  ==========================================================
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.structure import Holder, is_variable, joined, named_slots, values_of
from . import generators
from .known import NamesOfClasses, is_describable, is_named_tuple, name_of_function

Array = Any
TYPES = {"bool": bool, "int": int, "float": float, "complex": complex, "str": str}
"""The types of Python that are written by name."""


class Describer:
    """Writes values as data, and collects the objects, generators and arrays that they refer to."""

    def __init__(self, who: str, *, lenient: bool = False) -> None:
        self.who = who
        self.lenient = lenient
        """Whether what is no data is noted as that, instead of an error."""
        self._classes = NamesOfClasses()
        self.objects: list[Any] = []
        self.generators: list[Any] = []
        self.arrays: dict[str, Array] = {}
        self._names: dict[int, str] = {}
        self._variables: dict[str, list[Tensor]] = {}
        self._places: dict[int, int] = {}
        self.things: list[Any] = []
        """The objects themselves, which must stay while they are known by their ids."""
        self.generator_objects: list[Any] = []
        self._waiting: list[tuple[int, Any, str]] = []

    def name_arrays(self, model: Holder) -> None:
        """Give the arrays of a model the names of its state_dict."""
        for name, slot in named_slots(model, self.who).items():
            self._array(values_of(slot.value), name)

    def described(self, value: Any, where: str) -> Any:
        """A value as data; ``where`` is its place, for messages and for the names of arrays."""
        try:
            found = self._written(value, where, ())
            while self._waiting:
                place, thing, inside = self._waiting.pop()
                self.objects[place]["state"] = self._state_of(thing, inside)
        except RecursionError:
            raise ValueError(f"{self.who}: {where} holds containers in containers, too many to write") from None
        return found

    # -- objects ---------------------------------------------------------------------------------------------

    def _state_of(self, thing: Any, where: str) -> Any:
        """The attributes of an object; or what its class says that its state is."""
        state = thing.__getstate__()
        if not isinstance(state, dict) or any(not isinstance(name, str) for name in state):
            return {"": self._written(state, where, ())}
        name = type(thing).__name__
        return {key: self._written(value, joined(where, key), (), f"{name}.{key}") for key, value in state.items()}

    def _object(self, thing: Any, where: str) -> dict[str, int]:
        place = self._places.get(id(thing))
        if place is None:
            place = self._places[id(thing)] = len(self.objects)
            self.things.append(thing)
            self.objects.append({"class": self._classes[type(thing)]})
            self._waiting.append((place, thing, where))
        return {"object": place}

    def _generator(self, generator: Any) -> dict[str, int]:
        place = self._places.get(id(generator))
        if place is None:
            found = generators.described(generator)
            place = self._places[id(generator)] = len(self.generators)
            self.generator_objects.append(generator)
            self.generators.append(found)
        return {"generator": place}

    # -- arrays ----------------------------------------------------------------------------------------------

    def _array(self, array: Array, where: str) -> str:
        name = self._names.get(id(array))
        if name is None:
            name, count = where, 1
            while name in self.arrays:
                count += 1
                name = f"{where} {count}"
            self._names[id(array)] = name
            self.arrays[name] = array
        return name

    def variables_of(self, name: str) -> list[Tensor]:
        """The variables that hold an array."""
        return self._variables.get(name, [])

    def _variable(self, t: Tensor, where: str) -> dict[str, Any]:
        """A variable; a result, which a private attribute may keep, is written as the array it is."""
        name = self._array(t.data, where)
        if not is_variable(t):
            return {"array": name}
        known = self._variables.setdefault(name, [])
        place = next((i for i, other in enumerate(known) if other is t), len(known))
        if place == len(known):
            known.append(t)
        return {"variable": name, "number": place} if place else {"variable": name}

    # -- values ----------------------------------------------------------------------------------------------

    def _written(self, value: Any, where: str, inside: tuple[int, ...], whose: str = "") -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Tensor):
            return self._variable(value, where)
        if kind is np.ndarray and value.dtype.kind in "biufc":
            return {"array": self._array(value, where)}
        if kind in (list, tuple, set, frozenset, dict, OrderedDict):
            return self._container(value, where, inside, whose)
        try:
            found = self._special(value, where)
        except TypeError as error:
            return self._refused(whose or where, str(error))
        return self._refused(whose or where, _what(value)) if found is None else found

    def _special(self, value: Any, where: str) -> Any:
        kind = type(value)
        if isinstance(value, np.generic) and value.dtype.kind in "biufc" and value.dtype.char not in "gG":
            return {"number": self._written(value.item(), where, ()), "dtype": value.dtype.name}
        if kind is complex:
            return {"complex": [self._written(value.real, where, ()), self._written(value.imag, where, ())]}
        if kind is slice:
            return {"slice": [self._written(part, where, ()) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, np.random.Generator):
            return self._generator(value)
        if isinstance(value, np.dtype) and value.kind in "biufc":
            return {"dtype": value.newbyteorder("=").str}
        if isinstance(value, type):
            return _type(value)
        if is_named_tuple(kind):
            return {"named": self._classes[kind], "items": self._items(value, where, ())}
        if is_describable(kind):
            return self._object(value, where)
        name = name_of_function(value)
        return None if name is None else {"function": name}

    def _container(self, value: Any, where: str, inside: tuple[int, ...], whose: str) -> Any:
        if id(value) in inside:
            return self._refused(whose or where, f"a {type(value).__name__} that holds itself")
        inside = (*inside, id(value))
        if isinstance(value, dict):
            pairs = [
                [self._written(key, where, inside, whose), self._written(item, joined(where, key), inside, whose)]
                for key, item in value.items()
            ]
            return {"dict" if type(value) is dict else "ordered": pairs}
        ordered = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        items = self._items(ordered, where, inside, whose)
        return items if type(value) is list else {type(value).__name__: items}

    def _items(self, values: Any, where: str, inside: tuple[int, ...], whose: str = "") -> list[Any]:
        return [self._written(item, joined(where, i), inside, whose) for i, item in enumerate(values)]

    def _refused(self, where: str, what: str) -> dict[str, str]:
        if self.lenient:
            return {"opaque": f"{where} is {what}"}
        raise TypeError(
            f"{self.who}: {where} is {what}, which cannot be written as data. Data are numbers, texts, arrays, lists, "
            "dicts, modules, records (dataclasses), random generators, and functions of nn, autodiff or NumPy's "
            "ufuncs. Make it one of these; or leave it out in a __getstate__ of its class, and make it again in "
            "__setstate__; or save the parameters alone: nn.safetensors.save_file(model.state_dict(), path)"
        )


def _type(kind: type) -> dict[str, str] | None:
    """A type of numbers or texts by name, or None."""
    if TYPES.get(kind.__name__) is kind:
        return {"type": kind.__name__}
    is_numpy = issubclass(kind, np.generic) and getattr(np, kind.__name__, None) is kind
    return {"type": f"numpy.{kind.__name__}"} if is_numpy else None


def _what(value: Any) -> str:
    """What a value is, for a message."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if type(value) is np.ndarray:
        return f"an array of {value.dtype}"
    name = getattr(value, "__qualname__", None)
    return f"the function {name}" if isinstance(name, str) else f"a {type(value).__name__}"
