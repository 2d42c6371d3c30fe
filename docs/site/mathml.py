"""Formulas as MathML, which browsers show themselves: no script, and no request to another host."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

INSTEAD = {
    r"\\dots(?![a-zA-Z])": r"\\ldots",
    r"\\big(?![a-zA-Z])": r"\\bigl",
    r"\\cr(?![a-zA-Z])": r"\\\\",
    r"\\tag\{([^}]*)\}": r"\\qquad\\text{(\1)}",
}
"""Commands that the converter does not know, and that the notebooks use."""
BRACE = r"\underbrace"


def converted(text: str, *, block: bool) -> str:
    """LaTeX as MathML.  Raises ``docutils.utils.math.MathError`` for what cannot be converted."""
    for command, other in INSTEAD.items():
        text = re.sub(command, other, text)
    return str(tex2mathml(unbraced(text), as_block=block))


def unbraced(text: str) -> str:
    """What stands under a brace, under the formula without it: without a font for formulas the brace is a dot."""
    before, found, after = text.partition(BRACE)
    if not found:
        return text
    formula, rest = _group(after)
    if not rest.startswith("_"):
        return before + formula + unbraced(rest)
    below, rest = _group(rest[1:])
    return rf"{before}\underset{below}{formula}{unbraced(rest)}"


def _group(text: str) -> tuple[str, str]:
    """The group in braces that a text begins with, and what follows."""
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return text[: i + 1], text[i + 1 :]
    return text, ""


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
