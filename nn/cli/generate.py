"""``pullback generate``: let a model that learned a text write."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from . import options
from .command import CommandError
from .kinds.texts import Texts
from .runs import UNUSABLE, opened

EPILOG = """\
Each character is drawn with the probabilities that the model gives: sharper ones for a low temperature
(0 takes the most probable character), more even ones for a high temperature.

examples:
  pullback generate runs/sonnets-1 --prompt "Shall I compare thee"
  pullback generate runs/sonnets-1 --temperature 0.5 --top-k 10 --length 1000 --seed 3

exit codes: 0 done, 2 a run or a prompt that is of no use
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback generate``."""
    parser.epilog = EPILOG
    parser.add_argument("run_folder", metavar="RUN", help="the folder of a run that learned a text")
    parser.add_argument("--prompt", default="\n", metavar="TEXT", help="how the text begins (default: an empty line)")
    parser.add_argument("--length", type=options.whole, default=500, metavar="N", help="characters to write (500)")
    parser.add_argument("--temperature", type=options.not_negative, default=0.8, metavar="X",
                        help="how far from the most probable character (0.8)")  # fmt: skip
    parser.add_argument("--top-k", type=options.whole, metavar="K", help="draw from the K most probable alone")
    parser.add_argument("--seed", type=options.seed, metavar="N", help="the same seed gives the same text")


def run(arguments: argparse.Namespace) -> int:
    """Write the prompt and what follows."""
    found = opened(arguments.run_folder)
    if not isinstance(found.kind, Texts):
        raise CommandError(
            f"{found.folder} learned {found.arguments['data']}, no text; 'pullback predict' uses it",
            UNUSABLE,
        )
    kind = found.kind
    if not arguments.prompt:
        raise CommandError("--prompt is empty; it must have a character", UNUSABLE)
    model, rng = found.model(), np.random.default_rng(arguments.seed)
    try:
        kind.numbers(arguments.prompt, "--prompt")
    except ValueError as error:
        raise CommandError(str(error), UNUSABLE) from error
    sys.stdout.write(arguments.prompt.lstrip("\n"))
    for character in kind.written(
        model, arguments.prompt, arguments.length, rng, arguments.temperature, arguments.top_k
    ):
        sys.stdout.write(character)
        sys.stdout.flush()
    sys.stdout.write("\n")
    return 0
