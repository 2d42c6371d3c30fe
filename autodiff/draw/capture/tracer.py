"""A tracer of a running computation: the call, the line, the time and the values of each operation.

A tracer is a mode for the time of one call, in one thread.  The engine records as always, and the tracer keeps a
:class:`Record` of each new node.  It knows what a finished graph does not have: an option such as ``axis``, a constant,
the line of code.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ...graph import CONSTANT, Node
from ...mode import Mode
from ...primitive import Composite, Primitive, registry
from ...tensor import Tensor
from ..picture.measure import Measure, measure
from ..picture.model import COMPOSITE, Group
from .names import Names, is_module, of_library


class Record:
    """The facts about one operation."""

    __slots__ = (
        "arguments",
        "error",
        "forward",
        "group",
        "label",
        "line",
        "node",
        "parents",
        "primitive",
        "shape",
        "value",
    )

    def __init__(self, primitive: Primitive, group: int, line: str) -> None:
        self.primitive = primitive
        self.group = group
        self.line = line
        self.node: Node | None = None
        self.parents: list[Node] = []
        self.arguments: list[str] = []
        self.label = primitive.name
        self.forward = 0.0
        self.value: Measure | None = None
        self.error: BaseException | None = None
        self.shape: Any = None


def brief(value: Any) -> str:
    """A constant or an option as a short text."""
    if type(value) is Tensor:
        return "·"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, np.ndarray | np.generic):
        return f"{value:.10g}" if value.dtype == np.float64 else str(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    if type(value) in (list, tuple) and len(value) <= 8:
        inner = ", ".join(map(brief, value))
        return f"[{inner}]" if type(value) is list else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, slice):
        return ":".join("" if v is None else brief(v) for v in (value.start, value.stop, value.step))[
            : None if value.step else -1
        ]
    if value is Ellipsis:
        return "..."
    try:
        text = repr(value)
    except Exception:  # a stranger's object must not end the call that is drawn
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 30 else text[:27] + "..."


def describe(
    primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], constant: Callable[[Any], Node] | None = None
) -> tuple[list[Node], list[str], str]:
    """The argument nodes of a call, their parameters, and the call with its constants as text.

    ``constant`` makes the nodes of arrays that are no variables, if these are to be drawn.
    """
    parents: list[Node] = []
    names: list[str] = []
    try:
        values = primitive.bind(args, kwargs)
    except TypeError:  # the call itself will say what is wrong
        values = list(args)
    shown: list[str] = []
    plain = True
    first_default = len(primitive.parameters) - len(primitive.defaults)
    for i, value in enumerate(values):
        name = primitive.parameters[i] if i < len(primitive.parameters) else str(i)
        found = tensors(value)
        nodes = [t._node for t in found if t._node is not CONSTANT]
        nodes += [] if constant is None else map(constant, arrays(value))
        parents.extend(nodes)
        names.extend([name] * len(nodes))
        if i >= first_default:
            default = primitive.defaults[i - first_default]
            if value is not default and not (type(value) is type(default) and value == default):
                shown.append(f"{name}={brief(value)}")
                plain = False
        elif type(value) is Tensor or (nodes and not found):
            is_drawn = bool(nodes) and not isinstance(value, tuple)
            shown.append("·" if is_drawn else brief(value._value if type(value) is Tensor else value))
            plain = plain and is_drawn
        elif found:
            shown.append(f"[{len(value)} ·]")
        else:
            shown.append(brief(value))
            plain = False
    while shown and shown[0] == "·" and shown.count("·") == 1 and len(shown) > 1 and "=" in shown[1]:
        shown.pop(0)  # sum(axis=0), not sum(·, axis=0)
    return parents, names, primitive.name if plain else f"{primitive.name}({', '.join(shown)})"


def tensors(value: Any) -> list[Tensor]:
    """The Tensors in an argument, also those in a list."""
    if type(value) is Tensor:
        return [value]
    if type(value) in (list, tuple):
        return [t for item in value for t in tensors(item)]
    return []


def arrays(value: Any) -> list[Any]:
    """The arrays in an argument that are no variables, also those in an index."""
    if type(value) is Tensor:
        value = value._value if value._node is CONSTANT else None
    if isinstance(value, np.ndarray) and value.ndim:
        return [value]
    return [a for item in value for a in arrays(item)] if type(value) in (list, tuple) else []


class Tracer(Mode):
    """One traced call, used as a context manager; ``records`` are in the order of computation."""

    def __init__(self, names: Names, *, values: bool = False, constants: bool = False, own_name: str = "") -> None:
        self.names = names
        self.constants = constants
        self._constants: dict[int, tuple[Any, Node]] = {}  # by id, with the array, which keeps its id
        self.values = values
        self.records: list[Record] = []
        self.of: dict[Node, Record] = {}
        self.met: dict[Node, Measure] = {}  # the values of arguments that come from no operation that was seen
        self.groups: list[Group] = [Group("root", own_name)]
        self.failed: list[Record] = []  # the first operation that failed, and those that it was a part of
        self.own_names: dict[Node, str] = {}
        self._stack: list[tuple[FrameType, int]] = []
        self._boundary = sys._getframe(1)
        self._local: dict[Any, bool] = {}

    def left(self, *error: Any) -> None:
        """Drop the frames, which keep the variables of their functions alive."""
        if self._stack:  # of the function that is drawn: what it called its results is what a reader calls them
            inside = Names()
            inside.add_all(self._stack[0][0].f_locals)
            self.own_names = inside.of
        self._stack.clear()

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do the operation outside, and note its caller and its result."""
        group, line = self._place()
        record = Record(primitive, group, line)
        constant = self._constant if self.constants else None
        record.parents, record.arguments, record.label = describe(primitive, args, kwargs, constant)
        self.records.append(record)
        if self.values:
            self.meet((*args, *kwargs.values()))
        try:
            with self.outside():
                started = time.perf_counter()
                result = primitive.call(*args, **kwargs)
                record.forward = time.perf_counter() - started
        except BaseException as error:
            record.error = error
            self.failed.append(record)
            raise
        first = result[0] if isinstance(result, tuple) and result else result
        node = first._node if type(first) is Tensor else CONSTANT
        if isinstance(result, tuple) and node is not CONSTANT:
            node = node.parents[0]  # the operation itself: its outputs are nodes of their own
        elif node is not CONSTANT:
            record.value = measure(first._value, cells=True) if self.values else None
        if node is CONSTANT:
            self.records.pop()
        else:
            record.node = node
            self.of[node] = record
        return result

    def meet(self, values: Any) -> None:
        """Measure Tensors whose operation was not seen: those of a checkpointed part, or variables."""
        for tensor in tensors(tuple(values)):
            node = tensor._node
            if node is not CONSTANT and node not in self.of and node not in self.met:
                self.met[node] = measure(tensor._value, cells=True)

    def _constant(self, array: Any) -> Node:
        """The node of an array that is no variable, with its name."""
        known = self._constants.get(id(array))
        if known is None:
            node = Node.make(None, array.shape, array.dtype, active=False)
            known = self._constants[id(array)] = array, node
            if name := self.names.arrays.get(id(array)):
                self.names.of.setdefault(node, name)
            if self.values:
                self.met[node] = measure(array, cells=True)
        return known[1]

    # -- where in the caller's code ------------------------------------------------------------------------------

    def _place(self) -> tuple[int, str]:
        """The group of the running operation, and the line of code that asked for it."""
        frames: list[FrameType] = []
        frame: FrameType | None = sys._getframe(3)
        line = ""
        while frame is not None and frame is not self._boundary:
            code = frame.f_code
            local = self._local.get(code)
            if local is None:
                of_numpy = str(frame.f_globals.get("__name__", "")).split(".")[0] == "numpy"
                local = self._local[code] = not of_numpy and not of_library(frame)
            if local:
                line = line or line_of(frame)
            if local or code in _composites():
                frames.append(frame)
            frame = frame.f_back
        frames.reverse()
        stack = self._stack
        same = 0
        while same < len(frames) and same < len(stack) and stack[same][0] is frames[same]:
            same += 1
        del stack[same:]
        group = stack[-1][1] if stack else 0
        for frame in frames[same:]:
            group = self._enter(frame, group)
            stack.append((frame, group))
        return group, line

    def _enter(self, frame: FrameType, outer: int) -> int:
        """The group of a call that is new on the stack."""
        code = frame.f_code
        if code in _composites():
            self.groups.append(Group(COMPOSITE, _composites()[code], "", outer))
            return len(self.groups) - 1
        first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        groups = self.groups
        if first is not None and is_module(first):
            path = self.names.modules.get(id(first), "")
            if code.co_name in ("__call__", "forward"):
                inside = groups[outer]
                if outer == 0 and path == "" and id(first) in self.names.modules:
                    return 0  # the model that is being drawn
                if inside.kind == "module" and inside.name == path and inside.type == type(first).__name__:
                    return outer  # forward, called by __call__
                groups.append(Group("module", path, type(first).__name__, outer))
                return len(groups) - 1
            groups.append(Group("function", f"{type(first).__name__}.{code.co_name}", "", outer))
            return len(groups) - 1
        if not self._stack or code.co_name.startswith("<"):
            return outer  # the function that is being drawn, lambdas, comprehensions, a script's own level
        groups.append(Group("function", code.co_name, "", outer))
        return len(groups) - 1


@functools.cache
def _composites() -> dict[CodeType, str]:
    """The functions of NumPy that are written with others, by the code that does it."""
    return {entry.definition.__code__: entry.name for entry in registry.values() if isinstance(entry, Composite)}


def line_of(frame: FrameType) -> str:
    """ "file.py:12  code" of a frame."""
    name = frame.f_code.co_filename
    text = linecache.getline(name, frame.f_lineno).strip()
    where = f"{os.path.basename(name)}:{frame.f_lineno}"
    return f"{where}  {text[:200]}" if text else where
