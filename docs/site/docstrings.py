"""Docstrings as they are written here: prose, formulas and examples, and no marks but code and references."""

from __future__ import annotations

import re
from typing import Any

MARKED = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`)", re.DOTALL)
ADDRESS = re.compile(
    r"<(?:class|function) '?(?:[\w<>]+\.)*(\w+|<lambda>)'?(?: at 0x\w+)?>|<object object(?: at 0x\w+)?>"
)
"""The default of a parameter as Python prints it: a class, a function, or an object that says that none was given."""
SIGN = re.compile(r"[*|`\\]|(?<=\w)_(?!\w)")


def escaped(line: str) -> str:
    """A line of prose, in which a star or a bar is a star or a bar."""
    parts = MARKED.split(line)
    return "".join(part if i % 2 else SIGN.sub(lambda sign: "\\" + sign[0], part) for i, part in enumerate(parts))


def prepared(lines: list[str]) -> list[str]:
    """A docstring for Sphinx: examples stay, prose is escaped, and a formula on lines of its own is one."""
    blocks = re.split(r"\n(?:[ \t]*\n)+", "\n".join(lines).strip("\n"))
    out: list[str] = []
    for block in blocks:
        first = block.split("\n")
        if first[0].lstrip().startswith(">>>"):
            out += first
        elif all(line.startswith("    ") for line in first):
            out += ["::", "", *first]
        else:
            out += escaped(block).split("\n")
        out.append("")
    return out


def _on_docstring(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    lines[:] = prepared(lines)


def named(signature: str) -> str:
    """A signature with classes and functions by their names."""
    return ADDRESS.sub(lambda found: (found[1] or "...").replace("<lambda>", "..."), signature)


def _on_signature(app: Any, what: str, name: str, value: Any, options: Any, signature: str, returns: str) -> Any:
    return (named(signature), returns) if signature else None


def _on_member(app: Any, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """What a class inherits from another library is documented there."""
    theirs = getattr(value, "__module__", None)
    return True if theirs and not theirs.startswith(("autodiff", "nn")) else None


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls for an extension."""
    app.connect("autodoc-process-docstring", _on_docstring)
    app.connect("autodoc-process-signature", _on_signature)
    app.connect("autodoc-skip-member", _on_member)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
