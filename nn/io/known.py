"""The classes and functions that a file may name: public ones of ``nn`` and ``autodiff``, ufuncs, and given classes.

A file holds names and never code.  A name is looked up here and nowhere else, so no file can reach anything but these.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..layers.structure import Holder
from ..reports.history import History

FUNCTIONS = ("autodiff.ops", "autodiff.recording")
"""Where the functions of ``autodiff`` stand that compute; the others do things."""


def _namespaces() -> Iterator[tuple[str, Any]]:
    """``nn`` and its public modules, by name."""
    package = sys.modules["nn"]
    yield "nn", package
    for name in package.__all__:
        if isinstance(value := getattr(package, name), types.ModuleType):
            yield f"nn.{name}", value


def is_describable(kind: type) -> bool:
    """Whether objects of a class are described by their attributes: modules, what changes them, and records."""
    return (
        issubclass(kind, Holder | History)
        or dataclasses.is_dataclass(kind)
        or is_named_tuple(kind)
        or (hasattr(kind, "load_state_dict") and (hasattr(kind, "step") or hasattr(kind, "update")))
        or getattr(kind, "is_described", False) is True
    )


def is_named_tuple(kind: type) -> bool:
    """Whether a class is a tuple with named fields."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def own_classes() -> dict[str, type]:
    """The public classes of ``nn`` that can be described, by name: nn.Linear, nn.optim.Adam."""
    found: dict[str, type] = {}
    for prefix, namespace in _namespaces():
        for name, value in vars(namespace).items():
            if isinstance(value, type) and not name.startswith("_") and is_describable(value):
                found.setdefault(f"{prefix}.{name}", value)
    return found


class NamesOfClasses:
    """The names of classes: of those of ``nn`` the public ones, of others the module and the name there."""

    def __init__(self) -> None:
        self._own: dict[type, str] = {}
        for name, kind in own_classes().items():
            self._own.setdefault(kind, name)

    def __getitem__(self, kind: type) -> str:
        return self._own.get(kind) or f"{kind.__module__}.{kind.__qualname__}"


def name_of_function(function: Any) -> str | None:
    """The name by which a file may hold a function, or None."""
    name = getattr(function, "__name__", None)
    for prefix in ("nn", "autodiff", "numpy"):
        if isinstance(name, str) and function_named(f"{prefix}.{name}") is function:
            return f"{prefix}.{name}"
    return None


def function_named(name: str) -> Any:
    """The function of this name, or None if there is none that a file may hold."""
    prefix, _, last = name.partition(".")
    if prefix == "numpy":
        found = vars(np).get(last)
        return found if isinstance(found, np.ufunc) else None
    if prefix == "autodiff" and last in sys.modules["autodiff"].__all__:
        found = getattr(sys.modules["autodiff"], last)
        return found if getattr(found, "__module__", "").startswith(FUNCTIONS) else None
    if prefix == "nn" and last in sys.modules["nn"].__all__:
        found = getattr(sys.modules["nn"], last)
        computes = getattr(found, "__module__", "").startswith(("nn.layers", "nn.losses"))
        return found if computes and isinstance(found, types.FunctionType) else None
    return None


class Classes:
    """The classes that a file may name: those of ``nn``, and those that were given."""

    def __init__(self, who: str, given: Any) -> None:
        if isinstance(given, type):
            given = (given,)
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(f"{who}: classes is a {type(given).__name__}; give your own classes: classes=[Net]")
        self.who = who
        self.given: tuple[type, ...] = tuple(given)
        for kind in self.given:
            if not isinstance(kind, type):
                raise TypeError(f"{who}: classes has a {type(kind).__name__}; give the class itself: classes=[Net]")
            if not is_describable(kind):
                raise TypeError(f"{who}: {kind.__name__} is neither a Module nor a record (dataclass, named tuple)")
        self.own = own_classes()

    def is_own(self, kind: type) -> bool:
        """Whether a class is one of ``nn``."""
        return kind in self.own.values()

    def named(self, name: str) -> type:
        """The class of this name.  Raises ValueError that says what to write."""
        if name in self.own:
            return self.own[name]
        full: list[type] = [kind for kind in self.given if f"{kind.__module__}.{kind.__qualname__}" == name]
        short = [kind for kind in self.given if kind.__name__ == name.rpartition(".")[2]]
        found = list(dict.fromkeys(full or short))
        if len(found) == 1:
            return found[0]
        module, _, last = name.rpartition(".")
        if found:
            raise ValueError(f"it has a {name}, and {len(found)} of the given classes are called {last}; give that one")
        if module.split(".")[0] == "nn":
            raise ValueError(f"it has a {name[:80]!r}, which this version of nn does not have")
        raise ValueError(
            f"it has an object of the class {last} (of the module {module.removesuffix('.<locals>')}), which is not "
            f"given; write {self.who}(path, classes=[{last}])"
        )
