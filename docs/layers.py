"""The table of the layers and losses, for ``nn.md``: their arguments, and what each computes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import nn

from .tables import bar, prose

FAMILIES = {
    "nn.layers.linear": "Dense", "nn.layers.convolution": "Convolution",
    "nn.layers.pooling": "Pooling and size", "nn.layers.resizing": "Pooling and size",
    "nn.layers.normalization": "Normalisation", "nn.layers.recurrent": "Recurrence", "nn.layers.attention": "Attention",
    "nn.layers.transformer": "Transformers", "nn.layers.positions": "Positions", "nn.layers.embedding": "Tables",
    "nn.layers.activation": "Nonlinear functions", "nn.layers.dropout": "Dropout",
    "nn.layers.sequential": "Containers", "nn.layers.containers": "Containers",
    "nn.losses.classification": "Losses of classes", "nn.losses.binary": "Losses of classes",
    "nn.losses.regression": "Losses of numbers", "nn.losses.likelihood": "Losses of numbers",
    "nn.losses.distance": "Losses of distances", "nn.losses.ctc": "Losses of sequences",
}  # fmt: skip
"""The headings, by the module in which a class is written."""
SHAPES = re.compile(r"^x has shape (.*?)[.;]\s", re.MULTILINE | re.DOTALL)


def layers() -> str:
    """One table, with a heading for each family."""
    classes: dict[str, list[Any]] = {}
    for name in sorted(vars(nn)):
        value = getattr(nn, name)
        if inspect.isclass(value) and issubclass(value, nn.Module) and value is not nn.Module:
            classes.setdefault(FAMILIES[value.__module__], []).append(value)
    lines = ["| layer | what it computes | x has shape |", "|---|---|---|"]
    for family in dict.fromkeys(FAMILIES.values()):
        lines += [f"| **{family}** | | |", *(row for kind in classes.get(family, ()) for row in _rows(kind))]
    return "\n".join(lines)


def _rows(kind: Any) -> Iterator[str]:
    text = inspect.getdoc(getattr(kind, "function", kind)) or ""
    found = SHAPES.search(text)
    shape = " ".join(found[1].split()) if found else ""
    arguments = ", ".join(map(_argument, list(inspect.signature(kind).parameters.values())))
    first = text.split("\n\n")[0].replace("\n", " ")
    yield f"| `{kind.__name__}({bar(arguments)})` | {prose(first)} | {prose(shape)} |"


def _argument(parameter: inspect.Parameter) -> str:
    star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    if parameter.default is parameter.empty:
        return f"{star}{parameter.name}"
    default = parameter.default
    return f"{parameter.name}={getattr(default, '__name__', None) or repr(default)}"
