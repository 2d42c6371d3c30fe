"""A run folder that is opened again: to predict, to evaluate, to generate, to go on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from autodiff import files

from ..io.model_file import load
from ..io.run_folder import CHECKPOINT, MODEL, RUN
from ..layers.module import Module
from ..training.learner import Learner
from ..training.optim import SGD
from .command import CommandError, said
from .kinds import KINDS, Kind, Recipe
from .networks import CharacterGPT, CharacterLSTM

CLASSES = (CharacterGPT, CharacterLSTM)
"""The classes of models that files of runs may name besides those of ``nn``."""
UNUSABLE = 2
"""The exit code for a folder or an input that is of no use."""


class Run(NamedTuple):
    """What ``run.json`` says."""

    folder: Path
    kind: Kind
    recipe: Recipe
    arguments: dict[str, Any]
    """The arguments that name the data: ``data``, ``data_path``, ``target``, ``task``, ``ignore``, ``model``."""
    seed: int
    checksum: str
    """Of the data."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing to go on with."""
        return not (self.folder / CHECKPOINT).exists()

    def described(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "kind": self.kind.name, "arguments": self.arguments, "seed": self.seed, "options": self.recipe._asdict(),
            "checksum": self.checksum, "prepared": self.kind.kept(),
        }  # fmt: skip

    def model(self) -> Module:
        """The model as it is now: at the end of the training, or where it was interrupted."""
        path = self.folder / (MODEL if (self.folder / MODEL).exists() else CHECKPOINT)
        try:
            found: Module = load(path, CLASSES)
        except FileNotFoundError:
            raise CommandError(f"{self.folder}: has no model; was the run stopped at once?", UNUSABLE) from None
        except (OSError, ValueError) as error:
            raise CommandError(said(error), UNUSABLE) from error
        return found.eval()

    def learner(self) -> Learner:
        """What predicts and evaluates; its optimizer is not used."""
        model = self.model()
        loss = self.kind.loss(self.recipe)
        return Learner(model, loss, SGD(model.parameters(), lr=1.0), metrics=self.kind.metrics, jit=False)


def opened(path: str) -> Run:
    """The run in a folder.  Raises CommandError where there is none."""
    try:
        folder = Path(files.expanded(path))
        text = (folder / RUN).read_text(encoding="utf-8")
    except (OSError, ValueError):
        what = "is no folder of a run: it has no run.json" if os.path.isdir(path) else "does not exist"
        raise CommandError(
            f"{path} {what}; 'pullback train' prints the name of the folder at its end", UNUSABLE
        ) from None
    try:
        found = json.loads(text)
        kind = KINDS[found["kind"]].restored(found["prepared"])
        options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found["options"].items()}
        return Run(folder, kind, Recipe(**options), dict(found["arguments"]), int(found["seed"]), found["checksum"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CommandError(f"{folder / RUN}: is damaged ({type(error).__name__}: {error})", UNUSABLE) from error
