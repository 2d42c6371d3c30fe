"""``pullback train``: train a network on handwritten digits, and write a folder with the results."""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autodiff import __version__

from .. import datasets
from ..io.run_folder import RunFolder
from ..layers.activation import ReLU
from ..layers.dropout import Dropout
from ..layers.linear import Linear
from ..layers.module import Module
from ..layers.sequential import Sequential
from ..losses.classification import CrossEntropyLoss
from ..reports.history import History
from ..training import optim, threads
from ..training.data import train_test_split
from ..training.divergence import DivergenceError
from ..training.learner import Learner
from ..training.metrics import confusion_matrix
from ..training.schedule import CosineAnnealingLR
from . import options
from .command import USAGE, CommandError
from .lines import COLUMNS, epoch_line, in_columns, loss_line, matrix_lines

Array = Any
CLASSES = 10


class Recipe(NamedTuple):
    """The default options for a dataset."""

    epochs: int
    batch_size: int
    lr: float
    hidden: tuple[int, ...]
    optimizer: str
    dropout: float
    label_smoothing: float
    validation: float


RECIPES = {
    "digits": Recipe(
        epochs=40, batch_size=32, lr=0.003, hidden=(256,), optimizer="adamw", dropout=0.3, label_smoothing=0.1,
        validation=0.1,
    ),
    "mnist": Recipe(
        epochs=6, batch_size=128, lr=0.002, hidden=(256, 128), optimizer="adamw", dropout=0.1, label_smoothing=0.0,
        validation=0.1,
    ),
}  # fmt: skip
TEST_SHARE = 0.2
"""The part of the embedded digits that is held out; MNIST comes with its own test set."""

OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "momentum": functools.partial(optim.SGD, momentum=0.9),
    **{
        name.lower(): kind
        for name, kind in vars(optim).items()
        if isinstance(kind, type) and issubclass(kind, optim.Optimizer) and kind.for_any_model
        if kind is not optim.Optimizer
    },
}
"""Every optimizer for any model under its name in small letters, with its defaults."""

_DESCRIPTION = """\
Train a network of fully connected layers on handwritten digits, and measure it on images it has not seen.

The 1,797 images of the UCI handwritten digits (8 x 8) come with the package; MNIST (28 x 28) is read from
its four original files. The run folder receives

  parameters.safetensors    what was learned
  result.json               the options, the test accuracy, the confusion matrix; written last
  history.json, .csv        loss, accuracy and speed of every epoch
  curves.svg                loss and accuracy over the epochs
  training.html             the same with the norms of every layer, to watch while it runs
  graph.dot, .svg, .html    the computation graph of the network on one batch
"""
_EXAMPLES = """\
examples:
  pullback train
  pullback train --hidden 64,32 --epochs 60 --seed 1 --output runs/small
  pullback train --data mnist --data-path ~/mnist

Matrix products use one thread unless they are large: several wait for each other on a busy machine.
OPENBLAS_NUM_THREADS, OMP_NUM_THREADS or MKL_NUM_THREADS say otherwise. The number is in result.json.

exit codes: 0 trained, 1 failed, 2 wrong usage, 130 interrupted
"""


# -- options -------------------------------------------------------------------------------------------------------


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback train``."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLES

    def default(name: str) -> str:
        values = {data: getattr(recipe, name) for data, recipe in RECIPES.items()}
        shown = {d: ",".join(map(str, v)) if isinstance(v, tuple) else v for d, v in values.items()}
        return "default: " + ", ".join(f"{v} for {d}" for d, v in shown.items())

    data = parser.add_argument_group("data")
    data.add_argument("--data", choices=sorted(RECIPES), default="digits", help="what to learn (default: digits)")
    data.add_argument("--data-path", metavar="DIR", help=f"the folder with MNIST's files; ${datasets.nist.VARIABLE}, "
                      "then a cache folder, where it is not given")  # fmt: skip
    model = parser.add_argument_group("model and training")
    model.add_argument("--hidden", type=options.sizes, metavar="SIZES",
                       help=f"the sizes of the hidden layers, '' for none ({default('hidden')})")  # fmt: skip
    model.add_argument("--epochs", type=options.whole, metavar="N", help=f"passes over the data ({default('epochs')})")
    model.add_argument("--batch-size", type=options.whole, metavar="N",
                       help=f"examples in a step ({default('batch_size')})")  # fmt: skip
    model.add_argument("--optimizer", choices=sorted(OPTIMIZERS),
                       help=f"how parameters are updated ({default('optimizer')})")  # fmt: skip
    model.add_argument("--lr", type=options.positive, metavar="X",
                       help=f"the learning rate at the start; falls to 0 along a cosine ({default('lr')})")  # fmt: skip
    model.add_argument("--dropout", type=options.share, metavar="P",
                       help=f"the share of hidden values dropped in training ({default('dropout')})")  # fmt: skip
    model.add_argument("--label-smoothing", type=options.share, metavar="P",
                       help=f"the share of each target spread over all digits ({default('label_smoothing')})"
                       )  # fmt: skip
    model.add_argument("--seed", type=options.seed, default=0, metavar="N",
                       help="the same seed gives the same run, bit for bit on one machine with the same number of "
                       "threads (default: 0)")  # fmt: skip
    output = parser.add_argument_group("output")
    output.add_argument("--output", metavar="DIR", help="the run folder, new or empty (default: runs/DATA-N)")
    output.add_argument("--quiet", action="store_true", help="print the test accuracy and the run folder alone")


