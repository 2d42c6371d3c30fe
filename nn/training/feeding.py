"""What a training and its validation read, from what fit, evaluate and predict were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..random import Rng, generator
from .checks import count_of, examples_of, pairs_of_examples, what_is
from .data import parts_of
from .loader import DataLoader
from .processes import Processes
from .structures import mapped

Array = Any
BATCH = 32
"""The size of a batch where none is given."""


class Feed(NamedTuple):
    """Batches to train with, and to validate with; ``example`` are inputs from before the first step, or None."""

    data: DataLoader
    validation: DataLoader | None
    example: Any
    start: Any
    """The generator's state from before the data was split."""


class Validation(NamedTuple):
    """How to validate: with other data, or with a part of the same."""

    data: Any
    split: float | int | None
    stratify: Any
    batch_size: int


def feed(
    X: Any, Y: Any, batch_size: int | None, shuffle: bool | None, rng: Rng, validation: Validation,
    resume: Mapping[str, Any] | None,
) -> Feed:  # fmt: skip
    """The batches of one fit."""
    if validation.data is not None and validation.split is not None:
        raise ValueError("fit: both validation and validation_split are given; choose one")
    if validation.split is None and validation.stratify is not False:
        raise ValueError("fit: stratify says how to split; give validation_split, too")
    other = None
    if validation.data is not None:
        pair = validation.data
        if not isinstance(pair, DataLoader) and (not isinstance(pair, tuple | list) or len(pair) != 2):
            raise TypeError("fit, validation: validation must be a pair (X, Y), or a DataLoader")
        x, y = (pair, None) if isinstance(pair, DataLoader) else pair
        other = loader_of("fit, validation", x, y, validation.batch_size)
    if isinstance(X, DataLoader):
        given = {"Y": Y, "batch_size": batch_size, "shuffle": shuffle, "rng": rng, "validation_split": validation.split}
        if said := [name for name, value in given.items() if value is not None]:
            raise TypeError(
                f"fit: got a DataLoader, and {', '.join(said)}; the loader says that: DataLoader(X, Y, ...)"
            )
        return Feed(X, other, None, None)
    size = BATCH if batch_size is None else count_of("fit", "batch_size", batch_size, 1)
    X, Y = pairs_of_examples("fit", X, Y)
    rng, start, rows = generator(rng), None, None
    if validation.split is not None:
        before = resume.get("start") if isinstance(resume, Mapping) else None
        if before is not None and before["bit_generator"] == rng.bit_generator.state["bit_generator"]:
            rng.bit_generator.state = before
        start = rng.bit_generator.state
        rows, held = _split(Y, validation, rng)
        other = DataLoader((X, Y), batch_size=validation.batch_size, rows=held)
    data = DataLoader((X, Y), batch_size=size, shuffle=shuffle is None or shuffle, rng=rng, rows=rows)
    return Feed(data, other, mapped(lambda array: array[:size], X), start)


def _split(Y: Any, validation: Validation, rng: np.random.Generator) -> tuple[Array, Array]:
    """The positions to train and to validate with, each in order, so that files are read from front to back."""
    labels = validation.stratify
    if isinstance(labels, bool | np.bool_):
        labels = Y if labels else None
        if labels is not None and (not isinstance(Y, np.ndarray) or Y.size != len(Y) or Y.dtype.kind not in "biu"):
            raise ValueError(f"fit: stratify=True needs Y with one class an example, as whole numbers; got {_shown(Y)}")
    if validation.split is True or not isinstance(validation.split, int | float | np.number):
        raise TypeError(f"fit: validation_split is {validation.split!r}; it is a fraction, or a number of examples")
    total = len(Y) if hasattr(Y, "shape") else len(next(iter(Y.values() if isinstance(Y, Mapping) else Y)))
    labels = None if labels is None else np.asarray(labels).reshape(-1)
    train, held = parts_of("fit, validation_split", total, validation.split, rng, labels)
    return np.sort(train), np.sort(held)


def _shown(Y: Any) -> str:
    return f"{Y.dtype} of shape {Y.shape}" if hasattr(Y, "shape") else what_is(Y)


def loader_of(who: str, X: Any, Y: Any, batch_size: int, *, targets: bool = True) -> DataLoader:
    """A loader itself, or one of inputs X and, where they are wanted, targets Y, in order."""
    if isinstance(X, DataLoader):
        if Y is not None:
            raise TypeError(f"{who}: got a DataLoader, and Y; the loader gives the targets: DataLoader(X, Y)")
        return X
    if targets:
        return DataLoader(pairs_of_examples(who, X, Y), batch_size=batch_size)
    return DataLoader((examples_of(who, "X", X),), batch_size=batch_size)


def pairs_in(
    who: str, loader: DataLoader, processes: Processes | None = None, *, checked: bool = False
) -> Iterator[tuple[Any, Any, int | None]]:
    """The batches of inputs and targets of a loader, with None; or this process's part of each, and how many of its
    examples count.  They are checked, unless they were ``checked`` already."""
    parts: Iterable[tuple[Any, int | None]] = (
        ((batch, None) for batch in loader) if processes is None else loader.parts(processes.rank, processes.size)
    )
    for batch, counted in parts:
        pair = batch if checked else _pair(who, batch)
        yield pair[0], pair[1], counted


def _pair(who: str, batch: Any) -> tuple[Any, Any]:
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        what = f"{len(batch)} parts" if isinstance(batch, tuple | list) else what_is(batch)
        raise TypeError(
            f"{who}: a batch of the DataLoader is {what}; it must be a pair (inputs, targets), each an array or a "
            "structure of arrays: DataLoader(X, Y), DataLoader((X1, X2), Y)"
        )
    return pairs_of_examples(who, *batch)


def inputs_in(who: str, loader: DataLoader) -> Iterator[Any]:
    """The inputs of the batches of a loader: the first part of a tuple, or the whole of anything else."""
    for batch in loader:
        yield examples_of(who, "X", batch[0] if isinstance(batch, tuple) and batch else batch)
