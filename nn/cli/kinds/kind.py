"""What a kind of data is for the commands: how it is read, what learns it, how that is measured, used and shown."""

from __future__ import annotations

import argparse
import contextlib
import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from autodiff import files

from ...layers.module import Module
from ...training.data import train_test_split
from ...training.learner import Learner

Array = Any
Pair = tuple[Array, Array]


class Recipe(NamedTuple):
    """The default options of a model; None for those that it does not have."""

    epochs: int
    batch_size: int
    lr: float
    optimizer: str = "adamw"
    schedule: str = "epoch"
    dropout: float = 0.0
    validation: float = 0.1
    hidden: tuple[int, ...] | None = None
    channels: tuple[int, ...] | None = None
    label_smoothing: float | None = None
    context: int | None = None
    layers: int | None = None
    width: int | None = None
    heads: int | None = None


class Data(NamedTuple):
    """Examples for training, for the validation after every epoch, and for the test at the end."""

    train: Pair
    validation: Pair
    test: Pair


class Measured(NamedTuple):
    """What was measured: lines to print, entries of ``result.json``, and tables, pictures and texts for the page."""

    lines: list[str]
    result: dict[str, Any]
    sections: Sequence[tuple[str, str]] = ()
    """Titles and HTML."""
    summary: str = ""
    """The result in one line."""
    baseline: str = ""
    """What a guess that does not look at the inputs would reach, in one line."""


class Picture(NamedTuple):
    """What a model saw of an input: numbers from 0 to 1, (height, width) or (height, width, 3)."""

    name: str
    pixels: Array


class Inputs(NamedTuple):
    """What was read to predict from: arrays for the model, the name of each example, and what can be looked at."""

    arrays: Array
    names: list[str]
    pictures: Sequence[Picture] = ()


class Kind(ABC):
    """A kind of data.  An instance is one prepared for a model: what it takes to turn files into arrays and back.

    ``kept`` is that as JSON, saved with every run, and ``restored`` takes it back.  A kind is a subclass, and its entry
    in :data:`nn.cli.kinds.KINDS`.
    """

    name: ClassVar[str]
    recipes: ClassVar[Mapping[str, Recipe]]
    """The models that fit, the default first, each with its options."""
    metrics: Sequence[str] = ()
    jit: bool | str = "auto"

    @classmethod
    def recipe(cls, source: str, model: str) -> Recipe:
        """The default options for some data."""
        return cls.recipes[model]

    @classmethod
    @abstractmethod
    def load(
        cls, arguments: argparse.Namespace, model: str, recipe: Recipe, rng: np.random.Generator
    ) -> tuple[Kind, Data]:
        """Read the data, and find out what is to be learned.  Raises OSError, ValueError or CommandError."""

    @abstractmethod
    def kept(self) -> dict[str, Any]:
        """All that is needed to prepare an input, as JSON."""

    @classmethod
    @abstractmethod
    def restored(cls, kept: Mapping[str, Any]) -> Kind:
        """The same object from what was kept."""

    @abstractmethod
    def network(self, recipe: Recipe, rng: np.random.Generator) -> Module:
        """The model."""

    @abstractmethod
    def loss(self, recipe: Recipe) -> Any:
        """The loss."""

    @abstractmethod
    def opening(self, data: Data, recipe: Recipe) -> list[str]:
        """What is said before the training."""

    @abstractmethod
    def measure(self, learner: Learner, examples: Pair) -> Measured:
        """Measure a trained model on examples, beside what a guess without inputs would reach."""

    @abstractmethod
    def read(self, name: str, contents: bytes) -> Inputs:
        """The contents of a file with this name, for which a user wants predictions.

        Raises ValueError, ImportError or CommandError.
        """

    @abstractmethod
    def taken(self, instances: Sequence[Any]) -> Inputs:
        """The same from JSON: a list with one entry for each prediction.  Raises ValueError or CommandError."""

    @abstractmethod
    def form(self) -> dict[str, Any]:
        """What an input has, and what an answer has, as JSON: for programs and pages that ask."""

    @abstractmethod
    def answers(self, outputs: Array) -> tuple[list[str], list[dict[str, Any]]]:
        """The predictions for outputs of the model: a line each, and each as JSON."""

    @abstractmethod
    def examples(self, source: str, folder: str | None) -> Pair:
        """Examples with answers, to evaluate a model on.  Raises OSError, ValueError or CommandError."""


def array_in(name: str, contents: bytes) -> Array:
    """The array that is the contents of a .npy file.  Raises ValueError that names the file."""
    with _readable(name):
        found = np.load(io.BytesIO(contents), allow_pickle=False)
    if not isinstance(found, np.ndarray):
        raise ValueError(f"{name}: holds several arrays; it must be a .npy file with one")
    return found


def arrays_of(path: str) -> dict[str, Array]:
    """The arrays in a .npz file by name.  Raises OSError, and ValueError that names the file."""
    with open(files.expanded(path), "rb") as file, _readable(path):
        found = np.load(file, allow_pickle=False)
        arrays = {} if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    if isinstance(found, np.ndarray):
        raise ValueError(f"{path}: holds one array; it must be a .npz file with several, made by np.savez")
    return arrays


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    """Whatever NumPy says about a damaged file becomes a ValueError that names the file."""
    try:
        yield
    except (ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{name}: is no file of arrays that can be read ({error})") from None


def split(
    arrays: Pair, recipe: Recipe, share: float, rng: np.random.Generator, *, stratify: bool, test: Pair | None = None
) -> Data:
    """Training, validation and test (``share``, unless it is given).

    With ``stratify`` they have the same proportions of classes, where there are enough of each.
    """

    def parted(pair: Pair, part: float) -> tuple[Pair, Pair]:
        enough = stratify and np.bincount(pair[1]).min() >= 2
        try:
            x, other_x, y, other_y = train_test_split(
                *pair, test_size=part, rng=rng, stratify=pair[1] if enough else None
            )
        except ValueError:  # fewer examples in a part than there are classes
            x, other_x, y, other_y = train_test_split(*pair, test_size=part, rng=rng)
        return (x, y), (other_x, other_y)

    rest, held_out = parted(arrays, share) if test is None else (arrays, test)
    train, validation = parted(rest, recipe.validation)
    return Data(train, validation, held_out)


def counts(data: Data) -> str:
    """How many examples there are for what."""
    uses = ("train", "validate", "test")
    return ", ".join(f"{len(part[1]):,} to {use}" for part, use in zip(data, uses, strict=True))
