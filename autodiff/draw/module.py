"""The class that makes the package callable: an import sets the attribute "draw" of the parent to the package."""

from __future__ import annotations

from types import ModuleType

from .drawing import Drawing
from .function import draw


class Draw(ModuleType):
    """The package ``autodiff.draw``, which is also the function."""

    Drawing = Drawing
    draw = staticmethod(draw)
    __call__ = staticmethod(draw)
