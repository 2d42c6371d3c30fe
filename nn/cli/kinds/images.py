"""Images with a class each: the digits of the package, MNIST, and arrays in a .npz file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ... import datasets
from ...datasets.csv_file import number
from ...datasets.picture import centred, extent, grey, image_in, ink_of, resized
from ...datasets.text import decoded
from ...layers.convolution import Conv2d
from ...layers.linear import Linear
from ...layers.module import Module
from ...losses.classification import CrossEntropyLoss
from ...reports.pictures import gallery, signed
from ...training.learner import Learner
from .. import networks
from ..command import USAGE, CommandError
from . import classes
from .kind import Array, Data, Inputs, Kind, Measured, Pair, Picture, Recipe, array_in, arrays_of, counts, split

TEST_SHARE = 0.2
"""The part that is held out; MNIST comes with its own test set."""
FEWEST = 10
"""So many images are needed to train on some and measure on others."""
PAPER = 0.05
"""Images whose border is darker than this, from 0 to 1, show something on an empty ground, as digits do."""
_SAMPLE = 500
MISTAKES, FILTERS = 18, 24
"""So many are shown at most."""


class Images(Kind):
    """Grey or coloured images of one size."""

    name = "images"
    metrics = ("accuracy",)
    recipes: ClassVar[Mapping[str, Recipe]] = {
        "mlp": Recipe(40, 32, 0.003, dropout=0.3, hidden=(256,), label_smoothing=0.1),
        "cnn": Recipe(20, 32, 0.003, dropout=0.2, hidden=(64,), channels=(16, 32), label_smoothing=0.1),
    }
    mnist: ClassVar[Mapping[str, Recipe]] = {
        "mlp": Recipe(6, 128, 0.002, dropout=0.1, hidden=(256, 128), label_smoothing=0.0),
        "cnn": Recipe(4, 64, 0.002, dropout=0.2, hidden=(64,), channels=(8, 16), label_smoothing=0.0),
    }

    def __init__(self, model: str, shape: tuple[int, ...], box: int, names: list[str]) -> None:
        self.model = model
        self.shape = shape
        """(height, width), or (height, width, 3)."""
        self.box = box
        """The side of the square into which a digit is fitted; 0 for images that fill their frame."""
        self.names = names

    @classmethod
    def recipe(cls, source: str, model: str) -> Recipe:
        return (cls.mnist if source == "mnist" else cls.recipes)[model]

    @classmethod
    def load(
        cls, arguments: argparse.Namespace, model: str, recipe: Recipe, rng: np.random.Generator
    ) -> tuple[Kind, Data]:
        source, folder = arguments.data, arguments.data_path
        if source == "mnist":
            train, test = datasets.mnist(folder)
            kind = cls(model, (28, 28), 20, [str(digit) for digit in range(10)])
            data = split(train, recipe, recipe.validation, rng, stratify=True, test=test)
            return kind, Data(*[kind._pair(*pair) for pair in data])
        _no_folder(folder)
        images, labels, names = _digits() if source == "digits" else _arrays(source)
        if len(images) < FEWEST:
            raise ValueError(f"{source}: has {len(images)} images; at least {FEWEST} are needed")
        if len(names) < 2:
            raise ValueError(f"{source}: all labels are {names[0]}; there is nothing to tell apart")
        kind = cls(model, images.shape[1:], _box(images), names)
        data = split((images, labels), recipe, TEST_SHARE, rng, stratify=True)
        return kind, Data(*[kind._pair(*pair) for pair in data])

    def kept(self) -> dict[str, Any]:
        return {"model": self.model, "shape": list(self.shape), "box": self.box, "classes": self.names}

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Kind:
        return cls(kept["model"], tuple(kept["shape"]), int(kept["box"]), list(kept["classes"]))

    def _pair(self, images: Array, labels: Array) -> Pair:
        return self._arranged(images), labels

    def _arranged(self, images: Array) -> Array:
        """Images (n, height, width[, 3]) as the model takes them: flat, or with the colours before height and width."""
        n = len(images)
        if self.model == "mlp":
            return np.reshape(images, (n, -1))
        colours = self.shape[2] if len(self.shape) == 3 else 1
        images = np.reshape(images, (n, *self.shape[:2], colours))
        return np.ascontiguousarray(np.moveaxis(images, -1, 1))

    def network(self, recipe: Recipe, rng: np.random.Generator) -> Module:
        hidden, outputs = recipe.hidden or (), len(self.names)
        if self.model == "mlp":
            return networks.mlp(int(np.prod(self.shape)), hidden, outputs, recipe.dropout, rng)
        height, width, *colours = self.shape
        shape = (*(colours or (1,)), height, width)
        return networks.cnn(shape, recipe.channels or (), hidden, outputs, recipe.dropout, rng)

    def loss(self, recipe: Recipe) -> Any:
        return CrossEntropyLoss(label_smoothing=recipe.label_smoothing or 0.0)

    def opening(self, data: Data, recipe: Recipe) -> list[str]:
        return [counts(data), classes.loss_line(recipe.label_smoothing or 0.0, len(self.names))]

    def measure(self, learner: Learner, examples: Pair) -> Measured:
        X, labels = examples
        outputs = learner.predict(X)
        found = classes.measured(learner, examples, self.names, outputs)
        wrong = classes.mistakes(outputs, labels, self.names, MISTAKES)
        pictures = gallery([(self._pictures(X[i : i + 1])[0], said) for i, said in wrong])
        sections = [*found.sections, ("Its surest mistakes", pictures if wrong else "<p>It makes none here.</p>")]
        filters = self._filters(learner.model)
        if len(filters):
            title = f"What its first layer looks for, {len(filters)} of the largest"
            sections.append((title, gallery([(picture, "") for picture in filters])))
        return found._replace(sections=sections)

    def _pictures(self, X: Array) -> Array:
        """Inputs of the model as images (n, height, width[, 3]) again."""
        if self.model == "mlp":
            return np.reshape(X, (len(X), *self.shape))
        images = np.moveaxis(X, 1, -1)
        return images if len(self.shape) == 3 else images[..., 0]

    def _filters(self, model: Module) -> list[Array]:
        """The weights of the first layer for each of its outputs, as colours; blue is below zero."""
        layer = next((m for m in model.modules() if isinstance(m, Conv2d | Linear)), None)
        if layer is None:
            return []
        weight: Array = np.asarray(layer.weight.data)  # (out, in, height, width), or (in, out)
        if isinstance(layer, Linear):
            weight = np.reshape(weight.T, (-1, *self.shape))
            weight = np.moveaxis(weight, 3, 1) if weight.ndim == 4 else weight
        each = np.reshape(weight, (len(weight), -1, weight.shape[-1]))  # colours one below the other
        largest = np.argsort(-np.linalg.norm(each.reshape(len(each), -1), axis=1), kind="stable")[:FILTERS]
        return [signed(each[i]) for i in largest]

    def answers(self, outputs: Array) -> tuple[list[str], list[dict[str, Any]]]:
        return classes.answers(outputs, self.names)

    # -- reading ---------------------------------------------------------------------------------------------------

    def read(self, name: str, contents: bytes) -> Inputs:
        ending = name.lower().rpartition(".")[2]
        if ending == "npy":
            images = self._fitting(name, array_in(name, contents))
        elif ending == "csv":
            images = self._fitting(name, _numbers(name, contents))
        else:
            images = self._prepared(name, image_in(name, contents))[None]
        return self._inputs(images, [name] if len(images) == 1 else [f"{name} {i + 1}" for i in range(len(images))])

    def taken(self, instances: Sequence[Any]) -> Inputs:
        size = int(np.prod(self.shape))
        wanted = f"each must be an image of shape {self.shape}, as lists, or {size} numbers"
        try:
            values = np.array(instances)
        except (ValueError, OverflowError):
            raise ValueError(f"instances: they are not all of one shape; {wanted}") from None
        if values.shape[1:] not in ((size,), self.shape):
            raise ValueError(f"instances: are of shape {values.shape}; {wanted}")
        return self._inputs(self._fitting("instances", values), [str(i + 1) for i in range(len(values))])

    def form(self) -> dict[str, Any]:
        return {"kind": self.name, "shape": list(self.shape), "digits": bool(self.box), "classes": self.names}

    def _inputs(self, images: Array, names: list[str]) -> Inputs:
        pictures = [Picture(name, image) for name, image in zip(names, images, strict=True)]
        return Inputs(self._arranged(images), names, pictures)

    def _prepared(self, path: str, picture: Array) -> Array:
        """A picture as those of the training: a digit is turned into light on dark, scaled and centred."""
        height, width = self.shape[:2]
        if self.box:
            try:
                return centred(ink_of(picture), height, width, self.box)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        if len(self.shape) == 2:
            picture = grey(picture)
        elif picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        return resized(picture, height, width).astype(np.float32)

    def _fitting(self, path: str, values: Array) -> Array:
        """Numbers as images: one or several of the model's shape, or flat."""
        size = int(np.prod(self.shape))
        flat = values.shape in ((size,), self.shape) or values.shape[1:] in ((size,), self.shape)
        if not flat or values.dtype.kind not in "buif" or not values.size:
            raise ValueError(
                f"{path}: holds {values.dtype} of shape {values.shape}; the model takes images of shape "
                f"{self.shape}, or {size} numbers each, one or several"
            )
        images = values.reshape(-1, *self.shape).astype(np.float32)
        if not np.isfinite(images).all():
            raise ValueError(f"{path}: holds numbers that are not finite")
        most = float(images.max())
        if images.min() < 0 or most > 255:
            raise ValueError(f"{path}: values reach from {images.min():g} to {most:g}; pixels are 0 to 1, or 0 to 255")
        return images / (255 if most > 16 else 16 if most > 1 and self.shape == (8, 8) else 255 if most > 1 else 1)

    def examples(self, source: str, folder: str | None) -> Pair:
        if source == "mnist":
            images, labels = datasets.mnist(folder)[1]
            images, names = images.reshape(-1, 28, 28), [str(digit) for digit in range(10)]
        else:
            _no_folder(folder)
            images, labels, names = _digits() if source == "digits" else _arrays(source)
        if images.shape[1:] != self.shape:
            raise ValueError(f"{source}: has images of shape {images.shape[1:]}; the model takes {self.shape}")
        if unknown := sorted(set(names) - set(self.names)):
            raise ValueError(f"{source}: has the classes {', '.join(unknown)}, which the model has not learned")
        places = np.array([self.names.index(name) for name in names])
        return self._arranged(images), places[labels]


