"""The caller's names: of variables, and of parameters by their path in a module."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

import numpy as np

from ...graph import CONSTANT, Node
from ...tensor import Tensor

LONGEST = 1000
"""Containers with more elements than this are not looked through for names."""
DEEPEST = 4
OPTIMIZED = 0x01  # the bit in a code object's flags that says: variables are not in a dictionary


def root(array: Any) -> Any:
    """The array that owns the memory of a view."""
    while isinstance(array, np.ndarray) and isinstance(array.base, np.ndarray):
        array = array.base
    return array


def is_module(value: Any) -> bool:
    """Whether this is a module: an object whose class has ``named_parameters``."""
    return not isinstance(value, type) and callable(getattr(type(value), "named_parameters", None))


class Names:
    """Names of nodes, the Tensors that hold their values, and the memory that is the caller's own."""

    def __init__(self) -> None:
        self.of: dict[Node, str] = {}
        self.tensors: dict[Node, Tensor] = {}
        self.owned: set[int] = set()
        self.arguments: set[Node] = set()
        self.arrays: dict[int, str] = {}  # by id; the arrays are kept
        self.modules: dict[int, str] = {}
        self.kinds: dict[str, str] = {}  # of a module, by its path: the name of its class
        self.homes: dict[Node, tuple[str, ...]] = {}  # of a parameter: the paths of the modules around it
        self._kept: list[Any] = []

    def add(self, name: str, value: Any, depth: int = 0) -> None:
        """Note the object of ``name``; an earlier name stays."""
        kind = type(value)
        if kind is Tensor:
            node = value._node
            if node is not CONSTANT:
                self.of.setdefault(node, name)
                self.tensors.setdefault(node, value)
            if not node.parents:
                self.own(value._value)
        elif isinstance(value, np.ndarray):
            self.own(value)
            if id(value) not in self.arrays:
                self._kept.append(value)
                self.arrays[id(value)] = name
        elif is_module(value):
            self.add_module(name, value)
        elif depth < DEEPEST and kind in (list, tuple, dict) and len(value) <= LONGEST:
            items = value.items() if kind is dict else enumerate(value)
            for key, item in items:
                if type(item) in (Tensor, list, tuple, dict, np.ndarray) or is_module(item):
                    self.add(f"{name}[{key!r}]", item, depth + 1)

    def add_module(self, name: str, module: Any) -> None:
        """Note the paths of a module's parameters and of the modules inside it."""
        if id(module) in self.modules:
            return
        self._note(name, module)
        prefix = f"{name}." if name else ""
        try:
            parameters = list(module.named_parameters())
            inner = list(module.named_modules()) if hasattr(module, "named_modules") else None
        except Exception:  # something else with a method of this name: no reason to draw nothing
            return
        if inner is None:
            self._walk(prefix, module, 0)
        for path, child in inner or ():
            if path and id(child) not in self.modules:
                self._note(f"{prefix}{path}", child)
        around: dict[str, tuple[str, ...]] = {"": ()}
        for path, parameter in parameters:
            full = f"{prefix}{path}"
            self.add(full, parameter)
            if type(parameter) is Tensor:
                self.homes.setdefault(parameter._node, self._modules_around(full, around))

    def _modules_around(self, path: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The paths of the modules that something stands in, the outermost first; those found are put into ``known``.

        A path may have thousands of parts: each is looked at once, and not once for each path that begins with it.
        """
        places = []
        path = path.rpartition(".")[0]
        while path not in known:
            places.append(path)
            path = path.rpartition(".")[0]
        modules = known[path]
        for place in reversed(places):
            modules = known[place] = (*modules, place) if place in self.kinds else modules
        return modules

    def _note(self, path: str, module: Any) -> None:
        self._kept.append(module)  # so that its id stays its own
        self.modules[id(module)] = path
        self.kinds[path] = type(module).__name__

    def _walk(self, prefix: str, module: Any, depth: int) -> None:
        """Modules inside a module that does not name them itself: those in its attributes."""
        for key, value in list(getattr(module, "__dict__", {}).items()):
            items = (
                value.items() if isinstance(value, dict) else enumerate(value) if type(value) in (list, tuple) else None
            )
            for path, child in [(key, value)] if items is None else [(f"{key}.{i}", v) for i, v in items]:
                if is_module(child) and id(child) not in self.modules and depth < 100:
                    self._note(prefix + path, child)
                    self._walk(f"{prefix}{path}.", child, depth + 1)

    def own(self, array: Any) -> None:
        """Note that this memory belongs to the caller, with or without a graph."""
        owner = root(array)
        if isinstance(owner, np.ndarray):
            self._kept.append(owner)
            self.owned.add(id(owner))

    def add_all(self, namespace: Mapping[str, Any], among: Any = None) -> None:
        """Note every variable of a namespace, or only those ``among`` if given."""
        chosen = [
            (name, value)
            for name, value in list(namespace.items())
            if (among is None or name in among) and not name.startswith("__")
        ]
        # a parameter's path says more than the variable of a loop over parameters, and that more than a list's index
        chosen.sort(key=lambda item: 0 if is_module(item[1]) else 1 if type(item[1]) is Tensor else 2)
        for name, value in chosen:
            self.add(name, value)

    def add_function(self, function: Any) -> None:
        """Note the variables that a function uses and does not define: its closure and its globals."""
        function = getattr(function, "__func__", function)
        code = getattr(function, "__code__", None)
        if code is None:
            return
        for name, cell in zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=False):
            try:
                self.add(name, cell.cell_contents)
            except ValueError:  # a variable that has no value yet
                continue
        self.add_all(getattr(function, "__globals__", {}), code.co_names)

    def add_frame(self, frame: FrameType) -> None:
        """Note the variables of a running function, then the globals that it sees."""
        namespace = frame.f_locals
        self.add_all(namespace)
        if namespace is not frame.f_globals:
            self.add_all(frame.f_globals)
            if frame.f_code.co_flags & OPTIMIZED and type(namespace) is dict:
                namespace.clear()  # before Python 3.13 a copy, which would keep the caller's arrays alive


_HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


def of_library(frame: FrameType) -> bool:
    """Whether a running function is in a file of this library; an example in a docstring is not."""
    return frame.f_code.co_filename.startswith(_HERE)


def caller() -> FrameType | None:
    """The innermost running function that is not of this library."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and of_library(frame):
        frame = frame.f_back
    return frame
