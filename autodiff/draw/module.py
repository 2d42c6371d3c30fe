"""What makes the package callable: the attribute "draw" of its parent, which importing makes, is the function too."""

from __future__ import annotations

from types import ModuleType

from .drawing import Drawing
from .function import draw


class Draw(ModuleType):
    """The package ``autodiff.draw``, which is the function too."""

    Drawing = Drawing
    draw = staticmethod(draw)
    __call__ = staticmethod(draw)