def _no_folder(folder: str | None) -> None:
    if folder is not None:
        raise CommandError("--data-path goes with --data mnist; the digits come with the package", code=USAGE)


def _digits() -> tuple[Array, Array, list[str]]:
    images, labels = datasets.digits(flat=False)
    return images, labels, [str(digit) for digit in range(10)]


def _arrays(path: str) -> tuple[Array, Array, list[str]]:
    """The images and labels of a .npz file, and the names of the classes."""
    arrays = arrays_of(path)
    if not {"images", "labels"} <= set(arrays):
        raise ValueError(f"{path}: has the arrays {', '.join(arrays) or 'none'}; it must have images and labels")
    images, given = arrays["images"], arrays["labels"]
    colours = images.ndim == 4 and images.shape[3] == 3
    if not (images.ndim == 3 or colours) or images.dtype.kind not in "buif" or 0 in images.shape:
        raise ValueError(
            f"{path}: images are {images.dtype} of shape {images.shape}; they must be numbers (n, height, width), or "
            "(n, height, width, 3)"
        )
    if given.shape != images.shape[:1] or given.dtype.kind not in "buiU":
        raise ValueError(
            f"{path}: labels are {given.dtype} of shape {given.shape}; they must be whole numbers or texts, one for "
            f"each of {len(images):,} images"
        )
    found, labels = np.unique(given, return_inverse=True)
    pixels = images.astype(np.float32)
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"{path}: pixels must be numbers from 0 to 1, or from 0 to 255")
    return pixels / (255 if pixels.max() > 1 else 1), labels.astype(np.int64), [str(name) for name in found]


def _box(images: Array) -> int:
    """The side of a digit in its frame; 0 for images that fill it, or have colours."""
    if images.ndim == 4:
        return 0
    sample = images[:: max(1, len(images) // _SAMPLE)]
    border = np.concatenate([sample[:, 0], sample[:, -1], sample[:, :, 0], sample[:, :, -1]], axis=1)
    return int(np.median([extent(image) for image in sample])) if np.median(border) < PAPER else 0


def _numbers(path: str, contents: bytes) -> Array:
    """The numbers of a CSV file, with or without a line of names."""
    text = decoded(path, contents)
    lines = [line for line in text.split("\n") if line.strip()]
    rows = [line.replace(";", ",").replace("\t", ",").split(",") for line in lines]
    if rows and all(number(cell) is None for cell in rows[0]):
        rows = rows[1:]
    values = [[number(cell) for cell in row] for row in rows]
    for i, row in enumerate(values, 1):
        if None in row:
            raise ValueError(f"{path}: row {i} has a cell that is no number")
        if len(row) != len(values[0]):
            raise ValueError(f"{path}: row {i} has {len(row)} numbers, and the first one {len(values[0])}")
    return np.array(values, np.float32)
