"""The kinds of data: what ``--data`` may be, and the models that fit."""

from __future__ import annotations

import argparse
import os

from ..command import USAGE, CommandError
from .images import Images
from .kind import Data, Inputs, Kind, Measured, Picture, Recipe
from .tables import Tables
from .texts import EMBEDDED, Texts

__all__ = ["KINDS", "MODELS", "Data", "Inputs", "Kind", "Measured", "Picture", "Recipe", "chosen"]

KINDS: dict[str, type[Kind]] = {kind.name: kind for kind in (Images, Tables, Texts)}
"""Every kind of data by its name."""
MODELS: tuple[str, ...] = tuple(dict.fromkeys(model for kind in KINDS.values() for model in kind.recipes))
_NAMED = {"digits": "images", "mnist": "images", EMBEDDED: "text"}
_ENDINGS = {".npz": "images", ".csv": "table", ".tsv": "table"}


def chosen(arguments: argparse.Namespace) -> tuple[type[Kind], str]:
    """The kind of the data, and the model; ``arguments.data`` becomes a name or a path.  Raises CommandError."""
    if arguments.data is None:
        if arguments.target is not None:
            raise CommandError("--target goes with a table: --data FILE.csv --target NAME", USAGE)
        arguments.data = EMBEDDED if arguments.model in Texts.recipes else "digits"
    kind = KINDS[_kind(arguments.data)]
    if kind is not Tables:
        for name in ("target", "task", "ignore"):
            if getattr(arguments, name) is not None:
                raise CommandError(
                    f"--{name} goes with a table, and {arguments.data} is of the kind {kind.name}", USAGE
                )
    model = arguments.model or next(iter(kind.recipes))
    if model not in kind.recipes:
        raise CommandError(
            f"--model {model} does not fit {arguments.data}, of the kind {kind.name}: {' or '.join(kind.recipes)} does",
            USAGE,
        )
    return kind, model


def _kind(source: str) -> str:
    """The kind of a dataset or a file, by its name."""
    if source in _NAMED:
        return _NAMED[source]
    ending = os.path.splitext(source)[1].lower()
    if not os.path.isfile(os.path.expanduser(source)):
        what = f"{source} is a folder" if os.path.isdir(os.path.expanduser(source)) else f"there is no file {source}"
        raise CommandError(
            f"--data: {what}; it is {', '.join(_NAMED)}, or a file: a table (.csv), a text (.txt), images (.npz)", USAGE
        )
    return _ENDINGS.get(ending, "text")
