"""``pullback train``: train a network on images, a table or a text, and write a folder with the results."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from .. import datasets
from ..io.run_folder import CHECKPOINT, CONTENTS, RunFolder
from ..training.optim import OPTIMIZERS
from ..training.processes import Processes, started
from . import options
from .command import USAGE, CommandError, said
from .kinds import KINDS, MODELS, Data, Kind, Recipe, chosen
from .kinds.images import Images
from .runs import Run, opened
from .session import Following, Session, checksum

SOURCE = ("data", "data_path", "target", "task", "ignore", "model")
"""The arguments that say what is learned by which model."""

_DESCRIPTION = f"""\
Train a network on handwritten digits, on a table or on a text, and measure it on examples that
it has not seen.

  pullback train                                   the 1,797 images of the UCI handwritten digits (8 x 8)
  pullback train --data mnist                      MNIST (28 x 28), from its four original files
  pullback train --data my.npz                     your images: arrays "images" and "labels"
  pullback train --data my.csv --target price      predict a column of a table from the others
  pullback train --model gpt                       write like Shakespeare's sonnets, character by character
  pullback train --data book.txt                   the same with a text of yours

The digits and the sonnets come with the package. The run folder receives

{"".join(f"  {name:<25} {what}" + chr(10) for name, what in CONTENTS.items())}
Ctrl-C ends the training and keeps the run; --resume goes on with it, bit for bit as if it had
never stopped. 'pullback predict', 'evaluate' and 'generate' use what was trained.
"""
_EXAMPLES = """\
examples:
  pullback train --model cnn --epochs 10
  pullback train --hidden 64,32 --epochs 60 --seed 1 --output runs/small
  pullback train --data houses.csv --target price --ignore id,address
  pullback train --data mnist --data-path ~/mnist
  pullback train --resume runs/digits-1

For MNIST other defaults hold:
{mnist}

In a table, columns of numbers are standardised, and each text of a column of texts is an input
of its own. A target of texts, or of few whole numbers, holds classes; --task says otherwise.

Matrix products use one thread unless they are large: several wait for each other on a busy machine.
OPENBLAS_NUM_THREADS, OMP_NUM_THREADS or MKL_NUM_THREADS say otherwise. The number is in result.json.

exit codes: 0 trained, 1 failed, 2 wrong usage, or data that is of no use, 130 interrupted
"""


# -- options -------------------------------------------------------------------------------------------------------


def _defaults(name: str) -> str:
    """The default of an option for each model that has it."""
    found: dict[str, str] = {}
    for kind in KINDS.values():
        for model, recipe in kind.recipes.items():
            value = getattr(recipe, name)
            if value is not None:
                shown = ",".join(map(str, value)) if isinstance(value, tuple) else f"{value}"
                found[f"{kind.name} {model}"] = shown
    values = set(found.values())
    return "default: " + (values.pop() if len(values) == 1 else ", ".join(f"{v} for {m}" for m, v in found.items()))


def _of_mnist() -> str:
    """The options of each model for MNIST that are not its defaults."""
    lines = []
    for model, recipe in Images.mnist.items():
        usual = Images.recipes[model]._asdict()
        other = {name: value for name, value in recipe._asdict().items() if value != usual[name]}
        shown = [
            f"{n.replace('_', ' ')} {','.join(map(str, v)) if isinstance(v, tuple) else v}" for n, v in other.items()
        ]
        lines.append(f"  {model:<6} {', '.join(shown)}")
    return "\n".join(lines)


_TUNABLE: dict[str, tuple[Any, str, str]] = {
    "epochs": (options.whole, "N", "passes over the data"),
    "batch_size": (options.whole, "N", "examples in a step"),
    "optimizer": (None, "NAME", "how parameters are updated"),
    "lr": (options.positive, "X", "the learning rate at the start; falls to 0 along a cosine"),
    "dropout": (options.share, "P", "the share of hidden values dropped in training"),
    "hidden": (options.sizes, "SIZES", "the sizes of the hidden layers, '' for none"),
    "channels": (options.sizes, "SIZES", "the channels of the convolutions"),
    "label_smoothing": (options.share, "P", "the share of each target spread over all classes"),
    "context": (options.whole, "N", "how many characters are seen at once"),
    "layers": (options.whole, "N", "the number of blocks, or of recurrent layers"),
    "width": (options.whole, "N", "the length of the vector of each character"),
    "heads": (options.whole, "N", "the heads of attention"),
}
"""The options that a model may have: their types, what they are called, what they say."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback train``."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLES.format(mnist=_of_mnist())
    data = parser.add_argument_group("data")
    data.add_argument("--data", metavar="DATA", help="digits, mnist, sonnets, or a file: a table (.csv), a text "
                      "(.txt), images (.npz) (default: digits; sonnets for gpt and lstm)")  # fmt: skip
    data.add_argument("--data-path", metavar="DIR", help=f"the folder with MNIST's files; ${datasets.nist.VARIABLE}, "
                      "then a cache folder, where it is not given")  # fmt: skip
    data.add_argument("--target", metavar="NAME", help="the column of a table that is predicted")
    data.add_argument("--task", choices=("classification", "regression"), help="what the target is (default: found)")
    data.add_argument("--ignore", type=options.names, metavar="NAMES", help="columns of a table that are left out")
    model = parser.add_argument_group("model and training")
    model.add_argument("--model", choices=MODELS, help="; ".join(
        f"{kind.name}: {' or '.join(kind.recipes)}" for kind in KINDS.values()) + " (default: the first)")  # fmt: skip
    for name, (convert, metavar, what) in _TUNABLE.items():
        choices = sorted(OPTIMIZERS) if name == "optimizer" else None
        what += f": {', '.join(choices)}" if choices else ""
        model.add_argument(f"--{name.replace('_', '-')}", type=convert, choices=choices,
                           metavar=metavar, help=f"{what} ({_defaults(name)})")  # fmt: skip
    model.add_argument("--seed", type=options.seed, default=0, metavar="N",
                       help="the same seed gives the same run, bit for bit on one machine with the same number of "
                       "threads (default: 0)")  # fmt: skip
    output = parser.add_argument_group("output")
    output.add_argument("--output", metavar="DIR", help="the run folder, new or empty (default: runs/DATA-N)")
    output.add_argument("--resume", metavar="RUN", help="go on with an interrupted run; all options are its own")
    output.add_argument("--quiet", action="store_true", help="print the result and the run folder alone")


