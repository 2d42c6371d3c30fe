"""``pullback predict``: what a trained model says about a picture, an array or the rows of a table, and what it saw."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from autodiff import files

from .command import CommandError, said
from .runs import UNUSABLE, opened
from .seeing import blocks, svg

FEW = 3
"""So many pictures are shown on the terminal; an output file has more."""

EPILOG = """\
What an input is depends on the run:
  images  a picture (.png; other formats with pip install 'pullback[images]'), an array (.npy), numbers (.csv)
  a table a table with the same columns (.csv), or an array of numbers (.npy)
A picture of a digit is made like those that the model knows: turned into light on dark, scaled, centred
by its mass. What the model saw is drawn below the answer, and by --picture into a file.

examples:
  pullback predict runs/digits-1 seven.png
  pullback predict runs/digits-1 seven.png --picture seen.svg
  pullback predict runs/houses-1 new.csv --json

exit codes: 0 done, 2 a run or an input that is of no use
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback predict``."""
    parser.epilog = EPILOG
    parser.add_argument("run_folder", metavar="RUN", help="the folder of a run")
    parser.add_argument("input", nargs="+", metavar="INPUT", help="one or more files")
    parser.add_argument("--json", action="store_true", help="print the answers as JSON, with all probabilities")
    parser.add_argument("--picture", metavar="FILE.svg", help="write what the model saw as an SVG picture")


def run(arguments: argparse.Namespace) -> int:
    """Predict for each input, and show what the model saw."""
    if arguments.picture is not None and not arguments.picture.lower().endswith(".svg"):
        raise CommandError(f"--picture {arguments.picture}: the name must end in .svg", UNUSABLE)
    found = opened(arguments.run_folder)
    if arguments.picture is not None and found.kind.name != "images":
        raise CommandError(f"--picture: {found.folder} learned no images, so there is nothing to draw", UNUSABLE)
    try:
        read = [found.kind.read(path, Path(files.expanded(path)).read_bytes()) for path in arguments.input]
    except (OSError, ValueError, ImportError) as error:
        raise CommandError(said(error), UNUSABLE) from error
    learner = found.learner()
    made = [(inputs, *found.kind.answers(learner.predict(inputs.arrays))) for inputs in read]
    if arguments.picture is not None:  # first, for whoever reads the rest may go away
        pictures = [picture for inputs, _, _ in made for picture in inputs.pictures]
        captions = [line for _, lines, _ in made for line in lines]
        try:
            files.write(arguments.picture, svg(pictures, captions))
        except OSError as error:
            raise CommandError(
                f"{arguments.picture}: cannot be written: {error.strerror or error}", UNUSABLE
            ) from error
    if arguments.json:
        every: list[dict[str, Any]] = [
            {"input": name, **answer}
            for inputs, _, answers in made
            for name, answer in zip(inputs.names, answers, strict=True)
        ]
        print(json.dumps(every, indent=1))
        return 0
    for inputs, lines, _ in made:
        _show(inputs.names, lines, [blocks(picture.pixels) for picture in inputs.pictures[:FEW]])
    return 0


def _show(names: list[str], lines: list[str], shown: list[str]) -> None:
    """The answers, each with what the model saw if it is a picture."""
    for i, (name, line) in enumerate(zip(names, lines, strict=True)):
        print(f"{name}: {line}")
        if i < len(shown):
            print(shown[i])
