"""The pages of the reference: every public name, with the docstring that it has."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import autodiff.scipy
import nn

from ..layers import FAMILIES

MODULES = (
    "autodiff", "autodiff.testing", "autodiff.testing.strategies", "autodiff.draw", "autodiff.mode",
    *(module.__name__ for module in autodiff.scipy.modules()), "autodiff.scipy.sparse.linalg",
    "nn.optim", "nn.schedule", "nn.init", "nn.metrics", "nn.data", "nn.transforms", "nn.datasets", "nn.distributions",
    "nn.callbacks", "nn.safetensors", "nn.sklearn",
)  # fmt: skip
"""Each has a page; that of ``nn`` itself is divided by what its names are."""
ANNOUNCEMENT = "- [Every public name](api/index.md): its parameters, its formula, an example\n"
TABLE = "The other methods and operators of a Tensor are those of [the table](../operations.md), under NumPy's names.\n"


def public(module: ModuleType) -> list[str]:
    """The public names of a module, exceptions last: those that it lists, else those that are written in it."""
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
    names = [name for name in listed if not inspect.ismodule(getattr(module, name))]
    return sorted(names, key=lambda name: (_is_exception(getattr(module, name)), name.lower()))


def _is_exception(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def _family(name: str) -> str:
    value: Any = getattr(nn, name)
    if inspect.isclass(value) and issubclass(value, nn.Module):
        return FAMILIES.get(value.__module__, "Modules")
    origin = value.__module__
    if origin.startswith("nn.losses"):
        return FAMILIES[origin]
    return {"layers": "Functions", "recording": "Functions", "io": "Files"}.get(origin.split(".")[1], "Training")


def _chapters() -> dict[str, dict[str, list[str]]]:
    """The pages of ``nn``: their titles, their sections, the names in these."""
    found: dict[str, dict[str, list[str]]] = {"layers": {}, "losses": {}, "training": {}}
    for name in public(nn):
        family = _family(name)
        page = "training" if family in ("Training", "Files") else "losses" if "Loss" in family else "layers"
        found[page].setdefault(family, []).append(name)
    return found


def _entry(module: str, name: str) -> str:
    value = getattr(importlib.import_module(module), name)
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
    if _is_exception(value):
        kind = "exception"
    options = [":members:"] if kind == "class" else []
    if name == "Tensor":
        options = [f":members: {', '.join(_own(value))}"]
    return "\n".join([f".. auto{kind}:: {module}.{name}", *(f"   {line}" for line in options), ""])


def _own(kind: type) -> list[str]:
    """What the source of a class defines: neither what it gets from the table, nor names that only explain."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    return [part.name for part in body.body if isinstance(part, ast.FunctionDef) and part.name[0] != "_"]


def _rst(entries: Iterable[str]) -> str:
    return "\n".join(["```{eval-rst}", *entries, "```", ""])


def _page(name: str) -> str:
    module = importlib.import_module(name)
    summary = inspect.cleandoc(module.__doc__ or "").splitlines()[0].replace("``", "`")
    note = TABLE if name == "autodiff" else ""
    entries = [f".. py:module:: {name}\n", *(_entry(name, each) for each in public(module))]
    return f"# {name}\n\n{summary}\n\n{note}\n{_rst(entries)}"


def _chapter(page: str, sections: dict[str, list[str]]) -> str:
    parts = [f"# nn: {page}\n"]
    for title in sorted(sections):
        parts.append(f"## {title}\n\n{_rst(_entry('nn', name) for name in sections[title])}")
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """All pages of the reference, by their places on the site."""
    found = {f"api/{name}.md": _page(name) for name in MODULES}
    found |= {f"api/nn.{page}.md": _chapter(page, sections) for page, sections in _chapters().items()}
    rows = [
        f"- [{text.partition(chr(10))[0].removeprefix('# ')}]({name.removeprefix('api/')})"
        for name, text in found.items()
    ]
    contents = ["```{toctree}", ":hidden:", "", *(name.removeprefix("api/") for name in found), "```", ""]
    found["api/index.md"] = "\n".join(["# Every public name", "", *rows, "", *contents])
    return found


def announced(text: str) -> str:
    """The first page, with the reference in front of its section of that name."""
    before, heading, after = text.partition("\n## Reference\n")
    introduction, item, rest = after.partition("\n- ")
    assert item, "the first page has no section 'Reference' with a list"
    return f"{before}{heading}{introduction}\n{ANNOUNCEMENT}- {rest}"