def _recipe(arguments: argparse.Namespace, kind: type[Kind], model: str) -> Recipe:
    """The options of a model, with those that are given.  Raises CommandError for one that it does not have."""
    recipe = kind.recipe(arguments.data, model)
    given = {name: value for name in _TUNABLE if (value := getattr(arguments, name)) is not None}
    for name in given:
        if getattr(recipe, name) is None:
            raise CommandError(
                f"--{name.replace('_', '-')} does not fit --model {model}, which has no such part", USAGE
            )
    return recipe._replace(**given)


# -- the work ------------------------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    """Train, measure, write the run folder, and print the results; of several processes the first one writes."""
    processes = _processes()
    work = _new if arguments.resume is None else _resume
    if processes is None:
        return work(arguments, None)
    with processes.together():
        try:
            return work(arguments, processes)
        except CommandError as error:
            processes.end(f"pullback train: error: {error} (rank {processes.rank} of {processes.size})", error.code)


def _processes() -> Processes | None:
    """Those that mpiexec has started, if they are several."""
    if started() == 1:
        return None
    try:
        return Processes()
    except ImportError as error:
        raise CommandError(f"mpiexec has started {started()} processes, but {error}") from error


def _new(arguments: argparse.Namespace, processes: Processes | None) -> int:
    kind, model = chosen(arguments)
    recipe = _recipe(arguments, kind, model)
    rng = np.random.default_rng(arguments.seed)
    prepared, data = _loaded(arguments, kind, model, recipe, rng)
    source = {name: getattr(arguments, name) for name in SOURCE} | {"model": model, **_places(arguments)}
    if processes is not None and not processes.leads:
        described = Run(Path(), prepared, recipe, source, arguments.seed, checksum(data))
        return Following(described, data, processes).train(rng)
    try:
        with RunFolder(arguments.output, _stem(arguments.data)) as folder:
            described = Run(folder.path, prepared, recipe, source, arguments.seed, checksum(data))
            return Session(described, data, folder, arguments.quiet, processes).train(rng)
    except BrokenPipeError:  # not the folder: whoever read our output has gone
        raise
    except OSError as error:
        raise _unwritable(error) from error


def _places(arguments: argparse.Namespace) -> dict[str, str]:
    """Where the data is, for one who goes on from another folder."""
    found = {"file": arguments.data} if os.path.isfile(os.path.expanduser(arguments.data)) else {}
    found |= {"folder": arguments.data_path} if arguments.data_path else {}
    return {name: os.path.abspath(os.path.expanduser(path)) for name, path in found.items()}


def _stem(source: str) -> str:
    """The name of the data, for that of the folder."""
    return os.path.splitext(os.path.basename(source))[0] or "run"


def _loaded(
    arguments: argparse.Namespace, kind: type[Kind], model: str, recipe: Recipe, rng: np.random.Generator
) -> tuple[Kind, Data]:
    """The data, with one message for what is wrong with it."""
    try:
        return kind.load(arguments, model, recipe, rng)
    except (OSError, ValueError) as error:
        raise CommandError(said(error), USAGE) from error


def _unwritable(error: OSError) -> CommandError:
    return CommandError(f"the run folder cannot be written: {said(error)}")


def _resume(arguments: argparse.Namespace, processes: Processes | None) -> int:
    """Go on with a run: with its data, if it is still what it was."""
    given = [name for name in (*SOURCE, *_TUNABLE, "output") if getattr(arguments, name) is not None]
    if given:
        raise CommandError(
            f"--{given[0].replace('_', '-')} and --resume: a run that goes on keeps its own options", USAGE
        )
    found = opened(arguments.resume)
    if found.finished:
        raise CommandError(f"{found.folder}: the training is finished; there is nothing to go on with", USAGE)
    again = argparse.Namespace(**{name: found.arguments.get(name) for name in SOURCE})
    again.data, again.data_path = found.arguments.get("file") or again.data, found.arguments.get("folder")
    kind, model = type(found.kind), found.arguments["model"]
    rng = np.random.default_rng(found.seed)
    prepared, data = _loaded(again, kind, model, found.recipe, rng)
    if checksum(data) != found.checksum or prepared.kept() != found.kind.kept():
        raise CommandError(
            f"{found.folder}: {found.arguments['data']} has changed since the run began; it cannot go on"
        )
    goes_on = found._replace(kind=prepared)
    if processes is not None and not processes.leads:
        return Following(goes_on, data, processes, Path(found.folder) / CHECKPOINT).train(rng, resume=True)
    try:
        with RunFolder(found.folder, existing=True) as folder:
            return Session(goes_on, data, folder, arguments.quiet, processes).train(rng, resume=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error
    except ValueError as error:
        raise CommandError(said(error)) from error
