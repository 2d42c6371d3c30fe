"""The functions that a text of C calls, out of those that stand in files beside this one."""

from __future__ import annotations

import functools
import os
import re

_HERE = os.path.dirname(os.path.abspath(__file__))
_WORD = re.compile(r"\w+")
_FUNCTION = re.compile(r"(?:^/\*(?:(?!\*/).)*\*/\n)?^PURE \w+ (\w+)\(.*?(?=^/\*|^PURE|\Z)", re.MULTILINE | re.DOTALL)


@functools.cache
def _text(name: str) -> str:
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        return file.read()


@functools.cache
def _functions() -> dict[str, str]:
    """Small functions by name, each with the comment above it, in an order in which each finds those it calls."""
    return {match[1]: match[0].strip() for match in _FUNCTION.finditer(_text("functions.c"))}


def names_of_functions() -> set[str]:
    """What is defined in the files."""
    return {*_functions(), *[f"{name}_{t}" for name in ("matmul", "gemm", "FMA") for t in ("f32", "f64")]}


def prelude(text: str) -> str:
    """The head of a file: definitions that ``text`` needs, and those that they need."""
    functions = _functions()
    wanted: set[str] = set()
    waiting = [text]
    while waiting:
        for word in set(_WORD.findall(waiting.pop())) & functions.keys() - wanted:
            wanted.add(word)
            waiting.append(functions[word])
    start = _text("functions.c")
    parts = [start[: start.index("PURE ", start.index("#define PURE") + 12)].strip()]
    parts += [body for name, body in functions.items() if name in wanted]
    parts += [_text("matmul.c").strip()] * ("matmul_f" in text) + [_text("blas.c").strip()] * ("gemm_f" in text)
    return "\n".join(parts) + "\n\n"
