"""A mode that watches operations as they are recorded: their arguments, results and lines of code."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from ...graph import CONSTANT, Node
from ...mode import Mode
from ...primitive import Primitive
from ...tensor import Tensor

_HOME = Path(__file__).resolve().parents[2]
_INSIDE = (str(_HOME), str(Path(np.__file__).resolve().parent))
_LAYERS = str(_HOME.parent / "nn") + os.sep


class Source(NamedTuple):
    """A line of the user's program; ``through`` is the line of a layer, where that is what the line called."""

    file: str
    line: int
    through: str = ""

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        cell = _cell(self.file)
        place = f"{self.file}:{self.line}" if cell is None else f"{cell}, line {self.line}"
        return place + (f": {text}" if text else "") + (f" (through {self.through})" if self.through else "")


def _cell(file: str) -> str | None:
    """The name of a notebook's cell, "Cell In[3]", whose file is one that nobody could open."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(file)
    return " ".join(name) if name else None


def calling_line() -> Source | None:
    """The innermost line that belongs neither to this library nor to NumPy, and the line of its layers in between."""
    frame: FrameType | None = sys._getframe(1)
    through = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_LAYERS):
            through = through or f"nn/{file[len(_LAYERS) :]}:{frame.f_lineno}"
        elif not file.startswith(_INSIDE) and not file.startswith("<__array_function__"):
            return Source(file, frame.f_lineno, through)
        frame = frame.f_back
    return None


class Trace(Mode):
    """A mode that does what would be done without it, and hands each operation to :meth:`saw`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do it outside, and look at it."""
        with self.outside():
            result = primitive.call(*args, **kwargs)
        self.saw(primitive, args, kwargs, result)
        return result

    def saw(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Look at one operation that was just done."""
        raise NotImplementedError


def operation_node(result: Any) -> Node:
    """The node of the operation behind a result: of several outputs, the one that they are parts of."""
    if type(result) is Tensor:
        return result._node
    first = next((r for r in result if type(r) is Tensor and r._node is not CONSTANT), None)
    if first is None:
        return CONSTANT
    node: Node = first._node.parents[0]
    return node
