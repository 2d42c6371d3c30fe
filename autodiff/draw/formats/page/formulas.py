"""The formula of a rule, as it stands in the source."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from typing import Any

from ....primitive import Primitive, registry


def formulas(operations: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each operation, the rule of each argument.

    >>> formulas(["tanh"])
    {'tanh': {'x': 'g * (1.0 - y * y)'}}
    """
    wanted = set(operations)
    return {
        entry.name: {name: formula(rule) for name, rule in entry.formulas.items()}
        for entry in registry.values()
        if isinstance(entry, Primitive) and entry.name in wanted
    }


def formula(rule: Callable[..., Any] | None) -> str:
    """The expression of a lambda, or the name of a function."""
    if rule is None:
        return "0"
    code = rule.__code__
    if rule.__name__ != "<lambda>":
        return f"{rule.__name__}({', '.join(code.co_varnames[: code.co_argcount])})"
    spans = [p for p in code.co_positions() if None not in p and p[0] == p[1] and p[3] > p[2]]  # type: ignore[operator]
    if not spans:
        return "(no source)"
    line = spans[0][0]
    assert line is not None
    on_it = [(start or 0, end or 0) for first, _, start, end in spans if first == line]
    source = linecache.getline(code.co_filename, line).encode()  # columns count bytes
    return source[min(a for a, _ in on_it) : max(b for _, b in on_it)].decode(errors="replace").strip() or "(no source)"