# -- the work ------------------------------------------------------------------------------------------------------


class Data(NamedTuple):
    """Images and labels for training, for the validation after every epoch, and for the test at the end."""

    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    test: tuple[Array, Array]


def load(name: str, path: str | None, validation: float, rng: np.random.Generator) -> Data:
    """The three parts of a dataset, with the same proportions of classes."""
    if name == "mnist":
        train, test = datasets.mnist(path)
    else:
        if path is not None:
            raise CommandError("--data-path goes with --data mnist; the digits come with the package", code=USAGE)
        images, labels = datasets.digits()
        train_x, test_x, train_y, test_y = train_test_split(
            images, labels, test_size=TEST_SHARE, rng=rng, stratify=labels
        )
        train, test = (train_x, train_y), (test_x, test_y)
    images, labels = train
    train_x, valid_x, train_y, valid_y = train_test_split(
        images, labels, test_size=validation, rng=rng, stratify=labels
    )
    return Data((train_x, train_y), (valid_x, valid_y), test)


def build(inputs: int, hidden: tuple[int, ...], dropout: float, rng: np.random.Generator) -> Module:
    """Linear layers with ReLU (and dropout) between them, from pixels to a logit for each digit."""
    layers: list[Module] = []
    for size in hidden:
        layers += [Linear(inputs, size, rng=rng), ReLU()]
        if dropout:
            layers.append(Dropout(dropout, rng=rng))
        inputs = size
    return Sequential(*layers, Linear(inputs, CLASSES, rng=rng))


def run(arguments: argparse.Namespace) -> int:
    """Train, measure, write the run folder, and print the results."""
    recipe = RECIPES[arguments.data]
    given = {name: getattr(arguments, name) for name in recipe._fields if getattr(arguments, name, None) is not None}
    recipe = recipe._replace(**given)
    rng = np.random.default_rng(arguments.seed)
    say = (lambda *_: None) if arguments.quiet else _say
    try:
        data = load(arguments.data, arguments.data_path, recipe.validation, rng)
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from error
    sizes = (data.train[0].shape[1], *recipe.hidden, CLASSES)
    largest = recipe.batch_size * max(n * m for n, m in itertools.pairwise(sizes))
    try:
        with RunFolder(arguments.output, arguments.data) as folder, threads.chosen(largest):
            _train(arguments, recipe, data, rng, folder, say)
    except BrokenPipeError:  # not the folder: whoever read our output has gone
        raise
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error
        raise CommandError(f"the run folder cannot be written: {reason}") from error
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _train(
    arguments: argparse.Namespace,
    recipe: Recipe,
    data: Data,
    rng: np.random.Generator,
    folder: RunFolder,
    say: Callable[[str], None],
) -> None:
    model = build(data.train[0].shape[1], recipe.hidden, recipe.dropout, rng)
    optimizer = OPTIMIZERS[recipe.optimizer](model.parameters(), lr=recipe.lr)
    learner = Learner(
        model,
        CrossEntropyLoss(label_smoothing=recipe.label_smoothing),
        optimizer,
        metrics=("accuracy",),
        scheduler=CosineAnnealingLR(optimizer, recipe.epochs),
    )
    uses = ("train", "validate", "test")
    counts = ", ".join(f"{len(part[1]):,} to {use}" for part, use in zip(data, uses, strict=True))
    say(f"{arguments.data}: {counts}\n{model}\n{loss_line(recipe.label_smoothing, CLASSES)}")
    say(f"matrix products: {threads.described(threads.count())}")
    say(in_columns(COLUMNS))
    try:
        history = learner.fit(
            *data.train,
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            validation=data.validation,
            rng=rng,
            progress=False if arguments.quiet else None,
            on_epoch=lambda row: say(epoch_line(row, recipe.epochs)),
            watch=folder.page,
        )
    except DivergenceError as error:
        raise CommandError(str(error)) from error
    measured = learner.evaluate(*data.test)
    matrix = confusion_matrix(learner.predict(data.test[0]).argmax(axis=1), data.test[1])
    _write(arguments, recipe, model, history, measured, matrix, data, folder)
    for line in matrix_lines(matrix):
        say(line)
    print(f"test accuracy {measured['accuracy']:.2%} ({np.trace(matrix):,} of {matrix.sum():,})")
    print(f"written to {folder.path}")


def _write(
    arguments: argparse.Namespace,
    recipe: Recipe,
    model: Module,
    history: History,
    measured: dict[str, float],
    matrix: Array,
    data: Data,
    folder: RunFolder,
) -> None:
    used = {"data": arguments.data, "seed": arguments.seed, **recipe._asdict()}
    folder.write_parameters(model, used)
    folder.write_history(history)
    folder.write_graph(model.eval(), data.train[0][: recipe.batch_size])
    folder.write_result(
        {
            "options": used,
            "test_loss": measured["loss"],
            "test_accuracy": measured["accuracy"],
            "confusion_matrix": matrix.tolist(),
            "blas_threads": threads.count(),
            "version": __version__,
            "numpy": np.__version__,
            "python": sys.version.split()[0],
        }
    )
