"""Formulas as MathML, which browsers show themselves: no script, and no request to another host."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

INSTEAD = {r"\dots": r"\ldots", r"\big": r"\bigl", r"\cr": r"\\", r"\tag": r"\qquad"}
"""Commands that the converter does not know, and that the notebooks use."""


def converted(text: str, *, block: bool) -> str:
    """LaTeX as MathML.  Raises ``docutils.utils.math.MathError`` for what cannot be converted."""
    for command, other in INSTEAD.items():
        text = re.sub(re.escape(command) + r"(?![a-zA-Z])", other.replace("\\", r"\\"), text)
    return str(tex2mathml(text, as_block=block))


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(converted(node.astext(), block=False))
    raise nodes.SkipNode


def _display(self: Any, node: nodes.math_block) -> None:
    self.body.append(f'<div class="math">{converted(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls for an extension."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
